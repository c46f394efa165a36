"""What the AWS side of every entry is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from jupyterhub_aws.config.entry import Entry
from jupyterhub_aws.config.specs.names import HubNames


@dataclass(frozen=True, kw_only=True, eq=False)
class EntryArgs:
    """`port` is the hub's node port; `subnet_ids` are public ones for a balancer that faces the
    internet, private ones for an internal one.

    `node_security_group_id` is that of the nodes, `core_group_name` the Auto Scaling group of the
    core pool. `without_balancer`: there is none for the time being; its group of rules, its targets
    and its certificate stay.
    """

    names: HubNames
    entry: Entry
    port: int
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[list[str]]
    node_security_group_id: pulumi.Input[str]
    core_group_name: pulumi.Input[str]
    tags: Mapping[str, str]
    before_balancer: Sequence[pulumi.Resource]
    without_balancer: bool = False
