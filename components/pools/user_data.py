"""What a node reads when it starts: nodeadm's NodeConfig in a MIME document. A pure function."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.node_groups import GroupSpec
from jupyterhub_aws.config.stack import StackConfig

_BOUNDARY = "==JUPYTERHUB-AWS=="


def node_config(group: GroupSpec, *, endpoint: str, certificate_authority: str, service_cidr: str) -> dict[str, Any]:
    """Nodeadm's NodeConfig (awslabs/amazon-eks-ami, nodeadm/doc/api.md). With all four facts of the cluster in it, the
    node asks no EKS API.
    """
    return {
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {
            "cluster": {
                "name": group.pool.cluster,
                "apiServerEndpoint": endpoint,
                "certificateAuthority": certificate_authority,
                "cidr": service_cidr,
            },
            "kubelet": {"config": {"maxPods": group.pool.pool.max_pods}, "flags": kubelet_flags(group)},
        },
    }


def with_environment(config: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The NodeConfig with variables for every service of the node, containerd and kubelet among them (nodeadm/doc/api.md, EnvironmentOptions)."""
    if not environment:
        return config
    return {**config, "spec": {**config["spec"], "instance": {"environment": {"default": dict(environment)}}}}


def managed_user_data(stack: StackConfig) -> str | None:
    """What EKS merges into the user data that it writes for managed nodes: the proxy, where there is one."""
    environment = resolve(stack).proxy_environment
    config = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": {}}
    return user_data(with_environment(config, environment)) if environment else None


def kubelet_flags(group: GroupSpec) -> list[str]:
    """Labels and taints that the node registers with, in a fixed order."""
    return [
        "--node-labels=" + ",".join(f"{key}={value}" for key, value in sorted(group.labels.items())),
        "--register-with-taints=" + ",".join(taint.text for taint in group.taints),
    ]


def user_data(config: Mapping[str, Any]) -> str:
    """The NodeConfig as EC2 takes user data: a MIME document in base64."""
    lines = [
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"',
        "",
        f"--{_BOUNDARY}",
        "Content-Type: application/node.eks.aws",
        "",
        json.dumps(config, indent=2),
        "",
        f"--{_BOUNDARY}--",
        "",
    ]
    return base64.b64encode("\n".join(lines).encode()).decode()
