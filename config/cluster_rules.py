"""What a cluster must be for its version, its network and its region: rules that hold for stack
files and for arguments of `Cluster` alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network

from jupyterhub_aws.config import place_rules
from jupyterhub_aws.config.cluster import AnyCluster, EksCluster
from jupyterhub_aws.config.egress import PeerNetwork
from jupyterhub_aws.config.errors import Problem, shown
from jupyterhub_aws.config.network import AnyNetwork, OpenNetworkSection, UnmanagedNetworkSection
from jupyterhub_aws.config.versions import kubernetes_versions


def cluster_problems(
    cluster: EksCluster,
    *,
    region: str,
    ranges: Sequence[str],
    peers: Mapping[str, PeerNetwork],
    closed: bool,
) -> Iterator[Problem]:
    """What is wrong with a cluster in a network of these ranges and peer networks, `closed`
    where it has no egress. Paths are those of a stack file.
    """
    yield from _ranges_apart(
        cluster, [*(("network.cidrs", cidr) for cidr in ranges), *_of_peers(peers)]
    )
    yield from service_cidr(cluster)
    yield from version_is_known(cluster)
    yield from _private_api(closed, cluster)
    yield from place_rules.key_is_near(region, cluster)
    yield from place_rules.arns_of("cluster")(region, cluster)


def ranges_apart(network: AnyNetwork, cluster: AnyCluster) -> Iterator[Problem]:
    """Services have addresses that nothing else has."""
    option = "ranges" if isinstance(network, UnmanagedNetworkSection) else "cidr"
    peers = {} if isinstance(network, OpenNetworkSection) else network.peer_networks
    yield from _ranges_apart(
        cluster, [*((f"network.{option}", cidr) for cidr in network.ranges), *_of_peers(peers)]
    )


def _of_peers(peers: Mapping[str, PeerNetwork]) -> list[tuple[str, str]]:
    return [
        (f"network.peer_networks.{name}.cidrs", cidr)
        for name, peer in peers.items()
        for cidr in peer.cidrs
    ]


def _ranges_apart(cluster: AnyCluster, others: list[tuple[str, str]]) -> Iterator[Problem]:
    services = IPv4Network(cluster.service_cidr)
    free = "10.100.0.0/16" if cluster.service_cidr.startswith("172.20.") else "172.20.0.0/16"
    for path, cidr in others:
        if IPv4Network(cidr).overlaps(services):
            yield Problem(
                path="cluster.service_cidr",
                what=f"overlaps {path} ({cluster.service_cidr} and {cidr})",
                fix=f"choose a private range that none of them has, such as {free}",
            )


def service_cidr(cluster: AnyCluster) -> Iterator[Problem]:
    """Services of EKS have private ranges, between /24 and /12 (EKS API reference,
    KubernetesNetworkConfigRequest.serviceIpv4Cidr).
    """
    if not isinstance(cluster, EksCluster):
        return
    network = IPv4Network(cluster.service_cidr)
    if not 12 <= network.prefixlen <= 24 or not any(
        network.subnet_of(IPv4Network(r)) for r in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    ):  # EKS's own bounds, in the line above
        yield Problem(
            path="cluster.service_cidr",
            what=f"is not a range that EKS takes for services (got {cluster.service_cidr})",
            fix=(
                "choose a /12 to /24 inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, such as"
                " 172.20.0.0/16"
            ),
        )


def version_is_known(cluster: AnyCluster) -> Iterator[Problem]:
    """The versions table has a row for it."""
    known = kubernetes_versions()
    if cluster.version not in known:
        yield Problem(
            path="cluster.version",
            what=f"has no row in the versions table (got {shown(cluster.version)})",
            fix=f"choose one of {', '.join(sorted(known))}",
        )


def private_api(network: AnyNetwork, cluster: AnyCluster) -> Iterator[Problem]:
    """In a network without the internet the API answers inside only."""
    yield from _private_api(network.closed, cluster)


def _private_api(closed: bool, cluster: AnyCluster) -> Iterator[Problem]:
    if closed and isinstance(cluster, EksCluster) and cluster.api.public_access_cidrs:
        fix = "remove it; the runner, or a peer network, reaches the private endpoint"
        yield Problem(
            path="cluster.api.public_access_cidrs",
            what="opens the Kubernetes API to the internet, in a network that has none",
            fix=fix,
        )


#: Rules between sections (config/stack.py says how they run).
RULES: tuple[tuple[tuple[str, ...], Callable[..., Iterator[Problem]]], ...] = (
    (("network", "cluster"), ranges_apart),
    (("network", "cluster"), private_api),
    (("cluster",), service_cidr),
    (("cluster",), version_is_known),
)
