"""Which properties force a resource to be replaced: by the AWS provider's schema and the SDKs'
documentation (config/data/replacements.json, made by scripts/refresh_replacements.py), completed by
hand (config/data/replacements.toml says from where).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jupyterhub_aws.config.tree import prefixes

_DATA = Path(__file__).parent / "data"
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class ReplacementVerdict:
    """What another value of a property does. `engine`: only the engine, or AWS, can tell;
    `reason` says why.
    """

    kind: Literal["replaces", "updates", "engine"]
    source: str = ""
    reason: str = ""


@cache
def _by_hand() -> Mapping[str, Any]:
    return tomllib.loads((_DATA / "replacements.toml").read_text(encoding="utf-8"))


@cache
def _documented() -> Mapping[str, Any]:
    types: Mapping[str, Any] = json.loads(
        (_DATA / "replacements.json").read_text(encoding="utf-8")
    )["types"]
    return types


def known_types() -> frozenset[str]:
    """Every type that has a row."""
    return frozenset({*_by_hand(), *_documented()})


def _source(type_: str) -> str:
    return (
        "terraform-provider-aws 6.58.0, schema and CustomizeDiff"
        if type_.startswith("aws:")
        else "documentation of the SDK"
    )


@cache
def verdict(type_: str, path: str) -> ReplacementVerdict:
    """What another value at a path (dotted, without positions, such as `vpcConfig.subnetIds`) does
    to a resource of a type.

    By hand wins over documented, the longest path over shorter ones. For a property in no table
    only the engine can tell; it is never an update by default.
    """
    if type_ not in known_types():
        return ReplacementVerdict(kind="engine", reason="its type is in no table")
    rows = (
        _by_hand().get(type_, _NOTHING),
        {"source": _source(type_), **_documented().get(type_, {})},
    )
    parts = path.split(".")
    for prefix in prefixes(parts):
        for row in (row for row in rows if row):
            if prefix in row.get("engine", ()):
                return ReplacementVerdict(
                    kind="engine", source=row["source"], reason=row["engine"][prefix]
                )
            if prefix in row.get("replaces", ()) or (
                prefix == path and prefix in row.get("blocks", ())
            ):
                return ReplacementVerdict(kind="replaces", source=row["source"])
    return _in_place(type_, parts)


def _in_place(type_: str, parts: list[str]) -> ReplacementVerdict:
    """A property that no source says to force a replacement: changed in place, if its type has
    it.
    """
    hand, documented = _by_hand().get(type_, _NOTHING), _documented().get(type_, _NOTHING)
    source = hand.get("source", _source(type_))
    # A map that is added or removed as a whole adds or removes its content.
    forcing = (*hand.get("replaces", ()), *documented.get("replaces", ()))
    if (
        len(parts) == 1
        and any(inside.startswith(f"{parts[0]}.") for inside in forcing)
        and parts[0] not in ("metadata", "spec")
    ):
        return ReplacementVerdict(
            kind="engine", source=source, reason=f"something in {parts[0]} forces a replacement"
        )
    if parts[0] in documented.get("inputs", hand.get("inputs", ())):
        return ReplacementVerdict(kind="updates", source=source)
    return ReplacementVerdict(
        kind="engine", source=source, reason="its documentation does not know this property"
    )
