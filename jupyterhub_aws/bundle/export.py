"""Images of a bundle as archives for nodes without a registry: one for containerd, or one for
each image for Docker.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

from jupyterhub_aws.bundle.progress import CopyProgress
from jupyterhub_aws.bundle.registry import as_directory
from jupyterhub_aws.bundle.store import Store, blobs, descriptor
from jupyterhub_aws.bundle.tools import CopyError, run
from jupyterhub_aws.config.bundle import Lock, normalized
from jupyterhub_aws.config.errors import ConfigError, Problem


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
    with CopyProgress("writing", total, lambda: written), tarfile.open(partial, "w") as archive:
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
    """The same archive whoever writes it, and whenever."""
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
        try:
            run(
                [
                    "skopeo",
                    *options,
                    "copy",
                    f"dir:{source}",
                    f"docker-archive:{partial}:{name.partition('@')[0]}",
                ],
                reference,
            )
            partial.replace(target)
        except CopyError as error:
            problems.append(
                Problem(
                    path=reference,
                    what=f"was not written: {error}",
                    fix=f"does it have linux/{architecture}? See `jhub bundle list`",
                )
            )
    shutil.rmtree(store.working, ignore_errors=True)
    if problems:
        raise ConfigError("jhub bundle export", problems)
    return len(lock.keys("image"))
