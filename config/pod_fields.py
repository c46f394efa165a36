"""The fields of a pod's specification, as the Kubernetes API has them, and what is wrong with a
part of one.

The table is read by scripts/refresh_pod_fields.py out of the API's official client
(config/data/pod_fields.json, dated): Kubernetes 1.35.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.config import tree
from jupyterhub_aws.config.errors import closest, shown_at

_FILE = Path(__file__).parent / "data" / "pod_fields.json"
_LIST = re.compile(r"list\[(.+)\]")
_SAYS = {
    "str": "text",
    "int": "a whole number",
    "bool": "true or false",
    "object": "text or a whole number",
    "datetime": "text",
    "float": "a number",
}
#: Amounts: text in the client's models, and numbers too for the API (apimachinery,
#: `resource.Quantity`).
_QUANTITIES = frozenset(
    {
        ("PodSpec", "overhead"),
        *(
            (kind, field)
            for kind in ("ResourceRequirements", "VolumeResourceRequirements")
            for field in ("limits", "requests")
        ),
        ("EmptyDirVolumeSource", "sizeLimit"),
        ("ResourceFieldSelector", "divisor"),
    }
)


@cache
def _kinds() -> Mapping[str, Any]:
    kinds: Mapping[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))["kinds"]
    return kinds


@cache
def fields(kind: str) -> Mapping[str, str]:
    """Field to type of a kind, such as `Container`. Raises KeyError for a kind that is no part
    of a pod.
    """
    found: Mapping[str, str] = _kinds()[kind]["fields"]
    return found


@cache
def _snake(kind: str) -> Mapping[str, str]:
    """The fields of a kind as the Python client spells them, to the API's spelling."""
    return {
        re.sub(r"(?<=[a-z0-9])([A-Z]+)", lambda match: f"_{match[1].lower()}", field): field
        for field in fields(kind)
    }


def wrong(
    kind: str, value: Any, *, part: bool = False, either: bool = False
) -> Iterator[tuple[tree.KeyPath, str, str]]:
    """The problems that would make the API drop or refuse a value of a kind: the place in it, what
    is wrong, what to do.

    `part`: it is merged into a complete object, so no field is required. `either`: KubeSpawner
    reads it, and takes both spellings for its own fields.
    """
    if not isinstance(value, Mapping):
        yield (), f"must be a map (got {shown_at((), value)})", f"write fields of a {kind} under it"
        return
    known = fields(kind)
    for key, inner in value.items():
        name = _snake(kind).get(key, key) if either else key
        if name not in known:
            guess = _snake(kind).get(key) or closest(str(key), known)
            yield (
                (key,),
                f"is not a field of a {kind}: Kubernetes refuses or drops it",
                f"did you mean {guess}?" if guess else "remove it",
            )
        elif inner is not None:
            yield from (
                (((key, *path)), what, fix)
                for path, what, fix in _typed(kind, name, known[name], inner)
            )
    if not part:
        for name in _kinds()[kind].get("required", ()):
            if value.get(name) is None and not (
                either
                and any(
                    value.get(key) is not None
                    for key, field in _snake(kind).items()
                    if field == name
                )
            ):
                yield (), f"lacks {name}, which Kubernetes requires of a {kind}", f"add {name}"


def _typed(kind: str, name: str, type_: str, value: Any) -> Iterator[tuple[tree.KeyPath, str, str]]:
    amount = (kind, name) in _QUANTITIES
    listed = _LIST.fullmatch(type_)
    if listed:
        if not isinstance(value, (list, tuple)):
            yield (), f"must be a list (got {shown_at((), value)})", "write `- …` lines under it"
            return
        for index, item in enumerate(value):
            yield from (
                ((index, *path), what, fix)
                for path, what, fix in _typed(kind, name, listed[1], item)
            )
    elif type_.startswith("dict("):
        if not isinstance(value, Mapping):
            yield (
                (),
                f"must be a map (got {shown_at((), value)})",
                "write `key: value` lines under it",
            )
            return
        for key, inner in value.items():
            yield from (
                ((str(key), *path), what, fix)
                for path, what, fix in _scalar((str(key),), "amount" if amount else "str", inner)
            )
    elif type_ in _SAYS:
        yield from _scalar((name,), "amount" if amount else type_, value)
    else:
        yield from wrong(type_, value)


def _scalar(path: tree.KeyPath, type_: str, value: Any) -> Iterator[tuple[tree.KeyPath, str, str]]:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    text = isinstance(value, str)
    right = {
        "str": text,
        "datetime": text,
        "int": number and whole,
        "float": number,
        "bool": isinstance(value, bool),
        "object": text or (number and whole) or isinstance(value, Mapping),
        "amount": text or number,
    }[type_]
    if not right:
        quoted = type_ in ("str", "datetime") and (number or isinstance(value, bool))
        fix = (
            "write it in quotes"
            if quoted
            else f"write {_SAYS.get(type_, 'an amount such as 500m or 1Gi')}"
        )
        yield (
            (),
            (
                f"must be {_SAYS.get(type_, 'text or a number')} (got {shown_at(path, value)}):"
                " Kubernetes refuses it"
            ),
            fix,
        )
