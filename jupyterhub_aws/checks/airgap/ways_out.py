"""No path out: no gateway, no address, no route, no rule that leads anywhere but inside and to
declared peer networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.airgap.flows import rules
from jupyterhub_aws.checks.airgap.view import View, fault
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.config.egress import Peering, TransitGateway
from jupyterhub_aws.config.network import AirgapNetworkSection
from jupyterhub_aws.config.values import is_world

#: Types that exist to lead out, or to be reached from outside.
_GATEWAYS = {
    "aws:ec2/internetGateway:InternetGateway": "is a way to the internet",
    "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment": "is a way to the internet",
    "aws:ec2/natGateway:NatGateway": "is a way to the internet",
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": (
        "is a way to the internet by IPv6"
    ),
    "aws:ec2/eip:Eip": "is a public address",
    "aws:ec2/eipAssociation:EipAssociation": "is a public address",
    "aws:ec2/carrierGateway:CarrierGateway": "is a way to a carrier's network",
    "aws:ec2/vpnGateway:VpnGateway": "is a way that the stack file does not declare",
    "aws:ec2/vpnConnection:VpnConnection": "is a way that the stack file does not declare",
    "aws:globalaccelerator/accelerator:Accelerator": "is a public address",
    "aws:cloudfront/distribution:Distribution": "is reached from the internet",
}
#: Targets of a route, with what each is.
_TARGETS = {
    "gatewayId": "an internet or VPN gateway",
    "natGatewayId": "a NAT gateway",
    "egressOnlyGatewayId": "an egress-only gateway",
    "carrierGatewayId": "a carrier gateway",
    "networkInterfaceId": "an interface of somebody's",
    "localGatewayId": "a local gateway",
    "coreNetworkArn": "a core network",
}
_DECLARE = "declare it under network.peer_networks"
_REMOVE = "remove it: a closed network has none"


def gateways(view: View) -> Iterator[Finding]:
    """Nothing that leads out or has a public address."""
    for kind, what in _GATEWAYS.items():
        for resource in view.resources.of(kind):
            yield fault("gateways", resource, what, _REMOVE)
    for vpc in view.resources.of("aws:ec2/vpc:Vpc"):
        if vpc.inputs.get("assignGeneratedIpv6CidrBlock") or vpc.inputs.get("ipv6CidrBlock"):
            yield fault("gateways", vpc, "has IPv6 addresses, which are public ones", "remove them")
    yield from _machines(view)


def _machines(view: View) -> Iterator[Finding]:
    for subnet in view.resources.of("aws:ec2/subnet:Subnet"):
        if subnet.inputs.get("mapPublicIpOnLaunch"):
            yield fault(
                "gateways",
                subnet,
                "gives what starts in it a public address",
                "set map_public_ip_on_launch to false",
            )
        if subnet.inputs.get("ipv6CidrBlock") or subnet.inputs.get("assignIpv6AddressOnCreation"):
            yield fault(
                "gateways", subnet, "has IPv6 addresses, which are public ones", "remove them"
            )
    for instance in view.resources.of("aws:ec2/instance:Instance"):
        if instance.inputs.get("associatePublicIpAddress"):
            yield fault(
                "gateways",
                instance,
                "has a public address",
                "set associate_public_ip_address to false",
            )
    for template in view.resources.of("aws:ec2/launchTemplate:LaunchTemplate"):
        for interface in template.inputs.get("networkInterfaces") or []:
            if str(interface.get("associatePublicIpAddress", "")).lower() == "true":
                yield fault(
                    "gateways",
                    template,
                    "starts nodes with a public address",
                    "remove associate_public_ip_address",
                )


def routes(view: View) -> Iterator[Finding]:
    """Every route leads to a range of a declared peer network, through what the stack file
    names.
    """
    for route in view.resources.of("aws:ec2/route:Route"):
        yield from _route(view, route.inputs, route)
    for table in view.resources.of(
        "aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable"
    ):
        for inline in table.inputs.get("routes") or []:
            yield from _route(
                view, {**inline, "destinationCidrBlock": inline.get("cidrBlock")}, table
            )


def _route(view: View, route: Mapping[str, Any], resource: Resource) -> Iterator[Finding]:
    destination = str(
        route.get("destinationCidrBlock")
        or route.get("destinationIpv6CidrBlock")
        or route.get("destinationPrefixListId")
        or "nothing"
    )
    for key, what in _TARGETS.items():
        if route.get(key) and route[key] != "local":
            yield fault(
                "routes", resource, f"leads {destination} to {what} ({route[key]})", "remove it"
            )
    if destination == "::/0" or is_world(destination):
        yield fault(
            "routes",
            resource,
            f"is a default route ({destination})",
            "remove it: only ranges of peer networks have routes",
        )
    elif not view.declared(destination):
        yield fault(
            "routes",
            resource,
            f"leads to {destination}, which no peer network of the stack has",
            _DECLARE,
            "network.peer_networks",
        )


def peer_networks(view: View) -> Iterator[Finding]:
    """Transit gateways and peerings are those that the stack file names, and no others."""
    declared = (
        [item.via for item in view.network.peer_networks.values()]
        if isinstance(view.network, AirgapNetworkSection)
        else []
    )
    hubs = {via.id for via in declared if isinstance(via, TransitGateway)}
    peers = {via.vpc_id for via in declared if isinstance(via, Peering)}
    fix = "declare it under network.peer_networks, or remove it"
    for attachment in view.resources.of("aws:ec2transitgateway/vpcAttachment:VpcAttachment"):
        if attachment.inputs.get("transitGatewayId") not in hubs:
            yield fault(
                "peer-networks",
                attachment,
                f"attaches to {attachment.inputs.get('transitGatewayId')}, which the stack file"
                " does not name",
                fix,
            )
    for peering in view.resources.of("aws:ec2/vpcPeeringConnection:VpcPeeringConnection"):
        if peering.inputs.get("peerVpcId") not in peers:
            yield fault(
                "peer-networks",
                peering,
                f"peers with {peering.inputs.get('peerVpcId')}, which the stack file does not name",
                fix,
            )


def egress_rules(view: View) -> Iterator[Finding]:
    """No group lets anything out but to groups, to S3 by its prefix list, and to declared
    ranges; nobody outside is let in.
    """
    for rule in rules(view.resources):
        world = rule.other == "::/0" or is_world(rule.other)
        if world:
            side = "out to" if rule.out else "in from"
            yield fault(
                "rules",
                rule.resource,
                f"lets {rule.words} {side} {rule.other}",
                "name a group, a prefix list, or a peer network's range",
            )
        elif "/" in rule.other and rule.out and not view.declared(rule.other):
            yield fault(
                "rules",
                rule.resource,
                f"lets {rule.words} out to {rule.other}, which is neither inside nor a peer"
                " network's",
                "declare it under network.peer_networks",
            )


def names(view: View) -> Iterator[Finding]:
    """The VPC's resolver answers for what is inside, and for nothing else: a name can carry data
    out, too.
    """
    for vpc in view.resources.of("aws:ec2/vpc:Vpc"):
        groups = view.resources.of(
            "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
        )
        here = [item for item in groups if item.inputs.get("vpcId") == f"${{{vpc.name}.id}}"]
        if not here:
            yield fault(
                "names",
                vpc,
                "has a resolver that asks the internet for any name",
                "associate a DNS firewall with it",
            )
        for association in here:
            yield from _firewall(view, association)


def _firewall(view: View, association: Resource) -> Iterator[Finding]:
    rules_of = [
        rule
        for rule in view.resources.of("aws:route53/resolverFirewallRule:ResolverFirewallRule")
        if rule.inputs.get("firewallRuleGroupId") == association.inputs.get("firewallRuleGroupId")
    ]
    lists = {
        f"${{{item.name}.id}}": item
        for item in view.resources.of(
            "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
        )
    }
    blocks = [
        rule
        for rule in rules_of
        if rule.inputs.get("action") == "BLOCK" and "*" in _domains(rule, lists)
    ]
    if not blocks:
        yield fault(
            "names",
            association,
            "blocks nothing",
            "end its group with a rule that blocks every name",
        )
    for rule in rules_of:
        found = lists.get(str(rule.inputs.get("firewallDomainListId")))
        if rule.inputs.get("action") != "ALLOW" or found is None:
            continue
        for domain in _domains(rule, lists):
            if not _inside(view, domain):
                yield fault(
                    "names",
                    found,
                    f"lets {domain} be asked for, which is neither AWS's nor inside",
                    "remove it, or add it to network.internal_hosts",
                )
        if any(int(rule.inputs["priority"]) > int(block.inputs["priority"]) for block in blocks):
            yield fault(
                "names",
                rule,
                "comes after the rule that blocks everything",
                "give it a smaller priority",
            )


def _domains(rule: Resource, lists: Mapping[str, Resource]) -> list[str]:
    found = lists.get(str(rule.inputs.get("firewallDomainListId")))
    return (
        []
        if found is None
        else [str(domain).removesuffix(".") for domain in found.inputs["domains"]]
    )


def _inside(view: View, domain: str) -> bool:
    bare = domain.removeprefix("*.").rstrip(".")
    aws = bare.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")) and (
        view.stack.region in bare or bare.startswith("eks.")
    )
    return (
        aws
        or bare.endswith(".internal")
        or bare in {pattern.removeprefix("*.") for pattern in view.network.internal_hosts}
    )
