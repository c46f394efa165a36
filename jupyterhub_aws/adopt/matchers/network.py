"""VPC, subnets, routes, gateways, endpoints, security groups. Import ids as in the registry's
page of each resource (pulumi-aws 7, "Import").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.matcher import Asked, ImportCandidate, Matcher, one, with_tags
from jupyterhub_aws.adopt.queries import Thing

SUBNET, TABLE = "aws:ec2/subnet:Subnet", "aws:ec2/routeTable:RouteTable"
ASSOCIATION, NAT = (
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ec2/natGateway:NatGateway",
)


def _vpc(asked: Asked) -> ImportCandidate | None:
    vpc = asked.live.vpc
    if vpc is None:
        return None
    attributes = {
        key: item[key[0].upper() + key[1:]]["Value"]
        for item in asked.live.of("vpc_attributes")
        for key in ("enableDnsSupport", "enableDnsHostnames")
        if key[0].upper() + key[1:] in item
    }
    return ImportCandidate(
        id=vpc["VpcId"],
        outputs={"id": vpc["VpcId"]},
        view=with_tags(vpc, {"cidrBlock": vpc["CidrBlock"], **attributes}),
    )


def _subnet(asked: Asked) -> ImportCandidate | None:
    subnet = one(
        asked.live.of("subnets"),
        AvailabilityZone=asked.text("availabilityZone"),
        CidrBlock=asked.text("cidrBlock"),
        VpcId=asked.text("vpcId"),
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


def _table(asked: Asked) -> ImportCandidate | None:
    """The table of the subnets that the program gives this one."""
    for association in asked.users(ASSOCIATION, "routeTableId"):
        subnet = asked.match(SUBNET, association.inputs.get("subnetId"))
        table = None if subnet is None else _own_table(asked, subnet.id)
        if table is not None:
            return ImportCandidate(
                id=table["RouteTableId"],
                outputs={"id": table["RouteTableId"]},
                view=with_tags(table, {"vpcId": table["VpcId"]}),
            )
    return None


def _own_table(asked: Asked, subnet: str) -> Thing | None:
    """A table that the subnet is given by name: the VPC's main one is no resource of a type that
    the program makes.
    """
    for table in asked.live.of("route_tables"):
        if any(item.get("SubnetId") == subnet for item in table.get("Associations", ())):
            return table
    return None


def _association(asked: Asked) -> ImportCandidate | None:
    subnet = asked.text("subnetId")
    table = None if subnet is None else _own_table(asked, subnet)
    if table is None or asked.text("routeTableId") is None:
        return None
    return ImportCandidate(
        id=f"{subnet}/{table['RouteTableId']}",
        view={"subnetId": subnet, "routeTableId": table["RouteTableId"]},
    )


def _route(asked: Asked) -> ImportCandidate | None:
    table = one(asked.live.of("route_tables"), RouteTableId=asked.text("routeTableId"))
    wanted = asked.text("destinationCidrBlock")
    for route in (table or {}).get("Routes", ()):
        if (
            wanted is not None
            and route.get("DestinationCidrBlock") == wanted
            and route.get("GatewayId") != "local"
        ):
            view = {"routeTableId": asked.text("routeTableId"), "destinationCidrBlock": wanted}
            ways = {
                key: route.get(key[0].upper() + key[1:])
                for key in ("gatewayId", "natGatewayId", "transitGatewayId")
                if key in asked.inputs
            }
            return ImportCandidate(
                id=f"{asked.text('routeTableId')}_{wanted}", view={**view, **ways}
            )
    return None


def _internet_gateway(asked: Asked) -> ImportCandidate | None:
    gateway = next(iter(asked.live.of("internet_gateways")), None)
    if gateway is None:
        return None
    return ImportCandidate(
        id=gateway["InternetGatewayId"],
        outputs={"id": gateway["InternetGatewayId"]},
        view=with_tags(gateway, {"vpcId": asked.live.vpc_id}),
    )


def _nat(asked: Asked) -> ImportCandidate | None:
    gateway = one(asked.live.of("nats"), SubnetId=asked.text("subnetId"))
    if gateway is None:
        return None
    view = {"subnetId": gateway["SubnetId"], "allocationId": _allocation(gateway)}
    return ImportCandidate(
        id=gateway["NatGatewayId"],
        outputs={"id": gateway["NatGatewayId"]},
        view=with_tags(gateway, view),
    )


def _allocation(gateway: Thing) -> str | None:
    addresses = [
        item["AllocationId"]
        for item in gateway.get("NatGatewayAddresses", ())
        if item.get("AllocationId")
    ]
    return addresses[0] if addresses else None


def _address(asked: Asked) -> ImportCandidate | None:
    """The address of the NAT gateway that the program gives this one."""
    for user in asked.users(NAT, "allocationId"):
        gateway = one(
            asked.live.of("nats"),
            NatGatewayId=found.id if (found := asked.matches.get((NAT, user.name))) else None,
        )
        address = (
            None
            if gateway is None
            else one(asked.live.of("addresses"), AllocationId=_allocation(gateway))
        )
        if address is not None:
            return ImportCandidate(
                id=address["AllocationId"],
                outputs={"id": address["AllocationId"]},
                view=with_tags(address, {"domain": address.get("Domain", "vpc")}),
            )
    return None


def _endpoint(asked: Asked) -> ImportCandidate | None:
    kind = asked.text("vpcEndpointType") or "Gateway"
    endpoint = one(
        asked.live.of("endpoints"),
        VpcId=asked.text("vpcId"),
        ServiceName=asked.text("serviceName"),
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


def _default_group(asked: Asked) -> ImportCandidate | None:
    group = one(asked.live.of("security_groups"), GroupName="default", VpcId=asked.text("vpcId"))
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


def _reservation(asked: Asked) -> ImportCandidate | None:
    item = one(
        asked.live.of("reservations"), SubnetId=asked.text("subnetId"), Cidr=asked.text("cidrBlock")
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


def _security_group(asked: Asked) -> ImportCandidate | None:
    group = one(
        asked.live.of("security_groups"), GroupName=asked.text("name"), VpcId=asked.text("vpcId")
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
    def find(asked: Asked) -> ImportCandidate | None:
        for rule in asked.live.of("rules"):
            if (
                rule.get("GroupId") == asked.text("securityGroupId")
                and bool(rule.get("IsEgress")) is egress
                and _same_rule(rule, asked)
            ):
                view = {
                    key: value
                    for key, value in {
                        **_source(rule),
                        "description": rule.get("Description"),
                    }.items()
                    if key in asked.inputs
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


def _same_rule(rule: Mapping[str, Any], asked: Asked) -> bool:
    there = {key: value for key, value in _source(rule).items() if value is not None}
    if there.get("ipProtocol") == "-1":  # all protocols have all ports, which AWS writes as -1
        there = {key: value for key, value in there.items() if key not in ("fromPort", "toPort")}
    wanted = {key: asked.inputs[key] for key in _source({}) if asked.inputs.get(key) is not None}
    return there == wanted


def _flow_log(asked: Asked) -> ImportCandidate | None:
    log = one(
        asked.live.of("flow_logs"),
        ResourceId=asked.text("vpcId"),
        LogDestination=asked.text("logDestination"),
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


def _balancer(asked: Asked) -> ImportCandidate | None:
    item = one(asked.live.of("balancers"), LoadBalancerName=asked.text("name"))
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


def _target_group(asked: Asked) -> ImportCandidate | None:
    item = one(asked.live.of("target_groups"), TargetGroupName=asked.text("name"))
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


def _listener(asked: Asked) -> ImportCandidate | None:
    item = one(
        asked.live.of("listeners"),
        LoadBalancerArn=asked.text("loadBalancerArn"),
        Port=asked.inputs.get("port"),
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
