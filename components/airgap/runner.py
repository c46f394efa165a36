"""The runner: a small EC2 instance inside an isolated network, from which `pulumi` reaches the
cluster's API. It is reached by Session Manager only.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import ec2, eks, iam, vpc

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.iam import document, partition_of, service_trust
from jupyterhub_aws.components.pools.groups import metadata_options, tag_specifications
from jupyterhub_aws.config import runner as runner_config
from jupyterhub_aws.config.instance_types import instance_type
from jupyterhub_aws.config.specs.node_groups import image_parameter

# --- What the runner may do, and what it does when it starts. Pure text.


def runner_policy(*, region: str, account: str, cluster: str, bucket_arn: str) -> str:
    """Session Manager's own needs, reading the bundle, and finding the cluster. Access to state and
    key is a policy of the stack file.

    Systems Manager user guide, "Create a custom IAM role for Session Manager": the four actions of
    ssmmessages and the agent's report of itself; not AmazonSSMManagedInstanceCore, which allows
    reading every parameter of the account.
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

    Nothing else is set up: docs/airgap.md describes the operator's steps in a session.
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


_HTTPS = 443


@dataclass(frozen=True, kw_only=True, eq=False)
class RunnerArgs:
    """`cluster` is the cluster that the runner reaches, in whose network it is and whose nodes'
    machine image it uses.

    `bucket` and `bucket_arn` are the bundle's. The cluster's name is the prefix of physical names.
    """

    runner: runner_config.RunnerSection
    cluster: ClusterOutputs
    account: pulumi.Input[str]
    bucket: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    tags: Mapping[str, str]


def instance_name(name: str, runner: runner_config.RunnerSection) -> str:
    """The instance's resource name: it changes with the architecture, which needs another image,
    and with `generation`.
    """
    architecture = instance_type(runner.instance_type).architecture
    parts = [
        f"{name}-instance",
        *([architecture] if architecture != "x86_64" else []),
        *([str(runner.generation)] if runner.generation > 1 else []),
    ]
    return "-".join(parts)


