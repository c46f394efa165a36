"""What a cluster must be for its version, its network and its region: rules that hold for stack
files and for arguments of `Cluster` alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from ipaddress import IPv4Network
from typing import Any

from pydantic import BaseModel

from jupyterhub_aws.config.cluster import AnyCluster, EksCluster
from jupyterhub_aws.config.database import PostgresDatabase, SqliteDatabase, SqliteOnNode
from jupyterhub_aws.config.egress import PeerNetwork
from jupyterhub_aws.config.entry import LoadBalancerEntry, NodePortEntry
from jupyterhub_aws.config.errors import Problem, Rules, dotted, shown
from jupyterhub_aws.config.homes import EfsAccessPointHomes, EfsHomesSection, Homes
from jupyterhub_aws.config.hub_rules import Hubs
from jupyterhub_aws.config.instance_types import instance_type
from jupyterhub_aws.config.network import (
    AnyNetwork,
    ExistingNetworkSection,
    OpenNetworkSection,
    UnmanagedNetworkSection,
)
from jupyterhub_aws.config.pools import ExistingNodePool, OnDemandPool, Pools
from jupyterhub_aws.config.prices import Prices
from jupyterhub_aws.config.registry import AnyRegistry, EcrRegistry, OnNodes
from jupyterhub_aws.config.tree import leaves
from jupyterhub_aws.config.versions import kubernetes_versions
from jupyterhub_aws.config.zones import letters, partition_named, zones

# --- What AWS has where: zones that a region really has, and ARNs of the partition and region that
# the stack is in.


_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):")


def zones_in_region(
    region: str, network: AnyNetwork, *, instead: str = "aws:region"
) -> Iterator[Problem]:
    """Every zone is one of the region, and exists. `instead` is what else may be wrong."""
    if not region:  # reported by another rule
        return
    for index, zone in enumerate(network.zones):
        path = (
            f"network.private_subnets.{zone}"
            if isinstance(network, ExistingNetworkSection)
            else f"network.zones[{index}]"
        )
        yield from zone_problems(path, zone, region, instead=instead)
        if zone in network.zones[:index]:
            yield Problem(
                id="zones.twice",
                path=path,
                what=f"is named twice (got {shown(zone)})",
                fix="name two or three different zones",
            )
    if isinstance(network, ExistingNetworkSection):
        for zone in network.public_subnets:
            yield from zone_problems(
                f"network.public_subnets.{zone}", zone, region, instead=instead
            )


def zone_problems(path: str, zone: str, region: str, *, instead: str) -> Iterator[Problem]:
    """What is wrong with one zone of a network in a region. `instead` is what else may be wrong."""
    if not zone.startswith(region) or len(zone) != len(region) + 1:
        yield Problem(
            id="zones.other-region",
            path=path,
            what=f"is not a zone of {region} (got {shown(zone)})",
            fix=f"write {region}{zone[-1]}, or change {instead}",
        )
        return
    known = letters(region)
    if known and zone[-1] not in known:
        what = (
            f"is a zone that {region} does not have (got {shown(zone)}): its zones end in"
            f" {known[0]} to {known[-1]} at most (AWS, {zones().read})"
        )
        command = (
            f"aws ec2 describe-availability-zones --region {region} --query"
            " 'AvailabilityZones[].ZoneName' --output text"
        )
        yield Problem(
            id="zones.unknown", path=path, what=what, fix=f"write one that this shows: {command}"
        )


def arns_of(name: str) -> Callable[[str, Any], Iterator[Problem]]:
    """The rule that ARNs of a section are of the region's partition: accounts of China and
    GovCloud are separate accounts.
    """

    def rule(region: str, section: Any) -> Iterator[Problem]:
        partition = partition_named(region)
        for parts, value in leaves(_plain(section)) if partition else ():
            match = _ARN.match(value) if isinstance(value, str) else None
            if match is not None and match["partition"] != partition:
                what = (
                    f"is an ARN of the partition {match['partition']}, and {region} is in"
                    f" {partition}"
                )
                yield Problem(
                    id="arn.partition",
                    path=dotted((name, *parts)),
                    what=what,
                    fix=(
                        f"name a resource of the account in {partition}; its ARNs begin with"
                        f" arn:{partition}:"
                    ),
                )

    return rule


def _plain(section: Any) -> Any:
    if isinstance(section, Mapping):
        return {key: _plain(item) for key, item in section.items()}
    return section.model_dump() if isinstance(section, BaseModel) else section


def key_is_near(region: str, cluster: AnyCluster) -> Iterator[Problem]:
    """A KMS key encrypts volumes of its own region alone (a multi-Region key has an ARN in
    each).
    """
    if not region or not isinstance(cluster, EksCluster):
        return
    match = _ARN.match(cluster.volume_key or "")
    if (
        match is not None
        and match["region"] != region
        and match["partition"] == partition_named(region)
    ):
        what = f"is a key in {match['region']}, and the stack is in {region}"
        yield Problem(
            id="key.region",
            path="cluster.volume_key",
            what=what,
            fix=f"name a key in {region}; of a multi-Region key its replica there",
        )


#: Rules between sections (config/stack.py says how they run).
PLACE_RULES: Rules = (
    (("region", "network"), zones_in_region),
    (("region", "cluster"), key_is_near),
    *(
        (("region", name), arns_of(name))
        for name in ("cluster", "network", "pools", "hubs", "backups", "runner", "monitoring")
    ),
)


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
    yield from key_is_near(region, cluster)
    yield from arns_of("cluster")(region, cluster)


def ranges_apart(network: AnyNetwork, cluster: AnyCluster) -> Iterator[Problem]:
    """Service addresses overlap with no other range."""
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
                id="service-cidr.overlaps",
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
            id="service-cidr.not-allowed",
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
            id="version.unknown",
            path="cluster.version",
            what=f"has no row in the versions table (got {shown(cluster.version)})",
            fix=f"choose one of {', '.join(sorted(known))}",
        )


def private_api(network: AnyNetwork, cluster: AnyCluster) -> Iterator[Problem]:
    """In an isolated network only the private endpoint of the API exists."""
    yield from _private_api(network.closed, cluster)


def _private_api(closed: bool, cluster: AnyCluster) -> Iterator[Problem]:
    if closed and isinstance(cluster, EksCluster) and cluster.api.public_access_cidrs:
        fix = "remove it; the runner, or a peer network, reaches the private endpoint"
        yield Problem(
            id="api.public-in-isolated-network",
            path="cluster.api.public_access_cidrs",
            what="opens the Kubernetes API to the internet, in an isolated network",
            fix=fix,
        )


#: Rules between sections (config/stack.py says how they run).
CLUSTER_RULES: Rules = (
    (("network", "cluster"), ranges_apart),
    (("network", "cluster"), private_api),
    (("cluster",), service_cidr),
    (("cluster",), version_is_known),
)


# --- What node pools must be, by themselves and where they are: rules that hold for stack files and
# for arguments of `NodePools` alike.


def pool_problems(pools: Pools, *, region: str, zones: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with pools of a cluster with private subnets in these zones. Paths are those
    of a stack file.
    """
    yield from core_is_plain(pools)
    yield from price_is_a_maximum(region, pools)
    yield from none_exists(pools, "these nodes are made")
    yield from _core_zones_exist(zones, pools)


