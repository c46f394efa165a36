"""What all nodes of a cluster share: where they start, and what they may do in AWS. Pods have
roles of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.iam import service_trust
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.components.partition import managed_policy

#: EKS user guide, "Amazon EKS node IAM role". The CNI's policy is not here: it has a role by Pod
#: Identity.
_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeParts:
    """`prefix` is that of physical names, `volume_key` the KMS key of root volumes.

    `before_nodes` is what a node needs to join: addresses for pods, their credentials, and a way to
    the internet or to private endpoints.
    """

    cluster: ClusterOutputs
    network: NetworkOutputs
    prefix: str
    volume_key: str | None
    tags: Mapping[str, str]
    before_nodes: Sequence[pulumi.Resource]


def node_role(
    parent: Component, name: str, parts: NodeParts, *, physical: str
) -> tuple[iam.Role, list[pulumi.Resource]]:
    """A role for nodes with that physical name, as children of `parent`, and what has to be
    attached before they start.
    """
    role = iam.Role(
        f"{name}-node",
        name=physical,
        assume_role_policy=service_trust("ec2.amazonaws.com"),
        tags=named(parts.tags, physical),
        opts=parent.child(),
    )
    attached: list[pulumi.Resource] = [
        iam.RolePolicyAttachment(
            f"{name}-node-{policy}",
            role=role.name,
            policy_arn=managed_policy(parts.cluster.region, policy),
            opts=parent.child(),
        )
        for policy in _POLICIES
    ]
    return role, attached
