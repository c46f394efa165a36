"""What is really there: the directories of a mounted file system of homes, compared with a map.
Only looks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyterhub_aws.operate.homes.map import Move


@dataclass(frozen=True, kw_only=True)
class Seen:
    """By person: whether the old and the new directory hold anything (None: not there).
    `nobodys`: directories that belong to nobody in the list.
    """

    old: dict[str, bool | None]
    new: dict[str, bool | None]
    nobodys: tuple[str, ...]


def look(root: Path, found: Sequence[Move]) -> Seen:
    """Compare a map with a folder. Raises OSError where the folder cannot be read."""
    os.scandir(root).close()
    known = {place for move in found for place in (move.old, move.new)}
    parents = {str(Path(place).parent) for place in known}
    there = [
        str(Path(parent) / entry) for parent in sorted(parents) for entry in _entries(root / parent)
    ]
    nobodys = [
        place
        for place in there
        if place not in known and not any(other.startswith(f"{place}/") for other in known)
    ]
    return Seen(
        old={move.person: _holds(root / move.old) for move in found},
        new={move.person: _holds(root / move.new) for move in found},
        nobodys=tuple(sorted(nobodys)),
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
