"""The AWS partition of a region, and ARNs of what AWS itself owns in it."""

from __future__ import annotations


def partition_of(region: str) -> str:
    """`aws`, `aws-cn` or `aws-us-gov` (AWS general reference, "Amazon Resource Names")."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def managed_policy(region: str, name: str) -> str:
    """The ARN of a policy that AWS maintains, such as `service-role/AmazonEFSCSIDriverPolicy`."""
    return f"arn:{partition_of(region)}:iam::aws:policy/{name}"