def core_is_plain(pools: Pools) -> Iterator[Problem]:
    """Hub and proxy run on general types."""
    for index, name in enumerate(pools.core.instance_types if pools.core else ()):
        if (
            instance_type(name).gpu is not None
        ):  # not their number: g6f has a share of one, which counts 0
            yield Problem(
                id="pools.core-gpu",
                path=f"pools.core.instance_types[{index}]",
                what=f"is a GPU type (got {name})",
                fix="use a general type such as m7i.large; GPUs belong in a user pool",
            )


def price_is_a_maximum(region: str, pools: Pools) -> Iterator[Problem]:
    """A price far below the on-demand price is a mistake."""
    prices = Prices().in_region(region)
    for name, pool in pools.bought.items():
        if isinstance(pool, OnDemandPool) or pool.max_price is None:
            continue
        on_demand = prices.node_hour(pool.instance_types[0])
        if on_demand is not None and Decimal(pool.max_price) < on_demand / 20:
            yield Problem(
                id="pools.price-too-low",
                path=f"pools.{name}.max_price",
                what=(
                    f'is under a twentieth of the on-demand price (got "{pool.max_price}", on'
                    f" demand {on_demand})"
                ),
                fix=(
                    "no spot node would ever start; raise it above the current spot price, or leave"
                    " it out"
                ),
            )


