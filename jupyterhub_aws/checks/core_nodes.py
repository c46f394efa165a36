"""Whether hubs, proxies and add-ons find room on the core nodes: each by itself, all together,
and after the loss of a node.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jupyterhub_aws.checks.finding import Finding, fail, skip, verdict, warn
from jupyterhub_aws.checks.hub_values.fault import Values, items
from jupyterhub_aws.checks.nodes import node_subnets
from jupyterhub_aws.checks.placement import (
    PODS,
    Answer,
    SchedulableNode,
    SchedulablePod,
    arranged,
    pod_of,
    refusals,
)
from jupyterhub_aws.checks.resources import Resource, Resources, chart_name
from jupyterhub_aws.checks.user_pods import RELEASE, hub_of, hub_releases
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.core_addons import AddonPods, addon_pods
from jupyterhub_aws.config.errors import some
from jupyterhub_aws.config.instance_types import instance_type
from jupyterhub_aws.config.node_size import core_pods_of, node_size, quantity
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.tree import at

# --- The pods that will be on the core nodes, predicted from what was registered: hubs, proxies,
# the autoscaler, add-ons and jobs; and the nodes themselves.


_GROUP = "aws:eks/nodeGroup:NodeGroup"
_ADDON = "aws:eks/addon:Addon"
_JOBS = ("kubernetes:batch/v1:CronJob", "kubernetes:batch/v1:Job")
_BYTES_PER_MIB = 1024**2
_PURPOSE = "hub.jupyter.org/node-purpose"
_ZONES = ("topology.kubernetes.io/zone", "topology.ebs.csi.aws.com/zone")
#: What the parts of the chart that are core pods take from its values: the place of each, what it
#: is called, and the containers besides its own.
_CHART_PODS = ((("hub",), "hub"), (("proxy", "chp"), "proxy"))
#: What a pod without requests uses all the same, for the margin (config/node_size.py reckons
#: alike).
UNREQUESTED_MIB = 64


@dataclass(frozen=True)
class CorePod:
    """One pod with where it comes from: the hub, None for the cluster's own; `path` is the
    option that says what it asks for.
    """

    pod: SchedulablePod
    resource: Resource
    hub: str | None = None
    path: str = "pools.core"


def core_nodes(
    stack: StackConfig, resources: Resources, group: Resource, count: int
) -> list[SchedulableNode]:
    """As many nodes of the core pool, each of its smallest type, pessimistically, with the pods
    that are on every node already there.
    """
    kinds = [instance_type(name) for name in group.inputs["instanceTypes"]]
    zones = [subnet.zone for subnet in node_subnets(stack, resources, group)] or [""]
    allowed = min(map(core_pods_of, kinds))
    sizes = [node_size(kind, allowed) for kind in kinds]
    room = {
        "cpu": min(size.cpu_millicores for size in sizes) / 1000,
        "memory": float(min(size.memory_mib for size in sizes) * _BYTES_PER_MIB),
        PODS: float(allowed),
        "ephemeral-storage": float("inf"),
    }
    found = []
    for index in range(count):
        zone = zones[index % len(zones)]
        labels = {
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "arm64" if kinds[0].architecture == "arm64" else "amd64",
            "eks.amazonaws.com/capacityType": str(group.inputs.get("capacityType", "ON_DEMAND")),
            "eks.amazonaws.com/nodegroup": str(group.inputs.get("nodeGroupName", "")),
            "topology.kubernetes.io/region": stack.region,
        }
        if zone:
            labels |= dict.fromkeys(_ZONES, zone)
        if len(kinds) == 1:
            labels["node.kubernetes.io/instance-type"] = kinds[0].name
        own = group.inputs.get("labels") or {}
        labels |= {str(key): str(value) for key, value in own.items()}
        taints = [
            {
                "key": item.get("key"),
                "value": item.get("value"),
                "effect": _EFFECTS.get(str(item.get("effect"))),
            }
            for item in group.inputs.get("taints") or ()
        ]
        node = SchedulableNode(
            name=f"core node {index + 1}", labels=labels, room=room, taints=taints
        )
        for daemon in daemons(resources):
            node = node.without(daemon)
        found.append(node)
    return found


#: EKS API reference, Taint: its own words for the API's.
_EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}


def core_groups(resources: Resources) -> list[Resource]:
    """The managed groups of core nodes."""
    return resources.of(_GROUP)


def daemons(resources: Resources) -> Iterator[SchedulablePod]:
    """The pods that add-ons put on every node."""
    for _, row, configuration in _addon_rows(resources):
        if row.kind == "daemon":
            yield _addon_pod(row, configuration, row.name)


def core_pods(resources: Resources) -> Iterator[CorePod]:
    """Every other pod that lands on core nodes."""
    for release in hub_releases(resources):
        yield from hub_pods(release)
    for release in resources.of(RELEASE):
        if chart_name(release) == "cluster-autoscaler":
            values = release.inputs.get("values", {})
            spec = {
                "nodeSelector": at(values, "nodeSelector"),
                "containers": [{"resources": at(values, "resources") or {}}],
            }
            for number in range(int(at(values, "replicaCount") or 0)):
                yield CorePod(pod_of(_numbered("cluster-autoscaler", number), spec), release)
    for addon, row, configuration in _addon_rows(resources):
        if row.kind == "controller":
            for number in range(row.replicas):
                yield CorePod(_addon_pod(row, configuration, _numbered(row.name, number)), addon)
    for job in resources.of(*_JOBS):
        spec = at(job.inputs, "spec") or {}
        scheduled = at(spec, "jobTemplate", "spec", "template", "spec")
        template = scheduled or at(spec, "template", "spec")
        if template:
            yield CorePod(pod_of(job.name, template), job)


def _numbered(name: str, number: int) -> str:
    return f"{name} {number + 1}" if number else name


def hub_pods(release: Resource) -> Iterator[CorePod]:
    """The core pods of one hub. Raises ValueError for an amount that Kubernetes refuses."""
    values, hub = effective(release.inputs.get("values", {})), hub_of(release)
    path = f"hubs.{hub}.helm_values"
    for place, what in _CHART_PODS:
        section = at(values, *place) or {}
        containers = [
            {"resources": section.get("resources") or {}},
            *items(section.get("extraContainers")),
        ]
        pod = pod_of(f"{what} of {hub}", _chart_spec(values, section, containers))
        yield CorePod(pod, release, hub, path)
    https = at(values, "proxy", "https")
    if at(https, "enabled") and at(https, "type") == "letsencrypt":
        section = at(values, "proxy", "traefik") or {}
        containers = [
            {"resources": at(values, "proxy", part, "resources") or {}}
            for part in ("traefik", "secretSync")
        ]
        pod = pod_of(f"HTTPS proxy of {hub}", _chart_spec(values, section, containers))
        yield CorePod(pod, release, hub, path)
    if at(values, "scheduling", "userScheduler", "enabled"):
        section = at(values, "scheduling", "userScheduler") or {}
        spec = _chart_spec(values, section, [{"resources": section.get("resources") or {}}])
        for number in range(int(section.get("replicas") or 1)):
            pod = pod_of(_numbered(f"scheduler of {hub}", number), spec)
            yield CorePod(pod, release, hub, path)


def _chart_spec(
    values: Values, section: Mapping[str, Any], containers: Sequence[Any]
) -> dict[str, Any]:
    purpose = {"key": _PURPOSE, "operator": "In", "values": ["core"]}
    required = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [purpose]}]
        }
    }
    # The chart writes extraPodSpec last, and the later of two keys counts.
    strict = at(values, "scheduling", "corePods", "nodeAffinity", "matchNodePurpose") == "require"
    return {
        "nodeSelector": section.get("nodeSelector") or {},
        "tolerations": [
            *items(at(values, "scheduling", "corePods", "tolerations")),
            *items(section.get("tolerations")),
        ],
        "affinity": {"nodeAffinity": required} if strict else {},
        "initContainers": _maps(section.get("initContainers")),
        "containers": _maps(containers),
        **(section.get("extraPodSpec") or {}),
    }


def _maps(listed: object) -> list[Mapping[str, Any]]:
    return [item for item in items(listed) if isinstance(item, Mapping)]


def _addon_rows(resources: Resources) -> Iterator[tuple[Resource, AddonPods, Mapping[str, Any]]]:
    for addon in resources.of(_ADDON):
        try:
            configuration = json.loads(str(addon.inputs.get("configurationValues") or "{}"))
        except ValueError:
            configuration = {}
        for row in addon_pods():
            if row.addon == addon.inputs.get("addonName"):
                yield addon, row, configuration


def _addon_pod(row: AddonPods, configuration: Mapping[str, Any], name: str) -> SchedulablePod:
    given: Any = configuration
    for key in row.values:
        given = (
            items(given)[int(key)]
            if key.isdigit() and len(items(given)) > int(key)
            else at(given, key)
        )
    asked = (at(given, "requests") if row.values else None) or {}
    requests = {
        "cpu": quantity(asked.get("cpu", row.cpu)),
        "memory": quantity(asked.get("memory", row.memory)),
    }
    selector = (at(configuration, *row.selector) if row.selector else None) or {}
    return SchedulablePod(name=name, requests=requests, node_selector=selector)


def heavier(pod: SchedulablePod) -> SchedulablePod:
    """The same pod with memory where it asks for none: it uses some."""
    memory = pod.requests.get("memory") or float(UNREQUESTED_MIB * _BYTES_PER_MIB)
    return replace(pod, requests={**pod.requests, "memory": memory})


def homeless(pod: SchedulablePod, nodes: Sequence[SchedulableNode]) -> list[str]:
    """Why no node takes a pod, though it were alone: the reasons of each; empty where one takes
    it.
    """
    reasons = [refusals(pod, node) for node in nodes]
    if any(not item for item in reasons):
        return []
    return list(dict.fromkeys(reason for item in reasons for reason in item))


_CHECK = "core-nodes-fit"
#: How far a message looks for the number of nodes that would do: what `pools.core.size` may be.
_MOST_NODES = 20


def core_nodes_fit(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Each core pod finds a node that it fits, all of them fit together, and go on fitting when
    a node is lost.
    """
    groups = core_groups(resources)
    if not groups:
        message = (
            "whether hubs and proxies find room cannot be known here: the nodes of this cluster are"
            " not the stack's"
        )
        fix = "kubectl describe nodes shows what they have left"
        return [skip(_CHECK, message, fix, path="cluster")]
    group = groups[0]
    count = int(group.inputs["scalingConfig"]["minSize"])
    if count == 0:
        return verdict(
            _CHECK, [], otherwise="the stack is paused: there is no core node, and no pod on one"
        )
    wrong = list(_unreadable(resources))
    if wrong:
        return wrong
    nodes = core_nodes(stack, resources, group, count)
    pods = list(core_pods(resources))
    found = [*_refused(resources), *_judged(stack, resources, (group, nodes, pods))]
    return verdict(_CHECK, found, otherwise=_room(nodes, pods))


