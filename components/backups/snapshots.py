"""Snapshots of volumes by Amazon Data Lifecycle Manager, for whoever does not use AWS Backup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import dlm, iam

from jupyterhub_aws.components.backups.plan import snapshot_schedules
from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import service_trust
from jupyterhub_aws.components.partition import managed_policy
from jupyterhub_aws.config.backups import TAG, Snapshots


@dataclass(frozen=True, kw_only=True, eq=False)
class SnapshotLifecycleArgs:
    """`backups` is the stack's section of kind `snapshots`."""

    backups: Snapshots
    stack_name: str
    region: str
    tags: Mapping[str, str]


class SnapshotLifecycle(Component):
    """Whatever volume carries the tag gets snapshots, which carry the volume's tags. `policy_id` is the policy's."""

    token: ClassVar[str] = "jupyterhub-aws:backups:SnapshotLifecycle"
    policy_id: pulumi.Output[str]

    def __init__(self, name: str, args: SnapshotLifecycleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        physical = f"{args.stack_name}-snapshots"
        tags = named(args.tags, physical)
        role = iam.Role(f"{name}-role", name=physical, assume_role_policy=service_trust("dlm.amazonaws.com"), tags=tags, opts=self.child())
        attached = iam.RolePolicyAttachment(
            f"{name}-role-policy",
            role=role.name,
            policy_arn=managed_policy(args.region, "service-role/AWSDataLifecycleManagerServiceRole"),
            opts=self.child(),
        )
        details: Any = {
            "policy_type": "EBS_SNAPSHOT_MANAGEMENT",
            "resource_types": ["VOLUME"],
            "target_tags": {TAG: args.stack_name},
            "schedules": snapshot_schedules(args.backups),
        }
        policy = dlm.LifecyclePolicy(
            f"{name}-policy",
            description=f"Volumes of {args.stack_name}",  # letters, digits, spaces, _ and - alone (Data Lifecycle Manager API, CreateLifecyclePolicy)
            execution_role_arn=role.arn,
            state="ENABLED",
            policy_details=details,
            tags=tags,
            opts=self.child(depends_on=[attached]),
        )
        self.policy_id = policy.id
        self.register_outputs({"policy_id": self.policy_id})
