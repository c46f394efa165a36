"""A VPC that exists already: nothing is made in it but endpoints, and its requirements are
checked against AWS's own answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import pulumi
from pulumi_aws import ec2

from jupyterhub_aws.components.airgap.endpoints import Endpoints, EndpointsArgs
from jupyterhub_aws.components.arguments import Arguments, outputs_of, plain_of
from jupyterhub_aws.components.base import Component, checked
from jupyterhub_aws.components.network.outputs import NetworkOutputs, network_outputs
from jupyterhub_aws.config import network as network_config
from jupyterhub_aws.config.egress import Egress, PeerNetwork
from jupyterhub_aws.config.infrastructure_rules import zones_in_region
from jupyterhub_aws.config.network import ExistingNetworkSection, Subnet
from jupyterhub_aws.config.specs.network import (
    INTERNET,
    EndpointsSpec,
    ExistingVpcSpec,
    default_services,
    existing_vpc_spec,
)

# --- The requirements of a cluster on an existing VPC and its subnets, checked on AWS's answers.
# Pure. Without an answer (in a plan) nothing is checked.


#: A zone's nodes, their pods' /28 prefixes, balancers and endpoints: below this the first node
#: fills the subnet.
_LEAST_ADDRESSES = 250


class VpcAnswer(Protocol):
    """The fields of getVpc that are checked."""

    enable_dns_support: bool | None
    enable_dns_hostnames: bool | None


class SubnetAnswer(Protocol):
    """The fields of getSubnet that are checked."""

    vpc_id: str | None
    availability_zone: str | None
    cidr_block: str | None
    map_public_ip_on_launch: bool | None
    available_ip_address_count: int | None


def vpc_faults(network: ExistingNetworkSection, vpc: VpcAnswer) -> list[str]:
    """What the VPC lacks: each a line with path, fault and remedy."""
    faults = []
    for switch, on in (
        ("enableDnsSupport", vpc.enable_dns_support),
        ("enableDnsHostnames", vpc.enable_dns_hostnames),
    ):
        if on is False:
            fix = (
                f"aws ec2 modify-vpc-attribute --vpc-id {network.vpc_id}"
                f" --{'enable-dns-support' if switch.endswith('Support') else 'enable-dns-hostnames'}"
            )
            faults.append(
                f"network.vpc_id: {switch} is off, so neither endpoints nor the private API would"
                f" resolve; run: {fix}"
            )
    return faults


def subnet_faults(
    network: ExistingNetworkSection, zone: str, subnet: Subnet, answer: SubnetAnswer
) -> list[str]:
    """What one subnet lacks, or where it differs from the stack file."""
    public = network.public_subnets.get(zone) is subnet
    path = f"network.{'public' if public else 'private'}_subnets.{zone}"
    faults = []
    if answer.vpc_id not in (None, network.vpc_id):
        faults.append(
            f"{path}.id: is in {answer.vpc_id}, not in {network.vpc_id}; name a subnet of that VPC"
        )
    if answer.availability_zone not in (None, zone):
        faults.append(f"{path}: is in {answer.availability_zone}; put it under that zone")
    if answer.cidr_block not in (None, subnet.cidr):
        faults.append(
            f"{path}.cidr: is {answer.cidr_block} (the file says {subnet.cidr}); correct it"
        )
    if answer.map_public_ip_on_launch and not public:
        faults.append(
            f"{path}: gives every node a public address; switch map_public_ip_on_launch off, or"
            " name a private subnet"
        )
    if (
        answer.available_ip_address_count is not None
        and answer.available_ip_address_count < _LEAST_ADDRESSES
        and not public
    ):
        faults.append(
            f"{path}: has {answer.available_ip_address_count} free addresses, and nodes with their"
            f" pods need {_LEAST_ADDRESSES}; name a larger subnet"
        )
    return faults


@dataclass(frozen=True, kw_only=True, eq=False)
class ExistingNetworkArgs:
    """A VPC by its ids. The options are those of `network` with `mode: existing` in
    docs/reference.md, under the same rules.

    For a VPC that this very program makes, fill in NetworkOutputs instead: its ids are not known
    when arguments are checked.

    Attributes:
        vpc_id: The VPC.
        cidr: Its range, or the one of its ranges that holds the subnets.
        private_subnets: The subnet of nodes and pods in each zone, by the zone's name, with its id
            and range.
        public_subnets: The subnets of balancers that face the internet, by the zone's name.
        egress: How the private subnets reach the internet.
        manage_endpoints: Without such egress: whether private endpoints are made here. False: they
            exist.
        services: The AWS services that get one, by the last part of their name, each with the
            reason for it. Without it those that the components of this library call
            (config/data/aws_apis.toml), and `additional_endpoints`.
        additional_endpoints: Services that users call from their servers, such as athena.
        route_tables: Route tables of the private subnets, for the endpoint of S3.
        buckets: S3 buckets of the account that may be reached.
        internal_hosts: Host names that are reached without the internet.
        peer_networks: Networks beside this one that nodes may reach, by a short name.
        system_packages: Whether machines inside install packages of Amazon Linux, which come from
            S3.
        physical_name: The prefix of names in AWS; without it the component's resource name. At most
            24 characters.
        tags: Tags of every resource.
        account: The AWS account, whose principals alone may use the endpoints; without it the one
            of the provider.

    """

    vpc_id: str
    cidr: str
    private_subnets: Mapping[str, network_config.Subnet]
    public_subnets: Mapping[str, network_config.Subnet] = field(default_factory=dict)
    egress: Egress = INTERNET
    manage_endpoints: bool = True
    services: Mapping[str, str] | None = None
    additional_endpoints: Sequence[str] = ()
    route_tables: Sequence[str] = ()
    buckets: Sequence[pulumi.Input[str]] = ()
    internal_hosts: Sequence[str] = ()
    peer_networks: Mapping[str, PeerNetwork] = field(default_factory=dict)
    system_packages: bool = False
    physical_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    account: pulumi.Input[str] | None = None

    def resolved(self, name: str) -> ExistingVpcSpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("ExistingNetwork", name)
        physical = given.physical_name(self.physical_name)
        given.tags(self.tags)
        values = {
            "mode": "existing",
            "vpc_id": self.vpc_id,
            "cidr": self.cidr,
            "private_subnets": self.private_subnets,
            "public_subnets": self.public_subnets,
            "egress": self.egress,
            "manage_endpoints": self.manage_endpoints,
            "additional_endpoints": self.additional_endpoints,
            "route_tables": self.route_tables,
            "buckets": plain_of(self.buckets),
            "internal_hosts": self.internal_hosts,
            "peer_networks": self.peer_networks,
        }
        section = given.section(network_config.ExistingNetworkSection, values)
        services = given.services(self.services)
        given.check_value(bool, self.system_packages, "system_packages")
        given.check_input("account", self.account)
        region = (
            ""
            if section is None
            else given.region(f"private_subnets.{section.zones[0]}", section.zones)
        )
        if section is not None:
            given.add(
                zones_in_region(region, section, instead=f"private_subnets.{section.zones[0]}"),
                within="network",
            )
        given.done()
        assert section is not None  # noqa: S101 -- else there was a problem
        wanted = default_services(section.additional_endpoints) if services is None else services
        return existing_vpc_spec(
            section,
            name=physical,
            region=region,
            services=wanted,
            system_packages=self.system_packages,
        )


class ExistingNetwork(Component):
    """Nothing that belongs to the VPC is changed: no route, no tag, no group.

    `outputs` is what clusters, homes and hubs take. Raises ArgumentError with every problem of the
    arguments, and pulumi.RunError where the VPC lacks something, all of it at once.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:ExistingNetwork"
    outputs: NetworkOutputs

    def __init__(
        self, name: str, args: ExistingNetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._spec = spec = checked(ExistingNetwork, name, args, ExistingNetworkArgs).resolved(name)
        super().__init__(name, opts)
        section = spec.section
        self._vpc_id = _checked(section)
        private = {
            zone: self._after_check(subnet.id)
            for zone, subnet in sorted(section.private_subnets.items())
        }
        public = {
            zone: self._after_check(subnet.id)
            for zone, subnet in sorted(section.public_subnets.items())
        }
        endpoints = (
            None
            if spec.endpoints is None
            else self._endpoints(args, spec.endpoints, list(private.values()))
        )
        self.outputs = network_outputs(
            spec.network,
            vpc_id=self._vpc_id,
            private_subnets=private,
            public_subnets=public,
            ready=[] if endpoints is None else endpoints.ready,
            endpoints_security_group_id=None if endpoints is None else endpoints.security_group_id,
            s3_prefix_list_id=(
                _s3_prefix_list(spec.network.region)
                if endpoints is None
                else endpoints.s3_prefix_list_id
            ),
        )
        self.register_outputs(
            {"vpc_id": self._vpc_id, "private_subnet_ids": self.outputs.private_subnet_ids}
        )

    def _after_check(self, subnet: str) -> pulumi.Output[str]:
        return self._vpc_id.apply(lambda _: subnet)

    def _endpoints(
        self, args: ExistingNetworkArgs, spec: EndpointsSpec, subnets: Sequence[pulumi.Input[str]]
    ) -> Endpoints:
        return Endpoints(
            f"{self._name}-endpoints",
            EndpointsArgs(
                spec=spec,
                prefix=self._spec.name,
                account=args.account,
                vpc_id=self._vpc_id,
                subnet_ids=subnets,
                route_table_ids=list(self._spec.section.route_tables),
                buckets=outputs_of(args.buckets),
                tags=args.tags,
            ),
            self.child(),
        )


def _s3_prefix_list(region: str) -> pulumi.Output[str]:
    return ec2.get_prefix_list_output(name=f"com.amazonaws.{region}.s3").id


def _checked(network: network_config.ExistingNetworkSection) -> pulumi.Output[str]:
    """The VPC's id, once AWS has answered that VPC and subnets have what they must."""
    subnets = sorted(
        {
            **network.private_subnets,
            **{f"{zone} public": subnet for zone, subnet in network.public_subnets.items()},
        }.items()
    )
    answers = [ec2.get_subnet_output(id=subnet.id) for _, subnet in subnets]

    def judged(known: Sequence[Any]) -> str:
        vpc, found = known[0], known[1:]
        faults = vpc_faults(network, vpc)
        for (zone, subnet), answer in zip(subnets, found, strict=True):
            faults += subnet_faults(network, zone.removesuffix(" public"), subnet, answer)
        if faults:
            raise pulumi.RunError(
                "\n".join(["the network is not what the stack file says", *faults])
            )
        return network.vpc_id

    return pulumi.Output.all(ec2.get_vpc_output(id=network.vpc_id), *answers).apply(judged)
