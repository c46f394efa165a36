"""Copying a bundle into a registry inside: images by digest, charts as they are; what is there
is left alone.
"""

from __future__ import annotations

import shutil

from jupyterhub_aws.bundle.progress import CopyProgress
from jupyterhub_aws.bundle.registry import as_directory, has_chart, is_there, send_chart, send_image
from jupyterhub_aws.bundle.store import Store
from jupyterhub_aws.bundle.tools import Access, CopyError
from jupyterhub_aws.config.bundle import Lock, destination
from jupyterhub_aws.config.errors import ConfigError, Problem

_AGAIN = "run the same command again: it goes on where it stopped"


def push(store: Store, lock: Lock, registry: str, access: Access) -> int:
    """Copy what the registry lacks; return how many items were copied. Raises ConfigError with
    every failure.
    """
    sizes = [lock.items["image"][key].size for key in lock.keys("image")] + [
        lock.items["chart"][key].size for key in lock.keys("chart")
    ]
    done, copied = 0, 0
    problems: list[Problem] = []
    with CopyProgress("pushing", sum(sizes), lambda: done) as progress:
        for kind in ("image", "chart"):
            for key in lock.keys(kind):
                progress.now(key)
                try:
                    copied += (
                        _image(store, lock, key, registry, access)
                        if kind == "image"
                        else _chart(store, lock, key, registry, access)
                    )
                except (CopyError, OSError) as error:
                    problems.append(_failed(key, str(error), registry))
                done += lock.items[kind][key].size
    shutil.rmtree(store.working, ignore_errors=True)
    if problems:
        raise ConfigError("jhub bundle push", problems)
    return copied


def target_of(registry: str, reference: str) -> str:
    """Where an image goes, with its tag; one that is named by digest alone gets the beginning of
    it as a tag.
    """
    name, at, digest = reference.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2] or (
        f"sha256-{digest.removeprefix('sha256:')[:16]}" if at else "latest"
    )
    return f"{destination(registry, reference)}:{tag}"


def _image(store: Store, lock: Lock, reference: str, registry: str, access: Access) -> bool:
    digest, target = str(lock.digest("image", reference)), target_of(registry, reference)
    if is_there(target, digest, access):
        return False
    folder = as_directory(store, digest, store.working / "push")
    send_image(folder, target, access)
    if not is_there(target, digest, access):
        raise CopyError(reference, "the registry has another digest under this name than the lock")
    return True


def _chart(store: Store, lock: Lock, key: str, registry: str, access: Access) -> bool:
    item = lock.items["chart"][key]
    (name,) = item.files
    chart, _, version = name.removesuffix(".tgz").rpartition("-")
    if has_chart(registry, chart, version, item.digest, access):
        return False
    send_chart(store.charts / name, registry, access)
    return True


def _failed(key: str, said: str, registry: str) -> Problem:
    words = said.lower()
    if "does not exist" in words or "name unknown" in words or "repositorynotfound" in words:
        return Problem(
            path=key,
            what=f"has no repository in {registry}",
            fix=(
                "make it: `pulumi up` of the stack with registry.kind: ecr makes one for each image"
            ),
        )
    if "unauthorized" in words or "denied" in words or "no basic auth" in words:
        fix = (
            "sign in (skopeo login, or aws ecr get-login-password | skopeo login --username AWS"
            " --password-stdin HOST), or give --authfile"
        )
        return Problem(path=key, what=f"was refused by {registry}", fix=fix)
    return Problem(path=key, what=f"was not copied: {said}", fix=_AGAIN)
