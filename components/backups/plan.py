"""What is backed up when, and how long it is kept, as AWS Backup and Data Lifecycle Manager write it. Pure data."""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.config.backups import AwsBackup, Daily, Snapshots, Weekly, cron

#: AWS Backup's own windows (developer guide, "Backup plan options"): a job that has not begun after 8 hours is given up, and one that runs after 7 days.
_START_MINUTES, _COMPLETION_MINUTES = 480, 10080
_WEEK = 7


def vault_name(stack: str) -> str:
    """Name of the stack's vault: unique in its account and region."""
    return f"{stack}-backups"


def copy_vault_name(stack: str) -> str:
    """Name of the vault of copies, in the other region."""
    return f"{stack}-backups-copy"


def backup_role_name(stack: str) -> str:
    """The role by which AWS Backup makes backups."""
    return f"{stack}-backup"


def restore_role_name(stack: str) -> str:
    """The role by which AWS Backup restores: another one, so that the nightly job can change nothing."""
    return f"{stack}-backup-restore"


def plan_rules(section: AwsBackup, vault: Any, copy_vault: Any | None) -> list[dict[str, Any]]:  # noqa: ANN401 -- a name that may not be known yet
    """The rules of the plan; `vault` is the vault's name, `copy_vault` the ARN of the other region's."""
    daily = _rule("daily", cron(section.daily.at), section.daily.keep_days, vault)
    if section.copy_to_region is not None and copy_vault is not None:
        daily["copy_actions"] = [{"destination_vault_arn": copy_vault, "lifecycle": {"delete_after": section.copy_to_region.keep_days}}]
    if section.weekly is None:
        return [daily]
    return [daily, _rule("weekly", cron(section.weekly.at, section.weekly.day), _WEEK * section.weekly.keep_weeks, vault)]


def _rule(name: str, schedule: str, days: int, vault: Any) -> dict[str, Any]:  # noqa: ANN401 -- as above
    return {
        "rule_name": name,
        "target_vault_name": vault,
        "schedule": schedule,
        "schedule_expression_timezone": "Etc/UTC",
        "start_window": _START_MINUTES,
        "completion_window": _COMPLETION_MINUTES,
        "lifecycle": {"delete_after": days},
    }


def snapshot_schedules(section: Snapshots) -> list[dict[str, Any]]:
    """The schedules of the lifecycle policy. Snapshots carry the volume's tags: by them a person's volume is found again."""
    found = [_schedule(section.daily)]
    if section.weekly is not None:
        found.append(_schedule(section.weekly))
    return found


def _schedule(section: Daily | Weekly) -> dict[str, Any]:
    if isinstance(section, Daily):
        name, when, kept = "daily", cron(section.at), {"interval": section.keep_days, "interval_unit": "DAYS"}
    else:
        name, when, kept = "weekly", cron(section.at, section.day), {"interval": section.keep_weeks, "interval_unit": "WEEKS"}
    return {"name": name, "create_rule": {"cron_expression": when}, "retain_rule": kept, "copy_tags": True}
