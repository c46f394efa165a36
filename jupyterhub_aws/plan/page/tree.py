"""The resources of a plan as the page shows them: components that open, resources inside with
everything about them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.plan.page.anchors import Anchors
from jupyterhub_aws.plan.page.inputs import InputDocument, InputRow, documents, rows
from jupyterhub_aws.plan.summary import summary

Link = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class TreeNode:
    """One resource, with what stands below it."""

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
        """How many resources stand below."""
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
    """The tops of both trees, components first. Nothing added stands below a part of this
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
    return Trees(
        own=tuple(map(node, own)), added=tuple(map(node, _sorted(resources.added_parts())))
    )


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
