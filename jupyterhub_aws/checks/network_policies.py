"""NetworkPolicies as Kubernetes reads them: which traffic they let through. The one reader that
checks, `--against` and the proof of isolated networks share.

Semantics: Kubernetes API reference, NetworkPolicy v1 (networking.k8s.io): a pod that no policy
selects for a direction is open in that direction; the rules of all policies that select it add up;
a rule without peers is for every peer, one without ports for every port; a connection needs the
egress of its source and the ingress of its target. Only IPv4: no cluster of this program has other
addresses, so a rule about IPv6 lets nothing through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    NetmaskValueError,
    summarize_address_range,
)
from typing import Any, Literal

from jupyterhub_aws.config.tree import KeyPath

Direction = Literal["ingress", "egress"]
LAST_PORT = 65535
#: The label that the API server puts on every namespace (Kubernetes, "Labels, Annotations and
#: Taints").
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_PEERS: Mapping[Direction, str] = {"egress": "to", "ingress": "from"}


@dataclass(frozen=True, slots=True)
class Ranges:
    """A set of IPv4 addresses as sorted intervals that do not touch, both ends included."""

    intervals: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, *cidrs: str) -> Ranges:
        """The addresses of some ranges; a range that is not IPv4 has none."""
        found = []
        for cidr in cidrs:
            try:
                network = IPv4Network(cidr, strict=False)
            except (AddressValueError, NetmaskValueError, ValueError):
                continue
            found.append((int(network.network_address), int(network.broadcast_address)))
        return cls(tuple(_joined(found)))

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __and__(self, other: Ranges) -> Ranges:
        both = ((max(a, c), min(b, d)) for a, b in self.intervals for c, d in other.intervals)
        return Ranges(tuple(_joined([(first, last) for first, last in both if first <= last])))

    def __or__(self, other: Ranges) -> Ranges:
        return Ranges(tuple(_joined([*self.intervals, *other.intervals])))

    def __sub__(self, other: Ranges) -> Ranges:
        left = list(self.intervals)
        for first, last in other.intervals:
            cut = []
            for a, b in left:
                if last < a or first > b:
                    cut.append((a, b))
                    continue
                cut += [part for part in ((a, first - 1), (last + 1, b)) if part[0] <= part[1]]
            left = cut
        return Ranges(tuple(left))

    def has(self, address: str) -> bool:
        """Whether an address is among them."""
        number = int(IPv4Address(address))
        return any(first <= number <= last for first, last in self.intervals)

    @property
    def size(self) -> int:
        """How many addresses."""
        return sum(last - first + 1 for first, last in self.intervals)

    @property
    def cidrs(self) -> list[str]:
        """The same as ranges, in order."""
        return [
            str(net)
            for a, b in self.intervals
            for net in summarize_address_range(IPv4Address(a), IPv4Address(b))
        ]


def _joined(intervals: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    current: tuple[int, int] | None = None
    for first, last in sorted(intervals):
        if current is not None and first <= current[1] + 1:
            current = (current[0], max(current[1], last))
            continue
        if current is not None:
            yield current
        current = (first, last)
    if current is not None:
        yield current


EVERYWHERE = Ranges.of("0.0.0.0/0")


@dataclass(frozen=True, kw_only=True)
class PolicyPod:
    """A pod as policies see it: its namespace and that one's labels, its own labels, its
    address, and the numbers of its named ports.
    """

    namespace: str
    labels: Mapping[str, str]
    address: str
    ports: Mapping[str, int] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One peer of one rule with one of its ports. `peer` is the peer as the API has it, None for
    every peer.

    `protocol` None: all of them. `named`: the name of a port, which a target pod has or has not.
    `origin`: the value that it comes from, where known.
    """

    direction: Direction
    peer: Mapping[str, Any] | None
    protocol: str | None = None
    first: int = 0
    last: int = LAST_PORT
    named: str | None = None
    origin: KeyPath | None = None

    @property
    def addresses(self) -> Ranges | None:
        """The addresses of its peer; None where the peer is named by labels."""
        if self.peer is None:
            return EVERYWHERE
        block = self.peer.get("ipBlock")
        if not isinstance(block, Mapping):
            return None
        return Ranges.of(str(block.get("cidr"))) - Ranges.of(*map(str, block.get("except") or ()))

    def admits_port(
        self, port: int, protocol: str = "TCP", target: PolicyPod | None = None
    ) -> bool:
        """Whether a port of a protocol is among its own. A named port is one of a pod: an
        address has none.
        """
        if self.protocol not in (None, protocol):
            return False
        if self.named is not None:
            return target is not None and target.ports.get(self.named) == port
        return self.first <= port <= self.last

    def admits_peer(self, peer: PolicyPod | str, namespace: str) -> bool:
        """Whether a pod or an address is its peer. `namespace` is the policy's own."""
        if self.peer is None:
            return True
        address = peer if isinstance(peer, str) else peer.address
        ranges = self.addresses
        if ranges is not None:
            return ranges.has(address)
        if isinstance(peer, str):
            return False
        spaces, pods = self.peer.get("namespaceSelector"), self.peer.get("podSelector")
        if isinstance(spaces, Mapping):
            if not selects(spaces, {NAMESPACE_LABEL: peer.namespace, **peer.namespace_labels}):
                return False
        elif peer.namespace != namespace:
            return False
        return not isinstance(pods, Mapping) or selects(pods, peer.labels)

    @property
    def ports_in_words(self) -> str:
        """`TCP 443`, `TCP 8000-8100`, `every port`."""
        protocol = self.protocol or "every protocol"
        if self.named is not None:
            return f"{protocol} port {self.named}"
        if (self.first, self.last) == (0, LAST_PORT):
            return "every port" if self.protocol is None else f"every {protocol} port"
        return f"{protocol} {self.first}" + (f"-{self.last}" if self.last != self.first else "")

    @property
    def peer_in_words(self) -> str:
        """`10.0.0.0/8`, `pods component=hub in namespaces any`, `every peer`."""
        if self.peer is None:
            return "every peer"
        block = self.peer.get("ipBlock")
        if isinstance(block, Mapping):
            but = block.get("except")
            return f"{block.get('cidr')}" + (f" but {', '.join(map(str, but))}" if but else "")
        kinds = (("podSelector", "pods"), ("namespaceSelector", "namespaces"))
        parts = [
            f"{word} {labels_in_words(self.peer[kind])}"
            for kind, word in kinds
            if isinstance(self.peer.get(kind), Mapping)
        ]
        return " in ".join(parts) or "no peer"


