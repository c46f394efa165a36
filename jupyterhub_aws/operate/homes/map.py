"""Old and new home directory of each person, and what would go wrong between them. Pure."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from jupyterhub_aws.config.usernames import directory, is_name, normalized


@dataclass(frozen=True, kw_only=True)
class Move:
    """A person's directory before and after; `written` are the names in the list that mean this
    person.
    """

    person: str
    written: tuple[str, ...]
    old: str
    new: str

    @property
    def stays(self) -> bool:
        """Whether nothing changes."""
        return self.old == self.new


@dataclass(frozen=True, kw_only=True)
class Collision:
    """Why the map cannot be used: two people would share a directory, or one would find
    another's files.
    """

    what: str
    fix: str


def people(lines: Iterable[str]) -> list[tuple[int, str]]:
    """The names of a list, one to a line, with their line numbers: blank lines and comments left
    out.
    """
    found = [(number, line.rstrip("\r\n")) for number, line in enumerate(lines, 1)]
    return [
        (number, line)
        for number, line in found
        if line.strip() and not line.lstrip().startswith("#")
    ]


def moves(names: Sequence[str], old: str, new: str) -> list[Move]:
    """Where each person's directory was and will be, by name. Names that differ in case only are
    one person.
    """
    written: dict[str, list[str]] = defaultdict(list)
    for name in names:
        written[normalized(name)].append(name)
    found = [
        Move(
            person=person,
            written=tuple(dict.fromkeys(spellings)),
            old=directory(old, person),
            new=directory(new, person),
        )
        for person, spellings in sorted(written.items())
    ]
    return found


def refused(names: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, str]]:
    """The lines that are no names JupyterHub lets in, with the reason."""
    for number, name in names:
        if not is_name(normalized(name)):
            yield number, name, "has a slash" if "/" in name else "begins or ends with a space"


def collisions(found: Sequence[Move]) -> Iterator[Collision]:
    """Two people in one directory, before or after; and a directory that changes hands."""
    for which in ("old", "new"):
        owners: dict[str, list[str]] = defaultdict(list)
        for move in found:
            owners[getattr(move, which)].append(move.person)
        for place, sharing in sorted(owners.items()):
            if len(sharing) > 1:
                what = (
                    f"{' and '.join(sharing)} {'shared' if which == 'old' else 'would share'}"
                    f" {place}"
                )
                yield Collision(
                    what=what,
                    fix=(
                        "use {safe_username}, which has a hash for such names"
                        if which == "new"
                        else "separate their files by hand first"
                    ),
                )
    before = {move.old: move for move in found}
    for move in found:
        other = before.get(move.new)
        if other is not None and other.person != move.person and not other.stays:
            what = (
                f"{move.person} would find the files of {other.person}: {move.new} is theirs until"
                " it is moved"
            )
            yield Collision(
                what=what,
                fix=(
                    f"move {other.old} to {other.new} before anybody signs in; the script does so"
                    " in that order"
                ),
            )


def ordered(found: Sequence[Move]) -> list[Move]:
    """Those that change, so that a place is free before somebody moves in. Raises ValueError for
    people who would have to swap.
    """
    waiting = {move.old: move for move in found if not move.stays}
    done: list[Move] = []
    while waiting:
        free = [move for move in waiting.values() if move.new not in waiting]
        if not free:
            raise ValueError(", ".join(sorted(move.person for move in waiting.values())))
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
            "# Run in the directory that the hub's homes are in, while nobody is signed in: sh"
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
