"""Words of a YAML text replaced in place: every other character stays as it was, comments, quotes
and line ends included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.formats import Edit
from jupyterhub_aws.config.keys import canonical_key
from jupyterhub_aws.config.stack import PROJECT

_MERGE = "tag:yaml.org,2002:merge"
#: Escapes of double quotes that stand for one character (YAML 1.2.2, 5.7). Others are left to the
#: operator.
_ESCAPED = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
#: Between a collection's mark and its first brace: an anchor, a tag.
_PROPERTIES = re.compile(r"(?:[&!][^\s{\[]*\s*)*")


class UnsafeError(Exception):
    """A place in a file whose words cannot be replaced one by one: the file has another form
    there.
    """


@dataclass(frozen=True, kw_only=True)
class _Source:
    """A YAML text, and where each of its characters is in the file: JSON inside a quoted text
    has places of its own.
    """

    text: str
    offsets: Sequence[int] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where characters from `start` up to `end` are in the file."""
        if self.offsets is None:
            return (start, end)
        return (self.offsets[start], self.offsets[end - 1] + 1)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """An option in the text: its key and its value."""

    source: _Source
    key: Any
    value: Any


class YamlText:
    """The text of a stack file, or of a Pulumi.yaml (`wrapped`: values for all stacks stand
    there below `value` or `default`).
    """

    def __init__(self, text: str, project: str, *, wrapped: bool = False) -> None:
        """`text` has to be readable YAML with a map below `config`; `project` is the name of the
        project whose prefix keys may have.
        """
        self.text, self._project, self._wrapped = text, project, wrapped
        root = _composed(text, "config")
        found = [pair for pair in getattr(root, "value", []) if pair[0].value == "config"]
        if len(found) != 1 or found[0][1].id != "mapping":
            raise UnsafeError("config")
        self._config_key, self._config = found[0]

    def edited(self, edits: Sequence[Edit]) -> str:
        """The text with these words replaced. Raises UnsafeError with the place of an edit that
        cannot be made alone.
        """
        replaced: dict[tuple[int, int], str] = {}
        for edit in edits:
            place, new = self._replacement(edit)
            # One text may be used in two places, by an anchor.
            if replaced.setdefault(place, new) != new:
                raise UnsafeError(edit.words)
        text, end = self.text, len(self.text)
        for (start, stop), new in sorted(replaced.items(), reverse=True):
            if stop > end:
                raise UnsafeError(new)
            text, end = text[:start] + new + text[stop:], start
        return text

    def stamped(self, number: int) -> str:
        """The text that says this format: in the line that says one already, else in a new first
        line below `config:`.
        """
        entry = next((entry for entry in self._top() if self._name(entry) == "format"), None)
        if entry is not None:
            (start, stop), new = self._word(
                entry.source, entry.value, entry.value.value, str(number), "format"
            )
            return self.text[:start] + new + self.text[stop:]
        first = self._config.value[0][0] if self._config.value else None
        if self._config.flow_style or first is None:
            start = self._config.start_mark.index
            start += len(_PROPERTIES.match(self.text[start:]).group())  # type: ignore[union-attr]  # it matches the empty text too
            quote = '"' if first is not None and first.style == '"' else ""
            option = f"{quote}{self._prefix()}format{quote}: {number}"
            comma = ", " if first is not None else ""
            return f"{self.text[: start + 1]}{option}{comma}{self.text[start + 1 :]}"
        line = self.text.find("\n", self._config_key.end_mark.index) + 1
        end = "\r\n" if self.text[:line].endswith("\r\n") else "\n"
        of_first = self.text[: first.start_mark.index].rpartition("\n")[2]
        indent = of_first[: len(of_first) - len(of_first.lstrip(" "))]
        return f"{self.text[:line]}{indent}{self._prefix()}format: {number}{end}{self.text[line:]}"

    def _prefix(self) -> str:
        """What the file writes before its options: the project's name with a colon, or nothing."""
        written = {self._name(entry): entry.key.value for entry in self._top()}
        written.pop(None, None)
        name = "name" if "name" in written else next(iter(written), "")
        return str(written.get(name, "")).removesuffix(name or "")

    def _name(self, entry: _Entry) -> str | None:
        """The option's name without prefix; None for a key of a provider."""
        namespace, _, name = canonical_key(str(entry.key.value), self._project).partition(":")
        return name if namespace == PROJECT else None

    def _top(self) -> Iterator[_Entry]:
        source = _Source(text=self.text)
        for key, value in _pairs(self._config):
            yield _Entry(source=source, key=key, value=value)

    def _replacement(self, edit: Edit) -> tuple[tuple[int, int], str]:
        entry = self._entry(edit)
        if edit.of == "value":
            return self._word(entry.source, entry.value, edit.old, edit.new, edit.words)
        written = str(entry.key.value)
        new = written.removesuffix(edit.old) + edit.new
        return self._word(entry.source, entry.key, written, new, edit.words)

    def _entry(self, edit: Edit) -> _Entry:
        """The option at an edit's place."""
        entry = next((entry for entry in self._top() if self._name(entry) == edit.place[0]), None)
        if entry is None:
            raise UnsafeError(edit.words)
        value = self._unwrapped(entry.value)
        entry = _inside_text(_Entry(source=entry.source, key=entry.key, value=value), edit)
        for part in edit.place[1:]:
            pair = next((pair for pair in _pairs(entry.value) if pair[0].value == part), None)
            if pair is None:
                raise UnsafeError(edit.words)
            entry = _Entry(source=entry.source, key=pair[0], value=pair[1])
        return entry

    def _unwrapped(self, value: Any) -> Any:
        if not self._wrapped or value.id != "mapping":
            return value
        inside = {key.value: item for key, item in _pairs(value)}
        return inside.get("default", inside.get("value", value))

    def _word(
        self, source: _Source, node: Any, old: str, new: str, words: str
    ) -> tuple[tuple[int, int], str]:
        """Where a scalar's word is in the file. It has to be there once, as it is."""
        start, raw = node.start_mark.index, source.text[node.start_mark.index : node.end_mark.index]
        if node.id != "scalar" or raw.count(old) != 1:
            raise UnsafeError(words)
        begin = start + raw.index(old)
        place = source.place(begin, begin + len(old))
        if self.text[place[0] : place[1]] != old:
            raise UnsafeError(words)
        return place, new


