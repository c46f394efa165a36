"""What follows for the services of a hub: their roles in JupyterHub, where the proxy finds them, and
which traffic between them, the hub and its proxy is allowed. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.services import Service, service_address

#: Ports of the hub's API and of a namespace's DNS (chart 4.4.0, templates/hub/service.yaml;
#: RFC 1035).
HUB_PORT, _DNS = 8081, 53
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
Rule = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ServiceSpec:
    """One service of a hub. `namespace` and `release` are the hub's."""

    name: str
    options: Service
    namespace: str
    release: str

    @property
    def client_id(self) -> str:
        """Its OAuth client id, which is JupyterHub's default."""
        return f"service-{self.name}"

    @property
    def secret(self) -> str:
        """The Secret with its token, in the hub's namespace."""
        return f"service-{self.name}"

    @property
    def prefix(self) -> str:
        """Where users find it behind the hub's proxy."""
        return f"/services/{self.name}/"

    @property
    def pods_namespace(self) -> str | None:
        """The namespace of its pods; None where the stack file does not say which pods it has."""
        pods, url = self.options.pods, self.options.url
        if pods is None:
            return None
        inside = None if url is None else service_address(url).namespace
        return pods.namespace or inside or self.namespace

    @property
    def in_namespace(self) -> bool:
        """Whether its pods are in the hub's namespace, which blocks all other traffic."""
        return self.pods_namespace == self.namespace

    @property
    def url(self) -> str | None:
        """Where the proxy sends requests: with the namespace, so that no other service is meant, and
        as a name that no corporate proxy is asked for.
        """
        if self.options.url is None:
            return None
        found = service_address(self.options.url)
        return f"http://{found.name}.{found.namespace or self.pods_namespace}.svc:{found.port}"

    @property
    def port(self) -> int | None:
        """The port of its pods that the proxy reaches."""
        pods, url = self.options.pods, self.options.url
        if pods is None or url is None:
            return None
        return pods.port or service_address(url).port

    @property
    def peer(self) -> Rule | None:
        """Its pods as a peer of network policies."""
        pods = self.options.pods
        if pods is None:
            return None
        return {
            "namespaceSelector": {"matchLabels": {_NAMESPACE_LABEL: self.pods_namespace}},
            "podSelector": {"matchLabels": dict(sorted(pods.labels.items()))},
        }

    @property
    def to_pods(self) -> Rule | None:
        """The egress rule of the proxy, and with `from_servers` of users' servers."""
        if self.peer is None or self.port is None:
            return None
        return {"to": [self.peer], "ports": [{"protocol": "TCP", "port": self.port}]}

    @property
    def to_hub(self) -> Rule | None:
        """The ingress rule of the hub's API."""
        if self.peer is None:
            return None
        return {"from": [self.peer], "ports": [{"protocol": "TCP", "port": HUB_PORT}]}

    def policy(self, dns: Sequence[Rule]) -> Mapping[str, Any] | None:
        """The NetworkPolicy of its own pods, where they are in the hub's namespace: requests of the
        proxy and of users' servers, the hub's API and DNS. `dns` are the egress rules of name resolution.
        """
        pods = self.options.pods
        if pods is None or not self.in_namespace:
            return None
        port = [] if self.port is None else [{"protocol": "TCP", "port": self.port}]
        parts = ["proxy", *(["singleuser-server"] if self.options.from_servers else [])]
        peers = [{"podSelector": {"matchLabels": self._part(part)}} for part in parts]
        kube_dns = {
            "to": [{"namespaceSelector": {"matchLabels": {_NAMESPACE_LABEL: "kube-system"}}}],
            "ports": [{"protocol": protocol, "port": _DNS} for protocol in ("UDP", "TCP")],
        }
        hub = {
            "to": [{"podSelector": {"matchLabels": self._part("hub")}}],
            "ports": [{"protocol": "TCP", "port": HUB_PORT}],
        }
        return {
            "podSelector": {"matchLabels": dict(sorted(pods.labels.items()))},
            "policyTypes": ["Ingress", "Egress"],
            # The API keeps no empty list: each preview would find it new.
            **({"ingress": [{"from": peers, "ports": port}]} if port else {}),
            "egress": [*dns, kube_dns, hub],
        }

    def _part(self, component: str) -> dict[str, str]:
        return {"app": "jupyterhub", "component": component, "release": self.release}

    @property
    def variables(self) -> Mapping[str, str]:
        """What a program needs to use the hub, under the names that JupyterHub's own client reads
        (jupyterhub/services/auth.py), besides its token.
        """
        return {
            "JUPYTERHUB_API_URL": f"http://hub.{self.namespace}.svc:{HUB_PORT}/hub/api",
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_CLIENT_ID": self.client_id,
            "JUPYTERHUB_SERVICE_NAME": self.name,
            "JUPYTERHUB_SERVICE_PREFIX": self.prefix,
        }


def service_specs(
    services: Mapping[str, Service], *, namespace: str, release: str
) -> tuple[ServiceSpec, ...]:
    """The services of a hub, by name."""
    return tuple(
        ServiceSpec(name=name, options=options, namespace=namespace, release=release)
        for name, options in sorted(services.items())
    )
