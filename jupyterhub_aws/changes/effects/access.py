"""Who may speak to the cluster, and from where: the API's endpoint, access entries, and the
balancer that people come through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.effect import EffectContext, Reading
from jupyterhub_aws.changes.effects.openings import ANYWHERE, within
from jupyterhub_aws.checks.resources import named
from jupyterhub_aws.config.values import is_world

_ENDPOINT = "vpcConfig.endpointPublicAccess"
_CIDRS = "vpcConfig.publicAccessCidrs"
_PRIVATE = "vpcConfig.endpointPrivateAccess"


def read_cluster(change: Change, context: EffectContext) -> Reading:
    """The API's endpoint, access entries and their policies."""
    kind = change.type.rpartition(":")[2]
    if kind != "Cluster":
        return _entry(change, kind)
    reading = Reading(explained={_ENDPOINT, _CIDRS, _PRIVATE})
    old, new = (
        (side.inputs.get("vpcConfig") or {}) if side is not None else {}
        for side in (change.old, change.new)
    )
    before, after = (
        (
            list(map(str, side.get("publicAccessCidrs") or ["0.0.0.0/0"]))
            if side.get("endpointPublicAccess")
            else []
        )
        for side in (old, new)
    )
    for cidr in sorted(set(after) - set(before)):
        if not any(within(cidr, other) for other in before):
            widens = not context.fresh or is_world(cidr)
            who = "the whole internet" if cidr in ANYWHERE else cidr
            reading.say(
                change,
                (
                    "widens access" if widens else "routine",
                    "access",
                    f"opens the cluster's API to {who}",
                ),
            )
    for cidr in sorted(set(before) - set(after)):
        if not any(within(cidr, other) for other in after):
            reading.say(
                change,
                (
                    "interrupts",
                    "access",
                    (
                        f"closes the cluster's API to {cidr}: whoever works from there, pulumi too,"
                        " no longer reaches it"
                    ),
                ),
            )
    if (
        old
        and bool(old.get("endpointPrivateAccess")) != bool(new.get("endpointPrivateAccess"))
        and change.new is not None
    ):
        gone = not new.get("endpointPrivateAccess")
        reading.say(
            change,
            (
                "interrupts" if gone else "routine",
                "access",
                "the cluster's API is "
                + ("no longer " if gone else "")
                + "reached inside the network",
            ),
        )
    if not reading.effects and any(
        item.keys[:1] == ("vpcConfig",) and f"vpcConfig.{item.keys[-1]}" in (_ENDPOINT, _CIDRS)
        for item in change.properties
    ):
        reading.say(
            change, ("routine", "access", "the cluster's API is reached from the same addresses")
        )
    return reading


def _entry(change: Change, kind: str) -> Reading:
    reading = Reading(
        explained=(
            {"*"} if kind == "AccessPolicyAssociation" else {"type", "principalArn", "clusterName"}
        )
    )
    old, new = (side.inputs if side is not None else None for side in (change.old, change.new))
    before, after = (None if side is None else _who(kind, side) for side in (old, new))
    nodes = any("EC2" in str((side or {}).get("type", "")) for side in (old, new))
    if before == after:
        if change.op == "replace":
            reading.say(
                change, ("interrupts", "access", f"{after} is shut out of the cluster for a moment")
            )
        return reading
    if after is not None:
        reading.say(change, ("routine" if nodes else "widens access", "access", f"gains: {after}"))
    if before is not None:
        says = f"loses: {before}" + ("; nodes with this role leave the cluster" if nodes else "")
        reading.say(change, ("interrupts", "access", says))
    return reading


def _who(kind: str, inputs: Mapping[str, Any]) -> str:
    principal = named(str(inputs.get("principalArn", "?")))
    if kind == "AccessEntry":
        return f"{principal} may speak to the cluster ({inputs.get('type', 'STANDARD')})"
    policy, scope = (
        str(inputs.get("policyArn", "")).rpartition("/")[2],
        inputs.get("accessScope") or {},
    )
    where = ", ".join(map(str, scope.get("namespaces") or ())) or "the whole cluster"
    return f"{principal} has {policy} in {where}"


def read_entry(change: Change, context: EffectContext) -> Reading:
    """The balancer that people come through: inside the network, or facing the internet."""
    del context
    reading = Reading(explained={"internal"})
    old, new = (
        None if side is None else bool(side.inputs.get("internal"))
        for side in (change.old, change.new)
    )
    if new is False and old is not False:
        reading.say(
            change,
            (
                "widens access",
                "people",
                "the balancer faces the internet (who is let through: see network)",
            ),
        )
    if new is True and old is False:
        reading.say(
            change,
            (
                "interrupts",
                "people",
                "the balancer is inside the network only: people outside no longer reach the hub",
            ),
        )
    return reading


def read_secret(change: Change, context: EffectContext) -> Reading:
    """A Secret of the cluster: which keys of it are other ones, never what they hold."""
    del context
    reading = Reading(explained={"stringData", "data"})
    keys = sorted(
        {
            item.keys[-1]
            for item in change.properties
            if item.keys[:1] in (("stringData",), ("data",))
        }
    )
    if keys and change.op in ("update", "replace"):
        inputs = change.new.inputs if change.new is not None else {}
        namespace = (inputs.get("metadata") or {}).get("namespace", "")
        says = f"a secret changes ({', '.join(keys)}): pods that read it do so at their next start"
        reading.say(
            change,
            ("interrupts", "people", says),
            f"namespace {named(str(namespace))}" if namespace else "",
        )
    return reading