class Runner(Component):
    """An instance in an isolated subnet without any inbound rule, with a role for what it does and
    an access entry of the cluster.

    The launch template decides how the machine is created: image, disk, start script. Options that
    can change in place are set on the instance itself. The instance does not follow the template's
    version, because the provider replaces an instance whose template has another version than it
    was launched from (ec2_instance.go, CustomizeDiff; tried with provider 5.100.0), and with it
    goes the disk. The engine keeps an ignored input even when it replaces the resource, so a
    machine that has to be created from today's template is a resource of another name: see
    `instance_name`.
    """

    token: ClassVar[str] = "jupyterhub-aws:airgap:Runner"
    instance_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: RunnerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._name, self._args, self._network = name, args, args.cluster.vpc
        self._physical = f"{args.cluster.name}-runner"
        self._tags = named(args.tags, self._physical)
        profile, granted = self._role()
        group = self._security_group()
        template = self._template()
        instance = ec2.Instance(
            instance_name(name, args.runner),
            subnet_id=next(iter(self._network.private_subnets.values())),
            instance_type=args.runner.instance_type,
            iam_instance_profile=profile.name,
            vpc_security_group_ids=[group.id],
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            tags=self._tags,
            opts=self.child(
                depends_on=[*granted, *self._network.ready],
                ignore_changes=["launchTemplate.version", "userData", "userDataBase64"],
            ),
        )
        self.instance_id = instance.id
        self.register_outputs({"instance_id": self.instance_id})

    def _role(self) -> tuple[iam.InstanceProfile, list[pulumi.Resource]]:
        args = self._args
        role = iam.Role(
            f"{self._name}-role",
            name=self._physical,
            assume_role_policy=service_trust("ec2.amazonaws.com"),
            tags=self._tags,
            opts=self.child(),
        )
        policy = iam.RolePolicy(
            f"{self._name}-policy",
            name="runner",
            role=role.name,
            policy=pulumi.Output.all(args.account, args.bucket_arn).apply(
                lambda known: runner_policy(
                    region=args.cluster.region,
                    account=known[0],
                    cluster=args.cluster.name,
                    bucket_arn=known[1],
                )
            ),
            opts=self.child(),
        )
        attached = [
            iam.RolePolicyAttachment(
                f"{self._name}-{arn.rpartition('/')[2]}",
                role=role.name,
                policy_arn=arn,
                opts=self.child(),
            )
            for arn in args.runner.policies
        ]
        entry = eks.AccessEntry(
            f"{self._name}-access",
            cluster_name=args.cluster.name_output,
            principal_arn=role.arn,
            tags=self._tags,
            opts=self.child(),
        )
        eks.AccessPolicyAssociation(
            f"{self._name}-access",
            cluster_name=args.cluster.name_output,
            principal_arn=entry.principal_arn,
            policy_arn=f"arn:{partition_of(args.cluster.region)}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            access_scope={"type": "cluster"},
            opts=self.child(),
        )
        profile = iam.InstanceProfile(
            f"{self._name}-profile",
            name=self._physical,
            role=role.name,
            tags=self._tags,
            opts=self.child(),
        )
        return profile, [policy, *attached]

    def _security_group(self) -> ec2.SecurityGroup:
        args = self._args
        group = ec2.SecurityGroup(
            f"{self._name}-security-group",
            name=self._physical,
            # Never reworded: AWS replaces a group whose description changes.
            description="Runner: nobody in, out to private endpoints, S3 and the Kubernetes API",
            vpc_id=self._network.vpc_id,
            tags=self._tags,
            opts=self.child(),
        )
        https: Any = {
            "ip_protocol": "tcp",
            "from_port": _HTTPS,
            "to_port": _HTTPS,
            "tags": self._tags,
        }
        endpoints = {
            "control-plane": args.cluster.control_plane_group_id,
            "endpoints": self._network.endpoints_security_group_id,
        }
        for which, other in endpoints.items():
            if other is None:
                continue
            vpc.SecurityGroupEgressRule(
                f"{self._name}-to-{which}",
                security_group_id=group.id,
                referenced_security_group_id=other,
                description=which,
                **https,
                opts=self.child(),
            )
            vpc.SecurityGroupIngressRule(
                f"{self._name}-into-{which}",
                security_group_id=other,
                referenced_security_group_id=group.id,
                description="Runner",
                **https,
                opts=self.child(),
            )
        if self._network.endpoints_security_group_id is None:
            for cidr in self._network.cidrs:
                vpc.SecurityGroupEgressRule(
                    f"{self._name}-to-{cidr.replace('/', '-')}",
                    security_group_id=group.id,
                    cidr_ipv4=cidr,
                    description="Endpoints",
                    **https,
                    opts=self.child(),
                )
        if self._network.s3_prefix_list_id is not None:
            vpc.SecurityGroupEgressRule(
                f"{self._name}-to-s3",
                security_group_id=group.id,
                prefix_list_id=self._network.s3_prefix_list_id,
                description="S3",
                **https,
                opts=self.child(),
            )
        return group

    def _template(self) -> ec2.LaunchTemplate:
        args = self._args
        disk: Any = {
            "device_name": "/dev/xvda",
            "ebs": {
                "volume_size": args.runner.disk_gib,
                "volume_type": "gp3",
                "encrypted": "true",
                "delete_on_termination": "true",
            },
        }
        return ec2.LaunchTemplate(
            f"{self._name}-template",
            name=self._physical,
            description="Runner of a closed network",
            update_default_version=True,
            image_id=image_parameter(
                instance_type(args.runner.instance_type), args.cluster.version
            ),
            metadata_options=metadata_options(),
            block_device_mappings=[disk],
            tag_specifications=tag_specifications(self._tags),
            user_data=pulumi.Output.from_input(args.bucket).apply(
                lambda bucket: start_script(
                    bucket, args.cluster.region, args.cluster.proxy_environment
                )
            ),
            tags=self._tags,
            opts=self.child(),
        )
