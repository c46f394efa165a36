"""Node pools as other components need them: of a component here, or filled in by hand for nodes that exist already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from jupyterhub_aws.config.pools import Pools
from jupyterhub_aws.config.specs.node_groups import GroupSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class NodePoolsOutputs:
    """The node pools of a cluster. `NodePools(...).outputs` is one.

    Attributes:
        section: The pools as a stack file says them: `core` and the user pools by name (docs/reference.md).
        core_group_name: The Auto Scaling group of the core nodes, from which balancers take their targets. None: the nodes are no group's.
        group_names: The Auto Scaling groups of user pools, by pool, market and zone (`memory-spot`).
        groups: What is known of these groups before they are made.
        ready: Resources that pods need besides nodes: DNS and the storage drivers.

    """

    section: Pools
    core_group_name: pulumi.Input[str] | None = None
    group_names: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    groups: Sequence[GroupSpec] = ()
    ready: Sequence[pulumi.Resource] = ()
