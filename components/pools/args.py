"""What every pool component is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from jupyterhub_aws.config.stack import StackConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class NodePoolsArgs:
    """The stack, and the facts of its network and cluster.

    `subnet_ids` are the private subnets in the order of the stack's zones; `before_nodes` is what a node needs to
    join: the CNI, its credentials, and a way to the internet or to AWS's private endpoints. `security_group_id` is the
    nodes' own; `core_groups` is that again where EKS must not give the core nodes its own one, and empty otherwise.
    """

    stack: StackConfig
    account: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    endpoint: pulumi.Input[str]
    certificate_authority: pulumi.Input[str]
    security_group_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[list[str]]
    tags: Mapping[str, str]
    before_nodes: Sequence[pulumi.Resource]
    core_groups: Sequence[pulumi.Input[str]] = ()
