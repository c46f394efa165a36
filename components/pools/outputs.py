"""Node pools as other components need them: of a component here, or for nodes that exist
already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.pools.args import AnyPool, pools_section
from jupyterhub_aws.config.pools import Pools
from jupyterhub_aws.config.specs.node_groups import CORE_LABELS, NodePoolsSpec, node_pools_spec


@dataclass(frozen=True, kw_only=True, eq=False)
class NodePoolsOutputs:
    """The node pools of a cluster. `NodePools(...).outputs` is one; `existing_node_pools` makes one
    for nodes that exist already.

    Attributes:
        spec: What is known of the pools before anything is made: names, labels, taints, sizes, and
            what pods say to land there (`spec.scheduling`).
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
        """What a pod selects to land on the core nodes, which are always there."""
        return dict(CORE_LABELS)

    @property
    def section(self) -> Pools:
        """The pools as a stack file says them."""
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
            f"pools.{name}",
            "would be made, and these nodes exist already",
            "write ExistingNodes(cores=…, memory_gib=…), or use NodePools",
        )
    given.done()
    assert section is not None  # noqa: S101 -- else there was a problem
    return NodePoolsOutputs(
        spec=node_pools_spec(section, cluster=cluster, version=version, zones=())
    )
