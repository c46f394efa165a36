"""The VPC of a closed network: isolated subnets, private endpoints, neighbours, and a resolver that knows nobody outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import ec2

from jupyterhub_aws.components.airgap.dns_firewall import DnsFirewall, DnsFirewallArgs, allowed_domains
from jupyterhub_aws.components.airgap.endpoints import Endpoints, EndpointsArgs
from jupyterhub_aws.components.airgap.neighbours import Neighbours, NeighboursArgs
from jupyterhub_aws.components.network.base import OwnVpc, OwnVpcArgs
from jupyterhub_aws.components.network.place import Place
from jupyterhub_aws.config import network as network_config


@dataclass(frozen=True, kw_only=True, eq=False)
class AirgapNetworkArgs(OwnVpcArgs):
    """`services` are those that get an endpoint, each with why; `system_packages`: whether a machine inside installs some (from S3);
    `buckets` are those of the stack itself.
    """

    network: network_config.AirgapNetwork
    account: pulumi.Input[str]
    services: Mapping[str, str]
    system_packages: bool
    buckets: Sequence[pulumi.Input[str]]


class AirgapNetwork(OwnVpc):
    """No internet gateway, no NAT, no public subnet, no public address and no default route: there is nothing to forget to close.

    `ready` resolves when nodes can reach AWS's APIs through the endpoints.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:AirgapNetwork"
    vpc_id: pulumi.Output[str]
    private_subnet_ids: pulumi.Output[list[str]]

    def __init__(self, name: str, args: AirgapNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        self._args = args
        tables, associations = self._routes()
        private = {letter: subnet.id for letter, subnet in self.private_subnets.items()}
        endpoints = self._endpoints(list(private.values()), tables)
        if args.network.peer_networks:
            Neighbours(
                f"{name}-neighbours",
                NeighboursArgs(
                    neighbours=args.network.peer_networks,
                    stack_name=args.stack_name,
                    vpc_id=self.vpc.id,
                    subnet_ids=list(private.values()),
                    tables={letter: table.id for letter, table in zip(private, tables, strict=True)},
                    tags=args.tags,
                ),
                self.child(),
            )
        domains = allowed_domains(args.region, args.network.internal_hosts)
        DnsFirewall(f"{name}-dns", DnsFirewallArgs(stack_name=args.stack_name, vpc_id=self.vpc.id, domains=domains, tags=args.tags), self.child())
        self.vpc_id = self.vpc.id
        self.place = Place(
            vpc_id=self.vpc.id,
            private=private,
            public={},
            ready=[*associations, *endpoints.ready],
            endpoints_group_id=endpoints.security_group_id,
            s3_prefix_list_id=endpoints.s3_prefix_list_id,
        )
        self.private_subnet_ids = self.place.private_subnet_ids
        self.register_outputs({"vpc_id": self.vpc_id, "private_subnet_ids": self.private_subnet_ids})

    def _routes(self) -> tuple[list[ec2.RouteTable], list[pulumi.Resource]]:
        """A table for each zone that knows the VPC itself; S3 and neighbours add theirs."""
        tables, associations = [], []
        for letter, subnet in self.private_subnets.items():
            table = ec2.RouteTable(f"{self._name}-private-{letter}", vpc_id=self.vpc.id, tags=self._tags(f"private-{letter}"), opts=self.child())
            associations.append(ec2.RouteTableAssociation(f"{self._name}-private-{letter}", route_table_id=table.id, subnet_id=subnet.id, opts=self.child()))
            tables.append(table)
        return tables, list(associations)

    def _endpoints(self, subnets: Sequence[pulumi.Output[str]], tables: Sequence[ec2.RouteTable]) -> Endpoints:
        args = self._args
        return Endpoints(
            f"{self._name}-endpoints",
            EndpointsArgs(
                stack_name=args.stack_name,
                region=args.region,
                account=args.account,
                vpc_id=self.vpc.id,
                subnet_ids=subnets[:1] if args.network.endpoint_zones == "one" else subnets,
                route_table_ids=[table.id for table in tables],
                reasons=args.services,
                buckets=[*args.buckets, *args.network.buckets],
                system_packages=args.system_packages,
                tags=args.tags,
            ),
            self.child(),
        )
