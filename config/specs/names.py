"""The names of what belongs to one hub. Each name contains the hub's name, so that no two hubs
collide.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

#: Elastic Load Balancing API reference: names of balancers and target groups have at most 32
#: characters, and end in none but a letter or digit.
_BALANCER_NAME = 32
_PAUSED = "-paused"
#: What every hub's release and its Service of the proxy are called inside the hub's own namespace.
HOMES_CLAIM = "homes"
DATABASE_CLAIM = "hub-db-dir"  # the chart's own (templates/hub/pvc.yaml)
SECRETS = "hub-secrets"
TLS_SECRET = "hub-tls"  # noqa: S105 -- the name of an object
PROXY_DEPLOYMENT = "proxy"  # the chart's own (templates/proxy/deployment.yaml)
ENTRY_SERVICE = "entry"
#: Of users' servers: their service account, and the ConfigMap and the Secret whose keys are
#: environment variables, where they exist.
SERVER_ACCOUNT = "servers"
SERVER_ENVIRONMENT = "server-environment"
SERVER_SECRETS = "server-secrets"
#: The network policy of servers that have a role in AWS.
SERVERS_TO_AWS = "servers-to-aws"
#: Label by which a claim finds its volume and no other.
VOLUME_LABEL = "jupyterhub-aws/volume"


@dataclass(frozen=True, kw_only=True)
class HubNames:
    """Names of hub `hub` in stack `stack`."""

    stack: str
    hub: str

    @property
    def namespace(self) -> str:
        """Its namespace, and its Helm release: the chart names cluster-wide objects after the
        release.
        """
        return f"hub-{self.hub}"

    @property
    def release(self) -> str:
        """Its Helm release."""
        return self.namespace

    @property
    def physical(self) -> str:
        """Prefix of its names in AWS."""
        return f"{self.stack}-{self.hub}"

    @property
    def homes_volume(self) -> str:
        """Its homes' PersistentVolume: cluster-wide."""
        return f"{self.physical}-homes"

    @property
    def database_volume(self) -> str:
        """Its database's PersistentVolume: cluster-wide."""
        return f"{self.physical}-database"

    @property
    def balancer(self) -> str:
        """Name of its load balancer."""
        return shortened(self.physical, _BALANCER_NAME)

    @property
    def paused_balancer(self) -> str:
        """Name of the load balancer that answers while the stack is paused."""
        return f"{shortened(self.physical, _BALANCER_NAME - len(_PAUSED))}{_PAUSED}"

    def target_group(self, generation: str) -> str:
        """Name of a target group; `generation` changes with what would replace it, so that the
        new group is created first.
        """
        return f"{shortened(self.physical, _BALANCER_NAME - len(generation) - 1)}-{generation}"


def shortened(name: str, limit: int) -> str:
    """The name, or where it is too long its beginning and a hash of the whole."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: limit - 7].rstrip('-')}-{digest}"
