"""What follows for the agents of user nodes: the termination handler, and the device plugin on
GPU nodes, by the values of their charts. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.specs.node_groups import (
    DEDICATED,
    GPU_TAINT,
    LAST_RESORT,
    PURPOSE,
    PoolSpec,
)
from jupyterhub_aws.config.versions import pin

HANDLER, PLUGIN = "aws-node-termination-handler", "nvidia-device-plugin"
#: EC2 gives a spot node two minutes; the handler leaves users' servers most of this time.
_SPOT_NOTICE_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class NodeAgentsSpec:
    """The agents of these user pools, older generations among them, in a cluster of this
    Kubernetes minor version.
    """

    kubernetes: str
    pools: Sequence[PoolSpec]

    @property
    def values(self) -> Mapping[str, dict[str, Any]]:
        """The values of each agent by its chart: the handler where there are user pools, the
        plugin where there are GPUs.
        """
        found = {HANDLER: _termination_handler(self.kubernetes)} if self.pools else {}
        if any(pool.gpus for pool in self.pools):
            found[PLUGIN] = _device_plugin(self.kubernetes)
        return found


def _termination_handler(kubernetes: str) -> dict[str, Any]:
    """Values for chart `aws-node-termination-handler` 0.27.6, reading the instance's own metadata
    (no queue, no AWS call).

    On the host's network, so that a hop limit of 1 does not keep it from the metadata. Rebalance
    recommendations are ignored: most of them are followed by no interruption, and each would end
    users' servers.
    """
    image = pin("image", HANDLER, kubernetes)
    return {
        "fullnameOverride": HANDLER,
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


def _device_plugin(kubernetes: str) -> dict[str, Any]:
    """Values for chart `nvidia-device-plugin` 0.20.0: on our GPU nodes, with tolerations of
    exactly their taints.
    """
    image = pin("image", PLUGIN, kubernetes)
    return {
        "fullnameOverride": PLUGIN,
        "image": {"repository": image.repository, "tag": image.version},
        "gfd": {"enabled": False},
        "nfd": {"enabled": False},
        "nodeSelector": {PURPOSE: "user", "nvidia.com/gpu.present": "true"},
        "tolerations": [taint.toleration for taint in (DEDICATED, GPU_TAINT, LAST_RESORT)],
        "priorityClassName": "system-node-critical",
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    }
