"""Pools of nodes that servers start on: one for each set of labels, as large as the largest
server there needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from jupyterhub_aws.adopt.z2jh.amounts import Amounts
from jupyterhub_aws.adopt.z2jh.names import slug_of
from jupyterhub_aws.config.stack_text import fill


@dataclass
class Servers:
    """The hub's image and profiles, and the pools that they name."""

    image: Any = None
    profiles: dict[str, Any] = field(default_factory=dict)
    pools: dict[str, Any] = field(default_factory=dict)
    base_used: bool = False


def pool_of(found: Servers, selector: dict[str, str], amounts: Amounts) -> str:
    """The pool of these labels: one for each set of them, as large as the largest server on it
    needs.
    """
    for name, pool in found.pools.items():
        if pool["labels"] == selector and (pool["gpus"] > 0) is (amounts.gpus > 0):
            _grow(pool, amounts)
            return name
    name = slug_of(
        (
            "gpu"
            if amounts.gpus
            else "user"
            if not found.pools
            else next(iter(selector.values()), "user")
        ),
        found.pools,
    )
    found.pools[name] = {"labels": selector, "gpus": 0, "cores": 0.0, "mib": 0.0}
    _grow(found.pools[name], amounts)
    return name


def _grow(pool: dict[str, Any], amounts: Amounts) -> None:
    pool["cores"] = max(pool["cores"], amounts.cpu or amounts.cpu_least or 0)
    pool["mib"] = max(pool["mib"], amounts.memory or amounts.memory_least or 0)
    pool["gpus"] = max(pool["gpus"], amounts.gpus)


def pools_section(found: Servers) -> dict[str, Any]:
    """The pools as the stack says them. How large nodes are, the old values do not say."""
    section: dict[str, Any] = {}
    for name, pool in found.pools.items():
        cores, memory = (
            max(2 * math.ceil(pool["cores"]), 4),
            max(math.ceil(2 * pool["mib"] / 1024), 16),
        )
        section[name] = {
            "capacity": "existing",
            "cores": fill(min(cores, 448), "vCPUs of its smallest node (kubectl describe nodes)"),
            "memory_gib": fill(min(memory, 24576), "memory of its smallest node"),
            **({"gpus": fill(pool["gpus"], "GPUs of each node")} if pool["gpus"] else {}),
            "nodes": fill(1, "how many there are"),
            **({"node_selector": pool["labels"]} if pool["labels"] else {}),
        }
    return section
