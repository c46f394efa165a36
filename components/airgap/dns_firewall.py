"""Names that resolve in an isolated network: AWS's own endpoints and the stack's internal hosts.
A query for any other name is answered with "no such name".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import route53

from jupyterhub_aws.components.base import Component, named

#: Order of the rules, and of this group among those of the VPC (Route 53 Resolver DNS Firewall: 100
#: and below and 9,900 and above are reserved).
_ALLOW, _BLOCK, _GROUP = 10, 20, 500


@dataclass(frozen=True, kw_only=True, eq=False)
class DnsFirewallArgs:
    """`prefix` is that of physical names. `domains` are names, or `*.` and a name for all below
    it, with or without a trailing dot.
    """

    prefix: str
    vpc_id: pulumi.Input[str]
    domains: Sequence[str]
    tags: Mapping[str, str]


def as_stored(domains: Sequence[str]) -> list[str]:
    """The names as Route 53 Resolver keeps and returns them: with a trailing dot (`*.` for every
    name), sorted, each once.

    The provider compares what it reads with what the program says, character by character: without
    the dots every preview differs (terraform-provider-aws issue 23543; plan of provider 5.100.0
    against an API that answers so).
    """
    return sorted({f"{domain.removesuffix('.')}." for domain in domains})


class DnsFirewall(Component):
    """Without routes DNS queries are the only egress: the VPC's resolver would ask the internet
    for any name, and a name can exfiltrate data.
    """

    token: ClassVar[str] = "jupyterhub-aws:airgap:DnsFirewall"

    def __init__(
        self, name: str, args: DnsFirewallArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        tags = named(args.tags, f"{args.prefix}-dns")
        inside = route53.ResolverFirewallDomainList(
            f"{name}-inside",
            name=f"{args.prefix}-inside",
            domains=as_stored(args.domains),
            tags=tags,
            opts=self.child(),
        )
        everything = route53.ResolverFirewallDomainList(
            f"{name}-everything",
            name=f"{args.prefix}-everything",
            domains=as_stored(["*"]),
            tags=tags,
            opts=self.child(),
        )
        group = route53.ResolverFirewallRuleGroup(
            f"{name}-group", name=f"{args.prefix}-closed", tags=tags, opts=self.child()
        )
        rules = [
            route53.ResolverFirewallRule(
                f"{name}-allow",
                name="inside",
                action="ALLOW",
                priority=_ALLOW,
                firewall_domain_list_id=inside.id,
                firewall_rule_group_id=group.id,
                opts=self.child(),
            ),
            route53.ResolverFirewallRule(
                f"{name}-block",
                name="everything-else",
                action="BLOCK",
                block_response="NXDOMAIN",
                priority=_BLOCK,
                firewall_domain_list_id=everything.id,
                firewall_rule_group_id=group.id,
                opts=self.child(),
            ),
        ]
        route53.ResolverFirewallRuleGroupAssociation(
            f"{name}-association",
            name=f"{args.prefix}-closed",
            firewall_rule_group_id=group.id,
            vpc_id=args.vpc_id,
            priority=_GROUP,
            tags=tags,
            opts=self.child(depends_on=rules),
        )
        self.register_outputs({"domains": list(args.domains)})
