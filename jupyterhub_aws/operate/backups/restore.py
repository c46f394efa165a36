"""A restore by AWS's own API: one item of a file system into its side directory, or a new volume
from a backup. Asked for twice, it happens once.
"""

from __future__ import annotations

import datetime
from typing import Any

from jupyterhub_aws.components.addons import EBS_DRIVER_TAG
from jupyterhub_aws.components.iam import partition_of
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.operate.backups.choose import FromFileSystem, FromVolume
from jupyterhub_aws.operate.backups.context import BackupContext
from jupyterhub_aws.operate.backups.points import for_ec2, tags_of
from jupyterhub_aws.operate.live.account import translate_aws_errors
from jupyterhub_aws.operate.live.steps import CommandStep

_HOURS = 3600.0
_RESTORED_BY = "jupyterhub-aws/restored-by"
#: RestoreJobStatus, AWS Backup API reference.
_FAILED, _DONE = ("FAILED", "ABORTED"), "COMPLETED"


class SideDirectory:
    """AWS Backup restores an item into aws-backup-restore_TIME of the same file system. `since`
    and `until` say when, once it is done.
    """

    def __init__(self, context: BackupContext, intent: FromFileSystem) -> None:
        self._context, self._intent = context, intent
        self._client: Any = context.account.client("backup")
        self._job: str | None = None
        self.since: datetime.datetime | None = None
        self.until: datetime.datetime | None = None

    def step(self) -> CommandStep:
        """The step that asks and waits."""
        return CommandStep(
            f"AWS Backup restores /{self._intent.item} into a side directory",
            self.left,
            self.ask,
            24 * _HOURS,
        )

    def left(self) -> list[str]:
        """What AWS is still doing. Raises ConfigError where it failed."""
        if self._job is None:
            return [f"the backup of {self._intent.point.made:%Y-%m-%d %H:%M} UTC"]
        with translate_aws_errors(self._context.command):
            found = self._client.describe_restore_job(RestoreJobId=self._job)
        state = str(found["Status"])
        if state in _FAILED:
            said = str(found.get("StatusMessage", "AWS gives no reason"))[:200]
            fix = (
                "is it spelt as on the hub's admin page, and was it there then? Otherwise look in"
                f" AWS Backup, job {self._job}; then: --attempt 2"
            )
            what = f"was not restored: {said}"
            raise refused(self._context.command, "restore.item", f"/{self._intent.item}", what, fix)
        if state != _DONE:
            return [f"{state.lower()} {found.get('PercentDone', '')}".strip()]
        self.since = found["CreationDate"]
        self.until = found.get("CompletionDate") or self.since
        return []

    def ask(self) -> None:
        """Ask once in a run; AWS knows the token of a run before."""
        if self._job is not None:
            return
        account, intent = self._context.account, self._intent
        with translate_aws_errors(self._context.command):
            found = self._client.start_restore_job(
                RecoveryPointArn=intent.point.arn,
                IamRoleArn=(
                    f"arn:{partition_of(account.region)}:iam::{account.id}:role/{resolve(self._context.stack).backups.restore_role_name}"
                ),
                ResourceType="EFS",
                IdempotencyToken=intent.token,
                Metadata=dict(intent.metadata),
            )
        self._job = str(found["RestoreJobId"])


class SideVolume:
    """A new volume from a backup of a user's, in the zone of theirs. `volume_id` once it is
    there.
    """

    def __init__(self, context: BackupContext, intent: FromVolume) -> None:
        self._context, self._intent = context, intent
        self.volume_id: str | None = None

    def step(self) -> CommandStep:
        """The step that makes it and waits."""
        return CommandStep(
            f"a volume from {self._intent.point.snapshot}", self.left, self.make, 2 * _HOURS
        )

    def left(self) -> list[str]:
        """Until it can be attached."""
        with translate_aws_errors(self._context.command):
            found = self._found()
        if found is None:
            return ["not made yet"]
        self.volume_id = str(found["VolumeId"])
        usable = found["State"] in ("available", "in-use")
        return [] if usable else [f"{self.volume_id} ({found['State']})"]

    def make(self) -> None:
        """Make it, unless a run before did."""
        intent, stack = self._intent, self._context.stack
        with translate_aws_errors(self._context.command):
            if self._found() is not None:
                return
            name = f"{stack.name}-{intent.target}"
            # Without the tag of backups: what is only looked into is not backed up again.
            tags = {**stack.tags.as_aws(stack.name), **EBS_DRIVER_TAG}
            tags |= {"Name": name, _RESTORED_BY: intent.token}
            self._context.account.client("ec2").create_volume(
                SnapshotId=intent.point.snapshot,
                AvailabilityZone=intent.zone,
                VolumeType="gp3",
                Encrypted=True,
                ClientToken=intent.token,
                TagSpecifications=[for_ec2("volume", tags)],
            )

    def _found(self) -> Any | None:
        filters = [{"Name": f"tag:{_RESTORED_BY}", "Values": [self._intent.token]}]
        found = self._context.account.all("ec2", "describe_volumes", "Volumes", Filters=filters)
        for item in found:
            mine = tags_of(item).get(_RESTORED_BY) == self._intent.token
            if mine and item["State"] != "deleting":
                return item
        return None
