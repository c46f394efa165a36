"""IAM documents of the control plane: who may use its key, and what its service role may do with
it.
"""

from __future__ import annotations

from jupyterhub_aws.components.iam import document


def key_policy(partition: str, account: str) -> str:
    """The key belongs to the account: IAM policies there decide who uses it (KMS developer
    guide, "Default key policy").
    """
    return document(
        {
            "Sid": "AccountDecides",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    )


def envelope_policy(key_arn: str) -> str:
    """What the service role does with the key that encrypts Kubernetes secrets
    (terraform-aws-eks 21, `cluster_encryption`).
    """
    return document(
        {
            "Sid": "EncryptSecrets",
            "Effect": "Allow",
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"],
            "Resource": [key_arn],
        }
    )
