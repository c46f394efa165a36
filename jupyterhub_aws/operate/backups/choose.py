"""From a request to what is to be done: the backup, the item and the side path. Looks
into the account, changes nothing.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.cli.arguments import chosen_hub
from jupyterhub_aws.config.backups import AwsBackup
from jupyterhub_aws.config.database import PostgresDatabase, SqliteDatabase
from jupyterhub_aws.config.errors import ConfigError, refused, shown
from jupyterhub_aws.config.homes import EbsHomes, EfsHomesSection, NfsHomes
from jupyterhub_aws.config.specs.homes import homes_name, hub_directory
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.usernames import directory, is_name, normalized, safe
from jupyterhub_aws.operate.backups.context import BackupContext
from jupyterhub_aws.operate.backups.points import (
    EFS_VAULT,
    Point,
    file_system,
    newest,
    points,
    tags_of,
)
from jupyterhub_aws.operate.live.account import translate_aws_errors

# --- `--at`: a moment of the past in the operator's words.


_AGO = re.compile(r"([1-9][0-9]{0,3})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(command: str, text: str, now: datetime.datetime) -> datetime.datetime:
    """The moment that a text means: ISO time (UTC unless it says otherwise), a day (its end),
    `yesterday`, or `2d`, `3h` ago.

    Raises ConfigError for anything else, and for the future.
    """
    found = _moment(text.strip(), now)
    if found is None:
        fix = (
            "write an ISO time (2026-11-27T14:00), a day (2026-11-27: its end), yesterday, or how"
            " long ago (2d, 3h); times are UTC"
        )
        raise refused(command, "restore.time", "--at", f"is no moment (got {shown(text)})", fix)
    if found > now:
        what = f"is in the future ({shown(text)}; now it is {written(now)})"
        raise refused(command, "restore.time-in-future", "--at", what, "name an earlier moment")
    return found


def _moment(text: str, now: datetime.datetime) -> datetime.datetime | None:
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now - datetime.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        if text == "yesterday" or re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = (
                now.date() - datetime.timedelta(days=1)
                if text == "yesterday"
                else datetime.date.fromisoformat(text)
            )
            end = datetime.datetime.combine(day, datetime.time.max, tzinfo=datetime.UTC)
            return min(end, now) if day == now.date() else end
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)


def written(when: datetime.datetime) -> str:
    """A moment as messages have it: `2026-11-27 03:00 UTC`."""
    return f"{when.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"


def stamp(when: datetime.datetime) -> str:
    """A moment as part of a name: `2026-11-27t0300z`, which Kubernetes takes too."""
    return f"{when.astimezone(datetime.UTC):%Y-%m-%dt%H%M}z"


def age(when: datetime.datetime, now: datetime.datetime) -> str:
    """How long ago, in the largest unit that says something: `3 d`, `5 h`, `20 min`."""
    seconds = max(int((now - when).total_seconds()), 0)
    for unit, size in (("d", 86400), ("h", 3600)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds // 60} min"


# --- What a restore would do: which backup, of what, into which side path. Decided before anything
# is asked of AWS, shown by `restore plan`. Pure.


@dataclass(frozen=True, kw_only=True)
class FromFileSystem:
    """`item` and `target` are paths from the root of the file system; `file_system` its id;
    `user` is None for everything of a hub.
    """

    point: Point
    hub: str
    user: str | None
    file_system: str
    item: str
    attempt: str

    @property
    def token(self) -> str:
        """What makes the same restore the same: asked for twice, AWS does it once."""
        return _token(self.point, self.item, self.attempt)

    @property
    def target(self) -> str:
        """Beside what is alive: in the user's own home, where they find it; for a hub below
        `_restored`, which is no user's home.
        """
        when = _when(self.point, self.attempt)
        return f"{self.item}/{'_restored/' if self.user is None else 'restored-'}{when}"

    @property
    def metadata(self) -> Mapping[str, str]:
        """AWS Backup developer guide, "Restore an Amazon EFS file system", and API reference,
        StartRestoreJob: into the same file system, one item.
        """
        return {
            "file-system-id": self.file_system,
            "newFileSystem": "false",
            "Encrypted": "true",
            "PerformanceMode": "generalPurpose",
            "CreationToken": self.token,
            "ItemsToRestore": json.dumps([f"/{self.item}"]),
        }

    @property
    def job(self) -> str:
        """The job inside the cluster."""
        return f"restore-{self.token[:12]}"


@dataclass(frozen=True, kw_only=True)
class FromVolume:
    """`volume` is the one that is alive, `zone` its zone, `claim` its claim in `namespace`."""

    point: Point
    hub: str
    user: str
    volume: str
    zone: str
    size_gib: int
    claim: str
    namespace: str
    attempt: str

    @property
    def token(self) -> str:
        """As above."""
        return _token(self.point, self.claim, self.attempt)

    @property
    def target(self) -> str:
        """The claim of another name."""
        return f"restored-{_when(self.point, self.attempt)}-{self.token[:8]}"


Intent = FromFileSystem | FromVolume


def _token(point: Point, what: str, attempt: str) -> str:
    return hashlib.sha256(f"{point.arn} {what} {attempt}".encode()).hexdigest()[:32]


def _when(point: Point, attempt: str) -> str:
    return stamp(point.made) + ("" if attempt == "1" else f"-{attempt}")


def comparing(intent: FromFileSystem) -> list[str]:
    """Arguments of the program that compares."""
    return ["compare", "--item", intent.item, "--taken", _iso(intent.point.made)]


def handing_over(intent: FromFileSystem) -> list[str]:
    """Arguments of the program that hands over."""
    return ["hand-over", "--item", intent.item, "--target", intent.target]


def between(since: datetime.datetime, until: datetime.datetime) -> list[str]:
    """When the job of AWS ran: by it the program knows which side directory is meant."""
    return ["--since", _iso(since), "--until", _iso(until)]


def _iso(when: datetime.datetime) -> str:
    return when.astimezone(datetime.UTC).isoformat()


# --- Where one user's home is, by the stack file alone: a directory of the file system, or the
# claim of a volume. Pure.


def user_name(command: str, name: str) -> str:
    """The name as JupyterHub knows it. Raises ConfigError for one that no user can have, so that
    no path is made of it.
    """
    known = normalized(name)
    if not is_name(known) or not known.isprintable() or known in (".", "..") or "\\" in known:
        what = f"is no name of a user (got {shown(name)})"
        fix = "write it as the hub's admin page shows it"
        raise refused(command, "user.malformed", "--user", what, fix)
    return known


def hub_root(stack: StackConfig, hub: str) -> str:
    """The directory of the file system that a hub sees as its own, without a slash at its
    beginning.
    """
    homes = stack.homes if isinstance(stack.homes, EfsHomesSection) else EfsHomesSection(kind="efs")
    return hub_directory(homes, hub).strip("/")


def home_of(command: str, stack: StackConfig, hub: str, name: str) -> str:
    """One user's directory, from the root of the file system. Raises ConfigError where it
    would lead out of the hub's own.
    """
    root = hub_root(stack, hub)
    below = directory(stack.hubs[hub].home_directory, user_name(command, name))
    if any(part in ("", ".", "..") for part in below.split("/")):
        what = f"leads out of the hub's directory (got {shown(name)})"
        raise refused(command, "user.outside", "--user", what, "write another name")
    return f"{root}/{below}" if root else below


def claim_of(command: str, name: str) -> str:
    """The claim of one user's volume: KubeSpawner 7, `pvc_name_template`, which chart 4 leaves
    alone: claim-{user_server}.
    """
    return f"claim-{safe(user_name(command, name))}"


def namespace_of(stack: StackConfig, hub: str) -> str:
    """The hub's namespace."""
    return HubNames(stack=stack.name, hub=hub).namespace


