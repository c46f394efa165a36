"""Downloading one file: it goes on where it stopped, and is there whole or not at all."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

from jupyterhub_aws.bundle.tools import CopyError

_CHUNK = 1 << 18
_SECONDS = 60
_PARTIAL, _PAST_ITS_END = 206, 416


def download(url: str, target: Path) -> Path:
    """A file from an address. What an earlier try left in `NAME.part` is kept. Raises CopyError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(  # noqa: S310
        url,
        headers={"User-Agent": "jupyterhub-aws", **({"Range": f"bytes={have}-"} if have else {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 -- as above
            _keep(answer, partial, append=answer.status == _PARTIAL)
    except urllib.error.HTTPError as error:
        if error.code != _PAST_ITS_END:  # all of it was there before
            raise CopyError(target.name, f"{url}: {error.code} {error.reason}") from None
    except OSError as error:
        raise CopyError(target.name, f"{url}: {error}") from None
    partial.replace(target)
    return target


def _keep(answer: IO[bytes], partial: Path, *, append: bool) -> None:
    with partial.open("ab" if append else "wb") as stream:
        while chunk := answer.read(_CHUNK):
            stream.write(chunk)
