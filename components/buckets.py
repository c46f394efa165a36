"""Buckets in S3 for users' data: scratch buckets that empty themselves, and shared ones that are
versioned, protected and backed up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pulumi
from pulumi_aws import s3

from jupyterhub_aws.components.airgap.registry import UNFINISHED_UPLOAD_DAYS
from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.backups import BackupsOutputs
from jupyterhub_aws.components.base import Component, checked, named
from jupyterhub_aws.components.iam import document, encrypted_only, partition_of
from jupyterhub_aws.config.access_rules import bucket_names_are_known
from jupyterhub_aws.config.backups import AwsBackup
from jupyterhub_aws.config.buckets import AnyBucket, Bucket, ScratchBucket, SharedBucket
from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.config.model import Model, option
from jupyterhub_aws.config.specs.buckets import USER_BUCKET_TAG, BucketSpec, bucket_specs
from jupyterhub_aws.config.values import AccountId, Region, ShortName

#: Who may still write to a bucket with S3's access points, ACLs and policies: its owner, by
#: policies alone (Amazon S3 user guide, "Controlling ownership of objects").
_OWNER_ENFORCED = "BucketOwnerEnforced"


def bucket_policy(bucket: BucketSpec) -> str:
    """Requests without TLS are denied; the readers that the stack file names may read."""
    statements = [encrypted_only(bucket.arn)]
    readers = bucket.options.readers if isinstance(bucket.options, SharedBucket) else ()
    if readers:
        who = {"AWS": sorted(readers)}
        statements += [
            {
                "Sid": "ReadersList",
                "Effect": "Allow",
                "Principal": who,
                "Action": ["s3:GetBucketLocation", "s3:ListBucket"],
                "Resource": bucket.arn,
            },
            {
                "Sid": "ReadersRead",
                "Effect": "Allow",
                "Principal": who,
                "Action": ["s3:GetObject", "s3:GetObjectTagging"],
                "Resource": f"{bucket.arn}/*",
            },
        ]
    return document(*statements)


def lifecycle_rules(options: ScratchBucket | SharedBucket) -> list[dict[str, Any]]:
    """What S3 deletes by itself: objects of a scratch bucket, old versions of a shared one, parts
    of uploads that were never completed.
    """
    rule: dict[str, Any] = {
        "status": "Enabled",
        "filter": {},
        "abort_incomplete_multipart_upload": {"days_after_initiation": UNFINISHED_UPLOAD_DAYS},
    }
    if isinstance(options, ScratchBucket):
        return [{**rule, "id": "expire", "expiration": {"days": options.expire_days}}]
    old = {"noncurrent_days": options.old_versions_days}
    return [{**rule, "id": "old-versions", "noncurrent_version_expiration": old}]


class _BucketsSection(Model):
    buckets: dict[ShortName, Bucket] = option(help="As `buckets` of a stack.", changing="In place.")


@dataclass(frozen=True, kw_only=True, eq=False)
class BucketsArgs:
    """Buckets by names of your choice.

    Attributes:
        region: The AWS region, such as us-east-1.
        buckets: For each bucket a model such as `ScratchBucket(expire_days=7)`, or a mapping with
            the same keys (docs/reference.md, `buckets.NAME`). Existing and public ones are not
            made; hubs take them from here like the others.
        account: The AWS account, which ends the default names of buckets.
        physical_name: The prefix of names in AWS; without it the component's resource name.
        backups: The outputs of Backups of kind aws_backup, by whose tag shared buckets are found;
            None: they are not backed up.
        tags: Tags of every resource.

    """

    region: str
    buckets: Mapping[str, AnyBucket | Mapping[str, Any]]
    account: str | None = None
    physical_name: str | None = None
    backups: BackupsOutputs | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def resolved(self, name: str) -> Mapping[str, BucketSpec]:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("Buckets", name)
        physical = given.physical_name(self.physical_name)
        given.tags(self.tags)
        given.check_value(Region, self.region, "region")
        if self.account is not None:
            given.check_value(AccountId, self.account, "account")
        if self.backups is not None:
            given.handle("backups", self.backups, BackupsOutputs)
        given.done()
        section = given.section(_BucketsSection, {"buckets": self.buckets})
        given.done()
        assert section is not None  # noqa: S101 -- else there was a problem
        found = section.buckets
        given.add(self._names(physical, found))
        given.done()
        spec = None if self.backups is None else self.backups.spec
        return bucket_specs(
            found,
            stack=physical,
            account=self.account,
            partition=partition_of(self.region),
            backup_tags=(
                spec.tags if spec is not None and isinstance(spec.options, AwsBackup) else {}
            ),
        )

    def _names(self, physical: str, found: Mapping[str, AnyBucket]) -> Iterator[Problem]:
        for problem in bucket_names_are_known(
            physical, [] if self.account is None else [self.account], found
        ):
            unsaid = problem.id == "bucket.no-account"
            yield replace(problem, fix="write account, or a bucket_name") if unsaid else problem


@dataclass(frozen=True, kw_only=True, eq=False)
class BucketsOutputs:
    """Buckets as hubs need them: `Buckets(...).outputs`.

    Attributes:
        specs: What follows for each bucket, by name: `specs["scratch"].bucket_name` is its name in
            AWS.
        ready: The buckets themselves, for `depends_on`.

    """

    specs: Mapping[str, BucketSpec]
    ready: tuple[pulumi.Resource, ...] = ()


class Buckets(Component):
    """Encrypted buckets without public access, which answer over TLS only.

    A `shared` bucket is retained when it is removed from the program. A `scratch` bucket is deleted
    with its objects. Raises ArgumentError with every problem of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:Buckets"
    outputs: BucketsOutputs

    def __init__(
        self, name: str, args: BucketsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        specs = checked(Buckets, name, args, BucketsArgs).resolved(name)
        super().__init__(name, opts)
        self._name, self._args = name, args
        made = tuple(self._bucket(spec) for spec in specs.values() if spec.made)
        self.outputs = BucketsOutputs(specs=specs, ready=made)
        self.register_outputs({"buckets": {spec.name: spec.bucket_name for spec in specs.values()}})

    def _bucket(self, spec: BucketSpec) -> s3.Bucket:
        options, name = spec.options, f"{self._name}-{spec.name}"
        assert isinstance(options, (ScratchBucket, SharedBucket))  # noqa: S101 -- for the type checker: the others are not made
        scratch = isinstance(options, ScratchBucket)
        # What keeps a bucket closed, encrypted and versioned stays as long as the bucket does.
        kept = self.child if scratch else self.protected_options
        bucket = s3.Bucket(
            name,
            bucket=spec.bucket_name,
            force_destroy=scratch,
            tags={
                **named(self._args.tags, spec.bucket_name),
                USER_BUCKET_TAG: options.kind,
                **spec.backup_tags,
            },
            opts=kept(),
        )
        s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=kept(),
        )
        s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.id,
            rule={"object_ownership": _OWNER_ENFORCED},
            opts=kept(),
        )
        versions = None
        if not scratch:
            versions = s3.BucketVersioning(
                f"{name}-versions",
                bucket=bucket.id,
                versioning_configuration={"status": "Enabled"},
                opts=kept(),
            )
        s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.id,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=kept(),
        )
        # Rules for old versions need versions (Amazon S3 user guide, "Lifecycle configuration
        # elements").
        s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.id,
            rules=lifecycle_rules(options),  # type: ignore[arg-type] # the SDK's own typed dicts
            opts=kept() if versions is None else kept(depends_on=[versions]),
        )
        s3.BucketPolicy(f"{name}-policy", bucket=bucket.id, policy=bucket_policy(spec), opts=kept())
        return bucket
