"""What every page of ours has: templates that escape by themselves, and a policy that lets
nothing run or load but what is in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.components.hub.values.hub_files import FOLDER
from jupyterhub_aws.plan.summary import statements, summary

#: Styles, script and templates that all pages share.
SHARED = Path(__file__).parent / "templates"
_INDENT = re.compile(r"(?m)^[ \t]+")
_COMMENT, _LINE_COMMENT = re.compile(r"(?s)/\*.*?\*/"), re.compile(r"(?m)^[ \t]*//.*\n")
_AROUND_MARKS = re.compile(r"\s*([{};])\s*")


class _Unindented(Extension):
    """Templates without the indentation of their own lines: on a page of thousands of elements it
    is a tenth of the size. Text that comes from a plan keeps its own.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        del name, filename
        return _INDENT.sub("", source)


def environment(templates: Path, filters: Mapping[str, Any] | None = None) -> Environment:
    """Templates of a folder and of the shared one, with these filters."""
    made = Environment(
        loader=FileSystemLoader([templates, SHARED]),
        extensions=[_Unindented],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"text_only": text_only, **(filters or {})}
    return made


def shared(*names: str) -> str:
    """Styles or scripts of the shared folder, one after the other, as a page holds them."""
    return "".join(as_sent(name, (SHARED / name).read_text(encoding="utf-8")) for name in names)


def as_sent(name: str, text: str) -> str:
    """A style or a script of ours without comments and indentation, which are for its authors. No
    text in quotes has what is taken out.
    """
    if name.endswith(".css"):
        return _AROUND_MARKS.sub(r"\1", _COMMENT.sub("", text)).replace(";}", "}")
    return _INDENT.sub("", _LINE_COMMENT.sub("", text))


def trusted(text: str) -> Markup:
    """Markup of our own: a template file, or a picture with words that the SVG library escaped."""
    return Markup(text)  # noqa: S704 -- see above


def text_only(text: object) -> Markup:
    """A text between tags: quotes stay as they are, which in a document of IAM are a tenth of it.
    Never for an attribute.
    """
    plain = str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return trusted(plain)


