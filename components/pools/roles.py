"""What a node may do in AWS: join its cluster and pull images. Pods have roles of their own."""

from __future__ import annotations

import pulumi
from pulumi_aws import iam

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import service_trust
from jupyterhub_aws.components.partition import managed_policy
from jupyterhub_aws.components.pools.args import NodePoolsArgs

#: EKS user guide, "Amazon EKS node IAM role". The CNI's policy is not here: it has a role by Pod Identity.
_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")


def node_role(parent: Component, name: str, args: NodePoolsArgs, *, physical: str) -> tuple[iam.Role, list[pulumi.Resource]]:
    """A role for nodes with that physical name, as children of `parent`, and what has to be attached before they start."""
    role = iam.Role(f"{name}-node", name=physical, assume_role_policy=service_trust("ec2.amazonaws.com"), tags=named(args.tags, physical), opts=parent.child())
    attached: list[pulumi.Resource] = [
        iam.RolePolicyAttachment(f"{name}-node-{policy}", role=role.name, policy_arn=managed_policy(args.stack.region, policy), opts=parent.child())
        for policy in _POLICIES
    ]
    return role, attached
