"""Endpoint policies: through each private endpoint only what the stack needs, for principals of
its own account. Pure documents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jupyterhub_aws.components.iam import document
from jupyterhub_aws.components.partition import partition_of
from jupyterhub_aws.config.endpoints import addon_account

#: What pulling an image takes (ECR user guide, "Amazon ECR interface VPC endpoints", endpoint
#: policy).
_PULL = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecr:DescribeRepositories",
    "ecr:DescribeImages",
    "ecr:ListImages",
]


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """Whose requests pass: of `account`, in `region`; to these `buckets` besides those of the
    images' layers and, with a runner, of the system's packages.
    """

    region: str
    account: str
    buckets: Sequence[str] = ()
    system_packages: bool = False


def endpoint_policy(service: str, allowed: Allowed) -> str:
    """The policy of one service's endpoint."""
    special: dict[str, Callable[[Allowed], str]] = {
        "s3": _buckets,
        "ecr.api": _registry,
        "ecr.dkr": _registry,
    }
    return special.get(service, _own_account)(allowed)


def _own_account(allowed: Allowed) -> str:
    """Credentials of another account, smuggled in, are of no use: data does not leave through
    AWS's own APIs.
    """
    return document(
        {
            "Sid": "OwnPrincipals",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": allowed.account}},
        }
    )


def _registry(allowed: Allowed) -> str:
    """Pulling from the account's own repositories and from those of EKS's add-ons; nothing is
    pushed from inside.
    """
    partition, own = (
        partition_of(allowed.region),
        {"StringEquals": {"aws:PrincipalAccount": allowed.account}},
    )
    accounts = sorted({allowed.account, addon_account(allowed.region)})
    everybody = {"AWS": "*"}
    return document(
        {
            "Sid": "SignIn",
            "Effect": "Allow",
            "Principal": everybody,
            "Action": ["ecr:GetAuthorizationToken"],
            "Resource": "*",
            "Condition": own,
        },
        {
            "Sid": "Pull",
            "Effect": "Allow",
            "Principal": everybody,
            "Action": _PULL,
            "Resource": [
                f"arn:{partition}:ecr:{allowed.region}:{account}:repository/*"
                for account in accounts
            ],
            "Condition": own,
        },
    )


def _buckets(allowed: Allowed) -> str:
    """Layers of images (ECR signs those requests with an account of its own), the system's
    packages, and named buckets of the account.
    """
    partition, everybody = partition_of(allowed.region), {"AWS": "*"}
    public = [f"arn:{partition}:s3:::prod-{allowed.region}-starport-layer-bucket/*"]
    if allowed.system_packages:
        # Amazon Linux 2023 user guide, "Package repository": one bucket for each region, the same
        # suffix everywhere.
        public.append(f"arn:{partition}:s3:::al2023-repos-{allowed.region}-de612dc2/*")
    statements = [
        {
            "Sid": "ReadPublished",
            "Effect": "Allow",
            "Principal": everybody,
            "Action": ["s3:GetObject"],
            "Resource": public,
        }
    ]
    if allowed.buckets:
        arns = [f"arn:{partition}:s3:::{bucket}" for bucket in allowed.buckets]
        own = {
            "Sid": "OwnBuckets",
            "Effect": "Allow",
            "Principal": everybody,
            "Action": [
                "s3:GetObject*",
                "s3:PutObject*",
                "s3:DeleteObject*",
                "s3:ListBucket*",
                "s3:GetBucket*",
                "s3:AbortMultipartUpload",
                "s3:ListMultipartUploadParts",
            ],
            "Resource": [item for arn in arns for item in (arn, f"{arn}/*")],
            "Condition": {
                "StringEquals": {
                    "aws:PrincipalAccount": allowed.account,
                    "aws:ResourceAccount": allowed.account,
                }
            },
        }
        statements.append(own)
    return document(*statements)
