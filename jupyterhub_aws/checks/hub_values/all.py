"""Every rule about a hub's values, in one list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jupyterhub_aws.checks.hub_values import pods, protections, servers, sign_in, traits
from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values, profiles
from jupyterhub_aws.config.chart import effective, merged, refusals
from jupyterhub_aws.config.database import MemoryDatabase
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.sign_in import LdapSignIn
from jupyterhub_aws.config.traits import Resolved, put, resolve
from jupyterhub_aws.config.tree import KeyPath, at

#: KubeSpawner's own start_timeout, where the chart gives none.
_KUBESPAWNER_SECONDS = 60
RULES = (*sign_in.RULES, *servers.RULES, *protections.RULES, *traits.RULES, *pods.RULES)


def verdict(values: Values, hub: Hub, start_seconds: int) -> Iterator[tuple[ValueFault, bool]]:
    """What would break the chart or users' work in values as Helm gets them: each fault, and
    whether it is the chart's schema that says so.
    """
    refused = list(refusals(values))
    fix = "compare it with the chart's documentation"
    for path, what in refused:
        yield ValueFault("helm-values.schema", path, what, fix), True
    if not refused:  # rules look into values of the right kind
        yield from ((fault, False) for fault in faults(effective(values), hub, start_seconds))


def faults(values: Values, hub: Hub, start_seconds: int) -> Iterator[ValueFault]:
    """What is wrong with a hub's values, merged with the chart's defaults. `start_seconds`: how
    long starting a server may take.

    Rules look at what holds, whatever name it was said by (config/traits.py), and a fault is placed
    where it was said.
    """
    resolved = resolve(values)
    placed = (_placed(fault, resolved) for fault in _faults(resolved, hub, start_seconds))
    found = list(dict.fromkeys(placed))  # a trait and its key are one fault
    yield from found
    yield from _of_profiles(resolved, {fault.path for fault in found})


def _placed(fault: ValueFault, resolved: Resolved) -> ValueFault:
    said = resolved.said(fault.path)
    return replace(fault, path=said.path, what=f"{said.where}{fault.what}")


def _of_profiles(resolved: Resolved, told: set[KeyPath]) -> Iterator[ValueFault]:
    """What only a profile undoes: the rules about every server, asked again with what the
    profile overrides.
    """
    for path, override in profiles(resolved.values):
        said = traits.guarded(override)
        if not said:
            continue
        before = at(resolved.values, "hub", "config", "KubeSpawner") or {}
        alone = put(resolved.values, ("hub", "config"), {"KubeSpawner": merged(before, said)})
        there = resolve({**alone, "hub": {**alone["hub"], "extraConfig": {}}})
        rules = [
            *protections.isolation(there.values),
            *traits.container_config(there.values),
            *traits.refused(there),
            *traits.derived(there.values),
        ]
        for fault in rules:
            place = there.said(fault.path).path
            guarded = place[:3] == ("hub", "config", "KubeSpawner") and place[3:4] != ()
            mine = (*path, *place[3:])
            if guarded and place[3] in said and mine not in told:
                told.add(mine)
                yield replace(fault, path=mine)


def _faults(resolved: Resolved, hub: Hub, start_seconds: int) -> Iterator[ValueFault]:
    values = resolved.values
    for rule in RULES:
        yield from rule(values)
    yield from traits.refused(resolved)
    yield from traits.shadowed(resolved)
    yield from protections.image_puller(values, hub.pre_pull_pools)
    if not isinstance(hub.database, MemoryDatabase):
        yield from protections.in_memory(values)
    if not (isinstance(hub.sign_in, LdapSignIn) and not hub.sign_in.encrypted):
        yield from sign_in.clear_text(values)
    usual = at(values, "singleuser", "startTimeout") or _KUBESPAWNER_SECONDS
    limits: list[tuple[KeyPath, object]] = [(("singleuser", "startTimeout"), usual)]
    limits += [
        ((*path, "start_timeout"), override["start_timeout"])
        for path, override in profiles(values)
        if "start_timeout" in override
    ]
    for path, limit in limits:
        if isinstance(limit, (int, float)) and limit < start_seconds:
            what = (
                f"gives up before a node can be ready (got {limit:g} s, a node and its image"
                f" may take {start_seconds} s)"
            )
            fix = f"write {start_seconds} or more, or remove it"
            yield ValueFault("helm-values.start-timeout", path, what, fix)
