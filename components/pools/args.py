"""Arguments of node pools: a class for each way to buy nodes, with the options of
`pools` in docs/reference.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import pulumi

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.pools import Disk, Pools, Retiring
from jupyterhub_aws.config.specs.node_groups import CORE_LABELS, NodePoolsSpec, node_pools_spec

#: The names of arguments that have another path in a stack file.
_SIZES = {"size.min": "min_size", "size.max": "max_size", "size": "max_size"}


@dataclass(frozen=True, kw_only=True)
class _ManagedNodes:
    """Nodes for users' servers, from `min_size` to `max_size` for each group, added by the cluster
    autoscaler when servers start.

    Attributes:
        instance_types: EC2 types that may serve, all of one shape (vCPUs, memory, GPUs).
        max_size: The most nodes of each group.
        min_size: Nodes that always run.
        disk: The root volume of a node; None: 100 GiB.
        labels: Further Kubernetes labels of the nodes.
        max_pods: The most pods on a node, system pods included.
        generation, retiring: A newer generation of nodes beside older ones that only shrink
            (docs/upgrading-kubernetes.md).

    """

    capacity: ClassVar[str]
    instance_types: Sequence[str]
    max_size: int
    min_size: int = 0
    disk: Disk | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    max_pods: int = 40
    generation: int = 1
    retiring: Sequence[Retiring] = ()

    def as_section(self) -> dict[str, Any]:
        """The options as in a stack file."""
        said = {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.name not in ("min_size", "max_size")
        }
        said |= {"capacity": self.capacity, "size": {"min": self.min_size, "max": self.max_size}}
        return {key: value for key, value in said.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class SpotFirst(_ManagedNodes):
    """Spot nodes first, on-demand nodes where there is no spot capacity. `max_price` is the most
    per spot node and hour in US dollars, as text.

    The other arguments are those of every managed pool: `instance_types`, `max_size`, `min_size`,
    `disk`, `labels`, `max_pods`, `generation`, `retiring`.
    """

    capacity: ClassVar[str] = "spot_first"
    max_price: str | None = None


@dataclass(frozen=True, kw_only=True)
class Spot(_ManagedNodes):
    """Spot nodes only: servers wait where there is no spot capacity. Arguments as of SpotFirst."""

    capacity: ClassVar[str] = "spot"
    max_price: str | None = None


@dataclass(frozen=True, kw_only=True)
class OnDemand(_ManagedNodes):
    """On-demand nodes only, which are never reclaimed. Arguments as of SpotFirst, without a
    price.
    """

    capacity: ClassVar[str] = "on_demand"


@dataclass(frozen=True, kw_only=True)
class CoreNodes:
    """The nodes of hubs, proxies, the autoscaler and controllers of add-ons: on demand, of fixed
    number.

    Attributes:
        instance_types: EC2 types, all of one shape and without a GPU.
        size: Number of nodes. Two survive the loss of one.
        disk: The root volume of a node; None: 100 GiB.
        labels: Further Kubernetes labels of the nodes.
        zones: Zones of the nodes. Empty: the network's first one, where the volumes of databases
            are.
        generation: Raise it to get all nodes anew; the new ones join before the old ones are
            deleted.

    """

    instance_types: Sequence[str] = ("m7i.large", "m6i.large")
    size: int = 2
    disk: Disk | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    zones: Sequence[str] = ()
    generation: int = 1

    def as_section(self) -> dict[str, Any]:
        """The options as in a stack file."""
        return {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if getattr(self, item.name) is not None
        }


@dataclass(frozen=True, kw_only=True)
class ExistingNodes:
    """Nodes that exist already, in an existing cluster.

    Attributes:
        cores: vCPUs of the smallest of these nodes.
        memory_gib: Memory of the smallest of these nodes, in GiB.
        gpus: GPUs of each node.
        gpu: Their GPU model as shown to users, such as NVIDIA T4.
        nodes: Number of these nodes.
        max_pods: The most pods on a node.
        node_selector: Labels that these nodes have; empty: hub.jupyter.org/node-purpose: user and
            jupyterhub-aws/pool: NAME.

    """

    cores: int
    memory_gib: int
    gpus: int = 0
    gpu: str | None = None
    nodes: int = 1
    max_pods: int = 110
    node_selector: Mapping[str, str] = field(default_factory=dict)

    def as_section(self) -> dict[str, Any]:
        """The options as in a stack file."""
        said = {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if getattr(self, item.name) is not None
        }
        return {"capacity": "existing", **said}


#: A pool in a program: a class of this module, or a map as in a stack file.
AnyPool = SpotFirst | Spot | OnDemand | ExistingNodes | Mapping[str, Any]
AnyCore = CoreNodes | Mapping[str, Any]


def pools_section(given: Arguments, pools: object, core: object) -> Pools | None:
    """The section with these pools; None with the problems noted under `pools` and `core`."""
    if not isinstance(pools, Mapping):
        given.say(
            "argument.not-a-map",
            "pools",
            f"must be a map (got {type(pools).__name__})",
            'write {"memory": SpotFirst(instance_types=[…], max_size=10)}',
        )
        return None
    if "core" in pools:
        given.say(
            "pools.named-core",
            "pools",
            "names core, which is the name of the core nodes",
            "choose another name, or give it as core",
        )
        return None
    return given.section(Pools, {"core": core, **pools}, path="pools")


def paths_of_pools(pools: object) -> dict[str, str]:
    """The names of arguments whose problems have a stack file's path."""
    own = {"pools.core": "core"}
    for name, pool in pools.items() if isinstance(pools, Mapping) else ():
        if isinstance(pool, _ManagedNodes):
            own |= {
                dotted(("pools", str(name), *path.split("."))): dotted(
                    ("pools", str(name), argument)
                )
                for path, argument in _SIZES.items()
            }
    return own


