"""Which properties force a resource to be replaced: what the SDK's documentation says, completed by hand (config/data/replacements.toml says from where)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from config.tree import prefixes

_DATA = Path(__file__).parent / "data"
_DOCUMENTATION = "documentation of the SDK"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What another value of a property does. `engine`: only the engine, or AWS, can know; `reason` says why."""

    kind: Literal["replaces", "updates", "engine"]
    source: str = ""
    reason: str = ""


@cache
def _by_hand() -> Mapping[str, Any]:
    return tomllib.loads((_DATA / "replacements.toml").read_text(encoding="utf-8"))


@cache
def _documented() -> Mapping[str, Any]:
    types: Mapping[str, Any] = json.loads((_DATA / "replacements.json").read_text(encoding="utf-8"))["types"]
    return types


def known_types() -> frozenset[str]:
    """Every type that has a row."""
    return frozenset(_by_hand())


@cache
def verdict(type_: str, path: str) -> Verdict:
    """What another value at a path (dotted, without positions, such as `vpcConfig.subnetIds`) does to a resource of a type.

    By hand wins over documented, the longest path over shorter ones. What is in no table is the engine's to know, never an update by default.
    """
    row = _by_hand().get(type_)
    if row is None:
        return Verdict(kind="engine", reason="its type is in no table")
    documented = _documented().get(type_, {})
    parts = path.split(".")
    for prefix in prefixes(parts):
        if prefix in row.get("engine", {}):
            return Verdict(kind="engine", source=row["source"], reason=row["engine"][prefix])
        if prefix in row["replaces"]:
            return Verdict(kind="replaces", source=row["source"])
        if prefix in documented.get("replaces", ()):
            return Verdict(kind="replaces", source=_DOCUMENTATION)
    return _in_place(row, documented, parts)


def _in_place(row: Mapping[str, Any], documented: Mapping[str, Any], parts: list[str]) -> Verdict:
    """A property that nothing says to force a replacement: changed in place, if its type has it."""
    # A map that comes or goes as a whole takes what is inside it along.
    if len(parts) == 1 and any(inside.startswith(f"{parts[0]}.") for inside in row["replaces"]) and parts[0] not in ("metadata", "spec"):
        return Verdict(kind="engine", source=row["source"], reason=f"something in {parts[0]} forces a replacement")
    if parts[0] in documented.get("inputs", row.get("inputs", ())):
        return Verdict(kind="updates", source=row["source"])
    return Verdict(kind="engine", source=row["source"], reason="its documentation does not know this property")
