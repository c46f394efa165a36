"""One thing that is wrong with a hub's values, and how rules look into values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`path` inside the values, what is wrong there, and what to do."""

    path: Path
    what: str
    fix: str


def at(values: Values, *path: str) -> Any:  # noqa: ANN401 -- any JSON value
    """The value at a path, or None where the path leads nowhere."""
    here: Any = values
    for key in path:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here


def profiles(values: Values) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every override of KubeSpawner that a person may choose: of profiles, and of choices inside them."""
    for index, profile in enumerate(at(values, "singleuser", "profileList") or ()):
        path: Path = ("singleuser", "profileList", index)
        if not isinstance(profile, Mapping):
            continue
        yield (*path, "kubespawner_override"), profile.get("kubespawner_override") or {}
        for option, offered in (profile.get("profile_options") or {}).items():
            for choice, chosen in (offered.get("choices") or {}).items():
                yield (*path, "profile_options", option, "choices", choice, "kubespawner_override"), chosen.get("kubespawner_override") or {}
