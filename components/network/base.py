"""What every VPC that is made here has: private subnets for nodes and pods, an emptied default
security group, flow logs.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_aws import ec2

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.network.flow_logs import VpcFlowLogs, VpcFlowLogsArgs
from jupyterhub_aws.config.specs.network import OwnVpcSpec, ZoneSubnets


class OwnVpc(Component):
    """A VPC over two or three zones, without any egress: what is added to it decides that."""

    def __init__(
        self,
        name: str,
        spec: OwnVpcSpec,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        super().__init__(name, opts)
        self._own, self._stack_tags = spec, tags
        self.vpc = self._vpc()
        #: By the name of their zone.
        self.private_subnets = {
            subnets.zone: self._private_subnet(subnets) for subnets in spec.subnets
        }
        if spec.flow_logs is not None:
            VpcFlowLogs(
                f"{name}-flow-logs",
                VpcFlowLogsArgs(
                    flow_logs=spec.flow_logs, vpc_id=self.vpc.id, prefix=spec.name, tags=tags
                ),
                self.child(),
            )

    def _tags(self, suffix: str) -> dict[str, str]:
        return named(self._stack_tags, f"{self._own.name}-{suffix}")

    def _vpc(self) -> ec2.Vpc:
        # Both DNS switches: private API endpoint, EFS names and private endpoints resolve only with
        # them.
        vpc = ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=self._own.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=named(self._stack_tags, self._own.name),
            opts=self.child(),
        )
        # Every VPC comes with a group that lets its members talk; without rules, whatever lands in
        # it by accident is cut off.
        ec2.DefaultSecurityGroup(
            f"{self._name}-default-security-group",
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            tags=self._tags("default-unused"),
            opts=self.child(),
        )
        return vpc

    def _private_subnet(self, zone: ZoneSubnets) -> ec2.Subnet:
        subnet = ec2.Subnet(
            f"{self._name}-private-{zone.letter}",
            vpc_id=self.vpc.id,
            availability_zone=zone.zone,
            cidr_block=str(zone.private),
            map_public_ip_on_launch=False,
            tags={**self._tags(f"private-{zone.letter}"), "kubernetes.io/role/internal-elb": "1"},
            opts=self.child(),
        )
        ec2.SubnetCidrReservation(
            f"{self._name}-pods-{zone.letter}",
            subnet_id=subnet.id,
            cidr_block=str(zone.pods),
            reservation_type="prefix",
            description="/28 prefixes for pods",
            opts=self.child(),
        )
        return subnet
