"""A hub's way in: the port of the core nodes that leads to its proxy, and whatever stands before it."""

from __future__ import annotations

from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.core.v1 import Service

from components.base import Component
from components.entry.args import EntryArgs
from components.entry.balancer import Balancer
from components.entry.people import people_may_come
from components.hub.names import ENTRY_SERVICE
from config.entry import LoadBalancerEntry, NodePortEntry, own_certificate


class Entry(Component):
    """The service that selects the proxy, and by the kind of entry a balancer or a rule for people's networks.

    `port_forward` has no entry at all: `jhub open` makes a tunnel to the proxy's own service.
    """

    token: ClassVar[str] = "jhub:entry:Entry"

    def __init__(self, name: str, args: EntryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._service(name, args)
        outputs: dict[str, pulumi.Input[str]] = {}
        if isinstance(args.entry, LoadBalancerEntry):
            outputs["dns_name"] = Balancer(f"{name}-balancer", args, self.child()).dns_name
        elif isinstance(args.entry, NodePortEntry):
            people_may_come(self, name, args, args.node_security_group_id, args.port)
        self.register_outputs({"node_port": args.port, **outputs})

    def _service(self, name: str, args: EntryArgs) -> None:
        encrypted = own_certificate(args.entry) is not None
        port = "https" if encrypted else "http"
        spec: Any = {
            "type": "NodePort",
            "external_traffic_policy": "Local",  # people's addresses stay visible, and only the proxy's node is healthy
            "selector": {"app": "jupyterhub", "component": "proxy", "release": args.names.release},
            "ports": [{"name": port, "port": 443 if encrypted else 80, "target_port": port, "node_port": args.port, "protocol": "TCP"}],
        }
        if isinstance(args.entry, NodePortEntry) and args.entry.external_ips:
            spec["external_ips"] = list(args.entry.external_ips)
        # It may well be there before the proxy is: nothing waits for what it selects.
        metadata: Any = {
            "name": ENTRY_SERVICE,
            "namespace": args.namespace.metadata["name"],
            "annotations": {"pulumi.com/skipAwait": "true"},
        }
        Service(f"{name}-service", metadata=metadata, spec=spec, opts=self.child())
