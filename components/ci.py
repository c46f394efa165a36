"""The roles of CI workflows: one that reads, one that changes, one that pushes images, each trusted
for one repository and some of its branches or one environment.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import iam

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import Statement, document, partition_of
from jupyterhub_aws.config.aws_calls import actions, known_types
from jupyterhub_aws.config.image_repositories import repository_path

# --- Permissions and trust policies of the workflows' roles: pure documents, without Pulumi.


ISSUER = "token.actions.githubusercontent.com"
#: IAM and STS quotas: characters of a managed policy, spaces not counted.
LARGEST = 6144
#: Services that a role of the program may be handed to (`iam:PassRole`).
_PASSED_TO = (
    "autoscaling.amazonaws.com",
    "backup.amazonaws.com",
    "dlm.amazonaws.com",
    "ec2.amazonaws.com",
    "eks.amazonaws.com",
    "pods.eks.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)
#: AWS's own policies that roles of the program have (components/cluster, pools, addons, airgap,
#: backups).
_ATTACHED = (
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKS_CNI_Policy",
    "AmazonSSMManagedInstanceCore",
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "service-role/AWSBackupServiceRolePolicyForRestores",
    "AWSBackupServiceRolePolicyForS3Backup",
    "AWSBackupServiceRolePolicyForS3Restore",
    "service-role/AWSDataLifecycleManagerServiceRole",
    "AmazonEBSCSIDriverPolicyV2",
    "service-role/AmazonEBSCSIDriverPolicy",
    "service-role/AmazonEFSCSIDriverPolicy",
)
#: Judged by statements of their own: what is global knows no region, a bucket's region is the
#: bucket's, and of parameters only AWS's own are read.
_APART = ("iam:", "route53:", "s3:", "ssm:")


@dataclass(frozen=True, kw_only=True)
class ResourceScope:
    """One stack's account: `region` and `account` of AWS, `prefix` of all names of the stack (its
    `name` option).

    `further_regions`: others in which the stack makes something, such as that of the backups'
    copies (`backups.copy_to_region`).
    """

    region: str
    account: str
    prefix: str
    further_regions: tuple[str, ...] = ()

    @property
    def regions(self) -> list[str]:
        """Every region in which the stack makes something, its own first."""
        return list(dict.fromkeys((self.region, *self.further_regions)))

    @property
    def partition(self) -> str:
        """aws, aws-cn or aws-us-gov."""
        return partition_of(self.region)


@dataclass(frozen=True, kw_only=True)
class Backend:
    """The backend of states (examples/backend): the bucket's name, and the ARN of the key that
    encrypts secrets.
    """

    bucket: str
    key_arn: str


def trust(
    provider_arn: str,
    repository: str,
    *,
    branches: Sequence[str] = (),
    environment: str | None = None,
) -> str:
    """The trust policy of a role: only workflows of one repository, on these branches or in this
    environment, may assume it.

    GitHub, "OpenID Connect reference": `sub` is `repo:ORG/REPO:ref:refs/heads/BRANCH` or, for a job
    with an environment, `repo:ORG/REPO:environment:NAME`. Compared as a whole: a pull request's
    `sub` (`…:pull_request`) is never one of them. Raises ValueError for names with a wildcard, and
    where neither branches nor an environment are given.
    """
    if any("*" in name or "?" in name for name in (repository, *branches, environment or "")):
        raise ValueError(
            "a name with a wildcard would trust more than one repository, branch or environment"
        )
    subjects = [f"repo:{repository}:ref:refs/heads/{branch}" for branch in branches]
    subjects += [f"repo:{repository}:environment:{environment}"] if environment else []
    if not subjects:
        raise ValueError("name at least one branch or an environment")
    wanted = {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": sorted(subjects)}
    return document(
        {
            "Sid": "OneRepository",
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": wanted},
        }
    )


def state(backend: Backend, place: ResourceScope, *, writes: bool) -> tuple[Statement, ...]:
    """The permissions that a run of the engine needs on its state. A preview reads only: it takes
    no lock (measured on pulumi 3.260, docs/changes.md).
    """
    bucket = f"arn:{place.partition}:s3:::{backend.bucket}"
    objects = ["s3:GetObject", *(["s3:DeleteObject", "s3:PutObject"] if writes else [])]
    key = ["kms:Decrypt", *(["kms:Encrypt", "kms:GenerateDataKey"] if writes else [])]
    return (
        {
            "Sid": "ListStates",
            "Effect": "Allow",
            "Action": ["s3:GetBucketLocation", "s3:ListBucket"],
            "Resource": bucket,
        },
        {"Sid": "States", "Effect": "Allow", "Action": objects, "Resource": f"{bucket}/.pulumi/*"},
        {"Sid": "StatesAndSecrets", "Effect": "Allow", "Action": key, "Resource": backend.key_arn},
    )


def reading(types: Collection[str], place: ResourceScope) -> tuple[Statement, ...]:
    """Reading the stack's own types of resources, in its region."""
    found = actions(types, "read")
    regional = [action for action in found if not action.startswith(_APART)]
    other = [action for action in found if action.startswith(("iam:", "route53:"))]
    buckets = [action for action in found if action.startswith("s3:")]
    return (
        {
            "Sid": "Look",
            "Effect": "Allow",
            "Action": regional,
            "Resource": "*",
            "Condition": _in(place),
        },
        *(
            [{"Sid": "LookGlobally", "Effect": "Allow", "Action": other, "Resource": "*"}]
            if other
            else []
        ),
        *(
            [
                {
                    "Sid": "LookAtBuckets",
                    "Effect": "Allow",
                    "Action": buckets,
                    "Resource": f"arn:{place.partition}:s3:::{place.prefix}-*",
                }
            ]
            if buckets
            else []
        ),
    )


