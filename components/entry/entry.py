"""How people reach a hub, from AWS's side: a balancer, or leave to reach a port of the nodes."""

from __future__ import annotations

from typing import ClassVar

import pulumi

from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.entry.args import EntryArgs
from jupyterhub_aws.components.entry.balancer import Balancer
from jupyterhub_aws.components.entry.people import people_may_come
from jupyterhub_aws.config.entry import LoadBalancerEntry, NodePortEntry


class HubEntry(Component):
    """By the kind of entry a balancer or a rule for people's networks.

    `port_forward` has no entry at all: `jhub open` makes a tunnel to the proxy's own service. What
    selects the proxy inside the cluster is components/entry/service.py.
    """

    token: ClassVar[str] = "jupyterhub-aws:entry:HubEntry"
    balancer: Balancer | None = None

    def __init__(
        self, name: str, args: EntryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        outputs: dict[str, pulumi.Input[str]] = {}
        if isinstance(args.entry, LoadBalancerEntry):
            self.balancer = Balancer(f"{name}-balancer", args, self.child())
            outputs["dns_name"] = self.balancer.dns_name
        elif isinstance(args.entry, NodePortEntry):
            people_may_come(self, name, args, args.node_security_group_id, args.port)
        self.register_outputs({"node_port": args.port, **outputs})
