"""Which directory is each user's home, under another naming scheme than before."""

from __future__ import annotations

import os
import shlex
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from jupyterhub_aws.cli.arguments import chosen_hub, validated_stack
from jupyterhub_aws.config.errors import ConfigError, Problem, refused
from jupyterhub_aws.config.homes import DIRECTORY_HOMES, HomeDirectory
from jupyterhub_aws.config.usernames import directory, is_name, normalized

# --- Old and new home directory of each user, and what would go wrong between them. Pure.


@dataclass(frozen=True)
class Move:
    """A user's directory before and after; `written` are the names in the list that mean this user."""

    user: str
    written: tuple[str, ...]
    old: str
    new: str

    @property
    def stays(self) -> bool:
        """Whether nothing changes."""
        return self.old == self.new


@dataclass(frozen=True)
class Collision:
    """Why the map cannot be used: two users would share a directory, or one would find another's
    files.
    """

    what: str
    fix: str


def names_of_lines(lines: Iterable[str]) -> list[tuple[int, str]]:
    """The names of a list, one to a line, with their line numbers: blank lines and comments left
    out.
    """
    found = [(number, line.rstrip("\r\n")) for number, line in enumerate(lines, 1)]
    return [item for item in found if item[1].strip() and not item[1].lstrip().startswith("#")]


def moves(names: Sequence[str], old: str, new: str) -> list[Move]:
    """Where each user's directory was and will be, by name. Names that differ in case only are one
    user.
    """
    written: dict[str, list[str]] = defaultdict(list)
    for name in names:
        written[normalized(name)].append(name)
    return [
        Move(user, tuple(dict.fromkeys(spellings)), directory(old, user), directory(new, user))
        for user, spellings in sorted(written.items())
    ]


def unusable(names: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, str]]:
    """The lines that are no names JupyterHub lets in, with the reason."""
    for number, name in names:
        if not is_name(normalized(name)):
            yield number, name, "has a slash" if "/" in name else "begins or ends with a space"


def collisions(found: Sequence[Move]) -> Iterator[Collision]:
    """Two users in one directory, before or after; and a directory that goes from one user to
    another.
    """
    for which in ("old", "new"):
        owners: dict[str, list[str]] = defaultdict(list)
        for move in found:
            owners[getattr(move, which)].append(move.user)
        for place, sharing in sorted(owners.items()):
            if len(sharing) > 1:
                who = " and ".join(sharing)
                if which == "old":
                    fix = "separate their files by hand first"
                    yield Collision(f"{who} shared {place}", fix)
                else:
                    fix = "use {safe_username}, which has a hash for such names"
                    yield Collision(f"{who} would share {place}", fix)
    before = {move.old: move for move in found}
    for move in found:
        other = before.get(move.new)
        if other is not None and other.user != move.user and not other.stays:
            yield Collision(
                f"{move.user} would find the files of {other.user}: {move.new} is theirs until it"
                " is moved",
                f"move {other.old} to {other.new} before any user signs in; the script does so in"
                " that order",
            )


def ordered(found: Sequence[Move]) -> list[Move]:
    """Those that change, so that a place is free before another home moves in. Raises ValueError
    for users whose homes would have to swap.
    """
    waiting = {move.old: move for move in found if not move.stays}
    done: list[Move] = []
    while waiting:
        free = [move for move in waiting.values() if move.new not in waiting]
        if not free:
            raise ValueError(", ".join(sorted(move.user for move in waiting.values())))
        done += free
        for move in free:
            del waiting[move.old]
    return done


def script(found: Sequence[Move]) -> str:
    """A POSIX shell script that moves directories below the one it is run in; run again it goes
    on where it stopped, and overwrites nothing.
    """
    lines = [
        "#!/bin/sh",
        (
            "# Run in the directory that the hub's homes are in, while no user is signed in: sh"
            " this-file"
        ),
        "# Overwrites nothing. Run again, it goes on where it stopped.",
        "set -eu",
        (
            'move() { if [ -e "$2" ]; then if [ -e "$1" ]; then echo "both are there: $1 and $2"'
            " >&2; exit 1; fi; return 0; fi"
        ),
        '  if [ -e "$1" ]; then mkdir -p -- "$(dirname -- "$2")"; mv -- "$1" "$2"; fi; }',
    ]
    return "\n".join(
        [*lines, *(f"move {_word(move.old)} {_word(move.new)}" for move in ordered(found)), ""]
    )


