"""A platform from a stack file, a bucket that the servers of one hub may read, and a second
chart in the same cluster.
"""

import json

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from jupyterhub_aws import from_stack_file, pod_identity_trust

platform = from_stack_file()
hub = platform.hubs["main"]

# A bucket, which nothing deletes by accident and nobody reads from outside.
kept = pulumi.ResourceOptions(protect=True, retain_on_delete=True)
courses = aws.s3.Bucket("courses", tags=platform.tags, opts=kept)
aws.s3.BucketPublicAccessBlock(
    "courses",
    bucket=courses.id,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
)

# A role that reads it. Servers of the hub use AWS as this role; every user of the hub may do what
# it may.
reader = aws.iam.Role("courses-reader", assume_role_policy=pod_identity_trust(), tags=platform.tags)


def reads(arn: str) -> str:
    """What the role may do: list the bucket, and read what is in it."""
    statements = [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{arn}/*"},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


aws.iam.RolePolicy("courses-reader", role=reader.name, policy=courses.arn.apply(reads))
hub.add_role(reader.arn)
hub.add_environment({"COURSES_BUCKET": courses.bucket})

# A second chart in the same cluster: Dask Gateway, on the core nodes. The chart has the version of
# the packages on PyPI.
core = platform.pools.outputs.core_selector
gateway = kubernetes.helm.v3.Release(
    "dask-gateway",
    chart="dask-gateway",
    version="2026.3.0",
    repository_opts={"repo": "https://helm.dask.org/"},
    namespace="dask-gateway",
    create_namespace=True,
    values={
        "gateway": {"nodeSelector": core},
        "controller": {"nodeSelector": core},
        "traefik": {"nodeSelector": core, "service": {"type": "ClusterIP"}},
    },
    opts=pulumi.ResourceOptions(provider=platform.kubernetes_provider),
)

pulumi.export("courses", courses.bucket)
pulumi.export("dask_gateway", gateway.status.namespace)
