"""What follows for Dask Gateway beside a hub: the values of its chart, the rights and the traffic of
its pods, what makes them pass Pod Security `restricted`, and what servers are told of it. Pure.

Read in dask/dask-gateway, tag 2026.3.0: resources/helm/dask-gateway (values.yaml, templates) and
dask_gateway_server/backends/kubernetes (backend.py, controller.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.specs.hub import HubSpec
from jupyterhub_aws.config.specs.node_groups import CORE_LABELS, PoolSpec
from jupyterhub_aws.config.specs.services import HUB_PORT, ServiceSpec
from jupyterhub_aws.config.versions import pin

#: The chart, and the name of the hub's service that the component takes by default.
NAME = "dask-gateway"
#: Images of the chart, by their rows in config/data/versions.toml.
SERVER_IMAGE, CLUSTER_IMAGE, TRAEFIK_IMAGE = "dask-gateway-server", "dask-gateway", "dask-traefik"
#: Ports of the gateway's API and of Traefik, and of a scheduler: its own, its dashboard's, and the
#: one on which the gateway asks it.
_API, _SCHEDULER, _DASHBOARD, _SCHEDULER_API, _DNS = 8000, 8786, 8787, 8788, 53
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
#: Deployments of the chart by their container, with what each is called in `rbac`.
PARTS = ("gateway", "controller", "traefik")
_RESOURCES = {
    "gateway": ("100m", "128Mi", "512Mi"),
    "controller": ("50m", "128Mi", "512Mi"),
    "traefik": ("50m", "64Mi", "256Mi"),
}
#: Kubernetes, "Pod Security Standards", restricted; the images run as 1000 (their Dockerfiles), and
#: the chart starts Traefik as 1000.
CONTAINER_SECURITY: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}
Rule = dict[str, Any]
#: Limits that are no traits of the gateway: how many clusters a user may have at once, and what a
#: user may choose. Executed by the gateway after the chart's own configuration.
_LIMITS = '''
from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.kubernetes import KubeBackend
from dask_gateway_server.options import Float, Integer, Options

class LimitedKubeBackend(KubeBackend):
    """A user has so many clusters at once, and no more."""

    async def start_cluster(self, user, cluster_options):
        if len(await self.list_clusters(username=user.name)) >= {clusters}:
            raise PublicException(
                "You have {clusters} cluster(s) already: shut one down first"
                " (Gateway().list_clusters())."
            )
        return await super().start_cluster(user, cluster_options)

def chosen(options):
    return {{
        "worker_cores": options.worker_cores,
        "worker_memory": int(options.worker_memory * 2**30),
        "worker_threads": max(1, options.worker_cores),
    }}

c.DaskGateway.backend_class = LimitedKubeBackend
c.Backend.cluster_options = Options(
    Integer("worker_cores", default={cores}, min=1, max={cores}, label="Cores of a worker"),
    Float(
        "worker_memory", default={memory}, min=1, max={memory}, label="Memory of a worker (GiB)"
    ),
    handler=chosen,
)
c.KubeClusterConfig.cluster_max_workers = {workers}
c.KubeClusterConfig.cluster_max_cores = {all_cores}
c.KubeClusterConfig.cluster_max_memory = {all_memory}
c.KubeClusterConfig.idle_timeout = {idle}
'''


@dataclass(frozen=True, kw_only=True)
class DaskLimits:
    """What one user may have at most: `clusters` at once, each with `workers`, and a worker with
    `worker_cores` and `worker_memory_gib`. A cluster without work for `idle_minutes` is shut down.
    """

    clusters: int = 1
    workers: int = 10
    worker_cores: int = 2
    worker_memory_gib: float = 8.0
    idle_minutes: int = 30

    @property
    def cluster_cores(self) -> float:
        """Cores of the largest cluster: its workers and its scheduler."""
        return float(self.workers * self.worker_cores + 1)

    @property
    def cluster_memory(self) -> int:
        """Bytes of the largest cluster."""
        return int((self.workers * self.worker_memory_gib + 2) * 2**30)


@dataclass(frozen=True, kw_only=True)
class DaskGatewaySpec:
    """Dask Gateway of one hub.

    `service` is the hub's service, `workers` and `schedulers` are the pools that they run on,
    `cluster_image` is the image of both; None: the publisher's. `on_own_cluster`: the core nodes
    have the labels of this library.
    """

    hub: HubSpec
    service: ServiceSpec
    namespace: str
    workers: PoolSpec
    schedulers: PoolSpec
    limits: DaskLimits
    kubernetes: str
    cluster_image: str | None = None

    @property
    def release(self) -> str:
        """The Helm release. It is the chart's name: so objects have no longer names than that."""
        return NAME

    def account(self, part: str) -> str:
        """The service account of a part."""
        return f"{part}-{NAME}"

    @property
    def deployments(self) -> Mapping[str, str]:
        """The chart's Deployments, by container (templates/_helpers.tpl)."""
        return {
            "gateway": f"api-{NAME}",
            "controller": f"controller-{NAME}",
            "traefik": f"traefik-{NAME}",
        }

    @property
    def values(self) -> dict[str, Any]:
        """The chart's values, images under their publishers' names."""
        server, cluster = self._image(SERVER_IMAGE), self._image(CLUSTER_IMAGE)
        if self.cluster_image is not None:
            name, _, tag = self.cluster_image.rpartition(":")
            cluster = {"name": name, "tag": tag}
        return {
            "gateway": {
                **self._part("gateway"),
                "image": server,
                "prefix": self.service.prefix.rstrip("/"),
                "auth": {
                    "type": "jupyterhub",
                    "jupyterhub": {
                        "apiTokenFromSecretName": self.service.secret,
                        "apiTokenFromSecretKey": "JUPYTERHUB_API_TOKEN",
                        "apiUrl": self.service.variables["JUPYTERHUB_API_URL"],
                        # Without it every token of the hub would open the gateway (auth.py).
                        "jupyterhubServiceName": self.service.name,
                    },
                },
                "backend": {
                    "image": cluster,
                    "namespace": self.namespace,
                    "scheduler": {
                        "cores": {"request": 0.5, "limit": 1},
                        "memory": {"request": "1G", "limit": "2G"},
                        "extraPodConfig": _placed(self.schedulers),
                        "extraContainerConfig": {"securityContext": dict(CONTAINER_SECURITY)},
                    },
                    "worker": {
                        "extraPodConfig": _placed(self.workers),
                        "extraContainerConfig": {"securityContext": dict(CONTAINER_SECURITY)},
                    },
                },
                "extraConfig": {"limits": self._limits},
            },
            "controller": {**self._part("controller"), "image": server},
            "traefik": {
                **self._part("traefik"),
                "image": self._image(TRAEFIK_IMAGE),
                "service": {"type": "ClusterIP"},
                # So a role in its own namespace is enough (Traefik, "Kubernetes CRD", Configuration
                # Options).
                "additionalArguments": [
                    f"--providers.kubernetescrd.namespaces={self.namespace}",
                    "--providers.kubernetescrd.disableclusterscoperesources=true",
                ],
            },
            "rbac": {part: {"serviceAccountName": self.account(part)} for part in PARTS},
        }

    @property
    def _limits(self) -> str:
        limits = self.limits
        return _LIMITS.format(
            clusters=limits.clusters,
            cores=limits.worker_cores,
            memory=float(limits.worker_memory_gib),
            workers=limits.workers,
            all_cores=limits.cluster_cores,
            all_memory=limits.cluster_memory,
            idle=float(60 * limits.idle_minutes),
        )

    def _image(self, name: str) -> dict[str, str]:
        row = pin("image", name, self.kubernetes)
        return {"name": str(row.repository), "tag": row.version}

    def _part(self, part: str) -> dict[str, Any]:
        cpu, memory, most = _RESOURCES[part]
        return {
            "nodeSelector": {} if self.hub.existing_cluster else dict(CORE_LABELS),
            "resources": {
                "requests": {"cpu": cpu, "memory": memory},
                "limits": {"cpu": "1", "memory": most},
            },
        }

    # --- Rights in the cluster. The chart's own would let the gateway and Traefik read every Secret
    # of the cluster, those of hubs among them.

    @property
    def roles(self) -> Mapping[str, list[Rule]]:
        """Rules in the namespace, by part."""
        traefik, dask = "traefik.io", "gateway.dask.org"
        return {
            "gateway": [
                _may("", ["secrets"], ["get"]),
                _may(dask, ["daskclusters"], ["get", "create", "patch"]),
            ],
            "controller": [
                _may(dask, ["daskclusters", "daskclusters/status"], ["get", "patch", "delete"]),
                _may(traefik, ["ingressroutes", "ingressroutetcps"], ["get", "create", "delete"]),
                _may("", ["pods"], ["get", "create", "delete"]),
                _may("", ["secrets", "services"], ["create", "delete"]),
            ],
            "traefik": [
                _may("", ["secrets", "services"], ["get", "list", "watch"]),
                _may("discovery.k8s.io", ["endpointslices"], ["list", "watch"]),
                _may(
                    traefik,
                    [
                        "ingressroutes",
                        "ingressroutetcps",
                        "ingressrouteudps",
                        "middlewares",
                        "middlewaretcps",
                        "serverstransports",
                        "serverstransporttcps",
                        "tlsoptions",
                        "tlsstores",
                        "traefikservices",
                    ],
                    ["get", "list", "watch"],
                ),
            ],
        }

    @property
    def cluster_roles(self) -> Mapping[str, list[Rule]]:
        """Rules in the whole cluster, by part: both watch without naming a namespace (backend.py
        and controller.py, `list_cluster_custom_object`, `list_pod_for_all_namespaces`).
        """
        clusters = _may("gateway.dask.org", ["daskclusters"], ["list", "watch"])
        return {
            "gateway": [clusters],
            "controller": [clusters, _may("", ["pods", "endpoints"], ["list", "watch"])],
        }

    # --- Traffic. The namespace denies all other.

    @property
    def policies(self) -> Mapping[str, Rule]:
        """NetworkPolicies of the namespace, by name."""
        egress = self.hub.egress
        names = [*egress.proxy, _egress([_namespace("kube-system")], _DNS, udp=True)]
        api = egress.api
        hub = [_pods(self.hub.names.namespace, self._hub_labels("hub"))]
        users = [
            _pods(self.hub.names.namespace, self._hub_labels(part))
            for part in ("proxy", "singleuser-server")
        ]
        gateway, traefik = ([_own(self._labels(part))] for part in ("gateway", "traefik"))
        schedulers, workers = ([_own(_dask(f"dask-{kind}"))] for kind in ("scheduler", "worker"))
        return {
            "closed-by-default": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
            "gateway": _policy(
                self._labels("gateway"),
                [_ingress([*traefik, *schedulers], _API)],
                [*names, api, _egress(hub, HUB_PORT), _egress(schedulers, _SCHEDULER_API)],
            ),
            "controller": _policy(self._labels("controller"), [], [*names, api]),
            "traefik": _policy(
                self._labels("traefik"),
                [_ingress(users, _API)],
                [
                    *names,
                    api,
                    _egress(gateway, _API),
                    _egress(schedulers, _SCHEDULER, _DASHBOARD),
                ],
            ),
            # Workers listen on ports of their own choice; each cluster has a key of its own, without
            # which no worker of another one is heard (TLS).
            "schedulers": _policy(
                _dask("dask-scheduler"),
                [
                    _ingress(traefik, _SCHEDULER, _DASHBOARD),
                    _ingress(gateway, _SCHEDULER_API),
                    _ingress(workers, _SCHEDULER),
                ],
                [*names, _egress(gateway, _API), {"to": workers}, *egress.servers],
            ),
            "workers": _policy(
                _dask("dask-worker"),
                [{"from": [*workers, *schedulers]}],
                [*names, _egress(schedulers, _SCHEDULER), {"to": workers}, *egress.servers],
            ),
        }

    def _labels(self, part: str) -> dict[str, str]:
        """Of the chart's own pods (templates/_helpers.tpl): those of Dask have no such instance."""
        return {"app.kubernetes.io/instance": self.release, "app.kubernetes.io/component": part}

    def _hub_labels(self, component: str) -> dict[str, str]:
        return {"app": "jupyterhub", "component": component, "release": self.hub.names.release}

    @property
    def environment(self) -> dict[str, str]:
        """What servers need so that `Gateway()` finds it (dask-gateway, "Configuration")."""
        host = f"traefik-{NAME}.{self.namespace}.svc"
        return {
            "DASK_GATEWAY__ADDRESS": f"http://{host}{self.service.prefix.rstrip('/')}",
            "DASK_GATEWAY__PROXY_ADDRESS": f"gateway://{host}:80",
            "DASK_GATEWAY__PUBLIC_ADDRESS": f"{self.hub.url.rstrip('/')}{self.service.prefix.rstrip('/')}",
            "DASK_GATEWAY__AUTH__TYPE": "jupyterhub",
        }


