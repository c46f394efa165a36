"""Peer networks of an isolated network: their connections, and a route for each of their ranges
in every zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import ec2, ec2transitgateway

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.config.egress import RoutedPeerNetwork, TransitGateway


@dataclass(frozen=True, kw_only=True, eq=False)
class PeerNetworksArgs:
    """`tables` are the route tables by zone letter, `subnet_ids` one subnet for each zone."""

    peer_networks: Mapping[str, RoutedPeerNetwork]
    prefix: str
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    tables: Mapping[str, pulumi.Input[str]]
    tags: Mapping[str, str]


class PeerNetworks(Component):
    """Attachments to transit gateways, and peerings. Each transit gateway has one attachment,
    however many peer networks are behind it.
    """

    token: ClassVar[str] = "jupyterhub-aws:airgap:PeerNetworks"

    def __init__(
        self, name: str, args: PeerNetworksArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        gateways = sorted(
            {
                item.via.id
                for item in args.peer_networks.values()
                if isinstance(item.via, TransitGateway)
            }
        )
        self._attached = {gateway: self._attachment(gateway) for gateway in gateways}
        routes = [
            route
            for which, peer in sorted(args.peer_networks.items())
            for route in self._routes(which, peer)
        ]
        self.register_outputs({"routes": len(routes)})

    def _attachment(self, gateway: str) -> ec2transitgateway.VpcAttachment:
        return ec2transitgateway.VpcAttachment(
            f"{self._name}-{gateway}",
            transit_gateway_id=gateway,
            vpc_id=self._args.vpc_id,
            subnet_ids=list(self._args.subnet_ids),
            dns_support="enable",
            tags=named(self._args.tags, f"{self._args.prefix}-{gateway}"),
            opts=self.child(),
        )

    def _routes(self, which: str, peer: RoutedPeerNetwork) -> list[ec2.Route]:
        target: dict[str, Any]
        after: list[pulumi.Resource] = []
        if isinstance(peer.via, TransitGateway):
            target, after = {"transit_gateway_id": peer.via.id}, [self._attached[peer.via.id]]
        else:
            peering = ec2.VpcPeeringConnection(
                f"{self._name}-{which}",
                vpc_id=self._args.vpc_id,
                peer_vpc_id=peer.via.vpc_id,
                peer_owner_id=peer.via.owner,
                auto_accept=peer.via.owner is None,
                tags=named(self._args.tags, f"{self._args.prefix}-{which}"),
                opts=self.child(),
            )
            target = {"vpc_peering_connection_id": peering.id}
        return [
            ec2.Route(
                f"{self._name}-{which}-{letter}-{cidr.replace('/', '-')}",
                route_table_id=table,
                destination_cidr_block=cidr,
                **target,
                opts=self.child(depends_on=after),
            )
            for letter, table in self._args.tables.items()
            for cidr in peer.cidrs
        ]
