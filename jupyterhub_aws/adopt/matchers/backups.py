"""AWS Backup: vault, its policy and lock, plan and selection. A vault's name is once in a
region; the stack's plan is the one that bears its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.kind import Asked, ImportCandidate, Matcher, one


def _vault(asked: Asked) -> ImportCandidate | None:
    vault = one(asked.live.of("vaults"), BackupVaultName=asked.text("name"))
    if vault is None:
        return None
    name = vault["BackupVaultName"]
    view = {"name": name, "kmsKeyArn": vault.get("EncryptionKeyArn")}
    return ImportCandidate(
        id=name,
        outputs={"id": name, "name": name, "arn": str(vault.get("BackupVaultArn", ""))},
        view=view,
    )


def _policy(asked: Asked) -> ImportCandidate | None:
    item = one(asked.live.of("vault_policies"), BackupVaultName=asked.text("backupVaultName"))
    if item is None or "Policy" not in item:
        return None
    return ImportCandidate(
        id=item["BackupVaultName"],
        view={"backupVaultName": item["BackupVaultName"], "policy": item["Policy"]},
    )


def _lock(asked: Asked) -> ImportCandidate | None:
    """AWS says when a lock closes and not after how many days, so that the provider reads none:
    with days of grace an import ends in a replacement.
    """
    vault = one(asked.live.of("vaults"), BackupVaultName=asked.text("backupVaultName"))
    if vault is None or not vault.get("Locked"):
        return None
    days = {
        "minRetentionDays": vault.get("MinRetentionDays"),
        "maxRetentionDays": vault.get("MaxRetentionDays"),
        "changeableForDays": None,
    }
    return ImportCandidate(
        id=vault["BackupVaultName"], view={"backupVaultName": vault["BackupVaultName"], **days}
    )


def _plan(asked: Asked) -> ImportCandidate | None:
    plan = one(asked.live.of("plans"), BackupPlanName=asked.text("name"))
    if plan is None:
        return None
    identity = plan["BackupPlanId"]
    content = one(asked.live.of("plan_rules"), BackupPlanId=identity)
    view: dict[str, Any] = {"name": plan["BackupPlanName"]}
    if content is not None:
        rules = sorted(
            content["BackupPlan"].get("Rules", ()), key=lambda rule: str(rule["RuleName"])
        )
        view["rules"] = [_rule(rule) for rule in rules]
    return ImportCandidate(id=identity, outputs={"id": identity}, view=view)


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule by the names of inputs; without what AWS adds to it."""
    found = {
        "ruleName": rule["RuleName"],
        "targetVaultName": rule.get("TargetBackupVaultName"),
        "schedule": rule.get("ScheduleExpression"),
        "scheduleExpressionTimezone": rule.get("ScheduleExpressionTimezone", "Etc/UTC"),
        "startWindow": rule.get("StartWindowMinutes"),
        "completionWindow": rule.get("CompletionWindowMinutes"),
        "lifecycle": _lifecycle(rule),
    }
    copies = [
        {"destinationVaultArn": item["DestinationBackupVaultArn"], "lifecycle": _lifecycle(item)}
        for item in rule.get("CopyActions", ())
    ]
    return {**found, **({"copyActions": copies} if copies else {})}


def _lifecycle(thing: Mapping[str, Any]) -> dict[str, Any]:
    names = {"deleteAfter": "DeleteAfterDays", "coldStorageAfter": "MoveToColdStorageAfterDays"}
    return {
        key: thing["Lifecycle"][name]
        for key, name in names.items()
        if thing.get("Lifecycle", {}).get(name) is not None
    }


def _selection(asked: Asked) -> ImportCandidate | None:
    item = one(
        asked.live.of("selections"),
        SelectionName=asked.text("name"),
        BackupPlanId=asked.text("planId"),
    )
    if item is None:
        return None
    view: dict[str, Any] = {
        "name": item["SelectionName"],
        "planId": item["BackupPlanId"],
        "iamRoleArn": item.get("IamRoleArn"),
    }
    content = one(asked.live.of("selected"), SelectionId=item["SelectionId"])
    if content is not None:
        tags = content["BackupSelection"].get("ListOfTags", ())
        view["selectionTags"] = [
            {
                "type": tag["ConditionType"],
                "key": tag["ConditionKey"],
                "value": tag["ConditionValue"],
            }
            for tag in tags
        ]
    return ImportCandidate(id=f"{item['BackupPlanId']}|{item['SelectionId']}", view=view)


BACKUPS: Mapping[str, Matcher] = {
    "aws:backup/vault:Vault": Matcher(topics=("vaults",), find=_vault),
    "aws:backup/vaultPolicy:VaultPolicy": Matcher(
        topics=("vaults", "vault_policies"), find=_policy
    ),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": Matcher(
        topics=("vaults",), find=_lock
    ),
    "aws:backup/plan:Plan": Matcher(topics=("plans",), find=_plan),
    "aws:backup/selection:Selection": Matcher(topics=("plans", "selections"), find=_selection),
}
