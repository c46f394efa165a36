"""What `jhub homes map` is told: a list of people, templates, a folder. Everything that is wrong
is said at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from jupyterhub_aws.cli.arguments import validated_stack
from jupyterhub_aws.config.errors import ConfigError, Problem, closest
from jupyterhub_aws.config.homes import DIRECTORY_HOMES, HomeDirectory
from jupyterhub_aws.operate.homes.folder import Seen, look
from jupyterhub_aws.operate.homes.map import Move, people, refused

_COMMAND = "jhub homes"


def names(file: str) -> list[str]:
    """The people of a list. Raises ConfigError naming every line that is no name."""
    listed = people(_text(file).split("\n"))
    wrong = [
        Problem(
            path=f"{file}:{number}",
            what=f"{why} (got {name!r}), and JupyterHub lets nobody of that name in",
            fix="correct it",
        )
        for number, name, why in refused(listed)
    ]
    if not listed:
        wrong.append(
            Problem(
                path=file,
                what="has no names",
                fix="write one to a line; `jhub` knows nobody by itself",
            )
        )
    if wrong:
        raise ConfigError(_COMMAND, wrong)
    return [name for _, name in listed]


def _text(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            _COMMAND,
            [
                Problem(
                    path=file,
                    what=f"cannot be read: {error.strerror}",
                    fix="name a file that is there, or - ",
                )
            ],
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            _COMMAND,
            [
                Problem(
                    path=file,
                    what=f"is not UTF-8 (byte {error.start})",
                    fix="convert it: iconv -t utf-8",
                )
            ],
        ) from error


def templates(
    stack: str | None, hub: str | None, old: str | None, new: str | None
) -> tuple[str, str]:
    """The directory before and after. Without a stack the schemes alone."""
    wrong = [
        problem
        for option, text in (("--from", old), ("--to", new))
        if text is not None
        for problem in _judged(option, text)
    ]
    if wrong:
        raise ConfigError(_COMMAND, wrong)
    after = new or ("{safe_username}" if stack is None else _of_hub(stack, hub))
    before = old or after.replace("{safe_username}", "{escaped_username}").replace(
        "{unescaped_username}", "{escaped_username}"
    )
    return before, after


def _judged(option: str, text: str) -> list[Problem]:
    try:
        TypeAdapter(HomeDirectory).validate_python(text)
    except ValidationError as error:
        problem = error.errors()[0].get("ctx", {})
        what, fix = (
            str(problem.get("what", error.errors()[0]["msg"])),
            str(problem.get("fix", "write it like home/{safe_username}")),
        )
        return [Problem(path=option, what=what, fix=fix)]
    return []


def _of_hub(stack: str, hub: str | None) -> str:
    found, name = validated_stack(stack)

    def wrong(what: str, fix: str) -> ConfigError:
        return ConfigError(_COMMAND, [Problem(path=name, what=what, fix=fix)])

    if not isinstance(found.homes, DIRECTORY_HOMES):
        raise wrong(
            f"has homes of kind {found.homes.kind}, which are no directories",
            "this is for the kinds efs, nfs and efs_access_point",
        )
    if hub is None and len(found.hubs) != 1:
        raise wrong(
            f"has {'several hubs: ' + ', '.join(sorted(found.hubs)) if found.hubs else 'no hub'}",
            "name one with --hub",
        )
    if hub is not None and hub not in found.hubs:
        guess = closest(hub, found.hubs)
        raise wrong(
            f"has no hub {hub!r}",
            f"did you mean {guess}?" if guess else f"choose from {', '.join(sorted(found.hubs))}",
        )
    return found.hubs[hub or next(iter(found.hubs))].home_directory


def folder_of(root: Path, found: Sequence[Move]) -> Seen:
    """What is there. Raises ConfigError where the folder cannot be read."""
    try:
        return look(root, found)
    except OSError as error:
        raise ConfigError(
            _COMMAND,
            [
                Problem(
                    path=str(root),
                    what=f"cannot be read: {error.strerror}",
                    fix="name the folder where the homes are mounted",
                )
            ],
        ) from error
