"""A tunnel from this machine to a hub's proxy, by kubectl: nothing is exposed to anybody else."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.operate.open.outputs import BuiltHub

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
            raise ConfigError(
                "jhub open",
                [Problem(path=f"port {port}", what="is taken on this machine", fix=fix)],
            ) from None


def _await_answer(process: subprocess.Popen[str], hub: BuiltHub) -> None:
    end = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            said = (process.stderr.read() if process.stderr else "").strip().splitlines()
            fix = (
                "may you reach the cluster from here? See cluster.api.public_access_cidrs, and `aws"
                " sts get-caller-identity`"
            )
            raise ConfigError(
                "jhub open",
                [
                    Problem(
                        path=hub.namespace,
                        what=said[-1] if said else "kubectl ended at once",
                        fix=fix,
                    )
                ],
            )
        if _answers(hub.local_port):
            return
        time.sleep(_STEP_SECONDS)
    fix = f"look at its pods: kubectl -n {hub.namespace} get pods"
    raise ConfigError(
        "jhub open",
        [
            Problem(
                path=hub.namespace, what=f"did not answer in {_WAIT_SECONDS:.0f} seconds", fix=fix
            )
        ],
    )


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", _HEALTH)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