def changing(
    types: Collection[str],
    place: ResourceScope,
    *,
    boundary: str | None = None,
    attach: Sequence[str] = (),
) -> tuple[Statement, ...]:
    """Creating, changing and deleting the stack's own types of resources: in its regions, and with
    its own prefix where IAM can match names.

    `attach`: ARNs of policies that the stack file names (`runner.policies`, `policies` of
    `aws_access`), so that they may be attached too.
    """
    found = actions(types, "write")
    regional = [action for action in found if not action.startswith(_APART)]
    iam = [action for action in found if action.startswith("iam:")]
    buckets = [action for action in found if action.startswith("s3:")]
    zones = [action for action in found if action.startswith("route53:")]
    images = [action for action in found if action.startswith("ssm:")]
    vaults = "backup:CreateBackupVault" in found
    return (
        {
            "Sid": "Change",
            "Effect": "Allow",
            "Action": regional,
            "Resource": "*",
            "Condition": _in(place),
        },
        *(_roles(iam, place, boundary, attach) if iam else ()),
        *([_images(images, place)] if images else []),
        *(
            [
                {
                    "Sid": "ChangeBuckets",
                    "Effect": "Allow",
                    "Action": buckets,
                    "Resource": f"arn:{place.partition}:s3:::{place.prefix}-*",
                }
            ]
            if buckets
            else []
        ),
        *([_sealing(place)] if vaults else []),
        *(
            [
                {
                    "Sid": "ChangeRecords",
                    "Effect": "Allow",
                    "Action": zones,
                    "Resource": f"arn:{place.partition}:route53:::hostedzone/*",
                }
            ]
            if zones
            else []
        ),
    )


def _images(found: Sequence[str], place: ResourceScope) -> Statement:
    """Launch templates name machine images by AWS's own parameters, and a principal that uses one
    has to be able to read them (EC2 Auto Scaling user guide, "Use AWS Systems Manager parameters
    instead of AMI IDs in launch templates").
    """
    images = f"arn:{place.partition}:ssm:*:*:parameter/aws/service/eks/optimized-ami/*"
    return {
        "Sid": "ReadMachineImages",
        "Effect": "Allow",
        "Action": list(found),
        "Resource": images,
    }


def _sealing(place: ResourceScope) -> Statement:
    """The principal that creates a vault needs to use its key, through AWS Backup (AWS Backup
    developer guide, "Encryption for backups").
    """
    through = {
        "StringEquals": {
            "kms:ViaService": _one_or_all(
                [f"backup.{region}.amazonaws.com" for region in place.regions]
            )
        }
    }
    keys = _one_or_all(
        [f"arn:{place.partition}:kms:{region}:{place.account}:key/*" for region in place.regions]
    )
    return {
        "Sid": "SealVaults",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": keys,
        "Condition": through,
    }


def _one_or_all(found: Sequence[str]) -> str | list[str]:
    """One value as it is, several as a list: how policies are usually written."""
    return found[0] if len(found) == 1 else list(found)


