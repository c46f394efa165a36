"""From where people may come: one rule for each network that the stack lists."""

from __future__ import annotations

import pulumi
from pulumi_aws import vpc

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.entry.args import EntryArgs
from jupyterhub_aws.config.entry import PortForwardEntry


def people_may_come(
    door: Component, name: str, args: EntryArgs, security_group_id: pulumi.Input[str], port: int
) -> None:
    """Let the entry's networks reach a port through a security group; the rules are children of
    `door`.
    """
    if isinstance(args.entry, PortForwardEntry):
        return
    for cidr in args.entry.allowed_cidrs:
        vpc.SecurityGroupIngressRule(
            f"{name}-from-{cidr.replace('/', '-')}",
            security_group_id=security_group_id,
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description="People",
            tags=named(args.tags, args.names.physical),
            opts=door.child(),
        )
