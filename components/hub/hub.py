"""One JupyterHub: its AWS resources, and inside the cluster its namespace, its secrets, its
volumes, its release, its service.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pulumi
from pulumi_aws.eks import PodIdentityAssociation
from pulumi_kubernetes.apps.v1 import DeploymentPatch
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace, Secret, ServiceAccount
from pulumi_kubernetes.helm.v3 import Release
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_random import RandomString

from jupyterhub_aws.components.base import ArgumentError, Component
from jupyterhub_aws.components.cluster.outputs import in_cluster
from jupyterhub_aws.components.entry import EntryService, EntryServiceArgs, own_certificate_end
from jupyterhub_aws.components.facts import HubFacts
from jupyterhub_aws.components.homes.jobs import UsageReportJob, UsageReportJobArgs
from jupyterhub_aws.components.hub.args import HubParts, InClusterInputs, JupyterHubArgs
from jupyterhub_aws.components.hub.bucket_volumes import BucketVolumeArgs, MountedBucketVolume
from jupyterhub_aws.components.hub.cloud import HubCloud
from jupyterhub_aws.components.hub.not_ready import HubAccess, says_why
from jupyterhub_aws.components.hub.secrets import HubSecrets, HubSecretsArgs
from jupyterhub_aws.components.hub.services import HubServices, HubServicesArgs
from jupyterhub_aws.components.hub.storage import (
    DatabasePlace,
    DatabasePlaceArgs,
    HomesVolume,
    HomesVolumeArgs,
)
from jupyterhub_aws.components.hub.values.hub import HubSecretInputs, hub_values
from jupyterhub_aws.config.database import PostgresDatabase, SqliteDatabase, SqliteOnNode
from jupyterhub_aws.config.entry import own_certificate
from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.config.homes import DIRECTORY_HOMES
from jupyterhub_aws.config.specs.alarms import MonitoredHub
from jupyterhub_aws.config.specs.images import Images
from jupyterhub_aws.config.specs.names import (
    PROXY_DEPLOYMENT,
    SERVER_ACCOUNT,
    SERVER_ENVIRONMENT,
    SERVER_SECRETS,
    SERVERS_TO_AWS,
)
from jupyterhub_aws.config.specs.network_policies import POD_IDENTITY_RULE
from jupyterhub_aws.config.specs.server_access import ACCESS_LABEL, ACCESS_TABLE

#: Which certificate the proxy has, by the first digits of its digest.
_CERTIFICATE = "jupyterhub-aws/certificate"


def _servers(release: str) -> dict[str, str]:
    """The labels of users' servers of a release of the chart."""
    return {"app": "jupyterhub", "component": "singleuser-server", "release": release}


