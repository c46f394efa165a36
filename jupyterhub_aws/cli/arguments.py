"""What commands are told in the same words: a stack by its name or file, a hub, and a day."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jupyterhub_aws.config.errors import ConfigError, did_you_mean, refused
from jupyterhub_aws.config.project import project_of

if TYPE_CHECKING:
    from jupyterhub_aws.config.stack import StackConfig
    from jupyterhub_aws.config.stack_file import StackFile


def stack_file(stack: str, settings: Sequence[str] = ()) -> StackFile:
    """The file of a stack with `path=value` settings on top. Raises ConfigError."""
    from jupyterhub_aws.config.stack_file import find, read

    return read(find(stack, stack_folder(stack)), settings)


def stack_folder(stack: str) -> Path:
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


def chosen_hub(  # noqa: PLR0913 -- three of them are words of the message
    command: str,
    stack: str,
    hubs: Collection[str],
    hub: str | None,
    *,
    kind: str = "",
    none: str = "add one under hubs",
    several: str = "name one with --hub",
) -> str:
    """The hub that a command is for: the named one, or the only one. Raises ConfigError.

    `kind` says what these hubs have in common, such as ` with a directory`; `none` and
    `several` what to do where the stack has no such hub, or several and none is named.
    """

    def wrong(which: str, what: str, fix: str) -> ConfigError:
        return refused(command, which, stack, what, fix)

    known = sorted(hubs)
    if not known:
        raise wrong("hub.none", f"has no hub{kind}", none)
    if hub is None and len(known) > 1:
        what = f"has several hubs{kind}: {', '.join(known)}"
        raise wrong("hub.several", what, several)
    if hub is not None and hub not in known:
        fix = did_you_mean(hub, known, f"choose from {', '.join(known)}")
        raise wrong("hub.unknown", f"has no hub {hub!r}{kind}", fix)
    return hub or known[0]


def day(text: str | None) -> datetime.date:
    """The day of `--as-of`, or today. Raises ConfigError for text that is no date."""
    if text is None:
        return datetime.datetime.now(tz=datetime.UTC).date()
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        what = f"is not a date (got {text!r})"
        raise refused("jhub", "option.date", "--as-of", what, "write it as YYYY-MM-DD") from None
