"""A stack file as text: sections in a fixed order, an explaining comment above each, and a mark
at each line that the operator has to fill in.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.formats import FORMAT
from jupyterhub_aws.config.stack import PROJECT, PROVIDER_KEYS, StackConfig

#: Begins the comment of a line that the operator has to fill in.
FILL_IN = "FILL IN:"
_WIDTH = 160


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A value with a comment at the end of its line; `fill` marks it as the operator's to fill in.

    `unfit`: the plan refuses the value until the operator has replaced it: no placeholder would be
    safe.
    """

    value: Any
    note: str
    fill: bool = False
    unfit: bool = False


def fill(value: Any, note: str) -> Noted:
    """A placeholder for a value that only the operator knows."""
    return Noted(value=value, note=note, fill=True)


def plain(value: Any) -> Any:
    """The same without notes."""
    if isinstance(value, Noted):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def to_fill_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Paths and notes of what is to be filled in."""
    if isinstance(value, Noted):
        if value.fill:
            yield path, value.note
        yield from to_fill_in(value.value, path)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from to_fill_in(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from to_fill_in(item, f"{path}[{index}]")


def text_of(
    head: str, sections: Mapping[str, Any], comments: Mapping[str, str], project: str = PROJECT
) -> str:
    """The file: `sections` by their names in the stack, `comments` above them. Text is quoted where
    YAML would read another type.

    Keys have the prefix of the project: `pulumi stack init` rewrites keys without one and drops
    their comments (CLI 3.260).
    """
    sections = {"format": FORMAT, **sections}
    lines = [*(f"# {line}".rstrip() for line in head.strip().splitlines()), "", "config:"]
    known = [name for name in StackConfig.model_fields if name in sections]
    for name in known:
        if comments.get(name):
            lines += ["", *(f"  # {line}" for line in comments[name].splitlines())]
        key = PROVIDER_KEYS.get(name, f"{project}:{name}")
        lines += [f"  {line}".rstrip() for line in _dumped(key, sections[name]).splitlines()]
    return "\n".join(lines) + "\n"


def _dumped(key: str, value: Any) -> str:
    from ruamel.yaml import YAML

    yaml, out = YAML(), io.StringIO()
    yaml.width = _WIDTH
    yaml.default_flow_style = False
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(_commented({key: value}, 0), out)
    return out.getvalue()


def _commented(value: Any, depth: int) -> Any:
    """The value for ruamel, with its notes as comments: behind a value in its line, above one of
    several lines. `depth` is in maps.
    """
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import LiteralScalarString

    if isinstance(value, Noted):
        return _commented(value.value, depth)
    if isinstance(value, Mapping):
        found = CommentedMap()
        for key, item in value.items():
            found[key] = _commented(item, depth + 1)
            if isinstance(item, Noted):
                note = _line(f"{FILL_IN} {item.note}" if item.fill else item.note)
                if isinstance(found[key], LiteralScalarString):
                    found.yaml_set_comment_before_after_key(key, before=note, indent=2 * depth)
                else:
                    found.yaml_add_eol_comment(note, key)
        return found
    if isinstance(value, (list, tuple)):
        items = CommentedSeq([_commented(item, depth + 1) for item in value])
        if not any(isinstance(item, (Mapping, list, tuple)) for item in map(plain, value)) and all(
            "\n" not in str(item) for item in value
        ):
            items.fa.set_flow_style()
        return items
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    return _quoted(value)


def _quoted(value: Any) -> Any:
    """Text that reads like a number keeps its quotes (ruamel does so for YAML 1.2 only: 0755 and
    1_000 are numbers to the engine's YAML).
    """
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    risky = isinstance(value, str) and (
        value[:1].isdigit()
        or value.lower() in ("yes", "no", "on", "off", "y", "n", "true", "false", "null", "~", "")
    )
    return DoubleQuotedScalarString(value) if risky else value


def _line(note: str) -> str:
    """A comment on one line, whatever line breaks its text has."""
    return "".join(char for char in " ".join(note.split()) if char.isprintable())
