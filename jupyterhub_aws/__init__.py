"""JupyterHub on AWS as a Pulumi library: a platform from a stack file, or its components by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyterhub_aws.version import __version__

if TYPE_CHECKING:
    from jupyterhub_aws.components.platform import JupyterHubPlatform, JupyterHubPlatformArgs
    from jupyterhub_aws.components.stack_config import from_stack_file

__all__ = ["JupyterHubPlatform", "JupyterHubPlatformArgs", "__version__", "from_stack_file"]

#: Where each public name is. They are loaded when they are asked for: `jhub` and the checks need no SDK.
_PLACES = {
    "JupyterHubPlatform": "components.platform",
    "JupyterHubPlatformArgs": "components.platform",
    "from_stack_file": "components.stack_config",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