def _roles(
    found: Sequence[str], place: ResourceScope, boundary: str | None, further: Sequence[str]
) -> list[Statement]:
    """Roles, policies and profiles of the stack's own names; only AWS's own policies that the
    program knows; handed to its services only.
    """
    base = f"arn:{place.partition}:iam::{place.account}"
    own = [f"{base}:{kind}/{place.prefix}-*" for kind in ("instance-profile", "policy", "role")]
    roles = f"{base}:role/{place.prefix}-*"
    attach = [
        action for action in found if action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy")
    ]
    make = [action for action in found if action == "iam:CreateRole"]
    rest = [action for action in found if action not in (*attach, *make, "iam:PassRole")]
    managed = [f"arn:{place.partition}:iam::aws:policy/{name}" for name in _ATTACHED]
    only = {"ArnLike": {"iam:PolicyARN": [*managed, f"{base}:policy/{place.prefix}-*", *further]}}
    bounded: dict[str, Any] = (
        {"Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}}} if boundary else {}
    )
    linked = f"{base}:role/aws-service-role/*"
    return [
        {"Sid": "ChangeOwnRoles", "Effect": "Allow", "Action": rest, "Resource": own},
        {"Sid": "MakeOwnRoles", "Effect": "Allow", "Action": make, "Resource": roles, **bounded},
        {
            "Sid": "AttachKnownPolicies",
            "Effect": "Allow",
            "Action": attach,
            "Resource": roles,
            "Condition": only,
        },
        {
            "Sid": "HandOver",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": roles,
            "Condition": {"StringEquals": {"iam:PassedToService": list(_PASSED_TO)}},
        },
        {
            "Sid": "ServiceLinked",
            "Effect": "Allow",
            "Action": "iam:CreateServiceLinkedRole",
            "Resource": linked,
            "Condition": _linked(),
        },
        {
            "Sid": "NeverItself",
            "Effect": "Deny",
            "Action": "iam:*",
            "Resource": [f"{base}:policy/{place.prefix}-ci-*", f"{base}:role/{place.prefix}-ci-*"],
        },
    ]


def _linked() -> Mapping[str, Any]:
    """The service-linked roles that AWS creates when an account first uses a service."""
    names = (
        "autoscaling",
        "backup",
        "eks",
        "eks-nodegroup",
        "elasticfilesystem",
        "elasticloadbalancing",
        "rds",
        "spot",
        "transitgateway",
    )
    return {"StringEquals": {"iam:AWSServiceName": [f"{name}.amazonaws.com" for name in names]}}


def _in(place: ResourceScope) -> Mapping[str, Any]:
    return {"StringEquals": {"aws:RequestedRegion": _one_or_all(place.regions)}}


#: ECR user guide, "IAM permissions for pushing an image to an Amazon ECR private repository"; the
#: last three to find what is there already.
_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
    "ecr:BatchGetImage",
    "ecr:DescribeImages",
    "ecr:GetDownloadUrlForLayer",
)


def pushing(repositories: Collection[str], place: ResourceScope) -> tuple[Statement, ...]:
    """Pushing images to the stack's own repositories of these names (`image_repositories`), and to
    no other.
    """
    base = f"arn:{place.partition}:ecr:{place.region}:{place.account}:repository"
    return (
        {
            "Sid": "SignIn",
            "Effect": "Allow",
            "Action": "ecr:GetAuthorizationToken",
            "Resource": "*",
            "Condition": _in(place),
        },
        {
            "Sid": "Push",
            "Effect": "Allow",
            "Action": list(_PUSH),
            "Resource": [
                f"{base}/{repository_path(place.prefix, name)}" for name in sorted(repositories)
            ],
        },
    )


def packed(statements: Sequence[Statement], largest: int = LARGEST) -> list[str]:
    """As few documents as hold these statements, each within AWS's limit. A statement that is
    too large by itself is cut along its actions.
    """
    documents: list[list[Statement]] = []
    for statement in (part for whole in statements for part in _parts(whole, largest)):
        if documents and _size([*documents[-1], statement]) <= largest:
            documents[-1].append(statement)
        else:
            documents.append([statement])
    return [document(*found) for found in documents]


def _parts(statement: Statement, largest: int) -> list[Statement]:
    found = statement["Action"]
    if _size([statement]) <= largest or isinstance(found, str) or len(found) == 1:
        return [statement]
    half = len(found) // 2
    return [
        part
        for index, some in enumerate((found[:half], found[half:]))
        for part in _parts(
            {**statement, "Sid": f"{statement['Sid']}{'AB'[index]}", "Action": some}, largest
        )
    ]


def _size(statements: Sequence[Statement]) -> int:
    """Characters as AWS counts them: without white space."""
    return len(
        json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))
    )


