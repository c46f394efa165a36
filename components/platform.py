"""`JupyterHubPlatform`: a whole stack, composed from a configuration. The build order is here, and nowhere else.

`parts: all` builds everything in one stack. In an isolated network `cloud` and `cluster` are two stacks of one program: the first makes what AWS's own
API makes, from anywhere; the second, from inside, what the Kubernetes API makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from jupyterhub_aws.components.addons.addons import AddonsArgs, ControllerAddons
from jupyterhub_aws.components.airgap.bucket import BundleBucket, BundleBucketArgs
from jupyterhub_aws.components.airgap.existing import ExistingNetwork, ExistingNetworkArgs
from jupyterhub_aws.components.airgap.network import AirgapNetwork, AirgapNetworkArgs
from jupyterhub_aws.components.airgap.repositories import Repositories, RepositoriesArgs
from jupyterhub_aws.components.airgap.runner import Runner, RunnerArgs
from jupyterhub_aws.components.autoscaler.autoscaler import Autoscaler, AutoscalerArgs, AutoscalerIdentity, AutoscalerIdentityArgs
from jupyterhub_aws.components.autoscaler.policy import AutoscalerPolicy, AutoscalerPolicyArgs
from jupyterhub_aws.components.backups.backups import AwsBackups, AwsBackupsArgs
from jupyterhub_aws.components.backups.snapshots import SnapshotLifecycle, SnapshotLifecycleArgs
from jupyterhub_aws.components.base import ArgumentError, Component
from jupyterhub_aws.components.cluster.cluster import Cluster, ClusterArgs
from jupyterhub_aws.components.cluster.provider import provider_of
from jupyterhub_aws.components.facts import CloudFacts, HubFacts, exported, taken_over
from jupyterhub_aws.components.homes.efs import EfsHomes, EfsHomesArgs
from jupyterhub_aws.components.homes.ownership import Ownership, OwnershipArgs
from jupyterhub_aws.components.homes.volume_class import VolumeClass, VolumeClassArgs
from jupyterhub_aws.components.hub.cloud import HubCloud, HubCloudArgs
from jupyterhub_aws.components.hub.hub import Hub, HubArgs
from jupyterhub_aws.components.hub.values.closed import proxy_variables
from jupyterhub_aws.components.imports import Imports
from jupyterhub_aws.components.monitoring.certificates import own_end
from jupyterhub_aws.components.monitoring.monitoring import Monitoring, MonitoringArgs
from jupyterhub_aws.components.monitoring.watched import Watched, WatchedHub
from jupyterhub_aws.components.network.network import Network, NetworkArgs
from jupyterhub_aws.components.node_agents import NodeAgents, NodeAgentsArgs
from jupyterhub_aws.components.pools.args import NodePoolsArgs
from jupyterhub_aws.components.pools.pools import NodePools
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config import network as modes
from jupyterhub_aws.config.backups import AwsBackup, NoBackups
from jupyterhub_aws.config.cluster import EksCluster, ExistingCluster
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.halves import Configuration
from jupyterhub_aws.config.homes import EbsHomes
from jupyterhub_aws.config.homes import EfsHomes as EfsSection
from jupyterhub_aws.config.keys import canonical
from jupyterhub_aws.config.neighbours import ProxyEgress
from jupyterhub_aws.config.registry import EcrRegistry
from jupyterhub_aws.config.resting import endpoint_reasons
from jupyterhub_aws.config.runner import Runner as RunnerSection
from jupyterhub_aws.config.secrets import missing_secrets
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.node_groups import group_specs
from jupyterhub_aws.config.stack import PROJECT, PROVIDER_KEYS, StackConfig, file_key

AnyNetwork = Network | AirgapNetwork | ExistingNetwork


@dataclass(frozen=True, kw_only=True, eq=False)
class JupyterHubPlatformArgs:
    """What a platform is made from.

    `configuration` has the sections of a stack file by their names (docs/reference.md), `region` and `accounts` among them: Python values, or JSON text
    as the engine hands it over. `secrets` are the values that the hubs of the configuration need, by their keys (`hub-main-client-secret`): they are
    handed on, never read. `source` names the configuration in messages.
    """

    configuration: Mapping[str, Any]
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    source: str = "configuration"

    def resolved(self) -> StackConfig:
        """The validated stack. Raises ArgumentError with every problem, a secret that is missing among them."""
        values = {PROVIDER_KEYS.get(key, key): _as_text(value) for key, value in self.configuration.items()}
        try:
            by_key = canonical(values, PROJECT, self.source)
            stack = validated(Configuration(values=by_key, secret=tuple(map(file_key, self.secrets)), source=self.source))
        except ConfigError as error:
            raise ArgumentError(error.source, error.problems) from None
        missing = missing_secrets(stack.hubs_inside, [file_key(key) for key in self.secrets])
        if missing:
            fix = "run: pulumi config set --secret {}"
            problems = [Problem(path=f"hubs.{wanted.hub}", what=f"the {wanted.what} is missing", fix=fix.format(wanted.key)) for wanted in missing]
            raise ArgumentError(self.source, problems)
        return stack


def _as_text(value: object) -> str:
    """A value as the engine hands it over: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


