"""One fault of a hub's values, and how rules look into values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.tree import KeyPath, at

Values = Mapping[str, Any]


@dataclass(frozen=True)
class ValueFault:
    """The id of the problem, `path` inside the values, what is wrong there, and what to do."""

    id: str
    path: KeyPath
    what: str
    fix: str


def items(value: object) -> list[Any]:
    """The items of a list, or of a map with them as its values, as KubeSpawner takes both;
    nothing of anything else.
    """
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else []


def maps(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """Every map inside a value, with its path."""
    if isinstance(value, Mapping):
        yield path, value
        for key, inner in value.items():
            yield from maps(inner, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from maps(inner, (*path, index))


def _entries(value: object) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, Mapping) else []


def overrides(values: Values) -> Iterator[tuple[KeyPath, object]]:
    """Every override of KubeSpawner that a user may choose, valid or not: of profiles, and
    of choices inside them.
    """
    for index, profile in enumerate(items(at(values, "singleuser", "profileList"))):
        path: KeyPath = ("singleuser", "profileList", index)
        yield (*path, "kubespawner_override"), at(profile, "kubespawner_override")
        for option, offered in _entries(at(profile, "profile_options")):
            for choice, chosen in _entries(at(offered, "choices")):
                yield (
                    (*path, "profile_options", option, "choices", choice, "kubespawner_override"),
                    at(chosen, "kubespawner_override"),
                )


def profiles(values: Values) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """Every override that is a map."""
    for path, override in overrides(values):
        yield path, override if isinstance(override, Mapping) else {}
