"""Private repositories for every image and chart of the stack, from the same inventory as the
bundle that fills them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import ecr, s3

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import document, encrypted_only
from jupyterhub_aws.config.bundle import destination

#: Days after which images without a tag or a manifest list expire, such as those of an interrupted
#: push.
_UNTAGGED_DAYS = 14
#: Number of versions that are retained, for `helm rollback` and for pods that still use them.
_VERSIONS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class RepositoriesArgs:
    """`registry` is `HOST/PREFIX` of the account's registry in ECR; `images` and `charts` are
    its content, under the publishers' names.
    """

    registry: str
    images: Sequence[str]
    charts: Sequence[str]
    tags: Mapping[str, str]


def repository_names(registry: str, images: Iterable[str], charts: Iterable[str]) -> list[str]:
    """The path of each repository below the registry's host."""
    host = registry.partition("/")[0]
    names = (
        *(destination(registry, image) for image in images),
        *(f"{registry}/charts/{chart}" for chart in charts),
    )
    return sorted({name.removeprefix(f"{host}/") for name in names})


def lifecycle(versions: int = _VERSIONS) -> str:
    """Expire untagged images, and retain the last versions of the others (ECR user guide,
    "Lifecycle policy"). Images of a manifest list go with it only.
    """
    rules = [
        {
            "rulePriority": 1,
            "description": "what nothing names",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": _UNTAGGED_DAYS,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "description": "old versions",
            "selection": {
                "tagStatus": "tagged",
                "tagPatternList": ["*"],
                "countType": "imageCountMoreThan",
                "countNumber": versions,
            },
            "action": {"type": "expire"},
        },
    ]
    return json.dumps({"rules": rules})


def private_repository(  # noqa: PLR0913 -- what two components say of one
    name: str,
    path: str,
    tags: Mapping[str, str],
    *,
    versions: int = _VERSIONS,
    opts: pulumi.ResourceOptions,
    policy_opts: pulumi.ResourceOptions,
) -> ecr.Repository:
    """A repository of this path: tags cannot be moved, layers are encrypted, each push is scanned,
    and the newest `versions` are retained.
    """
    repository = ecr.Repository(
        name,
        name=path,
        image_tag_mutability="IMMUTABLE",
        encryption_configurations=[{"encryption_type": "KMS"}],
        image_scanning_configuration={"scan_on_push": True},
        force_delete=False,
        tags=named(tags, path),
        opts=opts,
    )
    ecr.LifecyclePolicy(
        name, repository=repository.name, policy=lifecycle(versions), opts=policy_opts
    )
    return repository


class Repositories(Component):
    """One repository for each image and chart. Tags cannot be moved, layers are encrypted, and
    each push is scanned.
    """

    token: ClassVar[str] = "jupyterhub-aws:airgap:Repositories"

    def __init__(
        self, name: str, args: RepositoriesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        paths = repository_names(args.registry, args.images, args.charts)
        prefix = args.registry.partition("/")[2]
        for path in paths:
            short = path.removeprefix(f"{prefix}/").replace("/", "-")
            private_repository(
                f"{name}-{short}", path, args.tags, opts=self.child(), policy_opts=self.child()
            )
        self.register_outputs({"repositories": paths})


# --- The bucket that transports the bundle into an isolated network: versioned, encrypted, and
# accessible to the account only.


#: How long a replaced bundle can be restored.
_OLD_VERSION_DAYS = 90
UNFINISHED_UPLOAD_DAYS = 7


@dataclass(frozen=True, kw_only=True, eq=False)
class BundleBucketArgs:
    """`bucket` is the bucket's name in AWS."""

    bucket: pulumi.Input[str]
    tags: Mapping[str, str]


def bucket_policy(bucket_arn: str) -> str:
    """Requests without TLS are denied."""
    return document(
        encrypted_only(bucket_arn),
    )


class BundleBucket(Component):
    """The folder that `jhub bundle pull` fills is synchronized into it; the runner only reads
    it.
    """

    token: ClassVar[str] = "jupyterhub-aws:airgap:BundleBucket"
    arn: pulumi.Output[str]
    bucket: pulumi.Output[str]

    def __init__(
        self, name: str, args: BundleBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        bucket = s3.Bucket(
            f"{name}-bucket",
            bucket=args.bucket,
            tags=named(args.tags, "bundle"),
            opts=self.protected_options(),
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
                        "days_after_initiation": UNFINISHED_UPLOAD_DAYS
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
