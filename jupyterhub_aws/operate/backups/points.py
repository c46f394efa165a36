"""Recovery points: every backup that there is of a stack, whether AWS Backup, Data Lifecycle
Manager or EFS's own plan made it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.components.iam import partition_of
from jupyterhub_aws.config.backups import TAG, AwsBackup
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.config.homes import EfsHomesSection
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.homes import homes_name
from jupyterhub_aws.operate.backups.context import BackupContext
from jupyterhub_aws.operate.live.account import Account, code_of, translate_aws_errors

# --- What of a stack holds data and is there now: asked of AWS, by the tag that backups look for
# and by the stack's own.


@dataclass(frozen=True, kw_only=True)
class Stateful:
    """A file system (`EFS`), volume (`EBS`) or database (`RDS`) of the stack. `covered`: it
    carries the tag that backups look for.
    """

    arn: str
    kind: str
    id: str
    name: str
    covered: bool
    tags: Mapping[str, str]

    @property
    def shown(self) -> str:
        """As messages name it."""
        return f"{self.name} ({self.id})" if self.name and self.name != self.id else self.id


def stateful(context: BackupContext) -> list[Stateful]:
    """All of them, sorted: file systems, volumes (hub databases and users' homes), and
    databases where AWS Backup takes them too.
    """
    with translate_aws_errors(context.command):
        return sorted(_stateful(context), key=lambda item: (item.kind, item.name, item.id))


def _stateful(context: BackupContext) -> Iterator[Stateful]:
    account, stack = context.account, context.stack
    if isinstance(stack.backups, AwsBackup):
        for system in account.all("efs", "describe_file_systems", "FileSystems"):
            tags = tags_of(system)
            if tags.get("stack") == stack.name:
                arn, id_ = str(system["FileSystemArn"]), str(system["FileSystemId"])
                yield _of(arn, "EFS", id_, tags, stack.name)
    of_ec2 = f"arn:{partition_of(account.region)}:ec2:{account.region}:{account.id}"
    mine = [{"Name": "tag:stack", "Values": [stack.name]}]
    for volume in account.all("ec2", "describe_volumes", "Volumes", Filters=mine):
        tags, id_ = tags_of(volume), str(volume["VolumeId"])
        if _is_data(tags):
            yield _of(f"{of_ec2}:volume/{id_}", "EBS", id_, tags, stack.name)
    if isinstance(stack.backups, AwsBackup) and stack.backups.rds:
        for database in account.all("rds", "describe_db_instances", "DBInstances"):
            tags = {tag["Key"]: tag["Value"] for tag in database.get("TagList", ())}
            if tags.get("stack") == stack.name:
                arn, id_ = str(database["DBInstanceArn"]), str(database["DBInstanceIdentifier"])
                yield _of(arn, "RDS", id_, tags, stack.name)


def _is_data(tags: Mapping[str, str]) -> bool:
    """Not a node's disk, which has the stack's tags too and no data to keep; nor
    what a restore made to look into.
    """
    of_a_person = "kubernetes.io/created-for/pvc/name" in tags
    return TAG in tags or of_a_person or tags.get("Name", "").endswith("-database")


def _of(arn: str, kind: str, id_: str, tags: Mapping[str, str], stack: str) -> Stateful:
    name = tags.get("kubernetes.io/created-for/pvc/name") or tags.get("Name", "")
    covered = tags.get(TAG) == stack
    return Stateful(arn=arn, kind=kind, id=id_, name=name, covered=covered, tags=tags)


def tags_of(item: Mapping[str, Any]) -> dict[str, str]:
    """The tags of something that EC2 or EFS describes."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in item.get("Tags") or ()}


def for_ec2(kind: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Tags as EC2 takes them for what a call makes."""
    pairs = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
    return {"ResourceType": kind, "Tags": pairs}


#: EFS user guide, "Automatic backups": the vault of its own plan.
EFS_VAULT = "aws/efs/automatic-backup-vault"
_GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Point:
    """One backup. `resource` is the ARN of what was backed up, `state` AWS's own word, `bytes`
    None where it is unknown, `until` when it goes.
    """

    arn: str
    resource: str
    kind: str
    made: datetime.datetime
    state: str
    vault: str
    region: str
    bytes: int | None = None
    until: datetime.datetime | None = None

    @property
    def whole(self) -> bool:
        """Whether it can be restored."""
        return self.state in ("COMPLETED", "AVAILABLE", "completed")

    @property
    def snapshot(self) -> str:
        """The id of the EBS snapshot that it is. A recovery point of a volume is one (AWS Backup
        developer guide, "Resource ARNs").
        """
        return self.arn.rpartition("/")[2]

    @property
    def id(self) -> str:
        """The last part of the resource's ARN, such as fs-0123."""
        return self.resource.rpartition(":" if self.kind == "RDS" else "/")[2]


def points(context: BackupContext) -> list[Point]:
    """All of them, newest first; copies in the other region too."""
    with translate_aws_errors(context.command):
        found = list(_points(context))
    return sorted(found, key=lambda point: (point.made, point.arn), reverse=True)


def _points(context: BackupContext) -> Iterator[Point]:
    stack, spec = context.stack, resolve(context.stack).backups
    if isinstance(stack.backups, AwsBackup):
        yield from _of_vault(context.command, context.account, spec.vault_name)
        elsewhere = context.elsewhere()
        if elsewhere is not None:
            yield from _of_vault(context.command, elsewhere, spec.copy_vault_name)
        return
    tagged = [{"Name": f"tag:{key}", "Values": [value]} for key, value in spec.selection.items()]
    for snapshot in context.account.all(
        "ec2", "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=tagged
    ):
        yield _of_snapshot(context.account, snapshot)
    if isinstance(stack.homes, EfsHomesSection) and spec.efs_plan(stack.homes):
        system = file_system(context)
        if system is not None:
            of = {"ByResourceArn": str(system["FileSystemArn"])}
            yield from _of_vault(context.command, context.account, EFS_VAULT, **of)


def _of_vault(command: str, account: Account, name: str, **more: str) -> Iterator[Point]:
    from botocore.exceptions import ClientError

    call = ("backup", "list_recovery_points_by_backup_vault", "RecoveryPoints")
    try:
        for item in account.all(*call, BackupVaultName=name, **more):
            yield _of_recovery_point(account, item)
    except ClientError as error:
        # AWS Backup answers AccessDeniedException, too, for a vault that is not there.
        if code_of(error) != "ResourceNotFoundException":
            raise
        if name == EFS_VAULT:  # made with the first backup
            return
        what = f"there is no vault {name} in {account.id}, {account.region}"
        fix = "build it first: pulumi up; or choose the stack's region and account"
        raise refused(command, "restore.no-vault", "vault", what, fix) from None


def _of_recovery_point(account: Account, item: Mapping[str, Any]) -> Point:
    return Point(
        arn=str(item["RecoveryPointArn"]),
        resource=str(item.get("ResourceArn", "")),
        kind=str(item.get("ResourceType", "")),
        made=item["CreationDate"],
        state=str(item.get("Status", "")),
        vault=str(item.get("BackupVaultName", "")),
        region=account.region,
        bytes=item.get("BackupSizeInBytes"),
        until=(item.get("CalculatedLifecycle") or {}).get("DeleteAt"),
    )


def snapshot_arn(account: Account, id_: str) -> str:
    """The ARN of a snapshot, which has no account in it."""
    return f"arn:{partition_of(account.region)}:ec2:{account.region}::snapshot/{id_}"


def _of_snapshot(account: Account, item: Mapping[str, Any]) -> Point:
    prefix = f"arn:{partition_of(account.region)}:ec2:{account.region}"
    return Point(
        arn=snapshot_arn(account, item["SnapshotId"]),
        resource=f"{prefix}:{account.id}:volume/{item['VolumeId']}",
        kind="EBS",
        made=item["StartTime"],
        state=str(item["State"]),
        vault="snapshots",
        region=account.region,
        bytes=int(item["VolumeSize"]) * _GIB,
    )


def file_system(context: BackupContext) -> Mapping[str, Any] | None:
    """The file system of homes, by the token that it was made with or the tags it has; None
    where there is none.
    """
    name = homes_name(context.stack.name)
    its_tags = {"stack": context.stack.name, "Name": name}.items()
    found = [
        system
        for system in context.account.all("efs", "describe_file_systems", "FileSystems")
        if system.get("CreationToken") == name or its_tags <= tags_of(system).items()
    ]
    if len(found) > 1:
        names = ", ".join(str(system["FileSystemId"]) for system in found)
        what = f"several file systems are called {name}: {names}"
        fix = "take the tags off the others"
        raise refused(context.command, "homes.several-file-systems", "homes", what, fix)
    return found[0] if found else None


def newest(command: str, found: list[Point], at: datetime.datetime | None, what: str) -> Point:
    """The newest backup that can be restored and is not younger than `at`. Raises ConfigError
    where there is none.
    """
    from jupyterhub_aws.operate.backups.choose import written

    usable = [point for point in found if point.whole]
    taken = [point for point in usable if at is None or point.made <= at]
    if taken:
        return max(taken, key=lambda point: point.made)
    if not found:
        fault = f"there is no backup of {what} yet"
        fix = "wait for the next night, or: jhub backup now STACK"
        raise refused(command, "restore.no-backup", "backups", fault, fix)
    if not usable:
        states = ", ".join(sorted({point.state for point in found}))
        fault = f"no backup of {what} can be restored yet ({states})"
        fix = "wait until one is done"
        raise refused(command, "restore.not-restorable", "backups", fault, fix)
    oldest = written(min(point.made for point in usable))
    fault = f"there is no backup of {what} from then or before; the oldest is of {oldest}"
    fix = "name a later moment; jhub backup list shows all"
    raise refused(command, "restore.none-so-old", "--at", fault, fix)
