"""`kubectl` and `helm` of a test on PATH: what they were asked is written down, what they answer
stands in a file, and a tunnel leads to a port here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROGRAM = '''#!{python} -SE
import json, os, socket, sys, threading

def relay(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass

def tunnel(port):
    """As kubectl's own: it leads there as long as this process lives."""
    door = socket.create_server(("127.0.0.1", 0))
    print("Forwarding from 127.0.0.1:%d -> 8081" % door.getsockname()[1], flush=True)
    while True:
        near, _ = door.accept()
        far = socket.create_connection(("127.0.0.1", port))
        for ends in ((near, far), (far, near)):
            threading.Thread(target=relay, args=ends, daemon=True).start()

name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
state = json.load(open({state!r}))
with open({log!r}, "a") as log:
    log.write(json.dumps([name, *words]) + "\\n")
if "port-forward" in words:
    port = next((state["ports"][word] for word in words if word in state["ports"]), None)
    if port is None:
        sys.exit("error: unable to forward port because pod is not running. Current status=Pending")
    tunnel(port)
for answer in state["answers"]:
    if answer["of"] == name and all(word in words for word in answer["when"]):
        sys.stdout.write(answer["stdout"])
        sys.stderr.write(answer["stderr"])
        sys.exit(answer["code"])
sys.exit("Error from server (NotFound): no answer in this test for " + " ".join(words))
'''


@dataclass
class Tools:
    """The programs of one test. Put `environment` over the one that `jhub` runs in."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._state, self._log = self.folder / "state.json", self.folder / "log.jsonl"
        self._answers: list[dict[str, Any]] = []
        self._ports: dict[str, int] = {}
        for name in ("kubectl", "helm", "aws"):
            place = self.folder / name
            place.write_text(
                _PROGRAM.format(python=sys.executable, state=str(self._state), log=str(self._log))
            )
            place.chmod(0o755)
        self.answer("kubectl", "get", "--raw", "/readyz", stdout="ok")

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}"}

    @property
    def asked(self) -> list[list[str]]:
        """Every call: the program's name and its words."""
        return (
            [json.loads(line) for line in self._log.read_text().splitlines()]
            if self._log.exists()
            else []
        )

    def forget(self) -> None:
        self._log.unlink(missing_ok=True)

    def answer(
        self, of: str, *when: str, stdout: str = "", stderr: str = "", code: int = 0
    ) -> None:
        """What a program prints when all these words are among its own; a later answer goes
        before an earlier one.
        """
        self._answers.insert(
            0, {"of": of, "when": list(when), "stdout": stdout, "stderr": stderr, "code": code}
        )
        self._save()

    def items(self, *when: str, items: Sequence[Mapping[str, Any]]) -> None:
        """A list of Kubernetes."""
        self.answer("kubectl", *when, stdout=json.dumps({"items": list(items)}))

    def leads(self, target: str, port: int) -> None:
        """Where a tunnel to this Service ends."""
        self._ports[target] = port
        self._save()

    def shut(self, target: str) -> None:
        del self._ports[target]
        self._save()

    def end(self) -> None:
        """End the tunnels that a killed `jhub` left."""
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = place.read_bytes().decode(errors="replace").split("\0")
                if str(self.folder / "kubectl") in words and "port-forward" in words:
                    os.kill(int(place.parent.name), signal.SIGKILL)

    def _save(self) -> None:
        self._state.write_text(json.dumps({"answers": self._answers, "ports": self._ports}))
