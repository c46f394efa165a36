"""A network as other components need it: from a component here, or filled in by hand for an
existing VPC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from jupyterhub_aws.config.egress import Egress, PeerNetwork
from jupyterhub_aws.config.specs.network import INTERNET, NetworkSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkOutputs:
    """A VPC with its subnets. `Network(...).outputs` is one; of a VPC made with `pulumi_aws` fill
    in the first four fields.

    Attributes:
        vpc_id: The VPC.
        cidrs: The IPv4 ranges of nodes and pods: those of the VPC.
        private_subnets: The subnets of nodes and pods by the name of their zone, such as
            `{"us-east-1a": subnet.id}`. The first one is the zone of the core nodes and of volumes.
        public_subnets: The subnets of balancers that face the internet, by the name of their zone.
        egress: How nodes and pods reach the internet: a section of `config.egress`. Without egress,
            rules list every permitted destination.
        internal_hosts: Host names that are reached without the internet; `*.` and a name for all
            below it. Used where there is no egress.
        peer_networks: Networks beside this one that nodes and pods may reach, by a short name.
        endpoints_security_group_id: The security group of private endpoints of AWS services; None
            where there are none, or another's.
        s3_prefix_list_id: The prefix list of S3, where S3 is reached through a gateway endpoint.
        ready: Resources that nodes need for their connections, such as the routes to NAT
            gateways.

    """

    vpc_id: pulumi.Input[str]
    cidrs: Sequence[str]
    private_subnets: Mapping[str, pulumi.Input[str]]
    public_subnets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    egress: Egress = INTERNET
    internal_hosts: Sequence[str] = ()
    peer_networks: Mapping[str, PeerNetwork] = field(default_factory=dict)
    endpoints_security_group_id: pulumi.Input[str] | None = None
    s3_prefix_list_id: pulumi.Input[str] | None = None
    ready: Sequence[pulumi.Resource] = ()

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones of the private subnets, in their order."""
        return tuple(self.private_subnets)

    @property
    def region(self) -> str:
        """The AWS region of the private subnets' zones."""
        return next((zone[:-1] for zone in self.private_subnets), "")

    @property
    def closed(self) -> bool:
        """Whether the network has no egress to the internet."""
        return self.spec.closed

    @property
    def spec(self) -> NetworkSpec:
        """What is known of the network before anything is made."""
        return NetworkSpec(
            region=self.region,
            zones=self.zones,
            ranges=tuple(self.cidrs),
            egress=self.egress,
            internal_hosts=tuple(self.internal_hosts),
            peer_networks=self.peer_networks,
        )

    @property
    def private_subnet_ids(self) -> pulumi.Output[list[str]]:
        """All private subnets, in the order of the zones."""
        return pulumi.Output.all(*self.private_subnets.values())

    @property
    def public_subnet_ids(self) -> pulumi.Output[list[str]]:
        """All public subnets, in the order of the zones."""
        return pulumi.Output.all(*self.public_subnets.values())


def network_outputs(spec: NetworkSpec, **made: Any) -> NetworkOutputs:
    """The outputs of a network of a known spec, with its resources in `made`: fields of
    NetworkOutputs.
    """
    facts: dict[str, Any] = {
        "cidrs": spec.ranges,
        "egress": spec.egress,
        "internal_hosts": spec.internal_hosts,
        "peer_networks": spec.peer_networks,
    }
    return NetworkOutputs(**facts, **made)
