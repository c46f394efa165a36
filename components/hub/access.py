"""The roles of users' servers in AWS, one for each distinct access of a hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import iam
from pulumi_aws.eks import PodIdentityAssociation

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import pod_identity_trust
from jupyterhub_aws.config.specs.server_access import AccessSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class ServerRoleArgs:
    """`access` is what the role allows; `cluster_name` the cluster whose pods get it, by
    EKS Pod Identity; `hub` the hub's name.
    """

    access: AccessSpec
    cluster_name: pulumi.Input[str]
    hub: str
    tags: Mapping[str, str]


class ServerRole(Component):
    """A role that only pods of one service account of the hub's namespace get. No pod can choose
    its service account: the hub does, by profile and groups.
    """

    token: ClassVar[str] = "jupyterhub-aws:hub:ServerRole"

    def __init__(
        self, name: str, args: ServerRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        access = args.access
        tags = named(args.tags, access.role_name)
        role = iam.Role(
            f"{name}-role",
            name=access.role_name,
            description=f"Users' servers of hub {args.hub}: {access.name}",
            assume_role_policy=pod_identity_trust(),
            tags=tags,
            opts=self.child(),
        )
        if access.policy_text is not None:
            iam.RolePolicy(
                f"{name}-policy",
                name=f"access-{access.name}",
                role=role.name,
                policy=access.policy_text,
                opts=self.child(),
            )
        for policy, arn in zip(access.policies, access.policy_arns, strict=True):
            iam.RolePolicyAttachment(
                f"{name}-{policy.rpartition('/')[2]}",
                role=role.name,
                policy_arn=arn,
                opts=self.child(),
            )
        PodIdentityAssociation(
            f"{name}-association",
            cluster_name=args.cluster_name,
            namespace=access.names.namespace,
            service_account=access.service_account,
            role_arn=role.arn,
            tags=tags,
            opts=self.child(),
        )
        self.register_outputs({"role": role.name})
