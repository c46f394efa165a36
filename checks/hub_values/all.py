"""Every rule about a hub's values, in one list."""

from __future__ import annotations

from collections.abc import Iterator

from checks.hub_values import protections, servers, sign_in
from checks.hub_values.fault import Fault, Values, at, profiles
from config.chart import effective, refusals
from config.database import MemoryDatabase
from config.hub import Hub
from config.sign_in import LdapSignIn
from config.tree import Path

#: KubeSpawner's own start_timeout, where the chart gives none.
_KUBESPAWNER_SECONDS = 60
RULES = (*sign_in.RULES, *servers.RULES, *protections.RULES)


def verdict(values: Values, hub: Hub, start_seconds: int) -> Iterator[tuple[Fault, bool]]:
    """What the chart or people would stumble over in values as Helm gets them: each fault, and whether it is the chart's schema that says so."""
    refused = list(refusals(values))
    yield from ((Fault(path=path, what=what, fix="compare it with the chart's documentation"), True) for path, what in refused)
    if not refused:  # rules look into values of the right kind
        yield from ((fault, False) for fault in faults(effective(values), hub, start_seconds))


def faults(values: Values, hub: Hub, start_seconds: int) -> Iterator[Fault]:
    """What is wrong with a hub's values, merged with the chart's defaults. `start_seconds`: how long starting a server may take."""
    for rule in RULES:
        yield from rule(values)
    if not isinstance(hub.database, MemoryDatabase):
        yield from protections.in_memory(values)
    if not (isinstance(hub.sign_in, LdapSignIn) and not hub.sign_in.encrypted):
        yield from sign_in.clear_text(values)
    limits: list[tuple[Path, object]] = [(("singleuser", "startTimeout"), at(values, "singleuser", "startTimeout") or _KUBESPAWNER_SECONDS)]
    limits += [((*path, "start_timeout"), override["start_timeout"]) for path, override in profiles(values) if "start_timeout" in override]
    for path, limit in limits:
        if isinstance(limit, (int, float)) and limit < start_seconds:
            yield Fault(
                path=path,
                what=f"gives up before a node can be there (got {limit:g} s, a node and its image may take {start_seconds} s)",
                fix=f"write {start_seconds} or more, or remove it",
            )
