"""Where a pinned chart comes from, and how every Helm release behaves. One place, so that a private registry is one change."""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.config.registry import UpstreamRegistry
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.versions import Pin, pin

#: Releases kept for `helm rollback` (Helm's own default).
_HISTORY = 10
_TIMEOUT_SECONDS = 600


def chart(name: str, stack: StackConfig, *, awaited: bool = False) -> dict[str, Any]:
    """Arguments of a Release for the chart pinned under this name: from its maker, from a folder, or from the stack's own registry.

    `awaited`: whether Helm waits until what it installed is ready. What runs on user nodes has none at first, and a
    release that waits for it fails after its timeout.
    """
    pinned = pin("chart", name, stack.cluster.version)
    return {
        **_source(name, pinned, stack),
        "version": pinned.version,
        "skip_await": not awaited,
        "timeout": _TIMEOUT_SECONDS,
        "max_history": _HISTORY,
    }


def _source(name: str, pinned: Pin, stack: StackConfig) -> dict[str, Any]:
    registry = stack.registry
    if not isinstance(registry, UpstreamRegistry):
        if registry.charts is not None:
            return {"chart": f"{registry.charts.rstrip('/')}/{name}-{pinned.version}.tgz"}
        return {"chart": f"oci://{stack.own_registry}/charts/{name}"}
    repository = str(pinned.repository)
    return {"chart": repository} if repository.startswith("oci://") else {"chart": name, "repository_opts": {"repo": repository}}
