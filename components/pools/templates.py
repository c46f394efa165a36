"""What launch templates are made of: IMDSv2, an encrypted root volume, tags on what is launched,
and what a node reads when it starts. Pure.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.config.pools import Disk
from jupyterhub_aws.config.specs.node_groups import NodeGroupSpec

if TYPE_CHECKING:
    from pulumi_aws.ec2 import (
        LaunchTemplateBlockDeviceMappingArgsDict,
        LaunchTemplateMetadataOptionsArgsDict,
        LaunchTemplateTagSpecificationArgsDict,
    )

_BOUNDARY = "==JUPYTERHUB-AWS=="


def metadata_options() -> LaunchTemplateMetadataOptionsArgsDict:
    """IMDSv2 only, and out of reach for pods: their packets have one hop more (EKS best
    practices, "Restrict access to the instance profile").
    """
    return {
        "http_endpoint": "enabled",
        "http_tokens": "required",
        "http_put_response_hop_limit": 1,
        "instance_metadata_tags": "disabled",
    }


def root_volume(disk: Disk, key_arn: str | None) -> list[LaunchTemplateBlockDeviceMappingArgsDict]:
    """The root volume: gp3, encrypted, gone with its node."""
    return [
        {
            "device_name": "/dev/xvda",
            "ebs": {
                "volume_type": "gp3",
                "volume_size": disk.size_gib,
                "iops": disk.iops,
                "throughput": disk.throughput,
                "encrypted": "true",
                "kms_key_id": key_arn,
                "delete_on_termination": "true",
            },
        }
    ]


def tag_specifications(tags: Mapping[str, str]) -> list[LaunchTemplateTagSpecificationArgsDict]:
    """Tags of what the template launches; provider default tags and template tags do not reach
    it.
    """
    return [
        {"resource_type": kind, "tags": dict(tags)}
        for kind in ("instance", "volume", "network-interface")
    ]


def node_config(
    group: NodeGroupSpec, *, endpoint: str, certificate_authority: str, service_cidr: str
) -> dict[str, Any]:
    """Nodeadm's NodeConfig (awslabs/amazon-eks-ami, nodeadm/doc/api.md). With all four facts of the
    cluster in it, the node asks no EKS API.
    """
    return {
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {
            "cluster": {
                "name": group.cluster,
                "apiServerEndpoint": endpoint,
                "certificateAuthority": certificate_authority,
                "cidr": service_cidr,
            },
            "kubelet": {
                "config": {"maxPods": group.section.max_pods},
                "flags": kubelet_flags(group),
            },
        },
    }


def with_environment(config: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The NodeConfig with variables for every service of the node, containerd and kubelet among
    them (nodeadm/doc/api.md, EnvironmentOptions).
    """
    if not environment:
        return config
    return {
        **config,
        "spec": {**config["spec"], "instance": {"environment": {"default": dict(environment)}}},
    }


def managed_user_data(environment: Mapping[str, str]) -> str | None:
    """What EKS merges into the user data that it writes for managed nodes: the proxy, where
    there is one.
    """
    config = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": {}}
    return user_data(with_environment(config, environment)) if environment else None


def kubelet_flags(group: NodeGroupSpec) -> list[str]:
    """Labels and taints that the node registers with, in a fixed order."""
    return [
        "--node-labels="
        + ",".join(f"{key}={value}" for key, value in sorted(group.labels.items())),
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
