"""A cluster's inside as commands see it: `kubectl` and `aws` on a PATH of their own, the
autoscaler, and hubs with people's servers.

Everything is asked through the door of tests/support/cloud.py, so calls to AWS, to kubectl and to
hubs stand in one list, and each may be the last.
"""

from __future__ import annotations

import base64
import json
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyterhub_aws.components.hub.values.hub import OPERATOR
from jupyterhub_aws.config.specs.autoscaler import NAME, NAMESPACE
from tests.support.cloud import Cloud

_TOKEN = "token-of-"
#: Sends what it was called with, prints what it is told; a tunnel stays open as long as who opened
#: it.
_KUBECTL = """#!{python} -SE
import json, os, sys, time, urllib.request
asked = urllib.request.Request(os.environ["JHUB_TEST_DOOR"] + "/kubectl", data=json.dumps(sys.argv[1:]).encode(), method="POST")
said = json.load(urllib.request.urlopen(asked, timeout=30))
sys.stderr.write(said.get("err", ""))
sys.stdout.write(said.get("out", ""))
sys.stdout.flush()
parent = os.getppid()
while said.get("stay") and os.getppid() == parent:
    time.sleep(0.05)
sys.exit(said.get("code", 0))
"""


@dataclass
class Inside:
    """What is in the cluster. `servers`: hub to people who have one; `away`: the API does not
    answer.
    """

    servers: dict[str, list[str]] = field(default_factory=dict)
    autoscaler: int = 1
    ready: bool = True
    away: bool = False
    #: Whether nodes, and the machines of the API, are there: asked at each call.
    nodes: Callable[[], bool] = lambda: True
    machines: Callable[[], bool] = lambda: True
    tokens: bool = True
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    ran: list[list[str]] = field(default_factory=list)

    def on(self, account: Cloud, folder: Path) -> None:
        """Answer at the account's door, and put the commands into a folder for PATH."""
        account.local = {"kubectl": self._kubectl, "hub": self._hub}
        folder.mkdir(exist_ok=True)
        for name, text in (
            ("kubectl", _KUBECTL.format(python=sys.executable)),
            ("aws", "#!/bin/sh\nexit 0\n"),
        ):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755 | stat.S_IXUSR)

    def _kubectl(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        del method, path
        words = [word for word in json.loads(body) if not word.startswith("--request-timeout")]
        if words[:1] == ["--context"]:
            words = words[2:]
        self.ran.append(words)
        if self.away or not self.machines():
            return 200, {
                "code": 1,
                "err": "Unable to connect to the server: dial tcp 10.0.0.1:443: i/o timeout\n",
            }
        namespace = words[words.index("--namespace") + 1] if "--namespace" in words else ""
        if "/readyz" in words:
            return 200, {"out": "ok"}
        if "scale" in words:
            assert (namespace, f"deployment/{NAME}") == (NAMESPACE, words[3])
            self.autoscaler = int(words[4].removeprefix("--replicas="))
            return 200, {"out": "scaled"}
        if "port-forward" in words and not self._up:
            return 200, {
                "code": 1,
                "err": (
                    "error: unable to forward port because pod is not running. Current"
                    " status=Pending\n"
                ),
            }
        if "port-forward" in words:
            return 200, {
                "out": f"Forwarding from 127.0.0.1:{headers['Host'].rpartition(':')[2]} -> 8081\n",
                "stay": True,
            }
        return 200, {"out": json.dumps(self._objects(words, namespace))}

    def _objects(self, words: list[str], namespace: str) -> dict[str, Any]:
        if "secret" in words:
            token = base64.b64encode(f"{_TOKEN}{namespace.removeprefix('hub-')}".encode()).decode()
            return {"data": {f"hub.services.{OPERATOR}.apiToken": token} if self.tokens else {}}
        if f"deployment/{NAME}" in words:
            return {"spec": {"replicas": self.autoscaler}, "status": {"replicas": self.autoscaler}}
        if "pods" in words:
            return {
                "items": [
                    {"metadata": {"name": f"jupyter-{name}"}}
                    for name in self.servers.get(namespace.removeprefix("hub-"), [])
                ]
            }
        status = {"readyReplicas": 1} if self._up else {}
        return {
            "items": [{"metadata": {"name": name}, "status": status} for name in ("hub", "proxy")]
        }

    @property
    def _up(self) -> bool:
        return self.ready and self.nodes()

    def _hub(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        hub = next(
            value for key, value in headers.items() if key.lower() == "authorization"
        ).removeprefix(f"token {_TOKEN}")
        if path.startswith("/hub/api/users?"):
            return 200, [
                {"name": name, "servers": {"": {"name": "", "ready": True}}}
                for name in self.servers.get(hub, [])
            ]
        if path.endswith("/server") and method == "DELETE":
            name = path.split("/")[4]
            there = name in self.servers.get(hub, [])
            self.servers[hub] = [other for other in self.servers.get(hub, []) if other != name]
            return (204, None) if there else (404, {"message": "no such server"})
        if method == "PUT":
            self.said[hub] = json.loads(body)
        elif method == "DELETE":
            self.said.pop(hub, None)
        return 200, self.said.get(hub, {"text": "", "closed": False, "seconds": 0})
