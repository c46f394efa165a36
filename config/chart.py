"""The zero-to-jupyterhub chart as data: its default values and its official schema, and whether
values pass it.

Helm validates what is left after merging, so that is what is validated here too; and nulls remove
keys, as in Helm (a stack file may not write them: the provider drops them on the way).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.config import tree
from jupyterhub_aws.config.errors import closest, shown_at
from jupyterhub_aws.config.versions import pin

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_DATA = Path(__file__).parent / "data" / "z2jh"
CHART = "jupyterhub"
_TYPES = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


@cache
def chart_version() -> str:
    """The version of the chart that the program pins."""
    return pin("chart", CHART, "").version


@cache
def default_values() -> Mapping[str, Any]:
    """The chart's own values. Read only: `merged` copies."""
    values: dict[str, Any] = json.loads(
        (_DATA / f"values-{chart_version()}.json").read_text(encoding="utf-8")
    )
    return values


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Values over values as Helm merges them: maps merge, everything else replaces. A null is
    retained, to remove the chart's default later.
    """
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = (
            merged(below, value)
            if isinstance(value, Mapping) and isinstance(below, Mapping)
            else value
        )
    return result


def effective(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the chart's templates see: its defaults under these values, without what a null
    removes.
    """
    return _without_nulls(merged(default_values(), values), values)


def _without_nulls(both: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the keys that `over` sets to null; the defaults' own nulls mean something."""
    found = {}
    for key, value in both.items():
        if key in over and over[key] is None:
            continue
        inner = over.get(key)
        found[key] = (
            _without_nulls(value, inner)
            if isinstance(value, dict) and isinstance(inner, Mapping)
            else value
        )
    return found


def refusals(values: Mapping[str, Any]) -> Iterator[tuple[tree.KeyPath, str]]:
    """What the chart's schema says against values, merged with its defaults: where, and why in a
    line.
    """
    for error in _validator().iter_errors(effective(values)):
        path, kind = tuple(error.instance_path), error.kind
        if kind.name == "additionalProperties":
            yield from (((*path, key), _unknown(path, key)) for key in kind.unexpected)
        else:
            yield path, _words(error, path)


def _unknown(path: tree.KeyPath, key: str) -> str:
    """Suggest the known key that an unknown one may have meant: the schema's own message would
    list all keys, or none.
    """
    if path == ("hub", "config"):
        return "is not the name of a class, which begins with a capital"
    known: Any = default_values()
    for part in path:
        known = known.get(part) if isinstance(known, Mapping) else None
    guess = closest(key, known) if isinstance(known, Mapping) else None
    return (
        f"is not an option of the chart, did you mean {guess}?"
        if guess
        else "is not an option of the chart"
    )


def _words(error: ValidationError, path: tree.KeyPath) -> str:
    """The schema's finding without its context: the schema's own message would quote whole maps,
    which may hold secrets.
    """
    kind: Any = error.kind
    got = f"(got {shown_at(path, error.instance)})"
    if kind.name == "type":
        # The schema's null is for the chart's own defaults: here a null removes.
        return f"must be {' or '.join(_TYPES[name] for name in _TYPES if name in kind.types)} {got}"
    if kind.name == "enum":
        return f"must be one of {', '.join(str(option) for option in kind.options if option)} {got}"
    if kind.name == "required":
        return f"lacks {kind.property}"
    return f"is not what the chart takes there {got}"


@cache
def _validator() -> Any:
    import jsonschema_rs  # late: only a stack with hubs needs it

    return jsonschema_rs.Draft7Validator(
        json.loads((_DATA / f"values.schema-{chart_version()}.json").read_text(encoding="utf-8"))
    )
