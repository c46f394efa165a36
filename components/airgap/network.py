"""The VPC of an isolated network: no egress, private endpoints of AWS services, peer networks,
and a resolver that resolves no external names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pulumi
from pulumi_aws import ec2

from jupyterhub_aws.components.airgap.dns_firewall import DnsFirewall, DnsFirewallArgs
from jupyterhub_aws.components.airgap.endpoints import Endpoints, EndpointsArgs
from jupyterhub_aws.components.airgap.peer_networks import PeerNetworks, PeerNetworksArgs
from jupyterhub_aws.components.arguments import Arguments, outputs_of, plain_of
from jupyterhub_aws.components.base import checked
from jupyterhub_aws.components.network.network import OwnVpc
from jupyterhub_aws.components.network.outputs import NetworkOutputs, network_outputs
from jupyterhub_aws.config import network as network_config
from jupyterhub_aws.config.egress import ProxyEgress, RoutedPeerNetwork
from jupyterhub_aws.config.infrastructure_rules import zones_in_region
from jupyterhub_aws.config.specs.network import IsolatedVpcSpec, default_services, isolated_vpc_spec


@dataclass(frozen=True, kw_only=True, eq=False)
class AirgapNetworkArgs:
    """What an isolated network is made from. The options are those of `network` with `mode: airgap`
    in docs/reference.md, under the same rules.

    Attributes:
        zones: Two or three availability zones of one region, by their full names.
        cidr: The VPC's range: a private /16 to /20. Each zone gets a quarter for nodes and pods.
        flow_logs: Which connections are recorded, and for how long; None: none.
        egress: The corporate HTTP proxy through which everything leaves; None: there is no egress
            at all.
        endpoint_zones: `all`: each endpoint has an address in every zone; `one`: in the first one
            only, which costs a third.
        services: The AWS services that get a private endpoint, by the last part of their name, each
            with the reason for it. Without it those that the components of this library call
            (config/data/aws_apis.toml), and `additional_endpoints`.
        additional_endpoints: Services that users call from their servers, such as athena.
        buckets: S3 buckets of the account that may be reached.
        internal_hosts: Host names that are inside; any other name is answered with "no such name".
        peer_networks: Networks beside this one, by a short name, each with ranges, ports and what
            leads there.
        system_packages: Whether machines inside install packages of Amazon Linux, which come from
            S3.
        physical_name: The prefix of names in AWS; without it the component's resource name. At most
            24 characters.
        tags: Tags of every resource.
        account: The AWS account, whose principals alone may use the endpoints; without it the one
            of the provider.

    """

    zones: Sequence[str]
    cidr: str = "10.0.0.0/16"
    flow_logs: network_config.FlowLogs | None = None
    egress: ProxyEgress | None = None
    endpoint_zones: Literal["one", "all"] = "all"
    services: Mapping[str, str] | None = None
    additional_endpoints: Sequence[str] = ()
    buckets: Sequence[pulumi.Input[str]] = ()
    internal_hosts: Sequence[str] = ()
    peer_networks: Mapping[str, RoutedPeerNetwork] = field(default_factory=dict)
    system_packages: bool = False
    physical_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    account: pulumi.Input[str] | None = None

    def resolved(self, name: str) -> IsolatedVpcSpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("AirgapNetwork", name)
        physical = given.physical_name(self.physical_name)
        given.tags(self.tags)
        values = {
            "mode": "airgap",
            "zones": self.zones,
            "cidr": self.cidr,
            "flow_logs": self.flow_logs,
            "egress": self.egress,
            "endpoint_zones": self.endpoint_zones,
            "additional_endpoints": self.additional_endpoints,
            "buckets": plain_of(self.buckets),
            "internal_hosts": self.internal_hosts,
            "peer_networks": self.peer_networks,
        }
        section = given.section(network_config.AirgapNetworkSection, values)
        services = given.services(self.services)
        given.check_value(bool, self.system_packages, "system_packages")
        given.check_input("account", self.account)
        region = "" if section is None else given.region("zones[0]", section.zones)
        if section is not None:
            given.add(zones_in_region(region, section, instead="zones[0]"), within="network")
        given.done()
        assert section is not None  # noqa: S101 -- else there was a problem
        wanted = default_services(section.additional_endpoints) if services is None else services
        return isolated_vpc_spec(
            section,
            name=physical,
            region=region,
            services=wanted,
            system_packages=self.system_packages,
        )


class AirgapNetwork(OwnVpc):
    """A VPC without internet gateway, NAT, public subnets, public addresses and default route.

    `outputs` is what clusters, homes and hubs take. Raises ArgumentError with every problem of the
    arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:AirgapNetwork"
    outputs: NetworkOutputs

    def __init__(
        self, name: str, args: AirgapNetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._spec = spec = checked(AirgapNetwork, name, args, AirgapNetworkArgs).resolved(name)
        super().__init__(name, spec, args.tags, opts)
        tables, associations = self._routes()
        private = {zone: subnet.id for zone, subnet in self.private_subnets.items()}
        endpoints = Endpoints(
            f"{name}-endpoints",
            EndpointsArgs(
                spec=spec.endpoints,
                prefix=spec.name,
                account=args.account,
                vpc_id=self.vpc.id,
                subnet_ids=[private[zone] for zone in spec.endpoints.zones],
                route_table_ids=[table.id for table in tables.values()],
                buckets=outputs_of(args.buckets),
                tags=args.tags,
            ),
            self.child(),
        )
        if spec.peer_networks:
            PeerNetworks(
                f"{name}-peers",
                PeerNetworksArgs(
                    peer_networks=spec.peer_networks,
                    prefix=spec.name,
                    vpc_id=self.vpc.id,
                    subnet_ids=list(private.values()),
                    tables={zone[-1]: table.id for zone, table in tables.items()},
                    tags=args.tags,
                ),
                self.child(),
            )
        DnsFirewall(
            f"{name}-dns",
            DnsFirewallArgs(
                prefix=spec.name, vpc_id=self.vpc.id, domains=spec.domains, tags=args.tags
            ),
            self.child(),
        )
        self.outputs = network_outputs(
            spec.network,
            vpc_id=self.vpc.id,
            private_subnets=private,
            ready=[*associations, *endpoints.ready],
            endpoints_security_group_id=endpoints.security_group_id,
            s3_prefix_list_id=endpoints.s3_prefix_list_id,
        )
        self.register_outputs(
            {"vpc_id": self.vpc.id, "private_subnet_ids": self.outputs.private_subnet_ids}
        )

    def _routes(self) -> tuple[dict[str, ec2.RouteTable], list[pulumi.Resource]]:
        """A table for each zone that knows the VPC itself; S3 and peer networks add theirs."""
        tables: dict[str, ec2.RouteTable] = {}
        associations: list[pulumi.Resource] = []
        for zone, subnet in self.private_subnets.items():
            name = f"{self._name}-private-{zone[-1]}"
            tables[zone] = ec2.RouteTable(
                name, vpc_id=self.vpc.id, tags=self._tags(f"private-{zone[-1]}"), opts=self.child()
            )
            associations.append(
                ec2.RouteTableAssociation(
                    name, route_table_id=tables[zone].id, subnet_id=subnet.id, opts=self.child()
                )
            )
        return tables, associations
