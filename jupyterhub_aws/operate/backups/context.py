"""What a backup command works on: the stack, its file, and an account that was tried. Refused
before anything is changed.
"""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from jupyterhub_aws.checks.backups import Drill, drill_of
from jupyterhub_aws.cli.arguments import chosen_hub, stack_file, validated_stack
from jupyterhub_aws.config.backups import AwsBackup, NoBackups
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import StackFile, find, read
from jupyterhub_aws.operate.live.account import Account, account_of


@dataclass(frozen=True, kw_only=True)
class BackupContext:
    """The stack, the file that a record lies beside (the cloud stack's), and the account."""

    command: str
    stack: StackConfig
    file: StackFile
    account: Account

    def elsewhere(self) -> Account | None:
        """The same account in the region of the copies."""
        section = self.stack.backups
        if not isinstance(section, AwsBackup) or section.copy_to_region is None:
            return None
        return replace(self.account, region=section.copy_to_region.region, clients={})


def refuse_paused(context: BackupContext) -> None:
    """Raise ConfigError for a stack that says `paused`: it has no node for the job that sees all
    homes.
    """
    if context.stack.paused:
        what = "is paused, so there is no node for the job that a restore needs"
        fix = f"bring it back: jhub resume {context.file.stack}"
        raise refused(context.command, "stack.paused", context.file.stack, what, fix)


def context_of(command: str, stack: str, *, changes: bool, hub: str | None = None) -> BackupContext:
    """The context of a stack. Raises ConfigError for one without backups, for bad credentials, and
    for another account than the stack's; before AWS is asked, for a `hub` that it does not have.
    """
    file = stack_file(stack)
    found, _ = validated_stack(stack)
    if found.cloud_stack is not None:  # a cluster stack's configuration is its cloud stack's
        file = read(find(found.cloud_stack, file.path.parent))
    if not isinstance(found.cluster, EksCluster):
        what = "the stack makes nothing in AWS, so it backs nothing up there"
        fix = "ask the operators of the server of homes and the cluster's volumes"
        raise refused(command, "backups.nothing-to-back-up", "cluster.kind", what, fix)
    if isinstance(found.backups, NoBackups):
        what = f"is none: nothing is backed up ({found.backups.reason})"
        fix = "remove the section, then pulumi up"
        raise refused(command, "backups.none", "backups.kind", what, fix)
    if hub is not None:
        chosen_hub(command, file.stack, found.hubs, hub)
    account = account_of(command, found, changes=changes)
    return BackupContext(command=command, stack=found, file=file, account=account)


# --- The record of the last rehearsal: a small file beside the stack's, committed like it. A plan
# reads it, `jhub restore drill` writes it.


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What a drill found. `same` files came back byte for byte; `changed` were written or deleted
    since the backup, so nothing can be said of them; `differences` had to be the same and were not.
    `seconds` from asking AWS to the last file compared.
    """

    day: datetime.date
    hub: str
    recovery_point: str
    backup_of: datetime.datetime
    files: int
    bytes: int
    same: int
    changed: int
    differences: int
    seconds: int


def record_path(file: StackFile) -> Path:
    """Where the record of a stack lies."""
    return file.path.parent / "drills" / f"{file.stack}.toml"


def read_record(file: StackFile) -> Drill | None:
    """The last rehearsal, or None. Raises ConfigError for a record that cannot be read."""
    path = record_path(file)
    try:
        return drill_of(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"is not a record of a drill ({type(error).__name__}: {str(error)[:100]})"
        fix = "take the committed one back, or delete it and rehearse again"
        raise refused(f"drills/{path.name}", "restore.record", "", what, fix) from None


def write_record(file: StackFile, found: Rehearsal) -> Path:
    """Write it atomically. No user's name is in it: it is committed."""
    path = record_path(file)
    path.parent.mkdir(exist_ok=True)
    text = (
        f"# Written by `jhub restore drill {file.stack}`. Commit it: plans warn when it is too"
        " old.\n"
        f"date = {found.day.isoformat()}\n"
        f'hub = "{found.hub}"\n'
        f'recovery_point = "{found.recovery_point}"\n'
        f"backup_of = {found.backup_of.astimezone(datetime.UTC).isoformat(timespec='seconds')}\n"
        f"files = {found.files}\nbytes = {found.bytes}\nsame = {found.same}\nchanged_since ="
        f" {found.changed}\n"
        f"differences = {found.differences}\nseconds = {found.seconds}\n"
    )
    half = path.with_suffix(".toml.part")
    half.write_text(text, encoding="utf-8")
    half.replace(path)
    return path
