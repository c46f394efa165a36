"""The bucket that carries the bundle into a closed network: versioned, encrypted, and open to
nobody but the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import s3

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import document

#: How long a bundle that was replaced can be taken back.
_OLD_VERSION_DAYS = 90
_UNFINISHED_UPLOAD_DAYS = 7


@dataclass(frozen=True, kw_only=True, eq=False)
class BundleBucketArgs:
    """`bucket` is the bucket's name in AWS."""

    bucket: pulumi.Input[str]
    tags: Mapping[str, str]


def bucket_policy(bucket_arn: str) -> str:
    """Nobody comes without TLS."""
    return document(
        {
            "Sid": "EncryptedOnly",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


class BundleBucket(Component):
    """What `jhub bundle pull` filled a folder with is synchronized into it; the runner reads it
    and writes nothing.
    """

    token: ClassVar[str] = "jupyterhub-aws:airgap:BundleBucket"
    arn: pulumi.Output[str]
    bucket: pulumi.Output[str]

    def __init__(
        self, name: str, args: BundleBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        bucket = s3.Bucket(
            f"{name}-bucket", bucket=args.bucket, tags=named(args.tags, "bundle"), opts=self.kept()
        )
        s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child(),
        )
        s3.BucketVersioning(
            f"{name}-versions",
            bucket=bucket.id,
            versioning_configuration={"status": "Enabled"},
            opts=self.child(),
        )
        s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.id,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms"},
                    "bucket_key_enabled": True,
                }
            ],
            opts=self.child(),
        )
        s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.id,
            rules=[
                {
                    "id": "old-versions",
                    "status": "Enabled",
                    "filter": {},
                    "noncurrent_version_expiration": {"noncurrent_days": _OLD_VERSION_DAYS},
                    "abort_incomplete_multipart_upload": {
                        "days_after_initiation": _UNFINISHED_UPLOAD_DAYS
                    },
                }
            ],
            opts=self.child(),
        )
        s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.id,
            policy=bucket.arn.apply(bucket_policy),
            opts=self.child(),
        )
        self.arn, self.bucket = bucket.arn, bucket.bucket
        self.register_outputs({"bucket": self.bucket})
