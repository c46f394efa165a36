"""What a hub's pods reach and what reaches them, judged by what the network policies let through,
not by how they are written.

What is refused takes away a connection that the pods need, or opens a connection that endangers
credentials, data or other users. What else a `helm_values` opens beyond the stack's own rules is a
warning that says what it opens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from typing import Any, Literal

from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values, profiles
from jupyterhub_aws.checks.hub_values.policies import (
    DNS,
    EXAMPLE,
    HUB,
    HUB_PORT,
    PROXY,
    PROXY_API,
    PROXY_HTTP,
    PROXY_HTTPS,
    SERVER_PORT,
    SERVERS,
    WHO,
    Part,
    ReleaseLocation,
    chart_policies,
    pod,
)
from jupyterhub_aws.checks.network_policies import (
    Policy,
    PolicyPod,
    Ranges,
    Way,
    beyond,
    connects,
    enters,
    leaves,
)
from jupyterhub_aws.config.database import PostgresDatabase
from jupyterhub_aws.config.network import AirgapNetworkSection, ExistingNetworkSection
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.tree import KeyPath, at

#: EC2 user guide, "Instance metadata": 169.254.169.254 on port 80. EKS user guide, "EKS Pod
#: Identity": its agent answers on 169.254.170.23, port 80.
_CREDENTIALS = {
    "169.254.169.254": "the node's credentials (169.254.169.254)",
    "169.254.170.23": "the credentials of EKS Pod Identity (169.254.170.23)",
}
_HTTP = 80
#: What has a port in the stack's own network that no server may reach: RFC 7530 (NFS), Kubernetes
#: "Ports and Protocols" (API 6443, on EKS 443; kubelet).
_PROTECTED = {
    2049: "every user's home (NFS)",
    443: "the Kubernetes API",
    6443: "the Kubernetes API",
    10250: "the nodes' kubelets",
}
_POSTGRES, _API = 5432, 443
#: VPC user guide, "Subnet CIDR blocks": the smallest subnet is a /28. What is no larger may be one
#: host that is meant; a larger one holds unrelated hosts.
_SMALLEST_SUBNET = 16


@dataclass(frozen=True)
class Reach:
    """One value with its effect. `refused`: it takes away what pods need, or opens a protected
    target; otherwise an operator should know.
    """

    path: KeyPath
    what: str
    fix: str
    refused: bool = True

    @property
    def fault(self) -> ValueFault:
        """The same as a fault of the values."""
        return ValueFault("helm-values.network-path", self.path, self.what, self.fix)


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """A hub's pods among what they may meet."""

    stack: StackConfig
    hub: str
    values: Values
    place: ReleaseLocation
    policies: tuple[Policy, ...]

    @property
    def own(self) -> Ranges:
        """Addresses of nodes, pods, homes and databases."""
        return Ranges.of(*self.stack.network.ranges)

    @property
    def services(self) -> Ranges:
        """Addresses of the cluster's services."""
        return Ranges.of(self.stack.cluster.service_cidr)

    @property
    def api(self) -> str:
        """The API's service has the first address of that range (Kubernetes, "Service ClusterIP
        allocation").
        """
        return str(IPv4Network(self.stack.cluster.service_cidr)[1])

    def address(self, number: int) -> str:
        """An address in the middle of the network, which no policy of ours names by itself."""
        network = IPv4Network(self.stack.network.ranges[0])
        return str(network[network.num_addresses // 2 + number])

    def pod(self, part: Part, number: int = 0) -> PolicyPod:
        """A pod of a part; servers are several."""
        address = self.address(1 + list(WHO).index(part) + len(WHO) * number)
        return pod(part, self.values, self.place, address)

    def servers(self) -> Iterator[tuple[KeyPath, PolicyPod]]:
        """A server as the values make it, and one of each profile that gives its servers labels:
        by the place that says so.
        """
        usual = self.pod(SERVERS)
        yield (*SERVERS, "networkPolicy"), usual
        for path, override in profiles(self.values):
            labels = override.get("extra_labels")
            if isinstance(labels, Mapping):
                own = {str(key): str(value) for key, value in labels.items()}
                yield (*path, "extra_labels"), replace(usual, labels={**usual.labels, **own})

    def ways(self, part: Part, direction: Literal["ingress", "egress"]) -> list[Way]:
        """What the policies of a part let through."""
        mine = self.pod(part)
        return [
            way
            for item in self.policies
            if item.selects(mine, direction)
            for way in item.ways
            if way.direction == direction
        ]

    @property
    def protected(self) -> Mapping[int, str]:
        """Ports in the network that servers may not reach, by what is there."""
        found = dict(_PROTECTED)
        if any(isinstance(hub.database, PostgresDatabase) for hub in self.stack.hubs.values()):
            found[_POSTGRES] = "the hubs' databases"
        network = self.stack.network
        if (
            network.closed
            and isinstance(network, (AirgapNetworkSection, ExistingNetworkSection))
            and network.additional_endpoints
        ):
            # The stack file opens the endpoints in the network to servers, on this port.
            found.pop(_API)
        return found

    def written(self, path: KeyPath) -> KeyPath | None:
        """Where `helm_values` says it; None for a rule of the stack's own. Lists of rules are
        added to ours, so an index is less here.
        """
        given: Any = self.stack.hubs[self.hub].helm_values
        if path[-2:-1] in (("egress",), ("ingress",)) and isinstance(path[-1], int):
            theirs = at(given, *map(str, path[:-1])) or ()
            whole = at(self.values, *map(str, path[:-1])) or ()
            index = path[-1] - (len(whole) - len(theirs))
            return (*path[:-1], index) if index >= 0 else None
        return path if at(given, *map(str, path)) is not None else None


def reach(stack: StackConfig, hub: str, values: Values, others: Iterable[Policy]) -> list[Reach]:
    """What is wrong with, or opened by, the network policies of a hub. `values` are merged with the
    chart's defaults, and no rule of them is malformed; `others` are the policies of its namespace
    that are not the chart's.
    """
    place = ReleaseLocation(release=f"hub-{hub}", namespace=f"hub-{hub}")
    policies = (*chart_policies(values, place), *others)
    scene = _Scene(stack=stack, hub=hub, values=values, place=place, policies=policies)
    taken = list(_taken_away(scene))
    opened = list(_opened(scene))
    return [*taken, *opened, *_among_servers(scene, opened)]


@dataclass(frozen=True)
class _Need:
    """A connection that pods of a part need, what its loss means, and whether it works. `other` is
    the part that it leads to; `labels` are those of a profile that decide over it.
    """

    part: Part
    what: str
    works: bool
    other: Part | None = None
    labels: KeyPath | None = None


def _taken_away(scene: _Scene) -> Iterator[Reach]:
    """What the pods need, and have no longer."""
    off = [
        part
        for part in (HUB, PROXY, SERVERS)
        if at(scene.values, *part, "networkPolicy", "enabled") is not True
    ]
    for part in off:
        switch: KeyPath = (*part, "networkPolicy", "enabled")
        alone = not leaves(scene.policies, scene.pod(part), next(iter(_CREDENTIALS)), _HTTP)
        what = (
            f"cuts {WHO[part]} off: the namespace blocks traffic that no policy allows"
            if alone
            else f"leaves {WHO[part]} open to all traffic"
        )
        yield Reach(scene.written(switch) or switch, what, "remove it")
    for need in (*_names_and_servers(scene), *_hub_and_proxy(scene)):
        if need.works or need.part in off or need.other in off:
            continue
        path = (*need.part, "networkPolicy")
        if need.labels is None:
            yield Reach(scene.written(path) or path, need.what, "undo what removes it")
        else:
            yield Reach(need.labels, need.what, "remove it")


def _names_and_servers(scene: _Scene) -> Iterator[_Need]:
    """DNS for every part, and the hub's API for servers."""
    policies = scene.policies
    pods = PolicyPod(
        namespace="kube-system", labels={"k8s-app": "kube-dns"}, address=scene.address(50)
    )
    service = str(IPv4Network(scene.stack.cluster.service_cidr)[10])
    for part in (HUB, PROXY, SERVERS):
        asked = all(leaves(policies, scene.pod(part), to, DNS, "UDP") for to in (pods, service))
        yield _Need(part, f"takes DNS away from {WHO[part]}: they resolve no name", asked)
    for path, each in scene.servers():
        works = connects(policies, each, scene.pod(HUB), HUB_PORT)
        if path[-1] == "networkPolicy":
            what = "takes the hub's API away from users' servers: none of them would start"
            yield _Need(SERVERS, what, works, HUB)
        else:
            what = "takes the hub's API away from these servers: none of them would start"
            yield _Need(SERVERS, what, works, HUB, path)


def _hub_and_proxy(scene: _Scene) -> Iterator[_Need]:
    """What hub and proxy need of each other, of servers, of the Kubernetes API and of browsers."""
    policies = scene.policies
    hub, proxy, server = (scene.pod(part) for part in (HUB, PROXY, SERVERS))
    what = "keeps the hub away from users' servers: it would treat each as failed"
    yield _Need(HUB, what, connects(policies, hub, server, SERVER_PORT), SERVERS)
    what = "keeps the hub away from the proxy: no route would be added"
    yield _Need(HUB, what, connects(policies, hub, proxy, PROXY_API), PROXY)
    what = "takes the Kubernetes API away from the hub: no server could start"
    yield _Need(HUB, what, leaves(policies, hub, scene.api, _API))
    what = "keeps the proxy away from the hub: no user could sign in"
    yield _Need(PROXY, what, connects(policies, proxy, hub, HUB_PORT), HUB)
    what = "keeps the proxy away from users' servers: no user would reach their server"
    yield _Need(PROXY, what, connects(policies, proxy, server, SERVER_PORT), SERVERS)
    https = at(scene.values, "proxy", "https")
    encrypted = bool(at(https, "enabled")) and at(https, "type") in ("secret", "manual")
    browser = "198.51.100.1"  # any address: RFC 5737, a documentation range
    works = enters(policies, proxy, browser, PROXY_HTTPS if encrypted else PROXY_HTTP)
    what = "blocks browsers from the proxy: no user reaches the sign-in page"
    yield _Need(PROXY, what, works)


def _opened(scene: _Scene) -> Iterator[Reach]:
    for part in WHO:
        for direction in ("egress", "ingress"):
            ways = scene.ways(part, direction)
            ours = [way for way in ways if way.origin is None or scene.written(way.origin) is None]
            by_origin: dict[KeyPath | None, list[Way]] = {}
            for way in ways:
                by_origin.setdefault(way.origin, []).append(way)
            for origin, found in by_origin.items():
                judge = _egress if direction == "egress" else _ingress
                grave = list(dict.fromkeys(judge(scene, part, found)))
                path = origin or (*part, "networkPolicy")
                written = scene.written(path)
                if grave:
                    what = (
                        f"lets {WHO[part]} reach {_and(grave)}"
                        if direction == "egress"
                        else f"lets {_and(grave)}"
                    )
                    yield Reach(written or path, what, _fix(direction))
                elif written is not None:
                    yield from _further(scene, part, written, found, ours)


def _fix(direction: str) -> str:
    if direction == "egress":
        return f"remove it; name single addresses and ports instead, such as {EXAMPLE}"
    return (
        "remove it; name the pods and ports that are needed under networkPolicy.ingress: it is"
        " added to the stack's own rules"
    )


def _and(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _egress(scene: _Scene, part: Part, ways: Iterable[Way]) -> Iterator[str]:
    """What no pod of the part may reach, and reaches."""
    for way in ways:
        addresses = way.addresses
        if addresses is None or way.named is not None:
            continue
        for address, what in _CREDENTIALS.items():
            if addresses.has(address) and way.admits_port(_HTTP):
                yield what
        if part != SERVERS:
            continue
        if addresses.has(scene.api) and way.admits_port(_API):
            yield "the Kubernetes API"
        if (addresses & scene.own).size > _SMALLEST_SUBNET:
            yield from (what for port, what in scene.protected.items() if way.admits_port(port))


def _ingress(scene: _Scene, part: Part, ways: Iterable[Way]) -> Iterator[str]:
    """What may not reach the part, and does: pods of the cluster that no rule names, and
    hosts of the network.
    """
    port = {HUB: HUB_PORT, PROXY: PROXY_API, SERVERS: SERVER_PORT}.get(part)
    if port is None:
        return
    target = scene.pod(part)
    stranger = PolicyPod(namespace="another", labels={}, address=scene.address(60))
    for way in ways:
        if not way.admits_port(port, "TCP", target):
            continue
        addresses = way.addresses
        if way.peer is not None and addresses is not None:
            admitted = (addresses & scene.own).size > _SMALLEST_SUBNET
        else:
            admitted = way.admits_peer(stranger, scene.place.namespace)
        if admitted:
            yield f"every pod of the cluster reach {WHO[part]} on port {port}"


def _further(
    scene: _Scene, part: Part, path: KeyPath, ways: Iterable[Way], ours: Sequence[Way]
) -> Iterator[Reach]:
    """What a value of `helm_values` opens besides what the stack opens. In an isolated network the
    proof says it of egress.
    """
    ways = list(ways)
    if scene.stack.network.closed and ways[0].direction == "egress":
        return
    said = []
    for way in ways:
        more = beyond(way, ours)
        if not more:
            continue
        peer = way.peer_in_words
        if isinstance(more, Ranges) and len(more.cidrs) == 1:
            peer = more.cidrs[0]
        said.append(f"{peer} on {way.ports_in_words}")
    if said:
        unique = list(dict.fromkeys(said))
        more_of = f" and {len(unique) - 4} more" if len(unique) > 4 else ""  # a line that one reads
        listed = _and(unique[:4]) + more_of
        what = (
            f"lets {WHO[part]} also reach {listed}"
            if ways[0].direction == "egress"
            else f"also allows ingress to {WHO[part]} from: {listed}"
        )
        yield Reach(path, what, "keep it if it is intended", refused=False)


def _among_servers(scene: _Scene, opened: Sequence[Reach]) -> Iterator[Reach]:
    """Servers reach neither each other nor the proxy's API. Reported where no graver fault was:
    of the part that lets them.
    """
    said = {item.path[: len(part)] for item in opened if item.refused for part in (SERVERS, PROXY)}
    ways = scene.ways(SERVERS, "ingress")
    ports = sorted({SERVER_PORT, *(way.first for way in ways if way.named is None and way.first)})
    another, proxy = scene.pod(SERVERS, 1), scene.pod(PROXY)
    fix = "remove the rules and labels that allow it"
    for path, one in scene.servers():
        others = [port for port in ports if connects(scene.policies, one, another, port)]
        if others and SERVERS not in said:
            what = f"lets users' servers reach each other (port {others[0]})"
            yield Reach(path, what, fix)
        if not said & {SERVERS, PROXY} and connects(scene.policies, one, proxy, PROXY_API):
            what = (
                f"lets users' servers reach the proxy's API (port {PROXY_API}), which routes every"
                " user"
            )
            yield Reach(path, what, fix)
