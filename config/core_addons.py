"""The pods that EKS add-ons bring to the core nodes, from a committed table (each row cites the
vendor's documentation).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

_TABLE = Path(__file__).parent / "data" / "core_addons.toml"


@dataclass(frozen=True, kw_only=True)
class AddonPods:
    """The pods of one kind of an add-on. `cpu` and `memory` are requests as Kubernetes writes
    quantities; `values` and `selector` are places in its configuration.
    """

    addon: str
    name: str
    kind: Literal["daemon", "controller"]
    cpu: str
    memory: str
    source: str
    replicas: int = 1
    values: tuple[str, ...] = ()
    selector: tuple[str, ...] = ()


@cache
def addon_pods() -> tuple[AddonPods, ...]:
    """Every row of the table. Read from disk at the first call."""
    rows = tomllib.loads(_TABLE.read_text(encoding="utf-8"))["pods"]
    return tuple(
        AddonPods(
            **{
                **row,
                "values": tuple(row.get("values", ())),
                "selector": tuple(row.get("selector", ())),
            }
        )
        for row in rows
    )