def images_of_dask(kubernetes: str) -> Iterator[str]:
    """The images of the chart under their publishers' names."""
    for name in (SERVER_IMAGE, CLUSTER_IMAGE, TRAEFIK_IMAGE):
        row = pin("image", name, kubernetes)
        yield f"{row.repository}:{row.version}"


def _placed(pool: PoolSpec) -> dict[str, Any]:
    """The scheduling fields of a pod in a pool, as Kubernetes has them."""
    return {
        "nodeSelector": dict(pool.node_selector),
        "tolerations": [dict(item) for item in pool.tolerations],
        **({"affinity": {"nodeAffinity": dict(pool.affinity)}} if pool.affinity else {}),
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    }


def _may(group: str, resources: list[str], verbs: list[str]) -> Rule:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _dask(component: str) -> dict[str, str]:
    """Labels of the pods of clusters (controller.py, `get_labels`)."""
    return {"app.kubernetes.io/name": NAME, "app.kubernetes.io/component": component}


def _own(labels: Mapping[str, str]) -> Rule:
    return {"podSelector": {"matchLabels": dict(labels)}}


def _namespace(name: str) -> Rule:
    return {"namespaceSelector": {"matchLabels": {_NAMESPACE_LABEL: name}}}


def _pods(namespace: str, labels: Mapping[str, str]) -> Rule:
    return {**_namespace(namespace), **_own(labels)}


def _ports(ports: tuple[int, ...], *, udp: bool) -> list[dict[str, Any]]:
    protocols = ("UDP", "TCP") if udp else ("TCP",)
    return [{"protocol": protocol, "port": port} for port in ports for protocol in protocols]


def _egress(peers: list[Rule], *ports: int, udp: bool = False) -> Rule:
    return {"to": peers, "ports": _ports(ports, udp=udp)}


def _ingress(peers: list[Rule], *ports: int) -> Rule:
    return {"from": peers, "ports": _ports(ports, udp=False)}


def _policy(labels: Mapping[str, str], ingress: list[Rule], egress: list[Rule]) -> Rule:
    return {
        "podSelector": {"matchLabels": dict(labels)},
        "policyTypes": ["Ingress", "Egress"],
        # The API keeps no empty list: each preview would find it new.
        **({"ingress": ingress} if ingress else {}),
        "egress": egress,
    }
