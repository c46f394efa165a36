"""The network as it was recorded: zones, subnets, what is public, and the ways out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from jupyterhub_aws.checks.resources import Resource, Resources

SUBNET = "aws:ec2/subnet:Subnet"
_TABLE = "aws:ec2/routeTable:RouteTable"
_ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
_ROUTE = "aws:ec2/route:Route"
NAT = "aws:ec2/natGateway:NatGateway"
GATEWAY = "aws:ec2/internetGateway:InternetGateway"


def _zone(subnet: Resource) -> str:
    return str(subnet.inputs.get("availabilityZone", ""))


class Places:
    """Which zone a thing is in. Zones are columns, in the order of their names; without subnets
    there is one column.
    """

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.subnets = resources.of(SUBNET)
        zones = sorted({_zone(subnet) for subnet in self.subnets})
        self.zones: tuple[str, ...] = tuple(zones) or ("the network that is there",)

    def of(self, value: object) -> tuple[int, ...]:
        """The columns of the subnets that a value mentions; all of them where it names none of
        ours.
        """
        found = {self.column(_zone(subnet)) for subnet in self.resources.referred(value, SUBNET)}
        return tuple(sorted(found)) or tuple(range(len(self.zones)))

    def column(self, zone: str) -> int:
        """The column of a zone."""
        return self.zones.index(zone) if zone in self.zones else 0

    @cached_property
    def _tables(self) -> dict[str, str]:
        """The route table of each subnet, by names."""
        found = {}
        for association in self.resources.of(_ASSOCIATION):
            for subnet in self.resources.referred(association.inputs.get("subnetId"), SUBNET):
                for table in self.resources.referred(
                    association.inputs.get("routeTableId"), _TABLE
                ):
                    found[subnet.name] = table.name
        return found

    def _routes(self, subnet: Resource) -> Iterator[Resource]:
        table = self._tables.get(subnet.name)
        for route in self.resources.of(_ROUTE):
            if table in {
                found.name
                for found in self.resources.referred(route.inputs.get("routeTableId"), _TABLE)
            }:
                yield route

    def is_public(self, subnet: Resource) -> bool:
        """Whether a subnet has a route to an internet gateway."""
        return any(
            self.resources.referred(route.inputs.get("gatewayId"), GATEWAY)
            for route in self._routes(subnet)
        )

    def labels(self, *, public: bool) -> tuple[str, ...]:
        """What each zone has of public or private subnets; empty where no zone has any."""
        found: dict[int, list[str]] = {}
        for subnet in self.subnets:
            if self.is_public(subnet) is public:
                found.setdefault(self.column(_zone(subnet)), []).append(
                    str(subnet.inputs.get("cidrBlock", ""))
                )
        return (
            tuple(", ".join(sorted(found.get(index, []))) for index in range(len(self.zones)))
            if found
            else ()
        )

    def exits(self) -> tuple[tuple[int, int], ...]:
        """For each zone whose private subnets reach a NAT gateway: the zone, and the gateway's."""
        found = set()
        for subnet in self.subnets:
            for route in self._routes(subnet):
                for nat in self.resources.referred(route.inputs.get("natGatewayId"), NAT):
                    found.add((self.column(_zone(subnet)), self.of(nat.inputs.get("subnetId"))[0]))
        return tuple(sorted(found))
