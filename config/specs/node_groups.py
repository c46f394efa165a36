"""What follows from one pool of the stack file: names, labels, taints, and what pods must say to land there.

Everything that has to agree byte for byte (group name, node labels, taints, user data, autoscaling tags, priorities,
selectors, tolerations, affinities) comes from `PoolSpec` and `GroupSpec`, and from nowhere else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from jupyterhub_aws.config.generations import label, retired, suffix
from jupyterhub_aws.config.homes import EbsHomes
from jupyterhub_aws.config.instance_types import InstanceType
from jupyterhub_aws.config.pools import AnyUserPool, BoughtPool, Disk, GivenPool, OnDemandPool, SpotFirstPool, SpotPool
from jupyterhub_aws.config.stack import StackConfig

Market = Literal["spot", "on-demand"]
Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]

#: z2jh's own vocabulary (chart values, scheduling.*Pods.nodeAffinity.matchNodePurpose).
PURPOSE = "hub.jupyter.org/node-purpose"
POOL = "jupyterhub-aws/pool"
ON_DEMAND = "on-demand"  # the label of the 2021 guide; people's manifests select by it
CAPACITY_TYPE = "eks.amazonaws.com/capacityType"  # what managed groups set, so that dashboards see ours alike
GPU_RESOURCE = "nvidia.com/gpu"

CORE_LABELS: Mapping[str, str] = MappingProxyType({PURPOSE: "core", POOL: "core"})
#: Preferring spot weighs most among user pods' preferences, and never forbids an on-demand node.
_PREFER_SPOT_WEIGHT = 100


@dataclass(frozen=True, kw_only=True)
class Taint:
    """A taint of a node, and the toleration that lets a pod past it."""

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
#: The on-demand twin: whoever can run on spot should; whoever cannot still may.
LAST_RESORT = Taint(key=ON_DEMAND, value="true", effect="PreferNoSchedule")


@dataclass(frozen=True, kw_only=True)
class PoolSpec:
    """A user pool with everything that its nodes and its pods have in common."""

    cluster: str
    name: str
    pool: AnyUserPool
    types: tuple[InstanceType, ...]

    @property
    def gpus(self) -> int:
        """GPUs of each node."""
        return self.types[0].gpus

    @property
    def max_price(self) -> str | None:
        """The most per spot node and hour in US dollars; None is the on-demand price."""
        return self.pool.max_price if isinstance(self.pool, (SpotFirstPool, SpotPool)) else None

    @property
    def markets(self) -> tuple[Market, ...]:
        """The markets it buys in, the preferred one first; none where its nodes are there already."""
        if isinstance(self.pool, GivenPool):
            return ()
        if isinstance(self.pool, SpotFirstPool):
            return ("spot", "on-demand")
        return ("on-demand",) if isinstance(self.pool, OnDemandPool) else ("spot",)

    @property
    def node_selector(self) -> dict[str, str]:
        """What a user pod selects to land in this pool, whatever the market."""
        own = self.pool.node_selector if isinstance(self.pool, GivenPool) else {}
        return dict(own) or {PURPOSE: "user", POOL: self.name, **label(self.generation)}

    @property
    def generation(self) -> int:
        """Its generation; nodes that are there already have none."""
        return 1 if isinstance(self.pool, GivenPool) else self.pool.generation

    @property
    def taints(self) -> tuple[Taint, ...]:
        """Taints of every node of the pool."""
        return (DEDICATED, GPU_TAINT) if self.gpus else (DEDICATED,)

    @property
    def tolerations(self) -> list[dict[str, str]]:
        """What a user pod tolerates: every taint that some node of the pool has."""
        twins = (LAST_RESORT,) if len(self.markets) > 1 else ()
        return [taint.toleration for taint in (*self.taints, *twins)]

    @property
    def affinity(self) -> dict[str, Any]:
        """Which of the pool's nodes a user pod prefers: spot, where there are both. Empty otherwise."""
        if len(self.markets) < 2:  # noqa: PLR2004 -- nothing to prefer
            return {}
        term = {"matchExpressions": [{"key": ON_DEMAND, "operator": "In", "values": ["false"]}]}
        return {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": _PREFER_SPOT_WEIGHT, "preference": term}]}


@dataclass(frozen=True, kw_only=True)
class GroupSpec:
    """One Auto Scaling group of a pool: one market, and one zone where homes are volumes (None: all zones).

    `retiring`: of an older generation, which only shrinks.
    """

    pool: PoolSpec
    market: Market
    zone: str | None
    retiring: bool = False

    @property
    def suffix(self) -> str:
        """What tells it from its siblings: `memory-spot`, `memory-spot-a` in one zone, `memory-spot-g2` of the second generation."""
        return f"{self.pool.name}-{self.market}" + (f"-{self.zone[-1]}" if self.zone else "") + suffix(self.pool.generation)

    @property
    def stem(self) -> str:
        """The physical name without its generation; the autoscaler's priorities match by it."""
        return f"{self.pool.cluster}-{self.suffix}"

    @property
    def group_name(self) -> str:
        """The group's name. Ends in a hash of what the autoscaler takes for granted about a group: another shape is
        another group, made before the old one goes; a further type of the same shape changes the group in place.
        """
        return f"{self.stem}-{generation(self.pool.types[0].shape)}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its nodes."""
        labels = {
            **self.pool.node_selector,
            ON_DEMAND: "true" if self.market == "on-demand" else "false",
            CAPACITY_TYPE: "ON_DEMAND" if self.market == "on-demand" else "SPOT",
            **self.bought.labels,
        }
        if self.pool.gpus:
            # accelerator: the autoscaler waits for the device plugin instead of adding node after node (its AWS README).
            labels |= {"k8s.amazonaws.com/accelerator": accelerator(self.pool.types[0].gpu), "nvidia.com/gpu.present": "true"}
        return labels

    @property
    def taints(self) -> tuple[Taint, ...]:
        """The taints of its nodes: the pool's, and on the on-demand twin the last resort's."""
        twin = self.market == "on-demand" and len(self.pool.markets) > 1
        return (*self.pool.taints, LAST_RESORT) if twin else self.pool.taints

    @property
    def disk(self) -> Disk:
        """The root volume of its nodes."""
        return self.bought.disk

    @property
    def bought(self) -> BoughtPool:
        """The pool's section. A group exists only of nodes that the stack buys."""
        assert not isinstance(self.pool.pool, GivenPool)  # noqa: S101 -- group_specs makes none of those
        return self.pool.pool


def generation(facts: object) -> str:
    """Six hexadecimal digits that change when the facts do."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:6]


def accelerator(gpu: str | None) -> str:
    """The GPU's name as a label value: `NVIDIA T4` becomes `nvidia-t4`."""
    return (gpu or "gpu").lower().replace(" ", "-")


def pool_specs(stack: StackConfig) -> tuple[PoolSpec, ...]:
    """The user pools of a stack, by name."""
    return tuple(PoolSpec(cluster=stack.name, name=name, pool=pool, types=pool.types) for name, pool in stack.pools.user.items())


def retiring_specs(stack: StackConfig) -> tuple[PoolSpec, ...]:
    """Older generations of the user pools, as they were, by name and number."""
    return tuple(
        PoolSpec(cluster=stack.name, name=name, pool=old, types=old.types)
        for name, pool in stack.pools.bought.items()
        for old in (retired(pool, item) for item in sorted(pool.retiring, key=lambda item: item.generation))
    )


def group_specs(stack: StackConfig) -> tuple[GroupSpec, ...]:
    """Every Auto Scaling group of a stack. With a volume per person, one for each zone: a volume cannot follow a pod."""
    zones: Sequence[str | None] = stack.network.zones if isinstance(stack.homes, EbsHomes) else (None,)
    pools = [*((pool, False) for pool in pool_specs(stack)), *((pool, True) for pool in retiring_specs(stack))]
    return tuple(GroupSpec(pool=pool, market=market, zone=zone, retiring=old) for pool, old in pools for market in pool.markets for zone in zones)
