"""The security group of nodes in an isolated network: it lists every permitted destination; all
others are denied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import ec2, vpc

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs

_HTTPS = 443
#: EKS user guide, "View Amazon EKS security group requirements": what the control plane needs of
#: nodes: kubelet, and webhooks on any higher port.
_FROM_CONTROL_PLANE = (1025, 65535)


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeSecurityArgs:
    """`cluster` is the cluster of the nodes, whose own security group is that of the control
    plane's interfaces.
    """

    cluster: ClusterOutputs
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class _Flow:
    """One permitted flow: egress of nodes (`out`), or ingress. `other` names the other side by
    one kind of reference.
    """

    name: str
    description: str
    other: Mapping[str, Any]
    ports: tuple[int, int] | None
    out: bool = True


class NodeSecurity(Component):
    """Nodes among themselves, the control plane, private endpoints, S3 by its prefix list, and the
    listed ports of peer networks.

    EKS's own group, which open networks use, allows all egress; EKS creates it, so no program can
    narrow it before a node has started. Here only the control plane's interfaces use it.
    """

    token: ClassVar[str] = "jupyterhub-aws:airgap:NodeSecurity"
    security_group_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: NodeSecurityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._cluster, self._network = args.cluster, args.cluster.vpc
        self._tags = named(args.tags, f"{self._cluster.name}-nodes")
        group = ec2.SecurityGroup(
            f"{name}-group",
            name=f"{self._cluster.name}-nodes",
            description="Nodes of a closed network: listed destinations only",
            vpc_id=self._network.vpc_id,
            tags={**self._tags, f"kubernetes.io/cluster/{self._cluster.name}": "owned"},
            opts=self.child(),
        )
        self.security_group_id = group.id
        self.ready: list[pulumi.Resource] = [
            self._rule(group.id, flow) for flow in self._flows(group.id)
        ]
        self.ready += self._let_in(group.id)
        self.register_outputs({"security_group_id": self.security_group_id})

    def _flows(self, own: pulumi.Output[str]) -> Iterator[_Flow]:
        network = self._network
        itself, control_plane = (
            {"referenced_security_group_id": own},
            {"referenced_security_group_id": self._cluster.control_plane_group_id},
        )
        yield _Flow(
            name="to-nodes", description="Nodes and pods among themselves", other=itself, ports=None
        )
        yield _Flow(
            name="from-nodes",
            description="Nodes and pods among themselves",
            other=itself,
            ports=None,
            out=False,
        )
        yield _Flow(
            name="to-control-plane",
            description="Kubernetes API",
            other=control_plane,
            ports=(_HTTPS, _HTTPS),
        )
        yield _Flow(
            name="from-control-plane",
            description="Kubelet and webhooks",
            other=control_plane,
            ports=_FROM_CONTROL_PLANE,
            out=False,
        )
        if network.endpoints_security_group_id is not None:
            endpoints = {"referenced_security_group_id": network.endpoints_security_group_id}
            yield _Flow(
                name="to-endpoints",
                description="AWS APIs by private endpoints",
                other=endpoints,
                ports=(_HTTPS, _HTTPS),
            )
        else:
            for cidr in network.cidrs:
                yield _Flow(
                    name=f"to-{_named(cidr)}",
                    description="AWS APIs by private endpoints of the VPC",
                    other={"cidr_ipv4": cidr},
                    ports=(_HTTPS, _HTTPS),
                )
        if network.s3_prefix_list_id is not None:
            s3 = {"prefix_list_id": network.s3_prefix_list_id}
            yield _Flow(
                name="to-s3",
                description="Layers of images, from S3 by its gateway",
                other=s3,
                ports=(_HTTPS, _HTTPS),
            )
        for which, peer in sorted(network.peer_networks.items()):
            for cidr in peer.cidrs:
                for port in peer.ports:
                    name = f"to-{which}-{_named(cidr)}-{port}"
                    yield _Flow(
                        name=name,
                        description=f"Peer network {which}",
                        other={"cidr_ipv4": cidr},
                        ports=(port, port),
                    )

    def _rule(self, group: pulumi.Output[str], flow: _Flow) -> pulumi.Resource:
        kind = vpc.SecurityGroupEgressRule if flow.out else vpc.SecurityGroupIngressRule
        ports = (
            {"ip_protocol": "-1"}
            if flow.ports is None
            else {"ip_protocol": "tcp", "from_port": flow.ports[0], "to_port": flow.ports[1]}
        )
        return kind(
            f"{self._name}-{flow.name}",
            security_group_id=group,
            description=flow.description,
            **flow.other,
            **ports,
            tags=self._tags,
            opts=self.child(),
        )

    def _let_in(self, nodes: pulumi.Output[str]) -> list[pulumi.Resource]:
        """The ingress rules for connections that nodes open: at the control plane, and at the
        endpoints.
        """
        endpoints = {
            "control-plane": self._cluster.control_plane_group_id,
            "endpoints": self._network.endpoints_security_group_id,
        }
        return [
            vpc.SecurityGroupIngressRule(
                f"{self._name}-into-{which}",
                security_group_id=group,
                referenced_security_group_id=nodes,
                ip_protocol="tcp",
                from_port=_HTTPS,
                to_port=_HTTPS,
                description="HTTPS from nodes",
                tags=self._tags,
                opts=self.child(),
            )
            for which, group in endpoints.items()
            if group is not None
        ]


def _named(cidr: str) -> str:
    return cidr.replace("/", "-")
