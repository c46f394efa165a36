"""What of a stack holds data and is there now: asked of AWS, by the tag that backups look for
and by the stack's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.config.backups import TAG, AwsBackup
from jupyterhub_aws.operate.live.account import kindly

if TYPE_CHECKING:
    from jupyterhub_aws.operate.backups.scene import BackupContext


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


def stateful(scene: BackupContext) -> list[Stateful]:
    """All of them, sorted: file systems, volumes (a hub's memory and people's homes), and
    databases where AWS Backup takes them too.
    """
    with kindly(scene.command):
        return sorted(_stateful(scene), key=lambda item: (item.kind, item.name, item.id))


def _stateful(scene: BackupContext) -> Iterator[Stateful]:
    account, stack = scene.account, scene.stack
    partition = (
        "aws-cn"
        if account.region.startswith("cn-")
        else "aws-us-gov"
        if account.region.startswith("us-gov-")
        else "aws"
    )
    if isinstance(stack.backups, AwsBackup):
        for system in account.all("efs", "describe_file_systems", "FileSystems"):
            if tags_of(system).get("stack") == stack.name:
                yield _of(
                    str(system["FileSystemArn"]),
                    "EFS",
                    str(system["FileSystemId"]),
                    tags_of(system),
                    stack.name,
                )
    for volume in account.all(
        "ec2",
        "describe_volumes",
        "Volumes",
        Filters=[{"Name": "tag:stack", "Values": [stack.name]}],
    ):
        tags = tags_of(volume)
        if _is_data(tags):
            yield _of(
                f"arn:{partition}:ec2:{account.region}:{account.id}:volume/{volume['VolumeId']}",
                "EBS",
                str(volume["VolumeId"]),
                tags,
                stack.name,
            )
    if isinstance(stack.backups, AwsBackup) and stack.backups.rds:
        for database in account.all("rds", "describe_db_instances", "DBInstances"):
            tags = {tag["Key"]: tag["Value"] for tag in database.get("TagList", ())}
            if tags.get("stack") == stack.name:
                yield _of(
                    str(database["DBInstanceArn"]),
                    "RDS",
                    str(database["DBInstanceIdentifier"]),
                    tags,
                    stack.name,
                )


def _is_data(tags: Mapping[str, str]) -> bool:
    """Not a node's disk, which has the stack's tags too and nothing that anybody would miss; nor
    what a restore made to look into.
    """
    of_a_person = "kubernetes.io/created-for/pvc/name" in tags
    return TAG in tags or of_a_person or tags.get("Name", "").endswith("-database")


def _of(arn: str, kind: str, id_: str, tags: Mapping[str, str], stack: str) -> Stateful:
    person = tags.get("kubernetes.io/created-for/pvc/name")
    return Stateful(
        arn=arn,
        kind=kind,
        id=id_,
        name=person or tags.get("Name", ""),
        covered=tags.get(TAG) == stack,
        tags=tags,
    )


def tags_of(item: Mapping[str, Any]) -> dict[str, str]:
    """The tags of something that EC2 or EFS describes."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in item.get("Tags") or ()}
