"""The AWS half of a stack, in build order: network, cluster, add-ons, nodes, homes, and each hub's own part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi
import pulumi_aws as aws

from jupyterhub_aws.components.addons.addons import AddonsArgs, ControllerAddons, NodeAddons
from jupyterhub_aws.components.airgap.bucket import BundleBucket, BundleBucketArgs
from jupyterhub_aws.components.airgap.existing import ExistingNetwork, ExistingNetworkArgs
from jupyterhub_aws.components.airgap.network import AirgapNetwork, AirgapNetworkArgs
from jupyterhub_aws.components.airgap.node_security import NodeSecurity, NodeSecurityArgs
from jupyterhub_aws.components.airgap.repositories import Repositories, RepositoriesArgs
from jupyterhub_aws.components.airgap.runner import Runner, RunnerArgs
from jupyterhub_aws.components.autoscaler.autoscaler import AutoscalerIdentity, AutoscalerIdentityArgs
from jupyterhub_aws.components.autoscaler.policy import AutoscalerPolicy, AutoscalerPolicyArgs
from jupyterhub_aws.components.backups.backups import AwsBackups, AwsBackupsArgs
from jupyterhub_aws.components.backups.snapshots import SnapshotLifecycle, SnapshotLifecycleArgs
from jupyterhub_aws.components.cluster.cluster import Cluster, ClusterArgs
from jupyterhub_aws.components.cluster.endpoint import open_to
from jupyterhub_aws.components.facts import CloudFacts, HubFacts
from jupyterhub_aws.components.homes.efs import EfsHomes, EfsHomesArgs
from jupyterhub_aws.components.hub.cloud import HubCloud, HubCloudArgs
from jupyterhub_aws.components.hub.values.closed import proxy_variables
from jupyterhub_aws.components.network.network import Network, NetworkArgs
from jupyterhub_aws.components.pools.args import PoolsArgs
from jupyterhub_aws.components.pools.pools import Pools
from jupyterhub_aws.components.pools.spec import group_specs
from jupyterhub_aws.components.watch.certificates import own_end
from jupyterhub_aws.components.watch.watch import Watch, WatchArgs
from jupyterhub_aws.components.watch.watched import Watched, WatchedHub
from jupyterhub_aws.config import network as modes
from jupyterhub_aws.config.backups import AwsBackup, NoBackups
from jupyterhub_aws.config.homes import EfsHomes as EfsSection
from jupyterhub_aws.config.registry import EcrRegistry
from jupyterhub_aws.config.resting import endpoint_reasons
from jupyterhub_aws.config.runner import Runner as RunnerSection
from jupyterhub_aws.config.stack import StackConfig

AnyNetwork = Network | AirgapNetwork | ExistingNetwork


class Cloud:
    """Everything that AWS's own API makes. `facts` is what the inside of the cluster needs of it, `parts` every component."""

    def __init__(self, stack: StackConfig) -> None:
        self._stack = stack
        open_to(stack.eks.api.public_access_cidrs)
        self._tags = stack.tags.as_aws(stack.name)
        self._account = aws.get_caller_identity_output().account_id
        self._bucket = None if stack.runner is None else self._bundle_bucket(stack.runner)
        self.network = self._network()
        self.cluster = self._cluster()
        self._addons = AddonsArgs(
            cluster_name=self.cluster.name,
            minor=stack.cluster.version,
            stack_name=stack.name,
            region=stack.region,
            homes=stack.homes.kind,
            tags=self._tags,
            paused=stack.paused,
        )
        self.node_addons = NodeAddons("node-addons", self._addons)
        self.nodes = self._node_security() if stack.network.closed else None
        self._group = self.cluster.security_group_id if self.nodes is None else self.nodes.security_group_id
        self.pools = self._pools()
        self.controllers = ControllerAddons("controller-addons", replace(self._addons, after=self.pools.ready))
        self.policy, self.identity = self._autoscaler()
        self.homes = self._homes()
        self.backups = self._backups()
        self.hubs = {name: self._hub(name) for name in sorted(stack.hubs)}
        self.registry = Repositories("registry", RepositoriesArgs(stack=stack, tags=self._tags)) if isinstance(stack.registry, EcrRegistry) else None
        self.runner = self._runner()
        self.watch = self._watch()
        self.facts = self._facts()

    @property
    def parts(self) -> list[pulumi.Resource]:
        """Every component that was made."""
        always = [self.network, self.cluster, self.node_addons, self.pools, self.controllers, self.policy, self.identity, *self.hubs.values()]
        optional = (self._bucket, self.nodes, self.homes, self.backups, self.registry, self.runner, self.watch)
        return [*always, *(part for part in optional if part is not None)]

    @property
    def outputs(self) -> dict[str, pulumi.Input[Any]]:
        """What a stack exports of it."""
        found: dict[str, pulumi.Input[Any]] = {
            "cluster_name": self.cluster.name,
            "kubeconfig": self.cluster.kubeconfig,
            "vpc_id": self.network.vpc_id,
            "scheduling": self.pools.scheduling,
        }
        if self.runner is not None and self._bucket is not None:
            found |= {"runner": self.runner.instance_id, "bundle_bucket": self._bucket.bucket}
        return found if self.watch is None else {**found, "alarms_topic": self.watch.topic_arn}

    def _bundle_bucket(self, runner: RunnerSection) -> BundleBucket:
        name = runner.bucket or self._account.apply(lambda account: f"{self._stack.name}-bundle-{account}")
        return BundleBucket("bundle", BundleBucketArgs(bucket=name, tags=self._tags))

    def _network(self) -> AnyNetwork:
        stack, section = self._stack, self._stack.vpc
        if isinstance(section, modes.OpenNetwork):
            args = NetworkArgs(network=section, stack_name=stack.name, region=stack.region, tags=self._tags, without_nat=stack.drops("nat"))
            return Network("network", args)
        shared: dict[str, Any] = {
            "stack_name": stack.name,
            "region": stack.region,
            "account": self._account,
            "services": endpoint_reasons(stack),
            "system_packages": stack.runner is not None,
            "buckets": [] if self._bucket is None else [self._bucket.bucket],
            "tags": self._tags,
        }
        if isinstance(section, modes.AirgapNetwork):
            return AirgapNetwork("network", AirgapNetworkArgs(network=section, **shared))
        return ExistingNetwork("network", ExistingNetworkArgs(network=section, **shared))

    def _cluster(self) -> Cluster:
        stack = self._stack
        args = ClusterArgs(
            cluster=stack.eks,
            stack_name=stack.name,
            region=stack.region,
            account=self._account,
            vpc_id=self.network.vpc_id,
            subnet_ids=self.network.private_subnet_ids,
            tags=self._tags,
        )
        return Cluster("cluster", args)

    def _node_security(self) -> NodeSecurity:
        network = self._stack.vpc
        assert not isinstance(network, modes.OpenNetwork)  # noqa: S101 -- for the type checker: an open network is not closed
        args = NodeSecurityArgs(
            stack_name=self._stack.name,
            place=self.network.place,
            control_plane_group_id=self.cluster.security_group_id,
            ranges=network.ranges,
            neighbours=network.neighbours,
            tags=self._tags,
        )
        return NodeSecurity("nodes", args)

    def _pools(self) -> Pools:
        secured = [] if self.nodes is None else self.nodes.ready
        args = PoolsArgs(
            stack=self._stack,
            account=self._account,
            cluster_name=self.cluster.name,
            endpoint=self.cluster.endpoint,
            certificate_authority=self.cluster.certificate_authority,
            security_group_id=self._group,
            subnet_ids=self.network.private_subnet_ids,
            tags=self._tags,
            before_nodes=[*self.network.place.ready, *self.node_addons.ready, *secured],
            core_groups=[] if self.nodes is None else [self._group],
        )
        return Pools("pools", args)

    def _autoscaler(self) -> tuple[AutoscalerPolicy, AutoscalerIdentity]:
        stack = self._stack
        policy = AutoscalerPolicy("autoscaler-policy", AutoscalerPolicyArgs(cluster=stack.name, region=stack.region, account=self._account, tags=self._tags))
        args = AutoscalerIdentityArgs(stack_name=stack.name, cluster_name=self.cluster.name, policy_arn=policy.arn, tags=self._tags)
        return policy, AutoscalerIdentity("autoscaler-identity", args)

    def _homes(self) -> EfsHomes | None:
        section = self._stack.homes
        if not isinstance(section, EfsSection):
            return None
        args = EfsHomesArgs(stack=self._stack, homes=section, place=self.network.place, client_security_group_id=self._group, tags=self._tags)
        return EfsHomes("homes", args)

    def _backups(self) -> AwsBackups | SnapshotLifecycle | None:
        stack, section = self._stack, self._stack.backups
        if isinstance(section, NoBackups):
            return None
        shared: dict[str, Any] = {"stack_name": stack.name, "region": stack.region, "tags": self._tags}
        if isinstance(section, AwsBackup):
            return AwsBackups("backups", AwsBackupsArgs(backups=section, account=self._account, **shared))
        return SnapshotLifecycle("snapshots", SnapshotLifecycleArgs(backups=section, **shared))

    def _hub(self, name: str) -> HubCloud:
        args = HubCloudArgs(
            stack=self._stack,
            hub=name,
            place=self.network.place,
            node_security_group_id=self._group,
            core_group_name=self.pools.core_group_name,
            tags=self._tags,
        )
        return HubCloud(f"hub-{name}-cloud", args)

    def _runner(self) -> Runner | None:
        stack = self._stack
        if stack.runner is None or self._bucket is None:
            return None
        args = RunnerArgs(
            runner=stack.runner,
            stack_name=stack.name,
            region=stack.region,
            account=self._account,
            minor=stack.cluster.version,
            place=self.network.place,
            ranges=stack.network.ranges if not isinstance(stack.network, modes.OpenNetwork) else (),
            cluster_name=self.cluster.name,
            control_plane_group_id=self.cluster.security_group_id,
            bucket=self._bucket.bucket,
            bucket_arn=self._bucket.arn,
            environment=proxy_variables(stack),
            tags=self._tags,
        )
        return Runner("runner", args)

    def _watch(self) -> Watch | None:
        stack, homes = self._stack, self.homes
        if stack.alarms is None:
            return None
        watched = Watched(
            stack=stack,
            # Where homes are still to be handed over there is no hub yet, and none is missed.
            hubs=() if stack.ownership_pending else tuple(_watched_hub(stack, name, hub) for name, hub in self.hubs.items()),
            file_system=None if homes is None else homes.file_system_id,
            # One that retires launches nothing, and is short of nodes whenever one of its own has ended.
            groups={group.suffix: self.pools.groups[group.suffix].group_name for group in group_specs(stack) if not group.retiring},
        )
        shared: dict[str, Any] = {"account": self._account, "cluster_name": self.cluster.name, "tags": self._tags, "after": self.pools.ready}
        return Watch("watch", WatchArgs(watched=watched, watch=stack.alarms, **shared))

    def _facts(self) -> CloudFacts:
        handles = {} if self.homes is None else self.homes.volume_handles
        hubs = {
            name: HubFacts(
                homes_handle=handles.get(name),
                database_volume=hub.database_volume,
                database_url=hub.database_url,
                database_password=hub.database_password,
                after=hub.ready,
            )
            for name, hub in self.hubs.items()
        }
        after = [*self.controllers.ready, *([] if self.homes is None else self.homes.ready)]
        return CloudFacts(
            kubeconfig=self.cluster.kubeconfig,
            created=self.cluster.created,
            hubs=hubs,
            ownership_handle=None if self.homes is None else self.homes.ownership_handle,
            after=after,
            autoscaler_after=self.identity.ready,
        )


def _watched_hub(stack: StackConfig, name: str, hub: HubCloud) -> WatchedHub:
    balancer, target = (None, None) if hub.balancer is None or hub.balancer.watched_as is None else hub.balancer.watched_as
    return WatchedHub(
        name=name,
        balancer=balancer,
        target_group=target,
        certificate_arn=None if hub.balancer is None else hub.balancer.certificate_arn,
        certificate_ends=own_end(stack.hubs[name].entry),
        database_volume=hub.database_volume,
        database_instance=hub.database_instance,
    )
