#!/usr/bin/env python3
"""Build the stand-in plugins once, outside the checkout, and say which folders to put first on
PATH.

usage: python tests/engine/stand_in/install.py      (prints the folders, joined as PATH wants them)

The folder's name is a hash of the sources, of Go's version and of pulumi_aws's, so a second run
finds the plugins and builds nothing. One program answers under four names: aws, random, kubernetes
and eks (aws/README.md).
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCES = Path(__file__).resolve().parent / "aws"
#: Always ours; and those for which the real plugins may be taken.
ALWAYS, FOR_A_CLUSTER = ("aws", "random"), ("kubernetes", "eks")


class MissingToolError(Exception):
    """Something that the build needs is not on this machine; the message says what."""


def missing_tools() -> list[str]:
    """What is not here and cannot be installed by this project: the engine, its Python host, and
    Go to build the plugins.
    """
    found = []
    if shutil.which("pulumi") is None:
        found.append("no `pulumi` CLI on PATH")
    elif shutil.which("pulumi-language-python") is None:
        found.append("no `pulumi-language-python` on PATH beside `pulumi`")
    if shutil.which("go") is None:
        found.append("no `go` on PATH to build the stand-in plugins")
    return found


def cache() -> Path:
    """Where built plugins are kept."""
    return (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupyterhub-aws-engine"
    )


def fingerprint() -> str:
    """What the built plugins depend on, as a short hash."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for package in ("pulumi-aws", "pulumi-kubernetes"):  # what types.json is made from
        digest.update(importlib.metadata.version(package).encode())
    digest.update(subprocess.run(["go", "version"], check=True, capture_output=True).stdout)
    return digest.hexdigest()[:16]


def real_plugins_wanted() -> bool:
    """Whether the real Kubernetes and EKS plugins serve: asked for by name, at hand, and with an
    API server to talk to.
    """
    asked = os.environ.get("JHUB_REAL_PLUGINS") == "1"
    server = bool(os.environ.get("FAKE_AWS_EKS_ENDPOINT"))
    return (
        asked and server and all(shutil.which(f"pulumi-resource-{name}") for name in FOR_A_CLUSTER)
    )


def install() -> list[Path]:
    """Build what is not built yet; return the folders that go first on PATH.

    Raises MissingToolError without Go, and subprocess.CalledProcessError when the build fails.
    """
    if shutil.which("go") is None:
        raise MissingToolError("no `go` on PATH to build the stand-in plugins")
    home = cache() / fingerprint()
    with _locked(cache()):
        if not home.is_dir():
            _build(home)
    return [home / "always"] if real_plugins_wanted() else [home / "always", home / "cluster"]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two test processes at once build one after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(home: Path) -> None:
    """Build beside, then rename: an interrupted build leaves nothing that looks finished."""
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="building-") as folder:
        made = Path(folder) / "made"
        always, cluster = made / "always", made / "cluster"
        always.mkdir(parents=True)
        cluster.mkdir()
        program = always / "pulumi-resource-aws"
        subprocess.run(
            ["go", "build", "-o", str(program), "."],
            cwd=SOURCES,
            env={**os.environ, "GOTOOLCHAIN": "local"},
            check=True,
        )
        types = str(program) + ".types.json"
        subprocess.run(
            [sys.executable, str(SOURCES / "gen_types.py"), types],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        shutil.copy2(SOURCES / "aws", always / "aws")
        (always / "aws").chmod(0o755)
        for name in ALWAYS[1:]:
            (always / f"pulumi-resource-{name}").symlink_to("pulumi-resource-aws")
        for name in FOR_A_CLUSTER:
            (cluster / f"pulumi-resource-{name}").symlink_to("../always/pulumi-resource-aws")
        made.rename(home)
    for old in sorted(
        (path for path in home.parent.iterdir() if path.is_dir() and path != home),
        key=lambda path: path.stat().st_mtime,
    )[:-3]:
        shutil.rmtree(
            old, ignore_errors=True
        )  # of older sources, the last three stay: other checkouts may use them


if __name__ == "__main__":
    print(os.pathsep.join(map(str, install())))
