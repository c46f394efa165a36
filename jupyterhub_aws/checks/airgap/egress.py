"""No egress: no gateway, no address, no route, no rule that leads anywhere but inside and to
declared peer networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.airgap.view import View, fault
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.egress import Peering, TransitGateway
from jupyterhub_aws.config.network import AirgapNetworkSection
from jupyterhub_aws.config.values import is_world

# --- No external ingress: the API, load balancers and databases are reachable inside only.


def external_ingress(view: View) -> Iterator[Finding]:
    """API endpoint private only, load balancers internal only, databases without a public
    address.
    """
    for cluster in view.resources.of("aws:eks/cluster:Cluster"):
        network = cluster.inputs.get("vpcConfig", {})
        if network.get("endpointPublicAccess") is not False:
            what = "has a public API endpoint"
            fix = "set endpoint_public_access to false"
            yield fault("doors", cluster, what, fix, "cluster.api")
        if network.get("endpointPrivateAccess") is not True:
            what = "has no private API endpoint"
            fix = "set endpoint_private_access to true"
            yield fault("doors", cluster, what, fix)
    for balancer in view.resources.of(
        "aws:lb/loadBalancer:LoadBalancer",
        "aws:elb/loadBalancer:LoadBalancer",
        "aws:alb/loadBalancer:LoadBalancer",
    ):
        if balancer.inputs.get("internal") is not True:
            yield fault("doors", balancer, "is internet-facing", "write entry.internal: true")
    for database in view.resources.of("aws:rds/instance:Instance"):
        if database.inputs.get("publiclyAccessible") is not False:
            yield fault(
                "doors", database, "may have a public address", "set publicly_accessible to false"
            )
    for service in view.resources.of("kubernetes:core/v1:Service"):
        spec = service.inputs.get("spec", {})
        annotations = service.inputs.get("metadata", {}).get("annotations", {})
        scheme = annotations.get("service.beta.kubernetes.io/aws-load-balancer-scheme")
        if spec.get("type") == "LoadBalancer" and scheme != "internal":
            what = "makes AWS create an internet-facing load balancer"
            fix = "use a hub's entry; its load balancer is internal"
            yield fault("doors", service, what, fix)


# --- Permitted connections by security groups: which are allowed, and whether two groups
# reach each other on a port.


GROUP = "aws:ec2/securityGroup:SecurityGroup"
_DEFAULT = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
_SEPARATE = {
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": False,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": True,
}
_OLD = "aws:ec2/securityGroupRule:SecurityGroupRule"
#: Inputs of rules that name one other side, and those that list some.
_OTHER_SIDE = (
    *("cidrIpv4", "cidrIpv6", "prefixListId"),
    *("referencedSecurityGroupId", "sourceSecurityGroupId"),
)
_OTHER_SIDES = ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of one security group. `other` is the other side as it is written: a range, a
    group's id, a prefix list.
    """

    group: str
    out: bool
    other: str
    protocol: str
    ports: tuple[int, int]
    description: str
    resource: Resource

    def covers(self, port: int) -> bool:
        """Whether TCP to this port is among what it permits."""
        return self.protocol in ("-1", "all") or (
            self.protocol in ("tcp", "6") and self.ports[0] <= port <= self.ports[1]
        )

    @property
    def words(self) -> str:
        """Ports in words."""
        if self.protocol in ("-1", "all"):
            return "all ports"
        return f"{self.protocol} {self.ports[0]}" + (
            f"–{self.ports[1]}" if self.ports[1] != self.ports[0] else ""
        )


def rules(resources: Resources) -> Iterator[Rule]:
    """Every rule of every group, whichever resource says it."""
    for resource in resources:
        inputs = resource.inputs
        group = str(inputs.get("securityGroupId"))
        if resource.type in _SEPARATE:
            yield from _of(inputs, resource, group, out=_SEPARATE[resource.type])
        elif resource.type == _OLD:
            yield from _of(inputs, resource, group, out=inputs.get("type") == "egress")
        elif resource.type in (GROUP, _DEFAULT):
            for key, out in (("ingress", False), ("egress", True)):
                for inline in inputs.get(key) or []:
                    yield from _of(inline, resource, f"${{{resource.name}.id}}", out=out)


def _of(rule: Mapping[str, Any], resource: Resource, group: str, *, out: bool) -> Iterator[Rule]:
    protocol = str(rule.get("ipProtocol", rule.get("protocol", "-1")))
    ports = (int(rule.get("fromPort", 0)), int(rule.get("toPort", 65535)))
    single = [rule[key] for key in _OTHER_SIDE if rule.get(key)]
    several = [item for key in _OTHER_SIDES for item in rule.get(key) or []]
    own = [group] if rule.get("self") else []
    for other in (*single, *several, *own):
        yield Rule(
            group=group,
            out=out,
            other=str(other),
            protocol=protocol,
            ports=ports,
            description=str(rule.get("description", "")),
            resource=resource,
        )


def reaches(resources: Resources, one: str, other: str, port: int) -> tuple[bool, bool]:
    """Whether the first group allows egress to the second, and whether the second allows its
    ingress.
    """
    found = {(rule.out, rule.group, rule.other) for rule in rules(resources) if rule.covers(port)}
    return (True, one, other) in found, (False, other, one) in found


