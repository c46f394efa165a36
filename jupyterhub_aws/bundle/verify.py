"""Whether a folder is the bundle that its lock says: every byte counted again, and no file there
that the lock does not name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jupyterhub_aws.bundle.inventory import Inventory
from jupyterhub_aws.bundle.pull import folder_of
from jupyterhub_aws.bundle.store import LOCK_NAME, SUMS_NAME, Store, blobs, checksum, inside
from jupyterhub_aws.config.bundle import Lock
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.progress import ProgressLine

_PULL = "pull it again: jhub bundle pull"


def faults(store: Store, lock: Lock, inventory: Inventory | None = None) -> list[Problem]:
    """Everything that is wrong with a bundle. `inventory`: what a stack needs now, where the
    bundle is meant for one.
    """
    with ProgressLine("verifying") as progress:
        images = list(_images(store, lock, progress))
        progress.now("charts, files and wheels")
        contents = (*images, *_files(store, lock), *_unlisted_files(store, lock))
    return sorted({*_links(store), *contents, *_for_stack(lock, inventory)})


def _links(store: Store) -> Iterator[Problem]:
    for path in store.root.rglob("*"):
        if path.is_symlink() or not inside(store.root, path):
            what, where = "is a link: a bundle has none", _name(store, path)
            yield Problem(id="bundle.link", path=where, what=what, fix="remove it")


def _images(store: Store, lock: Lock, progress: ProgressLine) -> Iterator[Problem]:
    seen: set[str] = set()
    references = lock.keys("image")
    for number, reference in enumerate(references):
        progress.now(reference, count=number, total=len(references))
        digest = str(lock.digest("image", reference))
        try:
            tree = list(store.tree(digest))
        except (OSError, ValueError) as error:
            what = f"has no readable manifest ({type(error).__name__})"
            yield Problem(id="bundle.no-manifest", path=reference, what=what, fix=_PULL)
            continue
        named = [(found, store.blob(found).stat().st_size) for found, _ in tree] + [
            (blob.digest, blob.size) for _, item in tree for blob in blobs(item)
        ]
        for found, size in named:
            if found not in seen:
                seen.add(found)
                yield from _blob(store, reference, found, size)


def _blob(store: Store, reference: str, digest: str, size: int) -> Iterator[Problem]:
    path = store.blob(digest)
    name = _name(store, path)
    if not path.is_file():
        what = f"is missing, a part of {reference}"
        yield Problem(id="bundle.missing", path=name, what=what, fix=_PULL)
    elif (found := checksum(path)) != digest:
        has = f"{path.stat().st_size} of {size} bytes"
        what = f"is damaged, a part of {reference}: it is {found} ({has})"
        yield Problem(id="bundle.damaged", path=name, what=what, fix=f"delete it, and {_PULL}")


def _files(store: Store, lock: Lock) -> Iterator[Problem]:
    for kind in ("chart", "file", "wheels"):
        for key, item in lock.items.get(kind, {}).items():
            for name, (digest, _) in item.files.items():
                path = folder_of(store, kind) / name
                where = _name(store, path)
                if not path.is_file():
                    what = f"is missing, a part of {key}"
                    yield Problem(id="bundle.missing", path=where, what=what, fix=_PULL)
                elif (found := checksum(path)) != digest:
                    what = f"is damaged: it is {found}, and the lock says {digest}"
                    fix = f"delete it, and {_PULL}"
                    yield Problem(id="bundle.damaged", path=where, what=what, fix=fix)


def _unlisted_files(store: Store, lock: Lock) -> Iterator[Problem]:
    """Files that no lock names: they were put there by hand."""
    named = {store.lock, store.sums, store.images / "index.json", store.images / "oci-layout"}
    for kind in ("chart", "file", "wheels"):
        for item in lock.items.get(kind, {}).values():
            named |= {folder_of(store, kind) / name for name in item.files}
    known: set[str] = set()
    for reference in lock.keys("image"):
        try:
            for digest, manifest in store.tree(str(lock.digest("image", reference))):
                known |= {digest, *(blob.digest for blob in blobs(manifest))}
        except (OSError, ValueError):
            return  # said above: what belongs to it is not known
    named |= {store.blob(digest) for digest in known}
    for path in store.root.rglob("*"):
        belongs = path in named or store.working in path.parents
        if path.is_file() and not path.is_symlink() and not belongs:
            what, fix = "is named by no lock", "remove it: its origin is unknown"
            yield Problem(id="bundle.unlisted", path=_name(store, path), what=what, fix=fix)


def _for_stack(lock: Lock, inventory: Inventory | None) -> Iterator[Problem]:
    if inventory is None:
        return
    fix = f"lock and pull again: jhub bundle lock {inventory.stack}"
    for item in inventory.items:
        if lock.digest(item.kind, item.key) is None:
            other = _other_version(lock, item.kind, item.key)
            has = f", which has {other}: it is of another version" if other else ""
            what = f"is not in this bundle{has}"
            yield Problem(id="bundle.not-in-bundle", path=item.key, what=what, fix=fix)


def _other_version(lock: Lock, kind: str, key: str) -> str | None:
    separator = ":" if kind == "image" else "-"
    name = key.rpartition(separator)[0]
    same = (found for found in lock.keys(kind) if found.rpartition(separator)[0] == name)
    return next(same, None) if name else None


def _name(store: Store, path: Path) -> str:
    return str(path.relative_to(store.root))


def verified(store: Store, lock: Lock) -> None:
    """Raises ConfigError with everything that is wrong with a bundle."""
    found = faults(store, lock)
    if found:
        raise ConfigError(f"bundle {store.root}", found)


__all__ = ["LOCK_NAME", "SUMS_NAME", "faults", "verified"]
