"""Backups of data that cannot be recreated: a vault, a plan that selects its resources by one
tag, and roles that either back up or restore.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

import pulumi
from pulumi_aws import backup, dlm, iam, kms

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.base import Component, account_of, checked, named
from jupyterhub_aws.components.cluster.cluster import key_policy
from jupyterhub_aws.components.iam import document, managed_policy, partition_of, service_trust
from jupyterhub_aws.config.backups import (
    AwsBackup,
    CopyTo,
    Daily,
    NoBackups,
    Snapshots,
    VaultLock,
    Weekly,
    apart,
    copy_goes_elsewhere,
    lock_lets_backups_in,
)
from jupyterhub_aws.config.errors import shown
from jupyterhub_aws.config.specs.backups import BackupSpec, plan_rules, snapshot_schedules
from jupyterhub_aws.config.values import Region

# --- A vault: it stores backups, encrypted by a key of its own, and denies manual deletion.


_KEY_DELETION_DAYS = 30
#: The calls that would delete a backup before it expires. AWS Backup's own expiry is none of these
#: calls.
_TAKING_AWAY = [
    "backup:DeleteRecoveryPoint",
    "backup:DisassociateRecoveryPoint",
    "backup:UpdateRecoveryPointLifecycle",
]


def vault_policy() -> str:
    """The vault's access policy: it denies deleting a backup manually, and shortening its
    retention.

    AWS Backup developer guide, "Vault access policies": no wildcard in an action, and recovery
    points of volumes have ARNs of EC2, so the resource is `*`. Principals that may write this
    policy can remove it again: only `vault_lock` holds against them.
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
    """`vault_name` is its name in AWS; `region` where it is, None for the stack's own;
    `account` the account's number.
    """

    vault_name: str
    region: str | None
    partition_region: str
    account: pulumi.Input[str]
    lock: VaultLock | None
    tags: Mapping[str, str]