#: Types that provide egress or external ingress.
_GATEWAYS = {
    "aws:ec2/internetGateway:InternetGateway": "is a path to the internet",
    "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment": "is a path to the internet",
    "aws:ec2/natGateway:NatGateway": "is a path to the internet",
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": (
        "is a path to the internet by IPv6"
    ),
    "aws:ec2/eip:Eip": "is a public address",
    "aws:ec2/eipAssociation:EipAssociation": "is a public address",
    "aws:ec2/carrierGateway:CarrierGateway": "is a path to a carrier's network",
    "aws:ec2/vpnGateway:VpnGateway": "is a path that the stack file does not declare",
    "aws:ec2/vpnConnection:VpnConnection": "is a path that the stack file does not declare",
    "aws:globalaccelerator/accelerator:Accelerator": "is a public address",
    "aws:cloudfront/distribution:Distribution": "is reached from the internet",
}
#: Targets of a route, with what each is.
_TARGETS = {
    "gatewayId": "an internet or VPN gateway",
    "natGatewayId": "a NAT gateway",
    "egressOnlyGatewayId": "an egress-only gateway",
    "carrierGatewayId": "a carrier gateway",
    "networkInterfaceId": "a network interface",
    "localGatewayId": "a local gateway",
    "coreNetworkArn": "a core network",
}
_DECLARE = "declare it under network.peer_networks"
_REMOVE = "remove it: an isolated network has none"


def gateways(view: View) -> Iterator[Finding]:
    """No resource with egress or a public address."""
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
            what = "gives instances in it a public address"
            fix = "set map_public_ip_on_launch to false"
            yield fault("gateways", subnet, what, fix)
        if subnet.inputs.get("ipv6CidrBlock") or subnet.inputs.get("assignIpv6AddressOnCreation"):
            what = "has IPv6 addresses, which are public ones"
            yield fault("gateways", subnet, what, "remove them")
    for instance in view.resources.of("aws:ec2/instance:Instance"):
        if instance.inputs.get("associatePublicIpAddress"):
            what = "has a public address"
            fix = "set associate_public_ip_address to false"
            yield fault("gateways", instance, what, fix)
    for template in view.resources.of("aws:ec2/launchTemplate:LaunchTemplate"):
        for interface in template.inputs.get("networkInterfaces") or []:
            if str(interface.get("associatePublicIpAddress", "")).lower() == "true":
                what = "starts nodes with a public address"
                fix = "remove associate_public_ip_address"
                yield fault("gateways", template, what, fix)


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
            what = (
                f"attaches to {attachment.inputs.get('transitGatewayId')}, which the stack file"
                " does not name"
            )
            yield fault("peer-networks", attachment, what, fix)
    for peering in view.resources.of("aws:ec2/vpcPeeringConnection:VpcPeeringConnection"):
        if peering.inputs.get("peerVpcId") not in peers:
            what = (
                f"peers with {peering.inputs.get('peerVpcId')}, which the stack file does not name"
            )
            yield fault("peer-networks", peering, what, fix)


def egress_rules(view: View) -> Iterator[Finding]:
    """Groups allow egress only to groups, to S3 by its prefix list, and to declared
    ranges; no external source is allowed in.
    """
    for rule in rules(view.resources):
        world = rule.other == "::/0" or is_world(rule.other)
        if world:
            side = "out to" if rule.out else "in from"
            what = f"lets {rule.words} {side} {rule.other}"
            fix = "name a group, a prefix list, or a peer network's range"
            yield fault("rules", rule.resource, what, fix)
        elif "/" in rule.other and rule.out and not view.declared(rule.other):
            what = (
                f"lets {rule.words} out to {rule.other}, which is neither inside nor a peer"
                " network's"
            )
            fix = "declare it under network.peer_networks"
            yield fault("rules", rule.resource, what, fix)


def names(view: View) -> Iterator[Finding]:
    """The VPC's resolver answers for internal names only: a name can carry data out, too."""
    for vpc in view.resources.of("aws:ec2/vpc:Vpc"):
        groups = view.resources.of(
            "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
        )
        here = [item for item in groups if item.inputs.get("vpcId") == f"${{{vpc.name}.id}}"]
        if not here:
            what = "has a resolver that resolves any internet name"
            fix = "associate a DNS firewall with it"
            yield fault("names", vpc, what, fix)
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
        what, fix = "blocks nothing", "end its group with a rule that blocks every name"
        yield fault("names", association, what, fix)
    for rule in rules_of:
        found = lists.get(str(rule.inputs.get("firewallDomainListId")))
        if rule.inputs.get("action") != "ALLOW" or found is None:
            continue
        for domain in _domains(rule, lists):
            if not _inside(view, domain):
                what = f"allows {domain}, which is neither AWS's nor internal"
                fix = "remove it, or add it to network.internal_hosts"
                yield fault("names", found, what, fix)
        if any(int(rule.inputs["priority"]) > int(block.inputs["priority"]) for block in blocks):
            what = "comes after the rule that blocks all names"
            fix = "give it a smaller priority"
            yield fault("names", rule, what, fix)


def _domains(rule: Resource, lists: Mapping[str, Resource]) -> list[str]:
    found = lists.get(str(rule.inputs.get("firewallDomainListId")))
    if found is None:
        return []
    return [str(domain).removesuffix(".") for domain in found.inputs["domains"]]


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
