"""What the runner may do, and what it does when it starts. Pure text."""

from __future__ import annotations

import base64
import textwrap

from jupyterhub_aws.components.iam import document
from jupyterhub_aws.components.partition import partition_of


def runner_policy(*, region: str, account: str, cluster: str, bucket_arn: str) -> str:
    """Session Manager's own needs, reading the bundle, and finding the cluster. State and key come
    by a policy of the stack file.

    Systems Manager user guide, "Create a custom IAM role for Session Manager": the four actions of
    ssmmessages and the agent's report of itself; not AmazonSSMManagedInstanceCore, which reads
    every parameter of the account.
    """
    partition = partition_of(region)
    return document(
        {
            "Sid": "Session",
            "Effect": "Allow",
            "Action": [
                "ssm:UpdateInstanceInformation",
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            "Resource": "*",
        },
        {
            "Sid": "ListBundle",
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:ListBucketVersions"],
            "Resource": bucket_arn,
        },
        {
            "Sid": "ReadBundle",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectVersion"],
            "Resource": f"{bucket_arn}/*",
        },
        {
            "Sid": "FindCluster",
            "Effect": "Allow",
            "Action": ["eks:DescribeCluster"],
            "Resource": f"arn:{partition}:eks:{region}:{account}:cluster/{cluster}",
        },
        {
            "Sid": "RegistrySignIn",
            "Effect": "Allow",
            "Action": ["ecr:GetAuthorizationToken"],
            "Resource": "*",
        },
        {
            "Sid": "ReadCharts",
            "Effect": "Allow",
            "Action": [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            "Resource": f"arn:{partition}:ecr:{region}:{account}:repository/{cluster}/*",
        },
    )


def start_script(bucket: str, region: str, environment: dict[str, str]) -> str:
    """User data in base64: Python from the system's own packages (their bucket is reached through
    S3's endpoint), then the bundle.

    Nothing else is set up: docs/airgap.md says what a person does in a session, and can be read
    before it is run.
    """
    exports = "".join(f"export {key}='{value}'\n" for key, value in sorted(environment.items()))
    script = textwrap.dedent("""\
        #!/bin/bash
        set -euo pipefail
        {exports}cat > /etc/profile.d/jupyterhub-aws.sh <<'PROFILE'
        {exports}export AWS_REGION={region} AWS_STS_REGIONAL_ENDPOINTS=regional
        export PULUMI_SKIP_UPDATE_CHECK=true PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true
        export PIP_NO_INDEX=1 PIP_FIND_LINKS=/opt/bundle/wheels UV_NO_INDEX=1 UV_FIND_LINKS=/opt/bundle/wheels UV_OFFLINE=1
        PROFILE
        dnf install -y python3.11 python3.11-pip git-core make tar gzip
        aws s3 sync --region {region} s3://{bucket} /opt/bundle --only-show-errors
        """).format(exports=exports, region=region, bucket=bucket)
    return base64.b64encode(script.encode()).decode()
