"""Why a pod does not get ready, from what the Kubernetes API lists: pods, and the warnings about
them. Pure.

`jhub doctor` finds it by this, and an `up` whose release did not get ready says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
_MOST = 200


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
    """Each pod that waits in vain, with its reason. `warnings` are events of type Warning;
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
    """A pod that waits for a volume or whose probe fails has no state that says so: the last
    warning about it does.
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
    """What keeps a pod from being made at all (`FailedCreate`: admission, quota), as long as its
    owner has none.
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
    return line if len(line) <= _MOST else f"{line[:_MOST]}…"
