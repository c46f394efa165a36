"""What every VPC of the stack's own has: private subnets for nodes and pods, an emptied default security group, flow logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.network.flow_logs import FlowLogs, FlowLogsArgs
from jupyterhub_aws.components.network.plan import ZonePlan, plan
from jupyterhub_aws.config import network as network_config


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnVpcArgs:
    """`network` is the stack's section, `stack_name` the prefix of physical names, `region` the stack's region."""

    network: network_config.OpenNetwork | network_config.AirgapNetwork
    stack_name: str
    region: str
    tags: Mapping[str, str]


class OwnVpc(Component):
    """A VPC over two or three zones, without any way out: what is added to it decides that."""

    def __init__(self, name: str, args: OwnVpcArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._own = name, args
        self._zones = {zone.zone[-1]: zone for zone in plan(args.network.cidr, args.network.zones)}
        self.vpc = self._vpc()
        self.private_subnets = {letter: self._private_subnet(letter, zone) for letter, zone in self._zones.items()}
        if args.network.flow_logs is not None:
            flow_logs = FlowLogsArgs(flow_logs=args.network.flow_logs, vpc_id=self.vpc.id, stack_name=args.stack_name, tags=args.tags)
            FlowLogs(f"{name}-flow-logs", flow_logs, self.child())

    def _tags(self, suffix: str) -> dict[str, str]:
        return named(self._own.tags, f"{self._own.stack_name}-{suffix}")

    def _vpc(self) -> ec2.Vpc:
        # Both DNS switches: private API endpoint, EFS names and private endpoints resolve only with them.
        vpc = ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=self._own.network.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=named(self._own.tags, self._own.stack_name),
            opts=self.child(),
        )
        # Every VPC comes with a group that lets its members talk; without rules, whatever lands in it by accident is cut off.
        ec2.DefaultSecurityGroup(
            f"{self._name}-default-security-group", vpc_id=vpc.id, ingress=[], egress=[], tags=self._tags("default-unused"), opts=self.child()
        )
        return vpc

    def _private_subnet(self, letter: str, zone: ZonePlan) -> ec2.Subnet:
        subnet = ec2.Subnet(
            f"{self._name}-private-{letter}",
            vpc_id=self.vpc.id,
            availability_zone=zone.zone,
            cidr_block=str(zone.private),
            map_public_ip_on_launch=False,
            tags={**self._tags(f"private-{letter}"), "kubernetes.io/role/internal-elb": "1"},
            opts=self.child(),
        )
        ec2.SubnetCidrReservation(
            f"{self._name}-pods-{letter}",
            subnet_id=subnet.id,
            cidr_block=str(zone.pods),
            reservation_type="prefix",
            description="/28 prefixes for pods",
            opts=self.child(),
        )
        return subnet
