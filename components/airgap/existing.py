"""A VPC that somebody else made: nothing is made in it but endpoints, and what it must have is checked against AWS's own answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import ec2

from jupyterhub_aws.components.airgap.endpoints import Endpoints, EndpointsArgs
from jupyterhub_aws.components.airgap.requirements import subnet_faults, vpc_faults
from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.network.place import Place
from jupyterhub_aws.config import network as network_config


@dataclass(frozen=True, kw_only=True, eq=False)
class ExistingNetworkArgs:
    """As of a closed network of the stack's own; `services` and `buckets` are used where the stack makes the endpoints."""

    network: network_config.ExistingNetwork
    stack_name: str
    region: str
    account: pulumi.Input[str]
    services: Mapping[str, str]
    system_packages: bool
    buckets: Sequence[pulumi.Input[str]]
    tags: Mapping[str, str]


class ExistingNetwork(Component):
    """Nothing that belongs to the VPC is changed: no route, no tag, no group. Raises pulumi.RunError where it lacks something, all of it at once."""

    token: ClassVar[str] = "jupyterhub-aws:index:ExistingNetwork"
    vpc_id: pulumi.Output[str]
    private_subnet_ids: pulumi.Output[list[str]]

    def __init__(self, name: str, args: ExistingNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        network = args.network
        self.vpc_id = _checked(network)
        private = {zone[-1]: self._after_check(subnet.id) for zone, subnet in sorted(network.private_subnets.items())}
        public = {zone[-1]: self._after_check(subnet.id) for zone, subnet in sorted(network.public_subnets.items())}
        endpoints = self._endpoints(name, args, list(private.values())) if network.makes_endpoints else None
        self.place = Place(
            vpc_id=self.vpc_id,
            private=private,
            public=public,
            ready=[] if endpoints is None else endpoints.ready,
            endpoints_group_id=None if endpoints is None else endpoints.security_group_id,
            s3_prefix_list_id=_s3_prefix_list(args.region) if endpoints is None else endpoints.s3_prefix_list_id,
        )
        self.private_subnet_ids = self.place.private_subnet_ids
        self.register_outputs({"vpc_id": self.vpc_id, "private_subnet_ids": self.private_subnet_ids})

    def _after_check(self, subnet: str) -> pulumi.Output[str]:
        return self.vpc_id.apply(lambda _: subnet)

    def _endpoints(self, name: str, args: ExistingNetworkArgs, subnets: Sequence[pulumi.Input[str]]) -> Endpoints:
        return Endpoints(
            f"{name}-endpoints",
            EndpointsArgs(
                stack_name=args.stack_name,
                region=args.region,
                account=args.account,
                vpc_id=self.vpc_id,
                subnet_ids=subnets,
                route_table_ids=list(args.network.route_tables),
                reasons=args.services,
                buckets=[*args.buckets, *args.network.buckets],
                system_packages=args.system_packages,
                tags=args.tags,
            ),
            self.child(),
        )


def _s3_prefix_list(region: str) -> pulumi.Output[str]:
    return ec2.get_prefix_list_output(name=f"com.amazonaws.{region}.s3").id


def _checked(network: network_config.ExistingNetwork) -> pulumi.Output[str]:
    """The VPC's id, once AWS has answered that VPC and subnets have what they must."""
    subnets = sorted({**network.private_subnets, **{f"{zone} public": subnet for zone, subnet in network.public_subnets.items()}}.items())
    answers = [ec2.get_subnet_output(id=subnet.id) for _, subnet in subnets]

    def judged(known: Sequence[Any]) -> str:
        vpc, found = known[0], known[1:]
        faults = vpc_faults(network, vpc)
        for (zone, subnet), answer in zip(subnets, found, strict=True):
            faults += subnet_faults(network, zone.removesuffix(" public"), subnet, answer)
        if faults:
            raise pulumi.RunError("\n".join(["the network is not what the stack file says", *faults]))
        return network.vpc_id

    return pulumi.Output.all(ec2.get_vpc_output(id=network.vpc_id), *answers).apply(judged)