# --- The roles of a repository's workflows: one that reads (preview, drift), one that changes (`up`),
# and where it builds images one that pushes them.


_HOUR = 3600


@dataclass(frozen=True, kw_only=True, eq=False)
class RolesArgs:
    """`repository` is ORG/NAME on GitHub; `branches` may preview; a job in `environment` may
    change.

    `place` is the stack's account and names, `backend` where its state is; `types` are the kinds of
    resources that the stack has (all that the program knows, unless fewer are named).
    `provider_arn`: GitHub's OIDC provider, if the account has it already (there can be only one).
    `boundary`: ARN of a permissions boundary that every role of the stack must have. `attach`: ARNs
    of policies that the stack file names (`runner.policies`, `policies` of `aws_access`).
    `image_repositories`: names of the stack's repositories to which workflows of the branches push
    images.
    """

    repository: str
    branches: Sequence[str]
    environment: str
    place: ResourceScope
    backend: Backend
    tags: Mapping[str, str]
    types: Sequence[str] = tuple(sorted(known_types()))
    provider_arn: pulumi.Input[str] | None = None
    boundary: str | None = None
    attach: Sequence[str] = ()
    image_repositories: Sequence[str] = ()


class Roles(Component):
    """The roles, and GitHub's OIDC provider where the account has none."""

    token = "jupyterhub-aws:ci:Roles"
    preview_role_arn: pulumi.Output[str]
    up_role_arn: pulumi.Output[str]
    #: None where no repositories are named.
    images_role_arn: pulumi.Output[str] | None

    def __init__(
        self, name: str, args: RolesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        provider = self._issuer(name, args)
        looks = (*reading(args.types, args.place), *state(args.backend, args.place, writes=False))
        changes = (
            *reading(args.types, args.place),
            *changing(args.types, args.place, boundary=args.boundary, attach=args.attach),
            *state(args.backend, args.place, writes=True),
        )
        preview = self._role(
            f"{name}-preview",
            args,
            provider.apply(lambda arn: trust(arn, args.repository, branches=args.branches)),
        )
        up = self._role(
            f"{name}-up",
            args,
            provider.apply(lambda arn: trust(arn, args.repository, environment=args.environment)),
        )
        self._policies(f"{name}-preview", args, preview, looks)
        self._policies(f"{name}-up", args, up, changes)
        self.preview_role_arn, self.up_role_arn, self.images_role_arn = preview.arn, up.arn, None
        outputs = {"preview_role_arn": self.preview_role_arn, "up_role_arn": self.up_role_arn}
        if args.image_repositories:
            builds = self._role(
                f"{name}-images",
                args,
                provider.apply(lambda arn: trust(arn, args.repository, branches=args.branches)),
            )
            pushes = pushing(args.image_repositories, args.place)
            self._policies(f"{name}-images", args, builds, pushes)
            self.images_role_arn = outputs["images_role_arn"] = builds.arn
        self.register_outputs(outputs)

    def _issuer(self, name: str, args: RolesArgs) -> pulumi.Output[str]:
        if args.provider_arn is not None:
            return pulumi.Output.from_input(args.provider_arn)
        provider = iam.OpenIdConnectProvider(
            f"{name}-github",
            url=f"https://{ISSUER}",
            client_id_lists=["sts.amazonaws.com"],
            tags=named(args.tags, "github"),
            opts=self.child(),
        )
        return provider.arn

    def _role(self, name: str, args: RolesArgs, trusted: pulumi.Output[str]) -> iam.Role:
        full = f"{args.place.prefix}-ci-{name.rpartition('-')[2]}"
        return iam.Role(
            name,
            name=full,
            description=f"Workflows of {args.repository}",
            assume_role_policy=trusted,
            max_session_duration=_HOUR if name.endswith("-preview") else 2 * _HOUR,
            tags=named(args.tags, full),
            opts=self.child(),
        )

    def _policies(
        self, name: str, args: RolesArgs, role: iam.Role, statements: Sequence[Statement]
    ) -> None:
        for index, found in enumerate(packed(statements), start=1):
            full = f"{args.place.prefix}-ci-{name.rpartition('-')[2]}-{index}"
            policy = iam.Policy(
                f"{name}-{index}",
                name=full,
                description=f"What workflows of {args.repository} may do",
                policy=found,
                tags=named(args.tags, full),
                opts=self.child(),
            )
            iam.RolePolicyAttachment(
                f"{name}-{index}", role=role.name, policy_arn=policy.arn, opts=self.child()
            )
