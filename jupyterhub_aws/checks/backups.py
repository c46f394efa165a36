"""Whether all resources with data are backed up: read from what was recorded, so that a
resource without the tag is found whatever the stack says.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.finding import Finding, fail, passed, skip, verdict, warn
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.backups import AwsBackup, NoBackups
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.homes import EbsHomes, EphemeralHomes, NfsHomes
from jupyterhub_aws.config.specs.buckets import USER_BUCKET_TAG
from jupyterhub_aws.config.stack import StackConfig

_ID, _DRILL = "backups", "restore-drill"
_EFS, _EBS, _RDS = (
    "aws:efs/fileSystem:FileSystem",
    "aws:ebs/volume:Volume",
    "aws:rds/instance:Instance",
)
_CLASS, _EFS_PLAN = "kubernetes:storage.k8s.io/v1:StorageClass", "aws:efs/backupPolicy:BackupPolicy"
_PLAN, _SELECTION, _LIFECYCLE = (
    "aws:backup/plan:Plan",
    "aws:backup/selection:Selection",
    "aws:dlm/lifecyclePolicy:LifecyclePolicy",
)
_BUCKET = "aws:s3/bucket:Bucket"
_PARAMETER = "tagSpecification_"


@dataclass(frozen=True, kw_only=True)
class _Finders:
    """The tags by which AWS Backup (every type) and Data Lifecycle Manager (volumes alone) find
    what they back up.
    """

    plans: frozenset[tuple[str, str]]
    lifecycles: frozenset[tuple[str, str]]

    def reach(self, tags: Mapping[str, str], *, volume: bool) -> bool:
        """Whether a resource with these tags is selected."""
        own = set(tags.items())
        return bool(own & self.plans) or (volume and bool(own & self.lifecycles))


def covered(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every file system, volume, database and class of volumes is found by a plan, or keeps
    backups of its own.
    """
    if isinstance(stack.backups, NoBackups):
        return [*_nothing(stack, resources), *_elsewhere(stack)]
    faults = [*_faults(resources), *_buckets(stack, resources)]
    count = len(resources.of(_EFS, _EBS, _RDS, _CLASS))
    if not count and not isinstance(stack.cluster, EksCluster):
        return _elsewhere(stack)
    holds = f"all {count} resources with users' work or a hub's database are backed up"
    return [*verdict(_ID, faults, otherwise=holds), *_elsewhere(stack)]


def _faults(resources: Resources) -> Iterator[Finding]:
    finders = _finders(resources)
    for resource in sorted(resources.of(_EFS, _EBS, _RDS, _CLASS), key=lambda item: item.urn):
        if not _is_covered(resource, resources, finders):
            why, fix = _WHY[resource.type]
            message = f"{resource.label} is in no backup: {why}"
            yield fail(_ID, message, fix, resource, path="backups")


def _buckets(stack: StackConfig, resources: Resources) -> Iterator[Finding]:
    """Shared buckets: AWS Backup takes them, no other kind of backups does."""
    finders = _finders(resources)
    for bucket in resources.own.of(_BUCKET):
        tags = dict(bucket.inputs.get("tags") or {})
        if tags.get(USER_BUCKET_TAG) != "shared" or finders.reach(tags, volume=False):
            continue
        if isinstance(stack.backups, AwsBackup):
            message = f"{bucket.label} is in no backup: no selection finds its tags"
            fix = "give it the stack's backup tag in its component"
            yield fail(_ID, message, fix, bucket, path="backups")
        else:
            message = f"{bucket.label} has old versions of its objects, but no backup elsewhere"
            fix = "write backups.kind: aws_backup"
            yield warn(_ID, message, fix, bucket, path="backups")


def _finders(resources: Resources) -> _Finders:
    """Only selections of a plan that has rules, and policies that are switched on."""
    plans: set[tuple[str, str]] = set()
    for selection in resources.of(_SELECTION):
        named = resources.referred(selection.inputs.get("planId"), _PLAN)
        if any(plan.inputs.get("rules") for plan in named):
            plans |= {
                (tag["key"], tag["value"])
                for tag in selection.inputs.get("selectionTags", ())
                if tag.get("type") == "STRINGEQUALS"
            }
    lifecycles: set[tuple[str, str]] = set()
    for policy in resources.of(_LIFECYCLE):
        details = policy.inputs.get("policyDetails", {})
        if (
            policy.inputs.get("state", "ENABLED") == "ENABLED"
            and details.get("schedules")
            and "VOLUME" in details.get("resourceTypes", ())
        ):
            lifecycles |= set(details.get("targetTags", {}).items())
    return _Finders(plans=frozenset(plans), lifecycles=frozenset(lifecycles))


