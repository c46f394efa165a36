"""The programs that do the copying: skopeo for images, helm for charts, pip for wheels. What
they say reaches a person in one line.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyterhub_aws.config.errors import ConfigError, Problem

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
    if missing:
        raise ConfigError(
            "jhub bundle",
            [
                Problem(path=tool, what="is not on PATH", fix=f"install it: {_INSTALL[tool]}")
                for tool in missing
            ],
        )


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
        found = [f"{prefix}tls-verify=false"] if self.plain_http else []
        return [*found, *(["--authfile", str(self.authfile)] if self.authfile is not None else [])]

    def helm(self) -> list[str]:
        """Options of `helm pull` and `helm push`."""
        found = ["--plain-http"] if self.plain_http else []
        return [
            *found,
            *(["--registry-config", str(self.authfile)] if self.authfile is not None else []),
        ]


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
