"""`JupyterHubPlatform`: a whole stack, composed from a configuration. The build order is defined
here only.

`parts: all` builds everything in one stack. In an isolated network there are split stacks of one
program: the outer one (`cloud`) makes the resources of AWS's own API, from any machine; the inner
one (`cluster`), run inside the network, the objects in the cluster.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi.runtime import get_root_resource

from jupyterhub_aws.components.airgap.existing import ExistingNetwork, ExistingNetworkArgs
from jupyterhub_aws.components.airgap.network import AirgapNetwork, AirgapNetworkArgs
from jupyterhub_aws.components.airgap.registry import (
    BundleBucket,
    BundleBucketArgs,
    Repositories,
    RepositoriesArgs,
)
from jupyterhub_aws.components.airgap.runner import Runner, RunnerArgs
from jupyterhub_aws.components.autoscaler import (
    AutoscalerIdentity,
    AutoscalerIdentityArgs,
    AutoscalerPolicy,
    AutoscalerPolicyArgs,
    AutoscalerRelease,
    AutoscalerReleaseArgs,
    ClusterAutoscaler,
    ClusterAutoscalerArgs,
)
from jupyterhub_aws.components.backups import Backups, BackupsArgs, BackupsOutputs
from jupyterhub_aws.components.base import ArgumentError, Component, checked
from jupyterhub_aws.components.buckets import Buckets, BucketsArgs
from jupyterhub_aws.components.charts import chart
from jupyterhub_aws.components.cluster.cluster import Cluster, ClusterArgs
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.cluster.provider import provider_of
from jupyterhub_aws.components.facts import CloudFacts, exported, taken_over
from jupyterhub_aws.components.homes.efs import EfsHomes, EfsHomesArgs
from jupyterhub_aws.components.homes.jobs import Ownership, OwnershipArgs
from jupyterhub_aws.components.homes.volume_class import VolumeClass, VolumeClassArgs
from jupyterhub_aws.components.hub.args import HubParts, InClusterInputs
from jupyterhub_aws.components.hub.bucket_volumes import MountpointDriver, MountpointDriverArgs
from jupyterhub_aws.components.hub.cloud import HubCloudArgs
from jupyterhub_aws.components.hub.hub import JupyterHub
from jupyterhub_aws.components.image_repositories import ImageRepositories, ImageRepositoriesArgs
from jupyterhub_aws.components.imports import Imports
from jupyterhub_aws.components.monitoring.monitoring import Monitoring, MonitoringArgs
from jupyterhub_aws.components.needed import needed_charts, needed_images
from jupyterhub_aws.components.network.network import Network, NetworkArgs
from jupyterhub_aws.components.node_agents import NodeAgents, NodeAgentsArgs
from jupyterhub_aws.components.pools.args import NodePoolsOutputs
from jupyterhub_aws.components.pools.pools import NodePools, NodePoolsArgs
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config import network as modes
from jupyterhub_aws.config.backups import NoBackups
from jupyterhub_aws.config.chart import CHART
from jupyterhub_aws.config.cloud_config import Configuration
from jupyterhub_aws.config.cluster import EksCluster, ExistingCluster
from jupyterhub_aws.config.egress import ProxyEgress
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.homes import EfsHomesSection as EfsSection
from jupyterhub_aws.config.keys import canonical
from jupyterhub_aws.config.model import said
from jupyterhub_aws.config.registry import EcrRegistry
from jupyterhub_aws.config.runner import RunnerSection
from jupyterhub_aws.config.secrets import missing_secrets
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.hub import HubSpec
from jupyterhub_aws.config.specs.images import Images
from jupyterhub_aws.config.specs.network import endpoint_reasons
from jupyterhub_aws.config.stack import PROJECT, PROVIDER_KEYS, StackConfig, file_key

#: On a program's root resource: the name of its platform.
_FIRST = "_jupyterhub_aws_platform"
AnyNetwork = Network | AirgapNetwork | ExistingNetwork


@dataclass(frozen=True, kw_only=True, eq=False)
class JupyterHubPlatformArgs:
    """What a platform is made from.

    `configuration` has the sections of a stack file by their names (docs/reference.md), `region`
    and `accounts` among them: Python values, or JSON text as the engine hands it over. `secrets`
    are the values that the hubs of the configuration need, by their keys
    (`hub-main-client-secret`): they are passed on, never read. `source` names the configuration in
    messages.
    """

    configuration: Mapping[str, Any]
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    source: str = "configuration"

    def resolved(self) -> StackConfig:
        """The validated stack. Raises ArgumentError with every problem, a secret that is missing
        among them.
        """
        values = {
            PROVIDER_KEYS.get(key, key): _as_text(value)
            for key, value in self.configuration.items()
        }
        try:
            by_key = canonical(values, PROJECT, self.source)
            stack = validated(
                Configuration(
                    values=by_key, secret=tuple(map(file_key, self.secrets)), source=self.source
                )
            )
        except ConfigError as error:
            raise ArgumentError(error.source, error.problems) from None
        missing = missing_secrets(stack.hubs_inside, [file_key(key) for key in self.secrets])
        if missing:
            fix = "run: pulumi config set --secret {}"
            problems = [
                Problem(
                    id="secret.missing",
                    path=f"hubs.{wanted.hub}",
                    what=f"the {wanted.what} is missing",
                    fix=fix.format(wanted.key),
                )
                for wanted in missing
            ]
            raise ArgumentError(self.source, problems)
        return stack


def _as_text(value: object) -> str:
    """A value as the engine hands it over: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _refuse_a_second(name: str) -> None:
    """Raise ArgumentError where the program has a platform already."""
    root = get_root_resource()
    first = getattr(root, _FIRST, None)
    if first is not None:
        raise refused_second(name, first)
    if root is not None:
        setattr(root, _FIRST, name)


