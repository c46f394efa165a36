"""What every page of ours has: templates that escape by themselves, and a policy that lets
nothing run or load but what is in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.plan.summary import statements, summary


def environment(templates: Path, filters: Mapping[str, Callable[..., object]]) -> Environment:
    """Templates of a folder, with these filters."""
    made = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= filters
    return made


def trusted(text: str) -> Markup:
    """Markup of our own: a template file, or a picture with words that the SVG library escaped."""
    return Markup(text)  # noqa: S704 -- see above


def content_policy(style: str, script: str | None = None) -> str:
    """The page's own security policy: this style, this script if there is one, and nothing else."""
    runs = "" if script is None else f" script-src '{_hash(script)}';"
    return (
        f"default-src 'none'; style-src '{_hash(style)}';{runs} img-src data:; base-uri 'none';"
        " form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# --- The anchor of a resource on the page: an id for each URN, made of nothing but letters, digits
# and dashes.


class Anchors:
    """The ids of all resources. They stay the same as long as names and types do."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        seen: Counter[str] = Counter()
        self._ids: dict[str, str] = {}
        for resource in resources:
            base = f"r-{slug(resource.name)}-{slug(resource.type.rpartition(':')[2])}"
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


# --- Inputs of a resource as rows of a table: a path, and its value.


_LONG = 240


@dataclass(frozen=True, kw_only=True)
class InputRow:
    """One input. `long` values are folded on the page."""

    path: str
    text: str
    long: bool


@dataclass(frozen=True, kw_only=True)
class InputDocument:
    """An IAM document: in words, and as it is."""

    path: str
    words: tuple[str, ...]
    source: str


def documents(inputs: Mapping[str, Any]) -> list[InputDocument]:
    """Every IAM document among a resource's inputs."""
    found = []
    for key in sorted(inputs):
        words = statements({key: inputs[key]})
        if words:
            document = json.loads(inputs[key])  # it has statements, so it is JSON
            source = json.dumps(document, indent=2, ensure_ascii=False)
            found.append(InputDocument(path=key, words=tuple(words), source=source))
    return found


def rows(inputs: Mapping[str, Any]) -> list[InputRow]:
    """All other values, flat: a row for each leaf, lists of plain values in one."""
    skipped = {document.path for document in documents(inputs)}
    plain = {key: value for key, value in inputs.items() if key not in skipped}
    return [
        InputRow(path=path, text=text, long=len(text) > _LONG or "\n" in text)
        for path, text in _flat("", plain)
    ]


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key in sorted(value, key=str):
            yield from _flat(f"{path}.{key}" if path else str(key), value[key])
    elif isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
        for index, item in enumerate(value):
            pair = _pair(item)
            yield from [(f"{path}[{index}]", pair)] if pair else _flat(f"{path}[{index}]", item)
    elif path:
        yield path, _leaf(value)


def _pair(item: object) -> str | None:
    """A tag of an Auto Scaling group in one row."""
    if isinstance(item, Mapping) and set(item) == {"key", "value", "propagateAtLaunch"}:
        where = "" if item["propagateAtLaunch"] else " (not on instances)"
        return f"{item['key']} = {item['value']}{where}"
    return None


def _leaf(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_leaf, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ({}, ""):
        return "none"
    return str(value)


# --- The resources of a plan as the page shows them: components that open, resources inside with
# all about them.


Link = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class TreeNode:
    """One resource, with its children."""

    anchor: str
    name: str
    kind: str
    token: str
    urn: str
    custom: bool
    line: str
    flags: tuple[str, ...]
    parent: Link | None
    children: tuple[TreeNode, ...]
    needs: tuple[Link, ...]
    rows: tuple[InputRow, ...]
    documents: tuple[InputDocument, ...]

    @property
    def count(self) -> int:
        """How many resources are below."""
        return sum(1 + child.count for child in self.children)

    @property
    def search(self) -> str:
        """What the filter looks at."""
        return f"{self.name} {self.token} {self.line} {' '.join(self.flags)}".lower()


@dataclass(frozen=True, kw_only=True)
class Trees:
    """The parts of this library, and what the caller's program added, each by itself."""

    own: tuple[TreeNode, ...]
    added: tuple[TreeNode, ...]


def trees(resources: Resources, anchors: Anchors) -> Trees:
    """The tops of both trees, components first. No added resource is below a part of this
    library's, nor the other way round.
    """
    below: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        if resources.part(resource) is not resource and resource.parent is not None:
            below[resource.parent].append(resource)

    def node(resource: Resource) -> TreeNode:
        return TreeNode(
            anchor=anchors.of(resource.urn),
            name=resource.name,
            kind=resource.type.rpartition(":")[2],
            token=resource.type,
            urn=resource.urn,
            custom=resource.custom,
            line=summary(resource, added=resources.is_added(resource)),
            flags=_flags(resource),
            parent=None if resource.parent is None else anchors.link(resource.parent),
            children=tuple(map(node, _sorted(below[resource.urn]))),
            needs=tuple(map(anchors.link, resource.depends_on)),
            rows=tuple(rows(resource.inputs)),
            documents=tuple(documents(resource.inputs)),
        )

    own = [*resources.platforms(), *_sorted(resources.parts())]
    added = _sorted(resources.added_parts())
    return Trees(own=tuple(map(node, own)), added=tuple(map(node, added)))


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