def none_exists(pools: Pools, why: str) -> Iterator[Problem]:
    """Nodes of a cluster that is made here are made too."""
    for name, pool in pools.user.items():
        if isinstance(pool, ExistingNodePool):
            fix = "write spot_first, spot or on_demand, and instance_types"
            yield Problem(
                id="pools.existing",
                path=f"pools.{name}.capacity",
                what=f"is existing, but {why}",
                fix=fix,
            )


def core_zones_exist(network: AnyNetwork, pools: Pools) -> Iterator[Problem]:
    """The core pool's zones are zones of the network."""
    yield from _core_zones_exist(network.zones, pools)


def _core_zones_exist(zones: Sequence[str], pools: Pools) -> Iterator[Problem]:
    for index, zone in enumerate(pools.core.zones if pools.core else ()):
        if zone not in zones:
            yield Problem(
                id="zones.not-in-network",
                path=f"pools.core.zones[{index}]",
                what=f"is not a zone of the network (got {shown(zone)})",
                fix=f"choose from {', '.join(zones)}",
            )


#: Rules between sections (config/stack.py says how they run).
POOL_RULES: Rules = (
    (("pools",), core_is_plain),
    (("region", "pools"), price_is_a_maximum),
    (("network", "pools"), core_zones_exist),
)


# --- What a cluster that the stack makes requires, and what an existing cluster does.


def network_of_its_kind(cluster: AnyCluster, network: AnyNetwork) -> Iterator[Problem]:
    """The stack makes a cluster in a VPC, or nothing in AWS around an existing cluster."""
    if isinstance(cluster, EksCluster) == isinstance(network, UnmanagedNetworkSection):
        made = isinstance(cluster, EksCluster)
        modes = "open, airgap or existing" if made else "unmanaged"
        yield Problem(
            id="network.mode",
            path="network.mode",
            what=f"is {network.mode}, but cluster.kind is {cluster.kind}",
            fix=f"write mode: {modes}, or change cluster.kind",
        )


def region_is_said(region: str, cluster: AnyCluster) -> Iterator[Problem]:
    """Resources in AWS need a region."""
    if not region and isinstance(cluster, EksCluster):
        yield Problem(
            id="region.missing",
            path="aws:region",
            what="is missing",
            fix="add it: the AWS region, such as us-east-1",
        )


def pools_of_their_kind(cluster: AnyCluster, pools: Pools) -> Iterator[Problem]:
    """The stack makes the nodes of its own cluster, and of no other."""
    if isinstance(cluster, EksCluster):
        if pools.core is None:
            yield Problem(
                id="pools.core-missing",
                path="pools.core",
                what="is missing",
                fix="add it: The nodes of the hub itself.",
            )
        yield from none_exists(pools, "the stack makes the cluster and its nodes")
        return
    if pools.core is not None:
        fix = "remove it; label nodes for the hub instead (docs/operations.md)"
        yield Problem(
            id="pools.core-existing-cluster",
            path="pools.core",
            what="would be made, but the cluster exists already",
            fix=fix,
        )
    for name in pools.bought:
        fix = "write capacity: existing, with cores and memory_gib of its nodes"
        yield Problem(
            id="pools.existing-cluster",
            path=f"pools.{name}.capacity",
            what="would be made, but the cluster exists already",
            fix=fix,
        )


