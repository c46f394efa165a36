"""Who may do what on the file system of homes: through an access point, through a mount target, encrypted, and nothing else. Pure data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.iam import document

#: EFS user guide, "Using IAM to control file system data access": what a client that mounts and writes needs.
_MOUNT_AND_WRITE = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
_BY_MOUNT_TARGET = {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}


def file_system_policy(file_system_arn: str, access_point_arns: Sequence[str], restore_point_arn: str, restore_role_arn: str) -> str:
    """The resource policy of the file system.

    Nodes mount without an identity of their own, so the hubs' access points are open to whoever reaches a mount target,
    which the security group says. The restore point shows everybody's homes as root: it is its role's alone.
    """
    through = {"StringEquals": {"elasticfilesystem:AccessPointArn": list(access_point_arns)}} if access_point_arns else None
    statements: list[dict[str, Any]] = [
        {
            "Sid": "EncryptedOnly",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "*",
            "Resource": file_system_arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    if through is not None:
        statements.append(
            {
                "Sid": "HubsThroughTheirAccessPoints",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": _MOUNT_AND_WRITE,
                "Resource": file_system_arn,
                "Condition": {**_BY_MOUNT_TARGET, **through},
            }
        )
    statements.append(
        {
            "Sid": "RestoreThroughItsAccessPoint",
            "Effect": "Allow",
            "Principal": {"AWS": restore_role_arn},
            "Action": [*_MOUNT_AND_WRITE, "elasticfilesystem:ClientRootAccess"],
            "Resource": file_system_arn,
            "Condition": {**_BY_MOUNT_TARGET, "StringEquals": {"elasticfilesystem:AccessPointArn": restore_point_arn}},
        }
    )
    return document(*statements)
