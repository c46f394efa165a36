"""Copying a bundle into a registry inside: images by digest, charts as they are; what is there
is left alone.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

from jupyterhub_aws.bundle.pull import AGAIN, copying
from jupyterhub_aws.bundle.registry import (
    Access,
    CopyError,
    as_directory,
    has_chart,
    is_there,
    run,
    send_chart,
    send_image,
)
from jupyterhub_aws.bundle.store import Store, blobs, descriptor
from jupyterhub_aws.config.bundle import Lock, destination, normalized
from jupyterhub_aws.config.errors import ConfigError, Problem


def push(store: Store, lock: Lock, registry: str, access: Access) -> int:
    """Copy what the registry lacks; return how many items were copied. Raises ConfigError with
    every failure.
    """
    senders = {"image": _image, "chart": _chart}
    todo = [(kind, key, lock.items[kind][key].size) for kind in senders for key in lock.keys(kind)]
    done, copied = 0, 0
    problems: list[Problem] = []
    with copying("pushing", sum(size for *_, size in todo), lambda: done) as progress:
        for kind, key, size in todo:
            progress.now(key)
            try:
                copied += senders[kind](store, lock, key, registry, access)
            except (CopyError, OSError) as error:
                problems.append(_failed(key, str(error), registry))
            done += size
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
        what = f"has no repository in {registry}"
        fix = "make it: `pulumi up` of the stack with registry.kind: ecr makes one for each image"
        return Problem(id="bundle.no-repository", path=key, what=what, fix=fix)
    if "unauthorized" in words or "denied" in words or "no basic auth" in words:
        fix = (
            "sign in (skopeo login, or aws ecr get-login-password | skopeo login --username AWS"
            " --password-stdin HOST), or give --authfile"
        )
        return Problem(id="bundle.refused", path=key, what=f"was refused by {registry}", fix=fix)
    return Problem(id="bundle.not-copied", path=key, what=f"was not copied: {said}", fix=AGAIN)


# --- Images of a bundle as archives for nodes without a registry: one for containerd, or one for
# each image for Docker.


def export_oci(store: Store, lock: Lock, target: Path) -> int:
    """One archive with every image, for `ctr --namespace k8s.io images import`. Returns how many
    images are in it.
    """
    described, wanted = [], {}
    for reference in lock.keys("image"):
        digest = str(lock.digest("image", reference))
        for found, manifest in store.tree(digest):
            wanted[found] = store.blob(found)
            wanted |= {blob.digest: store.blob(blob.digest) for blob in blobs(manifest)}
        described.append(
            descriptor(reference, digest, store.blob(digest).stat().st_size, store.manifest(digest))
        )
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": described,
    }
    partial, written = target.with_name(f"{target.name}.part"), 0
    total = sum(path.stat().st_size for path in wanted.values())
    with copying("writing", total, lambda: written), tarfile.open(partial, "w") as archive:
        for name, content in (
            ("oci-layout", {"imageLayoutVersion": "1.0.0"}),
            ("index.json", index),
        ):
            _add(archive, name, json.dumps(content).encode())
        for digest, path in sorted(wanted.items()):
            archive.add(path, arcname=f"blobs/{digest.replace(':', '/')}", filter=_anonymous)
            written += path.stat().st_size
    partial.replace(target)
    return len(described)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same archive on every machine and at any time."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o644
    return entry


def export_docker(store: Store, lock: Lock, folder: Path, architecture: str) -> int:
    """An archive for each image in a folder, of one architecture, for `docker load`. Returns how
    many there are. Raises ConfigError with every failure.
    """
    folder.mkdir(parents=True, exist_ok=True)
    problems = []
    for reference in lock.keys("image"):
        name = normalized(reference)
        target = folder / (name.replace("/", "_").replace(":", "_").replace("@", "_") + ".tar")
        partial = target.with_name(f"{target.name}.part")
        partial.unlink(missing_ok=True)
        source = as_directory(store, str(lock.digest("image", reference)), store.working / "export")
        options = ["--override-os", "linux", "--override-arch", architecture]
        archive = f"docker-archive:{partial}:{name.partition('@')[0]}"
        try:
            run(["skopeo", *options, "copy", f"dir:{source}", archive], reference)
            partial.replace(target)
        except CopyError as error:
            what = f"was not written: {error}"
            fix = f"does it have linux/{architecture}? See `jhub bundle list`"
            problems.append(Problem(id="bundle.not-written", path=reference, what=what, fix=fix))
    shutil.rmtree(store.working, ignore_errors=True)
    if problems:
        raise ConfigError("jhub bundle export", problems)
    return len(lock.keys("image"))
