"""The arguments of a standalone hub: typed values and handles, checked by the same rules as a
stack file before anything is registered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.backups import BackupsOutputs
from jupyterhub_aws.components.buckets import BucketsOutputs
from jupyterhub_aws.components.charts import chart
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.facts import HubFacts
from jupyterhub_aws.components.homes.efs import EfsHomesOutputs
from jupyterhub_aws.components.hub.cloud import HubCloudArgs
from jupyterhub_aws.components.hub.values.problems import hub_problems
from jupyterhub_aws.components.pools.args import NodePoolsOutputs
from jupyterhub_aws.config.aws_access import AwsAccess
from jupyterhub_aws.config.chart import CHART
from jupyterhub_aws.config.cluster import EksCluster, ExistingCluster
from jupyterhub_aws.config.database import Database
from jupyterhub_aws.config.entry import Entry, LoadBalancerEntry
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.homes import (
    EbsHomes,
    EfsAccessPointHomes,
    EfsHomesSection,
    EphemeralHomes,
    Homes,
    NfsHomes,
)
from jupyterhub_aws.config.hub import Culling, Hub
from jupyterhub_aws.config.image_rules import images_can_be_pulled
from jupyterhub_aws.config.maintenance import MaintenancePage
from jupyterhub_aws.config.mirrors import PackageMirrors
from jupyterhub_aws.config.network import ExistingNetworkSection
from jupyterhub_aws.config.pages import HubPages
from jupyterhub_aws.config.profiles import ImageChoice, Profile
from jupyterhub_aws.config.secrets import SECRET_ENDINGS, missing_secrets, service_token_key
from jupyterhub_aws.config.services import Service
from jupyterhub_aws.config.sign_in import SignIn
from jupyterhub_aws.config.specs.buckets import BucketSpec
from jupyterhub_aws.config.specs.hub import HubSpec, hub_spec
from jupyterhub_aws.config.specs.images import Images
from jupyterhub_aws.config.specs.network import NetworkSpec
from jupyterhub_aws.config.stack import StackConfig, broken_rules, file_key
from jupyterhub_aws.config.unlisted_image import UnlistedImage
from jupyterhub_aws.config.values import ShortName
from jupyterhub_aws.config.volumes import SharedDirectory, Volume

# --- The two parts of a hub as a component takes them: its resources in AWS, and its objects in the
# cluster.


@dataclass(frozen=True, kw_only=True, eq=False)
class InClusterInputs:
    """What the part of a hub inside the cluster needs: `images` names images, `chart` says where
    the z2jh chart comes from (components/charts.py).

    `secrets` are the encrypted values of the stack file by key, `depends_on` what its pods need.
    The cluster is reached by `kubeconfig` (its text; None: by the file that `access` names, or the
    caller's own) to find out why pods are not ready.
    """

    images: Images
    chart: Mapping[str, Any]
    secrets: Mapping[str, pulumi.Input[str]]
    depends_on: Sequence[pulumi.Resource] = ()
    kubeconfig: pulumi.Input[str] | None = None
    access: ExistingCluster | None = None
    cluster_name: pulumi.Input[str] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class HubParts:
    """One hub of a stack, and which of its parts this program makes.

    `cloud`: its resources in AWS, or None; then `facts` has the outputs of the outer stack that
    makes them. `in_cluster`: its objects in the cluster, or None. `homes_handle` names file system
    and access point of homes in EFS.
    """

    hub: HubSpec
    cloud: HubCloudArgs | None = None
    facts: HubFacts | None = None
    in_cluster: InClusterInputs | None = None
    homes_handle: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class JupyterHubArgs:
    """A hub in a cluster: where it runs, where homes are, who may sign in, how users reach it, and
    what they may choose.

    `cluster` and `pools` are the outputs of Cluster and NodePools, or filled in by hand for what
    exists already. `homes` are the outputs of EfsHomes, or a section of another kind (`NfsHomes`,
    `EbsHomes`, `EphemeralHomes`, `EfsAccessPointHomes`).

    The options of a hub have the names, the values and the defaults of a stack file
    (docs/reference.md, `hubs.NAME`): each is a model such as `GitHubSignIn(client_id=…)`, or a
    mapping with the same keys; None is the default.

    `secrets` are what the options need: `client-secret` of an identity provider,
    `ldap-search-password`, `tls-key` of a certificate of your own, `service-NAME-token` of a service
    with `token: given`. `buckets` are the outputs of Buckets, which `aws_access` names. `protected`:
    namespaces, claims
    and volumes refuse to be deleted. `tags` are those of everything in AWS. `images` says where
    images and charts come from. `backups` are the outputs of Backups, by whose tag volumes and
    databases are found; None: this program does not back them up. RDS has automatic backups of its
    own either way (`database.backup_days`). `depends_on` is what servers need besides, such as
    drivers that are installed elsewhere.
    """

    cluster: ClusterOutputs
    pools: NodePoolsOutputs
    homes: EfsHomesOutputs | EfsAccessPointHomes | NfsHomes | EbsHomes | EphemeralHomes
    sign_in: SignIn | Mapping[str, Any]
    entry: Entry | Mapping[str, Any]
    database: Database | Mapping[str, Any] | None = None
    image: str | None = None
    image_choices: Mapping[str, ImageChoice | Mapping[str, Any]] | None = None
    unlisted_image: UnlistedImage | Mapping[str, Any] | None = None
    pre_pull_pools: Sequence[str] | None = None
    profiles: Mapping[str, Profile | Mapping[str, Any]] | None = None
    home_directory: str | None = None
    shared_directories: Mapping[str, SharedDirectory | Mapping[str, Any]] | None = None
    volumes: Mapping[str, Volume | Mapping[str, Any]] | None = None
    aws_access: AwsAccess | Mapping[str, Any] | None = None
    buckets: BucketsOutputs | None = None
    shared_memory: str | None = None
    named_servers: int | None = None
    services: Mapping[str, Service | Mapping[str, Any]] | None = None
    package_mirrors: PackageMirrors | Mapping[str, Any] | None = None
    culling: Culling | Mapping[str, Any] | None = None
    pages: HubPages | Mapping[str, Any] | None = None
    maintenance_page: MaintenancePage | Mapping[str, Any] | None = None
    helm_values: Mapping[str, Any] | None = None
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    protected: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    images: Images = field(default_factory=Images)
    backups: BackupsOutputs | None = None
    depends_on: Sequence[pulumi.Resource] = ()

    def parts(self, name: str) -> HubParts:
        """Both parts of the hub of that name. Raises ArgumentError with every problem, each at
        the argument's path.
        """
        judged, cluster = hub_spec(self._judged(name), name, self._bucket_specs), self.cluster
        found_by = None if self.backups is None else self.backups.spec
        volumes, databases = (
            ({}, {}) if found_by is None else (found_by.tags, found_by.database_tags)
        )
        hub = replace(judged, volume_tags=volumes, database_tags=databases)
        homes = self.homes if isinstance(self.homes, EfsHomesOutputs) else None
        return HubParts(
            hub=hub,
            cloud=None if isinstance(cluster.network, NetworkSpec) else self._cloud(hub),
            in_cluster=InClusterInputs(
                images=self.images,
                chart=chart(CHART, self.images, kubernetes=cluster.version, awaited=True),
                secrets={f"hub-{name}-{key}": value for key, value in self.secrets.items()},
                depends_on=[
                    *self.depends_on,
                    *self.pools.ready,
                    *(() if homes is None else homes.ready),
                ],
                kubeconfig=cluster.kubeconfig_json,
                cluster_name=None if isinstance(cluster.network, NetworkSpec) else cluster.name,
                tags=self.tags,
            ),
            homes_handle=None if homes is None else homes.volume_handles[name],
        )

    @property
    def _bucket_specs(self) -> Mapping[str, BucketSpec]:
        return {} if self.buckets is None else self.buckets.specs

    def _cloud(self, hub: HubSpec) -> HubCloudArgs:
        return HubCloudArgs(
            hub=hub,
            network=self.cluster.vpc,
            node_security_group_id=self.cluster.node_group_id,
            core_group_name=self.pools.core_group_name or "",
            cluster_name=self.cluster.name,
            tags=self.tags,
        )

    def _judged(self, name: str) -> StackConfig:
        """A stack with this hub alone, on which the rules of stack files are checked.
        Raises ArgumentError with every problem.
        """
        given = Arguments("JupyterHub", name)
        cluster, pools = (
            given.handle("cluster", self.cluster, ClusterOutputs),
            given.handle("pools", self.pools, NodePoolsOutputs),
        )
        images = given.handle("images", self.images, Images)
        if self.backups is not None:
            given.handle("backups", self.backups, BackupsOutputs)
        if self.buckets is not None:
            given.handle("buckets", self.buckets, BucketsOutputs)
        given.check_value(ShortName, name, "name")
        given.tags(self.tags)
        hub = given.section(
            Hub, {key: getattr(self, key) for key in Hub.model_fields if key != "pools"}
        )
        homes = self._homes_section(name, given)
        self._secrets_are_known(name, {} if hub is None else {name: hub}, given)
        given.done()
        assert cluster is not None and pools is not None and images is not None and hub is not None  # noqa: S101 -- else there was a problem
        if isinstance(hub.entry, LoadBalancerEntry) and pools.core_group_name is None:
            given.say(
                "pools.core-group-missing",
                "pools.core_group_name",
                "is missing: a load balancer takes its targets from that Auto Scaling group",
                "fill it in",
            )
        sections: dict[str, Any] = {
            "region": cluster.region,
            "network": _network_section(cluster),
            "cluster": self._cluster_section(cluster),
            "pools": pools.section,
            "homes": homes,
            "hubs": {name: hub},
            "buckets": {key: spec.options for key, spec in self._bucket_specs.items()},
        }
        given.add(
            (
                problem
                for problem in broken_rules(sections)
                if problem.path.startswith(("hubs", "buckets"))
            ),
            within=f"hubs.{name}",
        )
        pulled = images_can_be_pulled(
            {name: hub},
            images.registry,
            closed=sections["network"].closed,
            on_nodes=images.on_nodes,
        )
        given.add(pulled, within=f"hubs.{name}")
        given.done()
        stack = StackConfig.model_construct(name=cluster.name, **sections)
        given.add(
            hub_problems(stack, name, hub_spec(stack, name, self._bucket_specs)),
            within=f"hubs.{name}",
        )
        given.done()
        return stack

    def _secrets_are_known(self, name: str, hubs: Mapping[str, Hub], given: Arguments) -> None:
        """Every secret that the options need is given, and no other: their values are never
        read.
        """
        if not isinstance(self.secrets, Mapping):
            given.say(
                "argument.not-a-map",
                "secrets",
                f"must be a map (got {type(self.secrets).__name__})",
                f'write {{"{SECRET_ENDINGS[0]}": …}}',
            )
            return
        tokens = [
            service_token_key(name, service).removeprefix(f"hub-{name}-")
            for hub in hubs.values()
            for service, options in sorted(hub.services.items())
            if options.token == "given"
        ]
        for key in self.secrets:
            if key not in (*SECRET_ENDINGS, *tokens):
                given.say(
                    "secret.unknown",
                    dotted(("secrets", str(key))),
                    "is no secret of a hub",
                    f"choose from {', '.join((*SECRET_ENDINGS, *tokens))}",
                )
        for wanted in missing_secrets(
            hubs, [file_key(f"hub-{name}-{key}") for key in self.secrets]
        ):
            key = wanted.key.removeprefix(f"hub-{name}-")
            given.say(
                "secret.missing",
                dotted(("secrets", key)),
                f"is missing: the {wanted.what}",
                f'give it: secrets={{"{key}": …}}',
            )

    def _cluster_section(self, cluster: ClusterOutputs) -> EksCluster | ExistingCluster:
        facts: dict[str, Any] = {
            "version": cluster.version,
            "service_cidr": cluster.service_cidr,
            "protected": self.protected,
        }
        if isinstance(cluster.network, NetworkSpec):
            return ExistingCluster.model_construct(kind="existing", **facts)
        return EksCluster.model_construct(kind="eks", **facts)

    def _homes_section(self, name: str, given: Arguments) -> Homes:
        if isinstance(self.homes, EfsHomesOutputs):
            if name not in self.homes.volume_handles:
                known = ", ".join(sorted(self.homes.volume_handles)) or "none"
                given.say(
                    "homes.no-access-point",
                    "homes",
                    f"has no access point for the hub {name} (it has: {known})",
                    f'add "{name}" to hubs of EfsHomesArgs',
                )
            return EfsHomesSection(kind="efs")
        if not isinstance(self.homes, (EfsAccessPointHomes, NfsHomes, EbsHomes, EphemeralHomes)):
            fix = "give the .outputs of EfsHomes, or a section such as EphemeralHomes"
            given.say(
                "argument.kind",
                "homes",
                f"must be EfsHomesOutputs (got {type(self.homes).__name__})",
                fix,
            )
            return EphemeralHomes(kind="ephemeral")
        return self.homes


class _KnownNetwork(ExistingNetworkSection):
    """What rules and network policies need to know of a network, managed or existing."""

    spec: NetworkSpec

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones of the private subnets, in their order."""
        return self.spec.zones

    @property
    def ranges(self) -> tuple[str, ...]:
        """The ranges of nodes and pods."""
        return self.spec.ranges


def _network_section(cluster: ClusterOutputs) -> ExistingNetworkSection:
    network = cluster.network_spec
    public = () if isinstance(cluster.network, NetworkSpec) else cluster.network.public_subnets
    facts: dict[str, Any] = {
        "public_subnets": dict.fromkeys(public),
        "spec": network,
        "egress": network.egress,
        "peer_networks": network.peer_networks,
        "internal_hosts": network.internal_hosts,
    }
    return _KnownNetwork.model_construct(mode="existing", **facts)
