"""The message of an `up` when a hub's release does not get ready: the reasons of its pods, which
Helm's own error does not name.

The engine calls this before it gives up (an error hook); nothing is retried and nothing changes.
Without kubectl, or with an engine without such hooks, there is only Helm's error.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import monitor_supports_feature

from jupyterhub_aws.components.cluster.provider import under_an_engine

# --- Why a pod does not get ready, from what the Kubernetes API lists: pods, and the warnings about
# them. Pure.


#: Reasons of a container that waits and will go on waiting by itself (kubelet: container states,
#: image pulls; ErrImageNeverPull: pkg/kubelet/images).
_IN_VAIN = (
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
)
_MOST_REASONS = 200


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """A pod that does not get ready: `what` it says; `crashed` is the container whose log has
    its last words, None where none has ended.
    """

    pod: str
    what: str
    crashed: str | None = None

    @property
    def line(self) -> str:
        """The pod with what it says."""
        return f"pod {self.pod}{'' if self.what.startswith(('finds ', 'is ')) else ':'} {self.what}"


def stuck(
    pods: Iterable[Mapping[str, Any]], warnings: Sequence[Mapping[str, Any]] = ()
) -> Iterator[Stuck]:
    """Each pod that will not get ready, with its reason. `warnings` are events of type Warning;
    without a state that says why, the last about a pod does.
    """
    for pod in pods:
        found = list(_of_pod(pod))
        yield from found or _by_warning(pod, warnings)


def _of_pod(pod: Mapping[str, Any]) -> Iterator[Stuck]:
    name, status = str(pod["metadata"]["name"]), pod.get("status") or {}
    for container in _containers(status):
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason = str(waiting.get("reason") or "")
        if reason in _IN_VAIN:
            crashed = reason == "CrashLoopBackOff"
            said = (
                "" if crashed or not waiting.get("message") else f" ({_short(waiting['message'])})"
            )
            yield Stuck(
                pod=name,
                what=f"{reason}, {container.get('restartCount', 0)} restarts{said}",
                crashed=str(container.get("name") or "") if crashed else None,
            )
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield Stuck(
                pod=name,
                what=(
                    "finds no node:"
                    f" {_short(condition.get('message') or condition.get('reason') or 'no reason given')}"
                ),
            )


def _by_warning(pod: Mapping[str, Any], warnings: Sequence[Mapping[str, Any]]) -> Iterator[Stuck]:
    """The reason of a pod that waits for a volume or whose probe fails: its state does not show
    it, so the last warning about it does.
    """
    name, status = str(pod["metadata"]["name"]), pod.get("status") or {}
    if status.get("phase") not in ("Pending", "Running") or all(
        container.get("ready") for container in _containers(status)
    ):
        return
    about = [event for event in warnings if (event.get("involvedObject") or {}).get("name") == name]
    if about:
        last = max(
            about, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or "")
        )
        yield Stuck(
            pod=name,
            what=f"is not ready: {last.get('reason')}: {_short(last.get('message') or '')}",
        )


def without_a_pod(
    warnings: Sequence[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    """The reason why a pod is not created at all (`FailedCreate`: admission, quota), as long as
    its owner has none.
    """
    owners = {
        str(owner.get("name"))
        for pod in pods
        for owner in pod["metadata"].get("ownerReferences") or []
    }
    said = dict[str, str]()
    for event in warnings:
        who = event.get("involvedObject") or {}
        if (
            event.get("reason") == "FailedCreate"
            and who.get("kind") in ("ReplicaSet", "StatefulSet", "DaemonSet", "Job")
            and who.get("name") not in owners
        ):
            said[str(who.get("name"))] = _short(event.get("message") or "")
    yield from (f"{name} makes no pod: {message}" for name, message in sorted(said.items()))


def _containers(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _short(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= _MOST_REASONS else f"{line[:_MOST]}…"


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
    """Hooks for the release of a hub. None in a plan, and under an engine without hooks."""
    if not under_an_engine() or not monitor_supports_feature(
        resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS
    ):
        return None

    async def failed(args: pulumi.ErrorHookArgs) -> bool:
        if args.failed_operation != "delete":
            text = None if where.kubeconfig is None else await where.kubeconfig.future()
            for line in await asyncio.to_thread(lambda: list(reasons(where, text))):
                pulumi.log.error(line)
        return False  # no retry: the next `up` continues

    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"why-{where.namespace}", failed)])


def reasons(where: HubAccess, kubeconfig: str | None) -> Iterator[str]:
    """A line for each pod that does not get ready, and where to look. Raises nothing: whatever
    fails here, the original error follows.
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
    ]  # users' servers: Helm does not wait for them
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
