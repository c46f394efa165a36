"""The chart's own values: what is one of them says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.config.chart import default_values
from jupyterhub_aws.config.tree import Path


def default_of(path: Path) -> tuple[bool, Any]:
    """Whether the chart has a default at a path, and it."""
    here: Any = default_values()
    for part in path:
        if isinstance(here, Mapping) and part in here:
            here = here[part]
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            return False, None
    return True, here


def says_nothing(path: Path, value: Any) -> bool:
    """Whether a null, an empty map or an empty list leaves the chart's default as it is. An
    empty list instead of a full one does not.
    """
    return value in (None, {}) or (value == [] and default_of(path)[1] in (None, {}, []))
