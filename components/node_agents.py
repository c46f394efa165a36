"""What runs on user nodes besides users' servers, installed: the termination handler, and the
device plugin on GPU nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.helm.v3 import Release

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.base import Component, checked
from jupyterhub_aws.components.charts import chart
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs, in_cluster
from jupyterhub_aws.components.pools.args import NodePoolsOutputs
from jupyterhub_aws.config.specs.images import UPSTREAM, Images
from jupyterhub_aws.config.specs.node_agents import NodeAgentsSpec

# both need what the profile `restricted` refuses: the host's network, the host's devices
NAMESPACE = "kube-system"


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeAgentsArgs:
    """What the agents of user nodes are made from.

    Attributes:
        cluster: The outputs of a cluster, or of one of your own.
        pools: The outputs of its node pools: the handler is installed where there are user pools,
            the plugin where one has GPUs.
        images: Where images and charts come from; the default: their publishers.
        depends_on: What the releases wait for.

    """

    cluster: ClusterOutputs
    pools: NodePoolsOutputs
    images: Images = UPSTREAM
    depends_on: Sequence[pulumi.Resource] = ()

    def resolved(self, name: str) -> NodeAgentsSpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("NodeAgents", name)
        cluster = given.handle("cluster", self.cluster, ClusterOutputs)
        pools = given.handle("pools", self.pools, NodePoolsOutputs)
        given.handle(
            "images",
            self.images,
            Images,
            fix="give the names of your own registry: Images(registry=...)",
        )
        given.check_resources(self.depends_on)
        given.done()
        assert cluster is not None and pools is not None  # noqa: S101 -- else there was a problem
        return NodeAgentsSpec(
            kubernetes=cluster.version, pools=(*pools.spec.pools, *pools.spec.retiring)
        )


class NodeAgents(Component):
    """The termination handler, which ends servers cleanly before AWS reclaims a spot node, and
    NVIDIA's device plugin.

    A Kubernetes provider among its providers is used; without one, that of `cluster`. Raises
    ArgumentError with every problem of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:NodeAgents"

    def __init__(
        self, name: str, args: NodeAgentsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        spec = checked(NodeAgents, name, args, NodeAgentsArgs).resolved(name)
        super().__init__(name, in_cluster(args.cluster, opts))
        self._args = args
        #: The names of the Helm releases, by chart.
        self.releases = {
            which: self._release(which, spec.kubernetes, values).name
            for which, values in spec.values.items()
        }
        self.register_outputs({"releases": list(self.releases.values())})

    def _release(self, which: str, kubernetes: str, values: Mapping[str, Any]) -> Release:
        images = self._args.images
        return Release(
            f"{self._name}-{which}",
            **chart(which, images, kubernetes=kubernetes),
            name=which,
            namespace=NAMESPACE,
            values=images.values(values),
            opts=self.child(depends_on=list(self._args.depends_on)),
        )
