"""The values of the cluster-autoscaler chart. A pure function of the stack."""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.config.homes import EbsHomes
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.node_groups import CORE_LABELS
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.timeouts import timeouts
from jupyterhub_aws.config.versions import pin

NAMESPACE = "kube-system"
NAME = "cluster-autoscaler"


def autoscaler_values(stack: StackConfig) -> dict[str, Any]:
    """Values for chart `cluster-autoscaler` (kubernetes/autoscaler, charts/cluster-autoscaler/values.yaml, 9.59.0)."""
    image = pin("image", NAME, stack.cluster.version)
    return {
        "fullnameOverride": NAME,
        "cloudProvider": "aws",
        "awsRegion": stack.region,
        "autoDiscovery": {"clusterName": stack.name},
        "image": {"repository": image.repository, "tag": image.version},
        "replicaCount": 0 if stack.paused else 1,
        "rbac": {"serviceAccount": {"create": True, "name": NAME}},
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": dict(CORE_LABELS),
        "resources": {"requests": {"cpu": "50m", "memory": "300Mi"}, "limits": {"memory": "600Mi"}},
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "containerSecurityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        "extraEnv": {"AWS_STS_REGIONAL_ENDPOINTS": "regional", **resolve(stack).proxy_environment},
        "extraArgs": _arguments(stack),
        "expanderPriorities": resolve(stack).node_pools.priorities,
    }


def _arguments(stack: StackConfig) -> dict[str, Any]:
    return {
        "expander": "priority,least-waste",
        "max-node-provision-time": f"{timeouts(stack).node_provision_seconds}s",
        # Only between the zones of one group: twins differ in a label, but are alike in everything else it compares.
        "balance-similar-node-groups": isinstance(stack.homes, EbsHomes),
        "skip-nodes-with-system-pods": False,  # else one coredns on a user node keeps it for ever
        "skip-nodes-with-local-storage": False,
        "ignore-daemonsets-utilization": True,
        "scale-down-unneeded-time": "10m",
        "scale-down-delay-after-add": "10m",
        "scale-down-utilization-threshold": 0.5,
        "logtostderr": True,
        "stderrthreshold": "info",
        "v": 4,
    }