def _unreadable(resources: Resources) -> Iterator[Finding]:
    """Amounts that are none."""
    for release in hub_releases(resources):
        try:
            list(hub_pods(release))
            list(_above(release))
        except ValueError as error:
            hub, fix = hub_of(release), "write it like 500m or 2Gi"
            what = f"hub {hub}: a container asks for an amount that Kubernetes refuses ({error})"
            yield fail(_CHECK, what, fix, release, path=f"hubs.{hub}.helm_values")


def _refused(resources: Resources) -> Iterator[Finding]:
    """Requests above limits: no pod of such a part is ever made."""
    for release in hub_releases(resources):
        for where, key in _above(release):
            hub, fix = hub_of(release), f"raise limits.{key} too, or lower requests.{key}"
            what = (
                f"hub {hub}: {where} asks for more {key} than its own limit: Kubernetes refuses"
                " such a pod"
            )
            yield fail(_CHECK, what, fix, release, path=f"hubs.{hub}.helm_values.{where}")


def _above(release: Resource) -> Iterator[tuple[str, str]]:
    values = effective(release.inputs.get("values", {}))
    for part in (
        "hub",
        "proxy.chp",
        "proxy.traefik",
        "proxy.secretSync",
        "scheduling.userScheduler",
    ):
        resources = at(values, *part.split("."), "resources") or {}
        for key, limit in (resources.get("limits") or {}).items():
            if quantity((resources.get("requests") or {}).get(key, 0)) > quantity(limit):
                yield f"{part}.resources", key


