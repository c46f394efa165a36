"""The user nodes that recorded groups will start, as the scheduler will see them: labels,
taints, and what servers can share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.instance_types import InstanceType, instance_type
from jupyterhub_aws.config.node_size import NodeSize, server_room
from jupyterhub_aws.config.pools import ExistingNodePool
from jupyterhub_aws.config.stack import StackConfig

_GROUP = "aws:autoscaling/group:Group"
#: The label by which a server selects its pool.
POOL_LABEL = "jupyterhub-aws/pool"
_PURPOSE = "hub.jupyter.org/node-purpose"
_TEMPLATE = "k8s.io/cluster-autoscaler/node-template/"


@dataclass(frozen=True, kw_only=True)
class UserNodes:
    """Nodes of one group, by the tags from which the autoscaler knows them before there is one;
    or nodes that are there already (no group).
    """

    group: Resource | None
    pool: str
    labels: Mapping[str, str]
    taints: tuple[Mapping[str, str], ...]
    types: tuple[InstanceType, ...]
    room: NodeSize
    most_pods: int

    @property
    def spot(self) -> bool:
        """Whether they are bought on the spot market."""
        return self.group is not None and is_spot(self.group)

    @property
    def retiring(self) -> bool:
        """Whether the group only shrinks: an older generation of its pool."""
        return self.group is not None and is_retiring(self.group)

    @property
    def name(self) -> str:
        """How a message names them."""
        return f"pool {self.pool}" if self.group is None else self.group.name

    @property
    def gpus(self) -> int:
        """GPUs of the node with the fewest."""
        return min(kind.gpus for kind in self.types)


def is_spot(group: Resource) -> bool:
    """Whether an Auto Scaling group buys on the spot market; a managed group of this program
    never does.
    """
    distribution = group.inputs.get("mixedInstancesPolicy", {}).get("instancesDistribution", {})
    return bool(distribution.get("onDemandPercentageAboveBaseCapacity") == 0)


def is_retiring(group: Resource) -> bool:
    """Whether an Auto Scaling group starts no node any more."""
    return "Launch" in (group.inputs.get("suspendedProcesses") or ())


def user_nodes(stack: StackConfig, resources: Resources) -> Iterator[UserNodes]:
    """Every group of user nodes, and every pool of nodes that are there already."""
    yield from _given(stack)
    for group in resources.of(_GROUP):
        tags = {tag["key"]: str(tag["value"]) for tag in group.inputs.get("tags", [])}
        labels = {
            key.removeprefix(f"{_TEMPLATE}label/"): value
            for key, value in tags.items()
            if key.startswith(f"{_TEMPLATE}label/")
        }
        taints = tuple(
            _taint(key, value)
            for key, value in tags.items()
            if key.startswith(f"{_TEMPLATE}taint/")
        )
        types = tuple(
            instance_type(item["instanceType"])
            for item in group.inputs["mixedInstancesPolicy"]["launchTemplate"]["overrides"]
        )
        pool = labels.get(POOL_LABEL, "")
        most = stack.pools.user[pool].max_pods if pool in stack.pools.user else 110
        yield UserNodes(
            group=group,
            pool=pool,
            labels=labels,
            taints=taints,
            types=types,
            room=server_room(types, most),
            most_pods=most,
        )


def _given(stack: StackConfig) -> Iterator[UserNodes]:
    for name, pool in stack.pools.user.items():
        if isinstance(pool, ExistingNodePool):
            labels = dict(pool.node_selector) or {_PURPOSE: "user", POOL_LABEL: name}
            room = server_room(pool.types, pool.max_pods)
            yield UserNodes(
                group=None,
                pool=name,
                labels=labels,
                taints=(),
                types=pool.types,
                room=room,
                most_pods=pool.max_pods,
            )


def _taint(key: str, value: str) -> Mapping[str, str]:
    text, _, effect = value.rpartition(":")
    return {"key": key.removeprefix(f"{_TEMPLATE}taint/"), "value": text, "effect": effect}
