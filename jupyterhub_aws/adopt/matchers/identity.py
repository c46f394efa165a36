"""IAM: roles, what they carry, policies and instance profiles. All of them have names that an
account has once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from jupyterhub_aws.adopt.matchers.matcher import (
    ImportCandidate,
    MatchContext,
    Matcher,
    one,
    with_tags,
)
from jupyterhub_aws.adopt.queries import AwsResource

ROLE = "aws:iam/role:Role"


def _document(document: Any) -> str:
    return json.dumps(document) if isinstance(document, Mapping) else unquote(str(document))


def _role_of(context: MatchContext, key: str) -> AwsResource | None:
    name = context.text(key)
    return None if name is None else one(context.live.of("roles"), RoleName=name.rpartition("/")[2])


def _role(context: MatchContext) -> ImportCandidate | None:
    role = _role_of(context, "name")
    if role is None:
        return None
    view = {
        "name": role["RoleName"],
        "path": role.get("Path", "/"),
        "assumeRolePolicy": _document(role["AssumeRolePolicyDocument"]),
    }
    return ImportCandidate(
        id=role["RoleName"],
        outputs={"id": role["RoleName"], "name": role["RoleName"], "arn": role["Arn"]},
        view=with_tags(role, view),
    )


def _attachment(context: MatchContext) -> ImportCandidate | None:
    role, policy = _role_of(context, "role"), context.text("policyArn")
    if (
        role is None
        or policy is None
        or all(item["PolicyArn"] != policy for item in role.get("AttachedManagedPolicies", ()))
    ):
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


def _policy(context: MatchContext) -> ImportCandidate | None:
    name = context.text("name")
    found = [
        item for item in context.live.of("policies") if str(item["Arn"]).rpartition("/")[2] == name
    ]
    if name is None or len(found) != 1:
        return None
    policy = found[0]
    versions = [
        item for item in policy.get("PolicyVersionList", ()) if item.get("IsDefaultVersion")
    ]
    view = {"name": name, **({"policy": _document(versions[0]["Document"])} if versions else {})}
    return ImportCandidate(
        id=policy["Arn"],
        outputs={"id": policy["Arn"], "arn": policy["Arn"], "name": name},
        view=view,
    )


def _profile(context: MatchContext) -> ImportCandidate | None:
    profile = one(context.live.of("instance_profiles"), InstanceProfileName=context.text("name"))
    if profile is None:
        return None
    name, roles = (
        profile["InstanceProfileName"],
        [role["RoleName"] for role in profile.get("Roles", ())],
    )
    view = {"name": name, "role": roles[0] if roles else None}
    return ImportCandidate(
        id=name, outputs={"id": name, "name": name, "arn": profile["Arn"]}, view=view
    )


IDENTITY: Mapping[str, Matcher] = {
    ROLE: Matcher(topics=("roles",), find=_role),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Matcher(
        topics=("roles",), find=_attachment
    ),
    "aws:iam/rolePolicy:RolePolicy": Matcher(topics=("roles",), find=_inline),
    "aws:iam/policy:Policy": Matcher(topics=("policies",), find=_policy),
    "aws:iam/instanceProfile:InstanceProfile": Matcher(
        topics=("instance_profiles",), find=_profile
    ),
}


# --- KMS keys, each by what it encrypts: a key has no name of its own, and an account has many.
# Aliases have names that an account has once.


_CLUSTER, _VAULT, _TOPIC, _ALIAS = (
    "aws:eks/cluster:Cluster",
    "aws:backup/vault:Vault",
    "aws:sns/topic:Topic",
    "aws:kms/alias:Alias",
)


def _key(context: MatchContext) -> ImportCandidate | None:
    """The key that encrypts what the program's would: a customer managed key of this account; a key
    of another account cannot be the stack's resource.
    """
    used = _in_use(context)
    key = None if used is None else _of(context, used)
    if (
        key is None
        or key.get("KeyManager") != "CUSTOMER"
        or key.get("AWSAccountId", context.live.account) != context.live.account
    ):
        return None
    return ImportCandidate(
        id=key["KeyId"],
        outputs={"id": key["KeyId"], "keyId": key["KeyId"], "arn": key["Arn"]},
        view={"description": key.get("Description", "")},
    )


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
        if (there := _topic(context, topic.inputs.get("name"))) is not None:
            return str(there.get("KmsMasterKeyId", ""))
    for alias in context.users(_ALIAS, "targetKeyId"):
        if (there := one(live.of("aliases"), AliasName=alias.inputs.get("name"))) is not None:
            return str(there.get("TargetKeyId", ""))
    return None


def _topic(context: MatchContext, name: object) -> AwsResource | None:
    return next(
        (
            item
            for item in context.live.of("topics")
            if str(item["TopicArn"]).rpartition(":")[2] == name
        ),
        None,
    )


def _of(context: MatchContext, used: str) -> AwsResource | None:
    return next(
        (item for item in context.live.of("keys") if used in (item["KeyId"], item["Arn"])), None
    )


def _alias(context: MatchContext) -> ImportCandidate | None:
    alias = one(context.live.of("aliases"), AliasName=context.text("name"))
    return (
        None
        if alias is None
        else ImportCandidate(
            id=alias["AliasName"],
            view={"name": alias["AliasName"], "targetKeyId": alias.get("TargetKeyId")},
        )
    )


KEYS: Mapping[str, Matcher] = {
    # A key is found by way of what uses it: a gap in any of these may hide it.
    "aws:kms/key:Key": Matcher(topics=("keys", "aliases", "vaults", "topics"), find=_key),
    _ALIAS: Matcher(topics=("aliases",), find=_alias),
}