def _word(path: str) -> str:
    return shlex.quote(f"./{path}")


# --- What is really there: the directories of a mounted file system of homes, compared with a map.
# Only looks.


@dataclass(frozen=True, kw_only=True)
class Seen:
    """By user: whether the old and the new directory hold anything (None: not there).
    `unlisted`: directories that belong to no user in the list.
    """

    old: dict[str, bool | None]
    new: dict[str, bool | None]
    unlisted: tuple[str, ...]


def look(root: Path, found: Sequence[Move]) -> Seen:
    """Compare a map with a folder. Raises OSError where the folder cannot be read."""
    os.scandir(root).close()
    known = {place for move in found for place in (move.old, move.new)}
    parents = {str(Path(place).parent) for place in known}
    there = [
        str(Path(parent) / entry) for parent in sorted(parents) for entry in _entries(root / parent)
    ]
    unlisted = [
        place
        for place in there
        if place not in known and not any(other.startswith(f"{place}/") for other in known)
    ]
    return Seen(
        old={move.user: _holds(root / move.old) for move in found},
        new={move.user: _holds(root / move.new) for move in found},
        unlisted=tuple(sorted(unlisted)),
    )


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(
            entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)
        )
    except FileNotFoundError:
        return []


def _holds(folder: Path) -> bool | None:
    try:
        with os.scandir(folder) as entries:
            return any(True for _ in entries)
    except (FileNotFoundError, NotADirectoryError):
        return None


# --- What `jhub homes map` is told: a list of users, templates, a folder. Everything that is wrong
# is said at once.


_COMMAND = "jhub homes"


def names(file: str) -> list[str]:
    """The users of a list. Raises ConfigError naming every line that is no name."""
    listed = names_of_lines(_text(file).split("\n"))
    wrong = [
        Problem(
            id="user.malformed",
            path=f"{file}:{number}",
            what=f"{why} (got {name!r}), and JupyterHub lets no user of that name in",
            fix="correct it",
        )
        for number, name, why in unusable(listed)
    ]
    if not listed:
        fix = "write one per line; `jhub` knows no users by itself"
        wrong.append(Problem(id="homes.no-names", path=file, what="has no names", fix=fix))
    if wrong:
        raise ConfigError(_COMMAND, wrong)
    return [name for _, name in listed]


def _text(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        fix = "name a file that is there, or - "
        raise refused(_COMMAND, "file.unreadable", file, what, fix) from error
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte {error.start})"
        fix = "convert it: iconv -t utf-8"
        raise refused(_COMMAND, "file.not-utf8", file, what, fix) from error


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
        return [
            Problem(
                id=problem.get("id", "option.kind"),
                path=option,
                what=problem.get("what", error.errors()[0]["msg"]),
                fix=problem.get("fix", "write it like home/{safe_username}"),
            )
        ]
    return []


def _of_hub(stack: str, hub: str | None) -> str:
    found, name = validated_stack(stack)

    if not isinstance(found.homes, DIRECTORY_HOMES):
        what = f"has homes of kind {found.homes.kind}, which are no directories"
        fix = "this is for the kinds efs, nfs and efs_access_point"
        raise refused(_COMMAND, "homes.no-directories", name, what, fix)
    return found.hubs[chosen_hub(_COMMAND, name, found.hubs, hub)].home_directory


def folder_of(root: Path, found: Sequence[Move]) -> Seen:
    """What is there. Raises ConfigError where the folder cannot be read."""
    try:
        return look(root, found)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        fix = "name the folder where the homes are mounted"
        raise refused(_COMMAND, "homes.folder", str(root), what, fix) from error
