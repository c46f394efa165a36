"""What follows from node pools: names, sizes, labels, taints, images and tags of node groups, and
the scheduling fields of pods that run there. Pure.

Everything that has to agree byte for byte (group name, node labels, taints, user data, autoscaling
tags, priorities, selectors, tolerations, affinities) comes from `PoolSpec` and `NodeGroupSpec`, and
from nowhere else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from jupyterhub_aws.config.instance_types import InstanceType
from jupyterhub_aws.config.node_size import node_size
from jupyterhub_aws.config.pools import (
    AnyUserPool,
    CorePoolSection,
    Disk,
    ExistingNodePool,
    ManagedNodePool,
    OnDemandPool,
    Pools,
    SpotFirstPool,
    SpotPool,
    label,
    retired,
    suffix,
)
from jupyterhub_aws.config.versions import pin

Market = Literal["spot", "on-demand"]
Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]

#: z2jh's own vocabulary (chart values, scheduling.*Pods.nodeAffinity.matchNodePurpose).
PURPOSE = "hub.jupyter.org/node-purpose"
POOL = "jupyterhub-aws/pool"
ON_DEMAND = "on-demand"  # the label of the 2021 guide; users' manifests select by it
CAPACITY_TYPE = (  # what managed groups set, so that dashboards see ours alike
    "eks.amazonaws.com/capacityType"
)
GPU_RESOURCE = "nvidia.com/gpu"

CORE_LABELS: Mapping[str, str] = MappingProxyType({PURPOSE: "core", POOL: "core"})
#: kubernetes/autoscaler, cluster-autoscaler/cloudprovider/aws/README.md.
_AUTOSCALER = "k8s.io/cluster-autoscaler"
#: Tried in falling order (priority expander, kubernetes/autoscaler expander/priority/readme.md).
_SPOT_FIRST, _THEN_ON_DEMAND, _ANY = 50, 20, 1
#: Preferring spot weighs most among user pods' preferences, and never forbids an on-demand node.
_PREFER_SPOT_WEIGHT = 100


@dataclass(frozen=True, kw_only=True)
class Taint:
    """A taint of a node, and the matching toleration of a pod."""

    key: str
    value: str
    effect: Effect

    @property
    def text(self) -> str:
        """As the kubelet takes it: key=value:Effect."""
        return f"{self.key}={self.value}:{self.effect}"

    @property
    def toleration(self) -> dict[str, str]:
        """The toleration that matches exactly this taint."""
        return {"key": self.key, "operator": "Equal", "value": self.value, "effect": self.effect}


DEDICATED = Taint(key="hub.jupyter.org/dedicated", value="user", effect="NoSchedule")
GPU_TAINT = Taint(key=GPU_RESOURCE, value="present", effect="NoSchedule")
#: Taint of the on-demand group: pods prefer spot nodes, and may run here when there are none.
LAST_RESORT = Taint(key=ON_DEMAND, value="true", effect="PreferNoSchedule")


@dataclass(frozen=True, kw_only=True)
class PoolSpec:
    """A user pool with everything that its nodes and its pods have in common.

    Attributes:
        name: Its name.
        pool: Its section of the stack file.
        types: What is known of its instance types, or of the nodes that exist.
        generation: Its generation; nodes that exist already have none but the first.
        gpus: GPUs of each node.
        max_price: The most per spot node and hour in US dollars; None is the on-demand price.
        markets: The markets it buys in, the preferred one first; none where its nodes exist
            already.
        node_selector: What a user pod selects to land in this pool, whatever the market.
        taints: Taints of every node of the pool.
        tolerations: What a user pod tolerates: every taint that some node of the pool has.
        affinity: Which of the pool's nodes a user pod prefers: spot, where there are both. Empty
            otherwise.

    """

    name: str
    pool: AnyUserPool
    types: tuple[InstanceType, ...]
    generation: int
    gpus: int
    max_price: str | None
    markets: tuple[Market, ...]
    node_selector: Mapping[str, str]
    taints: tuple[Taint, ...]
    tolerations: Sequence[Mapping[str, str]]
    affinity: Mapping[str, Any]

    @property
    def scheduling(self) -> dict[str, Any]:
        """The scheduling fields of a pod in this pool."""
        return {
            "node_selector": self.node_selector,
            "tolerations": self.tolerations,
            "affinity": self.affinity,
            "gpus": self.gpus,
        }


def pool_spec(name: str, pool: AnyUserPool) -> PoolSpec:
    """What follows from one user pool."""
    types, exists = pool.types, isinstance(pool, ExistingNodePool)
    number = 1 if isinstance(pool, ExistingNodePool) else pool.generation
    own = pool.node_selector if isinstance(pool, ExistingNodePool) else {}
    markets: tuple[Market, ...] = (
        ("spot", "on-demand")
        if isinstance(pool, SpotFirstPool)
        else ("on-demand",)
        if isinstance(pool, OnDemandPool)
        else ("spot",)
    )
    twins = len(markets) > 1 and not exists
    taints = (DEDICATED, GPU_TAINT) if types[0].gpus else (DEDICATED,)
    prefer_spot = {"matchExpressions": [{"key": ON_DEMAND, "operator": "In", "values": ["false"]}]}
    return PoolSpec(
        name=name,
        pool=pool,
        types=types,
        generation=number,
        gpus=types[0].gpus,
        max_price=pool.max_price if isinstance(pool, (SpotFirstPool, SpotPool)) else None,
        markets=() if exists else markets,
        node_selector=dict(own) or {PURPOSE: "user", POOL: name, **label(number)},
        taints=taints,
        tolerations=[taint.toleration for taint in (*taints, *((LAST_RESORT,) if twins else ()))],
        affinity=(
            {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": _PREFER_SPOT_WEIGHT, "preference": prefer_spot}
                ]
            }
            if twins
            else {}
        ),
    )


@dataclass(frozen=True, kw_only=True)
class NodeGroupSpec:
    """One Auto Scaling group of a pool: one market, and one zone where pods cannot move between
    zones.

    Attributes:
        cluster: The cluster's name in EKS.
        prefix: The prefix of physical names.
        pool: The pool.
        section: The pool's section of the stack file, in this generation.
        market: The market in which its nodes are bought.
        zone: The only zone of its nodes; None: all of them.
        retiring: Whether it is of an older generation, which only shrinks.
        suffix: What tells it from its siblings: `memory-spot`, `memory-spot-a` in one zone,
            `memory-spot-g2` of the second generation.
        stem: The physical name without its shape; the autoscaler's priorities match by it.
        group_name: The group's name. Ends in a hash of what the autoscaler takes for granted about
            a group: another shape is another group, created before the old one is deleted; a
            further type of the same shape changes the group in place.
        min_size, max_size: Its sizes. Paused, a group with a maximum of 0 cannot scale up; AWS ends
            its running nodes.
        labels, taints: Those of its nodes. The on-demand twin of a spot group has the taint of the
            last resort besides.
        image: The machine image of its nodes, as a launch template names it.
        suspended_processes: What AWS must not do by itself. AZRebalance would end nodes with
            servers on them to even out zones. Without Launch a retiring group gets no new node,
            while its nodes still end one by one (EC2 Auto Scaling user guide, "How suspended
            processes affect other processes").
        template_tags: What a node of an empty group would look like to the autoscaler.

    """

    cluster: str
    prefix: str
    pool: PoolSpec
    section: ManagedNodePool
    market: Market
    zone: str | None
    retiring: bool
    suffix: str
    stem: str
    group_name: str
    min_size: int
    max_size: int
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    image: str
    suspended_processes: Sequence[str]
    template_tags: Mapping[str, str]

    @property
    def disk(self) -> Disk:
        """The root volume of its nodes."""
        return self.section.disk

    def tags(self, common: Mapping[str, str]) -> dict[str, str]:
        """Every tag of the group: those of all resources, EC2's name, discovery, and the
        template.
        """
        return {
            **common,
            "Name": self.stem,
            f"kubernetes.io/cluster/{self.cluster}": "owned",
            **discovery_tags(self.cluster),
            **self.template_tags,
        }


def _group_spec(  # noqa: PLR0913 -- by name, each
    pool: PoolSpec,
    section: ManagedNodePool,
    market: Market,
    zone: str | None,
    *,
    cluster: str,
    prefix: str,
    version: str,
    retiring: bool,
    paused: bool,
) -> NodeGroupSpec:
    short = f"{pool.name}-{market}" + (f"-{zone[-1]}" if zone else "") + suffix(pool.generation)
    on_demand = market == "on-demand"
    labels = {
        **pool.node_selector,
        ON_DEMAND: "true" if on_demand else "false",
        CAPACITY_TYPE: "ON_DEMAND" if on_demand else "SPOT",
        **section.labels,
    }
    if pool.gpus:
        # accelerator: the autoscaler waits for the device plugin instead of adding node after node
        # (its AWS README).
        labels |= {
            "k8s.amazonaws.com/accelerator": accelerator(pool.types[0].gpu),
            "nvidia.com/gpu.present": "true",
        }
    taints = (*pool.taints, LAST_RESORT) if on_demand and len(pool.markets) > 1 else pool.taints
    return NodeGroupSpec(
        cluster=cluster,
        prefix=prefix,
        pool=pool,
        section=section,
        market=market,
        zone=zone,
        retiring=retiring,
        suffix=short,
        stem=f"{prefix}-{short}",
        group_name=f"{prefix}-{short}-{generation(pool.types[0].shape)}",
        min_size=0 if paused else section.size.min,
        max_size=0 if paused else section.size.max,
        labels=labels,
        taints=taints,
        image=image_parameter(pool.types[0], version),
        suspended_processes=("AZRebalance", "Launch") if retiring else ("AZRebalance",),
        template_tags=_template_tags(pool, section, labels, taints),
    )


def _template_tags(
    pool: PoolSpec, section: ManagedNodePool, labels: Mapping[str, str], taints: Sequence[Taint]
) -> dict[str, str]:
    """What a node of an empty group would look like (kubernetes/autoscaler,
    cloudprovider/aws/README.md).

    Memory is what a pod really gets on the pool's smallest type, not EC2's nominal size: from the
    nominal one the autoscaler would add nodes for ever for a pod that fits the nominal size only.
    """
    template = f"{_AUTOSCALER}/node-template"
    size = min(
        (node_size(kind, section.max_pods) for kind in pool.types), key=lambda size: size.memory_mib
    )
    tags = {f"{template}/label/{key}": value for key, value in labels.items()}
    tags |= {f"{template}/taint/{taint.key}": f"{taint.value}:{taint.effect}" for taint in taints}
    tags[f"{template}/resources/memory"] = f"{size.memory_mib}Mi"
    tags[f"{template}/resources/ephemeral-storage"] = f"{section.disk.size_gib}Gi"
    if pool.gpus:
        tags[f"{template}/resources/{GPU_RESOURCE}"] = str(pool.gpus)
    return tags


@dataclass(frozen=True, kw_only=True)
class CoreGroupSpec:
    """The managed node group of hub, proxy, autoscaler and add-ons. `stem` is its physical name
    without its generation, `zones` those of its nodes.
    """

    stem: str
    section: CorePoolSection
    version: str
    zones: tuple[str, ...]
    paused: bool = False

    @property
    def group_name(self) -> str:
        """The group's name. EKS replaces a group when its types, image type or zones change;
        because its name changes too, the new one is created first.
        """
        facts = [list(self.section.instance_types), self.ami_type, list(self.zones)]
        return f"{self.stem}-{generation(facts if self.section.generation == 1 else [*facts, self.section.generation])}"

    @property
    def ami_type(self) -> str:
        """Its machine image as EKS names it."""
        return ami_type(self.section.types[0])

    @property
    def release(self) -> str:
        """The pinned release of that image."""
        return image_release(self.section.types[0], self.version)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Least, most and desired number of nodes. Paused they are the minimum that EKS accepts
        (API reference, NodegroupScalingConfig: maxSize is at least 1).
        """
        return (
            (0, 1, 0) if self.paused else (self.section.size, self.section.size, self.section.size)
        )

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its nodes."""
        return {**CORE_LABELS, **self.section.labels}


@dataclass(frozen=True, kw_only=True)
class NodePoolsSpec:
    """All node pools of a cluster. `section` is the stack file's, `pools` are the user pools by
    name, `retiring` their older generations.

    `groups` are the Auto Scaling groups of both; there are none of nodes that exist already. `core`
    is None where the core nodes exist already.
    """

    section: Pools
    prefix: str
    cluster: str
    core: CoreGroupSpec | None
    pools: tuple[PoolSpec, ...]
    retiring: tuple[PoolSpec, ...]
    groups: tuple[NodeGroupSpec, ...]

    @property
    def scheduling(self) -> dict[str, dict[str, Any]]:
        """By pool, the scheduling fields of a pod there."""
        return {pool.name: pool.scheduling for pool in self.pools}

    @property
    def priorities(self) -> dict[str, list[str]]:
        """The autoscaler's expander priorities."""
        return priorities(self.groups)


def node_pools_spec(  # noqa: PLR0913 -- by name, each
    section: Pools,
    *,
    cluster: str,
    version: str,
    zones: Sequence[str],
    per_zone: bool = False,
    paused: bool = False,
    prefix: str | None = None,
) -> NodePoolsSpec:
    """What follows from pools in a cluster of this name and Kubernetes minor, with private subnets
    in these zones.

    `per_zone`: each market has a group in each zone, because volumes of users cannot follow a pod
    to another zone. `prefix` is that of physical names; None: the cluster's name.
    """
    prefix = cluster if prefix is None else prefix
    core = section.core
    pools = tuple(pool_spec(name, pool) for name, pool in section.user.items())
    older = {
        name: [
            retired(pool, item) for item in sorted(pool.retiring, key=lambda item: item.generation)
        ]
        for name, pool in section.bought.items()
    }
    retiring = tuple(pool_spec(name, pool) for name, of_pool in older.items() for pool in of_pool)
    groups = tuple(
        _group_spec(
            pool,
            pool.pool,
            market,
            zone,
            cluster=cluster,
            prefix=prefix,
            version=version,
            retiring=old,
            paused=paused,
        )
        for pool, old in [*((pool, False) for pool in pools), *((pool, True) for pool in retiring)]
        if not isinstance(pool.pool, ExistingNodePool)
        for market in pool.markets
        for zone in (zones if per_zone else (None,))
    )
    return NodePoolsSpec(
        section=section,
        prefix=prefix,
        cluster=cluster,
        core=(
            None
            if core is None
            else CoreGroupSpec(
                stem=f"{prefix}-core",
                section=core,
                version=version,
                zones=core.zones or tuple(zones[:1]),
                paused=paused,
            )
        ),
        pools=pools,
        retiring=retiring,
        groups=groups,
    )


def discovery_tags(cluster: str) -> dict[str, str]:
    """The tags by which the autoscaler discovers a group, and by which its IAM policy allows
    changing it.
    """
    return {f"{_AUTOSCALER}/enabled": "true", f"{_AUTOSCALER}/{cluster}": "owned"}


def priorities(groups: Iterable[NodeGroupSpec]) -> dict[str, list[str]]:
    """Expander priorities: spot groups, then on-demand ones, then all others (which would never
    scale up without a rank).

    Each expression is anchored on one of our own names with any generation: a foreign group whose
    name contains `spot` does not match. A retiring group has the last rank: no server fits there,
    and other pods use it last.
    """
    listed: dict[str, list[str]] = {}
    for group in (group for group in groups if not group.retiring):
        rank = _SPOT_FIRST if group.market == "spot" else _THEN_ON_DEMAND
        listed.setdefault(str(rank), []).append(
            f"^{re.escape(group.stem)}-[0-9a-f]{{6}}$".replace("\\-", "-")
        )
    return {
        **{rank: sorted(names) for rank, names in sorted(listed.items(), reverse=True)},
        str(_ANY): [".*"],
    }


def generation(facts: object) -> str:
    """Six hexadecimal digits that change when the facts do."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:6]


def accelerator(gpu: str | None) -> str:
    """The GPU's name as a label value: `NVIDIA T4` becomes `nvidia-t4`."""
    return (gpu or "gpu").lower().replace(" ", "-")


def _variant(kind: InstanceType) -> str:
    """`standard`, or `nvidia` with driver and container toolkit for GPU types."""
    return "nvidia" if kind.gpus else "standard"


def ami_type(kind: InstanceType) -> str:
    """The type's image as EKS managed node groups name it: Amazon Linux 2023."""
    return (
        f"AL2023_{'x86_64' if kind.architecture == 'x86_64' else 'ARM_64'}_{_variant(kind).upper()}"
    )


def image_release(kind: InstanceType, minor: str) -> str:
    """The pinned release, such as 1.35.8-20260930."""
    return pin("ami", f"al2023-{kind.architecture}-{_variant(kind)}", minor).version


def image_parameter(kind: InstanceType, minor: str) -> str:
    """The pinned image by its public SSM parameter. EC2 resolves it at launch, so it is the same in
    every region, and it names one release: it never follows `recommended`.
    """
    date = image_release(kind, minor).rpartition("-")[2]
    image = f"amazon-eks-node-al2023-{kind.architecture}-{_variant(kind)}-{minor}-v{date}"
    return f"resolve:ssm:/aws/service/eks/optimized-ami/{minor}/amazon-linux-2023/{kind.architecture}/{_variant(kind)}/{image}/image_id"
