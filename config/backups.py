"""How data that cannot be recreated is backed up: homes, the hubs' databases, every user's
volume. One tag says what is covered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jupyterhub_aws.config.cluster import AnyCluster, EksCluster
from jupyterhub_aws.config.errors import Problem, Rules, refuse, shown
from jupyterhub_aws.config.homes import EfsHomesSection, Homes
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.values import Region

#: The one tag by which AWS Backup and Data Lifecycle Manager find what they back up; its value is
#: the stack's name, so that no stack's plan takes another's.
TAG = "jupyterhub-aws/backup"
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_KEPT = "For new backups; existing ones expire on their own day."
_WEEK = 7
#: AWS Backup developer guide, "Vault Lock": a compliance lock can be changed for at least three
#: days (72 hours) after it was set.
_LEAST_GRACE = 3
#: AWS Backup developer guide, "Backup lifecycle": DeleteAfterDays counts to 36,500.
_LONGEST = 36500


def _clock(value: str) -> str:
    if not _CLOCK.fullmatch(value):
        fix = 'write it quoted, in UTC: "03:00"'
        raise refuse("backups.time-of-day", f"is not a time of day (got {shown(value)})", fix)
    return value


def _reason(value: str) -> str:
    if not value.strip():
        fix = "say in a few words why no backup is needed"
        raise refuse("backups.reason-empty", "is empty", fix)
    return value


Clock = Annotated[
    str,
    AfterValidator(_clock),
    Field(json_schema_extra={"examples": ["03:00"], "pattern": _CLOCK.pattern}),
]


class Daily(Model):
    """The backup of each day."""

    at: Clock = option(
        "03:00",
        help="When it begins, UTC. AWS may begin up to eight hours later.",
        changing="From the next day on.",
    )
    keep_days: int = option(
        35, help="Retention of each backup.", unit="days", changing=_KEPT, ge=1, le=_LONGEST
    )


class Weekly(Model):
    """One backup a week that is kept for longer."""

    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = (
        option("sunday", help="The day of the week.", changing="From the next week on.")
    )
    at: Clock = option(
        "05:00",
        help=(
            "When it begins, UTC. Hours after the daily one: a file system has one backup job at a"
            " time."
        ),
        changing="As `day`.",
    )
    keep_weeks: int = option(
        12,
        help="Retention of each backup.",
        unit="weeks",
        changing=_KEPT,
        ge=1,
        le=_LONGEST // _WEEK,
    )


class CopyTo(Model):
    """A copy of each daily backup in another region, in a vault and under a key of its own."""

    region: Region = option(
        help="The other region, such as us-west-2.",
        changing="Copies go to a new vault there; the old vault and its copies are retained.",
    )
    keep_days: int = option(
        35, help="Retention of each copy there.", unit="days", changing=_KEPT, ge=1, le=_LONGEST
    )


class VaultLock(Model):
    """A vault lock: no principal can delete a backup before it expires, and a backup whose
    retention is outside of these bounds is refused.
    """

    min_days: int = option(
        7,
        help="The shortest retention that the vault takes.",
        unit="days",
        changing="Only while the lock can still be changed.",
        ge=1,
        le=_LONGEST,
    )
    max_days: int = option(
        365,
        help="The longest retention that the vault takes.",
        unit="days",
        changing="Only while the lock can still be changed.",
        ge=1,
        le=_LONGEST,
    )
    grace_days: int | None = option(
        None,
        help=(
            "None: governance mode; a principal with the permission"
            " backup:DeleteBackupVaultLockConfiguration can remove the lock. A number: compliance"
            " mode. After so many days the lock can NEVER be removed: not by you, not by root of"
            " the account, not by AWS. The vault remains, and so does its price, until the last"
            " backup has expired."
        ),
        unit="days",
        changing="Starts the grace period. After it, no change is possible.",
        ge=_LEAST_GRACE,
        le=_LONGEST,
    )


class _Planned(Model):
    """Options of every kind that makes backups."""

    daily: Daily = option(Daily(), help="Start time and retention.", changing="In place.")
    weekly: Weekly | None = option(
        Weekly(),
        help="A weekly backup with a longer retention. null: none.",
        changing="In place; existing backups are retained until they expire.",
    )
    drill_days: int = option(
        90,
        help=(
            "A plan warns when the last `jhub restore drill` (drills/STACK.toml) is older: a backup"
            " that was never restored is not proven to work."
        ),
        unit="days",
        changing="Nothing in AWS.",
        ge=1,
        le=3650,
    )


class AwsBackup(_Planned):
    """AWS Backup, by tag: EFS, the hubs' volumes and every user's EBS volume, in an encrypted vault
    whose policy denies manual deletion.

    EFS's own default plan is off then: it would back the same files up a second time.
    """

    kind: Literal["aws_backup"] = tag(
        "aws_backup",
        help="`aws_backup`: one plan and one vault for everything.",
        changing="See `backups`.",
    )
    copy_to_region: CopyTo | None = option(
        None,
        help="A copy in another region. None: a lost region means lost backups.",
        changing="In place.",
    )
    vault_lock: VaultLock | None = option(
        None,
        help=(
            "A lock on the vault and on the vault of copies. None: the vault's access policy only."
        ),
        changing="See its options.",
    )
    rds: bool = option(
        False,
        help=(
            "true: RDS databases too. They have automatic backups of their own (`backup_days`)"
            " either way; this adds the vault, the weekly backups and the copy."
        ),
        changing="In place.",
    )


class Snapshots(_Planned):
    """Amazon Data Lifecycle Manager: snapshots of EBS volumes by tag, and nothing else.

    RDS has automatic backups of its own. Data Lifecycle Manager does not cover EFS: EFS's own
    default plan is on, unless `homes.backup` says otherwise.
    """

    kind: Literal["snapshots"] = tag(
        "snapshots",
        help="`snapshots`: EBS snapshots only, without AWS Backup.",
        changing="See `backups`.",
    )


class NoBackups(Model):
    """Nothing is backed up. RDS still has its own automatic backups."""

    kind: Literal["none"] = tag(
        "none",
        help="`none`: nothing is backed up by this stack. Every plan warns.",
        changing="See `backups`.",
    )
    reason: Annotated[str, AfterValidator(_reason)] = option(
        help=(
            "Why no backup is needed: what backs up instead, or why the data can be lost. The plan"
            " shows it."
        ),
        changing="Nothing.",
        max_length=200,
    )


Backups = Annotated[AwsBackup | Snapshots | NoBackups, Field(discriminator="kind")]
AnyBackups = AwsBackup | Snapshots | NoBackups


def cron(at: str, day: str | None = None) -> str:
    """A time of day, each day or on one day of the week, as AWS writes it (EventBridge user
    guide, "Cron expressions"): six fields, one of the days `?`.
    """
    hour, minute = at.split(":")
    return (
        f"cron({int(minute)} {int(hour)} * * ? *)"
        if day is None
        else f"cron({int(minute)} {int(hour)} ? * {day[:3].upper()} *)"
    )


def one_truth(homes: Homes, backups: AnyBackups) -> Iterator[Problem]:
    """`homes.backup` speaks of EFS's own plan; where AWS Backup covers the file system it would
    be a second backup, or a contradiction.
    """
    if (
        not isinstance(homes, EfsHomesSection)
        or homes.backup is None
        or not isinstance(backups, AwsBackup)
    ):
        return
    if homes.backup:
        what = (
            "is EFS's own daily plan, and backups (kind aws_backup) covers homes already: each file"
            " would be backed up twice"
        )
        yield Problem(
            id="backups.homes-twice",
            path="homes.backup",
            what=what,
            fix="remove the line; backups.daily.keep_days sets the retention",
        )
        return
    fix = (
        'remove the line; or, if homes need no backup, write backups: { kind: none, reason: "..."'
        " }, or kind: snapshots for volumes alone"
    )
    yield Problem(
        id="backups.homes-not-in-vault",
        path="homes.backup",
        what="is false, but backups (kind aws_backup) covers homes",
        fix=fix,
    )


def kept_long(backups: AnyBackups) -> Mapping[str, int]:
    """Retention of each kind of backup in days, by its option."""
    if isinstance(backups, NoBackups):
        return {}
    found = {"backups.daily.keep_days": backups.daily.keep_days}
    if backups.weekly is not None:
        found["backups.weekly.keep_weeks"] = _WEEK * backups.weekly.keep_weeks
    if isinstance(backups, AwsBackup) and backups.copy_to_region is not None:
        found["backups.copy_to_region.keep_days"] = backups.copy_to_region.keep_days
    return found


def lock_lets_backups_in(backups: AnyBackups) -> Iterator[Problem]:
    """A locked vault refuses every backup whose retention is outside of its bounds: the job
    fails every night.
    """
    if not isinstance(backups, AwsBackup) or backups.vault_lock is None:
        return
    lock = backups.vault_lock
    if lock.min_days > lock.max_days:
        yield Problem(
            id="backups.lock-bounds",
            path="backups.vault_lock.min_days",
            what=f"is above max_days ({lock.min_days} and {lock.max_days})",
            fix="lower it",
        )
        return
    for path, days in kept_long(backups).items():
        if not lock.min_days <= days <= lock.max_days:
            what = (
                f"is {days} days, and vault_lock takes {lock.min_days} to {lock.max_days}: every"
                " such job would fail"
            )
            yield Problem(
                id="backups.outside-lock",
                path=path,
                what=what,
                fix="change it, or the lock's bounds",
            )


def copy_goes_elsewhere(region: str, backups: AnyBackups) -> Iterator[Problem]:
    """A copy in the same region is lost together with the original."""
    if (
        isinstance(backups, AwsBackup)
        and backups.copy_to_region is not None
        and backups.copy_to_region.region == region
    ):
        yield Problem(
            id="backups.copy-to-own-region",
            path="backups.copy_to_region.region",
            what=f"is the stack's own region ({region})",
            fix="name another, or remove the section",
        )


def apart(backups: AnyBackups) -> Iterator[Problem]:
    """Two jobs of one resource at once: AWS skips the second."""
    if (
        not isinstance(backups, NoBackups)
        and backups.weekly is not None
        and backups.weekly.at == backups.daily.at
    ):
        yield Problem(
            id="backups.same-time",
            path="backups.weekly.at",
            what=f"is when the daily one begins ({backups.daily.at})",
            fix="choose an hour some hours later",
        )


def nothing_to_plan(cluster: AnyCluster, backups: AnyBackups) -> Iterator[Problem]:
    """Around an existing cluster the stack makes nothing in AWS, and so no vault; the default
    has no effect there.
    """
    if (
        isinstance(cluster, EksCluster)
        or isinstance(backups, NoBackups)
        or backups == AwsBackup(kind="aws_backup")
    ):
        return
    yield Problem(
        id="backups.nothing-to-back-up",
        path="backups.kind",
        what=f"is {backups.kind}, but the stack makes nothing in AWS for an existing cluster",
        fix="remove the section; back up the NFS server or the cluster's volumes where they are",
    )


RULES: Rules = (
    (("homes", "backups"), one_truth),
    (("backups",), lock_lets_backups_in),
    (("region", "backups"), copy_goes_elsewhere),
    (("backups",), apart),
    (("cluster", "backups"), nothing_to_plan),
)