class BackupVault(Component):
    """A vault that is retained when the stack is destroyed."""

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
            opts=self.protected_options(),
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
            opts=self.protected_options(),
        )
        backup.VaultPolicy(
            f"{name}-policy",
            backup_vault_name=vault.name,
            policy=vault_policy(),
            region=args.region,
            opts=self.protected_options(),
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


# --- Backups of resources that carry one tag: AWS Backup with a vault and a copy elsewhere,
# snapshots by Data Lifecycle Manager, or none.


_KINDS: Mapping[str, type[AwsBackup | Snapshots | NoBackups]] = {
    "aws_backup": AwsBackup,
    "snapshots": Snapshots,
    "none": NoBackups,
}
_DAILY, _WEEKLY = Daily(), Weekly()
_OPTIONS = ("daily", "weekly", "copy_to_region", "vault_lock", "rds", "reason")


@dataclass(frozen=True, kw_only=True, eq=False)
class BackupsArgs:
    """How resources are backed up. The options are those of `backups` in docs/reference.md, under
    the same rules.

    Attributes:
        region: The AWS region of what is backed up, such as us-east-1.
        kind: `aws_backup`: one vault and one plan for file systems, volumes and, with `rds`,
            databases. `snapshots`: EBS snapshots only. `none`: nothing.
        daily: When the backup of each day begins, in UTC, and for how many days it is retained.
        weekly: The same for one backup a week; None: none.
        copy_to_region: A copy of each daily backup in another region (`aws_backup` only); None:
            none.
        vault_lock: A lock on the vault, which cannot be removed after its grace period
            (`aws_backup` only); None: none.
        rds: Whether databases in RDS are backed up too (`aws_backup` only).
        buckets: Whether there are buckets in S3 with its tag (`Buckets`, kind shared; `aws_backup`
            only).
        reason: Why nothing is backed up; required with kind `none`.
        physical_name: The prefix of names in AWS, and the tag's value; without it the component's
            resource name. At most 24 characters.
        tags: Tags of every resource.
        account: The AWS account; without it the one of the provider.

    """

    region: str
    kind: Literal["aws_backup", "snapshots", "none"] = "aws_backup"
    daily: Daily = _DAILY
    weekly: Weekly | None = _WEEKLY
    copy_to_region: CopyTo | None = None
    vault_lock: VaultLock | None = None
    rds: bool = False
    buckets: bool = False
    reason: str | None = None
    physical_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    account: pulumi.Input[str] | None = None

    def resolved(self, name: str) -> BackupSpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("Backups", name)
        physical = given.physical_name(self.physical_name)
        given.tags(self.tags)
        given.check_value(Region, self.region, "region")
        model = _KINDS.get(self.kind) if isinstance(self.kind, str) else None
        if model is None:
            given.say(
                "backups.kind",
                "kind",
                f"is no kind of backups (got {shown(self.kind)})",
                f"write one of {', '.join(_KINDS)}",
            )
        default = {item.name: item.default for item in fields(self)}
        # Options at their defaults are not reported: an option of one kind is a mistake only where
        # it was set with another.
        said = {
            option: value
            for option in _OPTIONS
            if (value := getattr(self, option)) is not default[option]
        }
        for option in (
            () if model is None else [option for option in said if option not in model.model_fields]
        ):
            kinds = [kind for kind, other in _KINDS.items() if option in other.model_fields]
            given.say(
                "option.unknown",
                option,
                f"is an option of kind {' and '.join(kinds)}, and kind is {self.kind}",
                "remove it",
            )
            del said[option]
        options = None if model is None else given.section(model, {"kind": self.kind, **said})
        if isinstance(options, (AwsBackup, Snapshots)) and self.weekly is None:
            options = options.model_copy(update={"weekly": None})
        if options is not None:
            for found in (
                lock_lets_backups_in(options),
                apart(options),
                copy_goes_elsewhere(self.region, options),
            ):
                given.add(found, within="backups")
        given.done()
        assert options is not None  # noqa: S101 -- else there was a problem
        return BackupSpec(name=physical, options=options)


@dataclass(frozen=True, kw_only=True, eq=False)
class BackupsOutputs:
    """Backups as file systems, volumes and databases need them: `Backups(...).outputs`.

    Attributes:
        spec: What follows from the arguments: `spec.tags` is the tag of file systems and volumes
            that are backed up, `spec.database_tags` of databases.
        vault_name: The vault of AWS Backup; None with another kind.
        policy_id: The policy of Data Lifecycle Manager; None with another kind.

    """

    spec: BackupSpec
    vault_name: pulumi.Output[str] | None = None
    policy_id: pulumi.Output[str] | None = None


class Backups(Component):
    """Backs up every resource with its tag, also a volume that did not exist when this was created.

    `outputs` is what `EfsHomes` and hubs take: by it they tag their file systems, volumes and
    databases. Vaults, their keys and their backups are retained when the component is removed from
    the program. Raises ArgumentError with every problem of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:Backups"
    outputs: BackupsOutputs

    def __init__(
        self, name: str, args: BackupsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._spec = spec = checked(Backups, name, args, BackupsArgs).resolved(name)
        super().__init__(name, opts)
        self._name, self._args = name, args
        made: dict[str, pulumi.Output[str]] = {}
        if isinstance(spec.options, AwsBackup):
            made["vault_name"] = self._aws_backup(spec.options)
        elif isinstance(spec.options, Snapshots):
            made["policy_id"] = self._snapshots(spec.options)
        self.outputs = BackupsOutputs(spec=spec, **made)
        self.register_outputs({"kind": args.kind, **made})

    def _aws_backup(self, options: AwsBackup) -> pulumi.Output[str]:
        spec = self._spec
        vault = BackupVault(
            f"{self._name}-main", self._vault(spec.vault_name, options, None), self.child()
        )
        copies = None
        if spec.copy_region is not None:
            copies = BackupVault(
                f"{self._name}-copy",
                self._vault(spec.copy_vault_name, options, spec.copy_region),
                self.child(),
            )
        role, _ = self._role(
            "role", spec.role_name, "backup.amazonaws.com", "AWSBackupServiceRolePolicyForBackup"
        )
        restore, _ = self._role(
            "restore-role",
            spec.restore_role_name,
            "backup.amazonaws.com",
            "AWSBackupServiceRolePolicyForRestores",
        )
        if self._args.buckets:
            self._of_buckets("role", role, "AWSBackupServiceRolePolicyForS3Backup")
            self._of_buckets("restore-role", restore, "AWSBackupServiceRolePolicyForS3Restore")
        rules: Any = plan_rules(options, vault.vault_name, None if copies is None else copies.arn)
        tags = named(self._args.tags, spec.vault_name)
        plan = backup.Plan(
            f"{self._name}-plan", name=spec.vault_name, rules=rules, tags=tags, opts=self.child()
        )
        backup.Selection(
            f"{self._name}-selection",
            name=f"{spec.name}-by-tag",
            plan_id=plan.id,
            iam_role_arn=role.arn,
            selection_tags=[
                {"type": "STRINGEQUALS", "key": key, "value": value}
                for key, value in spec.selection.items()
            ],
            opts=self.child(),
        )
        return vault.vault_name

    def _of_buckets(self, suffix: str, role: iam.Role, policy: str) -> None:
        """What a role needs for buckets in S3 besides (AWS Backup developer guide, "Amazon S3
        backups": permissions and policies).
        """
        iam.RolePolicyAttachment(
            f"{self._name}-{suffix}-s3-policy",
            role=role.name,
            policy_arn=managed_policy(self._args.region, policy),
            opts=self.child(),
        )

    def _vault(self, physical: str, options: AwsBackup, region: str | None) -> BackupVaultArgs:
        args = self._args
        return BackupVaultArgs(
            vault_name=physical,
            region=region,
            partition_region=args.region,
            account=account_of(args.account),
            lock=options.vault_lock,
            tags=args.tags,
        )

    def _snapshots(self, options: Snapshots) -> pulumi.Output[str]:
        physical = self._spec.snapshot_policy_name
        role, attached = self._role(
            "role", physical, "dlm.amazonaws.com", "AWSDataLifecycleManagerServiceRole"
        )
        details: Any = {
            "policy_type": "EBS_SNAPSHOT_MANAGEMENT",
            "resource_types": ["VOLUME"],
            "target_tags": self._spec.selection,
            "schedules": snapshot_schedules(options),
        }
        policy = dlm.LifecyclePolicy(
            f"{self._name}-policy",
            # letters, digits, spaces, _ and - alone (Data Lifecycle Manager API,
            # CreateLifecyclePolicy)
            description=f"Volumes of {self._spec.name}",
            execution_role_arn=role.arn,
            state="ENABLED",
            policy_details=details,
            tags=named(self._args.tags, physical),
            opts=self.child(depends_on=[attached]),
        )
        return policy.id

    def _role(
        self, suffix: str, physical: str, service: str, policy: str
    ) -> tuple[iam.Role, pulumi.Resource]:
        tags = named(self._args.tags, physical)
        role = iam.Role(
            f"{self._name}-{suffix}",
            name=physical,
            assume_role_policy=service_trust(service),
            tags=tags,
            opts=self.child(),
        )
        arn = managed_policy(self._args.region, f"service-role/{policy}")
        return role, iam.RolePolicyAttachment(
            f"{self._name}-{suffix}-policy", role=role.name, policy_arn=arn, opts=self.child()
        )
