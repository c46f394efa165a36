"""The pods that will be on the core nodes, predicted from what was registered: hubs, proxies, the
autoscaler, add-ons and jobs; and the nodes themselves.

Hub and proxy as chart 4.4.0 makes them (templates/hub/deployment.yaml,
templates/proxy/deployment.yaml, templates/scheduling/_scheduling-helpers.tpl).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.hub_values.fault import Values, at, items
from jupyterhub_aws.checks.placement import PODS, SchedulableNode, SchedulablePod, pod_of, refusals
from jupyterhub_aws.checks.resources import Resource, Resources, chart_name
from jupyterhub_aws.checks.subnets import node_subnets
from jupyterhub_aws.checks.user_pods import RELEASE, hub_of, hub_releases
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.core_addons import AddonPods, addon_pods
from jupyterhub_aws.config.instance_types import instance_type
from jupyterhub_aws.config.node_size import core_pods_of, node_size
from jupyterhub_aws.config.quantity import quantity
from jupyterhub_aws.config.stack import StackConfig

_GROUP = "aws:eks/nodeGroup:NodeGroup"
_ADDON = "aws:eks/addon:Addon"
_JOBS = ("kubernetes:batch/v1:CronJob", "kubernetes:batch/v1:Job")
_MIB = 1024**2
_PURPOSE = "hub.jupyter.org/node-purpose"
#: What the parts of the chart that are core pods take from its values: the place of each, what it
#: is called, and the containers besides its own.
_CHART_PODS = ((("hub",), "hub"), (("proxy", "chp"), "proxy"))
#: What a pod without requests uses all the same, for the margin (config/node_size.py reckons
#: alike).
UNREQUESTED_MIB = 64


@dataclass(frozen=True, kw_only=True)
class CorePod:
    """One pod with where it comes from: the hub, None for the cluster's own; `path` is the
    option that says what it asks for.
    """

    pod: SchedulablePod
    hub: str | None
    path: str
    resource: Resource


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
        "memory": float(min(size.memory_mib for size in sizes) * _MIB),
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
            **(
                {"topology.kubernetes.io/zone": zone, "topology.ebs.csi.aws.com/zone": zone}
                if zone
                else {}
            ),
            **({"node.kubernetes.io/instance-type": kinds[0].name} if len(kinds) == 1 else {}),
            **{str(key): str(value) for key, value in (group.inputs.get("labels") or {}).items()},
        }
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
    for addon, row, configuration in _addon_rows(resources):
        del addon
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
                yield CorePod(
                    pod=pod_of(_numbered("cluster-autoscaler", number), spec),
                    hub=None,
                    path="pools.core",
                    resource=release,
                )
    for addon, row, configuration in _addon_rows(resources):
        if row.kind == "controller":
            for number in range(row.replicas):
                yield CorePod(
                    pod=_addon_pod(row, configuration, _numbered(row.name, number)),
                    hub=None,
                    path="pools.core",
                    resource=addon,
                )
    for job in resources.of(*_JOBS):
        spec = at(job.inputs, "spec") or {}
        template = at(spec, "jobTemplate", "spec", "template", "spec") or at(
            spec, "template", "spec"
        )
        if template:
            yield CorePod(pod=pod_of(job.name, template), hub=None, path="pools.core", resource=job)


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
        yield CorePod(
            pod=pod_of(f"{what} of {hub}", _chart_spec(values, section, containers)),
            hub=hub,
            path=path,
            resource=release,
        )
    if (
        at(values, "proxy", "https", "enabled")
        and at(values, "proxy", "https", "type") == "letsencrypt"
    ):
        section = at(values, "proxy", "traefik") or {}
        containers = [
            {"resources": at(values, "proxy", part, "resources") or {}}
            for part in ("traefik", "secretSync")
        ]
        yield CorePod(
            pod=pod_of(f"HTTPS proxy of {hub}", _chart_spec(values, section, containers)),
            hub=hub,
            path=path,
            resource=release,
        )
    if at(values, "scheduling", "userScheduler", "enabled"):
        section = at(values, "scheduling", "userScheduler") or {}
        spec = _chart_spec(values, section, [{"resources": section.get("resources") or {}}])
        for number in range(int(section.get("replicas") or 1)):
            yield CorePod(
                pod=pod_of(_numbered(f"scheduler of {hub}", number), spec),
                hub=hub,
                path=path,
                resource=release,
            )


def _chart_spec(
    values: Values, section: Mapping[str, Any], containers: Sequence[Any]
) -> dict[str, Any]:
    purpose = {"key": _PURPOSE, "operator": "In", "values": ["core"]}
    required = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [purpose]}]
        }
    }
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
        **(
            section.get("extraPodSpec") or {}
        ),  # the chart writes it last, and the later of two keys counts
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
    return SchedulablePod(
        name=name,
        requests=requests,
        node_selector=(at(configuration, *row.selector) if row.selector else None) or {},
    )


def heavier(pod: SchedulablePod) -> SchedulablePod:
    """The same pod with memory where it asks for none: it uses some."""
    least = float(UNREQUESTED_MIB * _MIB)
    memory = (
        max(pod.requests.get("memory", 0), least)
        if not pod.requests.get("memory")
        else pod.requests["memory"]
    )
    return SchedulablePod(
        name=pod.name,
        requests={**pod.requests, "memory": memory},
        node_selector=pod.node_selector,
        terms=pod.terms,
        tolerations=pod.tolerations,
    )


def homeless(pod: SchedulablePod, nodes: Sequence[SchedulableNode]) -> list[str]:
    """Why no node takes a pod, though it were alone: the reasons of each; empty where one takes
    it.
    """
    reasons = [refusals(pod, node) for node in nodes]
    return (
        []
        if any(not item for item in reasons)
        else list(dict.fromkeys(reason for item in reasons for reason in item))
    )
