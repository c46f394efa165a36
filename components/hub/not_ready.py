"""What an `up` says when a hub's release does not get ready: the reason of its pods, beside Helm's
words, which name none.

The engine calls this before it gives up (an error hook); nothing is tried again and nothing
changes. Without kubectl, or with an engine that knows no such hooks, Helm's words stand alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import monitor_supports_feature

from jupyterhub_aws.components.cluster.provider import under_an_engine
from jupyterhub_aws.components.hub.stuck import stuck, without_a_pod

_SECONDS = 20
_MOST = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class HubAccess:
    """The namespace of a hub and how its cluster is reached: `kubeconfig` is the text of one, or
    else `file` (None: the caller's own) and `context`.
    """

    hub: str
    namespace: str
    kubeconfig: pulumi.Output[str] | None
    file: str | None = None
    context: str | None = None


def says_why(where: HubAccess) -> pulumi.ResourceHookBinding | None:
    """Hooks for the release of a hub. None in a plan, and under an engine that knows none."""
    if not under_an_engine() or not monitor_supports_feature(
        resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS
    ):
        return None

    async def failed(args: pulumi.ErrorHookArgs) -> bool:
        if args.failed_operation != "delete":
            text = None if where.kubeconfig is None else await where.kubeconfig.future()
            for line in await asyncio.to_thread(lambda: list(reasons(where, text))):
                pulumi.log.error(line)
        return False  # never again by itself: the next `up` goes on

    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"why-{where.namespace}", failed)])


def reasons(where: HubAccess, kubeconfig: str | None) -> Iterator[str]:
    """A line for each pod that does not get ready, and where to look. Raises nothing: whatever
    goes wrong here, the true error follows.
    """
    more = f"all that is stuck, and what to run: jhub doctor {pulumi.get_stack()}"
    try:
        with tempfile.TemporaryDirectory(prefix="jhub-") as folder:
            found = list(_asked(where, _line(where, kubeconfig, Path(folder))))
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError) as error:
        yield (
            f"hub {where.hub} did not get ready; why, could not be asked ({type(error).__name__}:"
            f" {str(error)[:120]}). {more}"
        )
        return
    for line in found[:_MOST]:
        yield f"hub {where.hub} did not get ready: {line}"
    if len(found) > _MOST:
        yield f"hub {where.hub}: and {len(found) - _MOST} more. {more}"
    else:
        yield f"hub {where.hub}: {'no pod of it waits in vain now; ' if not found else ''}{more}"


def _line(where: HubAccess, kubeconfig: str | None, folder: Path) -> list[str]:
    if shutil.which("kubectl") is None:
        raise FileNotFoundError("kubectl is not on PATH")
    file = where.file
    if kubeconfig is not None:
        written = folder / "kubeconfig"
        written.touch(mode=0o600)
        written.write_text(kubeconfig, encoding="utf-8")
        file = str(written)
    named = ["--kubeconfig", file] if file else []
    context = ["--context", where.context] if where.context else []
    return [
        "kubectl",
        *named,
        *context,
        "--namespace",
        where.namespace,
        f"--request-timeout={_SECONDS}s",
    ]


def _asked(where: HubAccess, kubectl: list[str]) -> Iterator[str]:
    pods = json.loads(_read([*kubectl, "get", "pods", "-o", "json"]))["items"]
    pods = [
        pod
        for pod in pods
        if (pod["metadata"].get("labels") or {}).get("component") != "singleuser-server"
    ]  # people's own: Helm waits for none
    warnings: list[Any] = json.loads(
        _read([*kubectl, "get", "events", "--field-selector", "type=Warning", "-o", "json"])
    )["items"]
    for item in stuck(pods, warnings):
        words = "" if item.crashed is None else _last_words(kubectl, item.pod, item.crashed)
        yield f"{item.line}{words}"
    yield from without_a_pod(warnings, pods)


def _last_words(kubectl: list[str], pod: str, container: str) -> str:
    """The last line that a container wrote before it ended: of a program in Python, the error."""
    try:
        lines = (
            _read(
                [
                    *kubectl,
                    "logs",
                    pod,
                    *(["--container", container] if container else []),
                    "--previous",
                    "--tail",
                    "20",
                ]
            )
            .strip()
            .splitlines()
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"; its last words: {lines[-1].strip()[:200]}" if lines else ""


def _read(line: list[str]) -> str:
    return subprocess.run(  # noqa: S603
        line, env=dict(os.environ), capture_output=True, text=True, timeout=2 * _SECONDS, check=True
    ).stdout
