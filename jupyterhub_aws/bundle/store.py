"""The folder of a bundle: where each artifact lies in it, content-addressed where it can be.

`images/` is an OCI image layout: every manifest, configuration and layer by its digest, shared
between images, and an index that names them. Manifests stay byte for byte what their registry
serves, of whichever of the two families they are (OCI, Docker): an image pushed from here has the
digest that the lock says.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.bundle import Lock, normalized

LOCK_NAME = "bundle.lock.json"
SUMS_NAME = "SHA256SUMS"
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Blob:
    """A blob that a manifest names. `foreign` ones are named but served by no registry (layers of
    other vendors).
    """

    digest: str
    size: int


@dataclass(frozen=True)
class Store:
    """The folder. Everything in it is found by a name that says what it must be."""

    root: Path

    @property
    def images(self) -> Path:
        """The OCI layout."""
        return self.root / "images"

    @property
    def charts(self) -> Path:
        """Charts as archives, NAME-VERSION.tgz."""
        return self.root / "charts"

    @property
    def files(self) -> Path:
        """The Pulumi CLI and its plugins."""
        return self.root / "pulumi"

    @property
    def wheels(self) -> Path:
        """Python packages."""
        return self.root / "wheels"

    @property
    def working(self) -> Path:
        """What is being copied: nothing in it counts."""
        return self.root / ".working"

    @property
    def lock(self) -> Path:
        """The lock that the folder was filled by."""
        return self.root / LOCK_NAME

    @property
    def sums(self) -> Path:
        """Checksums of everything that is not content-addressed, for `sha256sum --check`."""
        return self.root / SUMS_NAME

    def blob(self, digest: str) -> Path:
        """Where a blob lies."""
        algorithm, _, value = digest.partition(":")
        return self.images / "blobs" / algorithm / value

    def has(self, digest: str, size: int | None = None) -> bool:
        """Whether a blob is there, whole by its size. Whether it is what its name says is
        `verify`'s question.
        """
        try:
            found = self.blob(digest).stat()
        except OSError:
            return False
        return size is None or found.st_size == size

    def put(self, content: bytes) -> str:
        """Keep a small blob; return its digest. It appears atomically."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        write(self.blob(digest), content)
        return digest

    def manifest(self, digest: str) -> Mapping[str, Any]:
        """A manifest as data. Raises FileNotFoundError or ValueError."""
        found: Mapping[str, Any] = json.loads(self.blob(digest).read_bytes())
        return found

    def tree(self, digest: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """A manifest, and those that it lists: digest and data."""
        found = self.manifest(digest)
        yield digest, found
        for child in found.get("manifests") or []:
            yield from self.tree(str(child["digest"]))

    def missing(self, digest: str) -> bool:
        """Whether an image lacks any of its blobs."""
        try:
            return any(
                not self.has(blob.digest, blob.size)
                for _, manifest in self.tree(digest)
                for blob in blobs(manifest)
            )
        except (OSError, ValueError):
            return True

    def write_index(self, lock: Lock) -> None:
        """Name the images that are there, as containerd and Docker read it."""
        write(self.images / "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
        described = []
        for reference in lock.keys("image"):
            digest = str(lock.digest("image", reference))
            if self.has(digest):
                described.append(
                    descriptor(
                        reference, digest, self.blob(digest).stat().st_size, self.manifest(digest)
                    )
                )
        document = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": described,
        }
        write(self.images / "index.json", json.dumps(document, indent=2).encode())


def descriptor(
    reference: str, digest: str, size: int, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """How an index names an image: containerd reads the whole name, others the part that the
    specification knows.
    """
    kind = manifest.get("mediaType") or (
        "application/vnd.oci.image.index.v1+json"
        if "manifests" in manifest
        else "application/vnd.oci.image.manifest.v1+json"
    )
    name = normalized(reference)
    return {
        "mediaType": kind,
        "digest": digest,
        "size": size,
        "annotations": {
            "io.containerd.image.name": name,
            "org.opencontainers.image.ref.name": name,
        },
    }


def blobs(manifest: Mapping[str, Any]) -> Iterator[Blob]:
    """The configuration and layers that a manifest names. Layers that only others may serve are
    named, and not carried.
    """
    described = [manifest["config"]] if "config" in manifest else []
    for item in (*described, *(manifest.get("layers") or [])):
        if not item.get("urls"):
            yield Blob(digest=str(item["digest"]), size=int(item["size"]))


def write(path: Path, content: bytes) -> None:
    """Write a file atomically, whenever the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    partial.write_bytes(content)
    partial.replace(path)


def checksum(path: Path) -> str:
    """`sha256:…` of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def inside(root: Path, path: Path) -> bool:
    """Whether a path lies in a folder, links followed."""
    return os.path.commonpath([root.resolve(), path.resolve()]) == str(root.resolve())
