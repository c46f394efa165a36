"""Two values, and where they differ: by meaning where lists and documents have one, so that
an order without meaning makes no difference.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from jupyterhub_aws.changes.mask import is_secret, masked, masked_text
from jupyterhub_aws.checks.resources import SECRET, UNKNOWN
from jupyterhub_aws.config.errors import dotted, names_secret

Path = tuple[str | int, ...]
Kind = Literal["added", "removed", "changed", "reordered"]
#: What tells the items of a list apart, in the field's documents: tags, environment variables,
#: profiles, statements, rules, instance types.
_IDENTITIES = (
    "key",
    "slug",
    "name",
    "Sid",
    "instanceType",
    "mountPath",
    "addonName",
    "deviceName",
    "containerPort",
    "port",
)
#: Begins a part of a path that is an item's identity and no key.
_IS = "="
_ABSENT = object()
_LONGEST = 60  # characters, as long as a message quotes
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|\[unknown\]|\[secret\]")
#: Keys whose text is a document in base64.
_ENCODED = ("userData",)


@dataclass(frozen=True, kw_only=True)
class PropertyChange:
    """One place where two values differ. `old` and `new` are masked; `secret` says that
    a hidden value changed there.
    """

    path: Path
    kind: Kind
    old: Any = None
    new: Any = None
    secret: bool = False

    @property
    def where(self) -> str:
        """The path as it is written in files: `tags[owner].value`, `values.hub.image.tag`."""
        text = ""
        for part in self.path:
            if isinstance(part, str) and part.startswith(_IS):
                text += f"[{part[1:]}]"
            else:
                text += "" if isinstance(part, int) or not text else "."
                text += dotted((part,))
        return masked_text(text)

    @property
    def keys(self) -> tuple[str, ...]:
        """The path without positions and identities: what rules and tables are about."""
        return tuple(
            part for part in self.path if isinstance(part, str) and not part.startswith(_IS)
        )

    @property
    def hidden(self) -> bool:
        """Whether there is nothing to show but that it is another one."""
        return self.secret and self.old == self.new

    def as_json(self) -> dict[str, Any]:
        """The change as data."""
        return {
            "path": self.where,
            "kind": self.kind,
            "old": self.old,
            "new": self.new,
            "secret": self.secret,
        }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How values are compared: `loose` lets a placeholder stand for any text, where one side
    knows what the other cannot; `type_` masks by it.
    """

    type_: str = ""
    loose: bool = False

    def differences(self, old: Any, new: Any, path: Path = ()) -> Iterator[PropertyChange]:
        """Every place where they differ, in the order of their paths."""
        old, new = _document(old, new, path)
        if self._same(old, new):
            return
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from self._maps(old, new, path)
        elif all(isinstance(side, Sequence) and not isinstance(side, str) for side in (old, new)):
            yield from self._lists(old, new, path)
        else:
            yield self._change(path, old, new)

    def _maps(
        self, old: Mapping[str, Any], new: Mapping[str, Any], path: Path
    ) -> Iterator[PropertyChange]:
        # {name: X_PASSWORD, value: …}: the value's own key says nothing
        named = any(
            isinstance(side.get(key), str) and names_secret(side[key])
            for side in (old, new)
            for key in ("name", "key")
        )
        for key in sorted({*old, *new}):
            before, after = old.get(key, _ABSENT), new.get(key, _ABSENT)
            if named and key == "value" and not self._same(before, after):
                kind = _kind(before, after)
                yield PropertyChange(
                    path=(*path, key), kind=kind, old=SECRET, new=SECRET, secret=True
                )
            elif before is _ABSENT or after is _ABSENT:
                yield self._change((*path, key), before, after)
            else:
                yield from self.differences(before, after, (*path, key))

    def _lists(
        self, old: Sequence[Any], new: Sequence[Any], path: Path
    ) -> Iterator[PropertyChange]:
        telling = (
            name for name in _IDENTITIES if _tells_apart(name, old) and _tells_apart(name, new)
        )
        identity = next(telling, None)
        if identity is not None:
            before, after = (
                {f"{_IS}{item[identity]}": item for item in side} for side in (old, new)
            )
            yield from self._maps(before, after, path)
            if [key for key in before if key in after] != [key for key in after if key in before]:
                orders = ([key[1:] for key in side] for side in (before, after))
                yield self._reordered(path, *orders)
            return
        gone, come = _without_common(old, new)
        paired = len(gone) == len(come)
        if not gone and not come:
            yield self._reordered(path, self._shown(old, path), self._shown(new, path))
        elif paired and all(isinstance(item, (Mapping, list)) for item in (*gone, *come)):
            for index, (before, after) in enumerate(zip(gone, come, strict=True)):
                yield from self.differences(before, after, (*path, index))
        elif not (self.loose and paired and all(map(self._same, gone, come))):
            for item in gone:
                yield self._change((*path, f"{_IS}{_short(item, path)}"), item, _ABSENT)
            for item in come:
                yield self._change((*path, f"{_IS}{_short(item, path)}"), _ABSENT, item)

    def _reordered(self, path: Path, old: Any, new: Any) -> PropertyChange:
        return PropertyChange(path=path, kind="reordered", old=old, new=new)

    def _change(self, path: Path, old: Any, new: Any) -> PropertyChange:
        keys = tuple(part for part in path if isinstance(part, str))
        shown = [None if side is _ABSENT else self._shown(side, path) for side in (old, new)]
        plain = not any(side is _ABSENT or isinstance(side, (dict, list)) for side in (old, new))
        hidden = (
            is_secret(keys, self.type_) or SECRET in (old, new) or (plain and shown[0] == shown[1])
        )
        return PropertyChange(
            path=path, kind=_kind(old, new), old=shown[0], new=shown[1], secret=hidden
        )

    def _shown(self, value: Any, path: Path) -> Any:
        return masked(value, tuple(part for part in path if isinstance(part, str)), self.type_)

    def _same(self, old: Any, new: Any) -> bool:
        if _equal(old, new):
            return True
        return (
            self.loose
            and isinstance(old, str)
            and isinstance(new, str)
            and (_is_placeholder_of(old, new) or _is_placeholder_of(new, old))
        )


