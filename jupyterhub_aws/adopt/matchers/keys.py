"""KMS keys, each by what it encrypts: a key has no name of its own, and an account has many.
Aliases have names that an account has once.
"""

from __future__ import annotations

from collections.abc import Mapping

from jupyterhub_aws.adopt.live import Thing
from jupyterhub_aws.adopt.matchers.kind import Asked, ImportCandidate, Matcher, one

_CLUSTER, _VAULT, _TOPIC, _ALIAS = (
    "aws:eks/cluster:Cluster",
    "aws:backup/vault:Vault",
    "aws:sns/topic:Topic",
    "aws:kms/alias:Alias",
)


def _key(asked: Asked) -> ImportCandidate | None:
    """The key that encrypts what the program's would: a customer's own in this account, for
    another can be nobody's resource here.
    """
    used = _in_use(asked)
    key = None if used is None else _of(asked, used)
    if (
        key is None
        or key.get("KeyManager") != "CUSTOMER"
        or key.get("AWSAccountId", asked.live.account) != asked.live.account
    ):
        return None
    return ImportCandidate(
        id=key["KeyId"],
        outputs={"id": key["KeyId"], "keyId": key["KeyId"], "arn": key["Arn"]},
        view={"description": key.get("Description", "")},
    )


def _in_use(asked: Asked) -> str | None:
    """Id or ARN of the key in the place of this one: of the cluster's secrets, of the vault or the
    topic; where those have none, of the alias.

    What is there goes before the alias: an alias can be pointed elsewhere in place, and a vault or
    a cluster keeps its first key for ever.
    """
    live = asked.live
    if asked.users(_CLUSTER, "encryptionConfig") and live.key_arn:
        return live.key_arn
    for vault in asked.users(_VAULT, "kmsKeyArn"):
        if (there := one(live.of("vaults"), BackupVaultName=vault.inputs.get("name"))) is not None:
            return str(there.get("EncryptionKeyArn", ""))
    for topic in asked.users(_TOPIC, "kmsMasterKeyId"):
        if (there := _topic(asked, topic.inputs.get("name"))) is not None:
            return str(there.get("KmsMasterKeyId", ""))
    for alias in asked.users(_ALIAS, "targetKeyId"):
        if (there := one(live.of("aliases"), AliasName=alias.inputs.get("name"))) is not None:
            return str(there.get("TargetKeyId", ""))
    return None


def _topic(asked: Asked, name: object) -> Thing | None:
    return next(
        (
            item
            for item in asked.live.of("topics")
            if str(item["TopicArn"]).rpartition(":")[2] == name
        ),
        None,
    )


def _of(asked: Asked, used: str) -> Thing | None:
    return next(
        (item for item in asked.live.of("keys") if used in (item["KeyId"], item["Arn"])), None
    )


def _alias(asked: Asked) -> ImportCandidate | None:
    alias = one(asked.live.of("aliases"), AliasName=asked.text("name"))
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