def refused_second(name: str, first: str) -> ArgumentError:
    """The problem of a second platform in one program: both would use the stack's file, its
    outputs and its imports.
    """
    fix = (
        "several hubs of one cluster are entries of `hubs`; another cluster is another stack, or"
        " made of the components"
    )
    what = (
        f"is a second platform in one program (the first one is {first}), and both would export the"
        " same outputs"
    )
    return ArgumentError(
        JupyterHubPlatform.__name__, [Problem(id="platform.second", path=name, what=what, fix=fix)]
    )


class JupyterHubPlatform(Component):
    """Network, cluster, node pools, homes, backups, monitoring and hubs of one configuration. A
    program has one of them at most.

    Raises ArgumentError, before anything is registered, with every problem of the configuration.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:JupyterHubPlatform"

    def __init__(
        self, name: str, args: JupyterHubPlatformArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = checked(type(self), name, args, JupyterHubPlatformArgs)
        _refuse_a_second(name)
        self._stack = stack = args.resolved()  # before anything is registered
        self._secrets = args.secrets
        self._specs = resolve(stack)
        imports = Imports(stack.imports)
        super().__init__(name, opts)
        #: The tags of everything in AWS that the stack makes, for what a program adds.
        self.tags = self._tags = stack.tags.as_aws(stack.name)
        #: What the stack exports: the outputs of docs/reference.md.
        self.exports: dict[str, pulumi.Input[Any]] = {}
        facts = self._facts()
        inside = None if stack.parts == "cloud" else self._in_cluster(facts)
        #: The hubs by name.
        self.hubs = self._hubs(facts, inside)
        if stack.parts != "cluster" and isinstance(stack.cluster, EksCluster):
            monitoring = self._monitoring()
            if monitoring is not None:
                self.exports["alarms_topic"] = monitoring.topic_arn
        if inside is None:
            self.exports |= exported(
                stack, replace(facts, hubs={name: hub.facts for name, hub in self.hubs.items()})
            )
        else:
            self.exports["hubs"] = {
                name: hub.exports for name, hub in self.hubs.items() if name in stack.hubs_inside
            }
        self.exports["imported"] = imports.confirmed([self])
        self.register_outputs(
            {
                "name": stack.name,
                **{
                    key: value
                    for key, value in self.exports.items()
                    if key not in ("imported", "hubs")
                },
            }
        )

    @property
    def images(self) -> Images:
        """Where images and charts come from: for components that a program adds."""
        return self._specs.images

    def _facts(self) -> CloudFacts:
        """The AWS resources: made here, taken from the outer stack's outputs, or empty where the
        cluster exists already.
        """
        if self._stack.parts == "cluster":
            return taken_over(self._stack)
        if isinstance(self._stack.cluster, EksCluster):
            return self._cloud()
        return CloudFacts(kubeconfig=None, hubs={})

    def _cloud(self) -> CloudFacts:
        """What AWS's own API makes, in build order: network, cluster, add-ons, nodes, homes, and
        each hub's own part.
        """
        stack = self._stack
        self._account = aws.get_caller_identity_output().account_id
        self._bucket = None if stack.runner is None else self._bundle_bucket(stack.runner)
        self.network = self._network()
        self.cluster = self._cluster()
        self._group = self.cluster.outputs.node_group_id
        self.pools = self._pools()
        if stack.parts == "cloud":
            self._autoscaler_identity()
        self.backups = self._backups()
        self.homes = self._homes()
        self.buckets = self._user_buckets()
        self.mountpoint = self._mountpoint()
        if isinstance(stack.registry, EcrRegistry):
            Repositories("registry", self._repositories(), self.child())
        if stack.image_repositories:
            own_images = ImageRepositoriesArgs(
                repositories=stack.image_repositories, physical_name=stack.name, tags=self._tags
            )
            made = ImageRepositories("images", own_images, self.child())
            self.exports["image_repositories"] = made.addresses
        runner = self._runner()
        self.exports |= {
            "cluster_name": self.cluster.outputs.name_output,
            "kubeconfig": self.cluster.outputs.kubeconfig_json,
            "vpc_id": self.network.outputs.vpc_id,
            "scheduling": self._specs.node_pools.scheduling,
        }
        if runner is not None and self._bucket is not None:
            self.exports |= {"runner": runner.instance_id, "bundle_bucket": self._bucket.bucket}
        after = [
            *self.pools.outputs.ready,
            *([] if self.homes is None else self.homes.outputs.ready),
        ]
        return CloudFacts(
            kubeconfig=self.cluster.outputs.kubeconfig_json,
            created=self.cluster.outputs.created,
            hubs={},
            ownership_handle=None if self.homes is None else self.homes.outputs.ownership_handle,
            after=after,
        )

    def _in_cluster(self, facts: CloudFacts) -> InClusterInputs:
        """The objects in the cluster besides the hubs. In an existing cluster only those that
        hubs need.
        """
        stack = self._stack
        self.kubernetes_provider: kubernetes.Provider = provider_of(
            "kubernetes", self._specs.cluster_access, facts.kubeconfig, facts.created, self.child()
        )
        inside = self.child(providers=[self.kubernetes_provider])
        if isinstance(stack.cluster, EksCluster):
            self._autoscaler(inside)
            NodeAgents("node-agents", self._node_agents(facts), inside)
        after = list(facts.after)
        if self._specs.volume_class is not None:
            after += VolumeClass(
                "homes", VolumeClassArgs(homes=self._specs.volume_class, tags=self._tags), inside
            ).ready
        if stack.ownership_pending:
            image = self._specs.images.named(next(iter(self._specs.hubs.values())).server_image)
            handing_over = OwnershipArgs(
                name=stack.name, image=image, volume_handle=facts.ownership_handle, depends_on=after
            )
            Ownership("homes-ownership", handing_over, inside)
        there = stack.cluster
        if isinstance(there, ExistingCluster):
            self.exports["cluster_access"] = {
                "file": there.kubeconfig or "",
                "context": there.context or "",
            }
        elif facts.kubeconfig is not None:
            self.exports["kubeconfig"] = facts.kubeconfig
        return InClusterInputs(
            images=resolve(stack).images,
            # Helm waits until hub and proxy are ready; nothing in the release needs a user node.
            # Paused there is no node at all.
            chart=chart(
                CHART,
                resolve(stack).images,
                kubernetes=stack.cluster.version,
                awaited=not stack.paused,
            ),
            secrets=self._secrets,
            depends_on=after,
            kubeconfig=facts.kubeconfig,
            access=there if isinstance(there, ExistingCluster) else None,
            cluster_name=stack.name if isinstance(there, EksCluster) else None,
            tags=self._tags,
        )

    def _node_agents(self, facts: CloudFacts) -> NodeAgentsArgs:
        """Cluster and pools by their specification alone, where the outer stack made them."""
        specs, stack = self._specs, self._stack
        cluster = ClusterOutputs(
            name=stack.name,
            version=stack.cluster.version,
            network=specs.network,
            kubeconfig=facts.kubeconfig,
        )
        return NodeAgentsArgs(
            cluster=cluster, pools=NodePoolsOutputs(spec=specs.node_pools), images=specs.images
        )

    def _hubs(self, facts: CloudFacts, inside: InClusterInputs | None) -> dict[str, JupyterHub]:
        """Every hub with the parts that this stack makes: none inside the cluster as long as
        homes need a new owner.
        """
        stack, made_here = (
            self._stack,
            isinstance(self._stack.cluster, EksCluster) and self._stack.parts != "cluster",
        )
        handles = self.homes.outputs.volume_handles if made_here and self.homes is not None else {}
        found = {}
        for name, hub in resolve(stack).hubs.items():
            in_cluster = inside if name in stack.hubs_inside else None
            if not made_here and in_cluster is None:
                continue
            parts = HubParts(
                hub=hub,
                cloud=self._hub_cloud(hub) if made_here else None,
                facts=facts.hubs.get(name),
                in_cluster=in_cluster,
                homes_handle=handles.get(name),
            )
            options = (
                self.child() if inside is None else self.child(providers=[self.kubernetes_provider])
            )
            found[name] = JupyterHub(f"hub-{name}", parts, options)
        return found

    def _bundle_bucket(self, runner: RunnerSection) -> BundleBucket:
        name = runner.bucket or self._account.apply(
            lambda account: f"{self._stack.name}-bundle-{account}"
        )
        return BundleBucket("bundle", BundleBucketArgs(bucket=name, tags=self._tags), self.child())

    def _network(self) -> AnyNetwork:
        stack, section = self._stack, self._stack.vpc
        shared: dict[str, Any] = {"physical_name": stack.name, "tags": self._tags}
        if isinstance(section, modes.OpenNetworkSection):
            own = NetworkArgs(
                zones=section.zones,
                cidr=section.cidr,
                nat=section.nat,
                flow_logs=section.flow_logs,
                without_nat=stack.drops("nat"),
                **shared,
            )
            return Network("network", own, self.child())
        shared |= {
            "services": endpoint_reasons(stack),
            "additional_endpoints": section.additional_endpoints,
            "buckets": [
                *([] if self._bucket is None else [self._bucket.bucket]),
                *section.buckets,
                *(
                    name
                    for spec in self._specs.buckets.values()
                    if (name := spec.bucket_name) not in section.buckets
                ),
            ],
            "internal_hosts": section.internal_hosts,
            "peer_networks": section.peer_networks,
            "system_packages": stack.runner is not None,
            "account": self._account,
        }
        if isinstance(section, modes.AirgapNetworkSection):
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
            manage_endpoints=section.manage_endpoints,
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
        stack = self._stack
        args = NodePoolsArgs(
            cluster=self.cluster.outputs,
            pools={name: said(pool) for name, pool in stack.pools.user.items()},
            core=said(stack.pools.core),
            per_zone=stack.homes.kind == "ebs",
            efs_driver=isinstance(stack.homes, EfsSection),
            volume_key=stack.eks.volume_key,
            paused=stack.paused,
            tags=self._tags,
            account=self._account,
        )
        return NodePools("pools", args, self.child())

    def _repositories(self) -> RepositoriesArgs:
        """A repository for each image, and for each chart unless charts come from a folder."""
        specs = self._specs
        charts = needed_charts(specs) if specs.images.charts is None else ()
        return RepositoriesArgs(
            registry=str(specs.images.registry),
            images=[needed.reference for needed in needed_images(specs)],
            charts=[needed.reference for needed in charts],
            tags=self._tags,
        )

    def _autoscaler_identity(self) -> None:
        """The AWS resources of the autoscaler, where the inner stack makes its release."""
        stack, cluster = self._stack, self.cluster.outputs
        policy = AutoscalerPolicyArgs(
            cluster_name=stack.name, region=stack.region, account=self._account, tags=self._tags
        )
        arn = AutoscalerPolicy("autoscaler-policy", policy, self.child()).arn
        identity = AutoscalerIdentityArgs(
            name=stack.name, cluster_name=cluster.name_output, policy_arn=arn, tags=self._tags
        )
        AutoscalerIdentity("autoscaler-identity", identity, self.child())

    def _autoscaler(self, inside: pulumi.ResourceOptions) -> None:
        """The whole autoscaler, or only its release where the outer stack made the AWS
        resources.
        """
        spec, images = self._specs.autoscaler, self._specs.images
        if self._stack.parts == "all":
            args = ClusterAutoscalerArgs(
                cluster=self.cluster.outputs,
                pools=self.pools.outputs,
                images=images,
                paused=self._stack.paused,
                tags=self._tags,
                account=self._account,
            )
            ClusterAutoscaler("autoscaler", args, inside)
        elif spec is not None:
            AutoscalerRelease("autoscaler", AutoscalerReleaseArgs(spec=spec, images=images), inside)

    def _homes(self) -> EfsHomes | None:
        section = self._stack.homes
        if not isinstance(section, EfsSection):
            return None
        args = EfsHomesArgs(
            cluster=self.cluster.outputs,
            hubs=sorted(self._stack.hubs),
            infrequent_access_days=section.infrequent_access_days,
            adopted=section.adopted,
            backups=(
                BackupsOutputs(spec=self._specs.backups)
                if self.backups is None
                else self.backups.outputs
            ),
            backup=section.backup,
            physical_name=self._stack.name,
            tags=self._tags,
        )
        return EfsHomes("homes", args, self.child())

    def _user_buckets(self) -> Buckets | None:
        """The buckets for users' data; None where the stack makes none."""
        stack = self._stack
        if not any(spec.made for spec in self._specs.buckets.values()):
            return None
        args = BucketsArgs(
            region=stack.region,
            account=stack.accounts[0] if stack.accounts else None,
            buckets={name: said(bucket) for name, bucket in stack.buckets.items()},
            backups=None if self.backups is None else self.backups.outputs,
            physical_name=stack.name,
            tags=self._tags,
        )
        made = Buckets("buckets", args, self.child())
        self.exports["buckets"] = {
            spec.name: spec.bucket_name for spec in self._specs.buckets.values()
        }
        return made

    def _mountpoint(self) -> MountpointDriver | None:
        """The driver of buckets that servers mount; None where no hub mounts one."""
        stack = self._stack
        mounted = [item for hub in self._specs.hubs.values() for item in hub.mounted]
        if not mounted:
            return None
        args = MountpointDriverArgs(
            cluster_name=self.cluster.outputs.name_output,
            version=stack.cluster.version,
            prefix=stack.name,
            mounted=mounted,
            depends_on=self.pools.outputs.nodes,
            paused=stack.paused,
            tags=self._tags,
        )
        return MountpointDriver("mountpoint", args, self.child())

    def _backups(self) -> Backups | None:
        stack, section = self._stack, self._stack.backups
        if isinstance(section, NoBackups):
            return None
        options: dict[str, Any] = {key: value for key, value in section if key != "drill_days"}
        args = BackupsArgs(
            region=stack.region,
            physical_name=stack.name,
            tags=self._tags,
            account=self._account,
            buckets=any(spec.backup_tags for spec in self._specs.buckets.values()),
            **options,
        )
        return Backups(
            "backups" if section.kind == "aws_backup" else "snapshots", args, self.child()
        )

    def _hub_cloud(self, hub: HubSpec) -> HubCloudArgs:
        return HubCloudArgs(
            hub=hub,
            network=self.network.outputs,
            node_security_group_id=self._group,
            core_group_name=self.pools.outputs.core_group_name or "",
            cluster_name=self.cluster.outputs.name_output,
            tags=self._tags,
        )

    def _runner(self) -> Runner | None:
        stack = self._stack
        if stack.runner is None or self._bucket is None:
            return None
        args = RunnerArgs(
            runner=stack.runner,
            cluster=self.cluster.outputs,
            account=self._account,
            bucket=self._bucket.bucket,
            bucket_arn=self._bucket.arn,
            tags=self._tags,
        )
        return Runner("runner", args, self.child())

    def _monitoring(self) -> Monitoring | None:
        stack, options = self._stack, self._stack.alarms
        if options is None:
            return None
        args = MonitoringArgs(
            cluster=self.cluster.outputs,
            pools=self.pools.outputs,
            homes=None if self.homes is None else self.homes.outputs,
            # As long as homes need a new owner there is no hub, and no alarm for a missing one.
            hubs=() if stack.ownership_pending else [hub.monitored for hub in self.hubs.values()],
            paused=stack.paused,
            physical_name=stack.name,
            tags=self._tags,
            account=self._account,
            **{key: value for key, value in options if key != "kind"},
        )
        return Monitoring("watch", args, self.child())
