"""Where a pinned chart comes from, and how every Helm release behaves. One place, so that a private registry is one change."""

from __future__ import annotations

from typing import Any

from config.versions import pin

#: Releases kept for `helm rollback` (Helm's own default).
_HISTORY = 10
_TIMEOUT_SECONDS = 600


def chart(name: str, minor: str, *, awaited: bool = False) -> dict[str, Any]:
    """Arguments of a Release for the chart pinned under this name.

    `awaited`: whether Helm waits until what it installed is ready. What runs on user nodes has none at first, and a
    release that waits for it fails after its timeout.
    """
    pinned = pin("chart", name, minor)
    repository = str(pinned.repository)
    source: dict[str, Any] = {"chart": repository} if repository.startswith("oci://") else {"chart": name, "repository_opts": {"repo": repository}}
    return {**source, "version": pinned.version, "skip_await": not awaited, "timeout": _TIMEOUT_SECONDS, "max_history": _HISTORY}
