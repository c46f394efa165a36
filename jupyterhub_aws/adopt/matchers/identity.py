"""IAM: roles, what they carry, policies and instance profiles. All of them have names that an
account has once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from jupyterhub_aws.adopt.matchers.matcher import (
    ROLE,
    UNKNOWN,
    ImportCandidate,
    MatchContext,
    Matcher,
    Row,
    called,
    default,
    one,
)
from jupyterhub_aws.adopt.queries import AwsResource


def _document(document: Any) -> str:
    return json.dumps(document) if isinstance(document, Mapping) else unquote(str(document))


def _role_of(context: MatchContext, key: str) -> AwsResource | None:
    name = context.text(key)
    return None if name is None else one(context.live.of("roles"), RoleName=name.rpartition("/")[2])


def _attachment(context: MatchContext) -> ImportCandidate | None:
    role, policy = _role_of(context, "role"), context.text("policyArn")
    if role is None or policy is None:
        return None
    if policy not in [item["PolicyArn"] for item in role.get("AttachedManagedPolicies", ())]:
        return None
    return ImportCandidate(
        id=f"{role['RoleName']}/{policy}", view={"role": role["RoleName"], "policyArn": policy}
    )


def _inline(context: MatchContext) -> ImportCandidate | None:
    role = _role_of(context, "role")
    item = one(list((role or {}).get("RolePolicyList", ())), PolicyName=context.text("name"))
    if role is None or item is None:
        return None
    view = {
        "role": role["RoleName"],
        "name": item["PolicyName"],
        "policy": _document(item["PolicyDocument"]),
    }
    return ImportCandidate(id=f"{role['RoleName']}:{item['PolicyName']}", view=view)


def _policy(context: MatchContext) -> AwsResource | None:
    """A policy with its name: AWS gives it at the end of the ARN."""
    name = context.text("name")
    named = (
        {**item, "name": str(item["Arn"]).rpartition("/")[2]}
        for item in context.live.of("policies")
    )
    return None if name is None else one(list(named), name=name)


def _default_version(policy: AwsResource) -> Any:
    for version in policy.get("PolicyVersionList", ()):
        if version.get("IsDefaultVersion"):
            return _document(version["Document"])
    return UNKNOWN


IDENTITY: Mapping[str, Matcher | Row] = {
    ROLE: Row(
        topics=("roles",),
        look=lambda context: _role_of(context, "name"),
        id="{RoleName}",
        view={
            "name": "RoleName",
            "path": default("Path", "/"),
            "assumeRolePolicy": lambda role: _document(role["AssumeRolePolicyDocument"]),
        },
        outputs={"id": "RoleName", "name": "RoleName", "arn": "Arn"},
        tagged=True,
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Matcher(
        topics=("roles",), find=_attachment
    ),
    "aws:iam/rolePolicy:RolePolicy": Matcher(topics=("roles",), find=_inline),
    "aws:iam/policy:Policy": Row(
        topics=("policies",),
        look=_policy,
        id="{Arn}",
        view={"name": "name", "policy": _default_version},
        outputs={"id": "Arn", "arn": "Arn", "name": "name"},
    ),
    "aws:iam/instanceProfile:InstanceProfile": Row(
        topics=("instance_profiles",),
        place={"InstanceProfileName": "name"},
        id="{InstanceProfileName}",
        view={
            "role": lambda profile: next(
                (role["RoleName"] for role in profile.get("Roles", ())), None
            )
        },
        outputs={"id": "InstanceProfileName", "name": "InstanceProfileName", "arn": "Arn"},
    ),
}


# --- KMS keys, each by what it encrypts: a key has no name of its own, and an account has many.
# Aliases have names that an account has once.


_CLUSTER, _VAULT = "aws:eks/cluster:Cluster", "aws:backup/vault:Vault"
_TOPIC, _ALIAS = "aws:sns/topic:Topic", "aws:kms/alias:Alias"


def _key(context: MatchContext) -> AwsResource | None:
    """The key that encrypts what the program's would: a customer managed key of this account; a key
    of another account cannot be the stack's resource.
    """
    account, used = context.live.account, _in_use(context)
    for key in context.live.of("keys"):
        if used is not None and used in (key["KeyId"], key["Arn"]):
            own = key.get("AWSAccountId", account) == account
            return key if own and key.get("KeyManager") == "CUSTOMER" else None
    return None


def _in_use(context: MatchContext) -> str | None:
    """Id or ARN of the key in the place of this one: of the cluster's secrets, of the vault or the
    topic; where those have none, of the alias.

    What is there goes before the alias: an alias can be pointed elsewhere in place, and a vault or
    a cluster keeps its first key for ever.
    """
    live = context.live
    if context.users(_CLUSTER, "encryptionConfig") and live.key_arn:
        return live.key_arn
    for vault in context.users(_VAULT, "kmsKeyArn"):
        if (there := one(live.of("vaults"), BackupVaultName=vault.inputs.get("name"))) is not None:
            return str(there.get("EncryptionKeyArn", ""))
    for topic in context.users(_TOPIC, "kmsMasterKeyId"):
        for there in live.of("topics"):
            if str(there["TopicArn"]).rpartition(":")[2] == topic.inputs.get("name"):
                return str(there.get("KmsMasterKeyId", ""))
    for alias in context.users(_ALIAS, "targetKeyId"):
        if (there := one(live.of("aliases"), AliasName=alias.inputs.get("name"))) is not None:
            return str(there.get("TargetKeyId", ""))
    return None


KEYS: Mapping[str, Row] = {
    # A key is found by way of what uses it: a gap in any of these may hide it.
    "aws:kms/key:Key": Row(
        topics=("keys", "aliases", "vaults", "topics"),
        look=_key,
        id="{KeyId}",
        view={"description": default("Description", "")},
        outputs={"id": "KeyId", "keyId": "KeyId", "arn": "Arn"},
    ),
    _ALIAS: Row(
        topics=("aliases",),
        place={"AliasName": "name"},
        id="{AliasName}",
        view=called("targetKeyId"),
    ),
}