def content_policy(style: str, script: str | None = None) -> str:
    """The page's own security policy: this style, this script if there is one, and nothing else."""
    runs = "" if script is None else f" script-src '{_hash(script)}';"
    return (
        f"default-src 'none'; style-src '{_hash(style)}';{runs} img-src data:; base-uri 'none';"
        " form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


Link = dict[str, str]


# --- The anchor of a resource on the page: an id for each URN, made of nothing but letters, digits
# and dashes.


class Anchors:
    """The ids of all resources: by name, and by type where several have that name. They stay the
    same as long as names and types do.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        names = Counter(slug(resource.name) for resource in resources)
        seen: Counter[str] = Counter()
        self._ids: dict[str, str] = {}
        for resource in resources:
            name = slug(resource.name)
            kind = slug(resource.type.rpartition(":")[2])
            base = f"r-{name}" if names[name] == 1 else f"r-{name}.{kind}"
            seen[base] += 1
            self._ids[resource.urn] = base if seen[base] == 1 else f"{base}.{seen[base]}"

    def of(self, urn: str) -> str:
        """The id of a resource."""
        return self._ids[urn]

    def link(self, urn: str) -> dict[str, str]:
        """A link to a resource, and its name; without a target for one that the plan does not
        hold.
        """
        resource = self._resources.by_urn.get(urn)
        if resource is None:
            return {"name": urn.rpartition("::")[2], "kind": "", "anchor": ""}
        kind = resource.type.rpartition(":")[2]
        return {"name": resource.name, "kind": kind, "anchor": self.of(urn)}


def slug(text: str) -> str:
    """A text with every other character turned into a dash."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


# --- Inputs of a resource: an outline with a line for each value, and what is too long for a line.


_LONG = 240


@dataclass(frozen=True, kw_only=True)
class LongInput:
    """A text of many lines or characters, which the page folds. `same_as`: the resource that shows
    the very same text.
    """

    path: str
    text: str
    same_as: Link | None = None


@dataclass(frozen=True, kw_only=True)
class InputDocument:
    """An IAM document: in words, and as it is."""

    path: str
    words: tuple[str, ...]
    source: str
    same_as: Link | None = None


#: A list of texts as `json.dumps` writes it, a line for each.
_LISTED = re.compile(r'\[\n\s*("(?:[^"\\]|\\.)*"(?:,\n\s*"(?:[^"\\]|\\.)*")*)\n\s*\]')


#: A list that is longer than this keeps a line for each of its texts.
_LONG_LIST = 90


def _in_one_line(found: re.Match[str]) -> str:
    line = re.sub(r",\n *", ", ", found[1])
    return f"[{line}]" if len(line) < _LONG_LIST else found[0]


def documents(inputs: Mapping[str, Any]) -> list[InputDocument]:
    """Every IAM document among a resource's inputs."""
    found = []
    for key in sorted(inputs):
        words = statements({key: inputs[key]})
        if words:
            document = json.loads(inputs[key])  # it has statements, so it is JSON
            source = _LISTED.sub(_in_one_line, json.dumps(document, indent=1, ensure_ascii=False))
            found.append(InputDocument(path=key, words=tuple(words), source=source))
    return found


def outline(
    inputs: Mapping[str, Any],
    tags: Mapping[str, Any],
    shown: dict[tuple[str, str], str] | None = None,
    name: str = "",
) -> tuple[str, dict[str, str]]:
    """All other values as indented lines, and the long texts among them by path. Tags that are the
    stack's own are one word. `shown`: what resources before this one (`name`) said at which path;
    a part of many lines that is the same there is said in one.
    """
    skipped = {document.path for document in documents(inputs)}
    written = _Outline(tags=tags, shown={} if shown is None else shown, name=name)
    lines: list[str] = []
    for key in sorted(inputs):
        if key not in skipped:
            lines += written.lines(str(key), inputs[key], str(key))
    return "\n".join(lines), written.long


#: A part of a resource's inputs with so many characters is written once on a page.
_REPEATED = 160


@dataclass(kw_only=True)
class _Outline:
    """The outline of one resource, while it is written."""

    tags: Mapping[str, Any]
    shown: dict[tuple[str, str], str]
    name: str
    long: dict[str, str] = field(default_factory=dict)

    def lines(self, label: str, value: object, path: str) -> list[str]:
        """The lines of one value."""
        if isinstance(value, Mapping) and value:
            return self._once(label, value, path, self._mapping)
        if isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
            return self._once(label, value, path, self._list)
        text = _leaf(value)
        if text in _library_files():
            text = f"as in {_library_files()[text]} of this library"
        elif len(text) > _LONG or "\n" in text:
            self.long[path] = text
            text = f"{len(text)} characters"
        return [f"{label}: {text}"]

    def _once(
        self, label: str, value: Any, path: str, write: Callable[[str, Any, str], Iterator[str]]
    ) -> list[str]:
        """The lines of a value of several parts; one line, where another resource has the very same
        there.
        """
        before = dict(self.long)
        lines = list(write(label, value, path))
        if sum(map(len, lines)) < _REPEATED:
            return lines
        seen = path, json.dumps(value, sort_keys=True, default=str)
        other = self.shown.setdefault(seen, self.name)
        if other == self.name:
            return lines
        self.long = before
        return [f"{label}: as in {other}"]

    def _mapping(self, label: str, value: Mapping[str, Any], path: str) -> Iterator[str]:
        tags = self.tags
        rest = {key: item for key, item in value.items() if not _is_of_stack(key, item, tags)}
        if len(rest) < len(value) and len(value) - len(rest) == len(tags):
            yield f"{label}: those of the stack{', and' if rest else ''}"
        else:
            rest = dict(value)
            yield f"{label}:"
        for key in sorted(rest, key=str):
            yield from map(_indented, self.lines(str(key), rest[key], f"{path}.{key}"))

    def _list(self, label: str, value: list[Any], path: str) -> Iterator[str]:
        shown = _without_tags_of_stack(value, self.tags)
        yield f"{label}:" if shown is value else f"{label}: those of the stack, and"
        for index, item in enumerate(shown):
            pair = _pair(item)
            inside = [pair] if pair else self._inside(item, f"{path}[{index}]")
            yield from (_indented(line) if at else f"- {line}" for at, line in enumerate(inside))

    def _inside(self, item: object, path: str) -> list[str]:
        """The lines of one entry of a list."""
        if not isinstance(item, Mapping) or not item:
            return [_leaf(item)]
        keys = sorted(item, key=str)
        return [line for key in keys for line in self.lines(str(key), item[key], f"{path}.{key}")]


def _indented(line: str) -> str:
    return f"\t{line}"  # as wide as two spaces, and half of their size


@cache
def _library_files() -> Mapping[str, str]:
    """The files that this library puts into pods as they are, by their text: a page that held them
    in each hub would be twice as large, and they are in every installation.
    """
    return {
        path.read_text(encoding="utf-8"): f"components/hub/files/{path.name}"
        for path in sorted(FOLDER.glob("*.py"))
    }


def _is_of_stack(key: object, value: object, tags: Mapping[str, Any]) -> bool:
    return str(key) in tags and tags[str(key)] == value


def _without_tags_of_stack(listed: list[Any], tags: Mapping[str, Any]) -> list[Any]:
    """The tags of a group without those of the stack, where it has all of these."""
    rest = [
        item
        for item in listed
        if not (
            isinstance(item, Mapping)
            and set(item) == {"key", "value", "propagateAtLaunch"}
            and item["propagateAtLaunch"]
            and _is_of_stack(item["key"], item["value"], tags)
        )
    ]
    return rest if tags and len(listed) - len(rest) == len(tags) else listed


def _pair(item: object) -> str | None:
    """A tag of an Auto Scaling group in one line."""
    if isinstance(item, Mapping) and set(item) == {"key", "value", "propagateAtLaunch"}:
        where = "" if item["propagateAtLaunch"] else " (not on instances)"
        return f"{item['key']} = {item['value']}{where}"
    return None


def _leaf(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_leaf, value)) or "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or value in ({}, ""):
        return "none"
    return str(value)


