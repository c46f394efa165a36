"""What the cluster autoscaler may do in AWS: read much, change only the groups of its own
cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pulumi
from pulumi_aws import iam

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.base import Component, account_of, checked, named
from jupyterhub_aws.components.iam import document
from jupyterhub_aws.components.partition import partition_of
from jupyterhub_aws.config.specs.node_groups import discovery_tags
from jupyterhub_aws.config.values import ClusterName, Region


@dataclass(frozen=True, kw_only=True, eq=False)
class AutoscalerPolicyArgs:
    """Which groups the policy lets an autoscaler change: those of one cluster.

    Attributes:
        cluster_name: The cluster's name in EKS: it is in the tag by which the autoscaler finds its
            groups.
        region: The cluster's AWS region.
        account: The AWS account; without it the one of the provider.
        group_prefix: How the names of these groups begin; without it the cluster's name.
        physical_name: The prefix of the policy's name; without it the cluster's name.
        tags: The policy's tags.

    """

    cluster_name: str
    region: str
    account: pulumi.Input[str] | None = None
    group_prefix: str | None = None
    physical_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def resolved(self, name: str) -> str:
        """The prefix of the policy's name. Raises ArgumentError with every problem."""
        given = Arguments("AutoscalerPolicy", name)
        given.check_value(ClusterName, self.cluster_name, "cluster_name")
        given.check_value(Region, self.region, "region")
        given.check_value(ClusterName | None, self.group_prefix, "group_prefix")
        given.tags(self.tags)
        physical = (
            self.cluster_name
            if self.physical_name is None
            else given.physical_name(self.physical_name)
        )
        given.done()
        return physical


def autoscaler_document(
    cluster: str, region: str, account: str, group_prefix: str | None = None
) -> str:
    """The policy, each call with its reason.

    Source: kubernetes/autoscaler 1.35, cloudprovider/aws/README.md and auto_scaling_groups.go. The
    describing calls know no resources in IAM, so they stand on `*` (Service Authorization
    Reference); the changing ones stand on this cluster's tags. DescribeScalingActivities is what
    makes it give up on a spot group without capacity after a minute or two instead of
    max-node-provision-time. Absent on purpose: eks:DescribeNodegroup for groups that it must not
    scale, and ec2:GetInstanceTypesFromInstanceRequirements, since no group here is described by
    requirements.
    """
    return document(
        {
            "Sid": "ReadGroupsAndTypes",
            "Effect": "Allow",
            "Action": [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
            ],
            "Resource": "*",
        },
        {
            "Sid": "ChangeOwnGroups",
            "Effect": "Allow",
            "Action": [
                "autoscaling:SetDesiredCapacity",
                "autoscaling:TerminateInstanceInAutoScalingGroup",
            ],
            "Resource": (
                f"arn:{partition_of(region)}:autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{group_prefix or cluster}-*"
            ),
            "Condition": {
                "StringEquals": {
                    f"aws:ResourceTag/{key}": value
                    for key, value in discovery_tags(cluster).items()
                }
            },
        },
    )


class AutoscalerPolicy(Component):
    """The policy by itself, so that a cluster which has its own autoscaler can use it alone. `arn`
    is the policy's.

    Raises ArgumentError with every problem of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:AutoscalerPolicy"
    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: AutoscalerPolicyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        physical = f"{checked(AutoscalerPolicy, name, args, AutoscalerPolicyArgs).resolved(name)}-cluster-autoscaler"
        super().__init__(name, opts)
        policy = iam.Policy(
            f"{name}-document",
            name=physical,
            description=f"Scale the groups of {args.cluster_name}, and no others",
            policy=account_of(args.account).apply(
                lambda account: autoscaler_document(
                    args.cluster_name, args.region, account, args.group_prefix
                )
            ),
            tags=named(args.tags, physical),
            opts=self.child(),
        )
        self.arn = policy.arn
        self.register_outputs({"arn": self.arn})
