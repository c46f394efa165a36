"""VPC, subnets, routes, gateways, endpoints, security groups. Import ids as in the registry's
page of each resource (pulumi-aws 7, "Import").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.matcher import (
    NAT,
    SUBNET,
    TABLE,
    UNKNOWN,
    ImportCandidate,
    MatchContext,
    Matcher,
    Reading,
    Row,
    called,
    default,
    in_order,
    one,
    with_tags,
)
from jupyterhub_aws.adopt.queries import AwsResource

ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"


def _vpc(context: MatchContext) -> AwsResource | None:
    """The VPC with those of its attributes that could be read."""
    vpc = context.live.vpc
    return vpc and {
        **vpc,
        **{
            key: item[key]["Value"]
            for item in context.live.of("vpc_attributes")
            for key in ("EnableDnsSupport", "EnableDnsHostnames")
            if key in item
        },
    }


def _table(context: MatchContext) -> AwsResource | None:
    """The table of the subnets that the program gives this one."""
    for association in context.users(ASSOCIATION, "routeTableId"):
        subnet = context.match(SUBNET, association.inputs.get("subnetId"))
        table = None if subnet is None else _own_table(context, subnet.id)
        if table is not None:
            return table
    return None


def _own_table(context: MatchContext, subnet: str) -> AwsResource | None:
    """A table that the subnet is given by name: the VPC's main one is no resource of a type that
    the program makes.
    """
    for table in context.live.of("route_tables"):
        if any(item.get("SubnetId") == subnet for item in table.get("Associations", ())):
            return table
    return None


def _association(context: MatchContext) -> ImportCandidate | None:
    subnet = context.text("subnetId")
    table = None if subnet is None else _own_table(context, subnet)
    if table is None or context.text("routeTableId") is None:
        return None
    return ImportCandidate(
        id=f"{subnet}/{table['RouteTableId']}",
        view={"subnetId": subnet, "routeTableId": table["RouteTableId"]},
    )


def _route(context: MatchContext) -> ImportCandidate | None:
    table = one(context.live.of("route_tables"), RouteTableId=context.text("routeTableId"))
    wanted = context.text("destinationCidrBlock")
    for route in (table or {}).get("Routes", ()) if wanted is not None else ():
        if route.get("DestinationCidrBlock") == wanted and route.get("GatewayId") != "local":
            view = {"routeTableId": context.text("routeTableId"), "destinationCidrBlock": wanted}
            for key in ("gatewayId", "natGatewayId", "transitGatewayId"):
                if key in context.inputs:
                    view[key] = route.get(key[0].upper() + key[1:])
            return ImportCandidate(id=f"{context.text('routeTableId')}_{wanted}", view=view)
    return None


def _internet_gateway(context: MatchContext) -> AwsResource | None:
    gateway = next(iter(context.live.of("internet_gateways")), None)
    return gateway and {**gateway, "vpcId": context.live.vpc_id}


def _allocation(gateway: AwsResource) -> str | None:
    for address in gateway.get("NatGatewayAddresses", ()):
        if address.get("AllocationId"):
            return str(address["AllocationId"])
    return None


def _address(context: MatchContext) -> AwsResource | None:
    """The address of the NAT gateway that the program gives this one."""
    for user in context.users(NAT, "allocationId"):
        matched = context.matches.get((NAT, user.name))
        gateway = one(context.live.of("nats"), NatGatewayId=matched.id if matched else None)
        address = gateway and one(context.live.of("addresses"), AllocationId=_allocation(gateway))
        if address is not None:
            return address
    return None


def _endpoint(context: MatchContext) -> ImportCandidate | None:
    kind = context.text("vpcEndpointType") or "Gateway"
    endpoint = one(
        context.live.of("endpoints"),
        VpcId=context.text("vpcId"),
        ServiceName=context.text("serviceName"),
        VpcEndpointType=kind,
    )
    if endpoint is None:
        return None
    view: dict[str, Any] = {
        "serviceName": endpoint["ServiceName"],
        "vpcEndpointType": kind,
        "vpcId": endpoint["VpcId"],
    }
    if kind == "Gateway":
        view["routeTableIds"] = sorted(endpoint.get("RouteTableIds", ()))
    else:
        view["subnetIds"] = sorted(endpoint.get("SubnetIds", ()))
        view["privateDnsEnabled"] = endpoint.get("PrivateDnsEnabled", False)
        view["securityGroupIds"] = sorted(item["GroupId"] for item in endpoint.get("Groups", ()))
    identity = endpoint["VpcEndpointId"]
    return ImportCandidate(id=identity, outputs={"id": identity}, view=with_tags(endpoint, view))


def _ports(attribute: str) -> Reading:
    """Rules of a group, each as its protocol and first port."""
    return lambda group: [
        f"{item.get('IpProtocol')} {item.get('FromPort', 'all')}"
        for item in group.get(attribute, [])
    ]


def _rule(*, egress: bool) -> Matcher:
    def find(context: MatchContext) -> ImportCandidate | None:
        for rule in context.live.of("rules"):
            if (
                rule.get("GroupId") == context.text("securityGroupId")
                and bool(rule.get("IsEgress")) is egress
                and _same_rule(rule, context)
            ):
                view = {**_source(rule), "description": rule.get("Description")}
                view = {key: value for key, value in view.items() if key in context.inputs}
                return ImportCandidate(id=rule["SecurityGroupRuleId"], view=with_tags(rule, view))
        return None

    return Matcher(topics=("security_groups", "rules"), find=find)


def _source(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ipProtocol": rule.get("IpProtocol"),
        "fromPort": rule.get("FromPort"),
        "toPort": rule.get("ToPort"),
        "cidrIpv4": rule.get("CidrIpv4"),
        "referencedSecurityGroupId": (rule.get("ReferencedGroupInfo") or {}).get("GroupId"),
        "prefixListId": rule.get("PrefixListId"),
    }


def _same_rule(rule: Mapping[str, Any], context: MatchContext) -> bool:
    there = {key: value for key, value in _source(rule).items() if value is not None}
    if there.get("ipProtocol") == "-1":  # all protocols have all ports, which AWS writes as -1
        there = {key: value for key, value in there.items() if key not in ("fromPort", "toPort")}
    wanted = {
        key: context.inputs[key] for key in _source({}) if context.inputs.get(key) is not None
    }
    return there == wanted


NETWORK: Mapping[str, Matcher | Row] = {
    "aws:ec2/vpc:Vpc": Row(
        topics=("vpcs",),
        look=_vpc,
        id="{VpcId}",
        view={
            **called("cidrBlock"),
            "enableDnsSupport": default("EnableDnsSupport", UNKNOWN),
            "enableDnsHostnames": default("EnableDnsHostnames", UNKNOWN),
        },
        outputs={"id": "VpcId"},
        tagged=True,
    ),
    SUBNET: Row(
        topics=("subnets",),
        place={"AvailabilityZone": "availabilityZone", "CidrBlock": "cidrBlock", "VpcId": "vpcId"},
        id="{SubnetId}",
        view={"mapPublicIpOnLaunch": default("MapPublicIpOnLaunch", False)},
        outputs={"id": "SubnetId"},
        tagged=True,
    ),
    TABLE: Row(
        topics=("route_tables",),
        look=_table,
        id="{RouteTableId}",
        view=called("vpcId"),
        outputs={"id": "RouteTableId"},
        tagged=True,
    ),
    ASSOCIATION: Matcher(topics=("route_tables",), find=_association),
    "aws:ec2/route:Route": Matcher(topics=("route_tables",), find=_route),
    "aws:ec2/internetGateway:InternetGateway": Row(
        topics=("internet_gateways",),
        look=_internet_gateway,
        id="{InternetGatewayId}",
        view={"vpcId": "vpcId"},
        outputs={"id": "InternetGatewayId"},
        tagged=True,
    ),
    NAT: Row(
        topics=("nats",),
        place={"SubnetId": "subnetId"},
        id="{NatGatewayId}",
        view={"allocationId": _allocation},
        outputs={"id": "NatGatewayId"},
        tagged=True,
    ),
    "aws:ec2/eip:Eip": Row(
        topics=("nats", "addresses"),
        look=_address,
        id="{AllocationId}",
        view={"domain": default("Domain", "vpc")},
        outputs={"id": "AllocationId"},
        tagged=True,
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Matcher(topics=("endpoints",), find=_endpoint),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Row(
        topics=("security_groups",),
        look=lambda context: one(
            context.live.of("security_groups"), GroupName="default", VpcId=context.text("vpcId")
        ),
        id="{GroupId}",
        view={
            **called("vpcId"),
            "ingress": _ports("IpPermissions"),
            "egress": _ports("IpPermissionsEgress"),
        },
        outputs={"id": "GroupId"},
        tagged=True,
    ),
    "aws:ec2/subnetCidrReservation:SubnetCidrReservation": Row(
        topics=("reservations",),
        place={"SubnetId": "subnetId", "Cidr": "cidrBlock"},
        id="{SubnetId}:{SubnetCidrReservationId}",
        view={**called("reservationType"), "description": default("Description", "")},
    ),
    "aws:ec2/securityGroup:SecurityGroup": Row(
        topics=("security_groups",),
        place={"GroupName": "name", "VpcId": "vpcId"},
        id="{GroupId}",
        view={"description": default("Description", "")},
        outputs={"id": "GroupId"},
        tagged=True,
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule(egress=False),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule(egress=True),
    "aws:ec2/flowLog:FlowLog": Row(
        topics=("flow_logs",),
        place={"ResourceId": "vpcId", "LogDestination": "logDestination"},
        id="{FlowLogId}",
        view={**called("trafficType"), "iamRoleArn": "DeliverLogsPermissionArn"},
        tagged=True,
    ),
}


# --- Balancers: all of them by names that an account has once in a region.


def _listener(context: MatchContext) -> AwsResource | None:
    arn, port = context.text("loadBalancerArn"), context.inputs.get("port")
    return one(context.live.of("listeners"), LoadBalancerArn=arn, Port=port)


ENTRY: Mapping[str, Row] = {
    "aws:lb/loadBalancer:LoadBalancer": Row(
        topics=("balancers",),
        place={"LoadBalancerName": "name"},
        id="{LoadBalancerArn}",
        view={
            "loadBalancerType": "Type",
            "internal": lambda item: item.get("Scheme") == "internal",
            "subnets": lambda item: sorted(
                zone["SubnetId"]
                for zone in item.get("AvailabilityZones", ())
                if zone.get("SubnetId")
            ),
            "securityGroups": in_order("SecurityGroups"),
        },
        outputs={"id": "LoadBalancerArn", "arn": "LoadBalancerArn", "dnsName": "DNSName"},
    ),
    "aws:lb/targetGroup:TargetGroup": Row(
        topics=("target_groups",),
        place={"TargetGroupName": "name"},
        id="{TargetGroupArn}",
        view=called("port", "protocol", "targetType", "vpcId"),
        outputs={"id": "TargetGroupArn", "arn": "TargetGroupArn"},
    ),
    "aws:lb/listener:Listener": Row(
        topics=("listeners",),
        look=_listener,
        id="{ListenerArn}",
        view={
            **called("loadBalancerArn", "port", "protocol", "sslPolicy"),
            "certificateArn": lambda item: next(
                (entry.get("CertificateArn") for entry in item.get("Certificates", ())), None
            ),
        },
        outputs={"arn": "ListenerArn"},
    ),
}
