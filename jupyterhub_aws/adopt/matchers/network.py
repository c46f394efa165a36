"""VPC, subnets, routes, gateways, endpoints, security groups. Import ids as in the registry's
page of each resource (pulumi-aws 7, "Import").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.matcher import (
    ImportCandidate,
    MatchContext,
    Matcher,
    one,
    with_tags,
)
from jupyterhub_aws.adopt.queries import AwsResource

SUBNET, TABLE = "aws:ec2/subnet:Subnet", "aws:ec2/routeTable:RouteTable"
ASSOCIATION, NAT = (
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ec2/natGateway:NatGateway",
)


def _vpc(context: MatchContext) -> ImportCandidate | None:
    vpc = context.live.vpc
    if vpc is None:
        return None
    attributes = {
        key: item[key[0].upper() + key[1:]]["Value"]
        for item in context.live.of("vpc_attributes")
        for key in ("enableDnsSupport", "enableDnsHostnames")
        if key[0].upper() + key[1:] in item
    }
    return ImportCandidate(
        id=vpc["VpcId"],
        outputs={"id": vpc["VpcId"]},
        view=with_tags(vpc, {"cidrBlock": vpc["CidrBlock"], **attributes}),
    )


def _subnet(context: MatchContext) -> ImportCandidate | None:
    subnet = one(
        context.live.of("subnets"),
        AvailabilityZone=context.text("availabilityZone"),
        CidrBlock=context.text("cidrBlock"),
        VpcId=context.text("vpcId"),
    )
    if subnet is None:
        return None
    view = {
        "availabilityZone": subnet["AvailabilityZone"],
        "cidrBlock": subnet["CidrBlock"],
        "vpcId": subnet["VpcId"],
        "mapPublicIpOnLaunch": subnet.get("MapPublicIpOnLaunch", False),
    }
    return ImportCandidate(
        id=subnet["SubnetId"], outputs={"id": subnet["SubnetId"]}, view=with_tags(subnet, view)
    )


def _table(context: MatchContext) -> ImportCandidate | None:
    """The table of the subnets that the program gives this one."""
    for association in context.users(ASSOCIATION, "routeTableId"):
        subnet = context.match(SUBNET, association.inputs.get("subnetId"))
        table = None if subnet is None else _own_table(context, subnet.id)
        if table is not None:
            return ImportCandidate(
                id=table["RouteTableId"],
                outputs={"id": table["RouteTableId"]},
                view=with_tags(table, {"vpcId": table["VpcId"]}),
            )
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
    for route in (table or {}).get("Routes", ()):
        if (
            wanted is not None
            and route.get("DestinationCidrBlock") == wanted
            and route.get("GatewayId") != "local"
        ):
            view = {"routeTableId": context.text("routeTableId"), "destinationCidrBlock": wanted}
            ways = {
                key: route.get(key[0].upper() + key[1:])
                for key in ("gatewayId", "natGatewayId", "transitGatewayId")
                if key in context.inputs
            }
            return ImportCandidate(
                id=f"{context.text('routeTableId')}_{wanted}", view={**view, **ways}
            )
    return None


def _internet_gateway(context: MatchContext) -> ImportCandidate | None:
    gateway = next(iter(context.live.of("internet_gateways")), None)
    if gateway is None:
        return None
    return ImportCandidate(
        id=gateway["InternetGatewayId"],
        outputs={"id": gateway["InternetGatewayId"]},
        view=with_tags(gateway, {"vpcId": context.live.vpc_id}),
    )


def _nat(context: MatchContext) -> ImportCandidate | None:
    gateway = one(context.live.of("nats"), SubnetId=context.text("subnetId"))
    if gateway is None:
        return None
    view = {"subnetId": gateway["SubnetId"], "allocationId": _allocation(gateway)}
    return ImportCandidate(
        id=gateway["NatGatewayId"],
        outputs={"id": gateway["NatGatewayId"]},
        view=with_tags(gateway, view),
    )


def _allocation(gateway: AwsResource) -> str | None:
    addresses = [
        item["AllocationId"]
        for item in gateway.get("NatGatewayAddresses", ())
        if item.get("AllocationId")
    ]
    return addresses[0] if addresses else None


def _address(context: MatchContext) -> ImportCandidate | None:
    """The address of the NAT gateway that the program gives this one."""
    for user in context.users(NAT, "allocationId"):
        gateway = one(
            context.live.of("nats"),
            NatGatewayId=found.id if (found := context.matches.get((NAT, user.name))) else None,
        )
        address = (
            None
            if gateway is None
            else one(context.live.of("addresses"), AllocationId=_allocation(gateway))
        )
        if address is not None:
            return ImportCandidate(
                id=address["AllocationId"],
                outputs={"id": address["AllocationId"]},
                view=with_tags(address, {"domain": address.get("Domain", "vpc")}),
            )
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
        view |= {
            "subnetIds": sorted(endpoint.get("SubnetIds", ())),
            "privateDnsEnabled": endpoint.get("PrivateDnsEnabled", False),
        }
        view["securityGroupIds"] = sorted(item["GroupId"] for item in endpoint.get("Groups", ()))
    return ImportCandidate(
        id=endpoint["VpcEndpointId"],
        outputs={"id": endpoint["VpcEndpointId"]},
        view=with_tags(endpoint, view),
    )


def _default_group(context: MatchContext) -> ImportCandidate | None:
    group = one(
        context.live.of("security_groups"), GroupName="default", VpcId=context.text("vpcId")
    )
    if group is None:
        return None
    rules = {
        "ingress": group.get("IpPermissions", []),
        "egress": group.get("IpPermissionsEgress", []),
    }
    view = {
        key: [f"{item.get('IpProtocol')} {item.get('FromPort', 'all')}" for item in items]
        for key, items in rules.items()
    }
    return ImportCandidate(
        id=group["GroupId"],
        outputs={"id": group["GroupId"]},
        view=with_tags(group, {"vpcId": group["VpcId"], **view}),
    )


def _reservation(context: MatchContext) -> ImportCandidate | None:
    item = one(
        context.live.of("reservations"),
        SubnetId=context.text("subnetId"),
        Cidr=context.text("cidrBlock"),
    )
    if item is None:
        return None
    view = {
        "subnetId": item["SubnetId"],
        "cidrBlock": item["Cidr"],
        "reservationType": item.get("ReservationType"),
        "description": item.get("Description", ""),
    }
    return ImportCandidate(id=f"{item['SubnetId']}:{item['SubnetCidrReservationId']}", view=view)


def _security_group(context: MatchContext) -> ImportCandidate | None:
    group = one(
        context.live.of("security_groups"),
        GroupName=context.text("name"),
        VpcId=context.text("vpcId"),
    )
    if group is None:
        return None
    view = {
        "name": group["GroupName"],
        "description": group.get("Description", ""),
        "vpcId": group["VpcId"],
    }
    return ImportCandidate(
        id=group["GroupId"], outputs={"id": group["GroupId"]}, view=with_tags(group, view)
    )


def _rule(*, egress: bool) -> Matcher:
    def find(context: MatchContext) -> ImportCandidate | None:
        for rule in context.live.of("rules"):
            if (
                rule.get("GroupId") == context.text("securityGroupId")
                and bool(rule.get("IsEgress")) is egress
                and _same_rule(rule, context)
            ):
                view = {
                    key: value
                    for key, value in {
                        **_source(rule),
                        "description": rule.get("Description"),
                    }.items()
                    if key in context.inputs
                }
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


def _flow_log(context: MatchContext) -> ImportCandidate | None:
    log = one(
        context.live.of("flow_logs"),
        ResourceId=context.text("vpcId"),
        LogDestination=context.text("logDestination"),
    )
    if log is None:
        return None
    view = {
        "vpcId": log["ResourceId"],
        "trafficType": log.get("TrafficType"),
        "logDestination": log.get("LogDestination"),
        "iamRoleArn": log.get("DeliverLogsPermissionArn"),
    }
    return ImportCandidate(id=log["FlowLogId"], view=with_tags(log, view))


NETWORK: Mapping[str, Matcher] = {
    "aws:ec2/vpc:Vpc": Matcher(topics=("vpcs",), find=_vpc),
    SUBNET: Matcher(topics=("subnets",), find=_subnet),
    TABLE: Matcher(topics=("route_tables",), find=_table),
    ASSOCIATION: Matcher(topics=("route_tables",), find=_association),
    "aws:ec2/route:Route": Matcher(topics=("route_tables",), find=_route),
    "aws:ec2/internetGateway:InternetGateway": Matcher(
        topics=("internet_gateways",), find=_internet_gateway
    ),
    NAT: Matcher(topics=("nats",), find=_nat),
    "aws:ec2/eip:Eip": Matcher(topics=("nats", "addresses"), find=_address),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Matcher(topics=("endpoints",), find=_endpoint),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Matcher(
        topics=("security_groups",), find=_default_group
    ),
    "aws:ec2/subnetCidrReservation:SubnetCidrReservation": Matcher(
        topics=("reservations",), find=_reservation
    ),
    "aws:ec2/securityGroup:SecurityGroup": Matcher(
        topics=("security_groups",), find=_security_group
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule(egress=False),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule(egress=True),
    "aws:ec2/flowLog:FlowLog": Matcher(topics=("flow_logs",), find=_flow_log),
}


# --- Balancers: all of them by names that an account has once in a region.


def _balancer(context: MatchContext) -> ImportCandidate | None:
    item = one(context.live.of("balancers"), LoadBalancerName=context.text("name"))
    if item is None:
        return None
    view = {
        "name": item["LoadBalancerName"],
        "loadBalancerType": item.get("Type"),
        "internal": item.get("Scheme") == "internal",
        "subnets": sorted(
            zone["SubnetId"] for zone in item.get("AvailabilityZones", ()) if zone.get("SubnetId")
        ),
        "securityGroups": sorted(item.get("SecurityGroups", ())),
    }
    arn = item["LoadBalancerArn"]
    return ImportCandidate(
        id=arn, outputs={"id": arn, "arn": arn, "dnsName": str(item.get("DNSName", ""))}, view=view
    )


def _target_group(context: MatchContext) -> ImportCandidate | None:
    item = one(context.live.of("target_groups"), TargetGroupName=context.text("name"))
    if item is None:
        return None
    view = {
        "name": item["TargetGroupName"],
        "port": item.get("Port"),
        "protocol": item.get("Protocol"),
        "targetType": item.get("TargetType"),
        "vpcId": item.get("VpcId"),
    }
    return ImportCandidate(
        id=item["TargetGroupArn"],
        outputs={"id": item["TargetGroupArn"], "arn": item["TargetGroupArn"]},
        view=view,
    )


def _listener(context: MatchContext) -> ImportCandidate | None:
    item = one(
        context.live.of("listeners"),
        LoadBalancerArn=context.text("loadBalancerArn"),
        Port=context.inputs.get("port"),
    )
    if item is None:
        return None
    certificates = [entry.get("CertificateArn") for entry in item.get("Certificates", ())]
    view = {
        "loadBalancerArn": item["LoadBalancerArn"],
        "port": item["Port"],
        "protocol": item.get("Protocol"),
        "sslPolicy": item.get("SslPolicy"),
    }
    return ImportCandidate(
        id=item["ListenerArn"],
        outputs={"arn": item["ListenerArn"]},
        view={**view, "certificateArn": certificates[0] if certificates else None},
    )


ENTRY: Mapping[str, Matcher] = {
    "aws:lb/loadBalancer:LoadBalancer": Matcher(topics=("balancers",), find=_balancer),
    "aws:lb/targetGroup:TargetGroup": Matcher(topics=("target_groups",), find=_target_group),
    "aws:lb/listener:Listener": Matcher(topics=("listeners",), find=_listener),
}
