"""From what somebody asks to what is to be done: the backup, the item and the side path. Looks
into the account, changes nothing.
"""

from __future__ import annotations

import datetime
from typing import Any

from jupyterhub_aws.config.backups import AwsBackup
from jupyterhub_aws.config.database import PostgresDatabase, SqliteDatabase
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.homes import EbsHomes, EfsHomesSection, NfsHomes
from jupyterhub_aws.config.specs.homes import homes_name
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.backups.intent import FromFileSystem, FromVolume, Intent
from jupyterhub_aws.operate.backups.person import claim_of, home_of, hub_of, hub_root, namespace_of
from jupyterhub_aws.operate.backups.points import EFS_VAULT, Point, file_system, newest, points
from jupyterhub_aws.operate.backups.scene import BackupContext
from jupyterhub_aws.operate.backups.stateful import tags_of
from jupyterhub_aws.operate.backups.when import written
from jupyterhub_aws.operate.live.account import kindly


def intent(
    scene: BackupContext,
    hub: str | None,
    user: str | None,
    at: datetime.datetime | None,
    attempt: str,
) -> Intent:
    """What a restore would do. Raises ConfigError for names that nobody has, homes that no
    command restores, and where there is no such backup.
    """
    command, stack = scene.command, scene.stack
    name = hub_of(command, stack, hub)
    if isinstance(stack.homes, EfsHomesSection):
        item = (
            hub_root(stack, name) if user is None else home_of(command, stack, name, user)
        )  # names first: no call for a wrong one
        _not_the_whole(command, item)
        _in_the_vault(scene)
        with kindly(command):
            system = file_system(scene)
        if system is None:
            what = (
                f"there is no file system {homes_name(stack.name)} in {scene.account.id},"
                f" {scene.account.region}"
            )
            raise ConfigError(
                command,
                [
                    Problem(
                        path="homes",
                        what=what,
                        fix="build it first: pulumi up; or choose the stack's region and account",
                    )
                ],
            )
        arn, here = str(system["FileSystemArn"]), scene.account.region
        mine = [point for point in points(scene) if point.resource == arn and point.region == here]
        point = newest(command, mine, at, "the homes")
        return FromFileSystem(
            point=point,
            hub=name,
            person=user,
            file_system=str(system["FileSystemId"]),
            item=item,
            attempt=attempt,
        )
    if isinstance(stack.homes, EbsHomes):
        if user is None:
            what = "is needed: each person has a volume of their own"
            raise ConfigError(
                command,
                [
                    Problem(
                        path="--user",
                        what=what,
                        fix="name one; jhub backup list shows whose there are",
                    )
                ],
            )
        return _volume(scene, name, user, at, attempt)
    where = (
        f"on {stack.homes.server}"
        if isinstance(stack.homes, NfsHomes)
        else "nowhere: they are ephemeral"
    )
    raise ConfigError(
        command,
        [
            Problem(
                path="homes.kind",
                what=f"homes are {where}",
                fix="restore where they are backed up; the stack does not know of it",
            )
        ],
    )


def _not_the_whole(command: str, item: str) -> None:
    if not item:  # adopted at the root of the file system
        what = "is needed: this hub's directory is the whole file system"
        raise ConfigError(
            command,
            [
                Problem(
                    path="--user",
                    what=what,
                    fix=(
                        "name a person; for everything use the console: a full restore into a new"
                        " file system"
                    ),
                )
            ],
        )


def _in_the_vault(scene: BackupContext) -> None:
    if not isinstance(scene.stack.backups, AwsBackup):
        what = (
            "is snapshots: homes are in EFS's own vault, and the stack has no role that restores"
            " from there"
        )
        fix = (
            f"restore in the console (AWS Backup, vault {EFS_VAULT}), or choose kind: aws_backup"
            " for the next time"
        )
        raise ConfigError(scene.command, [Problem(path="backups.kind", what=what, fix=fix)])


def _volume(
    scene: BackupContext, hub: str, user: str, at: datetime.datetime | None, attempt: str
) -> FromVolume:
    command, claim, namespace = (
        scene.command,
        claim_of(scene.command, user),
        namespace_of(scene.stack, hub),
    )
    # aws-ebs-csi-driver, docs/tagging.md: what each volume of a claim is tagged with.
    filters = [
        {"Name": "tag:kubernetes.io/created-for/pvc/namespace", "Values": [namespace]},
        {"Name": "tag:kubernetes.io/created-for/pvc/name", "Values": [claim]},
        {"Name": "tag:stack", "Values": [scene.stack.name]},
    ]
    with kindly(command):
        found = list(scene.account.all("ec2", "describe_volumes", "Volumes", Filters=filters))
    if not found:
        what = f"has no volume {claim} in {namespace}"
        fix = (
            "is the name spelt as the hub's admin page shows it? jhub backup list shows whose"
            " volumes there are"
        )
        raise ConfigError(command, [Problem(path="--user", what=what, fix=fix)])
    by_id: dict[str, Any] = {str(volume["VolumeId"]): volume for volume in found}
    mine = [
        point
        for point in points(scene)
        if point.id in by_id and point.region == scene.account.region
    ]
    point = newest(command, mine, at, f"{user}'s volume")
    volume = by_id[point.id]
    return FromVolume(
        point=point,
        hub=hub,
        person=user,
        volume=point.id,
        zone=str(volume["AvailabilityZone"]),
        size_gib=int(volume["Size"]),
        claim=claim,
        namespace=namespace,
        attempt=attempt,
    )


def database_words(scene: BackupContext, hub: str, at: datetime.datetime | None) -> list[str]:
    """How the hub's memory would come back: by hand, for it stops the hub."""
    stack: StackConfig = scene.stack
    section = stack.hubs[hub].database
    if isinstance(section, PostgresDatabase):
        return [
            (
                f"PostgreSQL keeps {section.backup_days} days of its own, to the second. Restore it"
                " beside the old one in"
            ),
            "RDS (point in time), look into it, then decide: docs/backups.md, A hub's database.",
        ]
    if not isinstance(section, SqliteDatabase):
        return ["It is not in AWS: nothing is known of its backups here."]
    with kindly(scene.command):
        found = list(
            scene.account.all(
                "ec2",
                "describe_volumes",
                "Volumes",
                Filters=[{"Name": "tag:Name", "Values": [f"{stack.name}-{hub}-database"]}],
            )
        )
    mine = {
        str(volume["VolumeId"]) for volume in found if tags_of(volume).get("stack") == stack.name
    }
    try:
        point: Point = newest(
            scene.command,
            [
                point
                for point in points(scene)
                if point.id in mine and point.region == scene.account.region
            ],
            at,
            "the database",
        )
    except ConfigError as error:
        return [problem.what for problem in error.problems]
    return [
        f"hubs.{hub}.database.snapshot: {point.snapshot}",
        f"in the stack file makes a volume from the backup of {written(point.made)};",
        "the old one is kept: docs/backups.md, A hub's database.",
    ]
