"""A recorded program as data: what was registered, and how to ask about it. Checks see this and
the stack, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

SECRET = "[secret]"  # noqa: S105 -- placeholder of a secret
UNKNOWN = "[unknown]"
#: Type tokens of this library's components begin with it, and so does what is below them in a URN.
LIBRARY = "jupyterhub-aws:"
#: What a value of the caller's own shape makes a reader raise that knows how this library writes
#: it.
READ_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
#: The component that composes a whole stack: its children are the parts that a reader knows.
PLATFORM = "jupyterhub-aws:index:JupyterHubPlatform"
#: What a resource's name may not hold inside a placeholder, where it is written as `%` and two
#: digits.
_MARKS = re.compile(r"[%.${}]")
_PROVIDERS = "pulumi:providers:"
_REFERENCE = re.compile(r"\$\{([^.}]+)\.([^}]+)\}")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One registration. `taggable` says whether the resource's type has a `tags` input at all.

    `source` is where the caller's own program registers it (`__main__.py:12`); None for what this
    library registers, and where it is unknown: an engine does not report it. `external` says that
    the program reads an existing resource that is not the stack's. `aliases` are its former URNs.
    """

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
    source: str | None = None
    external: bool = False
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

    def is_added(self, resource: Resource) -> bool:
        """Whether the caller's program added this resource: its own code registers it, or
        nothing of this library is above it.
        """
        return resource.source is not None or not made_here(resource.urn)

    @cached_property
    def added(self) -> Resources:
        """The resources that the caller's program added beside those of this library."""
        return Resources(resource for resource in self.all if self.is_added(resource))

    @cached_property
    def own(self) -> Resources:
        """The resources of this library: what checks of the structure of a stack are about."""
        if not self.added.all:
            return self
        return Resources(resource for resource in self.all if not self.is_added(resource))

    def part(self, resource: Resource) -> Resource:
        """The part of the plan that a resource belongs to, as a reader knows it.

        For a resource of this library: its topmost ancestor of this library below the platform. For
        an added one: its topmost ancestor that is added.
        """
        above = self.by_urn.get(resource.parent or "")
        if (
            above is None
            or above.type == PLATFORM
            or self.is_added(above) is not self.is_added(resource)
        ):
            return resource
        return self.part(above)

    def parts(self) -> list[Resource]:
        """The parts of this library: the platform's children, and the components that a program
        composes without one.
        """
        return [
            resource
            for resource in self.own
            if resource.type != PLATFORM and self.part(resource) is resource
        ]

    def platforms(self) -> list[Resource]:
        """The component that composes a stack, where there is one: of two stacks of one program
        each has its own.
        """
        return self.of(PLATFORM)

    def added_parts(self) -> list[Resource]:
        """The topmost of the added resources: shown under the heading of the caller's program."""
        return [resource for resource in self.added if self.part(resource) is resource]

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [resource for resource in self.all if resource.type in types]

    def referred(self, text: object, kind: str) -> list[Resource]:
        """The resources of type `kind` with outputs that a value mentions, such as
        `${network-private-a.id}`.
        """
        names = referred_names(str(text))
        return [resource for resource in self.of(kind) if resource.name in names]


def made_here(urn: str) -> bool:
    """Whether a URN is that of a component of this library, or of a resource below one.

    Below the platform itself this library has components and a provider only: whatever else is
    there names the platform as its parent in a program.
    """
    kinds = urn.split("::")[2].split("$")
    if PLATFORM in kinds[:-1]:
        return kinds[kinds.index(PLATFORM) + 1].startswith((LIBRARY, _PROVIDERS))
    return any(kind.startswith(LIBRARY) for kind in kinds)


def placeholder(name: str, output: str) -> str:
    """The placeholder of an output of a resource that only exists after `up`:
    `${network-vpc.id}`.
    """
    return "${" + in_placeholder(name) + f".{output}}}"


def in_placeholder(name: str) -> str:
    """A resource's name as written in a placeholder."""
    return _MARKS.sub(lambda mark: f"%{ord(mark[0]):02X}", name)


def referred_names(text: str) -> set[str]:
    """The names of the resources with outputs that a text mentions."""
    return {unquote(match[1]) for match in _REFERENCE.finditer(text)}


def named(text: str) -> str:
    """A text with the name of the resource in the place of each of its outputs."""
    return _REFERENCE.sub(lambda match: unquote(match[1]), text)


def chart_of(inputs: Mapping[str, Any]) -> str:
    """The chart's name among a release's inputs, whether it comes from an index, a registry
    (oci://…/NAME) or a folder (…/NAME-VERSION.tgz).
    """
    return str(inputs["chart"]).rpartition("/")[2].removesuffix(f"-{inputs.get('version')}.tgz")


def chart_name(release: Resource) -> str:
    """The name of a release's chart."""
    return chart_of(release.inputs)


# --- The engine's own marks inside values: what a secret, a reference and an unknown are on the
# wire and in a state.


SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 -- a constant of the wire format
REFERENCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e"
ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7"
UNKNOWN_SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
