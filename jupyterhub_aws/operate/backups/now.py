"""A backup of everything, now. Each resource's job is begun once and waited for; one that was
begun within the last hour counts.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.components.iam import partition_of
from jupyterhub_aws.config.backups import AwsBackup
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.operate.backups.context import BackupContext
from jupyterhub_aws.operate.backups.points import Stateful, for_ec2, snapshot_arn, tags_of
from jupyterhub_aws.operate.live.account import translate_aws_errors
from jupyterhub_aws.operate.live.steps import CommandStep

#: What was begun since then is not begun again: a run that was killed goes on with it.
_RECENT = datetime.timedelta(hours=1)
_PATIENCE = 12 * 3600.0
#: BackupJobState, AWS Backup API reference.
_FAILED, _DONE = ("FAILED", "ABORTED", "ABORTING", "EXPIRED"), ("COMPLETED",)
MADE_BY = "jupyterhub-aws/made-by"
_KINDS = {"EFS": "file systems", "EBS": "volumes", "RDS": "databases"}


def backup_runs(
    context: BackupContext, resources: Sequence[Stateful], clock: Callable[[], datetime.datetime]
) -> list[_Jobs] | list[_Snapshots]:
    """What backs up the resources of each kind, each in a step. Raises ConfigError where AWS Backup
    is switched off for one of them.
    """
    maker: Callable[..., Any] = _Snapshots
    if isinstance(context.stack.backups, AwsBackup):
        opted_in(context, {item.kind for item in resources})
        maker = _Jobs
    return [
        maker(context, [item for item in resources if item.kind == kind], clock)
        for kind in sorted({item.kind for item in resources})
    ]


@dataclass(frozen=True, kw_only=True)
class MadeBackup:
    """A backup of a resource: the ARN of its recovery point, None where AWS does not say it, and
    the job of AWS Backup that made it, None for a snapshot of EC2's own.
    """

    of: Stateful
    arn: str | None
    job: str | None

    def as_json(self) -> dict[str, Any]:
        """The backup as `jhub backup now --json` prints it."""
        what = {"resource": self.of.arn, "kind": self.of.kind, "name": self.of.name}
        return {"arn": self.arn, **what, "job": self.job}


def opted_in(context: BackupContext, kinds: set[str]) -> None:
    """Raise ConfigError where the region's settings keep AWS Backup from a kind: its plans then
    skip those resources without a warning.
    """
    with translate_aws_errors(context.command):
        found = context.account.client("backup").describe_region_settings()
    settings = found.get("ResourceTypeOptInPreference", {})
    off = sorted(kind for kind in kinds if settings.get(kind) is False)
    if off:
        where = context.account.region
        what = f"keep AWS Backup from {', '.join(off)} in {where}: no plan backs them up"
        chosen = ",".join(f"{kind}=true" for kind in off)
        fix = f"aws backup update-region-settings --resource-type-opt-in-preference {chosen}"
        raise refused(context.command, "backup.opted-out", "AWS Backup's settings", what, fix)


class _Jobs:
    """On-demand jobs of AWS Backup for resources of one kind."""

    def __init__(
        self,
        context: BackupContext,
        resources: Sequence[Stateful],
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._context, self._resources = context, list(resources)
        self._since = clock() - _RECENT
        self._client: Any = context.account.client("backup")
        self._begun: dict[str, str] = {}

    def step(self) -> CommandStep:
        """The step that begins and waits."""
        says = f"{_KINDS[self._resources[0].kind]} are backed up"
        return CommandStep(says, self.left, self.begin, _PATIENCE)

    def made(self) -> list[MadeBackup]:
        """The backups, once the step is done."""
        found = []
        with translate_aws_errors(self._context.command):
            for item in self._resources:
                job = self._begun[item.arn]
                arn = self._client.describe_backup_job(BackupJobId=job).get("RecoveryPointArn")
                found.append(MadeBackup(of=item, arn=arn, job=job))
        return found

    def left(self) -> list[str]:
        """Those without a finished job. Raises ConfigError where one that this run knows of
        failed.
        """
        with translate_aws_errors(self._context.command):
            states = [(item, self._state(item)) for item in self._resources]
        return [f"{item.shown} ({state})" for item, state in states if state not in _DONE]

    def begin(self) -> None:
        """Begin what has no job yet."""
        with translate_aws_errors(self._context.command):
            for item in self._resources:
                if item.arn not in self._begun:
                    self._begun[item.arn] = self._start(item)

    def _state(self, item: Stateful) -> str:
        """The state of the job that counts; `not begun` where there is none."""
        job = self._begun.get(item.arn)
        if job is None:
            going = [found for found in self._jobs(item) if found["State"] not in _FAILED]
            if not going:
                return "not begun"
            last = max(going, key=lambda found: found["CreationDate"])
            job = self._begun[item.arn] = str(last["BackupJobId"])
        found = self._client.describe_backup_job(BackupJobId=job)
        if found["State"] in _FAILED:
            why = str(found.get("StatusMessage", "AWS gives no reason"))[:200]
            what = f"{found['State'].lower()}: {why}"
            fix = "fix that, then run the same command again"
            raise refused(self._context.command, "backup.failed", item.shown, what, fix)
        if found["State"] in _DONE:
            return str(found["State"])
        percent = found.get("PercentDone")
        return f"{found['State'].lower()}{f' {percent}%' if percent else ''}"

    def _jobs(self, item: Stateful) -> list[Any]:
        vault = resolve(self._context.stack).backups.vault_name
        of = {"ByResourceArn": item.arn, "ByBackupVaultName": vault, "ByCreatedAfter": self._since}
        return list(self._context.account.all("backup", "list_backup_jobs", "BackupJobs", **of))

    def _start(self, item: Stateful) -> str:
        stack, account = self._context.stack, self._context.account
        assert isinstance(stack.backups, AwsBackup)  # noqa: S101 -- for the type checker: made for no other kind
        # The same call twice is one job, also when AWS does not list the first yet; one that failed
        # is another's business.
        failed = len([found for found in self._jobs(item) if found["State"] in _FAILED])
        same = f"{item.arn} {self._since:%Y-%m-%dT%H} {failed}"
        token = hashlib.sha256(same.encode()).hexdigest()[:32]
        found = self._client.start_backup_job(
            BackupVaultName=resolve(stack).backups.vault_name,
            ResourceArn=item.arn,
            IamRoleArn=f"arn:{partition_of(account.region)}:iam::{account.id}:role/{resolve(stack).backups.role_name}",
            IdempotencyToken=token,
            Lifecycle={"DeleteAfterDays": stack.backups.daily.keep_days},
            RecoveryPointTags={**stack.tags.as_aws(stack.name), MADE_BY: "jhub backup now"},
        )
        return str(found["BackupJobId"])


class _Snapshots:
    """Snapshots of EC2's own. They never expire: Data Lifecycle Manager deletes its own only."""

    def __init__(
        self,
        context: BackupContext,
        resources: Sequence[Stateful],
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._context, self._resources = context, list(resources)
        self._since = clock() - _RECENT

    def step(self) -> CommandStep:
        """The step that begins and waits."""
        says = f"{_KINDS[self._resources[0].kind]} are backed up"
        return CommandStep(says, self.left, self.begin, _PATIENCE)

    def made(self) -> list[MadeBackup]:
        """The backups, once the step is done."""
        with translate_aws_errors(self._context.command):
            there = self._snapshots()
        account = self._context.account
        return [
            MadeBackup(of=item, arn=snapshot_arn(account, there[item.id]["SnapshotId"]), job=None)
            for item in self._resources
        ]

    def left(self) -> list[str]:
        """Those without a finished snapshot of the last hour."""
        with translate_aws_errors(self._context.command):
            there = self._snapshots()
        states = {id_: str(found["State"]) for id_, found in there.items()}
        return [
            f"{item.shown} ({states.get(item.id, 'not begun')})"
            for item in self._resources
            if states.get(item.id) != "completed"
        ]

    def begin(self) -> None:
        """Begin what has none yet."""
        with translate_aws_errors(self._context.command):
            there = self._snapshots()
            for item in self._resources:
                if item.id not in there:
                    own = {key: item.tags[key] for key in item.tags if not key.startswith("aws:")}
                    tags = for_ec2("snapshot", {**own, MADE_BY: "jhub backup now"})
                    says = f"jhub backup now: {item.name}"
                    self._context.account.client("ec2").create_snapshot(
                        VolumeId=item.id, Description=says, TagSpecifications=[tags]
                    )

    def _snapshots(self) -> dict[str, Any]:
        """The newest of each volume."""
        filters = [
            {"Name": "volume-id", "Values": [item.id for item in self._resources]},
            {"Name": f"tag:{MADE_BY}", "Values": ["jhub backup now"]},
        ]
        found = self._context.account.all(
            "ec2", "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=filters
        )
        recent = [
            item
            for item in found
            if item["StartTime"] >= self._since and tags_of(item).get(MADE_BY)
        ]
        recent.sort(key=lambda item: item["StartTime"])
        return {str(item["VolumeId"]): item for item in recent}
