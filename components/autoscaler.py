"""The cluster autoscaler: its IAM policy, its identity, and its release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pulumi
from pulumi_aws import eks, iam
from pulumi_kubernetes.helm.v3 import Release

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.base import Component, account_of, checked, named
from jupyterhub_aws.components.charts import chart
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs, in_cluster
from jupyterhub_aws.components.iam import document, partition_of, pod_identity_trust
from jupyterhub_aws.components.pools.args import NodePoolsOutputs
from jupyterhub_aws.config.specs.autoscaler import NAME, NAMESPACE, AutoscalerSpec
from jupyterhub_aws.config.specs.images import UPSTREAM, Images
from jupyterhub_aws.config.specs.node_groups import discovery_tags
from jupyterhub_aws.config.values import ClusterName, Region

# --- IAM permissions of the cluster autoscaler: it reads all groups, and changes only those of its
# own cluster.


@dataclass(frozen=True, kw_only=True, eq=False)
class AutoscalerPolicyArgs:
    """Which groups an autoscaler may change by the policy: those of one cluster.

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
    describing calls support no resources in IAM, so their resource is `*` (Service Authorization
    Reference); the changing ones are limited by this cluster's tags. DescribeScalingActivities is
    what makes it give up on a spot group without capacity after a minute or two instead of
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


# --- The cluster autoscaler: `ClusterAutoscaler` is the whole; its two parts are for split stacks,
# each of which makes one of them.


@dataclass(frozen=True, kw_only=True, eq=False)
class AutoscalerIdentityArgs:
    """`name` is the prefix of physical names, `policy_arn` what AutoscalerPolicy made."""

    name: str
    cluster_name: pulumi.Input[str]
    policy_arn: pulumi.Input[str]
    tags: Mapping[str, str]


class AutoscalerIdentity(Component):
    """The role that the autoscaler's pod gets when it is admitted; `ready` is what has to exist
    before that.
    """

    token: ClassVar[str] = "jupyterhub-aws:autoscaler:AutoscalerIdentity"
    role_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: AutoscalerIdentityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        physical = f"{args.name}-cluster-autoscaler"
        role = iam.Role(
            f"{name}-role",
            name=physical,
            assume_role_policy=pod_identity_trust(),
            tags=named(args.tags, physical),
            opts=self.child(),
        )
        attached = iam.RolePolicyAttachment(
            f"{name}-role", role=role.name, policy_arn=args.policy_arn, opts=self.child()
        )
        association = eks.PodIdentityAssociation(
            f"{name}-association",
            cluster_name=args.cluster_name,
            namespace=NAMESPACE,
            service_account=NAME,
            role_arn=role.arn,
            tags=named(args.tags, physical),
            opts=self.child(),
        )
        self.ready: list[pulumi.Resource] = [attached, association]
        self.role_arn = role.arn
        self.register_outputs({"role_arn": self.role_arn})


@dataclass(frozen=True, kw_only=True, eq=False)
class AutoscalerReleaseArgs:
    """`spec` has the autoscaler's settings, `images` name its image and chart."""

    spec: AutoscalerSpec
    images: Images = UPSTREAM


class AutoscalerRelease(Component):
    """The release alone, whose role and its association another stack made. Needs a Kubernetes
    provider among its providers.
    """

    token: ClassVar[str] = "jupyterhub-aws:autoscaler:AutoscalerRelease"
    release: pulumi.Output[str | None]

    def __init__(
        self, name: str, args: AutoscalerReleaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self.release = _release(name, args.spec, args.images, self.child()).name
        self.register_outputs({"release": self.release})


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterAutoscalerArgs:
    """What the autoscaler of a cluster is made from.

    Attributes:
        cluster: The outputs of a cluster, or of one of your own.
        pools: The outputs of its node pools, whose groups it scales.
        images: Where its image and chart come from; the default: their publishers.
        paused: It is installed with no replicas.
        depends_on: What its pod needs besides, such as nodes.
        physical_name: The prefix of names in AWS; without it the cluster's name. At most 24
            characters.
        tags: Tags of every resource in AWS.
        account: The AWS account; without it the one of the provider.

    """

    cluster: ClusterOutputs
    pools: NodePoolsOutputs
    images: Images = UPSTREAM
    paused: bool = False
    depends_on: Sequence[pulumi.Resource] = ()
    physical_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    account: pulumi.Input[str] | None = None

    def resolved(self, name: str) -> AutoscalerSpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("ClusterAutoscaler", name)
        given.tags(self.tags)
        cluster = given.handle("cluster", self.cluster, ClusterOutputs)
        if cluster is not None:
            given.check_cluster(cluster, for_nodes=False)
        physical = given.physical_name(
            self.physical_name, default=None if cluster is None else cluster.name
        )
        pools = given.handle("pools", self.pools, NodePoolsOutputs)
        given.handle(
            "images",
            self.images,
            Images,
            fix="give the names of your own registry: Images(registry=...)",
        )
        given.check_value(bool, self.paused, "paused")
        given.check_resources(self.depends_on)
        given.done()
        assert cluster is not None and pools is not None  # noqa: S101 -- else there was a problem
        return AutoscalerSpec(
            name=physical,
            cluster=cluster.name,
            region=cluster.region,
            kubernetes=cluster.version,
            groups=pools.spec.groups,
            environment=cluster.proxy_environment,
            paused=self.paused,
        )


class ClusterAutoscaler(Component):
    """Adds nodes when a server cannot be placed, and removes empty ones: its policy, its identity,
    and its release.

    A Kubernetes provider among its providers is used; without one, that of `cluster`. Raises
    ArgumentError with every problem of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:ClusterAutoscaler"
    release: pulumi.Output[str | None]
    role_arn: pulumi.Output[str]
    policy_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: ClusterAutoscalerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        spec = checked(ClusterAutoscaler, name, args, ClusterAutoscalerArgs).resolved(name)
        cluster = args.cluster
        super().__init__(name, in_cluster(cluster, opts))
        policy = AutoscalerPolicyArgs(
            cluster_name=cluster.name,
            region=cluster.region,
            account=args.account,
            group_prefix=args.pools.spec.prefix,
            physical_name=spec.name,
            tags=args.tags,
        )
        self.policy_arn = AutoscalerPolicy(f"{name}-policy", policy, self.child()).arn
        identity = AutoscalerIdentity(
            f"{name}-identity",
            AutoscalerIdentityArgs(
                name=spec.name,
                cluster_name=cluster.name_output,
                policy_arn=self.policy_arn,
                tags=args.tags,
            ),
            self.child(),
        )
        self.role_arn = identity.role_arn
        # Credentials are injected when the pod is admitted: a pod that starts before its
        # association would never get any.
        self.release = _release(
            name, spec, args.images, self.child(depends_on=[*args.depends_on, *identity.ready])
        ).name
        self.register_outputs(
            {"release": self.release, "role_arn": self.role_arn, "policy_arn": self.policy_arn}
        )


def _release(
    name: str, spec: AutoscalerSpec, images: Images, opts: pulumi.ResourceOptions
) -> Release:
    return Release(
        f"{name}-release",
        **chart("cluster-autoscaler", images, kubernetes=spec.kubernetes),
        name=NAME,
        namespace=NAMESPACE,
        values=images.values(spec.values),
        opts=opts,
    )
