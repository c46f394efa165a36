"""The private endpoints of an isolated network: one for each AWS API that is called from inside,
each with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
import pulumi_aws as aws
from pulumi_aws import ec2

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import document, partition_of
from jupyterhub_aws.config.endpoints import GATEWAYS, addon_account
from jupyterhub_aws.config.specs.network import EndpointsSpec

# --- Endpoint policies: through each private endpoint only what the stack needs, for principals of
# its own account. Pure documents.


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
    """The allowed requests: of principals of `account`, in `region`; to these `buckets` besides
    those of the images' layers and, with a runner, of the system's packages.
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
    """Credentials of another account cannot be used: data does not leave through AWS's own APIs."""
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
    any_principal = {"AWS": "*"}
    return document(
        {
            "Sid": "SignIn",
            "Effect": "Allow",
            "Principal": any_principal,
            "Action": ["ecr:GetAuthorizationToken"],
            "Resource": "*",
            "Condition": own,
        },
        {
            "Sid": "Pull",
            "Effect": "Allow",
            "Principal": any_principal,
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
    partition, any_principal = partition_of(allowed.region), {"AWS": "*"}
    public = [f"arn:{partition}:s3:::prod-{allowed.region}-starport-layer-bucket/*"]
    if allowed.system_packages:
        # Amazon Linux 2023 user guide, "Package repository": one bucket for each region, the same
        # suffix everywhere.
        public.append(f"arn:{partition}:s3:::al2023-repos-{allowed.region}-de612dc2/*")
    statements = [
        {
            "Sid": "ReadPublished",
            "Effect": "Allow",
            "Principal": any_principal,
            "Action": ["s3:GetObject"],
            "Resource": public,
        }
    ]
    if allowed.buckets:
        arns = [f"arn:{partition}:s3:::{bucket}" for bucket in allowed.buckets]
        own = {
            "Sid": "OwnBuckets",
            "Effect": "Allow",
            "Principal": any_principal,
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


@dataclass(frozen=True, kw_only=True, eq=False)
class EndpointsArgs:
    """`subnet_ids` hold the endpoints' addresses, one for each zone of the spec; `buckets` may be
    reached through S3's besides those of the spec.

    `prefix` is that of physical names, `account` the AWS account; None: the one of the provider.
    """

    spec: EndpointsSpec
    prefix: str
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    route_table_ids: Sequence[pulumi.Input[str]]
    account: pulumi.Input[str] | None = None
    buckets: Sequence[pulumi.Input[str]] = ()
    tags: Mapping[str, str]


class Endpoints(Component):
    """Interface endpoints behind one security group without ingress rules of its own, and the
    gateway of S3 on every route table. The clients of the endpoints add the rules
    (components/airgap/node_security.py, runner.py). `ready` is what a node needs before it
    starts.
    """

    token: ClassVar[str] = "jupyterhub-aws:airgap:Endpoints"
    security_group_id: pulumi.Output[str]
    s3_prefix_list_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._args = args
        self._account = (
            aws.get_caller_identity_output().account_id if args.account is None else args.account
        )
        group = ec2.SecurityGroup(
            f"{name}-security-group",
            name=f"{args.prefix}-endpoints",
            description="Private endpoints of AWS APIs: HTTPS from nodes and runner",
            vpc_id=args.vpc_id,
            tags=self._tags("endpoints"),
            opts=self.child(),
        )
        made = {
            service: self._endpoint(service, reason, group)
            for service, reason in args.spec.reasons.items()
        }
        self.ready: list[pulumi.Resource] = list(made.values())
        self.security_group_id = group.id
        self.s3_prefix_list_id = made["s3"].prefix_list_id
        self.register_outputs({"services": list(made), "security_group_id": self.security_group_id})

    def _tags(self, suffix: str) -> dict[str, str]:
        return named(self._args.tags, f"{self._args.prefix}-{suffix}")

    def _endpoint(self, service: str, reason: str, group: ec2.SecurityGroup) -> ec2.VpcEndpoint:
        args = self._args
        gateway = service in GATEWAYS
        return ec2.VpcEndpoint(
            f"{self._name}-{service.replace('.', '-')}",
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{args.spec.region}.{service}",
            vpc_endpoint_type="Gateway" if gateway else "Interface",
            route_table_ids=list(args.route_table_ids) if gateway else None,
            subnet_ids=None if gateway else list(args.subnet_ids),
            security_group_ids=None if gateway else [group.id],
            private_dns_enabled=None if gateway else True,
            policy=pulumi.Output.all(self._account, *args.buckets, *args.spec.buckets).apply(
                lambda known: self._document(
                    service, str(known[0]), [str(item) for item in known[1:]]
                )
            ),
            # AWS takes 256 characters as a tag's value, of fewer kinds than a sentence has.
            tags={**self._tags(service.replace(".", "-")), "why": _tag(reason)},
            opts=self.child(),
        )

    def _document(self, service: str, account: str, buckets: list[str]) -> str:
        spec = self._args.spec
        return endpoint_policy(
            service,
            Allowed(
                region=spec.region,
                account=account,
                buckets=buckets,
                system_packages=spec.system_packages,
            ),
        )


def _tag(text: str) -> str:
    """Text as a tag takes it: letters, digits, spaces and some signs (AWS general reference,
    "Tag naming limits").
    """
    return "".join(char if char.isalnum() or char in " _.:/=+-@" else " " for char in text)[
        :256
    ].strip()
