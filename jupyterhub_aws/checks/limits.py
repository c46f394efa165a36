"""Whether what servers may use at most exists: limits against the largest node of their pool,
and shared memory against the server's own limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyterhub_aws.checks.finding import Finding, verdict, warn
from jupyterhub_aws.checks.hub_values.fault import items
from jupyterhub_aws.checks.placement import UserNodes, user_nodes
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.checks.user_pods import UserPod, hub_releases, user_pods
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.node_size import NodeSize, quantity, server_room
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.tree import at

_MIB, _GIB = 1024**2, 1024**3


def limits(stack: StackConfig, resources: Resources) -> list[Finding]:
    """No server's limit is larger than every node that it may start on, and its shared memory is
    less than its own memory.
    """
    nodes = [node for node in user_nodes(stack, resources) if not node.retiring]
    pods = [(release, pod) for release in hub_releases(resources) for pod in user_pods(release)]
    found = (
        finding
        for release, pod in pods
        for finding in (*_beyond_nodes(release, pod, nodes), *_shared_memory(release, pod))
    )
    return verdict("limits-fit", found, otherwise=_overcommitted([pod for _, pod in pods], nodes))


def largest_room(nodes: Sequence[UserNodes]) -> NodeSize:
    """What servers can have on the largest of some nodes."""
    sizes = [server_room([kind], node.most_pods) for node in nodes for kind in node.types]
    return NodeSize(
        cpu_millicores=max(size.cpu_millicores for size in sizes),
        memory_mib=max(size.memory_mib for size in sizes),
    )


def _where(pod: UserPod) -> str:
    return f"profile {pod.profile or 'default'} of hub {pod.hub}"


def _warning(release: Resource, pod: UserPod, message: str, fix: str) -> Finding:
    path = f"hubs.{pod.hub}.profiles"
    return warn("limits-fit", f"{_where(pod)}: {message}", fix, release, path=path)


def _beyond_nodes(release: Resource, pod: UserPod, nodes: Sequence[UserNodes]) -> Iterator[Finding]:
    matching = [node for node in nodes if pod.may_run_on(node.labels)]
    if not matching:  # the check of places for servers says it
        return
    room = largest_room(matching)
    pools = ", ".join(dict.fromkeys(node.pool or node.name for node in matching))
    memory, cores = pod.limits.get("memory", 0) / _GIB, pod.limits.get("cpu", 0)
    if memory > room.memory_mib / 1024:
        message = (
            f"its memory limit is {memory:.4g} GiB, and the largest node of pool {pools} has"
            f" {room.memory_mib / 1024:.4g} GiB for servers: before a server reaches its limit the"
            " node runs out of memory, and the kubelet evicts servers on it, other users' too"
        )
        fix = f"lower memory to {room.memory_mib // 1024}G or less, or choose larger types"
        yield _warning(release, pod, message, fix)
    if cores > room.cpu_millicores / 1000:
        message = (
            f"its limit is {cores:g} cores, and the largest node of pool {pools} has"
            f" {room.cpu_millicores / 1000:g} for servers: no server ever gets so many"
        )
        fix = f"lower cpu to {room.cpu_millicores // 100 / 10:g} or less, or choose larger types"
        yield _warning(release, pod, message, fix)


def _shared_memory(release: Resource, pod: UserPod) -> Iterator[Finding]:
    """Volumes in memory count against the server's limit (Kubernetes, "Volumes", emptyDir): full
    ones end the server.
    """
    values = effective(release.inputs.get("values", {}))
    volumes = at(values, "singleuser", "storage", "extraVolumes")
    size = sum(map(_size_in_memory, items(volumes)))
    limit = pod.limits.get("memory")
    if limit is not None and size >= limit:
        message = (
            f"its volumes in memory (/dev/shm) may grow to {size / _GIB:.4g} GiB, and its memory"
            f" limit is {limit / _GIB:.4g} GiB, which they count against: a server that fills them"
            " is stopped"
        )
        yield _warning(release, pod, message, "lower shared_memory, or raise memory")


def _size_in_memory(volume: Mapping[str, Any]) -> float:
    if at(volume, "emptyDir", "medium") != "Memory":
        return 0
    try:
        return quantity(at(volume, "emptyDir", "sizeLimit") or 0)
    except ValueError:  # the API refuses it
        return 0


def overcommitment(pod: UserPod, node: UserNodes) -> float:
    """How many times a node's memory the limits of as many servers as it takes add up to; 0
    where a server has no limit.
    """
    wanted, limit = pod.requests.get("memory", 0), pod.limits.get("memory", 0)
    if not wanted or not limit:
        return 0.0
    count = min(
        node.room.memory_mib * _MIB // wanted,
        node.room.cpu_millicores / 1000 // (pod.requests.get("cpu") or 1e-3),
        node.most_pods,
    )
    return count * limit / (node.room.memory_mib * _MIB)


def _overcommitted(pods: Sequence[UserPod], nodes: Sequence[UserNodes]) -> str:
    ratios = [
        (overcommitment(pod, node), pod)
        for pod in pods
        for node in nodes
        if pod.may_run_on(node.labels)
    ]
    holds = "no server may use more than a node of its pool has"
    worst, pod = max(ratios, key=lambda item: item[0], default=(0.0, None))
    if pod is None or not worst:
        return holds
    return (
        f"{holds}; on a full node limits add up to at most {worst:.1f} times its memory"
        f" ({_where(pod)})"
    )
