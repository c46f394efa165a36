"""What runs on user nodes besides people's servers: the termination handler, and the device plugin on GPU nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.helm.v3 import Release

from components.base import Component
from components.charts import chart
from components.pools.spec import DEDICATED, GPU_TAINT, LAST_RESORT, PURPOSE, pool_specs
from config.stack import StackConfig
from config.versions import pin

NAMESPACE = "kube-system"  # both need what the profile `restricted` refuses: the host's network, the host's devices
#: EC2 gives a spot node two minutes; the handler leaves people's servers as much of them as it can.
_SPOT_NOTICE_SECONDS = 120


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeAgentsArgs:
    """The stack, and what the releases wait for."""

    stack: StackConfig
    after: Sequence[pulumi.Resource] = ()


def termination_handler_values(stack: StackConfig) -> dict[str, Any]:
    """Values for chart `aws-node-termination-handler` 0.27.6, reading the instance's own metadata (no queue, no AWS call).

    On the host's network, so that a hop limit of 1 does not keep it from the metadata. Rebalance hints are not acted
    upon: most of them are followed by nothing, and each would end somebody's work.
    """
    image = pin("image", "aws-node-termination-handler", stack.cluster.version)
    return {
        "fullnameOverride": "aws-node-termination-handler",
        "image": {"repository": image.repository, "tag": image.version},
        "enableSqsTerminationDraining": False,
        "useHostNetwork": True,
        "enableSpotInterruptionDraining": True,
        "enableScheduledEventDraining": True,
        "enableRebalanceMonitoring": False,
        "enableRebalanceDraining": False,
        "podTerminationGracePeriod": -1,  # each pod's own
        "nodeTerminationGracePeriod": _SPOT_NOTICE_SECONDS,
        "nodeSelector": {PURPOSE: "user"},
        "tolerations": [{"operator": "Exists"}],
        "daemonsetPriorityClassName": "system-node-critical",
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    }


def device_plugin_values(stack: StackConfig) -> dict[str, Any]:
    """Values for chart `nvidia-device-plugin` 0.20.0: on our GPU nodes, past exactly their taints."""
    image = pin("image", "nvidia-device-plugin", stack.cluster.version)
    return {
        "fullnameOverride": "nvidia-device-plugin",
        "image": {"repository": image.repository, "tag": image.version},
        "gfd": {"enabled": False},
        "nfd": {"enabled": False},
        "nodeSelector": {PURPOSE: "user", "nvidia.com/gpu.present": "true"},
        "tolerations": [taint.toleration for taint in (DEDICATED, GPU_TAINT, LAST_RESORT)],
        "priorityClassName": "system-node-critical",
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    }


class NodeAgents(Component):
    """The termination handler where there are user pools, the device plugin where there are GPUs."""

    token: ClassVar[str] = "jhub:nodes:NodeAgents"

    def __init__(self, name: str, args: NodeAgentsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        pools = pool_specs(args.stack)
        installed = []
        if pools:
            installed.append(self._release(name, args, "aws-node-termination-handler", termination_handler_values(args.stack)))
        if any(pool.gpus for pool in pools):
            installed.append(self._release(name, args, "nvidia-device-plugin", device_plugin_values(args.stack)))
        self.register_outputs({"releases": [release.name for release in installed]})

    def _release(self, name: str, args: NodeAgentsArgs, which: str, values: dict[str, Any]) -> Release:
        return Release(
            f"{name}-{which}",
            **chart(which, args.stack.cluster.version),
            name=which,
            namespace=NAMESPACE,
            values=values,
            opts=self.child(depends_on=list(args.after)),
        )
