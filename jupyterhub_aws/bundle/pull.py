"""Filling a folder on the connected side: everything that the lock names, and nothing that is
there already.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from jupyterhub_aws.bundle.inventory import Chart, File, Image, Inventory, Item, Wheels
from jupyterhub_aws.bundle.lock import fetch_wheels
from jupyterhub_aws.bundle.registry import (
    Access,
    CopyError,
    download,
    fetch_chart,
    fetch_image,
    repository_of,
)
from jupyterhub_aws.bundle.store import Store, checksum, write
from jupyterhub_aws.config.bundle import Lock, Locked
from jupyterhub_aws.config.errors import ConfigError, Problem, refused
from jupyterhub_aws.progress import ProgressLine
from jupyterhub_aws.units import amount

#: What a copy needs besides the bundle itself, while it goes on.
_SPARE = 1.05
AGAIN = "run the same command again: it goes on where it stopped"


def copying(verb: str, total: int, done: Callable[[], int]) -> ProgressLine:
    """How far a copy of so many bytes is: `done` is asked how many are there, from another thread,
    while the copy goes on.
    """
    return ProgressLine(verb, total=total, done=done, shown=amount, each=True)


def pull(inventory: Inventory, lock: Lock, store: Store, access: Access) -> int:
    """Fill the store; return how many items were copied. What a run that was killed has left is
    used. Raises ConfigError with every failure.
    """
    locked = {item.key: _of(lock, item) for item in inventory.items}
    total = sum(found.size for found in locked.values())
    store.root.mkdir(parents=True, exist_ok=True)
    _room(store, total)
    write(store.lock, lock.as_text().encode())
    wanted = [item for item in inventory.items if not complete(store, item, locked[item.key])]
    problems = []
    with copying("pulling", total, lambda: _there(store, inventory, locked)) as progress:
        for item in wanted:
            progress.now(item.key)
            try:
                _fetch(store, item, locked[item.key], access)
            except (CopyError, OSError) as error:
                what = f"was not copied: {error}"
                problems.append(
                    Problem(id="bundle.not-copied", path=item.key, what=what, fix=AGAIN)
                )
    shutil.rmtree(store.working, ignore_errors=True)
    store.write_index(lock)
    _prune(store, lock)
    _write_sums(store, lock)
    if problems:
        raise ConfigError("jhub bundle pull", problems)
    return len(wanted)


def _of(lock: Lock, item: Item) -> Locked:
    found = lock.items.get(item.kind, {}).get(item.key)
    if found is None:
        fix = f"run: jhub bundle lock {lock.stack}"
        raise refused("jhub bundle pull", "bundle.not-in-lock", item.key, "is not in the lock", fix)
    return found


def _room(store: Store, total: int) -> None:
    files = (path for path in store.root.rglob("*") if path.is_file() and not path.is_symlink())
    have = sum(path.stat().st_size for path in files)
    free = shutil.disk_usage(store.root).free
    if total * _SPARE - have > free:
        what = f"has {amount(free)} free, and {amount(total * _SPARE - have)} are still to come"
        fix = "choose a folder on a larger disk"
        raise refused("jhub bundle pull", "bundle.no-room", "--to", what, fix)


def complete(store: Store, item: Item, locked: Locked) -> bool:
    """Whether an item is there, whole by its sizes."""
    if isinstance(item, Image):
        return store.has(locked.digest) and not store.missing(locked.digest)
    folder = folder_of(store, item.kind)
    return all(
        (folder / name).is_file() and (folder / name).stat().st_size == size
        for name, (_, size) in locked.files.items()
    )


def folder_of(store: Store, kind: str) -> Path:
    """Where items of a kind lie that are no images."""
    return {"chart": store.charts, "file": store.files, "wheels": store.wheels}[kind]


def _there(store: Store, inventory: Inventory, locked: dict[str, Locked]) -> int:
    """Bytes that are there, or being written."""
    whole = sum(
        locked[item.key].size
        for item in inventory.items
        if item.kind != "image" and complete(store, item, locked[item.key])
    )
    folders = (store.images / "blobs", store.working)
    return whole + sum(
        path.stat().st_size
        for folder in folders
        if folder.is_dir()
        for path in list(folder.rglob("*"))
        if path.is_file()
    )


def _fetch(store: Store, item: Item, locked: Locked, access: Access) -> None:
    if isinstance(item, Image):
        fetch_image(store, repository_of(item.reference), locked.digest, access)
        if store.missing(locked.digest):
            raise CopyError(item.key, "some of its layers did not come")
        return
    folder = folder_of(store, item.kind)
    fresh = store.working / item.kind
    if isinstance(item, Wheels):
        fetch_wheels(item, fresh, locked.files)
    elif isinstance(item, Chart):
        fetch_chart(item, fresh, access)
    elif isinstance(item, File):
        download(item.url, fresh / item.name)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (digest, _) in locked.files.items():
        found = checksum(fresh / name) if (fresh / name).is_file() else "nothing"
        if found != digest:
            raise CopyError(name, f"is {found}, and the lock says {digest}")
        (fresh / name).replace(folder / name)


def _prune(store: Store, lock: Lock) -> None:
    """Remove what skopeo left on its way, and what an older lock named."""
    wanted = set()
    for reference in lock.keys("image"):
        digest = str(lock.digest("image", reference))
        if not store.has(digest) or store.missing(digest):
            return  # while something is missing, nothing is thrown away: a later run may need it
        wanted |= {found for found, _ in store.tree(digest)}
        wanted |= {
            blob["digest"]
            for _, manifest in store.tree(digest)
            for blob in (*(manifest.get("layers") or []), manifest.get("config") or {"digest": ""})
        }
    for path in (store.images / "blobs").rglob("*"):
        if path.is_file() and f"{path.parent.name}:{path.name}" not in wanted:
            path.unlink()


def _write_sums(store: Store, lock: Lock) -> None:
    """What `sha256sum --check SHA256SUMS` reads, where neither this program nor Python is at
    hand.
    """
    lines = []
    for kind in ("chart", "file", "wheels"):
        folder = folder_of(store, kind).name
        for item in lock.items.get(kind, {}).values():
            lines += [
                f"{digest.removeprefix('sha256:')}  {folder}/{name}"
                for name, (digest, _) in item.files.items()
            ]
    write(store.sums, "".join(f"{line}\n" for line in sorted(lines)).encode())