def _is_covered(resource: Resource, resources: Resources, finders: _Finders) -> bool:
    if resource.type == _CLASS:
        parameters = resource.inputs.get("parameters") or {}
        tags = dict(
            str(value).split("=", 1)
            for key, value in parameters.items()
            if key.startswith(_PARAMETER) and "=" in str(value)
        )
        return finders.reach(tags, volume=True)
    tags = dict(resource.inputs.get("tags") or {})
    if finders.reach(tags, volume=resource.type == _EBS):
        return True
    if resource.type == _RDS:
        return int(resource.inputs.get("backupRetentionPeriod") or 0) > 0
    return resource.type == _EFS and any(
        resource in resources.referred(policy.inputs.get("fileSystemId"), _EFS)
        and policy.inputs.get("backupPolicy", {}).get("status") == "ENABLED"
        for policy in resources.of(_EFS_PLAN)
    )


_WHY = {
    _EFS: (
        "no selection finds its tags, and EFS's own plan is off",
        "give it the stack's backup tag in its component, or set homes.backup: true",
    ),
    _EBS: (
        "no selection and no lifecycle policy finds its tags",
        "give it the stack's backup tag in its component",
    ),
    _RDS: (
        "no selection finds its tags, and it keeps no backups of its own",
        "set hubs.NAME.database.backup_days, or backups.rds: true",
    ),
    _CLASS: (
        "volumes that it makes get no tag that a selection or a lifecycle policy looks for",
        "give it a tagSpecification parameter with the backup tag",
    ),
}


def _nothing(stack: StackConfig, resources: Resources) -> list[Finding]:
    assert isinstance(stack.backups, NoBackups)  # noqa: S101 -- for the type checker: asked for no other kind
    bare = [
        item
        for item in resources.of(_EFS, _EBS, _RDS, _CLASS)
        if not _is_covered(item, resources, _finders(resources))
    ]
    names = ", ".join(item.name for item in bare) or "nothing that the stack creates"
    message = f"without any backup: {names}; the stack's reason: {stack.backups.reason}"
    return [warn(_ID, message, "remove the section to have backups", *bare, path="backups.kind")]


def _elsewhere(stack: StackConfig) -> list[Finding]:
    """Data that the stack does not back up: reported, because no list of resources shows it."""
    if isinstance(stack.homes, NfsHomes):
        server, fix = stack.homes.server, "ask the owner, and rehearse a restore together"
        message = f"homes are on {server}: only its owner knows whether they are backed up"
        return [skip(_ID, message, fix, path="homes.server")]
    if isinstance(stack.homes, (EbsHomes, EphemeralHomes)) or isinstance(stack.cluster, EksCluster):
        return []
    message = "the stack creates nothing in AWS; the cluster's operators back up its volumes"
    return [skip(_ID, message, path="homes.kind")]


@dataclass(frozen=True, kw_only=True)
class Drill:
    """The last rehearsal, as drills/STACK.toml has it: its day, the backup that was restored,
    and how many files were not as they had to be.
    """

    day: datetime.date
    recovery_point: str
    files: int
    differences: int


def rehearsed(
    stack: StackConfig,
    last: Drill | None,
    as_of: datetime.date,
    stack_name: str,
    *,
    buildable: bool = True,
) -> list[Finding]:
    """A backup that was never restored is not proven. `last` is None where there is no record.

    `buildable` is false while a secret that `pulumi up` needs is missing: such a stack was never
    built, so there is nothing to restore yet.
    """
    if isinstance(stack.backups, NoBackups) or not _can_be_rehearsed(stack):
        return []
    path = "backups.drill_days"
    fix = f"run: jhub restore drill {stack_name} --user NAME, and commit drills/{stack_name}.toml"
    if last is None and not buildable:
        return [skip(_DRILL, "a restore can be rehearsed when the stack is built", fix, path=path)]
    if last is None:
        message = "no restore of this stack has been rehearsed: there is no record of a drill"
        return [warn(_DRILL, message, fix, path=path)]
    day, files, age = last.day, f"{last.files:,} files", (as_of - last.day).days
    if last.differences:
        message = f"the restore of {day} restored {last.differences:,} of {files} with differences"
        return [warn(_DRILL, message, fix, path=path)]
    if age > (days := stack.backups.drill_days):
        message = f"the last rehearsed restore was {age} days ago ({day}), and drill_days is {days}"
        return [warn(_DRILL, message, fix, path=path)]
    message = f"a restore was rehearsed {age} days ago ({day}): {files} were restored unchanged"
    return [passed(_DRILL, message)]


def _can_be_rehearsed(stack: StackConfig) -> bool:
    """Where `jhub restore drill` can compare files: homes on EFS, in a cluster of the
    stack's, that are in its vault.
    """
    return (
        isinstance(stack.cluster, EksCluster)
        and stack.homes.kind == "efs"
        and bool(stack.hubs)
        and stack.backups.kind == "aws_backup"
    )


def drill_of(data: Mapping[str, Any]) -> Drill:
    """The record as drills/STACK.toml holds it. Raises KeyError, TypeError or ValueError for one
    that is not whole.
    """
    day = data["date"]
    if isinstance(day, datetime.datetime) or not isinstance(day, datetime.date):
        raise TypeError("date is not a day")
    return Drill(
        day=day,
        recovery_point=str(data["recovery_point"]),
        files=int(data["files"]),
        differences=int(data["differences"]),
    )
