"""Who has access to the cluster, and from where: the API's endpoint, access entries, and the
load balancer in front of the hubs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.effect import Class, EffectContext, Reading
from jupyterhub_aws.changes.effects.network import ANYWHERE, within
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
    reading = Reading(change, explained={_ENDPOINT, _CIDRS, _PRIVATE})
    old, new = (
        (side.inputs.get("vpcConfig") or {}) if side is not None else {}
        for side in (change.old, change.new)
    )
    before, after = map(_public, (old, new))
    for cidr in sorted(set(after) - set(before)):
        if not any(within(cidr, other) for other in before):
            widens = not context.fresh or is_world(cidr)
            who = "the whole internet" if cidr in ANYWHERE else cidr
            says = f"opens the cluster's API to {who}"
            reading.say("widens access" if widens else "routine", "access", says)
    for cidr in sorted(set(before) - set(after)):
        if not any(within(cidr, other) for other in after):
            says = (
                f"closes the cluster's API to {cidr}: clients there, pulumi included,"
                " can no longer reach it"
            )
            reading.say("interrupts", "access", says)
    inside = bool(new.get("endpointPrivateAccess"))
    if old and change.new is not None and bool(old.get("endpointPrivateAccess")) != inside:
        still = "" if inside else "no longer "
        says = f"the cluster's API is {still}reachable inside the network"
        reading.say("routine" if inside else "interrupts", "access", says)
    if not reading.effects and any(
        f"vpcConfig.{item.keys[-1]}" in (_ENDPOINT, _CIDRS) for item in change.under("vpcConfig")
    ):
        reading.say("routine", "access", "the cluster's API is reachable from the same addresses")
    return reading


def _public(endpoint: Mapping[str, Any]) -> list[str]:
    """The ranges that reach the API from the internet; without a list EKS takes every address."""
    if not endpoint.get("endpointPublicAccess"):
        return []
    return list(map(str, endpoint.get("publicAccessCidrs") or ["0.0.0.0/0"]))


def _entry(change: Change, kind: str) -> Reading:
    reading = Reading(
        change,
        explained={"*"}
        if kind == "AccessPolicyAssociation"
        else {"type", "principalArn", "clusterName"},
    )
    old, new = (side.inputs if side is not None else None for side in (change.old, change.new))
    before, after = (None if side is None else _who(kind, side) for side in (old, new))
    nodes = any("EC2" in str((side or {}).get("type", "")) for side in (old, new))
    if before == after:
        if change.op == "replace":
            reading.say("interrupts", "access", f"{after} loses access to the cluster for a moment")
        return reading
    if after is not None:
        reading.say("routine" if nodes else "widens access", "access", f"gains: {after}")
    if before is not None:
        says = f"loses: {before}" + ("; nodes with this role lose the cluster" if nodes else "")
        reading.say("interrupts", "access", says)
    return reading


def _who(kind: str, inputs: Mapping[str, Any]) -> str:
    principal = named(str(inputs.get("principalArn", "?")))
    if kind == "AccessEntry":
        return f"{principal} has access to the cluster ({inputs.get('type', 'STANDARD')})"
    policy = str(inputs.get("policyArn", "")).rpartition("/")[2]
    scope = inputs.get("accessScope") or {}
    where = ", ".join(map(str, scope.get("namespaces") or ())) or "the whole cluster"
    return f"{principal} has {policy} in {where}"


def read_entry(change: Change, context: EffectContext) -> Reading:
    """The load balancer in front of the hubs: inside the network, or facing the internet."""
    del context
    reading = Reading(change, explained={"internal"})
    old, new = (
        None if side is None else bool(side.inputs.get("internal"))
        for side in (change.old, change.new)
    )
    if new is False and old is not False:
        says = "the load balancer is internet-facing (allowed sources: see network)"
        reading.say("widens access", "users", says)
    if new is True and old is False:
        says = (
            "the load balancer is internal: users outside the network can no longer reach the hub"
        )
        reading.say("interrupts", "users", says)
    return reading


def read_secret(change: Change, context: EffectContext) -> Reading:
    """A Secret of the cluster: which keys of it are other ones, never what they hold."""
    del context
    reading = Reading(change, explained={"stringData", "data"})
    keys = sorted({item.keys[-1] for item in change.under("stringData", "data")})
    if keys and change.op in ("update", "replace"):
        inputs = change.new.inputs if change.new is not None else {}
        namespace = (inputs.get("metadata") or {}).get("namespace", "")
        says = f"a secret changes ({', '.join(keys)}): pods read the new value at their next start"
        about = f"namespace {named(str(namespace))}" if namespace else ""
        reading.say("interrupts", "users", says, about)
    return reading


# --- IAM as "gains" and "loses": what a policy document, an attachment or a trust newly
# allows, and what it no longer allows.


#: The properties that hold a document; and whether it says who may assume a role instead of what
#: may be done.
_DOCUMENTS = {"policy": "", "policyDocument": "", "assumeRolePolicy": "may be assumed by "}
_MANAGED = "policyArn"
_ACCOUNT = re.compile(r"arn:[\w-]+:iam::(?:\$\{aws\.account\}|\d{12}):root")


@dataclass(frozen=True, kw_only=True, order=True)
class Grant:
    """One action on one resource for one principal, allowed or denied."""

    effect: str
    action: str
    resource: str
    principal: str
    condition: str
    #: The conditions as data: operator, key and the values that one of which must hold.
    limits: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def covers(self, other: Grant) -> bool:
        """Whether it says all that another says: wildcards match, and it has no condition that
        the other has not.
        """
        return (
            self.effect == other.effect
            and _matches(self.action.lower(), other.action.lower())
            and _matches(self.resource, other.resource)
            and self.principal in (other.principal, "*")
            and _no_narrower(self.limits, other.limits)
        )

    @property
    def wildcard(self) -> bool:
        """Whether it allows a whole service, all actions, or any principal. The account itself in a
        key's policy only hands the decision to IAM.
        """
        if _ACCOUNT.fullmatch(self.principal):
            return False
        if self.effect != "Allow":
            return False
        if self.action == "*" or self.action.endswith(":*") or self.action.startswith("all except"):
            return True
        anything = self.principal == "*" or (self.resource == "*" and "*" in self.action)
        return anything and not self.condition

    @property
    def words(self) -> str:
        """In words, for messages."""
        where = "" if self.resource in ("", "*") else f" on {self.resource}"
        anything = " on anything" if self.resource == "*" else where
        who = f"{self.principal}: " if self.principal else ""
        when = f" where {self.condition}" if self.condition else ""
        return f"{who}{self.action}{anything}{when}"


def _no_narrower(
    wide: tuple[tuple[str, str, tuple[str, ...]], ...],
    narrow: tuple[tuple[str, str, tuple[str, ...]], ...],
) -> bool:
    """Whether the other has each condition of the first, with no additional values: each
    additional value allows more.
    """
    known = {(operator, key): set(wanted) for operator, key, wanted in narrow}
    for operator, key, wanted in wide:
        if (operator, key) not in known:
            return False
        listing = operator.endswith(("Equals", "Like", "IpAddress")) and "Not" not in operator
        more = known[operator, key] - set(wanted)
        if more or (not listing and known[operator, key] != set(wanted)):
            return False
    return True


def _matches(pattern: str, text: str) -> bool:
    return pattern == text or fnmatchcase(text, re.sub(r"\[", "[[]", pattern))


def grants(document: Any) -> frozenset[Grant]:
    """Every grant of a document; nothing for what is none."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            return frozenset()
    statements = document.get("Statement", []) if isinstance(document, Mapping) else []
    statements = [statements] if isinstance(statements, Mapping) else statements
    return frozenset(
        grant
        for statement in statements
        if isinstance(statement, Mapping)
        for grant in _of_statement(statement)
    )


