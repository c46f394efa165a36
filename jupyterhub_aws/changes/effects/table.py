"""What the table says of a change of a type (table.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from jupyterhub_aws.changes.effect import CLASSES, Class, Topic
from jupyterhub_aws.config.tree import prefixes

_FILE = Path(__file__).parent / "table.toml"
#: Switches and the side of them that nobody has to be asked about.
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
#: Whatever the type: nobody notices these.
_ANYWHERE = {
    "tags": "routine: tags",
    "tagSpecifications": "routine: tags of what it makes",
    "region": "endangers data: it is made anew in another region",
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