# --- The resources of a plan as the page shows them: components that open, resources inside with
# all about them.


@dataclass(frozen=True, kw_only=True)
class Prerequisite:
    """What a resource comes after: one resource, or `count` of a part."""

    link: Link
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class TreeNode:
    """One resource, with its children."""

    anchor: str
    name: str
    kind: str
    identity: str
    custom: bool
    line: str
    flags: tuple[str, ...]
    children: tuple[TreeNode, ...]
    needs: tuple[Prerequisite, ...]
    text: str
    long: tuple[LongInput, ...]
    documents: tuple[InputDocument, ...]
    in_words: bool

    @property
    def count(self) -> int:
        """How many resources are below."""
        return sum(1 + child.count for child in self.children)


@dataclass(frozen=True, kw_only=True)
class Trees:
    """The parts of this library, and what the caller's program added, each by itself; and how
    every URN begins.
    """

    own: tuple[TreeNode, ...]
    added: tuple[TreeNode, ...]
    urns: str


def trees(
    resources: Resources, anchors: Anchors, tags: Mapping[str, Any], told: Collection[str] = ()
) -> Trees:
    """The tops of both trees, components first. No added resource is below a part of this
    library's, nor the other way round. `tags` are the stack's; `told` are the URNs of resources with
    documents that are in words elsewhere on the page.
    """
    below: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        if resources.part(resource) is not resource and resource.parent is not None:
            below[resource.parent].append(resource)
    shown: dict[str, Link] = {}
    parts: dict[tuple[str, str], str] = {}
    start = _start(resources)

    def long(resource: Resource, texts: Mapping[str, str]) -> Iterator[LongInput]:
        for path, text in texts.items():
            yield LongInput(path=path, text=text, same_as=shown.get(text))
            shown.setdefault(text, anchors.link(resource.urn))

    def read(resource: Resource) -> Iterator[InputDocument]:
        for document in documents(resource.inputs):
            yield replace(document, same_as=shown.get(document.source))
            shown.setdefault(document.source, anchors.link(resource.urn))

    def node(resource: Resource, around: Resource | None = None) -> TreeNode:
        text, texts = outline(resource.inputs, tags, parts, resource.name)
        return TreeNode(
            anchor=anchors.of(resource.urn),
            name=resource.name,
            kind=resource.type.rpartition(":")[2],
            identity=_identity(resource, around, start),
            custom=resource.custom,
            line=summary(resource, added=resources.is_added(resource)),
            flags=_flags(resource),
            needs=tuple(_needs(resource, resources, anchors)),
            text=text,
            long=tuple(long(resource, texts)),
            documents=tuple(read(resource)),
            in_words=resource.urn not in told,
            children=tuple(node(child, resource) for child in _sorted(below[resource.urn])),
        )

    own = [*resources.platforms(), *_sorted(resources.parts())]
    added = _sorted(resources.added_parts())
    return Trees(own=tuple(map(node, own)), added=tuple(map(node, added)), urns=start)


