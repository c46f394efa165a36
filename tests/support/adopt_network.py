"""VPCs, subnets, and the ways out of them."""

from __future__ import annotations

from typing import Any

from tests.support.adopt_builder import Builder, Makers, tagged
from tests.support.cloud import ACCOUNT, REGION


class NetworkMakers(Builder):
    """VPCs, subnets, and the ways out of them."""

    def _network_makers(self) -> Makers:
        return {
            "aws:ec2/vpc:Vpc": self._vpc,
            "aws:ec2/subnet:Subnet": self._subnet,
            "aws:ec2/internetGateway:InternetGateway": self._internet,
            "aws:ec2/eip:Eip": lambda _name, given: {
                "id": self._ec2.allocate_address(
                    Domain="vpc", TagSpecifications=tagged("elastic-ip", given)
                )["AllocationId"]
            },
            "aws:ec2/natGateway:NatGateway": self._nat,
            "aws:ec2/routeTable:RouteTable": self._table,
            "aws:ec2/route:Route": self._route,
            "aws:ec2/routeTableAssociation:RouteTableAssociation": (
                lambda _name, given: self._ignore(
                    self._ec2.associate_route_table(
                        RouteTableId=given["routeTableId"], SubnetId=given["subnetId"]
                    )
                )
            ),
            "aws:ec2/vpcEndpoint:VpcEndpoint": self._endpoint,
            "aws:ec2/subnetCidrReservation:SubnetCidrReservation": self._reservation,
        }

    def _vpc(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        vpc = self._ec2.create_vpc(
            CidrBlock=given["cidrBlock"], TagSpecifications=tagged("vpc", given)
        )["Vpc"]["VpcId"]
        self._ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        default = self._ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])[
            "SecurityGroups"
        ][0]
        if default["IpPermissionsEgress"]:  # as the program leaves it: emptied
            self._ec2.revoke_security_group_egress(
                GroupId=default["GroupId"], IpPermissions=default["IpPermissionsEgress"]
            )
        return {"id": vpc}

    def _subnet(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._ec2.create_subnet(
            VpcId=given["vpcId"],
            CidrBlock=given["cidrBlock"],
            AvailabilityZone=given["availabilityZone"],
            TagSpecifications=tagged("subnet", given),
        )
        return {"id": made["Subnet"]["SubnetId"]}

    def _internet(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._ec2.create_internet_gateway(
            TagSpecifications=tagged("internet-gateway", given)
        )["InternetGateway"]["InternetGatewayId"]
        self._ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=given["vpcId"])
        return {"id": made}

    def _nat(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._ec2.create_nat_gateway(
            AllocationId=given["allocationId"],
            SubnetId=given["subnetId"],
            TagSpecifications=tagged("natgateway", given),
        )
        return {"id": made["NatGateway"]["NatGatewayId"]}

    def _table(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        return {
            "id": self._ec2.create_route_table(
                VpcId=given["vpcId"], TagSpecifications=tagged("route-table", given)
            )["RouteTable"]["RouteTableId"]
        }

    def _route(self, _name: str, given: dict[str, Any]) -> None:
        way = (
            {"GatewayId": given["gatewayId"]}
            if "gatewayId" in given
            else {"NatGatewayId": given["natGatewayId"]}
        )
        self._ec2.create_route(
            RouteTableId=given["routeTableId"],
            DestinationCidrBlock=given["destinationCidrBlock"],
            **way,
        )

    def _endpoint(self, _name: str, given: dict[str, Any]) -> None:
        self._ec2.create_vpc_endpoint(
            VpcId=given["vpcId"],
            ServiceName=given["serviceName"],
            VpcEndpointType=given["vpcEndpointType"],
            RouteTableIds=given["routeTableIds"],
            TagSpecifications=tagged("vpc-endpoint", given),
        )

    def _reservation(self, _name: str, given: dict[str, Any]) -> None:
        from moto.ec2.models import ec2_backends

        self._ec2.create_subnet_cidr_reservation(
            SubnetId=given["subnetId"], Cidr=given["cidrBlock"], ReservationType="prefix"
        )
        backend = ec2_backends[ACCOUNT][REGION]
        for item in backend.get_subnet_cidr_reservations(given["subnetId"])[
            "SubnetIpv4CidrReservations"
        ]:
            item.description = given["description"]  # which moto does not keep
