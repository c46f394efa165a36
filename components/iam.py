"""IAM documents as plain data: trust policies, and the JSON that AWS gets. Without Pulumi."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jupyterhub_aws.config.values import partition_of as partition_of

Statement = Mapping[str, Any]


def document(*statements: Statement) -> str:
    """A policy document of these statements, as AWS stores it."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def encrypted_only(bucket_arn: str) -> Statement:
    """Of a bucket's policy: requests without TLS are denied."""
    return {
        "Sid": "EncryptedOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def service_trust(service: str, *, actions: Sequence[str] = ("sts:AssumeRole",)) -> str:
    """Only this AWS service may assume the role."""
    return document(
        {
            "Sid": "Service",
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": list(actions),
        }
    )


def pod_identity_trust() -> str:
    """Only pods associated by EKS Pod Identity may assume the role (EKS user guide, "Create IAM
    role with trust policy").
    """
    return service_trust("pods.eks.amazonaws.com", actions=("sts:AssumeRole", "sts:TagSession"))


def managed_policy(region: str, name: str) -> str:
    """The ARN of a policy that AWS maintains, such as `service-role/AmazonEFSCSIDriverPolicy`."""
    return f"arn:{partition_of(region)}:iam::aws:policy/{name}"
