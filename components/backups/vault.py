"""A vault: where backups lie, encrypted by a key of its own, and from where nobody takes them by
hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import backup, kms

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.cluster.documents import key_policy
from jupyterhub_aws.components.iam import document
from jupyterhub_aws.components.partition import partition_of
from jupyterhub_aws.config.backups import VaultLock

_KEY_DELETION_DAYS = 30
#: What would take a backup away before its day. AWS Backup's own expiry is none of these calls.
_TAKING_AWAY = [
    "backup:DeleteRecoveryPoint",
    "backup:DisassociateRecoveryPoint",
    "backup:UpdateRecoveryPointLifecycle",
]


def vault_policy() -> str:
    """The vault's access policy: nobody deletes a backup by hand, or makes its day an earlier one.

    AWS Backup developer guide, "Vault access policies": no wildcard in an action, and recovery
    points of volumes have ARNs of EC2, so the resource is `*`. Who may write this policy can take
    it away again: only `vault_lock` holds against them.
    """
    return document(
        {
            "Sid": "NobodyTakesBackupsAway",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": list(_TAKING_AWAY),
            "Resource": "*",
        }
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class BackupVaultArgs:
    """`vault_name` is its name in AWS; `region` where it lies, None for the stack's own;
    `account` the account's number.
    """

    vault_name: str
    region: str | None
    partition_region: str
    account: pulumi.Input[str]
    lock: VaultLock | None
    tags: Mapping[str, str]


class BackupVault(Component):
    """Kept whatever happens to the stack: it is what is left when everything else went wrong."""

    token: ClassVar[str] = "jupyterhub-aws:backups:BackupVault"
    vault_name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: BackupVaultArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        tags, partition = named(args.tags, args.vault_name), partition_of(args.partition_region)
        key = kms.Key(
            f"{name}-key",
            description=f"Backups in {args.vault_name}",
            enable_key_rotation=True,
            deletion_window_in_days=_KEY_DELETION_DAYS,
            policy=pulumi.Output.from_input(args.account).apply(
                lambda account: key_policy(partition, account)
            ),
            region=args.region,
            tags=tags,
            opts=self.kept(),
        )
        kms.Alias(
            f"{name}-key-alias",
            name=f"alias/{args.vault_name}",
            target_key_id=key.key_id,
            region=args.region,
            opts=self.child(),
        )
        vault = backup.Vault(
            f"{name}-vault",
            name=args.vault_name,
            kms_key_arn=key.arn,
            region=args.region,
            tags=tags,
            opts=self.kept(),
        )
        backup.VaultPolicy(
            f"{name}-policy",
            backup_vault_name=vault.name,
            policy=vault_policy(),
            region=args.region,
            opts=self.kept(),
        )
        if args.lock is not None:
            backup.VaultLockConfiguration(
                f"{name}-lock",
                backup_vault_name=vault.name,
                min_retention_days=args.lock.min_days,
                max_retention_days=args.lock.max_days,
                changeable_for_days=args.lock.grace_days,
                region=args.region,
                opts=self.child(),
            )
        self.vault_name, self.arn = vault.name, vault.arn
        self.register_outputs({"vault_name": self.vault_name, "arn": self.arn})
