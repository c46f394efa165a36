"""Which images and charts a stack needs, and under which names it gets them: its makers', or those in a registry of yours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.bundle import Lock, destination, read_lock
from jupyterhub_aws.config.images import renamed
from jupyterhub_aws.config.registry import EcrRegistry, OnNodes, PrivateRegistry
from jupyterhub_aws.config.stack import StackConfig


@dataclass(frozen=True, kw_only=True)
class Images:
    """The names of images for one stack. `registry` is `HOST[/PREFIX]`, or None where images keep their makers' names."""

    registry: str | None
    lock: Lock | None = None
    on_nodes: bool = False

    def named(self, reference: str) -> str:
        """What a pod names for an upstream image: in the stack's registry by digest where the lock has one, by tag otherwise.

        What is there already (a name in that registry) stays as it is.
        """
        if self.registry is None or reference.startswith(f"{self.registry}/"):
            return reference
        repository = destination(self.registry, reference)
        digest = None if self.lock is None else self.lock.digest("image", reference)
        if digest is not None:
            return f"{repository}@{digest}"
        _, at, given = reference.rpartition("@")
        return f"{repository}@{given}" if at else f"{repository}:{reference.rpartition(':')[2]}"

    def values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Helm values in which every image has its name for this stack."""
        found: dict[str, Any] = renamed(values, self.named)
        return found

    @cached_property
    def pull_policy(self) -> str | None:
        """`Never` where images lie on the nodes: one that is missing fails at once, with its name, instead of being asked for outside."""
        return "Never" if self.on_nodes else None


def images_of(stack: StackConfig) -> Images:
    """The names of images for a stack. Raises ConfigError for a lock that is none."""
    registry = stack.registry
    if isinstance(registry, (EcrRegistry, PrivateRegistry)):
        path = None if registry.lock is None else (stack.folder / registry.lock).absolute()
        lock = None if path is None else _lock(path, _changed(path))
        return Images(registry=stack.own_registry, lock=lock)
    return Images(registry=None, on_nodes=isinstance(registry, OnNodes))


@lru_cache(maxsize=8)  # asked for each image of each hub: read once while it is the same file
def _lock(path: Path, changed: int) -> Lock:
    del changed
    return read_lock(path)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
