"""Who may do what with backups, as plain data. Nothing here knows Pulumi."""

from __future__ import annotations

from jupyterhub_aws.components.iam import document

#: What would take a backup away before its day. AWS Backup's own expiry is none of these calls.
_TAKING_AWAY = ["backup:DeleteRecoveryPoint", "backup:DisassociateRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"]


def vault_policy() -> str:
    """The vault's access policy: nobody deletes a backup by hand, or makes its day an earlier one.

    AWS Backup developer guide, "Vault access policies": no wildcard in an action, and recovery points of volumes have ARNs of EC2, so the resource
    is `*`. Who may write this policy can take it away again: only `vault_lock` holds against them.
    """
    return document({"Sid": "NobodyTakesBackupsAway", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": list(_TAKING_AWAY), "Resource": "*"})
