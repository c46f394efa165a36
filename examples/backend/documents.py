"""Who may do what with the state: the bucket's policy, the key's, and one for those who work
with it. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def document(*statements: dict[str, Any]) -> str:
    """A policy document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def bucket_policy(
    bucket: str, key: str, *, endpoint: str | None, administrators: Sequence[str]
) -> str:
    """Nobody without TLS, nothing under another key; and with an `endpoint`, nobody from
    elsewhere but `administrators`.
    """
    both = [bucket, f"{bucket}/*"]
    everybody = {"Effect": "Deny", "Principal": {"AWS": "*"}}
    statements = [
        {
            **everybody,
            "Sid": "EncryptedOnTheWay",
            "Action": "s3:*",
            "Resource": both,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            **everybody,
            "Sid": "UnderThisKeyOnly",
            "Action": "s3:PutObject",
            "Resource": f"{bucket}/*",
            # An upload that names no key gets the bucket's own: only one that names another is
            # refused.
            "Condition": {
                "StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key}
            },
        },
    ]
    if endpoint is not None:
        condition = {
            "StringNotEquals": {"aws:SourceVpce": endpoint},
            "ArnNotEquals": {"aws:PrincipalArn": list(administrators)},
        }
        statements.append(
            {
                **everybody,
                "Sid": "ThroughTheEndpointOnly",
                "Action": "s3:*",
                "Resource": both,
                "Condition": condition,
            }
        )
    return document(*statements)


def key_policy(partition: str, account: str) -> str:
    """The key belongs to the account: policies there decide who uses it (KMS developer guide,
    "Default key policy").
    """
    root = {"AWS": f"arn:{partition}:iam::{account}:root"}
    return document(
        {
            "Sid": "AccountDecides",
            "Effect": "Allow",
            "Principal": root,
            "Action": "kms:*",
            "Resource": "*",
        }
    )


def user_policy(bucket: str, key: str) -> str:
    """What `pulumi` does with a state in S3 (its own documentation, "DIY backends") and with a
    key as secrets provider: no more.
    """
    return document(
        {
            "Sid": "FindStates",
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation"],
            "Resource": bucket,
        },
        {
            "Sid": "ReadAndWriteStates",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject"],
            "Resource": f"{bucket}/.pulumi/*",
        },
        {
            "Sid": "SealSecrets",
            "Effect": "Allow",
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
            "Resource": key,
        },
    )
