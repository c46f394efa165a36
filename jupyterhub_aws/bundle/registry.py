"""Images and charts in registries, by skopeo and helm: what is there, byte for byte, and copying
by digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub_aws.bundle.inventory import Chart
from jupyterhub_aws.bundle.store import Store, blobs
from jupyterhub_aws.config.bundle import normalized
from jupyterhub_aws.config.errors import ConfigError, Problem

# --- The programs that do the copying: skopeo for images, helm for charts, pip for wheels. What
# they say reaches the operator in one line.


_INSTALL = {
    "skopeo": (
        "apt-get install skopeo (Debian, Ubuntu), dnf install skopeo (Fedora, RHEL), brew install"
        " skopeo (macOS)"
    ),
    "helm": "https://helm.sh/docs/intro/install/",
}
_LONGEST = 300
#: How skopeo writes a line of its log.
_SKOPEO = re.compile(r'level=fatal msg="(?P<said>.*)"$')


class CopyError(Exception):
    """A copy that did not work: the last words of the program that tried, in one line. `what`
    names the item.
    """

    def __init__(self, what: str, said: str) -> None:
        """`said` is what the program wrote to its standard error."""
        lines = [line for line in said.strip().splitlines() if line.strip()]
        last = lines[-1] if lines else "the program said nothing"
        if match := _SKOPEO.search(last):
            last = match["said"].replace('\\"', "'")
        super().__init__(last if len(last) <= _LONGEST else f"{last[:_LONGEST]}…")
        self.what = what


def need(tools: Iterable[str]) -> None:
    """Whether these programs are there, before anything is begun. Raises ConfigError with each
    that is not.
    """
    missing = [tool for tool in tools if shutil.which(tool) is None]
    problems = [
        Problem(
            id="tool.missing",
            path=tool,
            what="is not on PATH",
            fix=f"install it: {_INSTALL[tool]}",
        )
        for tool in missing
    ]
    if problems:
        raise ConfigError("jhub bundle", problems)


@dataclass(frozen=True, kw_only=True)
class Access:
    """How registries are spoken to. Credentials are the tools' own: a file in Docker's format,
    never text on a command line.
    """

    authfile: Path | None = None
    plain_http: bool = False

    def skopeo(self, side: str) -> list[str]:
        """Options of `skopeo` for one side: `src`, `dest`, or empty for a command with one side
        only.
        """
        prefix = f"--{side}-" if side else "--"
        return self._options(f"{prefix}tls-verify=false", "--authfile")

    def helm(self) -> list[str]:
        """Options of `helm pull` and `helm push`."""
        return self._options("--plain-http", "--registry-config")

    def _options(self, plain_http: str, authfile: str) -> list[str]:
        found = [plain_http] if self.plain_http else []
        return found if self.authfile is None else [*found, authfile, str(self.authfile)]


def run(command: Sequence[str], what: str) -> bytes:
    """Run a program and return its output. Raises CopyError, which names `what`, where it fails."""
    done = subprocess.run(  # noqa: S603
        list(command), capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    if done.returncode != 0:
        raise CopyError(what, done.stderr.decode(errors="replace"))
    return done.stdout


def pip(*arguments: str, what: str) -> None:
    """Run pip of this environment. Its own settings say where packages come from."""
    run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], what)


_DIRECTORY = "Directory Transport Version: 1.1\n"


def repository_of(reference: str) -> str:
    """A reference without tag and digest, with its host."""
    bare = normalized(reference).partition("@")[0]
    head, _, last = bare.rpartition("/")
    return f"{head}/{last.partition(':')[0]}"


def served(reference: str, access: Access) -> bytes:
    """The manifest that a registry serves for a reference, as it is. Raises CopyError."""
    return run(
        ["skopeo", "inspect", "--raw", *access.skopeo(""), f"docker://{normalized(reference)}"],
        reference,
    )


def exact(repository: str, digest: str, access: Access) -> bytes:
    """A manifest by its digest. Raises CopyError where what comes is something else."""
    content = served(f"{repository}@{digest}", access)
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise CopyError(repository, f"the registry serves something else for {digest}")
    return content


def fetch_manifests(
    store: Store, repository: str, digest: str, access: Access
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Keep a manifest and those that it lists, and return them. Those that are there are not
    asked for again.
    """
    if not store.has(digest):
        store.put(exact(repository, digest, access))
    manifest = store.manifest(digest)
    yield digest, manifest
    for child in manifest.get("manifests") or []:
        yield from fetch_manifests(store, repository, str(child["digest"]), access)


def fetch_platform(repository: str, digest: str, access: Access) -> Mapping[str, Any] | None:
    """`os` and `architecture` of an image that is one manifest, from its configuration (OCI image
    specification, "Image configuration"); None where it does not say.
    """
    command = ["skopeo", "inspect", "--config", "--raw", *access.skopeo("")]
    try:
        found = json.loads(run([*command, f"docker://{repository}@{digest}"], repository))
    except (CopyError, ValueError):
        return None  # no image, such as a chart: the lock says nothing of it
    known = isinstance(found, dict) and found.get("os") and found.get("architecture")
    return found if known else None


def fetch_image(store: Store, repository: str, digest: str, access: Access) -> None:
    """Fill the store with an image, blob by blob: what is there is not copied again, and what
    was begun counts from its last whole blob.
    """
    for child, manifest in fetch_manifests(store, repository, digest, access):
        if "manifests" in manifest or not _lacks(store, manifest):
            continue
        config = str(manifest["config"]["digest"])
        if not store.has(config, int(manifest["config"]["size"])):
            _keep_config(store, repository, child, config, access)
        if _lacks(store, manifest):
            _copy_layers(store, repository, child, access)
        # A form that skopeo rewrites on its way into a layout is taken as it is.
        if _lacks(store, manifest):
            _copy_as_is(store, repository, child, manifest, access)


