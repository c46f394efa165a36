"""What follows for the cluster autoscaler: which groups it tries first, how long it waits for a
node, and the values of its chart. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jupyterhub_aws.config.specs.node_groups import CORE_LABELS, NodeGroupSpec, priorities
from jupyterhub_aws.config.timeouts import pool_timeouts
from jupyterhub_aws.config.versions import pin

NAMESPACE = "kube-system"
NAME = "cluster-autoscaler"


@dataclass(frozen=True, kw_only=True)
class AutoscalerSpec:
    """The autoscaler of one cluster.

    `name` is the prefix of physical names, `cluster` the cluster's name in EKS, `kubernetes` its
    minor version, `groups` the Auto Scaling groups of user pools, retiring ones among them.
    `environment` tells of a corporate proxy. `paused`: it is installed and does not run.
    """

    name: str
    cluster: str
    region: str
    kubernetes: str
    groups: Sequence[NodeGroupSpec]
    environment: Mapping[str, str] = field(default_factory=dict)
    paused: bool = False

    @cached_property
    def node_provision_seconds(self) -> int:
        """How long a node may take before another group is tried."""
        return pool_timeouts(
            group.pool.pool for group in self.groups if not group.retiring
        ).node_provision_seconds

    @property
    def values(self) -> dict[str, Any]:
        """Values for chart `cluster-autoscaler` (kubernetes/autoscaler,
        charts/cluster-autoscaler/values.yaml, 9.59.0).
        """
        image = pin("image", NAME, self.kubernetes)
        return {
            "fullnameOverride": NAME,
            "cloudProvider": "aws",
            "awsRegion": self.region,
            "autoDiscovery": {"clusterName": self.cluster},
            "image": {"repository": image.repository, "tag": image.version},
            "replicaCount": 0 if self.paused else 1,
            "rbac": {"serviceAccount": {"create": True, "name": NAME}},
            "priorityClassName": "system-cluster-critical",
            "nodeSelector": dict(CORE_LABELS),
            "resources": {
                "requests": {"cpu": "50m", "memory": "300Mi"},
                "limits": {"memory": "600Mi"},
            },
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containerSecurityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "extraEnv": {"AWS_STS_REGIONAL_ENDPOINTS": "regional", **self.environment},
            "extraArgs": self._arguments,
            "expanderPriorities": priorities(self.groups),
        }

    @property
    def _arguments(self) -> dict[str, Any]:
        return {
            "expander": "priority,least-waste",
            "max-node-provision-time": f"{self.node_provision_seconds}s",
            # Only between the zones of one group: twins differ in a label, but are alike in
            # everything else it compares.
            "balance-similar-node-groups": any(group.zone is not None for group in self.groups),
            "skip-nodes-with-system-pods": (
                False
            ),  # else one coredns on a user node keeps it for ever
            "skip-nodes-with-local-storage": False,
            "ignore-daemonsets-utilization": True,
            "scale-down-unneeded-time": "10m",
            "scale-down-delay-after-add": "10m",
            "scale-down-utilization-threshold": 0.5,
            "logtostderr": True,
            "stderrthreshold": "info",
            "v": 4,
        }