def labels_in_words(selector: Mapping[str, Any]) -> str:
    """A label selector in words; `any` where it selects every object."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for item in selector.get("matchExpressions") or ():
        values = ", ".join(map(str, item.get("values") or ()))
        parts.append(
            f"{item.get('key')} {item.get('operator')}" + (f" ({values})" if values else "")
        )
    return ",".join(parts) or "any"


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches: every label and every expression of it (Kubernetes,
    "Labels and Selectors"). An empty one matches every object.
    """
    if not (selector.get("matchLabels") or {}).items() <= labels.items():
        return False
    for item in selector.get("matchExpressions") or ():
        has, values = labels.get(str(item.get("key"))), item.get("values") or ()
        answers = {
            "In": has in values,
            "NotIn": has not in values,
            "Exists": has is not None,
            "DoesNotExist": has is None,
        }
        if not answers.get(str(item.get("operator")), False):
            return False
    return True


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One NetworkPolicy: which pods it selects in its namespace, for which directions, and what it
    allows. `who` names its owner in words.
    """

    namespace: str
    selector: Mapping[str, Any]
    directions: tuple[Direction, ...]
    ways: tuple[Way, ...]
    who: str = ""

    def selects(self, pod: PolicyPod, direction: Direction) -> bool:
        """Whether it selects a pod."""
        return (
            direction in self.directions
            and pod.namespace == self.namespace
            and selects(self.selector, pod.labels)
        )


def policy(
    spec: Mapping[str, Any],
    namespace: str,
    who: str = "",
    origins: Mapping[Direction, Sequence[KeyPath | None]] | None = None,
) -> Policy:
    """A policy from its spec as the API has it. `origins`: for each rule of a direction, the
    value that it comes from.
    """
    types = spec.get("policyTypes")
    directions: tuple[Direction, ...] = ("ingress", *(("egress",) if spec.get("egress") else ())) if types is None else tuple(
        direction for direction in _PEERS if direction.capitalize() in types
    )  # fmt: skip
    found: list[Way] = []
    for direction in _PEERS:
        listed = (origins or {}).get(direction, ())
        for index, rule in enumerate(spec.get(direction) or ()):
            found += ways(rule, direction, listed[index] if index < len(listed) else None)
    return Policy(
        namespace=namespace,
        selector=spec.get("podSelector") or {},
        directions=directions,
        ways=tuple(found),
        who=who,
    )


def ways(rule: object, direction: Direction, origin: KeyPath | None = None) -> Iterator[Way]:
    """What one rule lets through: each of its peers with each of its ports. What is no rule
    counts as one for every peer.
    """
    if not isinstance(rule, Mapping):
        yield Way(direction=direction, peer=None, origin=origin)
        return
    for peer in _listed(rule.get(_PEERS[direction])):
        for port in _listed(rule.get("ports")):
            if port is None:
                yield Way(direction=direction, peer=peer, origin=origin)
                continue
            protocol, number = str(port.get("protocol") or "TCP"), port.get("port")
            if isinstance(number, str):
                yield Way(
                    direction=direction, peer=peer, protocol=protocol, named=number, origin=origin
                )
            elif number is None:
                yield Way(direction=direction, peer=peer, protocol=protocol, origin=origin)
            else:
                yield Way(
                    direction=direction,
                    peer=peer,
                    protocol=protocol,
                    first=number,
                    last=port.get("endPort") or number,
                    origin=origin,
                )


def _listed(items: object) -> list[Mapping[str, Any] | None]:
    """The items of a list of maps; None, which means every peer, where there is none, or
    where one is no map.
    """
    listed = items if isinstance(items, (list, tuple)) else []
    return [item if isinstance(item, Mapping) and item else None for item in listed] or [None]


def leaves(
    policies: Iterable[Policy],
    source: PolicyPod,
    target: PolicyPod | str,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether traffic may leave a pod for another one, or for an address."""
    mine = [item for item in policies if item.selects(source, "egress")]
    to = target if isinstance(target, PolicyPod) else None
    return not mine or any(
        way.direction == "egress"
        and way.admits_port(port, protocol, to)
        and way.admits_peer(target, item.namespace)
        for item in mine
        for way in item.ways
    )


