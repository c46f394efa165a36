"""What follows from `buckets`: names and ARNs in AWS, who owns them, and whether they are backed
up. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jupyterhub_aws.config.buckets import (
    AnyBucket,
    ExistingBucket,
    PublicBucket,
    ScratchBucket,
    SharedBucket,
    physical_bucket,
)

#: The tag of buckets for users' data, with their kind.
USER_BUCKET_TAG = "jupyterhub-aws/bucket"


@dataclass(frozen=True, kw_only=True)
class BucketSpec:
    """A bucket by its `name` in the stack file. `bucket_name` is its name in AWS, `partition` that
    of its ARN. `backup_tags` are what AWS Backup finds it by; none where it is not backed up.
    """

    name: str
    bucket_name: str
    partition: str
    options: AnyBucket
    backup_tags: Mapping[str, str]

    @property
    def arn(self) -> str:
        """Its ARN, which names no account and no region."""
        return f"arn:{self.partition}:s3:::{self.bucket_name}"

    @property
    def made(self) -> bool:
        """Whether the stack makes it."""
        return isinstance(self.options, (ScratchBucket, SharedBucket))

    @property
    def other_account(self) -> str | None:
        """The account that owns it, where that is said to be another one than the stack's."""
        return self.options.account if isinstance(self.options, ExistingBucket) else None

    @property
    def public(self) -> bool:
        """Whether it may be any account's."""
        return isinstance(self.options, PublicBucket)

    @property
    def kms_key(self) -> str | None:
        """The ARN of the KMS key whose use its readers need; None with S3's own encryption."""
        return self.options.kms_key if isinstance(self.options, ExistingBucket) else None


def bucket_specs(
    buckets: Mapping[str, AnyBucket],
    *,
    stack: str,
    account: str | None,
    partition: str,
    backup_tags: Mapping[str, str],
) -> Mapping[str, BucketSpec]:
    """The buckets of a stack by name. `backup_tags` select what AWS Backup takes.

    Raises ValueError for a bucket without a name of its own where the account is not known.
    """
    found = {}
    for name, bucket in sorted(buckets.items()):
        physical = physical_bucket(stack, name, bucket, account)
        if physical is None:
            raise ValueError(f"the name of bucket {name} follows from the account")
        found[name] = BucketSpec(
            name=name,
            bucket_name=physical,
            partition=partition,
            options=bucket,
            backup_tags=backup_tags if isinstance(bucket, SharedBucket) else {},
        )
    return found
