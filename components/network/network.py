"""The VPC of an open network: private subnets for nodes and pods, public ones for NAT and balancers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import ec2

from jupyterhub_aws.components.network.base import OwnVpc, OwnVpcArgs
from jupyterhub_aws.components.network.place import Place
from jupyterhub_aws.components.network.plan import ZonePlan
from jupyterhub_aws.config import network as network_config

_ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkArgs(OwnVpcArgs):
    """`network` is the stack's section of mode `open`; `without_nat`: nothing leads out for the time being, and the addresses are kept."""

    network: network_config.OpenNetwork
    without_nat: bool = False


class Network(OwnVpc):
    """A VPC over two or three zones.

    It makes no security group that anything uses, and empties the default one: who talks to whom is the business of the
    components that talk. `ready` resolves when private subnets can reach the internet; nodes must wait for it.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:Network"
    vpc_id: pulumi.Output[str]
    private_subnet_ids: pulumi.Output[list[str]]
    public_subnet_ids: pulumi.Output[list[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        self._args = args
        self.public_subnets = {letter: self._public_subnet(letter, zone) for letter, zone in self._zones.items()}
        public_tables = self._public_routes()
        private_tables, self.ready = self._private_routes()
        self._s3_endpoint([*public_tables, *private_tables])
        self.vpc_id = self.vpc.id
        private = {letter: subnet.id for letter, subnet in self.private_subnets.items()}
        public = {letter: subnet.id for letter, subnet in self.public_subnets.items()}
        self.place = Place(vpc_id=self.vpc.id, private=private, public=public, ready=self.ready)
        self.private_subnet_ids, self.public_subnet_ids = self.place.private_subnet_ids, self.place.public_subnet_ids
        self.register_outputs({"vpc_id": self.vpc_id, "private_subnet_ids": self.private_subnet_ids, "public_subnet_ids": self.public_subnet_ids})

    def _public_subnet(self, letter: str, zone: ZonePlan) -> ec2.Subnet:
        return ec2.Subnet(
            f"{self._name}-public-{letter}",
            vpc_id=self.vpc.id,
            availability_zone=zone.zone,
            cidr_block=str(zone.public),
            map_public_ip_on_launch=False,  # balancers and NAT bring their own; nothing else belongs here
            tags={**self._tags(f"public-{letter}"), "kubernetes.io/role/elb": "1"},
            opts=self.child(),
        )

    def _public_routes(self) -> list[ec2.RouteTable]:
        self._gateway = ec2.InternetGateway(f"{self._name}-internet-gateway", vpc_id=self.vpc.id, tags=self._tags("internet"), opts=self.child())
        table = ec2.RouteTable(f"{self._name}-public", vpc_id=self.vpc.id, tags=self._tags("public"), opts=self.child())
        ec2.Route(f"{self._name}-public-internet", route_table_id=table.id, destination_cidr_block=_ANYWHERE, gateway_id=self._gateway.id, opts=self.child())
        for letter, subnet in self.public_subnets.items():
            ec2.RouteTableAssociation(f"{self._name}-public-{letter}", route_table_id=table.id, subnet_id=subnet.id, opts=self.child())
        return [table]

    def _private_routes(self) -> tuple[list[ec2.RouteTable], list[pulumi.Resource]]:
        """A table for each zone, and what has to be there before a node can reach anything."""
        letters = list(self._zones)
        shared = self._args.network.nat == "single"
        addresses = {letter: self._address(letter) for letter in (letters[:1] if shared else letters)}
        gateways = {} if self._args.without_nat else {letter: self._nat(letter, address) for letter, address in addresses.items()}
        tables: list[ec2.RouteTable] = []
        ready: list[pulumi.Resource] = []
        for letter in letters:
            table = ec2.RouteTable(f"{self._name}-private-{letter}", vpc_id=self.vpc.id, tags=self._tags(f"private-{letter}"), opts=self.child())
            nat = gateways.get(letters[0] if shared else letter)
            if nat is not None:
                route = f"{self._name}-private-{letter}-nat"
                ready.append(ec2.Route(route, route_table_id=table.id, destination_cidr_block=_ANYWHERE, nat_gateway_id=nat.id, opts=self.child()))
            subnet = self.private_subnets[letter]
            ready.append(ec2.RouteTableAssociation(f"{self._name}-private-{letter}", route_table_id=table.id, subnet_id=subnet.id, opts=self.child()))
            tables.append(table)
        return tables, ready

    def _address(self, letter: str) -> ec2.Eip:
        """What servers elsewhere know these nodes by: it stays when its gateway goes for a while."""
        return ec2.Eip(f"{self._name}-nat-{letter}", domain="vpc", tags=self._tags(f"nat-{letter}"), opts=self.child())

    def _nat(self, letter: str, address: ec2.Eip) -> ec2.NatGateway:
        return ec2.NatGateway(
            f"{self._name}-nat-{letter}",
            allocation_id=address.id,
            subnet_id=self.public_subnets[letter].id,
            tags=self._tags(f"nat-{letter}"),
            opts=self.child(depends_on=[self._gateway]),  # AWS refuses a NAT gateway in a VPC without an internet gateway
        )

    def _s3_endpoint(self, tables: list[ec2.RouteTable]) -> None:
        # Image layers of ECR come from S3: free by the gateway endpoint, paid by the gigabyte through NAT.
        ec2.VpcEndpoint(
            f"{self._name}-s3",
            vpc_id=self.vpc.id,
            service_name=f"com.amazonaws.{self._args.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags=self._tags("s3"),
            opts=self.child(),
        )