def intent(
    context: BackupContext,
    hub: str | None,
    user: str | None,
    at: datetime.datetime | None,
    attempt: str,
) -> Intent:
    """What a restore would do. Raises ConfigError for names that no user has, homes that no
    command restores, and where there is no such backup.
    """
    command, stack = context.command, context.stack
    name = chosen_hub(command, context.file.stack, stack.hubs, hub)
    if isinstance(stack.homes, EfsHomesSection):
        # Names first: no call for a wrong one.
        item = hub_root(stack, name) if user is None else home_of(command, stack, name, user)
        _not_the_whole(command, item)
        _in_the_vault(context)
        with translate_aws_errors(command):
            system = file_system(context)
        if system is None:
            where = f"{context.account.id}, {context.account.region}"
            what = f"there is no file system {homes_name(stack.name)} in {where}"
            fix = "build it first: pulumi up; or choose the stack's region and account"
            raise refused(command, "restore.no-file-system", "homes", what, fix)
        arn, here = str(system["FileSystemArn"]), context.account.region
        mine = [
            point for point in points(context) if point.resource == arn and point.region == here
        ]
        point = newest(command, mine, at, "the homes")
        return FromFileSystem(
            point=point,
            hub=name,
            user=user,
            file_system=str(system["FileSystemId"]),
            item=item,
            attempt=attempt,
        )
    if isinstance(stack.homes, EbsHomes):
        if user is None:
            what = "is needed: each user has a volume of their own"
            fix = "name one; jhub backup list shows whose there are"
            raise refused(command, "restore.user-needed", "--user", what, fix)
        return _volume(context, name, user, at, attempt)
    where = (
        f"on {stack.homes.server}"
        if isinstance(stack.homes, NfsHomes)
        else "nowhere: they are ephemeral"
    )
    fix = "restore where they are backed up; the stack does not know of it"
    raise refused(command, "restore.homes-kind", "homes.kind", f"homes are {where}", fix)