def _composed(text: str, words: str) -> Any:
    """A text as nodes that know their places. The parser that keeps places is stricter than the
    one that reads values: a tab between tokens stops it.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML().compose(text)
    except YAMLError:
        raise UnsafeError(words) from None


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:
    """The options of a map, its own before those that it merges in (`<<`)."""
    if node.id != "mapping":
        return
    merged: list[Any] = []
    for key, value in node.value:
        if key.tag == _MERGE:
            merged += value.value if value.id == "sequence" else [value]
        else:
            yield key, value
    for other in merged:
        yield from _pairs(other)


def _inside_text(entry: _Entry, edit: Edit) -> _Entry:
    """A section that is in the file as text with JSON in it (`pulumi config set pools
    '{…}'`): what is inside, with its places in the file.
    """
    node = entry.value
    if len(edit.place) == 1 or node.id != "scalar" or node.value[:1] not in ("{", "["):
        return entry
    raw = entry.source.text[node.start_mark.index : node.end_mark.index]
    offsets = _offsets(raw, node.value, node.style)
    if offsets is None:
        raise UnsafeError(edit.words)
    source = _Source(
        text=node.value, offsets=[node.start_mark.index + offset for offset in offsets]
    )
    return _Entry(source=source, key=entry.key, value=_composed(node.value, edit.words))


def _offsets(raw: str, value: str, style: str | None) -> list[int] | None:
    """For each character of a text, where in its written form it is; None for a form of several
    lines, or with escapes by number.
    """
    if style == "|":
        found = _of_block(raw)
    elif style in ("'", '"'):
        start = raw.index(style) + 1
        found = list(_of_quoted(raw, start, style))
    else:
        found = list(enumerate(value, start=raw.index(value))) if value in raw else []
    return [offset for offset, _ in found] if "".join(char for _, char in found) == value else None


def _of_quoted(raw: str, start: int, style: str) -> Iterator[tuple[int, str]]:
    index = start
    while index < len(raw) - 1:
        if style == "'" and raw[index] == "'":
            yield index, "'"
            index += 2
        elif style == '"' and raw[index] == "\\":
            yield index, _ESCAPED.get(raw[index + 1], "")
            index += 2
        else:
            yield index, raw[index]
            index += 1


def _of_block(raw: str) -> list[tuple[int, str]]:
    """A literal block: each line without the indentation of the first, up to the line end that
    ends the text.
    """
    head, *lines = raw.splitlines(keepends=True)
    indent = len(lines[0]) - len(lines[0].lstrip(" ")) if lines else 0
    found, place = [], len(head)
    for line in lines:
        body = line.rstrip("\r\n")
        found += [(place + index, char) for index, char in enumerate(body) if index >= indent]
        found += [(place + len(body), "\n")] if line != body else []
        place += len(line)
    return found if "-" not in head else found[: -1 if found and found[-1][1] == "\n" else None]


def sections(document: Mapping[Any, Any], project: str, *, wrapped: bool = False) -> dict[str, Any]:
    """The options of the program in a parsed file, by name, as plain data: what steps read."""
    from jupyterhub_aws.config.stack_file import data_of

    found = {}
    for key, value in (document.get("config") or {}).items():
        namespace, _, name = canonical_key(str(key), project).partition(":")
        if namespace == PROJECT:
            inside = value
            if wrapped and isinstance(value, dict):
                inside = value.get("default", value.get("value", value))
            found[name] = data_of(inside) if isinstance(inside, str) else inside
    return found
