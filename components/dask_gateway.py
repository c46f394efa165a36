"""Dask Gateway beside a hub: clusters of workers for users' notebooks, in a namespace of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.apps.v1 import DeploymentPatch
from pulumi_kubernetes.core.v1 import Namespace, Secret, ServiceAccount
from pulumi_kubernetes.helm.v3 import Release
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.rbac.v1 import ClusterRole, ClusterRoleBinding, Role, RoleBinding

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.base import Component, checked
from jupyterhub_aws.components.charts import chart
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs, in_cluster
from jupyterhub_aws.components.hub.hub import JupyterHub
from jupyterhub_aws.components.pools.args import NodePoolsOutputs
from jupyterhub_aws.config.specs.dask_gateway import (
    CONTAINER_SECURITY,
    NAME,
    PARTS,
    DaskGatewaySpec,
    DaskLimits,
)
from jupyterhub_aws.config.specs.images import UPSTREAM, Images
from jupyterhub_aws.config.values import ShortName


@dataclass(frozen=True, kw_only=True, eq=False)
class DaskGatewayArgs:
    """Which hub users come from, where clusters run, and how large they may be.

    Attributes:
        cluster: The outputs of the cluster.
        hub: The hub. Its service `service` says which users may have clusters.
        pools: The outputs of the cluster's node pools.
        worker_pool: The pool of workers: one of its own on spot nodes, which no profile names.
        scheduler_pool: The pool of schedulers; without it that of workers. A scheduler that ends
            takes its cluster along, so on-demand nodes are better.
        limits: What one user may have at most.
        cluster_image: The image of schedulers and workers; its packages must be those of the
            notebook, dask-gateway among them. Without it the publisher's.
        namespace: The namespace of the gateway and of all clusters.
        service: The name of the hub's service.
        images: Where images and the chart come from; the default: their publishers.
        protected: The namespace refuses to be deleted.
        depends_on: What its pods need besides.

    """

    cluster: ClusterOutputs
    hub: JupyterHub
    pools: NodePoolsOutputs
    worker_pool: str
    scheduler_pool: str | None = None
    limits: DaskLimits = field(default_factory=DaskLimits)
    cluster_image: str | None = None
    namespace: str = NAME
    service: str = NAME
    images: Images = UPSTREAM
    protected: bool = False
    depends_on: Sequence[pulumi.Resource] = ()

    def resolved(self, name: str) -> DaskGatewaySpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("DaskGateway", name)
        cluster = given.handle("cluster", self.cluster, ClusterOutputs)
        pools = given.handle("pools", self.pools, NodePoolsOutputs)
        hub = given.handle("hub", self.hub, JupyterHub)
        given.handle("images", self.images, Images)
        given.handle("limits", self.limits, DaskLimits)
        given.check_value(ShortName, self.namespace, "namespace")
        given.check_resources(self.depends_on)
        given.done()
        assert cluster is not None and pools is not None and hub is not None  # noqa: S101 -- else there was a problem
        self._limits_hold(given)
        self._service_is_there(given, hub)
        found = {pool.name: pool for pool in pools.spec.pools}
        for path, pool in (
            ("worker_pool", self.worker_pool),
            ("scheduler_pool", self.scheduler_pool),
        ):
            if pool is not None and pool not in found:
                given.say(
                    "dask.pool",
                    path,
                    f"is no user pool of the cluster (got {pool!r})",
                    f"choose from {', '.join(sorted(found)) or 'none: add one'}",
                )
        if self.cluster_image is not None and ":" not in self.cluster_image.rpartition("/")[2]:
            given.say(
                "dask.image",
                "cluster_image",
                "has no tag: it would change without notice",
                "write it like quay.io/example/notebook:2026-08-03",
            )
        given.done()
        service = next(item for item in hub.hub.services if item.name == self.service)
        return DaskGatewaySpec(
            hub=hub.hub,
            service=service,
            namespace=self.namespace,
            workers=found[self.worker_pool],
            schedulers=found[self.scheduler_pool or self.worker_pool],
            limits=self.limits,
            kubernetes=cluster.version,
            cluster_image=self.cluster_image,
        )

    def _limits_hold(self, given: Arguments) -> None:
        for key, least, most in (
            ("clusters", 1, 10),
            ("workers", 1, 500),
            ("worker_cores", 1, 96),
            ("worker_memory_gib", 1, 1024),
            ("idle_minutes", 1, 1440),
        ):
            value = getattr(self.limits, key)
            whole = isinstance(value, int) or key == "worker_memory_gib"
            number = isinstance(value, (int, float)) and not isinstance(value, bool) and whole
            if not number or not least <= value <= most:
                given.say(
                    "dask.limit",
                    f"limits.{key}",
                    f"is not between {least} and {most} (got {value!r})",
                    "write a number of that range",
                )

    def _service_is_there(self, given: Arguments, hub: JupyterHub) -> None:
        service = hub.hub.options.services.get(self.service)
        host = f"traefik-{NAME}.{self.namespace}"
        example = (
            f"{{url: http://{host}, pods: {{labels: {{app.kubernetes.io/instance: {NAME}}},"
            " port: 8000}, groups: […], from_servers: true}"
        )
        if service is None:
            given.say(
                "dask.no-service",
                "hub",
                f"has no service {self.service}: the gateway could not ask it who a user is",
                f"add hubs.{hub.hub.name}.services.{self.service}: {example}",
            )
            return
        labels = {} if service.pods is None else service.pods.labels
        port = None if service.pods is None else service.pods.port
        right = {f"http://{host}{end}" for end in ("", ".svc", ".svc.cluster.local")}
        right |= {f"{url}:80" for url in right}
        if (
            not service.from_servers
            or service.url not in right
            or labels != {"app.kubernetes.io/instance": NAME}
            or port != 8000
        ):
            given.say(
                "dask.service",
                "hub",
                f"has a service {self.service} that does not lead from servers to the gateway",
                f"write hubs.{hub.hub.name}.services.{self.service}: {example}",
            )


class DaskGateway(Component):
    """Users who may open the hub's service start clusters from their notebooks, as themselves and
    within `limits`; idle clusters end, and their nodes with them.

    Give the hub's servers `environment`, by `add_environment`. Raises ArgumentError with every
    problem of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:DaskGateway"
    release: pulumi.Output[str | None]

    def __init__(
        self, name: str, args: DaskGatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        spec = checked(DaskGateway, name, args, DaskGatewayArgs).resolved(name)
        super().__init__(name, in_cluster(args.cluster, opts))
        self._name, self._spec = name, spec
        #: The variables that users' servers need: `Gateway()` finds the rest by itself.
        self.environment: Mapping[str, str] = spec.environment
        namespace = self._namespace(protected=args.protected)
        self._in_namespace = namespace.metadata["name"]
        token = Secret(
            f"{name}-token",
            metadata=self._metadata(spec.service.secret),
            string_data={"JUPYTERHUB_API_TOKEN": args.hub.service_token(spec.service.name)},
            opts=self.child(),
        )
        before = [token, *self._accounts(), *self._policies()]
        values: dict[str, Any] = args.images.values(spec.values)
        never = args.images.pull_policy
        if never is not None:
            for part in PARTS:
                values[part]["image"]["pullPolicy"] = never
            values["gateway"]["backend"]["image"]["pullPolicy"] = never
        release = Release(
            f"{name}-release",
            **chart(NAME, args.images, kubernetes=spec.kubernetes),
            name=spec.release,
            namespace=self._in_namespace,
            values=values,
            opts=self.child(depends_on=[*args.depends_on, *args.pools.ready, *before]),
        )
        self.release = release.name
        self._restrict(release)
        self.register_outputs({"release": self.release, "namespace": spec.namespace})

    def _namespace(self, *, protected: bool) -> Namespace:
        return Namespace(
            f"{self._name}-namespace",
            metadata={
                "name": self._spec.namespace,
                "labels": {
                    f"pod-security.kubernetes.io/{mode}": "restricted"
                    for mode in ("enforce", "warn", "audit")
                },
            },
            opts=self.retained_options(protected=protected),
        )

    def _metadata(self, name: str, **more: Any) -> Any:
        return {"name": name, "namespace": self._in_namespace, **more}

    def _accounts(self) -> list[pulumi.Resource]:
        """A service account for each part, with rights in its own namespace instead of the chart's
        in the whole cluster.
        """
        spec = self._spec
        found: list[pulumi.Resource] = []
        for part in PARTS:
            account = spec.account(part)
            found.append(
                ServiceAccount(
                    f"{self._name}-{part}", metadata=self._metadata(account), opts=self.child()
                )
            )
            subject: Any = {
                "kind": "ServiceAccount",
                "name": account,
                "namespace": self._in_namespace,
            }
            rules: Any = spec.roles[part]
            role = Role(
                f"{self._name}-{part}-role",
                metadata=self._metadata(account),
                rules=rules,
                opts=self.child(),
            )
            reference: Any = {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "Role",
                "name": account,
            }
            found.append(
                RoleBinding(
                    f"{self._name}-{part}-binding",
                    metadata=self._metadata(account),
                    role_ref=reference,
                    subjects=[subject],
                    opts=self.child(depends_on=[role]),
                )
            )
            wide: Any = spec.cluster_roles.get(part)
            if wide is None:
                continue
            name = f"{spec.namespace}-{account}"  # of the whole cluster, so with the namespace
            cluster_reference: Any = {**reference, "kind": "ClusterRole", "name": name}
            cluster_role = ClusterRole(
                f"{self._name}-{part}-cluster-role",
                metadata={"name": name},
                rules=wide,
                opts=self.child(),
            )
            found.append(
                ClusterRoleBinding(
                    f"{self._name}-{part}-cluster-binding",
                    metadata={"name": name},
                    role_ref=cluster_reference,
                    subjects=[subject],
                    opts=self.child(depends_on=[cluster_role]),
                )
            )
        return found

    def _policies(self) -> list[pulumi.Resource]:
        found: list[pulumi.Resource] = []
        for name, policy in self._spec.policies.items():
            spec: Any = policy
            found.append(
                NetworkPolicy(
                    f"{self._name}-{name}",
                    metadata=self._metadata(name),
                    spec=spec,
                    opts=self.child(),
                )
            )
        return found

    def _restrict(self, release: Release) -> None:
        """What the chart has no values for: without it Pod Security `restricted` admits none of its
        pods. The release does not wait for them.
        """
        for part, deployment in self._spec.deployments.items():
            container: Any = {"name": part, "securityContext": dict(CONTAINER_SECURITY)}
            DeploymentPatch(
                f"{self._name}-{part}-restricted",
                metadata=self._metadata(deployment, annotations={"pulumi.com/skipAwait": "true"}),
                spec={"template": {"spec": {"containers": [container]}}},
                opts=self.child(depends_on=[release]),
            )
