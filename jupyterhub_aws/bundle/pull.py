"""Filling a folder on the connected side: everything that the lock names, and nothing that is
there already.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

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
from jupyterhub_aws.units import amount, duration

# --- How far a copy is: bytes of bytes and time left, on a terminal as a bar, elsewhere as a line
# now and then.


_EVERY_SECONDS = 5.0
_LOOK_SECONDS = 0.5


class CopyProgress:
    """Watches a copy of so many bytes. `done` is asked how many are there, from another thread,
    while the copy goes on.
    """

    def __init__(self, verb: str, total: int, done: Callable[[], int]) -> None:
        """`verb` says what is going on (`pulling`); what was there before it began counts as
        done, and not for the speed.
        """
        self._verb, self._total, self._done = verb, total, done
        self._what = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._tty = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._began, self._before = time.monotonic(), self._done()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Say the last word."""
        self._stop.set()
        self._thread.join()
        if kind is None:
            self._say(last=True)
        elif self._tty:
            print(file=sys.stderr)

    def now(self, what: str) -> None:
        """What is copied from here on."""
        self._what = what
        if not self._tty:
            self._say()

    def line(self, done: int) -> str:
        """The state in a line, such as: pulling 1.2 GiB of 4.0 GiB (30%), 3 min 20 s left."""
        share = 100 * done // self._total if self._total else 100
        copied, seconds = done - self._before, time.monotonic() - self._began
        text = f"{self._verb} {amount(done)} of {amount(self._total)} ({share}%)"
        if copied > 0 and done < self._total and seconds > 1:
            text += f", {duration((self._total - done) * seconds / copied)} left"
        return f"{text}: {self._what}" if self._what and done < self._total else text

    def _watch(self) -> None:
        said = time.monotonic()
        while not self._stop.wait(_LOOK_SECONDS):
            if self._tty or time.monotonic() - said >= _EVERY_SECONDS:
                said = time.monotonic()
                self._say()

    def _say(self, *, last: bool = False) -> None:
        text = self.line(min(self._done(), self._total) if not last else self._done())
        if self._tty:
            print(f"\r\033[K{text[:120]}", end="\n" if last else "", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)


#: What a copy needs besides the bundle itself, while it goes on.
_SPARE = 1.05
AGAIN = "run the same command again: it goes on where it stopped"


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
    with CopyProgress("pulling", total, lambda: _there(store, inventory, locked)) as progress:
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
