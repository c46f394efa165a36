"""IAM documents as plain data: trust policies, and the JSON that AWS gets. Without Pulumi."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Statement = Mapping[str, Any]


def document(*statements: Statement) -> str:
    """A policy document of these statements, as AWS stores it."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


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


# --- The AWS partition of a region, and ARNs of AWS's own resources in it.


def partition_of(region: str) -> str:
    """`aws`, `aws-cn` or `aws-us-gov` (AWS general reference, "Amazon Resource Names")."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def managed_policy(region: str, name: str) -> str:
    """The ARN of a policy that AWS maintains, such as `service-role/AmazonEFSCSIDriverPolicy`."""
    return f"arn:{partition_of(region)}:iam::aws:policy/{name}"
