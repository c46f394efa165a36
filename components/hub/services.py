"""The objects of a hub's services in its namespace: a Secret with each service's token, and the
network policy of its pods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.core.v1 import Secret
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from jupyterhub_aws.components.base import Component
from jupyterhub_aws.config.specs.hub import HubSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class HubServicesArgs:
    """`tokens` are secrets, by service."""

    hub: HubSpec
    namespace: pulumi.Input[str]
    tokens: Mapping[str, pulumi.Output[str]]


class HubServices(Component):
    """A Deployment takes all of it by `envFrom: [{secretRef: {name: service-NAME}}]`."""

    token: ClassVar[str] = "jupyterhub-aws:hub:HubServices"

    def __init__(
        self, name: str, args: HubServicesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        for spec in args.hub.services:
            Secret(
                f"{name}-{spec.name}",
                metadata={"name": spec.secret, "namespace": args.namespace},
                type="Opaque",
                string_data={**spec.variables, "JUPYTERHUB_API_TOKEN": args.tokens[spec.name]},
                opts=self.child(),
            )
            policy = spec.policy(args.hub.egress.proxy)
            if policy is not None:
                rules: Any = policy
                NetworkPolicy(
                    f"{name}-{spec.name}-traffic",
                    metadata={"name": spec.secret, "namespace": args.namespace},
                    spec=rules,
                    opts=self.child(),
                )
        self.register_outputs({"services": [spec.name for spec in args.hub.services]})