# --- Node pools as other components need them: of a component here, or for nodes that exist
# already.


@dataclass(frozen=True, kw_only=True, eq=False)
class NodePoolsOutputs:
    """The node pools of a cluster. `NodePools(...).outputs` is one; `existing_node_pools` makes one
    for nodes that exist already.

    Attributes:
        spec: The specification of the pools: names, labels, taints, sizes, and the scheduling
            fields of their pods (`spec.scheduling`).
        core_group_name: The Auto Scaling group of the core nodes, from which balancers take their
            targets. None: another's.
        group_names: The Auto Scaling groups of user pools, by pool, market and zone
            (`memory-spot`).
        core_node_role: The name of the core nodes' IAM role, for further policies. None: another's.
        user_node_role: The name of the user nodes' IAM role. None: there is no such node, or
            another's.
        nodes: Resources after which the first nodes have joined: what an agent on every node waits
            for, and no more.
        ready: Resources that pods need besides their own: nodes, DNS and the storage drivers.

    """

    spec: NodePoolsSpec
    core_group_name: pulumi.Input[str] | None = None
    group_names: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    core_node_role: pulumi.Input[str] | None = None
    user_node_role: pulumi.Input[str] | None = None
    nodes: Sequence[pulumi.Resource] = ()
    ready: Sequence[pulumi.Resource] = ()

    @property
    def core_selector(self) -> dict[str, str]:
        """The node selector of a pod on the core nodes, which always run."""
        return dict(CORE_LABELS)

    @property
    def section(self) -> Pools:
        """The pools as in a stack file."""
        return self.spec.section


def existing_node_pools(
    pools: Mapping[str, AnyPool], *, cluster: str, version: str
) -> NodePoolsOutputs:
    """Nodes that exist already, in a cluster of this name and Kubernetes minor. Raises
    ArgumentError with every problem of the pools.
    """
    given = Arguments("existing_node_pools", cluster)
    section = pools_section(given, pools, None)
    for name in {} if section is None else section.bought:
        given.say(
            "pools.existing-cluster",
            f"pools.{name}",
            "would be made, and these nodes exist already",
            "write ExistingNodes(cores=…, memory_gib=…), or use NodePools",
        )
    given.done()
    assert section is not None  # noqa: S101 -- else there was a problem
    return NodePoolsOutputs(
        spec=node_pools_spec(section, cluster=cluster, version=version, zones=())
    )