def _judged(
    stack: StackConfig,
    resources: Resources,
    scene: tuple[Resource, list[SchedulableNode], list[CorePod]],
) -> Iterator[Finding]:
    group, nodes, pods = scene
    alone = list(_alone(group, nodes, pods))
    yield from alone
    if alone:
        return
    placed = [item.pod for item in pods]
    used = [heavier(pod) for pod in placed]
    answer = arranged(placed, nodes)
    if answer != "yes":
        yield _together(stack, resources, scene, answer)
        return
    kinds = " or ".join(group.inputs["instanceTypes"])
    if arranged(used, nodes) != "yes":
        message = (
            f"the {len(pods)} core pods just fit on {_nodes(len(nodes))} ({kinds}): those that ask"
            " for no memory use some, and may not find it"
        )
        fix = _enough(stack, resources, group, used)
        yield warn(_CHECK, message, fix, group, path="pools.core")
    elif len(nodes) > 1 and arranged(placed, nodes[:-1]) != "yes":
        message = (
            f"when one of {len(nodes)} core nodes is lost or replaced, the {len(pods)} core pods do"
            " not fit on the others: hubs wait for the new node"
        )
        fix = f"{_enough(stack, resources, group, placed)} and one more"
        yield warn(_CHECK, message, fix, group, path="pools.core")