def _of_statement(statement: Mapping[str, Any]) -> Iterator[Grant]:
    actions = _list(statement.get("Action")) or [
        f"all except {', '.join(_list(statement.get('NotAction')))}"
    ]
    resources = _list(statement.get("Resource")) or (
        [f"all except {', '.join(_list(statement['NotResource']))}"]
        if "NotResource" in statement
        else [""]
    )
    principals = list(_principals(statement.get("Principal"))) or (
        [f"all principals except {_list(statement['NotPrincipal'])}"]
        if "NotPrincipal" in statement
        else [""]
    )
    effect = str(statement.get("Effect", "Allow"))
    condition, limits = _condition(statement.get("Condition")), _limits(statement.get("Condition"))
    for action, resource, principal in product(actions, resources, principals):
        yield Grant(
            effect=effect,
            action=action,
            resource=resource,
            principal=principal,
            condition=condition,
            limits=limits,
        )


def _principals(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from (name for kind in sorted(value) for name in _list(value[kind]))
    elif value is not None:
        yield str(value)


def _condition(value: Any) -> str:
    if not isinstance(value, Mapping) or not value:
        return ""
    parts = [
        f"{key} {operator} {', '.join(_list(wanted))}"
        for operator in sorted(value)
        for key, wanted in sorted(dict(value[operator]).items())
    ]
    return " and ".join(parts)


def _limits(value: Any) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    if not isinstance(value, Mapping):
        return ()
    found = [
        (str(operator), str(key), tuple(sorted(_list(wanted))))
        for operator, keys in value.items()
        if isinstance(keys, Mapping)
        for key, wanted in keys.items()
    ]
    return tuple(sorted(found))


def _list(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return [str(item) for item in value]
    return [str(value)]


def compare(old: Iterable[Grant], new: Iterable[Grant]) -> tuple[list[Grant], list[Grant]]:
    """What is gained and what is lost: an allowed grant that comes, or a denied one that goes,
    is gained.
    """
    before, after = frozenset(old), frozenset(new)
    come = [item for item in sorted(after - before) if not any(one.covers(item) for one in before)]
    gone = [item for item in sorted(before - after) if not any(one.covers(item) for one in after)]

    def turned(allowed: list[Grant], denied: list[Grant]) -> list[Grant]:
        return [
            *(grant for grant in allowed if grant.effect == "Allow"),
            *(grant for grant in denied if grant.effect != "Allow"),
        ]

    return turned(come, gone), turned(gone, come)


def read(change: Change, context: EffectContext) -> Reading:
    """What the principals of a document gain and lose."""
    reading = Reading(change)
    old, new = (side.inputs if side is not None else {} for side in (change.old, change.new))
    fresh = context.fresh
    for key, prefix in _DOCUMENTS.items():
        if key not in old and key not in new:
            continue
        gained, lost = compare(grants(old.get(key)), grants(new.get(key)))
        reading.explained.add(key)
        for grant in _grouped(gained):
            words = (
                f"gains: {prefix}{grant.words}"
                if grant.effect == "Allow"
                else f"no longer denies: {grant.words}"
            )
            widens = not fresh or grant.wildcard
            _say(reading, words, "widens access" if widens else "routine")
        for grant in _grouped(lost):
            words = (
                f"loses: {prefix}{grant.words}"
                if grant.effect == "Allow"
                else f"denies: {grant.words}"
            )
            _say(reading, words, "routine" if fresh else "interrupts")
        if not gained and not lost and change.under(key):
            words = "its permissions are written differently, but stay the same"
            _say(reading, words, "routine")
    if change.type.endswith(":RolePolicyAttachment"):
        reading.explained.add(_MANAGED)
        before, after = str(old.get(_MANAGED, "")), str(new.get(_MANAGED, ""))
        if before != after or change.op in ("create", "delete"):
            if after:
                widens = not fresh or _powerful(after)
                words = f"gains: {_short(after)} for {_role(new)}"
                _say(reading, words, "widens access" if widens else "routine")
            if before:
                _say(reading, f"loses: {_short(before)} for {_role(old)}", "interrupts")
    return reading


def _grouped(found: Iterable[Grant]) -> list[Grant]:
    """Grants that differ in their actions only, as one. Those that allow a whole service or every
    action stay apart.
    """
    groups: dict[Grant, list[str]] = {}
    for grant in found:
        key = grant if grant.wildcard else replace(grant, action="")
        groups.setdefault(key, []).append(grant.action)
    return [replace(key, action=", ".join(actions)) for key, actions in groups.items()]


def _say(reading: Reading, says: str, class_: Class) -> None:
    reading.say(class_, "access", f"{reading.change.name} {says}")


def _short(arn: str) -> str:
    return arn.rpartition("/")[2] or arn


def _powerful(arn: str) -> bool:
    return _short(arn) == "AdministratorAccess" or _short(arn).endswith("FullAccess")


def _role(inputs: Mapping[str, Any]) -> str:
    return named(str(inputs.get("role", "a role")))
