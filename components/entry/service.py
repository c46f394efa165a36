"""How people reach a hub, from inside the cluster: the service that selects the proxy, on a port
of the nodes that is its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.core.v1 import Namespace, Service

from jupyterhub_aws.components.base import Component
from jupyterhub_aws.config.entry import Entry, NodePortEntry, own_certificate
from jupyterhub_aws.config.specs.names import ENTRY_SERVICE, HubNames


@dataclass(frozen=True, kw_only=True, eq=False)
class EntryServiceArgs:
    """`port` is the hub's node port."""

    names: HubNames
    entry: Entry
    port: int
    namespace: Namespace


class EntryService(Component):
    """It may well be there before the proxy is: nothing waits for what it selects."""

    token: ClassVar[str] = "jupyterhub-aws:entry:EntryService"

    def __init__(
        self, name: str, args: EntryServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        encrypted = own_certificate(args.entry) is not None
        port = "https" if encrypted else "http"
        spec: Any = {
            "type": "NodePort",
            "external_traffic_policy": (
                "Local"
            ),  # people's addresses stay visible, and only the proxy's node is healthy
            "selector": {"app": "jupyterhub", "component": "proxy", "release": args.names.release},
            "ports": [
                {
                    "name": port,
                    "port": 443 if encrypted else 80,
                    "target_port": port,
                    "node_port": args.port,
                    "protocol": "TCP",
                }
            ],
        }
        if isinstance(args.entry, NodePortEntry) and args.entry.external_ips:
            spec["external_ips"] = list(args.entry.external_ips)
        metadata: Any = {
            "name": ENTRY_SERVICE,
            "namespace": args.namespace.metadata["name"],
            "annotations": {"pulumi.com/skipAwait": "true"},
        }
        Service(f"{name}-service", metadata=metadata, spec=spec, opts=self.child())
        self.register_outputs({"node_port": args.port})
