"""One JupyterHub inside the cluster: its namespace, its secrets, its volumes, its release, its service."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.apps.v1 import DeploymentPatch
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.helm.v3 import Release
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_random import RandomString

from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.charts import chart
from jupyterhub_aws.components.entry.service import EntryService, EntryServiceArgs
from jupyterhub_aws.components.facts import HubFacts
from jupyterhub_aws.components.homes.usage import UsageReport, UsageReportArgs
from jupyterhub_aws.components.hub.not_ready import Where, says_why
from jupyterhub_aws.components.hub.secrets import HubSecrets, HubSecretsArgs
from jupyterhub_aws.components.hub.storage import DatabasePlace, DatabasePlaceArgs, HomesVolume, HomesVolumeArgs
from jupyterhub_aws.components.hub.values.hub import Given, hub_values, public_url
from jupyterhub_aws.config.chart import CHART
from jupyterhub_aws.config.cluster import ExistingCluster
from jupyterhub_aws.config.database import SqliteDatabase, SqliteOnNode
from jupyterhub_aws.config.entry import own_certificate
from jupyterhub_aws.config.homes import DIRECTORY_HOMES
from jupyterhub_aws.config.hub_rules import core_zones, node_port
from jupyterhub_aws.config.specs.names import PROXY_DEPLOYMENT, HubNames
from jupyterhub_aws.config.stack import StackConfig

#: Which certificate the proxy has, by the first digits of its digest.
_CERTIFICATE = "jupyterhub-aws/certificate"


@dataclass(frozen=True, kw_only=True, eq=False)
class HubArgs:
    """`hub` is the hub's name in the stack file, `facts` its AWS half, `given` the encrypted values of the stack file by key, `after` what its pods
    need, `kubeconfig` how its cluster is reached (None: by the file that the stack names, or the caller's own).
    """

    stack: StackConfig
    hub: str
    facts: HubFacts
    given: Mapping[str, pulumi.Output[str]]
    after: Sequence[pulumi.Resource]
    kubeconfig: pulumi.Input[str] | None = None


class Hub(Component):
    """A hub that shares nodes with others, and nothing else. Needs a Kubernetes provider among its providers.

    Its namespace, its homes and its database are kept when the hub is taken out of the stack file.
    """

    token: ClassVar[str] = "jupyterhub-aws:hub:Hub"
    url: pulumi.Output[str]

    def __init__(self, name: str, args: HubArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self._section = args.stack.hubs[args.hub]
        self._names = HubNames(stack=args.stack.name, hub=args.hub)
        namespace = self._namespace()
        self._closed_by_default(namespace)
        self._in_namespace = namespace.metadata["name"]
        secrets = HubSecretsArgs(stack=args.stack, hub=args.hub, namespace=self._in_namespace, given=args.given, database_password=args.facts.database_password)
        self.secrets = HubSecrets(f"{name}-secrets", secrets, self.child())
        homes = self._homes()
        release = self._release([*homes, *self._database(), *self.secrets.ready])
        self._certificate(release)
        self._usage_report(homes)
        port = node_port(args.hub, self._section)
        if port is not None:
            service = EntryServiceArgs(names=self._names, entry=self._section.entry, port=port, namespace=namespace)
            EntryService(f"{name}-entry", service, self.child())
        self.url = pulumi.Output.from_input(public_url(self._section))
        #: What a person or a script asks of a stack: where the hub is, and with a shared password how to get in.
        self.exports: dict[str, pulumi.Input[Any]] = {
            "url": self.url,
            "namespace": self._names.namespace,
            "release": release.name,
            "passwords": dict(self.secrets.passwords),
        }
        self.register_outputs({"url": self.url, "namespace": self._names.namespace, "release": release.name})

    def _namespace(self) -> Namespace:
        return Namespace(
            f"{self._name}-namespace",
            metadata={
                "name": self._names.namespace,
                "labels": {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")},
            },
            opts=self.retained(protected=self._args.stack.cluster.protected),  # with it would go the claims of homes and database
        )

    def _closed_by_default(self, namespace: Namespace) -> None:
        """A pod that no other policy is for talks to nobody: the chart has one for each kind of its own pods, and others may come."""
        NetworkPolicy(
            f"{self._name}-closed-by-default",
            metadata={"name": "closed-by-default", "namespace": namespace.metadata["name"]},
            spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
            opts=self.child(),
        )

    def _homes(self) -> list[pulumi.Resource]:
        homes = self._args.stack.homes
        if not isinstance(homes, DIRECTORY_HOMES):
            return []
        args = HomesVolumeArgs(
            names=self._names,
            homes=homes,
            volume_handle=self._args.facts.homes_handle,
            namespace=self._in_namespace,
            protected=self._args.stack.cluster.protected,
        )
        return [HomesVolume(f"{self._name}-homes", args, self.child()).claim]

    def _database(self) -> list[pulumi.Resource]:
        section, stack = self._section.database, self._args.stack
        if not isinstance(section, (SqliteDatabase, SqliteOnNode)):
            return []
        args = DatabasePlaceArgs(
            names=self._names,
            database=section,
            zone=core_zones(stack.pools, stack.network)[0] if isinstance(section, SqliteDatabase) else None,
            volume_id=self._args.facts.database_volume,
            protected=stack.cluster.protected,
        )
        return DatabasePlace(f"{self._name}-database-volume", args, self.child()).ready

    def _usage_report(self, homes: Sequence[pulumi.Resource]) -> None:
        report = getattr(self._args.stack.homes, "usage_report", None)
        if report is not None:
            args = UsageReportArgs(stack=self._args.stack, hub=self._args.hub, schedule=report.schedule, namespace=self._in_namespace, after=homes)
            UsageReport(f"{self._name}-usage", args, self.child())

    def _certificate(self, release: Release) -> None:
        """The proxy reads its certificate when it starts: a renewed one starts it again, and only it.

        Among the release's values the same annotation would restart the hub too, which watches all of them. With the certificate that was there when
        the proxy first started, its pods are left as they are: `keepers` stay as they were made, and so remember which one that was. The annotation of
        the Deployment itself restarts nothing: it says in plans that the certificate is another one.
        """
        own = own_certificate(self._section.entry)
        if own is None:
            return
        digest = hashlib.sha256(own.certificate.encode()).hexdigest()[:16]
        first = RandomString(f"{self._name}-first-certificate", length=1, keepers={"certificate": digest}, opts=self.child(ignore_changes=["keepers"]))

        def pods(kept: Mapping[str, str] | None) -> Any:  # noqa: ANN401 -- a Deployment's spec, as the SDK takes it
            return None if (kept or {}).get("certificate") == digest else {"template": {"metadata": {"annotations": {_CERTIFICATE: digest}}}}

        # Paused there is no node for the new pod. Else it is waited for by its own condition: the plugin's usual look at a deployment warns of
        # `MinimumReplicasUnavailable` while the one pod is replaced, which is what a restart of it means.
        wait = {"pulumi.com/skipAwait": "true"} if self._args.stack.paused else {"pulumi.com/waitFor": "condition=Available"}
        metadata: Any = {"name": PROXY_DEPLOYMENT, "namespace": self._in_namespace, "annotations": {**wait, _CERTIFICATE: digest}}
        DeploymentPatch(
            f"{self._name}-proxy-certificate",
            metadata=metadata,
            spec=first.keepers.apply(pods),
            opts=self.child(depends_on=[release, *self.secrets.ready]),
        )

    def _where(self) -> Where:
        there, kubeconfig = self._args.stack.cluster, self._args.kubeconfig
        return Where(
            hub=self._args.hub,
            namespace=self._names.namespace,
            kubeconfig=None if kubeconfig is None else pulumi.Output.from_input(kubeconfig),
            file=there.kubeconfig if isinstance(there, ExistingCluster) else None,
            context=there.context if isinstance(there, ExistingCluster) else None,
        )

    def _release(self, before: Sequence[pulumi.Resource]) -> Release:
        given = Given(
            auth_token=self.secrets.auth_token,
            cookie_secret=self.secrets.cookie_secret,
            auth_state_key=self.secrets.auth_state_key,
            operator_token=self.secrets.operator_token,
            checksum=self.secrets.checksum,
            database_url=self._args.facts.database_url,
        )
        values: dict[str, Any] = hub_values(self._args.stack, self._args.hub, given)
        return Release(
            f"{self._name}-release",
            # Helm waits for hub and proxy, which is what ready means; nothing in the release needs a user node. Paused there is none at all.
            **chart(CHART, self._args.stack, awaited=not self._args.stack.paused),
            name=self._names.release,
            namespace=self._in_namespace,
            values=values,
            opts=self.child(depends_on=[*self._args.after, *self._args.facts.after, *before], hooks=says_why(self._where())),
        )
