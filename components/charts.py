"""Where a pinned chart comes from, and how every Helm release behaves. One place, so that a
private registry is one change.
"""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.config.specs.images import Images
from jupyterhub_aws.config.versions import Pin, pin

#: Releases kept for `helm rollback` (Helm's own default).
_HISTORY = 10
_TIMEOUT_SECONDS = 600


def chart(name: str, images: Images, *, kubernetes: str, awaited: bool = False) -> dict[str, Any]:
    """Arguments of a Release for the chart pinned under this name: from its publisher, from a
    folder, or from a private registry.

    `kubernetes` is the cluster's minor version, such as 1.35. `awaited`: whether Helm waits until
    what it installed is ready. At first there is no user node, so a release that waits for pods on
    user nodes fails after its timeout. Raises KeyError for a chart that is not pinned.
    """
    pinned = pin("chart", name, kubernetes)
    return {
        **_source(name, pinned, images),
        "version": pinned.version,
        "skip_await": not awaited,
        "timeout": _TIMEOUT_SECONDS,
        "max_history": _HISTORY,
    }


def _source(name: str, pinned: Pin, images: Images) -> dict[str, Any]:
    if images.charts is not None:
        return {"chart": f"{images.charts.rstrip('/')}/{name}-{pinned.version}.tgz"}
    if images.registry is not None:
        return {"chart": f"oci://{images.registry}/charts/{name}"}
    repository = str(pinned.repository)
    return (
        {"chart": repository}
        if repository.startswith("oci://")
        else {"chart": name, "repository_opts": {"repo": repository}}
    )
