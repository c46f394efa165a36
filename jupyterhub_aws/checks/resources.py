"""A recorded program as data: what was registered, and how to ask about it. Checks see this and the stack, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

SECRET = "[secret]"  # noqa: S105 -- what stands in place of a secret
UNKNOWN = "[unknown]"
#: Type tokens of this library's components begin with it, and so does what is below them in a URN.
LIBRARY = "jupyterhub-aws:"
#: The component that composes a whole stack: its children are the parts that a reader knows.
PLATFORM = "jupyterhub-aws:index:JupyterHubPlatform"
_REFERENCE = re.compile(r"\$\{([^.}]+)\.([^}]+)\}")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One registration. `taggable` says whether the resource's type has a `tags` input at all; `aliases` are URNs that it may have had before."""

    urn: str
    type: str
    name: str
    parent: str | None
    custom: bool
    protect: bool
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]
    import_id: str | None
    provider: str | None
    depends_on: tuple[str, ...]
    inputs: Mapping[str, Any]
    taggable: bool
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How a message names it: `network-vpc (aws:ec2/vpc:Vpc)`."""
        return f"{self.name} ({self.type})"


class Resources:
    """Every registration of a run, sorted by URN."""

    def __init__(self, found: Iterable[Resource]) -> None:
        self.all = tuple(sorted(found, key=lambda resource: resource.urn))

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """The resources by URN."""
        return {resource.urn: resource for resource in self.all}

    def part(self, resource: Resource) -> Resource:
        """The part that a resource belongs to: its topmost ancestor below the platform, or below the stack; itself where it has none."""
        above = self.by_urn.get(resource.parent or "")
        return resource if above is None or above.type == PLATFORM else self.part(above)

    def parts(self) -> list[Resource]:
        """What stands at the top for a reader: the platform's children, and what is beside the platform."""
        return [resource for resource in self.all if resource.type != PLATFORM and self.part(resource) is resource]

    def is_added(self, resource: Resource) -> bool:
        """Whether a program added this resource by itself: nothing of this library made it."""
        return not any(kind.startswith(LIBRARY) for kind in resource.urn.split("::")[2].split("$"))

    @cached_property
    def added(self) -> tuple[Resource, ...]:
        """The resources that a program added by itself."""
        return tuple(resource for resource in self.all if self.is_added(resource))

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [resource for resource in self.all if resource.type in types]

    def referred(self, text: object, kind: str) -> list[Resource]:
        """The resources of type `kind` whose outputs a value mentions, such as `${network-private-a.id}`."""
        names = referred_names(str(text))
        return [resource for resource in self.of(kind) if resource.name in names]


def referred_names(text: str) -> set[str]:
    """The names of the resources whose outputs a text mentions."""
    return {match[1] for match in _REFERENCE.finditer(text)}


def named(text: str) -> str:
    """A text with the name of the resource in the place of each of its outputs."""
    return _REFERENCE.sub(r"\1", text)


def chart_of(inputs: Mapping[str, Any]) -> str:
    """The chart's name among a release's inputs, whether it comes from an index, a registry (oci://…/NAME) or a folder (…/NAME-VERSION.tgz)."""
    return str(inputs["chart"]).rpartition("/")[2].removesuffix(f"-{inputs.get('version')}.tgz")


def chart_name(release: Resource) -> str:
    """The name of a release's chart."""
    return chart_of(release.inputs)
