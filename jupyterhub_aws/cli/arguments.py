"""What commands are told in the same words: a stack by its name or file, and a day."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.project import ROOT

if TYPE_CHECKING:
    from jupyterhub_aws.config.stack import StackConfig
    from jupyterhub_aws.config.stack_file import StackFile


def stack_folder() -> Path:
    """Where stack files are looked for: the folder one is in, if it has any, else the project's."""
    return Path.cwd() if any(Path.cwd().glob("Pulumi.*.yaml")) else ROOT


def stack_file(stack: str, settings: Sequence[str] = ()) -> StackFile:
    """The file of a stack with `path=value` settings on top. Raises ConfigError."""
    from jupyterhub_aws.config.stack_file import find, read

    return read(find(stack, stack_folder()), settings)


def validated_stack(stack: str, settings: Sequence[str] = ()) -> tuple[StackConfig, str]:
    """The validated stack of a name or file, and its name for the engine. Loads no SDK. Raises ConfigError."""
    from jupyterhub_aws.components.validated import validated
    from jupyterhub_aws.config.halves import given_by, what_if, whole

    file = stack_file(stack, settings)
    with what_if(file):
        return validated(whole(given_by(file), file.path.parent)), file.stack


def day(text: str | None) -> datetime.date:
    """The day of `--as-of`, or today. Raises ConfigError for text that is no date."""
    if text is None:
        return datetime.datetime.now(tz=datetime.UTC).date()
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ConfigError("jhub", [Problem(path="--as-of", what=f"is not a date (got {text!r})", fix="write it as YYYY-MM-DD")]) from None
