"""Rules of network policies that a hub's values bring, in the form that the Kubernetes API takes
(validation of networking.k8s.io/v1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import AddressValueError, IPv4Network, IPv6Network, NetmaskValueError
from typing import Any

from jupyterhub_aws.checks.hub_values.chart_policies import WHO
from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values, at
from jupyterhub_aws.checks.network_policies import LAST_PORT
from jupyterhub_aws.config.errors import shown

#: What a message shows as a right rule.
EXAMPLE = "{to: [{ipBlock: {cidr: 10.20.0.5/32}}], ports: [{protocol: TCP, port: 443}]}"
_KEYS = {"egress": ("to", "ports"), "ingress": ("from", "ports")}
_PEER_KEYS = ("ipBlock", "namespaceSelector", "podSelector")
_PROTOCOLS = ("TCP", "UDP", "SCTP")


def malformed(values: Values) -> Iterator[ValueFault]:
    """Rules that Kubernetes would refuse, or whose unknown fields it would drop: what is left
    then may be a rule for everybody (API validation of v1).
    """
    for part in WHO:
        for direction in ("egress", "ingress"):
            for index, rule in enumerate(at(values, *part, "networkPolicy", direction) or ()):
                problem = _rule_problem(rule, direction)
                if problem is not None:
                    path = (*part, "networkPolicy", direction, index)
                    yield ValueFault(
                        path=path,
                        what=f"is no rule of a NetworkPolicy: {problem}",
                        fix=f"write it like {EXAMPLE}",
                    )


def _rule_problem(rule: object, direction: str) -> str | None:
    allowed = _KEYS[direction]
    if not isinstance(rule, Mapping):
        return f"it is not a map (got {shown(rule)})"
    for key in rule:
        if key not in allowed:
            return (
                f"{direction} rules have {' and '.join(allowed)} only, and Kubernetes would drop"
                f" {shown(key)}: what is left is a rule for everybody"
            )
    for key in allowed:
        if not isinstance(rule.get(key) or [], (list, tuple)):
            return f"{key} is not a list"
    problems = (_peer_problem(peer) for peer in rule.get(allowed[0]) or ())
    found = next((problem for problem in problems if problem), None)
    return found or next(
        (problem for problem in map(_port_problem, rule.get("ports") or ()) if problem), None
    )


def _peer_problem(peer: object) -> str | None:
    if not isinstance(peer, Mapping) or not peer:
        return f"a peer names nobody (got {shown(peer)})"
    unknown = [
        key
        for key, value in peer.items()
        if key not in _PEER_KEYS or not isinstance(value, Mapping)
    ]
    if unknown:
        return (
            f"a peer has {', '.join(_PEER_KEYS)} only, and each is a map (got {shown(unknown[0])})"
        )
    block = peer.get("ipBlock")
    if block is None:
        return next(
            (_selector_problem(value) for value in peer.values() if _selector_problem(value)), None
        )
    return "ipBlock stands alone" if len(peer) > 1 else _block_problem(block)


def _block_problem(block: Mapping[str, Any]) -> str | None:
    cidr, but = _network(block.get("cidr")), block.get("except") or ()
    if cidr is None or not set(block) <= {"cidr", "except"} or not isinstance(but, (list, tuple)):
        return (
            "ipBlock has cidr, a range such as 10.20.0.0/16, and except, a list (got"
            f" {shown(block)})"
        )
    for item in but:
        inner = _network(item)
        if (
            inner is None
            or inner.version != cidr.version
            or inner == cidr
            or not inner.subnet_of(cidr)  # type: ignore[arg-type]  # of one version
        ):
            return f"except must lie inside {cidr} (got {shown(item)})"
    return None


def _selector_problem(selector: Mapping[str, Any]) -> str | None:
    labels, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or ()
    if (
        not set(selector) <= {"matchLabels", "matchExpressions"}
        or not isinstance(labels, Mapping)
        or not isinstance(expressions, (list, tuple))
    ):
        return f"a selector has matchLabels and matchExpressions only (got {shown(selector)})"
    if any(not isinstance(value, str) for value in labels.values()):
        return "the values of labels are quoted text"
    for item in expressions:
        operator, values = (
            (item.get("operator"), item.get("values") or ())
            if isinstance(item, Mapping)
            else (None, ())
        )
        if operator not in ("In", "NotIn", "Exists", "DoesNotExist") or bool(values) != (
            operator in ("In", "NotIn")
        ):
            return (
                "an expression is {key, operator: In|NotIn, values} or {key, operator:"
                f" Exists|DoesNotExist}} (got {shown(item)})"
            )
    return None


def _network(cidr: object) -> IPv4Network | IPv6Network | None:
    if not isinstance(cidr, str) or "/" not in cidr:
        return None
    try:
        return (IPv6Network if ":" in cidr else IPv4Network)(cidr, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def _port_problem(port: object) -> str | None:
    if not isinstance(port, Mapping) or not set(port) <= {"port", "protocol", "endPort"}:
        return f"a port has port, protocol and endPort only (got {shown(port)})"
    number, last = port.get("port"), port.get("endPort")
    if port.get("protocol", "TCP") not in _PROTOCOLS:
        return f"protocol is TCP, UDP or SCTP (got {shown(port.get('protocol'))})"
    if (
        isinstance(number, bool)
        or not isinstance(number, (int, str, type(None)))
        or (isinstance(number, str) and (not number or number.isdigit()))
    ):
        return f"port is a number without quotes, or a port's name (got {shown(number)})"
    if isinstance(number, int) and not 0 < number <= LAST_PORT:
        return f"port is from 1 to {LAST_PORT} (got {shown(number)})"
    if last is not None and not (
        isinstance(number, int) and isinstance(last, int) and number <= last <= LAST_PORT
    ):
        return f"endPort is not below port, which is a number (got {shown(last)})"
    return None
