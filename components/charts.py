"""Where a pinned chart comes from, and how every Helm release behaves. One place, so that a private registry is one change."""

from __future__ import annotations

from typing import Any

from config.versions import pin

#: Releases kept for `helm rollback` (Helm's own default).
_HISTORY = 10
_TIMEOUT_SECONDS = 600


def chart(name: str, minor: str) -> dict[str, Any]:
    """Arguments of a Release for the chart pinned under this name.

    `skip_await`: what runs on user nodes has none at first, and a release that waits for it fails after its timeout.
    """
    pinned = pin("chart", name, minor)
    repository = str(pinned.repository)
    source: dict[str, Any] = {"chart": repository} if repository.startswith("oci://") else {"chart": name, "repository_opts": {"repo": repository}}
    return {**source, "version": pinned.version, "skip_await": True, "timeout": _TIMEOUT_SECONDS, "max_history": _HISTORY}
