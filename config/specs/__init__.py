"""What follows from what a stack says, decided once: frozen values that components, checks, the
bill and the page read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from jupyterhub_aws.config.backups import AwsBackup
from jupyterhub_aws.config.cluster import EksCluster, ExistingCluster
from jupyterhub_aws.config.homes import EbsHomes
from jupyterhub_aws.config.specs.cluster import ClusterAccess
from jupyterhub_aws.config.specs.network import NetworkSpec, network_spec
from jupyterhub_aws.config.specs.node_groups import NodePoolsSpec, node_pools_spec
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.values import partition_of

if TYPE_CHECKING:
    from jupyterhub_aws.config.specs.autoscaler import AutoscalerSpec
    from jupyterhub_aws.config.specs.backups import BackupSpec
    from jupyterhub_aws.config.specs.buckets import BucketSpec
    from jupyterhub_aws.config.specs.homes import EfsSpec, VolumeClassSpec
    from jupyterhub_aws.config.specs.hub import HubSpec
    from jupyterhub_aws.config.specs.images import Images
    from jupyterhub_aws.config.specs.node_agents import NodeAgentsSpec

__all__ = ["StackSpec", "resolve"]


@dataclass(frozen=True, eq=False)
class StackSpec:
    """All specs of one stack. Each part is decided when it is first asked for, and is the same
    object from then on.
    """

    stack: StackConfig

    @cached_property
    def autoscaler(self) -> AutoscalerSpec | None:
        """The cluster autoscaler; None beside a cluster that exists already."""
        from jupyterhub_aws.config.specs.autoscaler import AutoscalerSpec

        stack = self.stack
        if not isinstance(stack.cluster, EksCluster):
            return None
        return AutoscalerSpec(
            name=stack.name,
            cluster=stack.name,
            region=stack.region,
            kubernetes=stack.cluster.version,
            groups=self.node_pools.groups,
            environment=self.proxy_environment,
            paused=stack.paused,
        )

    @cached_property
    def backups(self) -> BackupSpec:
        """Names, tag and schedules of backups."""
        from jupyterhub_aws.config.specs.backups import BackupSpec

        return BackupSpec(name=self.stack.name, options=self.stack.backups)

    @cached_property
    def buckets(self) -> Mapping[str, BucketSpec]:
        """The buckets of the stack by name, those that exist already among them."""
        from jupyterhub_aws.config.specs.buckets import bucket_specs

        stack = self.stack
        backed_up = isinstance(stack.backups, AwsBackup)
        return bucket_specs(
            stack.buckets,
            stack=stack.name,
            account=stack.accounts[0] if stack.accounts else None,
            partition=partition_of(stack.region),
            backup_tags=self.backups.tags if backed_up else {},
        )

    @cached_property
    def efs(self) -> EfsSpec | None:
        """The file system of homes that the stack makes; None where homes are elsewhere."""
        from jupyterhub_aws.config.specs.homes import EfsSpec

        homes = self.stack.homes
        return (
            EfsSpec(
                name=self.stack.name,
                options=homes,
                hubs=tuple(sorted(self.stack.hubs)),
                backups=self.backups,
            )
            if homes.kind == "efs"
            else None
        )

    @cached_property
    def volume_class(self) -> VolumeClassSpec | None:
        """The storage class of homes that are volumes; None where they are not."""
        from jupyterhub_aws.config.specs.homes import VolumeClassSpec

        homes = self.stack.homes
        return (
            VolumeClassSpec(name=self.stack.name, options=homes, backups=self.backups)
            if homes.kind == "ebs"
            else None
        )

    @cached_property
    def network(self) -> NetworkSpec:
        """What nodes, pods and rules need to know of the network."""
        return network_spec(self.stack.network, self.stack.region)

    @cached_property
    def cluster_access(self) -> ClusterAccess:
        """How the program of this stack reaches the Kubernetes API."""
        stack = self.stack
        if isinstance(stack.cluster, ExistingCluster):
            return ClusterAccess(
                cluster=stack.name,
                kubeconfig=stack.cluster.kubeconfig,
                context=stack.cluster.context,
                paused=stack.paused,
            )
        return ClusterAccess(
            cluster=stack.name,
            public_access_cidrs=stack.cluster.api.public_access_cidrs,
            inside=stack.parts == "cluster",
        )

    @cached_property
    def node_pools(self) -> NodePoolsSpec:
        """The node pools. There is no group where all nodes exist already."""
        stack = self.stack
        return node_pools_spec(
            stack.pools,
            cluster=stack.name,
            version=stack.cluster.version,
            zones=stack.network.zones,
            per_zone=isinstance(stack.homes, EbsHomes),
            paused=stack.paused,
        )

    @cached_property
    def node_agents(self) -> NodeAgentsSpec:
        """What runs on user nodes besides servers."""
        from jupyterhub_aws.config.specs.node_agents import NodeAgentsSpec

        return NodeAgentsSpec(
            kubernetes=self.stack.cluster.version,
            pools=(*self.node_pools.pools, *self.node_pools.retiring),
        )

    @cached_property
    def proxy_environment(self) -> dict[str, str]:
        """The variables that tell nodes and pods of the HTTP proxy; empty without a proxy."""
        return self.network.proxy_environment(self.stack.cluster.service_cidr)

    @property
    def images(self) -> Images:
        """The names of images and the source of charts. Raises ConfigError for a lock that
        cannot be read; a lock that changed is read again.
        """
        from jupyterhub_aws.config.specs.images import images_of

        stack = self.stack
        return images_of(stack.registry, region=stack.region, name=stack.name, folder=stack.folder)

    @cached_property
    def hubs(self) -> Mapping[str, HubSpec]:
        """Every hub of the stack by name, whether the outer or the inner one of two split stacks
        makes it.
        """
        from jupyterhub_aws.config.specs.hub import (
            hub_spec,
        )  # late: most of what asks for a spec asks for no hub

        return {name: hub_spec(self.stack, name) for name in sorted(self.stack.hubs)}


def resolve(stack: StackConfig) -> StackSpec:
    """The specs of a stack: the same object for the same stack object."""
    return _resolve(_Same(stack))


class _Same:
    """A stack told from others by identity: its sections hold maps, which have no hash."""

    __slots__ = ("stack",)

    def __init__(self, stack: StackConfig) -> None:
        self.stack = stack

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.stack is self.stack

    def __hash__(self) -> int:
        return id(self.stack)


@lru_cache(maxsize=8)
def _resolve(same: _Same) -> StackSpec:
    return StackSpec(same.stack)
