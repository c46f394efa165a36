"""The cluster autoscaler: its role by Pod Identity in AWS, and its Helm release in the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import eks, iam
from pulumi_kubernetes.helm.v3 import Release

from jupyterhub_aws.components.autoscaler.values import NAME, NAMESPACE, autoscaler_values
from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.charts import chart
from jupyterhub_aws.components.iam import pod_identity_trust
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class AutoscalerIdentityArgs:
    """`policy_arn` is what AutoscalerPolicy made."""

    stack_name: str
    cluster_name: pulumi.Input[str]
    policy_arn: pulumi.Input[str]
    tags: Mapping[str, str]


class AutoscalerIdentity(Component):
    """The role that the autoscaler's pod gets when it is admitted; `ready` is what has to be there before that."""

    token: ClassVar[str] = "jupyterhub-aws:autoscaler:AutoscalerIdentity"
    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AutoscalerIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        physical = f"{args.stack_name}-cluster-autoscaler"
        role = iam.Role(f"{name}-role", name=physical, assume_role_policy=pod_identity_trust(), tags=named(args.tags, physical), opts=self.child())
        attached = iam.RolePolicyAttachment(f"{name}-role", role=role.name, policy_arn=args.policy_arn, opts=self.child())
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
class AutoscalerArgs:
    """`after` is what the release waits for: its role's association, where this program makes it."""

    stack: StackConfig
    after: Sequence[pulumi.Resource] = ()


class Autoscaler(Component):
    """Adds nodes when a server cannot be placed, and removes empty ones. Needs a Kubernetes provider among its providers."""

    token: ClassVar[str] = "jupyterhub-aws:autoscaler:Autoscaler"
    release: pulumi.Output[str | None]

    def __init__(self, name: str, args: AutoscalerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        images = resolve(args.stack).images
        release = Release(
            f"{name}-release",
            **chart("cluster-autoscaler", images, kubernetes=args.stack.cluster.version),
            name=NAME,
            namespace=NAMESPACE,
            values=images.values(autoscaler_values(args.stack)),
            # Credentials are injected when the pod is admitted: one that came before its association would never get any.
            opts=self.child(depends_on=list(args.after)),
        )
        self.release = release.name
        self.register_outputs({"release": self.release})
