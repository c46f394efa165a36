"""What AWS says of itself and moto carries, read without loading moto."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def moto_file(*parts: str) -> Path:
    """A file of the package."""
    spec = importlib.util.find_spec("moto")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], *parts)
