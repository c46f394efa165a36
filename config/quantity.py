"""Quantities of the Kubernetes API as numbers: `500m` cores, `2Gi` bytes."""

from __future__ import annotations

import re

_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([eE][+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)"
)
#: apimachinery, pkg/api/resource/quantity.go: suffixes of powers of 10 and of 1024.
_FACTOR = {
    "": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


def quantity(value: object) -> float:
    """The number that a quantity means. Raises ValueError for what the API would refuse."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = _QUANTITY.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(value)
    return float(match[1] + (match[2] or "")) * _FACTOR[match[3] or ""]