def _lacks(store: Store, manifest: Mapping[str, Any]) -> bool:
    return any(not store.has(blob.digest, blob.size) for blob in blobs(manifest))


def _keep_config(store: Store, repository: str, child: str, config: str, access: Access) -> None:
    command = ["skopeo", "inspect", "--config", "--raw", *access.skopeo("")]
    try:
        content = run([*command, f"docker://{repository}@{child}"], repository)
    except CopyError:
        return  # not the configuration of an image: comes with the rest
    if f"sha256:{hashlib.sha256(content).hexdigest()}" == config:
        store.put(content)


def _copy_layers(store: Store, repository: str, child: str, access: Access) -> None:
    """Skopeo writes each blob beside the others under a temporary name, and leaves out those
    that are there.
    """
    staged = store.working / child.rpartition(":")[2]
    known = store.images / "blobs"
    command = ["skopeo", "copy", *access.skopeo("src"), "--dest-shared-blob-dir", str(known)]
    known.mkdir(parents=True, exist_ok=True)
    staged.parent.mkdir(parents=True, exist_ok=True)
    try:
        run([*command, f"docker://{repository}@{child}", f"oci:{staged}:x"], repository)
    except CopyError as error:
        if "unsupported" not in str(error).lower() and "unknown" not in str(error).lower():
            raise


def _copy_as_is(
    store: Store, repository: str, child: str, manifest: Mapping[str, Any], access: Access
) -> None:
    staged = store.working / f"{child.rpartition(':')[2]}.dir"
    shutil.rmtree(staged, ignore_errors=True)
    staged.parent.mkdir(parents=True, exist_ok=True)
    command = ["skopeo", "copy", *access.skopeo("src")]
    run([*command, f"docker://{repository}@{child}", f"dir:{staged}"], repository)
    for blob in blobs(manifest):
        found = staged / blob.digest.rpartition(":")[2]
        if found.is_file() and not store.has(blob.digest, blob.size):
            store.blob(blob.digest).parent.mkdir(parents=True, exist_ok=True)
            found.replace(store.blob(blob.digest))
    shutil.rmtree(staged, ignore_errors=True)


def as_directory(store: Store, digest: str, folder: Path) -> Path:
    """An image of the store as skopeo reads one byte for byte: links to blobs, so that nothing
    is copied on the way out.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "version").write_text(_DIRECTORY, encoding="utf-8")
    for found, manifest in store.tree(digest):
        name = "manifest.json" if found == digest else f"{found.rpartition(':')[2]}.manifest.json"
        os.link(store.blob(found), folder / name)
        for blob in blobs(manifest):
            target = folder / blob.digest.rpartition(":")[2]
            if not target.exists():
                os.link(store.blob(blob.digest), target)
    return folder


def is_there(reference: str, digest: str, access: Access) -> bool:
    """Whether a registry has exactly this image under this name."""
    try:
        return f"sha256:{hashlib.sha256(served(reference, access)).hexdigest()}" == digest
    except CopyError:
        return False


def send_image(folder: Path, target: str, access: Access) -> None:
    """Copy an image out of its directory; blobs that the registry has are not sent again. Raises
    CopyError.
    """
    command = ["skopeo", "copy", "--all", "--preserve-digests", *access.skopeo("dest")]
    run([*command, f"dir:{folder}", f"docker://{target}"], target)


def fetch_chart(chart: Chart, folder: Path, access: Access) -> Path:
    """A chart's archive in a folder. Raises CopyError."""
    folder.mkdir(parents=True, exist_ok=True)
    source, options = [chart.name, "--repo", chart.repository], []
    if chart.repository.startswith("oci://"):
        source, options = [chart.repository], access.helm()
    where = ["--version", chart.version, "--destination", str(folder)]
    run(["helm", "pull", *source, *where, *options], chart.key)
    return folder / f"{chart.name}-{chart.version}.tgz"


def has_chart(registry: str, name: str, version: str, digest: str, access: Access) -> bool:
    """Whether a registry has exactly this archive of a chart."""
    try:
        manifest = json.loads(served(f"{registry}/charts/{name}:{version}", access))
    except (CopyError, ValueError):
        return False
    return any(layer.get("digest") == digest for layer in manifest.get("layers") or [])


def send_chart(archive: Path, registry: str, access: Access) -> None:
    """Push a chart's archive. Raises CopyError."""
    run(["helm", "push", str(archive), f"oci://{registry}/charts", *access.helm()], archive.name)


# --- Downloading one file: it goes on where it stopped, and appears atomically.


_SECONDS = 60
_PARTIAL, _PAST_ITS_END = 206, 416


def download(url: str, target: Path) -> Path:
    """A file from an address. What an earlier try left in `NAME.part` is kept. Raises CopyError."""
    from httpx import HTTPError

    from jupyterhub_aws.http_client import cause, http_client

    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    have = partial.stat().st_size if partial.exists() else 0
    # The file's own bytes: a part of a compressed answer continues no file.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        with (
            http_client(_SECONDS, follow_redirects=True) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            if answer.is_success:
                with partial.open("ab" if answer.status_code == _PARTIAL else "wb") as stream:
                    for chunk in answer.iter_raw():
                        stream.write(chunk)
            elif answer.status_code != _PAST_ITS_END:  # all of it was there before
                said = f"{url}: {answer.status_code} {answer.reason_phrase}"
                raise CopyError(target.name, said)
    except HTTPError as error:
        raise CopyError(target.name, f"{url}: {cause(error)}") from None
    except OSError as error:
        raise CopyError(target.name, f"{url}: {error}") from None
    partial.replace(target)
    return target
