"""Every rule about a hub's values, in one list."""

from __future__ import annotations

from collections.abc import Iterator

from checks.hub_values import protections, servers, sign_in
from checks.hub_values.fault import Fault, Values, at
from config.database import MemoryDatabase
from config.hub import Hub

RULES = (*sign_in.RULES, *servers.RULES, *protections.RULES)


def faults(values: Values, hub: Hub, start_seconds: int) -> Iterator[Fault]:
    """What is wrong with a hub's values, merged with the chart's defaults. `start_seconds`: how long starting a server may take."""
    for rule in RULES:
        yield from rule(values)
    if not isinstance(hub.database, MemoryDatabase):
        yield from protections.in_memory(values)
    limit = at(values, "singleuser", "startTimeout")
    if isinstance(limit, (int, float)) and limit < start_seconds:
        yield Fault(
            path=("singleuser", "startTimeout"),
            what=f"gives up before a node can be there (got {limit:g} s, a node and its image may take {start_seconds} s)",
            fix=f"write {start_seconds} or more, or remove it",
        )
