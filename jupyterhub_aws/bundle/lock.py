"""Making the lock: what each name refers to today. What is locked stays locked, until the operator
asks for a refresh.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jupyterhub_aws.bundle.inventory import Chart, File, Image, Inventory, Item, Wheels
from jupyterhub_aws.bundle.registry import (
    Access,
    CopyError,
    download,
    fetch_chart,
    fetch_manifests,
    fetch_platform,
    pip,
    repository_of,
    served,
)
from jupyterhub_aws.bundle.store import Store, blobs, checksum
from jupyterhub_aws.config.bundle import PLATFORM_SIZES, Lock, Locked
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.project import pinned_by_hash
from jupyterhub_aws.progress import ProgressLine


def make_lock(
    inventory: Inventory, before: Lock | None, refresh: Collection[str], access: Access
) -> Lock:
    """The lock of an inventory.

    `before` is the lock that there is: an item of it keeps its digest, and one whose maker has
    moved it since is a problem, unless `refresh` names its key or holds `*`. Raises ConfigError
    with every problem.
    """
    items: dict[str, dict[str, Locked]] = {"image": {}, "chart": {}, "file": {}, "wheels": {}}
    problems = []
    with (
        tempfile.TemporaryDirectory(prefix="jhub-bundle-") as folder,
        ProgressLine("locking") as progress,
    ):
        for number, item in enumerate(inventory.items):
            progress.now(item.key, count=number, total=len(inventory.items))
            try:
                found = _locked(item, Path(folder), access)
            except (CopyError, OSError) as error:
                what = f"cannot be locked: {error}"
                fix = "is its name right, and is its host reached from here?"
                problems.append(Problem(id="bundle.not-locked", path=item.key, what=what, fix=fix))
                continue
            known = None if before is None else before.items.get(item.kind, {}).get(item.key)
            moved = known is not None and known.digest != found.digest
            if known is not None and moved and not {item.key, "*"} & set(refresh):
                then, now = known.digest[:19], found.digest[:19]
                what = f"moved since it was locked: {then}… then, {now}… now"
                fix = f"ask its maker why; to take the new one: --refresh '{item.key}'"
                problems.append(Problem(id="bundle.moved", path=item.key, what=what, fix=fix))
            items[item.kind][item.key] = found
    if problems:
        raise ConfigError("jhub bundle lock", problems)
    return Lock(stack=inventory.stack, items=items)


def _locked(item: Item, folder: Path, access: Access) -> Locked:
    if isinstance(item, Image):
        return _image(item, folder, access)
    if isinstance(item, Chart):
        return _single(fetch_chart(item, folder / "charts", access))
    if isinstance(item, File):
        return _single(download(item.url, folder / item.name))
    return _wheels(item, folder / "wheels")


def _single(path: Path) -> Locked:
    digest, size = checksum(path), path.stat().st_size
    found = Locked(digest=digest, size=size, files={path.name: (digest, size)})
    path.unlink()  # only its sum is kept here: `pull` fetches it
    return found


def _image(item: Image, folder: Path, access: Access) -> Locked:
    """The digest of what the name means today, and what all its blobs weigh."""
    content = served(item.reference, access)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    store = Store(folder / "manifests")
    store.put(content)
    repository = repository_of(item.reference)
    sizes: dict[str, int] = {}
    pulled: dict[str, int] = {}  # by digest of a manifest: what a node of its platform pulls
    platforms: dict[str, str] = {}
    for found, manifest in fetch_manifests(store, repository, digest, access):
        sizes[found] = store.blob(found).stat().st_size
        layers = {blob.digest: blob.size for blob in blobs(manifest)}
        sizes |= layers
        pulled[found] = sum(layers.values())
        platforms |= {
            str(child["digest"]): _platform(child["platform"])
            for child in manifest.get("manifests") or []
            if child.get("platform", {}).get("os") not in (None, "unknown")
        }
    if len(pulled) == 1 and (alone := fetch_platform(repository, digest, access)) is not None:
        platforms = {digest: _platform(alone)}  # one manifest, which its configuration describes
    names = sorted(set(platforms.values()))
    each = {
        name: max(
            pulled[found] for found, of in platforms.items() if of == name and found in pulled
        )
        for name in names
        if any(of == name and found in pulled for found, of in platforms.items())
    }
    kind = json.loads(content).get("mediaType", "application/vnd.oci.image.manifest.v1+json")
    return Locked(
        digest=digest,
        size=sum(sizes.values()),
        details={
            "media_type": kind,
            **({"platforms": names} if names else {}),
            **({PLATFORM_SIZES: each} if each else {}),
        },
    )


def _platform(found: Mapping[str, Any]) -> str:
    return f"{found['os']}/{found['architecture']}"


def _of_wheel(name: str) -> tuple[str, str]:
    """Distribution and version of a wheel by its file's name (binary distribution format, "File
    name convention").
    """
    distribution, version, *_ = name.split("-")
    return distribution, version


def _wheels(item: Wheels, folder: Path) -> Locked:
    fetch_wheels(item, folder)
    files = {path.name: (checksum(path), path.stat().st_size) for path in sorted(folder.iterdir())}
    shutil.rmtree(folder)
    text = "".join(f"{digest}  {name}\n" for name, (digest, _) in sorted(files.items()))
    return Locked(
        digest=f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",
        size=sum(size for _, size in files.values()),
        files=files,
    )


def fetch_wheels(item: Wheels, folder: Path, locked: Collection[str] = ()) -> None:
    """Download the wheels of a requirements file for the machine that will use them; `locked`
    are the files that were taken before. Raises CopyError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = item.folder / item.requirements
    hashed = pinned_by_hash(source.read_text(encoding="utf-8"))
    what = [f"--requirement={source}"]
    if locked and not hashed:
        what = ["--no-deps", *(f"{name}=={version}" for name, version in map(_of_wheel, locked))]
    pip(
        "download",
        "--quiet",
        *(("--require-hashes", "--no-deps") if hashed else ()),
        "--only-binary=:all:",
        f"--python-version={item.python}",
        f"--platform={item.platform}",
        "--platform=manylinux2014_x86_64",
        "--platform=any",
        f"--dest={folder}",
        *what,
        what=item.key,
    )
