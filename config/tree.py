"""Walking through values as JSON has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

KeyPath = tuple[str | int, ...]


def prefixes(keys: Sequence[str]) -> Iterator[str]:
    """A dotted path and everything above it, the longest first: how a table by paths is asked."""
    return (".".join(keys[:length]) for length in range(len(keys), 0, -1))


def at(values: Any, *path: str | int) -> Any:
    """The value at a path of maps, or None where it leads nowhere."""
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Everything in a value that is neither a map nor a list, with its path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value
