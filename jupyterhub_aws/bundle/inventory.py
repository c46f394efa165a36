"""What a stack needs from external hosts, as data: every item with who needs it. Nothing
here copies anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jupyterhub_aws.components.addons import NODE_ADDONS, controller_addons
from jupyterhub_aws.components.needed import needed_charts, needed_images
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import given_by, what_if, whole
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.endpoints import addon_account
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.config.project import Project
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.mounted_buckets import ADDON as MOUNTPOINT
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import StackFile
from jupyterhub_aws.config.versions import pin, pins

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


# --- What a stack needs from external hosts: from the values that it renders, the versions
# table and the locked requirements. Never from a hand-kept list.


#: What the program needs, from the project's folder: every package by hash, as this repository has
#: it, or as `jhub init` writes it.
_REQUIREMENTS = ("requirements/runtime.txt", "requirements.txt")
#: What the runner starts from (docs/airgap.md): Python of Amazon Linux 2023's own packages, on
#: x86_64.
_PYTHON, _PLATFORM = "3.11", "manylinux_2_28_x86_64"
_RELEASES = "https://get.pulumi.com/releases"
_PINNED = re.compile(r"^(pulumi(?:-[a-z]+)?)==([0-9][\w.]*)", re.MULTILINE)
#: Packages whose SDK says of itself that no plugin belongs to it (pulumi-plugin.json of
#: pulumi_policy 1.21.0: `"resource": false`).
_WITHOUT_PLUGIN = ("pulumi-policy",)
_OF_PULUMI = re.compile(r"pulumi(-[a-z]+)?")


def inventory(file: StackFile) -> Inventory:
    """Everything that a stack needs from external hosts. Raises ConfigError for a wrong file."""
    with what_if(file):
        stack = validated(whole(given_by(file), file.path.parent))
    spec = resolve(stack)
    items: list[Item] = [
        Image(reference=found.reference, needed_by=found.needed_by) for found in needed_images(spec)
    ]
    items += [
        Chart(
            name=found.reference,
            version=found.version,
            repository=found.repository,
            needed_by=found.needed_by,
        )
        for found in needed_charts(spec)
    ]
    requirements = _requirements(file.home)
    items += _engine(stack, file.home.folder / requirements)
    items.append(
        Wheels(
            requirements=requirements,
            folder=file.home.folder,
            python=_PYTHON,
            platform=_PLATFORM,
            needed_by=("the program",),
        )
    )
    return Inventory(
        stack=file.stack,
        items=tuple(items),
        registry=stack.own_registry,
        provided=tuple(_provided(stack)),
        lock=getattr(stack.registry, "lock", None),
    )


def _requirements(home: Project) -> str:
    """The file that says which packages the program needs. Raises ConfigError where the project
    has none.
    """
    found = next((name for name in _REQUIREMENTS if (home.folder / name).is_file()), None)
    if found is None:
        what = f"is not in {home.folder}, so nothing says which packages the program needs"
        fix = "write it, with the line jupyterhub-aws==VERSION"
        raise refused(_REQUIREMENTS[-1], "bundle.no-requirements", "", what, fix)
    return found


def _versions(requirements: Path) -> dict[str, str]:
    """The version of each package of Pulumi's: as the file pins it, else as it is installed
    beside this library.
    """
    pinned = dict(_PINNED.findall(requirements.read_text(encoding="utf-8")))
    if "pulumi" in pinned:
        return pinned
    from importlib.metadata import distributions

    installed = {found.name.lower().replace("_", "-"): found.version for found in distributions()}
    return {
        name: version for name, version in installed.items() if _OF_PULUMI.fullmatch(name)
    } | pinned


def _engine(stack: StackConfig, requirements: Path) -> Iterator[File]:
    """The Pulumi CLI and the plugins of every provider that the program installs: the engine
    asks for all of them when it starts.
    """
    versions = _versions(requirements)
    engine = versions.pop("pulumi")
    name = f"pulumi-v{engine}-linux-x64.tar.gz"
    yield File(name=name, url=f"{_RELEASES}/sdk/{name}", needed_by=("the engine",))
    wanted = {
        (package.removeprefix("pulumi-"), version): "the program"
        for package, version in versions.items()
        if package not in _WITHOUT_PLUGIN
    }
    # The plugin of pulumi-eks brings providers of its own.
    if isinstance(stack.cluster, EksCluster) and stack.parts == "all":
        wanted |= {(row.name, row.version): "pulumi-eks" for row in pins() if row.kind == "plugin"}
    for (plugin, version), who in sorted(wanted.items()):
        name = f"pulumi-resource-{plugin}-v{version}-linux-amd64.tar.gz"
        yield File(name=name, url=f"{_RELEASES}/plugins/{name}", needed_by=(who,))


def _provided(stack: StackConfig) -> Iterator[str]:
    """What EKS itself serves in the region: its add-ons' images. Nodes reach them through the
    endpoints of ECR.
    """
    if not isinstance(stack.cluster, EksCluster):
        return
    yield f"from {addon_account(stack.region)}.dkr.ecr.{stack.region}.amazonaws.com:"
    addons = [*NODE_ADDONS, *controller_addons(efs_driver=stack.homes.kind == "efs")]
    mounted = any(hub.mounted for hub in resolve(stack).hubs.values())
    for addon in (*(addon.name for addon in addons), *((MOUNTPOINT,) if mounted else ())):
        yield f"{addon} {pin('addon', addon, stack.cluster.version).version}"
