"""The record of the last rehearsal: a small file beside the stack's, committed like it. A plan
reads it, `jhub restore drill` writes it.
"""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass
from pathlib import Path

from jupyterhub_aws.checks.backups import Drill, drill_of
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.stack_file import StackFile


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
        raise ConfigError(
            f"drills/{path.name}",
            [
                Problem(
                    path="",
                    what=what,
                    fix="take the committed one back, or delete it and rehearse again",
                )
            ],
        ) from None


def write_record(file: StackFile, found: Rehearsal) -> Path:
    """Write it, whole or not at all. No person's name is in it: it is committed."""
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
