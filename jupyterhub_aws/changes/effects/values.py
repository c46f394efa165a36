"""What another value of a hub's chart means: by the table (values.toml), and which pods it
restarts, as measured on the chart itself.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from jupyterhub_aws.changes.effect import Class, Topic
from jupyterhub_aws.changes.effects.table import split
from jupyterhub_aws.changes.properties import brief
from jupyterhub_aws.config.chart import chart_version
from jupyterhub_aws.config.traits import SAME
from jupyterhub_aws.config.tree import prefixes

_FILE = Path(__file__).parent / "values.toml"
_DATA = Path(__file__).resolve().parents[2] / "config" / "data" / "z2jh"
_TEXT = re.compile(r"\A(?P<class>[a-z ]+) \((?P<topic>[a-z-]+)\): (?P<says>.+)\Z")


@cache
def _table() -> Mapping[str, str]:
    return cast(Mapping[str, str], tomllib.loads(_FILE.read_text(encoding="utf-8")))


@cache
def _restarts() -> Mapping[str, list[str] | None]:
    table: Mapping[str, list[str] | None] = json.loads(
        (_DATA / f"restarts-{chart_version()}.json").read_text(encoding="utf-8")
    )
    return table


def chart_key(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The chart's key that says the same as a trait under `hub.config` (config/traits.py); other
    places as they are.
    """
    if keys[:2] != ("hub", "config") or len(keys) < 4:  # hub.config.CLASS.trait
        return keys
    name = f"{keys[2]}.{keys[3]}"
    key = SAME.get(name) or SAME.get(f"KubeSpawner.{keys[3]}" if keys[2] == "Spawner" else name)
    return (*key.split("."), *keys[4:]) if key else keys


def meaning(keys: tuple[str, ...], old: Any, new: Any) -> tuple[Class, Topic, str] | None:
    """What another value at a path means; None where the table does not say."""
    path = next((path for path in prefixes(keys) if path in _table()), None)
    if path is None:
        same = chart_key(keys)
        return None if same == keys else meaning(same, old, new)
    class_, topic, says = parts(_table()[path])
    says += (
        f" ({shown(old)} → {shown(new)})"
        if says.startswith("whether ") and path == ".".join(keys)
        else ""
    )
    return class_, topic, says.replace("{old}", shown(old)).replace("{new}", shown(new))


def parts(text: str) -> tuple[Class, Topic, str]:
    """`class (topic): sentence` as three. Raises ValueError for anything else."""
    found = _TEXT.match(text)
    if found is None:
        raise ValueError(f"is not of the form `class (topic): sentence`: {text!r}")
    class_, _ = split(f"{found['class']}: .")
    return class_, cast(Topic, found["topic"]), found["says"]


def paths() -> frozenset[str]:
    """Every path that the table knows."""
    return frozenset(_table())


def shown(value: Any) -> str:
    """A value inside a sentence."""
    if value is None:
        return "the chart's own"
    if isinstance(value, Mapping) and set(value) == {"name", "tag"}:
        return f"{value['name']}:{value['tag']}"
    return brief(value if isinstance(value, str) else json.dumps(value, sort_keys=True))


def restarted(keys: tuple[str, ...]) -> frozenset[str] | None:
    """Which pods a changed value replaces (`hub`, `proxy`); None where it was not measured."""
    if not keys:  # an engine that says no more than that the values change
        return None
    measured = next((path for path in prefixes(keys) if path in _restarts()), None)
    if measured is not None:
        pods = _restarts()[measured]
        return None if pods is None else frozenset(pods)
    # A map that comes or goes as a whole takes along what is below it; a key that nobody measured
    # is in the hub's Secret like every other.
    below = [pods for path, pods in _restarts().items() if path.startswith(f"{'.'.join(keys)}.")]
    if not below:
        return (
            frozenset({"hub"})
            if keys[0] in {path.partition(".")[0] for path in _restarts()} and keys[0] != "proxy"
            else None
        )
    return frozenset(pod for pods in below for pod in pods or ())
