"""What goes with what: Kubernetes minors, their support dates, and the add-ons, images and
charts pinned for each.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

TABLE = Path(__file__).parent / "data" / "versions.toml"

Kind = Literal["addon", "ami", "chart", "image", "plugin"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """One pinned version. `kubernetes` is None where it serves every minor; `verified` as the
    table's head explains.
    """

    kind: Kind
    name: str
    version: str
    repository: str | None
    kubernetes: str | None
    source: str
    date: datetime.date
    verified: bool

    @property
    def reference(self) -> str:
        """An image as a pod names it: repository:tag."""
        return f"{self.repository}:{self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class KubernetesVersion:
    """Until when AWS supports a minor: in the standard price, and at six times that price."""

    minor: str
    standard_support_until: datetime.date
    extended_support_until: datetime.date
    source: str

    @classmethod
    def of(cls, minor: str, row: Mapping[str, Any]) -> KubernetesVersion:
        """A row of the table."""
        return cls(
            minor=minor,
            **{
                key: row[key]
                for key in ("standard_support_until", "extended_support_until", "source")
            },
        )


@cache
def table() -> dict[str, Any]:
    """The table as it is written. What each part means: here for pins, in config/releases.py for
    the rest.
    """
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def kubernetes_versions() -> Mapping[str, KubernetesVersion]:
    """Return the Kubernetes minors that this program can build, by minor."""
    return {minor: KubernetesVersion.of(minor, row) for minor, row in table()["kubernetes"].items()}


@cache
def pins() -> tuple[Pin, ...]:
    """Every row of the table, in its order."""
    return tuple(
        Pin(
            kind=kind,
            name=row["name"],
            version=row["version"],
            repository=row.get("repository"),
            kubernetes=row.get("kubernetes"),
            source=row["source"],
            date=row["date"],
            verified=row["verified"],
        )
        for kind in get_args(Kind)
        for row in table()[kind]
    )


@cache
def pin(kind: Kind, name: str, minor: str) -> Pin:
    """Return the version pinned for a minor. Raises KeyError where the table has no row."""
    for found in pins():
        if (found.kind, found.name) == (kind, name) and found.kubernetes in (None, minor):
            return found
    raise KeyError(f"{kind} {name} for Kubernetes {minor}")
