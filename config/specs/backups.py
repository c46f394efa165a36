"""What follows from `backups`: names in AWS, the tag by which resources are found, and when each
is backed up and for how long. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.backups import (
    TAG,
    AnyBackups,
    AwsBackup,
    Daily,
    NoBackups,
    Snapshots,
    Weekly,
    cron,
)
from jupyterhub_aws.config.homes import EfsHomesSection

#: AWS Backup's own windows (developer guide, "Backup plan options"): a job that has not begun after
#: 8 hours is given up, and one that runs after 7 days.
_START_MINUTES, _COMPLETION_MINUTES = 480, 10080
_WEEK = 7


@dataclass(frozen=True, kw_only=True)
class BackupSpec:
    """How the resources of `name` are backed up: a stack's, or those of a `Backups` component.

    `name` is the prefix of physical names and the value of the tag `jupyterhub-aws/backup`.
    `options` say what is made for it.
    """

    name: str
    options: AnyBackups

    @property
    def vault_name(self) -> str:
        """Name of the vault of AWS Backup: unique in its account and region."""
        return f"{self.name}-backups"

    @property
    def copy_vault_name(self) -> str:
        """Name of the vault of copies, in the other region."""
        return f"{self.name}-backups-copy"

    @property
    def role_name(self) -> str:
        """The role by which AWS Backup makes backups."""
        return f"{self.name}-backup"

    @property
    def restore_role_name(self) -> str:
        """The role by which AWS Backup restores: another one, so that the nightly job can change
        nothing.
        """
        return f"{self.name}-backup-restore"

    @property
    def snapshot_policy_name(self) -> str:
        """The role and the policy of Data Lifecycle Manager."""
        return f"{self.name}-snapshots"

    @property
    def copy_region(self) -> str | None:
        """The region of copies; None without copies."""
        return (
            self.options.copy_to_region.region
            if isinstance(self.options, AwsBackup) and self.options.copy_to_region is not None
            else None
        )

    @property
    def selection(self) -> Mapping[str, str]:
        """The tag by which AWS Backup and Data Lifecycle Manager find what they back up."""
        return {TAG: self.name}

    @property
    def tags(self) -> Mapping[str, str]:
        """The tag of file systems and volumes that are to be backed up; none where no backup
        service selects by it.
        """
        return {} if isinstance(self.options, NoBackups) else self.selection

    @property
    def database_tags(self) -> Mapping[str, str]:
        """The tag of an RDS instance: only where AWS Backup is to take it too."""
        return self.selection if isinstance(self.options, AwsBackup) and self.options.rds else {}

    def efs_plan(self, homes: EfsHomesSection) -> bool:
        """Whether EFS's own default plan is on: never beside AWS Backup, which covers the file
        system already.
        """
        if isinstance(self.options, AwsBackup):
            return False
        return isinstance(self.options, Snapshots) if homes.backup is None else homes.backup


def plan_rules(options: AwsBackup, vault: Any, copy_vault: Any | None) -> list[dict[str, Any]]:
    """The rules of a plan of AWS Backup; `vault` is the vault's name, `copy_vault` the ARN of
    the other region's.
    """
    daily = _rule("daily", cron(options.daily.at), options.daily.keep_days, vault)
    if options.copy_to_region is not None and copy_vault is not None:
        daily["copy_actions"] = [
            {
                "destination_vault_arn": copy_vault,
                "lifecycle": {"delete_after": options.copy_to_region.keep_days},
            }
        ]
    if options.weekly is None:
        return [daily]
    return [
        daily,
        _rule(
            "weekly",
            cron(options.weekly.at, options.weekly.day),
            _WEEK * options.weekly.keep_weeks,
            vault,
        ),
    ]


def _rule(name: str, schedule: str, days: int, vault: Any) -> dict[str, Any]:
    return {
        "rule_name": name,
        "target_vault_name": vault,
        "schedule": schedule,
        "schedule_expression_timezone": "Etc/UTC",
        "start_window": _START_MINUTES,
        "completion_window": _COMPLETION_MINUTES,
        "lifecycle": {"delete_after": days},
    }


def snapshot_schedules(options: Snapshots) -> list[dict[str, Any]]:
    """The schedules of a lifecycle policy. Snapshots carry the volume's tags: by them a user's
    volume is found again.
    """
    found = [_schedule(options.daily)]
    if options.weekly is not None:
        found.append(_schedule(options.weekly))
    return found


def _schedule(options: Daily | Weekly) -> dict[str, Any]:
    if isinstance(options, Daily):
        name, when, kept = (
            "daily",
            cron(options.at),
            {"interval": options.keep_days, "interval_unit": "DAYS"},
        )
    else:
        name, when, kept = (
            "weekly",
            cron(options.at, options.day),
            {"interval": options.keep_weeks, "interval_unit": "WEEKS"},
        )
    return {
        "name": name,
        "create_rule": {"cron_expression": when},
        "retain_rule": kept,
        "copy_tags": True,
    }
