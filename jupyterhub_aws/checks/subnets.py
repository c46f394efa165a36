"""The subnets that groups of nodes start in: the stack's own, and those of a VPC that somebody
else made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.network import ExistingNetworkSection
from jupyterhub_aws.config.stack import StackConfig

_SUBNET = "aws:ec2/subnet:Subnet"


@dataclass(frozen=True, kw_only=True)
class NodeSubnet:
    """`key` is the subnet's URN, or its id where the stack did not make it; then there are no
    `urns`. `path` is the option that gives it its size.
    """

    key: str
    name: str
    zone: str
    cidr: str
    path: str
    urns: tuple[str, ...]


def node_subnets(stack: StackConfig, resources: Resources, group: Resource) -> Iterator[NodeSubnet]:
    """The subnets of an Auto Scaling group or a managed node group, whoever made them."""
    named = group.inputs.get("vpcZoneIdentifiers", group.inputs.get("subnetIds"))
    for subnet in resources.referred(named, _SUBNET):
        yield NodeSubnet(
            key=subnet.urn,
            name=subnet.name,
            zone=str(subnet.inputs["availabilityZone"]),
            cidr=str(subnet.inputs["cidrBlock"]),
            path="network.cidr",
            urns=(subnet.urn,),
        )
    if isinstance(stack.network, ExistingNetworkSection):
        for zone, theirs in sorted(stack.network.private_subnets.items()):
            if isinstance(named, (list, tuple)) and theirs.id in named:
                yield NodeSubnet(
                    key=theirs.id,
                    name=theirs.id,
                    zone=zone,
                    cidr=theirs.cidr,
                    path=f"network.private_subnets.{zone}",
                    urns=(),
                )