class JupyterHub(Component):
    """A hub that shares only nodes with other hubs. It has its own database, load balancer,
    namespace, secrets, homes, and the release of the z2jh chart.

    Needs a Kubernetes provider among its providers. Its namespace, its homes and its database are
    retained when the hub is removed from the program.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:JupyterHub"
    url: pulumi.Output[str]
    #: The AWS resources, where this program makes them.
    cloud: HubCloud | None = None
    _namespace_made: Namespace | None = None

    def __init__(
        self, name: str, args: JupyterHubArgs | HubParts, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        if isinstance(args, JupyterHubArgs):
            parts = args.parts(name)  # before anything is registered
            opts = in_cluster(args.cluster, opts)
        else:
            parts = args
        super().__init__(name, opts)
        self._name = name
        #: The resolved specification of the hub.
        self.hub = self._hub = parts.hub
        self._names = parts.hub.names
        self.url = pulumi.Output.from_input(parts.hub.url)
        #: For operators and scripts: the hub's address, and with a shared password how to sign in.
        self.exports: dict[str, pulumi.Input[Any]] = {
            "url": self.url,
            "namespace": self._names.namespace,
        }
        if parts.cloud is not None:
            self.cloud = HubCloud(f"{name}-cloud", parts.cloud, self.child())
        #: What the objects in the cluster need of the AWS resources: the outputs for the inner
        #: stack.
        self.facts = parts.facts or self._made(parts.homes_handle)
        if parts.in_cluster is not None:
            self._in_cluster(parts.in_cluster)
        outputs = {"url": self.url, "namespace": self._names.namespace}
        self.register_outputs(
            outputs if parts.in_cluster is None else {**outputs, "release": self.release.name}
        )

    @property
    def monitored(self) -> MonitoredHub:
        """The hub as `Monitoring` takes it: by the ids of its load balancer, its certificate and
        its database, where this program makes them.
        """
        hub, cloud = self._hub, self.cloud
        balancer = None if cloud is None else cloud.balancer
        watched_as = None if balancer is None else balancer.watched_as
        database = hub.options.database
        return MonitoredHub(
            name=hub.name,
            namespace=hub.names.namespace,
            balancer=None if watched_as is None else watched_as[0],
            target_group=None if watched_as is None else watched_as[1],
            certificate_arn=None if balancer is None else balancer.certificate_arn,
            certificate_ends=own_certificate_end(hub.options.entry),
            database_volume=None if cloud is None else cloud.database_volume,
            database_instance=None if cloud is None else cloud.database_instance,
            database_gib=database.size_gib if isinstance(database, PostgresDatabase) else None,
        )

    def _made(self, homes_handle: pulumi.Input[str] | None) -> HubFacts:
        cloud = self.cloud
        if cloud is None:
            return HubFacts(homes_handle=homes_handle)
        return HubFacts(
            homes_handle=homes_handle,
            database_volume=cloud.database_volume,
            database_url=cloud.database_url,
            database_password=cloud.database_password,
            after=cloud.ready,
        )

    def _in_cluster(self, inputs: InClusterInputs) -> None:
        hub, name = self._hub, self._name
        namespace = self._namespace_made = self._namespace()
        self._cluster_name, self._tags = inputs.cluster_name, inputs.tags
        self._closed_by_default(namespace)
        self._in_namespace = namespace.metadata["name"]
        secrets = HubSecretsArgs(
            hub=hub,
            namespace=self._in_namespace,
            given=inputs.secrets,
            database_password=self.facts.database_password,
        )
        self.secrets = HubSecrets(f"{name}-secrets", secrets, self.child())
        if hub.services:
            services = HubServicesArgs(
                hub=hub, namespace=self._in_namespace, tokens=self.secrets.service_tokens
            )
            HubServices(f"{name}-services", services, self.child())
        accounts = [self._server_account(), *self._servers_in_aws()]
        homes = [*self._homes(), *self._bucket_volumes()]
        self.release = self._release(
            inputs, [*accounts, *homes, *self._database(), *self.secrets.ready]
        )
        self._certificate(self.release)
        self._usage_report(homes, inputs.images)
        if hub.node_port is not None:
            service = EntryServiceArgs(
                names=self._names, entry=hub.options.entry, port=hub.node_port, namespace=namespace
            )
            EntryService(f"{name}-entry", service, self.child())
        self.exports |= {"release": self.release.name, "passwords": dict(self.secrets.passwords)}

    def _namespace(self) -> Namespace:
        return Namespace(
            f"{self._name}-namespace",
            metadata={
                "name": self._names.namespace,
                "labels": {
                    f"pod-security.kubernetes.io/{mode}": "restricted"
                    for mode in ("enforce", "warn", "audit")
                },
            },
            opts=self.retained_options(
                protected=self._hub.protected
            ),  # deleting it would delete the claims of homes and database
        )

    def _closed_by_default(self, namespace: Namespace) -> None:
        """The default policy denies all traffic of pods without a policy of their own: the chart
        has one for each kind of its own pods, and other pods may be added.
        """
        NetworkPolicy(
            f"{self._name}-closed-by-default",
            metadata={"name": "closed-by-default", "namespace": namespace.metadata["name"]},
            spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
            opts=self.child(),
        )

    def _server_account(self) -> ServiceAccount:
        """The service account of users' servers: it has no permission, until `add_role` gives it
        an identity in AWS.
        """
        return ServiceAccount(
            f"{self._name}-servers",
            metadata={"name": SERVER_ACCOUNT, "namespace": self._in_namespace},
            automount_service_account_token=False,
            opts=self.child(),
        )

    def _servers_in_aws(self) -> list[pulumi.Resource]:
        """A service account for each access of servers, and the way of those servers, and no
        others, to the credentials of their roles.
        """
        access = self._hub.access
        if access is None or not access.accesses:
            return []
        rules: Any = list(self._hub.egress.servers_in_aws)
        metadata: Any = {
            **self._metadata(SERVERS_TO_AWS),
            "annotations": {ACCESS_TABLE: json.dumps(access.table(), sort_keys=True)},
        }
        way = NetworkPolicy(
            f"{self._name}-servers-to-aws",
            metadata=metadata,
            spec={
                "pod_selector": {
                    "match_labels": _servers(self._names.release),
                    "match_expressions": [{"key": ACCESS_LABEL, "operator": "Exists"}],
                },
                "policy_types": ["Egress"],
                "egress": rules,
            },
            opts=self.child(),
        )
        accounts = [
            ServiceAccount(
                f"{self._name}-servers-{one.name}",
                metadata=self._metadata(one.service_account),
                automount_service_account_token=False,
                opts=self.child(),
            )
            for one in access.accesses
        ]
        return [way, *accounts]

    def service_token(self, service: str) -> pulumi.Output[str]:
        """The token of one of the hub's services, a secret: for a program that runs it elsewhere.

        In the hub's namespace it is in the Secret service-NAME. Raises ArgumentError where this
        program does not make the hub's part inside the cluster, or the hub has no such service.
        """
        self._of_servers("service_token", {})
        if service not in self.secrets.service_tokens:
            known = ", ".join(self.secrets.service_tokens) or "none"
            problem = Problem(
                id="services.unknown",
                path=f"service_token({service!r})",
                what=f"is no service of this hub (it has: {known})",
                fix=f"add it to hubs.{self._hub.name}.services",
            )
            raise ArgumentError(f"JupyterHub {self._name!r}", [problem])
        return self.secrets.service_tokens[service]

    def add_environment(self, values: Mapping[str, pulumi.Input[str]]) -> ConfigMap:
        """Give every server of this hub these environment variables: names to values, which are
        readable in the cluster.

        Servers that start later have them; a profile's variable of the same name wins. Call it once
        for each hub. Raises ArgumentError where this program does not make the hub's part inside
        the cluster, or for an invalid name.
        """
        self._of_servers("add_environment", values)
        return ConfigMap(
            f"{self._name}-server-environment",
            metadata=self._metadata(SERVER_ENVIRONMENT),
            data=values,
            opts=self.child(),
        )

    def add_secrets(self, values: Mapping[str, pulumi.Input[str]]) -> Secret:
        """Give every server of this hub these environment variables from a Secret: encrypted in the
        state, and never in a plan.

        Every user of the hub can read them. Otherwise as `add_environment`.
        """
        self._of_servers("add_secrets", values)
        sealed = {key: pulumi.Output.secret(value) for key, value in values.items()}
        return Secret(
            f"{self._name}-server-secrets",
            metadata=self._metadata(SERVER_SECRETS),
            string_data=sealed,
            opts=self.child(),
        )

    def add_role(self, role_arn: pulumi.Input[str]) -> PodIdentityAssociation:
        """Let every server of this hub use AWS as this role, by EKS Pod Identity. Its trust policy
        is `pod_identity_trust()`.

        Servers that start later have its credentials, and may reach their address (169.254.170.23),
        which is blocked otherwise. Every user of the hub has the role's permissions. Call it once
        for each hub. Raises ArgumentError where this program does not make the hub's part inside
        the cluster, or the cluster is not in EKS.
        """
        self._of_servers("add_role", {})
        if self._hub.access is not None:
            problem = Problem(
                id="hub.role-beside-access",
                path="add_role",
                what=(
                    "would give its role to all servers, and aws_access of the hub says which"
                    " servers have one"
                ),
                fix="write it into aws_access, as policies or statements",
            )
            raise ArgumentError(f"JupyterHub {self._name!r}", [problem])
        if self._cluster_name is None:
            problem = Problem(
                id="hub.role-without-pod-identity",
                path="add_role",
                what="needs EKS Pod Identity, and this cluster is not known to be in EKS",
                fix="give servers keys by add_secrets",
            )
            raise ArgumentError(f"JupyterHub {self._name!r}", [problem])
        rule: Any = POD_IDENTITY_RULE
        NetworkPolicy(
            f"{self._name}-servers-to-aws",
            metadata=self._metadata(SERVERS_TO_AWS),
            spec={
                "pod_selector": {"match_labels": _servers(self._names.release)},
                "policy_types": ["Egress"],
                "egress": [rule],
            },
            opts=self.child(),
        )
        return PodIdentityAssociation(
            f"{self._name}-servers",
            cluster_name=self._cluster_name,
            namespace=self._names.namespace,
            service_account=SERVER_ACCOUNT,
            role_arn=role_arn,
            tags=dict(self._tags),
            opts=self.child(),
        )

    def _of_servers(self, method: str, values: Mapping[str, Any]) -> None:
        """Refuse what cannot be added here. Raises ArgumentError with every problem."""
        problems = [
            Problem(
                id="environment.name",
                path=f"{method}[{name!r}]",
                what="is not the name of an environment variable",
                fix="write letters, digits and _ only, no digit first",
            )
            for name in values
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)
        ]
        if self._namespace_made is None:
            fix = "call it in the program of the stack inside the cluster"
            problems.append(
                Problem(
                    id="hub.no-inner-stack",
                    path=method,
                    what="needs the hub's part inside the cluster, which this stack does not make",
                    fix=fix,
                )
            )
        if problems:
            raise ArgumentError(f"JupyterHub {self._name!r}", problems)

    def _metadata(self, name: str) -> Any:
        return {"name": name, "namespace": self._in_namespace}

    def _homes(self) -> list[pulumi.Resource]:
        homes = self._hub.homes
        if not isinstance(homes, DIRECTORY_HOMES):
            return []
        args = HomesVolumeArgs(
            names=self._names,
            homes=homes,
            volume_handle=self.facts.homes_handle,
            namespace=self._in_namespace,
            protected=self._hub.protected,
        )
        return [HomesVolume(f"{self._name}-homes", args, self.child()).claim]

    def _bucket_volumes(self) -> list[pulumi.Resource]:
        return [
            MountedBucketVolume(
                f"{self._name}-{item.claim}",
                BucketVolumeArgs(mounted=item, namespace=self._in_namespace),
                self.child(),
            ).claim
            for item in self._hub.mounted
        ]

    def _database(self) -> list[pulumi.Resource]:
        section = self._hub.options.database
        if not isinstance(section, (SqliteDatabase, SqliteOnNode)):
            return []
        args = DatabasePlaceArgs(
            names=self._names,
            database=section,
            zone=self._hub.database_zone,
            volume_id=self.facts.database_volume,
            protected=self._hub.protected,
        )
        return DatabasePlace(f"{self._name}-database-volume", args, self.child()).ready

    def _usage_report(self, homes: Sequence[pulumi.Resource], images: Images) -> None:
        report = getattr(self._hub.homes, "usage_report", None)
        if report is not None:
            args = UsageReportJobArgs(
                hub=self._hub,
                images=images,
                schedule=report.schedule,
                namespace=self._in_namespace,
                after=homes,
            )
            UsageReportJob(f"{self._name}-usage", args, self.child())

    def _certificate(self, release: Release) -> None:
        """The proxy reads its certificate when it starts: a renewed certificate restarts the proxy,
        and only the proxy.

        Among the release's values the same annotation would restart the hub too, which watches all
        of them. With the certificate of the proxy's first start its pods do not change: `keepers`
        never change, and so record which one that was. The annotation of the Deployment itself
        restarts nothing: it shows in plans that the certificate has changed.
        """
        own = own_certificate(self._hub.options.entry)
        if own is None:
            return
        digest = hashlib.sha256(own.certificate.encode()).hexdigest()[:16]
        first = RandomString(
            f"{self._name}-first-certificate",
            length=1,
            keepers={"certificate": digest},
            opts=self.child(ignore_changes=["keepers"]),
        )

        def pods(kept: Mapping[str, str] | None) -> Any:
            return (
                None
                if (kept or {}).get("certificate") == digest
                else {"template": {"metadata": {"annotations": {_CERTIFICATE: digest}}}}
            )

        # Paused there is no node for the new pod. Else its own condition is awaited: the
        # plugin's usual look at a deployment warns of
        # `MinimumReplicasUnavailable` while the one pod is replaced, which is what a restart of it
        # means.
        wait = (
            {"pulumi.com/skipAwait": "true"}
            if self._hub.paused
            else {"pulumi.com/waitFor": "condition=Available"}
        )
        metadata: Any = {
            "name": PROXY_DEPLOYMENT,
            "namespace": self._in_namespace,
            "annotations": {**wait, _CERTIFICATE: digest},
        }
        DeploymentPatch(
            f"{self._name}-proxy-certificate",
            metadata=metadata,
            spec=first.keepers.apply(pods),
            opts=self.child(depends_on=[release, *self.secrets.ready]),
        )

    def _where(self, inputs: InClusterInputs) -> HubAccess:
        access, kubeconfig = inputs.access, inputs.kubeconfig
        return HubAccess(
            hub=self._hub.name,
            namespace=self._names.namespace,
            kubeconfig=None if kubeconfig is None else pulumi.Output.from_input(kubeconfig),
            file=None if access is None else access.kubeconfig,
            context=None if access is None else access.context,
        )

    def _release(self, inputs: InClusterInputs, before: Sequence[pulumi.Resource]) -> Release:
        given = HubSecretInputs(
            auth_token=self.secrets.auth_token,
            cookie_secret=self.secrets.cookie_secret,
            auth_state_key=self.secrets.auth_state_key,
            operator_token=self.secrets.operator_token,
            checksum=self.secrets.checksum,
            database_url=self.facts.database_url,
        )
        values: dict[str, Any] = hub_values(self._hub, given, inputs.images)
        return Release(
            f"{self._name}-release",
            **inputs.chart,
            name=self._names.release,
            namespace=self._in_namespace,
            values=values,
            opts=self.child(
                depends_on=[*inputs.depends_on, *self.facts.after, *before],
                hooks=says_why(self._where(inputs)),
            ),
        )
