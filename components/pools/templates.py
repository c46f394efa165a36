"""What is the same in every launch template: IMDSv2, an encrypted root volume, tags on what it launches. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from jupyterhub_aws.config.pools import Disk

if TYPE_CHECKING:
    from pulumi_aws.ec2 import LaunchTemplateBlockDeviceMappingArgsDict, LaunchTemplateMetadataOptionsArgsDict, LaunchTemplateTagSpecificationArgsDict


def metadata_options() -> LaunchTemplateMetadataOptionsArgsDict:
    """IMDSv2 only, and out of reach for pods: their packets have one hop more (EKS best practices, "Restrict access to the instance profile")."""
    return {"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1, "instance_metadata_tags": "disabled"}


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
    """Tags of what the template launches; provider default tags and template tags do not reach it."""
    return [{"resource_type": kind, "tags": dict(tags)} for kind in ("instance", "volume", "network-interface")]
