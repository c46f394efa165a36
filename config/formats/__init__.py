"""The format of a stack file: which names its options have. A file declares it as `format: 2`; a
file without this line has format 1.

A new format comes with a new minor version of the library (format 2 with 0.2), so that a number in
a file tells which version reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.config.formats.one_to_two import OneToTwo
from jupyterhub_aws.config.formats.step import (
    Edit,
    MigrationStep,
    Renamed,
    Revalued,
    applied,
    clashes,
)
from jupyterhub_aws.version import __version__

__all__ = [
    "FORMAT",
    "STEPS",
    "Edit",
    "Format",
    "applied",
    "clashes",
    "declared",
    "new_name",
    "new_value",
    "newer",
    "outdated",
    "upgraded",
]

#: The format that this version reads and writes.
FORMAT = 2
#: From each format to the next, from the first on.
STEPS: tuple[type[MigrationStep], ...] = (OneToTwo,)
_LISTED = 6  # renamed options that one message names


def declared(raw: object) -> int | None:
    """The format that a file says, as number or text (the engine makes text of it); 1 where it
    says nothing, None where that is no number.
    """
    if raw is None:
        return 1
    if isinstance(raw, str) and raw.isascii() and raw.isdigit():
        return int(raw)
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else None


def _number(raw: object) -> object:
    """A scalar at top level arrives as text from the engine."""
    return declared(raw) if isinstance(raw, str) and declared(raw) is not None else raw


Format = Annotated[Literal[1, 2], BeforeValidator(_number)]


def newer(raw: object) -> Problem | None:
    """Why a file of this format cannot be read, where a later version wrote it."""
    number = declared(raw)
    if number is None or number <= FORMAT:
        return None
    what = (
        f"is {number}, and this version of jupyterhub-aws ({__version__}) reads formats up to"
        f" {FORMAT}"
    )
    return Problem(
        id="format.newer",
        path="format",
        what=what,
        fix=(
            f"install version 0.{number} or later, which reads it: raise jupyterhub-aws in"
            " requirements.txt"
        ),
    )


def outdated(sections: Mapping[str, Any], stack: str) -> Problem | None:
    """The problem of a file that uses option names of an older format. None for a file without
    such names.
    """
    number = declared(sections.get("format"))
    if number is None:
        return None
    found = [edit for step in STEPS if step.source >= number for edit in step.edits(sections)]
    if not found:
        return None
    listed = [edit.words for edit in found[:_LISTED]] + (
        [f"and {len(found) - _LISTED} more"] if len(found) > _LISTED else []
    )
    what = (
        f"is {number}{'' if 'format' in sections else ' (the file does not say it)'}, and in format"
        f" {FORMAT} "
    )
    return Problem(
        id="format.outdated",
        path="format",
        what=what + ", ".join(listed),
        fix=f"run `jhub migrate {stack}`: it shows what changes, and with --write changes it",
    )


def upgraded(sections: Mapping[str, Any]) -> dict[str, Any]:
    """The same data in today's format, without its `format` line. Raises ValueError for an
    option that has both its old and its new name.
    """
    number = declared(sections.get("format")) or 1
    found = {key: value for key, value in sections.items() if key != "format"}
    for step in STEPS:
        if step.source >= number:
            edits = step.edits(found)
            if twice := next(clashes(found, edits), None):
                raise ValueError(f"{twice.path} {twice.what}")
            found = applied(found, edits)
    return found


def new_name(old: str, known: Sequence[str]) -> str | None:
    """The name that an option has today, where a step renamed it to one of these."""
    return next(
        (
            c.name
            for s in STEPS
            for c in s.changes
            if isinstance(c, Renamed) and c.path.rpartition(".")[2] == old and c.name in known
        ),
        None,
    )


def new_value(old: str, known: Sequence[str]) -> str | None:
    """The word that a value is today, where a step made another of it, and it is one of these."""
    return next(
        (
            c.new
            for s in STEPS
            for c in s.changes
            if isinstance(c, Revalued) and c.old == old and c.new in known
        ),
        None,
    )
