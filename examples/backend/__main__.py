"""The state of your stacks: a versioned, encrypted bucket, and the key that seals their secrets.
Both are kept whatever happens.
"""

import pulumi
import pulumi_aws as aws
from documents import bucket_policy, key_policy, user_policy
from settings import Settings, read

_OLD_STATES_DAYS = 365
_KEY_DELETION_DAYS = 30

config, region = pulumi.Config(), pulumi.Config("aws").require("region")
values = {
    key: found
    for key in ("bucket", "owner", "vpc_endpoint")
    if (found := config.get(key)) is not None
}
values |= {
    key: found
    for key in ("principals", "administrators")
    if (found := config.get_object(key)) is not None
}
try:
    settings: Settings = read(values)
except ValueError as error:
    raise pulumi.RunError(f"the stack file is wrong\n{error}") from None

tags = {"owner": settings.owner, "managed-by": "jupyterhub-aws-backend", "Name": settings.bucket}
kept = pulumi.ResourceOptions(protect=True, retain_on_delete=True)
partition = (
    "aws-cn"
    if region.startswith("cn-")
    else "aws-us-gov"
    if region.startswith("us-gov-")
    else "aws"
)
account = aws.get_caller_identity_output().account_id

key = aws.kms.Key(
    "key",
    description=f"States and secrets in {settings.bucket}",
    enable_key_rotation=True,
    deletion_window_in_days=_KEY_DELETION_DAYS,
    policy=account.apply(lambda known: key_policy(partition, known)),
    tags=tags,
    opts=kept,
)
alias = aws.kms.Alias("alias", name=f"alias/{settings.bucket}", target_key_id=key.key_id)

bucket = aws.s3.Bucket("state", bucket=settings.bucket, tags=tags, opts=kept)
private = aws.s3.BucketPublicAccessBlock(
    "private",
    bucket=bucket.id,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
)
aws.s3.BucketOwnershipControls(
    "ownership", bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}
)
aws.s3.BucketVersioning(
    "versions", bucket=bucket.id, versioning_configuration={"status": "Enabled"}
)
aws.s3.BucketServerSideEncryptionConfiguration(
    "encryption",
    bucket=bucket.id,
    rules=[
        {
            "apply_server_side_encryption_by_default": {
                "sse_algorithm": "aws:kms",
                "kms_master_key_id": key.arn,
            },
            "bucket_key_enabled": True,
        }
    ],
)
aws.s3.BucketLifecycleConfiguration(
    "lifecycle",
    bucket=bucket.id,
    rules=[
        {
            "id": "old-states",
            "status": "Enabled",
            "filter": {},
            "noncurrent_version_expiration": {"noncurrent_days": _OLD_STATES_DAYS},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        }
    ],
)
aws.s3.BucketPolicy(
    "policy",
    bucket=bucket.id,
    policy=pulumi.Output.all(bucket.arn, key.arn).apply(
        lambda known: bucket_policy(
            known[0],
            known[1],
            endpoint=settings.vpc_endpoint,
            administrators=settings.administrators,
        )
    ),
    opts=pulumi.ResourceOptions(depends_on=[private]),
)
policy = aws.iam.Policy(
    "users",
    name=f"{settings.bucket}-users",
    description=f"Work with the states in {settings.bucket}",
    policy=pulumi.Output.all(bucket.arn, key.arn).apply(lambda known: user_policy(*known)),
    tags=tags,
)
for principal in settings.principals:
    kind, _, name = principal.rpartition(":")[2].partition("/")
    bare = name.rpartition("/")[2]
    if kind == "role":
        aws.iam.RolePolicyAttachment(f"role-{bare}", role=bare, policy_arn=policy.arn)
    else:
        aws.iam.UserPolicyAttachment(f"user-{bare}", user=bare, policy_arn=policy.arn)

pulumi.export("url", f"s3://{settings.bucket}?region={region}&awssdk=v2")
pulumi.export("secrets_provider", f"awskms://alias/{settings.bucket}?region={region}")
pulumi.export("policy", policy.arn)
