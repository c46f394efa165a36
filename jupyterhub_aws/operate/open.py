"""Opening a hub that was built: what the stack says of it, and the tunnel to it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub_aws.cli.arguments import chosen_hub
from jupyterhub_aws.config.errors import ConfigError, Problem, refused
from jupyterhub_aws.progress import ProgressLine

# --- What a built stack says of its hubs: asked of the engine, because only its state knows.


_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class BuiltHub:
    """A hub as it was built: where it answers, and by which passwords one comes in (empty unless
    all users share one).

    `kubeconfig` is the text of one that runs the aws CLI; empty where the cluster was there
    already: then `kubeconfig_file` and `context` are the stack's, and empty ones mean the caller's
    own.
    """

    name: str
    url: str
    namespace: str
    passwords: Mapping[str, str]
    kubeconfig: str
    kubeconfig_file: str = ""
    context: str = ""

    @property
    def needs_tunnel(self) -> bool:
        """Whether it answers on this machine only."""
        return self.url.startswith("http://localhost:")

    @property
    def local_port(self) -> int:
        """The port of this machine that leads to it."""
        return int(self.url.rstrip("/").rpartition(":")[2])


def require(*programs: str) -> None:
    """Raise ConfigError naming every program that is not on PATH, and where to get it."""
    where = {
        "pulumi": "https://www.pulumi.com/docs/install/",
        "kubectl": "https://kubernetes.io/docs/tasks/tools/",
        "aws": (
            "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html (the"
            " cluster's kubeconfig runs it)"
        ),
    }
    missing = [
        Problem(
            id="tool.missing",
            path=program,
            what="is not on PATH",
            fix=f"install it: {where[program]}",
        )
        for program in programs
        if shutil.which(program) is None
    ]
    if missing:
        raise ConfigError("jhub open", missing)


def built_hub(stack: str, hub: str | None, project: Path) -> BuiltHub:
    """A hub of a stack that was built; `hub` may be None where there is one only. Raises
    ConfigError with what to do.
    """
    command = [
        "pulumi",
        "stack",
        "output",
        "--json",
        "--show-secrets",
        "--stack",
        stack,
        "--non-interactive",
    ]
    done = subprocess.run(  # noqa: S603
        command, cwd=project, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode != 0:
        said = next(
            (line for line in done.stderr.splitlines() if line.startswith("error:")),
            "error: pulumi gave no reason",
        )
        fix = f"log in to the stack's backend, and build it first: pulumi up -s {stack}"
        raise refused("jhub open", "open.no-hub", stack, said.removeprefix("error: "), fix)
    outputs: dict[str, Any] = json.loads(done.stdout or "{}")
    hubs: dict[str, Any] = outputs.get("hubs") or {}
    return _chosen(stack, hubs, hub, outputs)


def _chosen(
    stack: str, hubs: Mapping[str, Any], hub: str | None, outputs: Mapping[str, Any]
) -> BuiltHub:
    name = chosen_hub(
        "jhub open",
        stack,
        hubs,
        hub,
        kind=" that `pulumi up` built",
        none=f"add one under hubs, and run: pulumi up -s {stack}",
    )
    found = hubs[name]
    access = outputs.get("cluster_access") or {}
    return BuiltHub(
        name=name,
        url=found["url"],
        namespace=found["namespace"],
        passwords=found.get("passwords") or {},
        kubeconfig=str(outputs.get("kubeconfig", "")),
        kubeconfig_file=str(access.get("file", "")),
        context=str(access.get("context", "")),
    )


# --- A tunnel from this machine to a hub's proxy, by kubectl: nothing is exposed to other machines.


#: The chart's own service of the proxy, and the path that answers without asking the hub.
_SERVICE, _SERVICE_PORT, _HEALTH = "service/proxy-public", 80, "/_chp_healthz"
_WAIT_SECONDS, _STEP_SECONDS = 60.0, 0.25


@contextlib.contextmanager
def tunnel(hub: BuiltHub, progress: Callable[[str], None]) -> Iterator[subprocess.Popen[str]]:
    """Keep a tunnel to the hub open. Raises ConfigError where the port is taken, or the hub does
    not answer.
    """
    _free(hub.local_port)
    with tempfile.TemporaryDirectory() as folder:
        where = ["--context", hub.context] if hub.context else []
        command = [
            "kubectl",
            *where,
            "--namespace",
            hub.namespace,
            "port-forward",
            "--address",
            "127.0.0.1",
            _SERVICE,
            f"{hub.local_port}:{_SERVICE_PORT}",
        ]
        environment = {**os.environ, **_access(hub, Path(folder))}
        process = subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        try:
            progress(f"Opening a tunnel to {hub.namespace} …")
            _await_answer(process, hub)
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)


def _access(hub: BuiltHub, folder: Path) -> dict[str, str]:
    """The variable by which kubectl finds the cluster; none where the caller's own kubeconfig
    does.
    """
    if hub.kubeconfig:
        written = folder / "kubeconfig"
        written.touch(mode=0o600)
        written.write_text(hub.kubeconfig, encoding="utf-8")
        return {"KUBECONFIG": str(written)}
    return {"KUBECONFIG": hub.kubeconfig_file} if hub.kubeconfig_file else {}


def _free(port: int) -> None:
    with socket.socket() as probe:
        # As kubectl does: a connection of a tunnel that was just closed does not hold the port, a
        # listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            fix = (
                "stop what listens there (another tunnel?), or change entry.local_port and run"
                " pulumi up"
            )
            what = "is taken on this machine"
            raise refused("jhub open", "open.port-taken", f"port {port}", what, fix) from None


def _await_answer(process: subprocess.Popen[str], hub: BuiltHub) -> None:
    end = time.monotonic() + _WAIT_SECONDS
    with ProgressLine("the hub's proxy does not answer yet", patience=_WAIT_SECONDS):
        while time.monotonic() < end:
            _goes_on(process, hub)
            if _answers(hub.local_port):
                return
            time.sleep(_STEP_SECONDS)
    fix = f"look at its pods: kubectl -n {hub.namespace} get pods"
    what = f"did not answer in {_WAIT_SECONDS:.0f} seconds"
    raise refused("jhub open", "open.no-answer", hub.namespace, what, fix)


def _goes_on(process: subprocess.Popen[str], hub: BuiltHub) -> None:
    if process.poll() is not None:
        said = (process.stderr.read() if process.stderr else "").strip().splitlines()
        fix = (
            "may you reach the cluster from here? See cluster.api.public_access_cidrs, and `aws"
            " sts get-caller-identity`"
        )
        what = said[-1] if said else "kubectl ended at once"
        raise refused("jhub open", "open.no-answer", hub.namespace, what, fix)


def _answers(port: int) -> bool:
    from httpx import HTTPError

    from jupyterhub_aws.http_client import direct_client

    with contextlib.suppress(HTTPError), direct_client(2) as client:
        return client.get(f"http://127.0.0.1:{port}{_HEALTH}").is_success
    return False
