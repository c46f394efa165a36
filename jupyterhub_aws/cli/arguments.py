"""What commands are told in the same words: a stack by its name or file, and a day."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.project import project_of

if TYPE_CHECKING:
    from jupyterhub_aws.config.stack import StackConfig
    from jupyterhub_aws.config.stack_file import StackFile


def stack_file(stack: str, settings: Sequence[str] = ()) -> StackFile:
    """The file of a stack with `path=value` settings on top. Raises ConfigError."""
    from jupyterhub_aws.config.stack_file import find, read

    return read(find(stack, _stack_folder(stack)), settings)


def _stack_folder(stack: str) -> Path:
    """Where the file of a stack is looked for by its name: the current folder, else where the
    project keeps them. Raises ConfigError outside of a project.
    """
    if stack.endswith((".yaml", ".yml")):  # a path, which may lead into another project
        return Path(stack).parent
    folders = (Path.cwd(), project_of(Path.cwd()).stack_folder)
    having = [folder for folder in folders if (folder / f"Pulumi.{stack}.yaml").is_file()]
    having += [
        folder for folder in folders if any(folder.glob("Pulumi.*.yaml"))
    ]  # for a message that says what there is
    return having[0] if having else folders[-1]


def validated_stack(stack: str, settings: Sequence[str] = ()) -> tuple[StackConfig, str]:
    """The validated stack of a name or file, and its name for the engine. Loads no SDK. Raises
    ConfigError.
    """
    from jupyterhub_aws.components.validated import validated
    from jupyterhub_aws.config.cloud_config import given_by, what_if, whole

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
        raise ConfigError(
            "jhub",
            [
                Problem(
                    path="--as-of",
                    what=f"is not a date (got {text!r})",
                    fix="write it as YYYY-MM-DD",
                )
            ],
        ) from None
