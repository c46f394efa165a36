"""What goes with a cluster that the stack makes, and what with one that is there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jupyterhub_aws.config.cluster import AnyCluster, EksCluster
from jupyterhub_aws.config.database import PostgresDatabase, SqliteDatabase, SqliteOnNode
from jupyterhub_aws.config.entry import LoadBalancerEntry, NodePortEntry
from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.config.homes import EfsAccessPointHomes, EfsHomesSection, Homes
from jupyterhub_aws.config.hub_rules import Hubs
from jupyterhub_aws.config.network import AnyNetwork, UnmanagedNetworkSection
from jupyterhub_aws.config.pool_rules import none_exists
from jupyterhub_aws.config.pools import Pools
from jupyterhub_aws.config.registry import AnyRegistry, EcrRegistry, OnNodes


def network_of_its_kind(cluster: AnyCluster, network: AnyNetwork) -> Iterator[Problem]:
    """The stack makes a cluster in a VPC, or nothing around a cluster that is there."""
    if isinstance(cluster, EksCluster) == isinstance(network, UnmanagedNetworkSection):
        made = isinstance(cluster, EksCluster)
        modes = "open, airgap or existing" if made else "unmanaged"
        yield Problem(
            path="network.mode",
            what=f"is {network.mode}, but cluster.kind is {cluster.kind}",
            fix=f"write mode: {modes}, or change cluster.kind",
        )


def region_is_said(region: str, cluster: AnyCluster) -> Iterator[Problem]:
    """What is made in AWS is made in a region."""
    if not region and isinstance(cluster, EksCluster):
        yield Problem(
            path="aws:region", what="is missing", fix="add it: the AWS region, such as us-east-1"
        )


def pools_of_their_kind(cluster: AnyCluster, pools: Pools) -> Iterator[Problem]:
    """The stack buys the nodes of its own cluster, and of no other."""
    if isinstance(cluster, EksCluster):
        if pools.core is None:
            yield Problem(
                path="pools.core", what="is missing", fix="add it: The nodes of the hub itself."
            )
        yield from none_exists(pools, "the stack makes the cluster and its nodes")
        return
    if pools.core is not None:
        fix = "remove it; label nodes for the hub instead (docs/operations.md)"
        yield Problem(
            path="pools.core", what="would be bought, but the cluster is there already", fix=fix
        )
    for name in pools.bought:
        fix = "write capacity: existing, with cores and memory_gib of its nodes"
        yield Problem(
            path=f"pools.{name}.capacity",
            what="would be bought, but the cluster is there already",
            fix=fix,
        )


def nothing_of_aws(cluster: AnyCluster, homes: Homes, hubs: Hubs) -> Iterator[Problem]:
    """Around a cluster that is there the stack makes no file system, volume, database or
    balancer; in its own no directory of a node.
    """
    if isinstance(cluster, EksCluster):
        if isinstance(homes, EfsAccessPointHomes):
            fix = "write kind: efs, and adopt the file system with imports (docs/adopting.md)"
            yield Problem(
                path="homes.kind",
                what="is efs_access_point, which is for a cluster that is there already",
                fix=fix,
            )
        for name, hub in hubs.items():
            if isinstance(hub.database, SqliteOnNode):
                what = "binds the database to one node, and the nodes of this cluster come and go"
                yield Problem(
                    path=f"hubs.{name}.database.kind", what=what, fix="write sqlite, or postgres"
                )
        return
    if isinstance(homes, EfsHomesSection):
        fix = "write efs_access_point (one that is there), nfs (any server), ebs, or ephemeral"
        yield Problem(
            path="homes.kind",
            what="is efs, which the stack would make for a cluster of its own",
            fix=fix,
        )
    for name, hub in hubs.items():
        if isinstance(hub.database, (SqliteDatabase, PostgresDatabase)):
            what = f"is {hub.database.kind}, which the stack would make in AWS"
            yield Problem(
                path=f"hubs.{name}.database.kind",
                what=what,
                fix="write sqlite_on_class, or sqlite_on_node",
            )
        if isinstance(hub.entry, NodePortEntry) and hub.entry.allowed_cidrs:
            what = "would be rules of the nodes' security group, which is the cluster's owner's"
            yield Problem(
                path=f"hubs.{name}.entry.allowed_cidrs",
                what=what,
                fix="remove it, and open the port in the nodes' own firewall",
            )
        if isinstance(hub.entry, LoadBalancerEntry):
            what = "is load_balancer, which the stack would make in AWS"
            yield Problem(
                path=f"hubs.{name}.entry.kind",
                what=what,
                fix="write node_port (external_ips may help), or port_forward",
            )


def registry_of_its_kind(cluster: AnyCluster, registry: AnyRegistry) -> Iterator[Problem]:
    """Repositories are made beside a cluster of the stack's own; images lie on nodes that do not
    come and go.
    """
    if isinstance(registry, EcrRegistry) and not isinstance(cluster, EksCluster):
        yield Problem(
            path="registry.kind",
            what="is ecr, but the stack makes nothing in AWS",
            fix="write private with the registry's host, or on_nodes",
        )
    if isinstance(registry, OnNodes) and isinstance(cluster, EksCluster):
        what = "is on_nodes, but new nodes come with no image on them"
        yield Problem(
            path="registry.kind", what=what, fix="write ecr, or private with a registry of yours"
        )


def halves_exist(parts: str, cluster: AnyCluster) -> Iterator[Problem]:
    """Two stacks need an AWS half."""
    if parts == "cloud" and not isinstance(cluster, EksCluster):
        yield Problem(
            path="parts",
            what="is cloud, but everything of this stack is inside the cluster",
            fix="remove it",
        )


RULES: tuple[tuple[tuple[str, ...], Callable[..., Iterator[Problem]]], ...] = (
    (("cluster", "network"), network_of_its_kind),
    (("region", "cluster"), region_is_said),
    (("cluster", "pools"), pools_of_their_kind),
    (("cluster", "homes", "hubs"), nothing_of_aws),
    (("cluster", "registry"), registry_of_its_kind),
    (("parts", "cluster"), halves_exist),
)
