"""What the table says of a change of a type (table.toml)."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from jupyterhub_aws.changes.effect import CLASSES, Class, Topic
from jupyterhub_aws.changes.properties import brief
from jupyterhub_aws.config.chart import chart_version
from jupyterhub_aws.config.traits import SAME
from jupyterhub_aws.config.tree import prefixes

_FILE = Path(__file__).parent / "table.toml"
#: Switches and their value that needs no acknowledgement.
_SAFE: Mapping[str, tuple[object, ...]] = {
    **dict.fromkeys(
        ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"),
        (True,),
    ),
    **dict.fromkeys(("deletionProtection", "enableKeyRotation", "isEnabled"), (True,)),
    **dict.fromkeys(
        ("skipFinalSnapshot", "publiclyAccessible", "forceDestroy", "forceDelete"), (False,)
    ),
    "status": ("ENABLED", "Enabled"),  # EFS's daily backup, S3's versioning
    "imageTagMutability": ("IMMUTABLE",),
    "pod-security.kubernetes.io/enforce": ("restricted",),
}
#: For every type: these have no user impact.
_ANYWHERE = {
    "tags": "routine: tags",
    "tagSpecifications": "routine: tags of what it makes",
    "region": "endangers data: it is created again in another region",
}


@cache
def _rows() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def known(type_: str) -> bool:
    """Whether a type has a row."""
    return type_ in _rows()


def types() -> frozenset[str]:
    """Every type that has a row."""
    return frozenset(_rows())


def topic(type_: str) -> Topic:
    """The heading of a type."""
    return cast(Topic, _rows().get(type_, {}).get("topic", "cluster"))


def readers(type_: str) -> tuple[str, ...]:
    """The rules that read properties of a type themselves."""
    return tuple(_rows().get(type_, {}).get("reader", ()))


def holds_data(type_: str) -> bool:
    """Whether replacing or deleting it is never routine."""
    return "data" in _rows().get(type_, {})


def whole(type_: str, op: str) -> tuple[Class, str] | None:
    """What creating, deleting or replacing a resource of a type means; None where the table does
    not say.
    """
    text = _rows().get(type_, {}).get(op)
    return None if text is None else split(text)


def of_property(type_: str, keys: tuple[str, ...]) -> tuple[Class, str] | None:
    """What another value at a path means, by the longest path in the table; None where it does
    not say.
    """
    properties = _rows().get(type_, {}).get("properties", {})
    text = next((properties[path] for path in prefixes(keys) if path in properties), None)
    if text is not None:
        return split(text)
    return split(_ANYWHERE[keys[0]]) if keys and keys[0] in _ANYWHERE else None


def is_safe(keys: tuple[str, ...], new: object) -> bool:
    """Whether a switch is on the harmless one of its sides now: what was open is shut, what was
    off is on.
    """
    return new in _SAFE.get(keys[-1], ())


@cache
def split(text: str) -> tuple[Class, str]:
    """`class: sentence` as both. Raises ValueError for a class that there is not."""
    class_, colon, sentence = text.partition(": ")
    if not colon or class_ not in CLASSES:
        raise ValueError(f"begins with no class: {text!r}")
    return class_, sentence


# --- What another value of a hub's chart means: by the table (values.toml), and which pods it
# restarts, as measured on the chart itself.


_VALUES_FILE = Path(__file__).parent / "values.toml"
_DATA = Path(__file__).resolve().parents[2] / "config" / "data" / "z2jh"
_TEXT = re.compile(r"\A(?P<class>[a-z ]+) \((?P<topic>[a-z-]+)\): (?P<says>.+)\Z")


@cache
def _table() -> Mapping[str, str]:
    return cast(Mapping[str, str], tomllib.loads(_VALUES_FILE.read_text(encoding="utf-8")))


@cache
def _restarts() -> Mapping[str, list[str] | None]:
    text = (_DATA / f"restarts-{chart_version()}.json").read_text(encoding="utf-8")
    return cast(Mapping[str, list[str] | None], json.loads(text))


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
    if says.startswith("whether ") and path == ".".join(keys):
        says += f" ({shown(old)} → {shown(new)})"
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
    # A map that comes or goes as a whole takes along what is below it; an unmeasured key
    # is in the hub's Secret like every other.
    below = [pods for path, pods in _restarts().items() if path.startswith(f"{'.'.join(keys)}.")]
    if not below:
        if keys[0] in {path.partition(".")[0] for path in _restarts()} and keys[0] != "proxy":
            return frozenset({"hub"})
        return None
    return frozenset(pod for pods in below for pod in pods or ())
