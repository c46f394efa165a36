"""A cluster of nodes and servers in a file, with a `kubectl` on PATH that reads and changes it, an
autoscaler that takes empty nodes, and its hub's API.

The file is the whole state, so that a command may be killed at any call of `kubectl` and the next
one goes on with what was there.
"""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import multiprocessing
import os
import stat
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from tests.support.cloud import Cloud
from tests.support.nodes_kubectl import TOKEN, changing

#: Without site packages and without the tests' other modules: it is started dozens of times.
_KUBECTL = '#!/bin/sh\nexec {python} -IS {script} {file} "$@"\n'
_CHILDREN = multiprocessing.get_context("forkserver")
_LOADED = [
    "boto3",
    "jupyterhub_aws.cli.group",
    "jupyterhub_aws.cli.commands.drain",
    "jupyterhub_aws.operate.drain.drain",
    "jupyterhub_aws.operate.live.hub_api",
    "jupyterhub_aws.operate.live.steps",
    "jupyterhub_aws.components.validated",
    "jupyterhub_aws.config.cloud_config",
]


@dataclass
class FakeCluster:
    """The folder that PATH begins with, and the file of the state."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "state.json"

    @property
    def state(self) -> dict[str, Any]:
        with changing(self.file) as state:
            return dict(state)

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}"}

    def node(
        self,
        name: str,
        *,
        pool: str = "memory",
        generation: int = 1,
        instance: str = "",
        **more: Any,
    ) -> None:
        with changing(self.file) as state:
            state["nodes"][name] = {
                "pool": pool,
                "generation": generation,
                "instance": instance,
                "cordoned": False,
                "looks": 2,
                **more,
            }

    def server(
        self,
        user: str,
        node: str,
        *,
        ends_after: int | None = None,
        name: str = "",
        hub: str = "main",
        **more: Any,
    ) -> None:
        """A server that is culled after so many looks at the pods (None: never)."""
        with changing(self.file) as state:
            found = {
                "user": user,
                "server": name,
                "node": node,
                "namespace": f"hub-{hub}",
                "ends_after": ends_after,
                "kind": "server",
                "stops_after": None,
            }
            state["pods"][f"jupyter-{user}{'--' if name else ''}{name}"] = {**found, **more}

    def told(self) -> list[dict[str, Any]]:
        return list(self.state["told"])


def fake_cluster(folder: Path) -> FakeCluster:
    """An empty one in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    found = FakeCluster(folder)
    empty: dict[str, Any] = {
        "nodes": {},
        "pods": {},
        "calls": [],
        "told": [],
        "notice": None,
        "stopped": [],
        "port": 0,
        "autoscaler": True,
        "kill": None,
    }
    found.file.write_text(json.dumps(empty))
    command = Path(__file__).with_name("nodes_kubectl.py")
    for name, text in (
        ("kubectl", _KUBECTL.format(python=sys.executable, script=command, file=found.file)),
        ("aws", "#!/bin/sh\nexit 0\n"),
    ):
        script = folder / name
        script.write_text(text)
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return found


class _Hub(http.server.BaseHTTPRequestHandler):
    """What `jhub` asks of a hub: who has servers, that one ends, and a notice."""

    file: Path

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        code, data = (
            (403, None)
            if self.headers.get("Authorization") != f"token {TOKEN}"
            else self._act(json.loads(body) if body else None)
        )
        text = b"" if data is None else json.dumps(data).encode()
        with contextlib.suppress(OSError):
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    do_GET = do_PUT = do_DELETE = answer  # noqa: N815 -- names of the standard library

    def _act(self, body: Any) -> tuple[int, Any]:
        path = self.path.partition("?")[0].removeprefix("/hub/api")
        with changing(self.file) as state:
            if path.endswith("/notice"):
                return self._notice(state, body)
            return _stop(state, path) if self.command == "DELETE" else _users(state)

    def _notice(self, state: dict[str, Any], body: Any) -> tuple[int, Any]:
        if self.command == "PUT":
            state["told"].append(body)
            state["notice"] = body
            return 200, body
        if self.command == "DELETE":
            state["notice"] = None
            return 204, None
        return 200, state["notice"] or {"text": "", "seconds": 0, "closed": False}

    def log_message(self, *_: object) -> None:
        pass


def _stop(state: dict[str, Any], path: str) -> tuple[int, Any]:
    _, _, user, *rest = path.split("/")
    name = rest[1] if rest[0] == "servers" else ""
    for item in state["pods"].values():
        if (item["user"], item["server"], item["namespace"]) == (user, name, "hub-main") and item[
            "stops_after"
        ] is None:
            state["stopped"].append(
                {"user": user, "told": len(state["told"]), "node": item["node"]}
            )
            item["stops_after"] = 2
    return 202, None


def _users(state: dict[str, Any]) -> tuple[int, Any]:
    users: dict[str, Any] = {}
    for item in state["pods"].values():
        if item["kind"] == "server" and item["namespace"] == "hub-main":
            found = {
                "name": item["server"],
                "ready": True,
                "pending": "stop" if item["stops_after"] is not None else None,
            }
            users.setdefault(item["user"], {"name": item["user"], "servers": {}})["servers"][
                item["server"]
            ] = found
    return 200, list(users.values())


@contextlib.contextmanager
def hub_of(cluster: FakeCluster) -> Iterator[None]:
    """The API of the hub `main`: its servers are the pods of the state; stopping one takes two
    looks.
    """
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Hub", (_Hub,), {"file": cluster.file})
    )
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    with changing(cluster.file) as state:
        state["port"] = server.server_address[1]
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def cluster_in(account: Cloud) -> None:
    """The EKS cluster of the stack `dev`, which a command asks for its address."""
    subnet = account.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    account.client("eks").create_cluster(
        name="jhub-dev",
        roleArn="arn:aws:iam::123456789012:role/some",
        resourcesVpcConfig={"subnetIds": [subnet]},
    )


@contextlib.contextmanager
def impatient() -> Iterator[None]:
    """Steps that look again at once."""
    with (
        mock.patch("jupyterhub_aws.operate.live.steps._FIRST_WAIT", 0.01),
        mock.patch("jupyterhub_aws.operate.live.steps._LONGEST_WAIT", 0.02),
        mock.patch("jupyterhub_aws.operate.live.notifier._LOOK_SECONDS", 0.1),
    ):
        yield


def _child(arguments: Sequence[str], folder: str, env: Mapping[str, str]) -> None:
    os.environ.update(env)
    for key in [key for key, value in env.items() if value == ""]:
        os.environ.pop(key, None)
    os.chdir(folder)
    from jupyterhub_aws.cli.group import run

    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        impatient(),
    ):
        run(list(arguments))


def killed_at(
    cluster: FakeCluster,
    call: int,
    arguments: Sequence[str],
    place: tuple[Path, Mapping[str, str]],
    *,
    after: bool,
) -> bool:
    """Run `jhub` and end it by SIGKILL at its call `call` of kubectl, before or `after` that did
    something. False where it ended by itself before.
    """
    with changing(cluster.file) as state:
        state["calls"], state["kill"] = [], {"call": call, "after": after}
    child = _CHILDREN.Process(target=_child, args=(arguments, str(place[0]), dict(place[1])))
    child.start()
    child.join(60)
    child.close()
    with changing(cluster.file) as state:
        hit, state["kill"] = state["kill"] is None, None
    return hit


def preload() -> None:
    """Load what the children share, once."""
    _CHILDREN.set_forkserver_preload(_LOADED)
