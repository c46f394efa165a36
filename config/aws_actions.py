"""Which permissions the AWS provider needs for a type: to look at it, and to make, change and
delete it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

_FILE = Path(__file__).parent / "data" / "aws_actions.toml"


@cache
def _groups() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def known_types() -> frozenset[str]:
    """Every type that has a row."""
    return frozenset(kind for group in _groups().values() for kind in group["types"])


def actions(types: Collection[str], which: Literal["read", "write"]) -> tuple[str, ...]:
    """The permissions for these types, sorted. Raises KeyError for a type that has no row."""
    unknown = sorted(set(types) - known_types())
    if unknown:
        raise KeyError(f"no permissions are known for {', '.join(unknown)}")
    wanted = [group for group in _groups().values() if set(types) & set(group["types"])]
    return tuple(sorted({action for group in wanted for action in group[which]}))
