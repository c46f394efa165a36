"""Images that nodes pull before users need them: how much earlier a first server starts, and
whether the nodes' disks hold them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jupyterhub_aws.checks.finding import Finding, fail, verdict, warn
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.bundle import Lock
from jupyterhub_aws.config.pools import ExistingNodePool
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.hub import HubSpec
from jupyterhub_aws.config.specs.node_groups import PoolSpec
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.timeouts import LARGE_IMAGE_GIB, pull_seconds
from jupyterhub_aws.units import amount, duration

#: What is pulled is compressed: programs and libraries are about three times as large on a disk.
#: An estimate, which says so where it is shown.
_UNPACKED = 3
#: The kubelet begins to delete images that no pod uses above this share of the disk
#: (KubeletConfiguration, imageGCHighThresholdPercent).
_DISK_SHARE = 0.85
_GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class _Pulled:
    """What nodes of a pool pull for a hub, and the compressed bytes of each image that the lock
    has.
    """

    hub: str
    pool: str
    images: Sequence[str]
    known: Sequence[int]
    disk_gib: int | None
    #: Nodes that are there without a server.
    ready: int

    @property
    def where(self) -> str:
        """For a message."""
        count = len(self.images)
        return f"hub {self.hub}, pool {self.pool}: {count} image{'s' if count > 1 else ''}"

    @property
    def complete(self) -> bool:
        """Whether the size of each image is known."""
        return len(self.known) == len(self.images)

    @property
    def on_disk(self) -> int:
        """Bytes on a node's disk, estimated."""
        return sum(self.known) * _UNPACKED


def pulled_images(stack: StackConfig, resources: Resources) -> list[Finding]:
    """The images that are pulled in advance fit onto the disks of their nodes. Nothing where no hub
    pulls any.
    """
    del resources
    specs = resolve(stack)
    found = [
        _pulled(hub, pool, specs.images.lock)
        for hub in specs.hubs.values()
        for pool in hub.pools
        if pool.name in hub.options.pre_pull_pools
    ]
    if not found:
        return []
    return verdict("pre-pull", _faults(found), otherwise="; ".join(map(_said, found)))


def image_sizes(stack: StackConfig, resources: Resources) -> list[Finding]:
    """What nodes pull for each image of users' servers, by the lock. Nothing where it has no sizes."""
    del resources
    specs = resolve(stack)
    found: dict[str, int] = {}
    for hub in specs.hubs.values():
        for profile in hub.profiles:
            own = profile.options.image or hub.server_image
            images = [choice.image for choice in profile.options.images.values()] or [own]
            found |= _sizes(images, profile.pool, specs.images.lock)
    if not found:
        return []
    said = ", ".join(f"{image} {amount(size)}" for image, size in sorted(found.items()))
    return verdict("image-sizes", (), otherwise=f"nodes pull, compressed: {said}")


def _sizes(images: Sequence[str], pool: PoolSpec, lock: Lock | None) -> dict[str, int]:
    """The bytes that a node of a pool pulls for each image that the lock has with its size."""
    platform = f"linux/{'arm64' if pool.types[0].architecture == 'arm64' else 'amd64'}"
    locked = {image: None if lock is None else lock.image(image) for image in images}
    sizes = {
        image: None if item is None else item.pulled_bytes(platform)
        for image, item in locked.items()
    }
    return {image: size for image, size in sizes.items() if size is not None}


def _pulled(hub: HubSpec, pool: PoolSpec, lock: Lock | None) -> _Pulled:
    images = [hub.server_image, *hub.pre_pulled.values()]
    return _Pulled(
        hub=hub.name,
        pool=pool.name,
        images=images,
        known=list(_sizes(images, pool, lock).values()),
        disk_gib=None if isinstance(pool.pool, ExistingNodePool) else pool.pool.disk.size_gib,
        ready=pool.pool.nodes if isinstance(pool.pool, ExistingNodePool) else pool.pool.size.min,
    )


def _said(item: _Pulled) -> str:
    """How much time it saves, and how much disk it takes."""
    saved = pull_seconds(max(item.known) * _UNPACKED) if item.complete else pull_seconds()
    none_ready = (
        "; none is kept ready (size.min: 0), and a server for which a node is added gains nothing"
    )
    gain = (
        f"{item.where} pulled as soon as a node joins: a server on a node that is there already"
        f" starts up to {duration(saved)} earlier{'' if item.ready else none_ready}"
    )
    if not item.complete:
        return (
            f"{gain} (at {LARGE_IMAGE_GIB} GiB each; sizes are known where registry.lock has them)"
        )
    disk = "" if item.disk_gib is None else f" of {item.disk_gib} GiB"
    return (
        f"{gain}; {amount(sum(item.known))} to pull, about {amount(item.on_disk)}{disk} on the disk"
    )


def _faults(found: Sequence[_Pulled]) -> Iterator[Finding]:
    for item in found:
        if item.disk_gib is None:
            continue
        room = item.disk_gib * _GIB * _DISK_SHARE
        if item.on_disk > room:
            message = (
                f"{item.where} take about {amount(item.on_disk)}, and the kubelet begins to"
                f" delete images at {amount(int(room))} of {item.disk_gib} GiB: it would pull and"
                " delete for ever"
            )
            fix = f"raise pools.{item.pool}.disk.size_gib, or offer fewer images there"
            yield fail("pre-pull", message, fix, path=f"hubs.{item.hub}.pre_pull_pools")
        elif not item.complete and len(item.images) * LARGE_IMAGE_GIB > item.disk_gib * _DISK_SHARE:
            message = (
                f"{item.where} may not fit onto a disk of {item.disk_gib} GiB: at"
                f" {LARGE_IMAGE_GIB} GiB each the kubelet would delete some of them"
            )
            fix = f"raise pools.{item.pool}.disk.size_gib, or offer fewer images there"
            yield warn("pre-pull", message, fix, path=f"hubs.{item.hub}.pre_pull_pools")
