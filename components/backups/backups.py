"""AWS Backup for one stack: vault, copy elsewhere, plan, selection by tag, and a role for each direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import backup, iam

from jupyterhub_aws.components.backups.plan import backup_role_name, copy_vault_name, plan_rules, restore_role_name, vault_name
from jupyterhub_aws.components.backups.vault import BackupVault, BackupVaultArgs
from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import service_trust
from jupyterhub_aws.components.partition import managed_policy
from jupyterhub_aws.config.backups import TAG, AwsBackup

_SERVICE = "backup.amazonaws.com"


@dataclass(frozen=True, kw_only=True, eq=False)
class AwsBackupsArgs:
    """`backups` is the stack's section of kind `aws_backup`; `account` the account's number."""

    backups: AwsBackup
    stack_name: str
    region: str
    account: pulumi.Input[str]
    tags: Mapping[str, str]


class AwsBackups(Component):
    """Whatever carries the tag is backed up, also a volume that did not exist when this was built. `vault_name` is the vault's."""

    token: ClassVar[str] = "jupyterhub-aws:backups:AwsBackups"
    vault_name: pulumi.Output[str]

    def __init__(self, name: str, args: AwsBackupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        vault = BackupVault(f"{name}-main", self._vault(vault_name(args.stack_name), None), self.child())
        elsewhere = args.backups.copy_to_region
        copies = None if elsewhere is None else BackupVault(f"{name}-copy", self._vault(copy_vault_name(args.stack_name), elsewhere.region), self.child())
        role = self._role("role", backup_role_name(args.stack_name), "service-role/AWSBackupServiceRolePolicyForBackup")
        self._role("restore-role", restore_role_name(args.stack_name), "service-role/AWSBackupServiceRolePolicyForRestores")
        rules: Any = plan_rules(args.backups, vault.vault_name, None if copies is None else copies.arn)
        plan = backup.Plan(f"{name}-plan", name=f"{args.stack_name}-backups", rules=rules, tags=self._tags("backups"), opts=self.child())
        backup.Selection(
            f"{name}-selection",
            name=f"{args.stack_name}-by-tag",
            plan_id=plan.id,
            iam_role_arn=role.arn,
            selection_tags=[{"type": "STRINGEQUALS", "key": TAG, "value": args.stack_name}],
            opts=self.child(),
        )
        self.vault_name = vault.vault_name
        self.register_outputs({"vault_name": self.vault_name})

    def _tags(self, suffix: str) -> dict[str, str]:
        return named(self._args.tags, f"{self._args.stack_name}-{suffix}")

    def _vault(self, physical: str, region: str | None) -> BackupVaultArgs:
        args = self._args
        return BackupVaultArgs(
            vault_name=physical, region=region, partition_region=args.region, account=args.account, lock=args.backups.vault_lock, tags=args.tags
        )

    def _role(self, suffix: str, physical: str, policy: str) -> iam.Role:
        role = iam.Role(
            f"{self._name}-{suffix}", name=physical, assume_role_policy=service_trust(_SERVICE), tags=named(self._args.tags, physical), opts=self.child()
        )
        iam.RolePolicyAttachment(f"{self._name}-{suffix}-policy", role=role.name, policy_arn=managed_policy(self._args.region, policy), opts=self.child())
        return role
