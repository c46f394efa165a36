"""What the cluster autoscaler may do in AWS: read much, change only the groups of its own cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import iam

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import document
from jupyterhub_aws.components.partition import partition_of


@dataclass(frozen=True, kw_only=True, eq=False)
class AutoscalerPolicyArgs:
    """`cluster` is the cluster's name in EKS; the policy's conditions are made from it."""

    cluster: str
    region: str
    account: pulumi.Input[str]
    tags: Mapping[str, str]


def autoscaler_document(cluster: str, region: str, account: str) -> str:
    """The policy, each call with its reason.

    Source: kubernetes/autoscaler 1.35, cloudprovider/aws/README.md and auto_scaling_groups.go. The describing calls
    know no resources in IAM, so they stand on `*` (Service Authorization Reference); the changing ones stand on this
    cluster's tags. DescribeScalingActivities is what makes it give up on a spot group without capacity after a minute
    or two instead of max-node-provision-time. Absent on purpose: eks:DescribeNodegroup for groups that it must not
    scale, and ec2:GetInstanceTypesFromInstanceRequirements, since no group here is described by requirements.
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
            "Action": ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            "Resource": f"arn:{partition_of(region)}:autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{cluster}-*",
            "Condition": {
                "StringEquals": {
                    "aws:ResourceTag/k8s.io/cluster-autoscaler/enabled": "true",
                    f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned",
                }
            },
        },
    )


class AutoscalerPolicy(Component):
    """The policy by itself, so that a cluster which has its own autoscaler can use it alone."""

    token: ClassVar[str] = "jupyterhub-aws:index:AutoscalerPolicy"
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: AutoscalerPolicyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        physical = f"{args.cluster}-cluster-autoscaler"
        policy = iam.Policy(
            f"{name}-document",
            name=physical,
            description=f"Scale the groups of {args.cluster}, and no others",
            policy=pulumi.Output.from_input(args.account).apply(lambda account: autoscaler_document(args.cluster, args.region, account)),
            tags=named(args.tags, physical),
            opts=self.child(),
        )
        self.arn = policy.arn
        self.register_outputs({"arn": self.arn})
