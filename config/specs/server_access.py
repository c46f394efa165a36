"""What follows from `aws_access` of a hub: which server gets which service account, and the policy
of its role. Pure.

EKS Pod Identity tags each session with the pod's name, namespace, service account and cluster (EKS
user guide, "BucketGrant Pods access to AWS resources based on tags"). A user's own folder is the pod's
name, taken from that tag by IAM itself: no server can say another one. KubeSpawner makes pod names
of user names without collisions but for a hash of 32 bits, where a name has other characters than
lower-case letters, digits and dashes (kubespawner/slugs.py); the hub refuses to start a server
with the pod name of another user (components/hub/files/jupyterhub_aws_access.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jupyterhub_aws.config.aws_access import (
    AwsAccess,
    BucketAccess,
    ServerAccess,
    Statement,
    action_service,
    address_variable,
)
from jupyterhub_aws.config.profiles import Profile
from jupyterhub_aws.config.specs.buckets import BucketSpec
from jupyterhub_aws.config.specs.names import SERVER_ACCOUNT, HubNames, shortened

#: IAM and AWS STS quotas: characters of all inline policies of a role, without white space.
POLICY_LIMIT = 10_240
#: IAM's limit for the name of a role (IAM and AWS STS quotas).
_ROLE_NAME = 64
#: The tag of a session of EKS Pod Identity, as a variable of IAM.
POD_NAME = "${aws:PrincipalTag/kubernetes-pod-name}"
#: The account of the role itself, whichever it is (IAM user guide, "aws:ResourceAccount").
OWN_ACCOUNT = "${aws:PrincipalAccount}"
#: The label of servers with an access: the name of the access.
ACCESS_LABEL = "jupyterhub-aws/aws-access"
#: Of the network policy of servers with a role: what servers may do, by profile and group.
ACCESS_TABLE = "jupyterhub-aws/access"
#: In the text of an environment variable: the pod's name, which the hub fills in.
POD_FIELD = "{pod_name}"
#: Of a hub's access that no profile overrides.
ALL = "all"
_READ = ("s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion")
_LIST = ("s3:ListBucket", "s3:ListBucketVersions")
#: Multipart uploads of large objects are part of writing (Amazon S3 user guide, "Multipart upload
#: API and permissions").
_WRITE = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectTagging",
)
_KEY_READ, _KEY_WRITE = ("kms:Decrypt",), ("kms:Decrypt", "kms:GenerateDataKey")


@dataclass(frozen=True, kw_only=True)
class BucketGrant:
    """One bucket, or one folder of it, that servers may read or write."""

    bucket: BucketSpec
    options: BucketAccess

    @property
    def folder(self) -> str:
        """The beginning of the keys: empty for the whole bucket, with IAM's variable for a folder
        of each user.
        """
        return self.options.prefix + (f"{POD_NAME}/" if self.options.per_user else "")

    @property
    def variable(self) -> str | None:
        """The environment variable that has its address, if any."""
        return address_variable(self.options, self.bucket.options)

    @property
    def address(self) -> str:
        """What the variable says: `s3://BUCKET/FOLDER` without a last slash, as SCRATCH_BUCKET of
        other hubs has it.
        """
        own = POD_FIELD if self.options.per_user else ""
        return f"s3://{self.bucket.bucket_name}/{self.options.prefix}{own}".rstrip("/")

    @property
    def words(self) -> tuple[str, ...]:
        """For operators: `read s3://BUCKET/lectures/`, `write a folder of their own in …`."""
        where = f"s3://{self.bucket.bucket_name}/{self.options.prefix}"
        what = f"a folder of their own in {where}" if self.options.per_user else where
        return (f"read {what}", f"write {what}") if self.options.write else (f"read {what}",)


@dataclass(frozen=True, kw_only=True)
class AccessSpec:
    """One distinct access: a service account, and a role with these permissions. `name` is `all`,
    a group entry's name, or begins with `profile-`.
    """

    name: str
    names: HubNames
    partition: str
    grants: tuple[BucketGrant, ...]
    policies: tuple[str, ...]
    statements: tuple[Statement, ...]

    @property
    def service_account(self) -> str:
        """The service account of servers with this access, in the hub's namespace."""
        return f"{SERVER_ACCOUNT}-{self.name}"

    @property
    def role_name(self) -> str:
        """The role in AWS."""
        return shortened(f"{self.names.physical}-{self.service_account}", _ROLE_NAME)

    @property
    def policy_arns(self) -> tuple[str, ...]:
        """The managed policies of the role: AWS's own by name in the file, others by ARN."""
        return tuple(
            item if item.startswith("arn:") else f"arn:{self.partition}:iam::aws:policy/{item}"
            for item in self.policies
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of servers, with `{pod_name}` where the hub fills it in."""
        found = {grant.variable: grant.address for grant in self.grants}
        return {name: value for name, value in sorted(found.items(), key=str) if name is not None}

    @property
    def per_user(self) -> bool:
        """Whether users have folders of their own in it."""
        return any(grant.options.per_user for grant in self.grants)

    @cached_property
    def policy(self) -> Mapping[str, Any] | None:
        """The inline policy of the role; None where managed policies are all of it."""
        found = statements_of(self.grants, self.statements)
        return {"Version": "2012-10-17", "Statement": found} if found else None

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions that its own statements name."""
        found = [] if self.policy is None else self.policy["Statement"]
        return tuple(sorted({action for statement in found for action in statement["Action"]}))

    @property
    def policy_text(self) -> str | None:
        """The same as AWS stores it."""
        return None if self.policy is None else json.dumps(self.policy)

    @property
    def words(self) -> tuple[str, ...]:
        """What it allows, for operators: buckets, names of policies, actions of statements."""
        return (
            *(words for grant in self.grants for words in grant.words),
            *(f"do what {item} allows" for item in self.policies),
            *(
                f"call {', '.join(item.actions)} on {', '.join(item.resources)}"
                for item in self.statements
            ),
        )


@dataclass(frozen=True, kw_only=True)
class AccessChoice:
    """What decides over the access of a server whose profile has these options: the first entry
    with one of the user's groups, else `otherwise`. None: no access at all.
    """

    name: str
    otherwise: AccessSpec | None
    by_group: tuple[tuple[tuple[str, ...], AccessSpec | None], ...]

    def of(self, groups: Collection[str]) -> AccessSpec | None:
        """The access of a user who is in these groups."""
        for entry, access in self.by_group:
            if set(entry) & set(groups):
                return access
        return self.otherwise


@dataclass(frozen=True, kw_only=True)
class HubServerAccess:
    """The access of all servers of a hub. `choices` are by name; `of_profile` names the choice of
    each profile, and has no entry for profiles whose servers have no access. `accesses` are the
    distinct ones, each with a role of its own.
    """

    choices: Mapping[str, AccessChoice]
    of_profile: Mapping[str, str]
    accesses: tuple[AccessSpec, ...]

    def table(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """For operators: what servers of each profile may do, by the user's group; under "" those
        of users in none of the groups.
        """

        def words(access: AccessSpec | None) -> list[str]:
            return [] if access is None else list(access.words)

        found = {}
        for profile, name in self.of_profile.items():
            choice = self.choices[name]
            rows = {"": words(choice.otherwise)}
            for groups, access in choice.by_group:
                for group in groups:
                    rows.setdefault(group, words(access))
            found[profile] = rows
        return found

    def of(self, profile: str, groups: Collection[str]) -> AccessSpec | None:
        """The access of a server of this profile, of a user in these groups."""
        choice = self.of_profile.get(profile)
        return None if choice is None else self.choices[choice].of(groups)


def hub_access(
    access: AwsAccess | None,
    profiles: Mapping[str, Profile],
    *,
    names: HubNames,
    buckets: Mapping[str, BucketSpec],
    partition: str,
) -> HubServerAccess | None:
    """The access of a hub's servers, of `profiles` by name; None where the hub says nothing of it.

    An access that equals another one shares its role.
    """
    said = {name: profile.aws_access for name, profile in profiles.items()}
    if access is None and not any(own is not None for own in said.values()):
        return None
    distinct: dict[Any, AccessSpec] = {}

    def made(name: str, options: ServerAccess) -> AccessSpec | None:
        if not (options.buckets or options.policies or options.statements):
            return None
        grants = tuple(
            BucketGrant(bucket=buckets[item.bucket], options=item) for item in options.buckets
        )
        same = (options.buckets, options.policies, options.statements)
        spec = AccessSpec(
            name=name,
            names=names,
            partition=partition,
            grants=grants,
            policies=options.policies,
            statements=options.statements,
        )
        return distinct.setdefault(same, spec)

    def choice(name: str, start: str, options: AwsAccess) -> AccessChoice:
        return AccessChoice(
            name=name,
            otherwise=made(name, options),
            by_group=tuple(
                (entry.groups, made(f"{start}{entry.name}", entry)) for entry in options.by_group
            ),
        )

    choices = {} if access is None else {ALL: choice(ALL, "group-", access)}
    of_profile: dict[str, str] = {}
    for name, own in sorted(said.items()):
        if own is None:
            of_profile |= {} if access is None else {name: ALL}
            continue
        key = f"profile-{name}"
        choices[key] = choice(key, f"{key}.", own)
        of_profile[name] = key
    return HubServerAccess(
        choices=choices, of_profile=of_profile, accesses=tuple(distinct.values())
    )


def statements_of(
    grants: Sequence[BucketGrant], statements: Sequence[Statement]
) -> list[dict[str, Any]]:
    """The statements of a policy that allows these."""
    found: list[dict[str, Any]] = []
    for grant in grants:
        found += _of_grant(grant)
    for index, statement in enumerate(statements, start=1):
        found.append(_of_statement(statement, f"Statement{index}"))
    _number_equal_sids(found)
    return found


def _of_grant(grant: BucketGrant) -> list[dict[str, Any]]:
    bucket, folder = grant.bucket, grant.folder
    owner = {} if bucket.public else {"aws:ResourceAccount": bucket.other_account or OWN_ACCOUNT}
    condition = {"StringEquals": owner} if owner else {}
    words = _words(bucket.name, grant.options.prefix, own=grant.options.per_user)
    listing = {**condition, **({"StringLike": {"s3:prefix": f"{folder}*"}} if folder else {})}
    objects = f"{bucket.arn}/{folder}*"
    found = [
        _allow(f"List{words}", _LIST, bucket.arn, listing),
        _allow(f"Locate{words}", ("s3:GetBucketLocation",), bucket.arn, condition),
        _allow(f"Read{words}", _READ, objects, condition),
    ]
    if grant.options.write:
        found.append(_allow(f"Write{words}", _WRITE, objects, condition))
    if bucket.kms_key is not None:
        # Only through S3, for objects of this bucket (KMS developer guide, "kms:ViaService").
        region = bucket.kms_key.split(":")[3]
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        through = {"StringEquals": {"kms:ViaService": f"s3.{region}.{suffix}"}}
        actions = _KEY_WRITE if grant.options.write else _KEY_READ
        found.append(_allow(f"Key{words}", actions, bucket.kms_key, through))
    return found


def _of_statement(statement: Statement, sid: str) -> dict[str, Any]:
    accounts = [OWN_ACCOUNT, *statement.other_accounts]
    only_s3 = all(action_service(action) == "s3" for action in statement.actions)
    condition = {"StringEquals": {"aws:ResourceAccount": accounts}} if only_s3 else {}
    return _allow(sid, statement.actions, list(statement.resources), condition)


def _allow(
    sid: str, actions: Sequence[str], resource: object, condition: Mapping[str, Any]
) -> dict[str, Any]:
    found = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resource}
    return {**found, "Condition": dict(condition)} if condition else found


def _words(bucket: str, prefix: str, *, own: bool) -> str:
    """Part of a Sid, which has letters and digits only (IAM JSON policy elements: Sid)."""
    parts = re.split(r"[^A-Za-z0-9]+", f"{bucket}/{prefix}")
    return "".join(part[:1].upper() + part[1:] for part in parts) + ("Own" if own else "")


def _number_equal_sids(statements: list[dict[str, Any]]) -> None:
    """No two statements of a policy have the same Sid: `a-b/` and `aB/` would."""
    used: set[str] = set()
    for statement in statements:
        sid, number = statement["Sid"], 1
        while statement["Sid"] in used:
            number += 1
            statement["Sid"] = f"{sid}{number}"
        used.add(statement["Sid"])
