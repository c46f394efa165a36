"""Inputs of a resource as rows of a table: a path, and what stands there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.plan.summary import statements

_LONG = 240


@dataclass(frozen=True, kw_only=True)
class InputRow:
    """One input. `long` values are folded on the page."""

    path: str
    text: str
    long: bool


@dataclass(frozen=True, kw_only=True)
class InputDocument:
    """An IAM document: in words, and as it is."""

    path: str
    words: tuple[str, ...]
    source: str


def documents(inputs: Mapping[str, Any]) -> list[InputDocument]:
    """Every IAM document among a resource's inputs."""
    found = []
    for key in sorted(inputs):
        words = statements({key: inputs[key]})
        if words:
            source = json.dumps(
                json.loads(inputs[key]), indent=2, ensure_ascii=False
            )  # it has statements, so it is JSON
            found.append(InputDocument(path=key, words=tuple(words), source=source))
    return found


def rows(inputs: Mapping[str, Any]) -> list[InputRow]:
    """Everything else, flat: a row for each leaf, lists of plain values in one."""
    skipped = {document.path for document in documents(inputs)}
    plain = {key: value for key, value in inputs.items() if key not in skipped}
    return [
        InputRow(path=path, text=text, long=len(text) > _LONG or "\n" in text)
        for path, text in _flat("", plain)
    ]


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key in sorted(value, key=str):
            yield from _flat(f"{path}.{key}" if path else str(key), value[key])
    elif isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
        for index, item in enumerate(value):
            pair = _pair(item)
            yield from [(f"{path}[{index}]", pair)] if pair else _flat(f"{path}[{index}]", item)
    elif path:
        yield path, _leaf(value)


def _pair(item: object) -> str | None:
    """A tag of an Auto Scaling group in one row."""
    if isinstance(item, Mapping) and set(item) == {"key", "value", "propagateAtLaunch"}:
        return f"{item['key']} = {item['value']}" + (
            "" if item["propagateAtLaunch"] else " (not on instances)"
        )
    return None


def _leaf(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_leaf, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ({}, ""):
        return "none"
    return str(value)