def _alone(
    group: Resource, nodes: Sequence[SchedulableNode], pods: Sequence[CorePod]
) -> Iterator[Finding]:
    """Pods that no node would take, were they alone on it: said once for all that lack the same."""
    kinds = " or ".join(group.inputs["instanceTypes"])
    alike: dict[tuple[str, ...], list[CorePod]] = {}
    for item in pods:
        reasons = homeless(item.pod, nodes)
        if reasons:
            key = (
                tuple(reasons)
                if all(reason.startswith("too ") for reason in reasons)
                else (*reasons, item.pod.name)
            )
            alike.setdefault(key, []).append(item)
    for key, found in alike.items():
        lacking = [reason.removeprefix("too little ") for reason in key]
        most = max((item.pod for item in found), key=lambda pod: _most_asked(pod, lacking))
        names = [item.pod.name for item in found]
        who = some(names, 3)
        said = "; ".join(_short(reason, most, nodes) for reason in homeless(most, nodes))
        fix = "choose larger instance_types for pools.core, or lower what it asks for"
        if not any(reason.startswith("too ") for reason in key):
            fix = (
                "remove the selector, affinity or taint that keeps it away: labels of core nodes"
                " are those of pools.core.labels"
            )
        message = f"{who} find{'s' if len(found) == 1 else ''} no core node ({kinds}): {said}"
        path = found[0].path if len(found) == 1 else "pools.core"
        yield fail(_CHECK, message, fix, *(item.resource for item in found), group, path=path)


def _most_asked(pod: SchedulablePod, keys: Sequence[str]) -> float:
    return max((pod.requests.get(key, 0) for key in keys), default=0)


def _short(reason: str, pod: SchedulablePod, nodes: Sequence[SchedulableNode]) -> str:
    if reason == "too many pods":
        return "a core node has room for no further pod"
    if not reason.startswith("too little "):
        wanted = ", ".join(f"{key}: {value}" for key, value in sorted(pod.node_selector.items()))
        return f"each {reason}" + (f" ({wanted})" if "selector" in reason else "")
    key = reason.removeprefix("too little ")
    most = max(node.room.get(key, 0) for node in nodes)
    return (
        f"{pod.name} asks for {_amount(key, pod.requests[key])}, and a core node has"
        f" {_amount(key, max(most, 0))} for pods"
    )


def _amount(key: str, value: float) -> str:
    if key == "memory":
        return f"{value / _BYTES_PER_MIB:,.0f} MiB of memory"
    return f"{value:.4g} cores" if key == "cpu" else f"{value:g} {key}"


def _nodes(count: int) -> str:
    return f"{count} core node{'s' if count > 1 else ''}"


def _together(
    stack: StackConfig,
    resources: Resources,
    scene: tuple[Resource, list[SchedulableNode], list[CorePod]],
    answer: Answer,
) -> Finding:
    group, nodes, pods = scene
    kinds = " or ".join(group.inputs["instanceTypes"])
    asked = {key: sum(item.pod.requests.get(key, 0) for item in pods) for key in ("cpu", "memory")}
    room = {
        key: sum(max(node.room.get(key, 0), 0) for node in nodes) for key in ("cpu", "memory", PODS)
    }
    sums = ", ".join(
        f"{_amount(key, asked[key])} of {_amount(key, room[key])}" for key in ("cpu", "memory")
    )
    hubs = len({item.hub for item in pods if item.hub})
    who = (
        f"the {len(pods)} core pods ({hubs} hub{'s' if hubs != 1 else ''}, their proxies, the"
        " autoscaler, add-ons)"
    )
    detail = f"they ask for {sums}, and {len(pods)} of {room[PODS]:.0f} places for pods"
    fix = _enough(stack, resources, group, [item.pod for item in pods])
    where = f"on {_nodes(len(nodes))} ({kinds})"
    if answer == "no":
        message = f"{who} do not fit {where}: {detail}; what does not fit stays away"
        return fail(_CHECK, message, fix, group, path="pools.core")
    message = f"no arrangement of {who} {where} was found: {detail}"
    return warn(_CHECK, message, fix, group, path="pools.core")


def _enough(
    stack: StackConfig, resources: Resources, group: Resource, pods: Sequence[SchedulablePod]
) -> str:
    """How many nodes of these types would do."""
    now = int(group.inputs["scalingConfig"]["minSize"])
    for count in range(now + 1, _MOST_NODES + 1):
        if arranged(pods, core_nodes(stack, resources, group, count)) == "yes":
            return f"raise pools.core.size to {count}, or choose larger instance_types"
    return "choose larger instance_types for pools.core"


def _room(nodes: Sequence[SchedulableNode], pods: Sequence[CorePod]) -> str:
    left = {
        key: 1 - sum(item.pod.requests.get(key, 0) for item in pods) / total
        for key in ("cpu", "memory")
        if (total := sum(node.room[key] for node in nodes))
    }
    free = " and ".join(
        f"{share:.0%} of the {'cores' if key == 'cpu' else key}" for key, share in left.items()
    )
    lost = ", also when one of them is lost" if len(nodes) > 1 else ""
    return (
        f"{len(pods)} core pods (hubs, proxies, autoscaler, add-ons) fit on"
        f" {_nodes(len(nodes))}{lost}; {free} stay free"
    )
