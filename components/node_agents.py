"""What runs on user nodes besides people's servers, installed: the termination handler, and the device plugin on GPU nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.helm.v3 import Release

from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.charts import chart
from jupyterhub_aws.components.node_agents_values import agents
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig

NAMESPACE = "kube-system"  # both need what the profile `restricted` refuses: the host's network, the host's devices


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeAgentsArgs:
    """The stack, and what the releases wait for."""

    stack: StackConfig
    after: Sequence[pulumi.Resource] = ()


class NodeAgents(Component):
    """The termination handler where there are user pools, the device plugin where there are GPUs."""

    token: ClassVar[str] = "jupyterhub-aws:nodes:NodeAgents"

    def __init__(self, name: str, args: NodeAgentsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        installed = [self._release(name, args, which, values) for which, values in agents(args.stack).items()]
        self.register_outputs({"releases": [release.name for release in installed]})

    def _release(self, name: str, args: NodeAgentsArgs, which: str, values: Mapping[str, Any]) -> Release:
        images = resolve(args.stack).images
        return Release(
            f"{name}-{which}",
            **chart(which, images, kubernetes=args.stack.cluster.version),
            name=which,
            namespace=NAMESPACE,
            values=images.values(values),
            opts=self.child(depends_on=list(args.after)),
        )
