"""What a stack needs from outside its network, as data: every item with who needs it. Nothing
here copies anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["image", "chart", "file", "wheels"]


@dataclass(frozen=True, kw_only=True)
class Image:
    """A container image as upstream names it: `repository:tag` or `repository@sha256:…`, without
    a scheme.
    """

    reference: str
    needed_by: tuple[str, ...]
    kind: Literal["image"] = "image"

    @property
    def key(self) -> str:
        """What the lock and messages call it."""
        return self.reference


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A Helm chart. `repository` is an index (`https://…`) or the chart's own OCI address
    (`oci://…/NAME`).
    """

    name: str
    version: str
    repository: str
    needed_by: tuple[str, ...]
    kind: Literal["chart"] = "chart"

    @property
    def key(self) -> str:
        """What the lock and messages call it."""
        return f"{self.name}-{self.version}"


@dataclass(frozen=True, kw_only=True)
class File:
    """One download: the Pulumi CLI, or a plugin of it. `name` is the file's name in the bundle."""

    name: str
    url: str
    needed_by: tuple[str, ...]
    kind: Literal["file"] = "file"

    @property
    def key(self) -> str:
        """What the lock and messages call it."""
        return self.name


@dataclass(frozen=True, kw_only=True)
class Wheels:
    """The Python packages of a requirements file (a path from `folder`, the project's), for a
    Python and a platform.

    Where the file pins every package by hash, these are taken and no others; else what it needs is
    resolved when the lock is made.
    """

    requirements: str
    folder: Path
    python: str
    platform: str
    needed_by: tuple[str, ...]
    kind: Literal["wheels"] = "wheels"

    @property
    def key(self) -> str:
        """What the lock and messages call it."""
        return f"wheels of {self.requirements} for Python {self.python} on {self.platform}"


Item = Image | Chart | File | Wheels


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Everything that one stack needs. `stack` names it, `registry` is where `push` puts images and
    charts (None: nowhere).

    `provided` are the images that EKS itself serves from its regional registry: named, never
    copied. `lock` is the path that the stack file gives for the lock.
    """

    stack: str
    items: tuple[Item, ...]
    registry: str | None
    provided: tuple[str, ...] = ()
    lock: str | None = None
