"""Network as "opens" and "closes": which connections are newly possible, on which ports,
and which no longer are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.effect import Class, EffectContext, Reading
from jupyterhub_aws.checks.resources import UNKNOWN, named
from jupyterhub_aws.config.values import is_world

ANYWHERE = ("0.0.0.0/0", "::/0")
_PEERS = ("cidrIpv4", "cidrIpv6", "referencedSecurityGroupId", "prefixListId")
_TARGETS = (
    "gatewayId",
    "natGatewayId",
    "transitGatewayId",
    "vpcPeeringConnectionId",
    "egressOnlyGatewayId",
    "networkInterfaceId",
    "vpcEndpointId",
)
_ALL_PORTS = (0, 65535)


@dataclass(frozen=True, kw_only=True, order=True)
class Opening:
    """One opening: from or to a peer, on ports of a protocol. `peer` is a range of addresses, or a
    name.
    """

    inward: bool
    peer: str
    protocol: str
    first: int
    last: int
    at: str

    def covers(self, other: Opening) -> bool:
        """Whether it opens all that another opens."""
        return (
            (self.inward, self.at) == (other.inward, other.at)
            and self.protocol in ("-1", other.protocol)
            and self.first <= other.first
            and self.last >= other.last
            and (self.peer == other.peer or within(other.peer, self.peer))
        )

    @property
    def words(self) -> str:
        """In words, for messages."""
        who = "the whole internet" if self.peer in ANYWHERE else named(self.peer)
        ports = (
            "all ports"
            if self.protocol == "-1" or (self.first, self.last) == _ALL_PORTS
            else f"{self.protocol} {self._ports}"
        )
        if self.inward:
            return f"from {who} to {self.at} on {ports}"
        return f"from {self.at} to {who} on {ports}"

    @property
    def _ports(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def within(inner: str, outer: str) -> bool:
    """Whether a range of addresses lies inside another; no for what is none."""
    try:
        one, other = ip_network(inner, strict=False), ip_network(outer, strict=False)
    except ValueError:
        return False
    if isinstance(one, IPv4Network) and isinstance(other, IPv4Network):
        return one.subnet_of(other)
    return isinstance(one, IPv6Network) and isinstance(other, IPv6Network) and one.subnet_of(other)


def compare(old: Iterable[Opening], new: Iterable[Opening]) -> tuple[list[Opening], list[Opening]]:
    """What opens and what closes."""
    before, after = set(old), set(new)
    opens = [item for item in sorted(after - before) if not any(one.covers(item) for one in before)]
    closes = [item for item in sorted(before - after) if not any(one.covers(item) for one in after)]
    return opens, closes


def read(change: Change, context: EffectContext) -> Reading:
    """What a rule of a security group, a route, the default group or a list of names opens and
    closes.
    """
    kind = change.type.rpartition(":")[2]
    if kind == "Route":
        return _route(change, fresh=context.fresh)
    if kind == "ResolverFirewallDomainList":
        return _names(change)
    reading = Reading(
        change, explained={"*"} if kind != "DefaultSecurityGroup" else {"ingress", "egress"}
    )
    old, new = ([] if inputs is None else list(_rules(kind, inputs)) for inputs in sides(change))
    tell(reading, compare(old, new), fresh=context.fresh)
    if not reading.effects and change.op in ("create", "update"):
        reading.say("routine", "network", f"{change.name}: opens and closes nothing")
    if change.op == "replace" and not reading.effects:
        says = f"{change.name} is created again: what it allows is blocked for a moment"
        reading.say("interrupts", "network", says)
    return reading


def read_inline(change: Change, context: EffectContext) -> Reading:
    """What the rules inside a security group open and close."""
    reading = Reading(change, explained={"ingress", "egress"})
    old, new = (
        [] if inputs is None else list(_inline(change.name, inputs)) for inputs in sides(change)
    )
    tell(reading, compare(old, new), fresh=context.fresh)
    return reading


def _inline(name: str, inputs: Mapping[str, Any]) -> Iterator[Opening]:
    for key in ("ingress", "egress"):
        for rule in inputs.get(key) or ():
            lists = ("cidrBlocks", "ipv6CidrBlocks", "securityGroups", "prefixListIds")
            peers = [peer for listed in lists for peer in rule.get(listed, ())]
            for peer in (*peers, *(["itself"] if rule.get("self") else [])):
                yield _opening(key == "ingress", str(peer), rule, name)


def sides(change: Change) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """Inputs before and after. What the engine does not know yet is taken to stay: the id of
    a replaced resource opens nothing by itself.
    """
    old, new = (None if side is None else side.inputs for side in (change.old, change.new))
    if old is None or new is None:
        return old, new
    return old, {
        key: old[key] if UNKNOWN in str(value) and key in old else value
        for key, value in new.items()
    }


def tell(
    reading: Reading, ways: tuple[list[Opening], list[Opening]], *, fresh: bool = False
) -> None:
    """Say what opens and closes. In a stack that is new only the whole internet counts as wider."""
    for way in ways[0]:
        widens = not fresh or (way.inward and is_world(way.peer))
        reading.say("widens access" if widens else "routine", "network", f"opens {way.words}")
    for way in ways[1]:
        reading.say("interrupts", "network", f"closes {way.words}")


def _rules(kind: str, inputs: Mapping[str, Any]) -> Iterator[Opening]:
    if kind == "DefaultSecurityGroup":
        for key in ("ingress", "egress"):
            for rule in inputs.get(key) or ():
                for cidr in rule.get("cidrBlocks") or ["itself"]:
                    yield _opening(key == "ingress", cidr, rule, "the default group")
        return
    at = named(str(inputs.get("securityGroupId", "")))
    peer = next((str(inputs[key]) for key in _PEERS if inputs.get(key)), "?")
    yield _opening("Ingress" in kind, peer, inputs, at)


def _opening(inward: bool, peer: str, rule: Mapping[str, Any], at: str) -> Opening:
    protocol = str(rule.get("ipProtocol", rule.get("protocol", "-1")))
    ports = (rule.get("fromPort"), rule.get("toPort"))
    first, last = (
        port if isinstance(port, int) else edge
        for port, edge in zip(ports, _ALL_PORTS, strict=True)
    )
    return Opening(inward=inward, peer=peer, protocol=protocol, first=first, last=last, at=at)


def _route(change: Change, *, fresh: bool) -> Reading:
    reading = Reading(change, explained={"*"})
    before, after = (
        None if inputs is None else (str(inputs.get("destinationCidrBlock", "?")), _target(inputs))
        for inputs in sides(change)
    )
    if before == after:
        says = f"{change.name} is created again: its subnets have no such route for a moment"
        reading.say("interrupts", "network", says)
        return reading
    if after is not None:
        other = before is None or before[0] != after[0]
        class_: Class = "routine" if fresh else "widens access" if other else "interrupts"
        reading.say(class_, "network", f"opens a route to {_place(after[0])} through {after[1]}")
    if before is not None:
        says = f"closes the route to {_place(before[0])} through {before[1]}"
        reading.say("interrupts", "network", says)
    return reading


def _target(inputs: Mapping[str, Any]) -> str:
    return next((named(str(inputs[key])) for key in _TARGETS if inputs.get(key)), "?")


def _place(cidr: str) -> str:
    return "the whole internet" if cidr in ANYWHERE else cidr


def _names(change: Change) -> Reading:
    reading = Reading(change, explained={"domains", "name"})
    inputs = ({} if side is None else side.inputs for side in (change.old, change.new))
    old, new = (
        {str(name).removesuffix(".") for name in side.get("domains") or ()} for side in inputs
    )
    for name in sorted(new - old):
        says = f"{change.name}: {name} is added to this list of names"
        reading.say("widens access", "network", says)
    for name in sorted(old - new):
        says = f"{change.name}: {name} is removed from this list of names"
        reading.say("interrupts", "network", says)
    if not reading.effects and change.op not in ("delete", "replace"):
        reading.say("routine", "network", f"{change.name}: the same names")
    return reading
