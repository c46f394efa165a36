"""What users' servers may do in AWS: buckets and prefixes, managed policies, statements. None by
default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from jupyterhub_aws.config.buckets import AnyBucket, ScratchBucket
from jupyterhub_aws.config.environment import GroupName, Variable
from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.managed_policies import (
    closest_policy,
    managed_path,
    managed_policy_exists,
    same_name,
)
from jupyterhub_aws.config.model import Model, option
from jupyterhub_aws.config.values import AccountId, ShortName

SCRATCH_VARIABLE = "SCRATCH_BUCKET"
_NEXT_START = "For servers that start later; running ones keep what they have."
_AT_ONCE = "At once, also for running servers of this access."
#: Characters of keys that are safe in every tool (Amazon S3 user guide, "Naming Amazon S3
#: objects", safe characters), without `!*'()`, of which `*` is a wildcard of IAM.
_PREFIX = re.compile(r"([A-Za-z0-9_.=-]+/){1,20}")
#: Service Authorization Reference: a service's prefix, and the name of an action.
_ACTION = re.compile(r"(?P<service>[a-z][a-z0-9-]*):(?P<name>[A-Za-z0-9]+\*?)")
#: With fewer letters a wildcard is every action of a kind that did not exist when it was written.
_LEAST_BEFORE_WILDCARD = 3
_ARN = re.compile(
    r"arn:aws(-cn|-us-gov)?:(?P<service>[a-z0-9-]+):(?P<region>[^:\s]{0,32}):(?P<account>[^:\s]{0,32}):(?P<rest>.+)"
)
#: Services by which a user's server could change who may do what, or the cluster that it runs in.
_FORBIDDEN = frozenset(
    "account autoscaling backup cloudformation cloudtrail config ec2-instance-connect eks eks-auth"
    " elasticfilesystem guardduty iam iam-roles-anywhere identitystore organizations"
    " rolesanywhere signin ssm ssmmessages sso sso-admin sso-directory".split()
)
#: What servers may do in S3 besides reading: with objects, never with the settings of a bucket
#: (Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3").
_S3_READS = ("Get", "List", "Describe")
_S3_CHANGES = re.compile(r"(Put|Delete|Restore|Abort)(Object|MultipartUpload)")
#: Actions that only show names: the ones that `*` as a resource is accepted for.
_SHOWS = ("Describe", "List")
#: Managed policies that give away the account, or the cluster (AWS managed policy reference).
_TOO_WIDE = re.compile(
    r"(Administrator|PowerUser|SystemAdministrator|IAM|AmazonEKS|AWSBackup|AmazonEC2|AmazonSSM|AmazonElasticFileSystem|AmazonS3(Full|ReadOnly)Access|ReadOnlyAccess|SecretsManagerReadWrite)"
)
#: Policies for whole jobs in an account, and those of AWS's own services.
_TOO_WIDE_PATHS = ("job-function/", "root-task/", "aws-service-role/")
_POLICY_NAME = re.compile(r"[\w+=,.@/-]{1,512}", re.ASCII)
_OWN_POLICY = re.compile(r"arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:policy/[\w+=,.@/-]+", re.ASCII)


def _prefix(value: str) -> str:
    if not value:
        return value
    if "*" in value or "?" in value or "$" in value:
        what = f"holds a wildcard or a variable of IAM (got {shown(value)})"
        raise refuse("aws-access.prefix-wildcard", what, "write the folder itself, such as data/")
    if value.startswith("/") or not value.endswith("/"):
        whole = f"{value.strip('/')}/"
        meant = whole if _PREFIX.fullmatch(whole) else "a folder, such as data/"
        fix = f"write {meant}" if value.strip("/") else "leave it out: the whole bucket"
        what = (
            f"must end with a slash and not begin with one (got {shown(value)}): data would match"
            " database too"
        )
        raise refuse("aws-access.prefix-slash", what, fix)
    if not _PREFIX.fullmatch(value) or {".", ".."} & set(value.split("/")):
        fix = "use letters, digits, _ . = - and single slashes, such as data/2026/"
        raise refuse("aws-access.prefix", f"is not a folder in a bucket (got {shown(value)})", fix)
    return value


def _action(value: str) -> str:
    if value == "*" or value.endswith(":*"):
        what = f"allows everything (got {shown(value)})"
        raise refuse("aws-access.all-actions", what, "list the actions, such as athena:StartQuery*")
    found = _ACTION.fullmatch(value)
    if found is None:
        fix = "write SERVICE:Action, such as athena:StartQueryExecution"
        raise refuse("aws-access.action", f"is not an action of IAM (got {shown(value)})", fix)
    if value.endswith("*") and len(found["name"]) <= _LEAST_BEFORE_WILDCARD:
        what = f"matches too much (got {shown(value)})"
        raise refuse("aws-access.all-actions", what, "list the actions, or write more of the name")
    if found["service"] in _FORBIDDEN:
        what = f"lets users' servers change the account or the cluster itself (got {shown(value)})"
        fix = "remove it; what needs it runs outside of users' servers"
        raise refuse("aws-access.cluster-service", what, fix)
    if found["service"] == "ec2" and not found["name"].startswith(_SHOWS):
        what = f"lets users' servers change the account or the cluster itself (got {shown(value)})"
        fix = "keep ec2:Describe… only; what needs it runs outside of users' servers"
        raise refuse("aws-access.cluster-service", what, fix)
    if (
        found["service"] == "s3"
        and not found["name"].startswith(_S3_READS)
        and not _S3_CHANGES.match(found["name"])
    ):
        what = f"can change a bucket itself, or who may use it (got {shown(value)})"
        raise refuse("aws-access.bucket-settings", what, "list the actions on objects")
    if found["service"] == "sts" and found["name"] != "AssumeRole":
        what = f"is not a call that servers need a permission for (got {shown(value)})"
        raise refuse("aws-access.sts", what, "write sts:AssumeRole with the ARNs of roles")
    return value


def _resource(value: str) -> str:
    if value == "*":
        return value
    found = _ARN.fullmatch(value)
    if found is None:
        fix = "write it like arn:aws:athena:us-east-1:123456789012:workgroup/users"
        raise refuse("aws-access.arn", f"is not an ARN (got {shown(value)})", fix)
    if "*" in found["account"] or "*" in found["region"] or "$" in value:
        what = f"has a wildcard for account or region, or a variable (got {shown(value)})"
        raise refuse("aws-access.arn-wildcard", what, "write the account and the region")
    if not re.match(r"[^*?]{3}", found["rest"]):
        what = f"is every resource of the service (got {shown(value)})"
        raise refuse("aws-access.every-resource", what, "name the resource, or the folder")
    return value


def _policy(value: str) -> str:
    if _OWN_POLICY.fullmatch(value):
        return value
    path = managed_path(value) or value
    if not _POLICY_NAME.fullmatch(path) or path.startswith("arn:"):
        fix = (
            "write the name of an AWS managed policy, such as AmazonAthenaFullAccess, or the ARN of"
            " one of your own"
        )
        raise refuse("aws-access.policy", f"is not an IAM policy (got {shown(value)})", fix)
    if _TOO_WIDE.match(path.rpartition("/")[2]) or path.startswith(_TOO_WIDE_PATHS):
        what = f"gives users' servers the account, the cluster or every bucket (got {shown(path)})"
        raise refuse("aws-access.wide-policy", what, "write buckets or statements instead")
    if not managed_policy_exists(path):
        real = same_name(path) or closest_policy(path)
        fix = f"did you mean {real}?" if real else "look it up in the AWS managed policy reference"
        raise refuse("aws-access.policy-unknown", f"is no policy of AWS (got {shown(path)})", fix)
    return path


Prefix = Annotated[
    str, AfterValidator(_prefix), Field(json_schema_extra={"examples": ["lectures/"]})
]
Action = Annotated[
    str,
    AfterValidator(_action),
    Field(json_schema_extra={"examples": ["athena:StartQueryExecution"]}),
]
ResourceArn = Annotated[
    str,
    AfterValidator(_resource),
    Field(
        json_schema_extra={"examples": ["arn:aws:athena:us-east-1:123456789012:workgroup/users"]}
    ),
]
PolicyName = Annotated[
    str,
    AfterValidator(_policy),
    Field(json_schema_extra={"examples": ["AmazonAthenaFullAccess"]}),
]


def action_service(action: str) -> str:
    """The service of an action: `athena` of athena:StartQueryExecution."""
    return action.partition(":")[0]


def arn_account(arn: str) -> str:
    """The account in an ARN; empty where it has none, as of a bucket."""
    found = _ARN.fullmatch(arn)
    return "" if found is None else found["account"]


class BucketAccess(Model):
    """What servers may do in one bucket, or in one folder of it."""

    bucket: ShortName = option(
        help="The bucket, by its name under `buckets` of the stack.", changing=_NEXT_START
    )
    prefix: Prefix = option(
        "",
        help="Only objects below this folder, such as lectures/. Empty: the whole bucket.",
        changing=_AT_ONCE,
    )
    write: bool = option(
        False, help="true: also write and delete. Reading is always allowed.", changing=_AT_ONCE
    )
    per_user: bool = option(
        False,
        help=(
            "Each user has a folder of their own below `prefix`, which no other user's server can"
            " read or write. It has the name of the server's pod (jupyter-ada), which EKS writes"
            " into the credentials. Not with named servers, and not where users choose their names"
            " (`shared_password`)."
        ),
        changing=_AT_ONCE,
    )
    overlap: bool = option(
        False,
        help=(
            "true: this folder is meant to contain a folder of another group, or users' own"
            " folders, or to lie in one. Without it such an overlap is an error."
        ),
        changing="Nothing by itself.",
    )
    variable: Variable | None = option(
        None,
        help=(
            "Environment variable of servers with the address, such as s3://BUCKET/PREFIX, without a last slash."
            " Default: SCRATCH_BUCKET for a bucket of kind scratch, else none."
        ),
        changing=_NEXT_START,
    )


def address_variable(access: BucketAccess, bucket: AnyBucket | None) -> str | None:
    """The environment variable that has the address of an access; None: none has."""
    if access.variable is not None:
        return access.variable
    return SCRATCH_VARIABLE if isinstance(bucket, ScratchBucket) else None


class Statement(Model):
    """A statement of IAM that allows actions on resources."""

    actions: tuple[Action, ...] = option(
        help=(
            "Actions of IAM. A `*` may stand at the end of a name. Never all actions of a service."
        ),
        changing=_AT_ONCE,
        min_length=1,
        max_length=40,
    )
    resources: tuple[ResourceArn, ...] = option(
        help="ARNs. `*` only where all actions begin with Describe or List.",
        changing=_AT_ONCE,
        min_length=1,
        max_length=40,
    )
    other_accounts: tuple[AccountId, ...] = option(
        (),
        help="Accounts besides the stack's own in which these resources may be.",
        changing=_AT_ONCE,
        max_length=10,
    )

    @model_validator(mode="after")
    def _every_resource_only_to_look(self) -> Self:
        changes = [
            action
            for action in self.actions
            if not action.partition(":")[2].startswith(_SHOWS) or action_service(action) == "s3"
        ]
        if "*" in self.resources and changes:
            what = f"allows {changes[0]} on every resource"
            raise refuse("aws-access.every-resource", what, "write the ARNs of the resources")
        if "sts:AssumeRole" in self.actions:
            for arn in self.resources:
                if "*" in arn or "?" in arn:
                    what = (
                        f"lets servers become any role that trusts the account (got {shown(arn)})"
                    )
                    raise refuse("aws-access.any-role", what, "write the ARN of each role")
        return self


class ServerAccess(Model):
    """What servers may do in AWS: the sum of its parts. Empty: nothing."""

    buckets: tuple[BucketAccess, ...] = option(
        (),
        help="Buckets, and folders in them, to read or to write.",
        changing=_AT_ONCE,
        max_length=30,
    )
    policies: tuple[PolicyName, ...] = option(
        (),
        help=(
            "Managed policies: those of AWS by name, your own by ARN. What they allow is not judged"
            " where their documents are not known here; a plan says so."
        ),
        changing=_AT_ONCE,
        max_length=10,
    )
    statements: tuple[Statement, ...] = option(
        (),
        help="Further permissions, written as in IAM.",
        changing=_AT_ONCE,
        max_length=20,
    )


class GroupAccess(ServerAccess):
    """What servers of a group's members may do, instead of what the others may."""

    name: ShortName = option(
        help="A short name, which is part of the role's name in AWS.",
        changing="Another role; for servers that start later.",
    )
    groups: tuple[GroupName, ...] = option(
        help="Groups as the sign-in names them: DNs, claims, organization:team.",
        changing="The hub restarts; for servers that start later.",
        min_length=1,
        max_length=50,
    )


class AwsAccess(ServerAccess):
    """What servers may do in AWS, by EKS Pod Identity: one service account and one role for each
    distinct access. No server has keys, and none reaches the instance's role.
    """

    by_group: tuple[GroupAccess, ...] = option(
        (),
        help=(
            "Members of these groups have another access, instead of the one above. The first entry"
            " with one of a user's groups counts."
        ),
        changing="The hub restarts; for servers that start later.",
        max_length=20,
    )

    @model_validator(mode="after")
    def _names_are_different(self) -> Self:
        names = [entry.name for entry in self.by_group]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            what = f"has two entries of by_group with the name {twice}"
            raise refuse("aws-access.name-twice", what, "give each a name of its own")
        return self


def folders_of(accesses: Sequence[BucketAccess]) -> Mapping[str, tuple[BucketAccess, ...]]:
    """Accesses to buckets by the bucket's name."""
    found: dict[str, tuple[BucketAccess, ...]] = {}
    for item in accesses:
        found[item.bucket] = (*found.get(item.bucket, ()), item)
    return found
