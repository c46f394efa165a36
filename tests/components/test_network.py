"""The network: a CIDR plan that never overlaps and never moves, and what is made from it."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_aws.config.specs.network import zone_subnets
from tests.support.stacks import record

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
SUBNET, TABLE, ROUTE, NAT, EIP = (
    "aws:ec2/subnet:Subnet",
    "aws:ec2/routeTable:RouteTable",
    "aws:ec2/route:Route",
    "aws:ec2/natGateway:NatGateway",
    "aws:ec2/eip:Eip",
)
ASSOCIATION, RESERVATION = (
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ec2/subnetCidrReservation:SubnetCidrReservation",
)


@st.composite
def _ranges(draw):
    """Every VPC range that a stack file may name: /16 to /20 in private space."""
    inside, prefix = (
        IPv4Network(
            draw(
                st.sampled_from(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"])
            )
        ),
        draw(st.integers(16, 20)),
    )
    index = draw(st.integers(0, 2 ** (prefix - inside.prefixlen) - 1))
    return str(IPv4Network((int(inside.network_address) + index * 2 ** (32 - prefix), prefix)))


@given(cidr=_ranges(), count=st.integers(1, 3))
def test_all_ranges_lie_inside_the_vpc_and_none_overlap(cidr, count):
    zones = zone_subnets(cidr, ZONES[:count])
    subnets = [subnet for zone in zones for subnet in (zone.private, zone.public)]
    assert all(subnet.subnet_of(IPv4Network(cidr)) for subnet in subnets)
    assert not [pair for pair in combinations(subnets, 2) if pair[0].overlaps(pair[1])]
    assert [zone.zone for zone in zones] == list(ZONES[:count])


@given(cidr=_ranges())
def test_pods_get_half_of_the_private_subnet_and_every_subnet_is_large_enough(cidr):
    for zone in zone_subnets(cidr, ZONES):
        assert (
            zone.pods.subnet_of(zone.private)
            and zone.pods.num_addresses * 2 == zone.private.num_addresses
        )
        assert zone.private.network_address not in zone.pods, (
            "AWS keeps a subnet's first addresses; a reservation must not hold them"
        )
        assert 16 <= zone.private.prefixlen <= 28 and 16 <= zone.public.prefixlen <= 28, (
            "AWS takes subnets of /16 to /28"
        )


@given(cidr=_ranges(), count=st.integers(1, 2))
def test_a_zone_added_at_the_end_moves_nothing(cidr, count):
    assert zone_subnets(cidr, ZONES)[:count] == zone_subnets(cidr, ZONES[:count])


def test_more_zones_than_there_is_room_for_are_refused():
    with pytest.raises(ValueError, match="room for 3 zones, not 4"):
        zone_subnets("10.0.0.0/16", [*ZONES, "us-east-1d"])


def _routed(recording, subnet):
    """The default route of the table that a subnet is associated with."""
    (association,) = [
        item
        for item in recording.resources.of(ASSOCIATION)
        if recording.resources.referred(item.inputs["subnetId"], SUBNET) == [subnet]
    ]
    (table,) = recording.resources.referred(association.inputs["routeTableId"], TABLE)
    (route,) = [
        item
        for item in recording.resources.of(ROUTE)
        if recording.resources.referred(item.inputs["routeTableId"], TABLE) == [table]
    ]
    assert route.inputs["destinationCidrBlock"] == "0.0.0.0/0"
    return route


@pytest.mark.parametrize(("nat", "zones_with_nat"), [("single", 1), ("per_zone", 3)])
def test_private_subnets_leave_through_nat_and_public_ones_through_the_gateway(nat, zones_with_nat):
    recording = record(f"network.nat={nat}")
    subnets = recording.resources.of(SUBNET)
    used = set()
    for subnet in subnets:
        route = _routed(recording, subnet)
        if "private" not in subnet.name:
            assert (
                route.inputs["gatewayId"] == "${network-internet-gateway.id}"
                and "natGatewayId" not in route.inputs
            )
            continue
        (gateway,) = recording.resources.referred(route.inputs["natGatewayId"], NAT)
        assert "gatewayId" not in route.inputs
        (home,) = recording.resources.referred(gateway.inputs["subnetId"], SUBNET)
        assert home.name.startswith("network-public-"), "NAT in a private subnet reaches nothing"
        used.add(
            (gateway.name, subnet.inputs["availabilityZone"] == home.inputs["availabilityZone"])
        )
    assert (
        len(recording.resources.of(NAT))
        == len(recording.resources.of(EIP))
        == zones_with_nat
        == len({name for name, _ in used})
    )
    assert nat == "single" or all(same_zone for _, same_zone in used), (
        "per_zone must not cross zones"
    )
    assert len(subnets) == 6


def test_each_nat_gateway_has_an_address_and_waits_for_the_internet_gateway():
    recording = record("network.nat=per_zone")
    addresses = [gateway.inputs["allocationId"] for gateway in recording.resources.of(NAT)]
    assert len(set(addresses)) == 3 and all(
        len(recording.resources.referred(address, EIP)) == 1 for address in addresses
    )
    for gateway in recording.resources.of(NAT):
        assert (
            "aws:ec2/internetGateway:InternetGateway",
            "network-internet-gateway",
        ) in recording.needs(gateway)


def test_two_zones_make_two_of_everything_and_leave_the_first_two_as_they_were():
    two, three = record("network.zones=[us-east-1a, us-east-1b]"), record()
    assert len(two.resources.of(SUBNET)) == 4 and len(two.resources.of(RESERVATION)) == 2
    kept = {subnet.urn: subnet.inputs for subnet in two.resources.of(SUBNET, RESERVATION)}
    assert (
        kept.items()
        <= {subnet.urn: subnet.inputs for subnet in three.resources.of(SUBNET, RESERVATION)}.items()
    )


def test_subnets_are_those_of_the_plan_tagged_for_balancers_and_give_no_public_addresses():
    recording = record()
    found = {subnet.name: subnet for subnet in recording.resources.of(SUBNET)}
    for zone in zone_subnets("10.0.0.0/16", ZONES):
        letter = zone.zone[-1]
        for kind, expected, role in (
            ("private", zone.private, "internal-elb"),
            ("public", zone.public, "elb"),
        ):
            subnet = found[f"network-{kind}-{letter}"]
            roles = {
                key: value
                for key, value in subnet.inputs["tags"].items()
                if key.startswith("kubernetes.io/role/")
            }
            assert (
                subnet.inputs["cidrBlock"] == str(expected)
                and subnet.inputs["availabilityZone"] == zone.zone
            )
            assert roles == {f"kubernetes.io/role/{role}": "1"}
            assert subnet.inputs["mapPublicIpOnLaunch"] is False
        reservation = recording.one(RESERVATION, f"network-pods-{letter}")
        assert (
            reservation.inputs["cidrBlock"] == str(zone.pods)
            and reservation.inputs["reservationType"] == "prefix"
        )
        assert recording.resources.referred(reservation.inputs["subnetId"], SUBNET) == [
            found[f"network-private-{letter}"]
        ]


@pytest.mark.parametrize(
    "zones", ["[us-east-1a, us-east-1b]", "[us-east-1a, us-east-1b, us-east-1c]"]
)
def test_the_s3_endpoint_is_on_every_route_table(zones):
    recording = record(f"network.zones={zones}")
    endpoint = recording.one("aws:ec2/vpcEndpoint:VpcEndpoint").inputs
    assert (
        endpoint["serviceName"] == "com.amazonaws.us-east-1.s3"
        and endpoint["vpcEndpointType"] == "Gateway"
    )
    assert recording.resources.referred(endpoint["routeTableIds"], TABLE) == recording.resources.of(
        TABLE
    )


def test_the_vpc_resolves_names_and_its_default_group_allows_no_traffic():
    recording = record()
    vpc = recording.one("aws:ec2/vpc:Vpc").inputs
    assert vpc["enableDnsSupport"] is True and vpc["enableDnsHostnames"] is True, (
        "the private API endpoint and EFS need both"
    )
    group = recording.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs
    # Present and empty: a list that is left out would leave AWS's own rules as they are.
    assert group["ingress"] == [] and group["egress"] == []


def test_flow_logs_are_off_unless_the_section_is_there():
    assert not [
        resource
        for resource in record().resources
        if "flow" in resource.name.lower() or "flow" in resource.type.lower()
    ]


def test_flow_logs_write_into_their_own_group_for_as_long_as_the_stack_says():
    recording = record("network.flow_logs={retention_days: 90, traffic: ALL}")
    log = recording.one("aws:ec2/flowLog:FlowLog")
    group = recording.one("aws:cloudwatch/logGroup:LogGroup", "network-flow-logs-records")
    assert (
        group.inputs["retentionInDays"] == 90 and group.inputs["name"] == "/jhub-dev/vpc/flow-logs"
    )
    assert log.inputs["trafficType"] == "ALL" and log.inputs["vpcId"] == "${network-vpc.id}"
    assert (
        log.inputs["logDestination"] == "${network-flow-logs-records.arn}"
        and log.inputs["logDestinationType"] == "cloud-watch-logs"
    )
    assert ("aws:iam/rolePolicy:RolePolicy", "network-flow-logs-write") in recording.needs(log), (
        "without its policy the first records are lost"
    )