# --- The URN of a resource. A page that wrote each in full would be a sixth larger: all begin in the
# same way, and then name the types of everything around the resource.


def _start(resources: Resources) -> str:
    """How URNs of this plan begin: up to the types."""
    starts = Counter(f"{'::'.join(urn.split('::')[:2])}::" for urn in resources.by_urn)
    return max(starts, key=lambda start: starts[start], default="")


def _types(urn: str) -> str:
    return "".join(urn.split("::")[2:3])


def _identity(resource: Resource, around: Resource | None, start: str) -> str:
    """Of a resource inside another one its own type, of one that is in no other all types; the whole
    URN where it does not follow from these and the name.
    """
    types = _types(resource.urn)
    own = types if around is None else types.removeprefix(f"{_types(around.urn)}$")
    whole = own if around is None else f"{_types(around.urn)}${own}"
    return own if resource.urn == f"{start}{whole}::{resource.name}" else resource.urn


#: So many resources of one part are named one by one.
_NAMED = 2


def _needs(resource: Resource, resources: Resources, anchors: Anchors) -> Iterator[Prerequisite]:
    """What a resource comes after; many resources of another part as that part."""
    groups: dict[str, list[str]] = defaultdict(list)
    for urn in resource.depends_on:
        if _is_inside(urn, resource.depends_on, resources):
            continue  # the part around it is named
        found = resources.by_urn.get(urn)
        groups[urn if found is None else resources.part(found).urn].append(urn)
    own = resources.part(resource).urn
    for part, urns in groups.items():
        if part != own and len(urns) > _NAMED:
            yield Prerequisite(link=anchors.link(part), count=len(urns))
        else:
            yield from (Prerequisite(link=anchors.link(urn)) for urn in urns)


def _is_inside(urn: str, parts: Collection[str], resources: Resources) -> bool:
    """Whether a resource is in one of these parts."""
    found = resources.by_urn.get(urn)
    while found is not None and found.parent is not None:
        if found.parent in parts:
            return True
        found = resources.by_urn.get(found.parent)
    return False


def _sorted(found: list[Resource]) -> list[Resource]:
    return sorted(found, key=lambda item: (item.custom, item.name, item.type))


def _flags(resource: Resource) -> tuple[str, ...]:
    said = {
        f"at {resource.source}": resource.source is not None,
        "read, not made": resource.external,
        "protected": resource.protect,
        "kept when removed": resource.retain_on_delete,
        f"imported from {resource.import_id}": resource.import_id is not None,
        f"ignores changes of {', '.join(resource.ignore_changes)}": bool(resource.ignore_changes),
    }
    return tuple(text for text, holds in said.items() if holds)