def enters(
    policies: Iterable[Policy],
    target: PolicyPod,
    source: PolicyPod | str,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether a pod takes traffic of another one, or of an address. What comes from the pod's
    own node always gets in (Kubernetes, "Network Policies").
    """
    mine = [item for item in policies if item.selects(target, "ingress")]
    return not mine or any(
        way.direction == "ingress"
        and way.admits_port(port, protocol, target)
        and way.admits_peer(source, item.namespace)
        for item in mine
        for way in item.ways
    )


def connects(
    policies: Sequence[Policy],
    source: PolicyPod,
    target: PolicyPod | str,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether a connection comes about: it leaves its source, and its target takes it."""
    return leaves(policies, source, target, port, protocol) and (
        isinstance(target, str) or enters(policies, target, source, port, protocol)
    )


def beyond(way: Way, others: Iterable[Way]) -> Ranges | bool:
    """What a way lets through that others do not: addresses where its peer is a range; else
    whether it lets anything further through.
    """
    covering = [
        other for other in others if other.direction == way.direction and _covers_ports(other, way)
    ]
    if any(other.peer is None or other.peer == way.peer for other in covering):
        return Ranges() if way.addresses is not None else False
    if way.peer is None:
        return True  # every peer is more than all addresses: it includes pods by labels
    left = way.addresses
    if left is None:
        return True
    for other in covering:
        left -= other.addresses or Ranges()
    return left


def _covers_ports(other: Way, way: Way) -> bool:
    if other.protocol not in (None, way.protocol):
        return False
    if (other.named, other.first, other.last) == (None, 0, LAST_PORT):
        return True
    return other.named == way.named and other.first <= way.first and way.last <= other.last
