"""The names under which pods get their images, and the source of Helm's charts: their
publishers, or a private registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.bundle import Lock, destination, read_lock
from jupyterhub_aws.config.images import renamed
from jupyterhub_aws.config.project import find_project
from jupyterhub_aws.config.registry import (
    AnyRegistry,
    EcrRegistry,
    OnNodes,
    PrivateRegistry,
    registry_of,
)


@dataclass(frozen=True, kw_only=True)
class Images:
    """The names of images and the source of charts. The default: the publishers' registries and
    names.

    `registry` is `HOST[/PREFIX]` of a private registry that holds all of them. With `lock` images
    are named by digest: `read_lock(Path("…"))` reads what `jhub bundle lock` wrote. `on_nodes`:
    images are preloaded on every node, and nothing is pulled. `charts` is a folder with the
    archives of charts, relative to where `pulumi` runs.
    """

    registry: str | None = None
    lock: Lock | None = None
    on_nodes: bool = False
    charts: str | None = None

    def named(self, reference: str) -> str:
        """The name that a pod uses for an image: in the registry by digest where the lock has
        one, by tag otherwise.

        A name that is in the registry already is not changed.
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
        """Helm values in which every image has the name that `named` gives it."""
        found: dict[str, Any] = renamed(values, self.named)
        return found

    @property
    def pull_policy(self) -> str | None:
        """`Never` where images are preloaded on the nodes: a missing image fails at once, with
        its name, instead of being pulled. None: Kubernetes' default.
        """
        return "Never" if self.on_nodes else None


#: Images and charts from their publishers' registries.
UPSTREAM = Images()


def images_of(
    registry: AnyRegistry, *, region: str, name: str, folder: Path | None = None
) -> Images:
    """The names of images with this section `registry` of the stack `name` in `region`.

    A lock is read from `folder`; None: the folder of the nearest Pulumi.yaml, from the working
    directory upwards. Raises ConfigError for a lock that cannot be read or is not one.
    """
    own = registry_of(registry, region=region, stack=name)
    if isinstance(registry, (EcrRegistry, PrivateRegistry)):
        return Images(
            registry=own,
            lock=None if registry.lock is None else _lock_in(folder, registry.lock),
            charts=registry.charts,
        )
    if isinstance(registry, OnNodes):
        return Images(on_nodes=True, charts=registry.charts)
    return UPSTREAM


def _lock_in(folder: Path | None, name: str) -> Lock:
    if folder is None:
        project = find_project(Path.cwd())
        folder = Path.cwd() if project is None else project.working_folder
    path = folder / name
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _lock(path, changed)


@lru_cache(maxsize=8)  # each release needs it: read once while the file is unchanged
def _lock(path: Path, changed: int) -> Lock:
    del changed
    return read_lock(path)
