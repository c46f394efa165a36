"""Buckets in S3 for users' data: those that the stack makes, and those that exist already."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.values import AccountId, KmsKeyArn

#: Amazon S3 user guide, "General purpose buckets naming rules": 3 to 63 lower-case letters, digits,
#: dots and hyphens. Dots are left out: TLS certificates of S3 do not match such names (same page).
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3")
_DOTTED_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PRINCIPAL = re.compile(
    r"arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:(root|(role|user)/[\w+=,.@/-]+)", re.ASCII
)
_CHOOSE_ONCE = "Another bucket, which is empty. Choose once."


def _no_address(value: str) -> None:
    if "/" in value or value.startswith("arn:"):
        fix = "write the bare name, without s3://, arn: and without a path"
        raise refuse("bucket.name", f"is not the name of a bucket (got {shown(value)})", fix)


def _new_name(value: str) -> str:
    _no_address(value)
    if (
        not _NAME.fullmatch(value)
        or value.startswith(_RESERVED_STARTS)
        or value.endswith(_RESERVED_ENDS)
    ):
        fix = "write 3 to 63 lower-case letters, digits and hyphens, such as uni-hub-scratch"
        raise refuse("bucket.name", f"is not the name of a bucket (got {shown(value)})", fix)
    return value


def _existing_name(value: str) -> str:
    _no_address(value)
    if not _DOTTED_NAME.fullmatch(value):
        fix = "write its name as the S3 console shows it, such as uni-lectures"
        raise refuse("bucket.name", f"is not the name of a bucket (got {shown(value)})", fix)
    return value


def _reader(value: str) -> str:
    fix = "write the ARN of a role, a user or an account, such as arn:aws:iam::123456789012:root"
    if "*" in value:
        what = f"is a wildcard (got {shown(value)}): every AWS principal that matches could read it"
        raise refuse("bucket.public-reader", what, fix)
    if not _PRINCIPAL.fullmatch(value):
        what = f"is not the ARN of an IAM principal (got {shown(value)})"
        raise refuse("bucket.reader", what, fix)
    return value


NewBucketName = Annotated[
    str,
    AfterValidator(_new_name),
    Field(json_schema_extra={"examples": ["uni-hub-scratch"], "minLength": 3, "maxLength": 63}),
]
ExistingBucketName = Annotated[
    str,
    AfterValidator(_existing_name),
    Field(json_schema_extra={"examples": ["uni-lectures"], "minLength": 3, "maxLength": 63}),
]
Reader = Annotated[str, AfterValidator(_reader)]


class _OwnBucket(Model):
    """What every bucket of the stack has: encrypted (SSE-S3), no public access, TLS only."""

    bucket_name: NewBucketName | None = option(
        None,
        help=(
            "Its name in AWS, unique in the world. Default: STACK-NAME-ACCOUNT, from the stack's"
            " `name`, this bucket's name and the stack's account."
        ),
        changing=_CHOOSE_ONCE,
    )


class ScratchBucket(_OwnBucket):
    """A bucket for intermediate results, which are deleted after some days."""

    kind: Literal["scratch"] = tag(
        "scratch",
        help=(
            "`scratch`: objects are deleted after some days; nothing is backed up, and `destroy`"
            " deletes the bucket with its objects."
        ),
        changing=_CHOOSE_ONCE,
    )
    expire_days: int = option(
        7,
        help="An object is deleted so many days after it was written.",
        unit="days",
        changing="In place. A smaller number deletes older objects within about a day.",
        ge=1,
        le=365,
    )


class SharedBucket(_OwnBucket):
    """A bucket for data that is to stay: versioned, protected, and backed up by AWS Backup."""

    kind: Literal["shared"] = tag(
        "shared",
        help=(
            "`shared`: versioned, protected from deletion, and backed up where `backups.kind` is"
            " aws_backup."
        ),
        changing=_CHOOSE_ONCE,
    )
    old_versions_days: int = option(
        90,
        help="A replaced or deleted object can be restored for so long.",
        unit="days",
        changing="In place. A smaller number deletes older versions within about a day.",
        ge=1,
        le=3650,
    )
    readers: tuple[Reader, ...] = option(
        (),
        help=(
            "ARNs of roles, users or accounts (arn:aws:iam::ACCOUNT:root) outside the stack that"
            " may read it too. Never `*`."
        ),
        changing="In place.",
        max_length=20,
    )


class ExistingBucket(Model):
    """A bucket that exists already. The stack changes nothing of it; only its users' roles name
    it.
    """

    kind: Literal["existing"] = tag(
        "existing",
        help="`existing`: a bucket that the stack does not make and does not change.",
        changing="For servers that start later.",
    )
    bucket_name: ExistingBucketName = option(
        help="Its name in AWS.", changing="Another bucket, for servers that start later."
    )
    account: AccountId | None = option(
        None,
        help=(
            "The AWS account that owns it, where that is another one than the stack's. Its own"
            " policy must let the roles of this stack in. A bucket of any account that is not named"
            " is refused by the roles' policies (aws:ResourceAccount)."
        ),
        changing="At once.",
    )
    kms_key: KmsKeyArn | None = option(
        None,
        help=(
            "ARN of the key with which it is encrypted, where that is a KMS key: the roles get"
            " its use through S3."
        ),
        changing="At once.",
    )


class PublicBucket(Model):
    """A bucket with public data, such as those of the Registry of Open Data on AWS."""

    kind: Literal["public"] = tag(
        "public",
        help="`public`: public data of any account, for reading only.",
        changing="For servers that start later.",
    )
    bucket_name: ExistingBucketName = option(
        help="Its name in AWS.", changing="Another bucket, for servers that start later."
    )


AnyBucket = ScratchBucket | SharedBucket | ExistingBucket | PublicBucket
Bucket = Annotated[AnyBucket, Field(discriminator="kind")]


def physical_bucket(stack: str, name: str, bucket: AnyBucket, account: str | None) -> str | None:
    """The name of a bucket in AWS; None where it follows from an account that is not known."""
    if bucket.bucket_name is not None:
        return bucket.bucket_name
    return None if account is None else f"{stack}-{name}-{account}"
