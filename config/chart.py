"""The zero-to-jupyterhub chart as data: its default values and its official schema, and whether values pass it.

Helm validates what is left after merging, so that is what is validated here too; and nulls remove keys, as in Helm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import shown
from config.versions import pin

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_DATA = Path(__file__).parent / "data" / "z2jh"
CHART = "jupyterhub"


@cache
def chart_version() -> str:
    """The version of the chart that the program pins."""
    return pin("chart", CHART, "").version


@cache
def default_values() -> Mapping[str, Any]:
    """The chart's own values. Read only: `merged` copies."""
    values: dict[str, Any] = json.loads((_DATA / f"values-{chart_version()}.json").read_text(encoding="utf-8"))
    return values


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Values over values as Helm merges them: maps merge, everything else replaces. A null stays, to remove the chart's default later."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(value, Mapping) and isinstance(below, Mapping) else value
    return result


def effective(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the chart's templates see: its defaults under these values, without what a null removes."""
    return _without_nulls(merged(default_values(), values), values)


def _without_nulls(both: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the keys that `over` sets to null; the defaults' own nulls mean something."""
    found = {}
    for key, value in both.items():
        if key in over and over[key] is None:
            continue
        inner = over.get(key)
        found[key] = _without_nulls(value, inner) if isinstance(value, dict) and isinstance(inner, Mapping) else value
    return found


def refusals(values: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What the chart's schema says against values, merged with its defaults: where, and why in a line."""
    for error in _validator().iter_errors(effective(values)):
        yield tuple(error.instance_path), _words(error)


def _words(error: ValidationError) -> str:
    text = str(error.message)
    if "additional properties" in text.lower():
        return text[0].lower() + text[1:]
    return text if len(text) < 200 else f"is not what the chart takes there (got {shown(error.instance)})"  # noqa: PLR2004 -- a line


@cache
def _validator() -> Any:  # noqa: ANN401 -- a validator of jsonschema-rs
    import jsonschema_rs  # late: only a stack with hubs needs it

    return jsonschema_rs.Draft7Validator(json.loads((_DATA / f"values.schema-{chart_version()}.json").read_text(encoding="utf-8")))
