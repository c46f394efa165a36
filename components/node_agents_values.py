"""Values of what runs on user nodes besides people's servers: the termination handler, and the device plugin on GPU nodes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.node_groups import DEDICATED, GPU_TAINT, LAST_RESORT, PURPOSE
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.versions import pin

#: EC2 gives a spot node two minutes; the handler leaves people's servers as much of them as it can.
_SPOT_NOTICE_SECONDS = 120


def agents(stack: StackConfig) -> Mapping[str, dict[str, Any]]:
    """The values of each agent that a stack's nodes have, by chart: the handler where there are user pools, the plugin where there are GPUs."""
    pools, found = (*resolve(stack).node_pools.pools, *resolve(stack).node_pools.retiring), {}
    if pools:
        found["aws-node-termination-handler"] = termination_handler_values(stack)
    if any(pool.gpus for pool in pools):
        found["nvidia-device-plugin"] = device_plugin_values(stack)
    return found


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