def _not_the_whole(command: str, item: str) -> None:
    if not item:  # adopted at the root of the file system
        what = "is needed: this hub's directory is the whole file system"
        fix = "name a user; for everything use the console: a full restore into a new file system"
        raise refused(command, "restore.user-needed", "--user", what, fix)


def _in_the_vault(context: BackupContext) -> None:
    if not isinstance(context.stack.backups, AwsBackup):
        what = (
            "is snapshots: homes are in EFS's own vault, and the stack has no role that restores"
            " from there"
        )
        fix = (
            f"restore in the console (AWS Backup, vault {EFS_VAULT}), or choose kind: aws_backup"
            " for the next time"
        )
        raise refused(context.command, "restore.no-role", "backups.kind", what, fix)


def _volume(
    context: BackupContext, hub: str, user: str, at: datetime.datetime | None, attempt: str
) -> FromVolume:
    command, namespace = context.command, namespace_of(context.stack, hub)
    claim = claim_of(command, user)
    # aws-ebs-csi-driver, docs/tagging.md: what each volume of a claim is tagged with.
    filters = [
        {"Name": "tag:kubernetes.io/created-for/pvc/namespace", "Values": [namespace]},
        {"Name": "tag:kubernetes.io/created-for/pvc/name", "Values": [claim]},
        {"Name": "tag:stack", "Values": [context.stack.name]},
    ]
    with translate_aws_errors(command):
        found = list(context.account.all("ec2", "describe_volumes", "Volumes", Filters=filters))
    if not found:
        what = f"has no volume {claim} in {namespace}"
        fix = (
            "is the name spelt as the hub's admin page shows it? jhub backup list shows whose"
            " volumes there are"
        )
        raise refused(command, "restore.no-volume", "--user", what, fix)
    by_id: dict[str, Any] = {str(volume["VolumeId"]): volume for volume in found}
    point = newest(command, _points_of(context, by_id), at, f"{user}'s volume")
    volume = by_id[point.id]
    return FromVolume(
        point=point,
        hub=hub,
        user=user,
        volume=point.id,
        zone=str(volume["AvailabilityZone"]),
        size_gib=int(volume["Size"]),
        claim=claim,
        namespace=namespace,
        attempt=attempt,
    )


def _points_of(context: BackupContext, ids: Collection[str]) -> list[Point]:
    """Backups of these volumes, in the stack's own region."""
    here = context.account.region
    return [point for point in points(context) if point.id in ids and point.region == here]


def database_words(
    context: BackupContext, hub: str, at: datetime.datetime | None
) -> tuple[list[str], Point | None]:
    """How the hub's database would come back: by hand, for it stops the hub. The backup is None
    where there is none that an option takes.
    """
    stack: StackConfig = context.stack
    section = stack.hubs[hub].database
    if isinstance(section, PostgresDatabase):
        return _words(
            (
                f"PostgreSQL keeps {section.backup_days} days of its own, to the second. Restore it"
                " beside the old one in"
            ),
            "RDS (point in time), look into it, then decide: docs/backups.md, A hub's database.",
        )
    if not isinstance(section, SqliteDatabase):
        return _words("It is not in AWS: nothing is known of its backups here.")
    filters = [{"Name": "tag:Name", "Values": [f"{stack.name}-{hub}-database"]}]
    with translate_aws_errors(context.command):
        found = list(context.account.all("ec2", "describe_volumes", "Volumes", Filters=filters))
    mine = {
        str(volume["VolumeId"]) for volume in found if tags_of(volume).get("stack") == stack.name
    }
    try:
        point = newest(context.command, _points_of(context, mine), at, "the database")
    except ConfigError as error:
        return _words(*(problem.what for problem in error.problems))
    return [
        f"hubs.{hub}.database.snapshot: {point.snapshot}",
        f"in the stack file makes a volume from the backup of {written(point.made)};",
        "the old one is kept: docs/backups.md, A hub's database.",
    ], point


def _words(*lines: str) -> tuple[list[str], None]:
    return list(lines), None