class JupyterHubPlatform(Component):
    """Network, cluster, node pools, homes, backups, monitoring and hubs of one configuration. A program has one of them at most.

    Raises ArgumentError, before anything is registered, with every problem of the configuration.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:JupyterHubPlatform"

    def __init__(self, name: str, args: JupyterHubPlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self._stack = stack = args.resolved()  # before anything is registered
        self._secrets = args.secrets
        self._specs = resolve(stack)
        imports = Imports(stack.imports)
        super().__init__(name, opts)
        self._tags = stack.tags.as_aws(stack.name)
        #: What the stack exports: the outputs of docs/reference.md.
        self.exports: dict[str, pulumi.Input[Any]] = {}
        facts = self._facts()
        if stack.parts == "cloud":
            self.exports |= exported(stack, facts)
        else:
            self._in_cluster(facts)
        self.exports["imported"] = imports.confirmed([self])
        self.register_outputs({})

    def _facts(self) -> CloudFacts:
        """The AWS half: made here, taken from the stack that made it, or nobody's business where the cluster exists already."""
        if self._stack.parts == "cluster":
            return taken_over(self._stack)
        if isinstance(self._stack.cluster, EksCluster):
            return self._cloud()
        return CloudFacts(kubeconfig=None, hubs={})

    def _cloud(self) -> CloudFacts:
        """What AWS's own API makes, in build order: network, cluster, add-ons, nodes, homes, and each hub's own part."""
        stack = self._stack
        self._account = aws.get_caller_identity_output().account_id
        self._bucket = None if stack.runner is None else self._bundle_bucket(stack.runner)
        self.network = self._network()
        self.cluster = self._cluster()
        self._group = self.cluster.outputs.node_group_id
        self.pools = self._pools()
        addons = AddonsArgs(
            cluster=self.cluster.outputs,
            tags=self._tags,
            efs_driver=stack.homes.kind == "efs",
            depends_on=self.pools.ready,
            paused=stack.paused,
        )
        controllers = ControllerAddons("controller-addons", addons, self.child())
        self.policy, self.identity = self._autoscaler()
        self.homes = self._homes()
        self.backups = self._backups()
        self.hub_clouds = {name: self._hub(name) for name in sorted(stack.hubs)}
        if isinstance(stack.registry, EcrRegistry):
            Repositories("registry", RepositoriesArgs(stack=stack, tags=self._tags), self.child())
        runner = self._runner()
        monitoring = self._monitoring()
        self.exports |= {
            "cluster_name": self.cluster.outputs.name_output,
            "kubeconfig": self.cluster.outputs.kubeconfig_json,
            "vpc_id": self.network.outputs.vpc_id,
            "scheduling": self.pools.scheduling,
        }
        if runner is not None and self._bucket is not None:
            self.exports |= {"runner": runner.instance_id, "bundle_bucket": self._bucket.bucket}
        if monitoring is not None:
            self.exports["alarms_topic"] = monitoring.topic_arn
        after = [*controllers.ready, *([] if self.homes is None else self.homes.ready)]
        return CloudFacts(
            kubeconfig=self.cluster.outputs.kubeconfig_json,
            created=self.cluster.outputs.created,
            hubs=self._hub_facts(),
            ownership_handle=None if self.homes is None else self.homes.ownership_handle,
            after=after,
            autoscaler_after=self.identity.ready,
        )

    def _hub_facts(self) -> dict[str, HubFacts]:
        handles = {} if self.homes is None else self.homes.volume_handles
        return {
            name: HubFacts(
                homes_handle=handles.get(name),
                database_volume=hub.database_volume,
                database_url=hub.database_url,
                database_password=hub.database_password,
                after=hub.ready,
            )
            for name, hub in self.hub_clouds.items()
        }

    def _in_cluster(self, facts: CloudFacts) -> None:
        """What the Kubernetes API makes: what nodes need, and the hubs. In a cluster that existed already only the hubs and what they stand on."""
        stack = self._stack
        self.kubernetes_provider: kubernetes.Provider = provider_of(
            "kubernetes", self._specs.cluster_access, facts.kubeconfig, facts.created, self.child()
        )
        inside = self.child(providers=[self.kubernetes_provider])
        if isinstance(stack.cluster, EksCluster):
            Autoscaler("autoscaler", AutoscalerArgs(stack=stack, after=facts.autoscaler_after), inside)
            NodeAgents("node-agents", NodeAgentsArgs(stack=stack), inside)
        after = list(facts.after)
        if isinstance(stack.homes, EbsHomes):
            after += VolumeClass("homes", VolumeClassArgs(stack=stack, homes=stack.homes, tags=self._tags), inside).ready
        shared: dict[str, Any] = {"stack": stack, "given": self._secrets, "after": after, "kubeconfig": facts.kubeconfig}
        self.hubs = {
            name: Hub(f"hub-{name}", HubArgs(**shared, hub=name, facts=facts.hubs.get(name, HubFacts())), inside) for name in sorted(stack.hubs_inside)
        }
        if stack.ownership_pending:
            Ownership("homes-ownership", OwnershipArgs(stack=stack, volume_handle=facts.ownership_handle, after=after), inside)
        self.exports["hubs"] = {name: hub.exports for name, hub in self.hubs.items()}
        there = stack.cluster
        if isinstance(there, ExistingCluster):
            self.exports["cluster_access"] = {"file": there.kubeconfig or "", "context": there.context or ""}
        elif facts.kubeconfig is not None:
            self.exports["kubeconfig"] = facts.kubeconfig

    def _bundle_bucket(self, runner: RunnerSection) -> BundleBucket:
        name = runner.bucket or self._account.apply(lambda account: f"{self._stack.name}-bundle-{account}")
        return BundleBucket("bundle", BundleBucketArgs(bucket=name, tags=self._tags), self.child())

    def _network(self) -> AnyNetwork:
        stack, section = self._stack, self._stack.vpc
        shared: dict[str, Any] = {"physical_name": stack.name, "tags": self._tags}
        if isinstance(section, modes.OpenNetwork):
            own = NetworkArgs(
                zones=section.zones, cidr=section.cidr, nat=section.nat, flow_logs=section.flow_logs, without_nat=stack.drops("nat"), **shared
            )
            return Network("network", own, self.child())
        shared |= {
            "services": endpoint_reasons(stack),
            "further_endpoints": section.further_endpoints,
            "buckets": [*([] if self._bucket is None else [self._bucket.bucket]), *section.buckets],
            "inside_hosts": section.inside_hosts,
            "peer_networks": section.peer_networks,
            "system_packages": stack.runner is not None,
            "account": self._account,
        }
        if isinstance(section, modes.AirgapNetwork):
            isolated = AirgapNetworkArgs(
                zones=section.zones,
                cidr=section.cidr,
                flow_logs=section.flow_logs,
                egress=section.egress if isinstance(section.egress, ProxyEgress) else None,
                endpoint_zones=section.endpoint_zones,
                **shared,
            )
            return AirgapNetwork("network", isolated, self.child())
        existing = ExistingNetworkArgs(
            vpc_id=section.vpc_id,
            cidr=section.cidr,
            private_subnets=section.private_subnets,
            public_subnets=section.public_subnets,
            egress=section.egress,
            endpoints_made=section.endpoints_made,
            route_tables=section.route_tables,
            **shared,
        )
        return ExistingNetwork("network", existing, self.child())

    def _cluster(self) -> Cluster:
        stack, section = self._stack, self._stack.eks
        args = ClusterArgs(
            network=self.network.outputs,
            version=section.version,
            administrators=section.administrators,
            public_access_cidrs=section.api.public_access_cidrs,
            public=section.api.public,
            service_cidr=section.service_cidr,
            logs=section.logs,
            log_retention_days=section.log_retention_days,
            protected=section.protected,
            paused=stack.paused,
            physical_name=stack.name,
            tags=self._tags,
            account=self._account,
        )
        return Cluster("cluster", args, self.child())

    def _pools(self) -> NodePools:
        network, cluster = self.network.outputs, self.cluster.outputs
        args = NodePoolsArgs(
            stack=self._stack,
            account=self._account,
            cluster_name=cluster.name_output,
            endpoint=str(cluster.endpoint) if cluster.endpoint is None else cluster.endpoint,
            certificate_authority=str(cluster.certificate_authority) if cluster.certificate_authority is None else cluster.certificate_authority,
            security_group_id=self._group,
            subnet_ids=network.private_subnet_ids,
            tags=self._tags,
            before_nodes=[*network.ready, *cluster.ready],
            core_groups=[] if cluster.node_security_group_id is None else [self._group],
        )
        return NodePools("pools", args, self.child())

    def _autoscaler(self) -> tuple[AutoscalerPolicy, AutoscalerIdentity]:
        stack = self._stack
        policy = AutoscalerPolicy(
            "autoscaler-policy", AutoscalerPolicyArgs(cluster=stack.name, region=stack.region, account=self._account, tags=self._tags), self.child()
        )
        args = AutoscalerIdentityArgs(stack_name=stack.name, cluster_name=self.cluster.outputs.name_output, policy_arn=policy.arn, tags=self._tags)
        return policy, AutoscalerIdentity("autoscaler-identity", args, self.child())

    def _homes(self) -> EfsHomes | None:
        section = self._stack.homes
        if not isinstance(section, EfsSection):
            return None
        args = EfsHomesArgs(stack=self._stack, homes=section, network=self.network.outputs, client_security_group_id=self._group, tags=self._tags)
        return EfsHomes("homes", args, self.child())

    def _backups(self) -> AwsBackups | SnapshotLifecycle | None:
        stack, section = self._stack, self._stack.backups
        if isinstance(section, NoBackups):
            return None
        shared: dict[str, Any] = {"stack_name": stack.name, "region": stack.region, "tags": self._tags}
        if isinstance(section, AwsBackup):
            return AwsBackups("backups", AwsBackupsArgs(backups=section, account=self._account, **shared), self.child())
        return SnapshotLifecycle("snapshots", SnapshotLifecycleArgs(backups=section, **shared), self.child())

    def _hub(self, name: str) -> HubCloud:
        args = HubCloudArgs(
            stack=self._stack,
            hub=name,
            network=self.network.outputs,
            node_security_group_id=self._group,
            core_group_name=self.pools.core_group_name,
            tags=self._tags,
        )
        return HubCloud(f"hub-{name}-cloud", args, self.child())

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
            network=self.network.outputs,
            cluster_name=self.cluster.outputs.name_output,
            control_plane_group_id=self.cluster.outputs.control_plane_group_id,
            bucket=self._bucket.bucket,
            bucket_arn=self._bucket.arn,
            environment=proxy_variables(stack),
            tags=self._tags,
        )
        return Runner("runner", args, self.child())

    def _monitoring(self) -> Monitoring | None:
        stack, homes = self._stack, self.homes
        if stack.alarms is None:
            return None
        watched = Watched(
            stack=stack,
            # Where homes are still to be handed over there is no hub yet, and none is missed.
            hubs=() if stack.ownership_pending else tuple(_watched_hub(stack, name, hub) for name, hub in self.hub_clouds.items()),
            file_system=None if homes is None else homes.file_system_id,
            # One that retires launches nothing, and is short of nodes whenever one of its own has ended.
            groups={group.suffix: self.pools.groups[group.suffix].group_name for group in group_specs(stack) if not group.retiring},
        )
        shared: dict[str, Any] = {"account": self._account, "cluster_name": self.cluster.outputs.name_output, "tags": self._tags, "after": self.pools.ready}
        return Monitoring("watch", MonitoringArgs(watched=watched, watch=stack.alarms, **shared), self.child())


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
