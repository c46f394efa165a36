"""Who may do what on the file system of homes: through an access point, through a mount target,
encrypted, and nothing else. Pure data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyterhub_aws.components.iam import document

#: EFS user guide, "Using IAM to control file system data access": what a client that mounts and
#: writes needs.
_MOUNT_AND_WRITE = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
_BY_MOUNT_TARGET = {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}


def file_system_policy(
    file_system_arn: str,
    access_point_arns: Sequence[str],
    restore_point_arn: str,
    restore_role_arn: str,
    ownership_point_arn: str | None = None,
) -> str:
    """The resource policy of the file system.

    Nodes mount without an identity of their own, so the hubs' access points are open to whoever
    reaches a mount target, which the security group says. The restore point shows everybody's homes
    as root: it is its role's alone. The ownership point is open like the hubs' and does so too, as
    long as homes are handed over and no hub, and so nobody's server, is there.
    """
    encrypted = {
        "Sid": "EncryptedOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "*",
        "Resource": file_system_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    statements = [encrypted]
    if access_point_arns:
        statements.append(
            _through("HubsThroughTheirAccessPoints", file_system_arn, list(access_point_arns))
        )
    statements.append(
        _through(
            "RestoreThroughItsAccessPoint",
            file_system_arn,
            restore_point_arn,
            who=restore_role_arn,
            root=True,
        )
    )
    if ownership_point_arn is not None:
        statements.append(
            _through(
                "OwnershipThroughItsAccessPoint", file_system_arn, ownership_point_arn, root=True
            )
        )
    return document(*statements)


def _through(
    sid: str, file_system_arn: str, point: str | list[str], *, who: str = "*", root: bool = False
) -> dict[str, Any]:
    """Mounting and writing through access points, as root where that is meant."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": who},
        "Action": [*_MOUNT_AND_WRITE, *(["elasticfilesystem:ClientRootAccess"] if root else [])],
        "Resource": file_system_arn,
        "Condition": {
            **_BY_MOUNT_TARGET,
            "StringEquals": {"elasticfilesystem:AccessPointArn": point},
        },
    }