def _equal(old: Any, new: Any) -> bool:
    """Whether two values are the same JSON: Python takes `true` for 1."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(
            _equal(value, new[key]) for key, value in old.items()
        )
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        return len(old) == len(new) and all(map(_equal, old, new))
    return isinstance(old, bool) is isinstance(new, bool) and bool(old == new)


def _kind(old: Any, new: Any) -> Kind:
    return "added" if old is _ABSENT else "removed" if new is _ABSENT else "changed"


def _tells_apart(name: str, items: Sequence[Any]) -> bool:
    found = [item.get(name) if isinstance(item, Mapping) else None for item in items]
    plain = all(isinstance(value, (str, int)) and not isinstance(value, bool) for value in found)
    return plain and len(set(found)) == len(found)


def _without_common(old: Sequence[Any], new: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    before, after = (
        [json.dumps(item, sort_keys=True, default=str) for item in side] for side in (old, new)
    )
    common = Counter(before) & Counter(after)
    return _rest(old, before, common), _rest(new, after, common)


def _rest(items: Sequence[Any], texts: Sequence[str], common: Counter[str]) -> list[Any]:
    left, found = Counter(common), []
    for item, text in zip(items, texts, strict=True):
        if left[text]:
            left[text] -= 1
        else:
            found.append(item)
    return found


def _short(item: Any, path: Path) -> str:
    shown = masked(item, tuple(part for part in path if isinstance(part, str)))
    text = shown if isinstance(shown, str) else json.dumps(shown, sort_keys=True, default=str)
    return brief(text)


def brief(text: str) -> str:
    """Text as a sentence or a path quotes it."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}…"


def _document(old: Any, new: Any, path: Path) -> tuple[Any, Any]:
    """Text that is a JSON document on both sides as data, and text in base64 as it reads."""
    if not (isinstance(old, str) and isinstance(new, str)) or old == new:
        return old, new
    if path and path[-1] in _ENCODED:
        return _decoded(old), _decoded(new)
    if old[:1] in ("{", "[") and new[:1] in ("{", "["):
        parsed = _parsed(old), _parsed(new)
        if None not in parsed:
            return parsed
    return old, new


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text


@lru_cache(maxsize=512)
def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str] | None:
    if not _PLACEHOLDER.search(text):
        return None
    return re.compile(".*".join(re.escape(part) for part in _PLACEHOLDER.split(text)), re.DOTALL)


def _is_placeholder_of(text: str, other: str) -> bool:
    pattern = _pattern(text)
    return pattern is not None and (text == UNKNOWN or pattern.fullmatch(other) is not None)
