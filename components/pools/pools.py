"""All nodes of a stack: the core pool, and the groups of every user pool with what they share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pulumi
from pulumi_aws import eks, iam, kms

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.partition import partition_of
from jupyterhub_aws.components.pools.args import NodePoolsArgs
from jupyterhub_aws.components.pools.core import CorePool
from jupyterhub_aws.components.pools.outputs import NodePoolsOutputs
from jupyterhub_aws.components.pools.roles import node_role
from jupyterhub_aws.components.pools.user_group import UserGroup, UserGroupArgs
from jupyterhub_aws.config.specs.node_groups import group_specs, pool_specs

__all__ = ["NodePools", "NodePoolsArgs"]


class NodePools(Component):
    """The core pool and all user pools. `ready` is what waits for the first node."""

    token: ClassVar[str] = "jupyterhub-aws:index:NodePools"
    scheduling: pulumi.Output[dict[str, Any]]
    core_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: NodePoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        if args.stack.eks.volume_key is not None:
            args = replace(args, before_nodes=[*args.before_nodes, self._volume_key(name, args)])
        core = CorePool(f"{name}-core", args, self.child())
        self.ready = core.ready
        self.core_group_name = core.autoscaling_group_name
        groups = group_specs(args.stack)
        self.groups: dict[str, UserGroup] = {}
        if groups:
            profile, granted = self._user_nodes(name, args)
            self.groups = {
                group.suffix: UserGroup(
                    f"{name}-{group.suffix}",
                    UserGroupArgs(pools=args, group=group, profile_arn=profile.arn, after=[*granted, *args.before_nodes]),
                    self.child(),
                )
                for group in groups
            }
        self.outputs = NodePoolsOutputs(
            section=args.stack.pools,
            groups=groups, group_names={key: group.group_name for key, group in self.groups.items()}, core_group_name=self.core_group_name, ready=self.ready
        )
        self.scheduling = pulumi.Output.from_input(
            {
                spec.name: {"node_selector": spec.node_selector, "tolerations": spec.tolerations, "affinity": spec.affinity, "gpus": spec.gpus}
                for spec in pool_specs(args.stack)
            }
        )
        self.register_outputs({"core": core.group_name, "groups": {suffix: group.group_name for suffix, group in self.groups.items()}})

    def _user_nodes(self, name: str, args: NodePoolsArgs) -> tuple[iam.InstanceProfile, list[pulumi.Resource]]:
        """Role and profile of user nodes, and the access entry without which the API server does not know them.

        A role of their own: EKS makes the entry of a managed group's role by itself, and refuses a second one.
        """
        physical = f"{args.stack.name}-user-node"
        role, granted = node_role(self, f"{name}-user", args, physical=physical)
        profile = iam.InstanceProfile(f"{name}-user-node", name=physical, role=role.name, tags=named(args.tags, physical), opts=self.child())
        entry = eks.AccessEntry(
            f"{name}-user-node", cluster_name=args.cluster_name, principal_arn=role.arn, type="EC2_LINUX", tags=named(args.tags, physical), opts=self.child()
        )
        return profile, [*granted, entry]

    def _volume_key(self, name: str, args: NodePoolsArgs) -> kms.Grant:
        """Auto Scaling starts the nodes, so its service role has to use the key of their volumes
        (EC2 Auto Scaling user guide, "Required AWS KMS key policy for use with encrypted volumes").
        """
        partition = partition_of(args.stack.region)
        return kms.Grant(
            f"{name}-volume-key",
            name=f"{args.stack.name}-node-volumes",
            key_id=str(args.stack.eks.volume_key),
            grantee_principal=pulumi.Output.from_input(args.account).apply(
                lambda account: f"arn:{partition}:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
            ),
            operations=[
                "Encrypt",
                "Decrypt",
                "ReEncryptFrom",
                "ReEncryptTo",
                "GenerateDataKey",
                "GenerateDataKeyWithoutPlaintext",
                "DescribeKey",
                "CreateGrant",
            ],
            opts=self.child(),
        )