def nothing_of_aws(cluster: AnyCluster, homes: Homes, hubs: Hubs) -> Iterator[Problem]:
    """Around an existing cluster the stack makes no file system, volume, database or load
    balancer; in its own cluster it uses no directory of a node.
    """
    if isinstance(cluster, EksCluster):
        if isinstance(homes, EfsAccessPointHomes):
            fix = "write kind: efs, and adopt the file system with imports (docs/adopting.md)"
            yield Problem(
                id="homes.efs-access-point",
                path="homes.kind",
                what="is efs_access_point, which is for an existing cluster",
                fix=fix,
            )
        for name, hub in hubs.items():
            if isinstance(hub.database, SqliteOnNode):
                what = "binds the database to one node, and the nodes of this cluster come and go"
                yield Problem(
                    id="database.bound-to-a-node",
                    path=f"hubs.{name}.database.kind",
                    what=what,
                    fix="write sqlite, or postgres",
                )
        return
    if isinstance(homes, EfsHomesSection):
        fix = "write efs_access_point (an existing one), nfs (any server), ebs, or ephemeral"
        yield Problem(
            id="homes.efs-existing-cluster",
            path="homes.kind",
            what="is efs, which the stack would make for a cluster of its own",
            fix=fix,
        )
    for name, hub in hubs.items():
        if isinstance(hub.database, (SqliteDatabase, PostgresDatabase)):
            what = f"is {hub.database.kind}, which the stack would make in AWS"
            yield Problem(
                id="database.existing-cluster",
                path=f"hubs.{name}.database.kind",
                what=what,
                fix="write sqlite_on_class, or sqlite_on_node",
            )
        if isinstance(hub.entry, NodePortEntry) and hub.entry.allowed_cidrs:
            what = "would be rules of the nodes' security group, which the cluster's owner manages"
            yield Problem(
                id="entry.rules-existing-cluster",
                path=f"hubs.{name}.entry.allowed_cidrs",
                what=what,
                fix="remove it, and open the port in the nodes' own firewall",
            )
        if isinstance(hub.entry, LoadBalancerEntry):
            what = "is load_balancer, which the stack would make in AWS"
            yield Problem(
                id="entry.balancer-existing-cluster",
                path=f"hubs.{name}.entry.kind",
                what=what,
                fix="write node_port (external_ips may help), or port_forward",
            )


def registry_of_its_kind(cluster: AnyCluster, registry: AnyRegistry) -> Iterator[Problem]:
    """Repositories are made only with the stack's own cluster; images can be preloaded only on
    permanent nodes.
    """
    if isinstance(registry, EcrRegistry) and not isinstance(cluster, EksCluster):
        yield Problem(
            id="registry.ecr-existing-cluster",
            path="registry.kind",
            what="is ecr, but the stack makes nothing in AWS",
            fix="write private with the registry's host, or on_nodes",
        )
    if isinstance(registry, OnNodes) and isinstance(cluster, EksCluster):
        what = "is on_nodes, but new nodes start without preloaded images"
        yield Problem(
            id="registry.on-nodes",
            path="registry.kind",
            what=what,
            fix="write ecr, or private with your own registry",
        )


def halves_exist(parts: str, cluster: AnyCluster) -> Iterator[Problem]:
    """Split stacks need resources in AWS."""
    if parts == "cloud" and not isinstance(cluster, EksCluster):
        yield Problem(
            id="split.nothing-outside",
            path="parts",
            what="is cloud, but everything of this stack is inside the cluster",
            fix="remove it",
        )


EXISTING_RULES: Rules = (
    (("cluster", "network"), network_of_its_kind),
    (("region", "cluster"), region_is_said),
    (("cluster", "pools"), pools_of_their_kind),
    (("cluster", "homes", "hubs"), nothing_of_aws),
    (("cluster", "registry"), registry_of_its_kind),
    (("parts", "cluster"), halves_exist),
)

#: All of them, each with the sections that it needs.
RULES: Rules = (
    *PLACE_RULES,
    *CLUSTER_RULES,
    *POOL_RULES,
    *EXISTING_RULES,
)
