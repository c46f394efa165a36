"""Stateful resources: homes and databases. Only the file system that was chosen
(jupyterhub_aws/adopt/scan.py) is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.matcher import (
    UNKNOWN,
    ImportCandidate,
    MatchContext,
    Matcher,
    Row,
    called,
    default,
    flag,
    one,
    with_tags,
)
from jupyterhub_aws.adopt.queries import AwsResource, tags_of


def _access_point(context: MatchContext) -> ImportCandidate | None:
    """One with the same root directory and the same owner: both decide which files a user sees."""
    root = context.inputs.get("rootDirectory", {})
    found = [
        item
        for item in context.live.of("access_points")
        if item["FileSystemId"] == context.text("fileSystemId")
        and item.get("RootDirectory", {}).get("Path", "/") == root.get("path", "/")
        and _posix(item) == context.inputs.get("posixUser")
    ]
    if len(found) != 1:
        return None
    point = found[0]
    directory = point.get("RootDirectory", {})
    view: dict[str, Any] = {"path": directory.get("Path", "/")}
    if "CreationInfo" in directory:
        made = directory["CreationInfo"]
        view["creationInfo"] = {
            "ownerUid": made["OwnerUid"],
            "ownerGid": made["OwnerGid"],
            "permissions": made["Permissions"],
        }
    elif root.get("creationInfo"):
        view["creationInfo"] = None
    outputs = {"id": point["AccessPointId"], "arn": str(point.get("AccessPointArn", ""))}
    view = {
        "fileSystemId": point["FileSystemId"],
        "posixUser": _posix(point),
        "rootDirectory": view,
    }
    return ImportCandidate(id=point["AccessPointId"], outputs=outputs, view=with_tags(point, view))


def _posix(point: Mapping[str, Any]) -> dict[str, int] | None:
    user = point.get("PosixUser")
    return None if not user else {"uid": user["Uid"], "gid": user["Gid"]}


def _volume(context: MatchContext) -> AwsResource | None:
    """The volume of the hub's database: by the program's own Name, or the only one that the
    chart's claim made.
    """
    name, zone = context.inputs.get("tags", {}).get("Name"), context.text("availabilityZone")
    here = [item for item in context.live.of("volumes") if item["AvailabilityZone"] == zone]
    found = [item for item in here if tags_of(item).get("Name") == name]
    if not found and len(context.recorded.of("aws:ebs/volume:Volume")) == 1:
        claim = "kubernetes.io/created-for/pvc/name"
        found = [item for item in here if tags_of(item).get(claim) == "hub-db-dir"]
    return found[0] if len(found) == 1 else None


def _subnet_group(context: MatchContext) -> AwsResource | None:
    for database in context.live.of("databases"):
        group: AwsResource = database.get("DBSubnetGroup", {})
        if group.get("DBSubnetGroupName") == context.text("name"):
            return group
    return None


STORAGE: Mapping[str, Matcher | Row] = {
    "aws:efs/fileSystem:FileSystem": Row(
        topics=("file_systems", "mount_interfaces"),
        look=lambda context: context.live.file_system,
        id="{FileSystemId}",
        view={
            **called("creationToken", "performanceMode", "throughputMode"),
            "encrypted": flag("Encrypted"),
        },
        outputs={"id": "FileSystemId", "arn": "FileSystemArn"},
        tagged=True,
    ),
    "aws:efs/accessPoint:AccessPoint": Matcher(topics=("access_points",), find=_access_point),
    "aws:efs/mountTarget:MountTarget": Row(
        topics=("mount_interfaces", "mount_targets"),
        place={"FileSystemId": "fileSystemId", "SubnetId": "subnetId"},
        id="{MountTargetId}",
    ),
    "aws:efs/backupPolicy:BackupPolicy": Row(
        topics=("mount_interfaces", "backup_policies"),
        place={"FileSystemId": "fileSystemId"},
        exists=lambda item: item.get("BackupPolicy", {}).get("Status") is not None,
        id="{FileSystemId}",
        view={"backupPolicy": lambda item: {"status": item["BackupPolicy"]["Status"]}},
    ),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": Row(
        topics=("mount_interfaces", "file_system_policies"),
        place={"FileSystemId": "fileSystemId"},
        exists=lambda item: "Policy" in item,
        id="{FileSystemId}",
        view=called("policy"),
    ),
    "aws:ebs/volume:Volume": Row(
        topics=("volumes",),
        look=_volume,
        id="{VolumeId}",
        view={
            **called("availabilityZone", "size"),
            "encrypted": flag("Encrypted"),
            "type": "VolumeType",
        },
        outputs={"id": "VolumeId"},
        tagged=True,
    ),
    "aws:rds/instance:Instance": Row(
        topics=("databases",),
        place={"DBInstanceIdentifier": "identifier"},
        id="{DBInstanceIdentifier}",
        view={
            **called("engine", "allocatedStorage"),
            "instanceClass": "DBInstanceClass",
            "storageEncrypted": flag("StorageEncrypted"),
            "multiAz": flag("MultiAZ"),
            "username": "MasterUsername",
            "dbName": "DBName",
            "tags": lambda item: {tag["Key"]: tag["Value"] for tag in item.get("TagList", ())},
        },
        outputs={"id": "DBInstanceIdentifier"},
    ),
    "aws:rds/subnetGroup:SubnetGroup": Row(
        topics=("databases",),
        look=_subnet_group,
        id="{DBSubnetGroupName}",
        view={
            "name": "DBSubnetGroupName",
            "subnetIds": lambda group: sorted(
                item["SubnetIdentifier"] for item in group.get("Subnets", ())
            ),
        },
        outputs={"name": "DBSubnetGroupName"},
    ),
}


# --- AWS Backup: vault, its policy and lock, plan and selection. A vault's name is once in a
# region; the stack's plan is the one that bears its name.


def _plan(context: MatchContext) -> AwsResource | None:
    """A plan with its rules, where they could be read."""
    plan = one(context.live.of("plans"), BackupPlanName=context.text("name"))
    if plan is None:
        return None
    content = one(context.live.of("plan_rules"), BackupPlanId=plan["BackupPlanId"])
    if content is None:
        return plan
    rules = content["BackupPlan"].get("Rules", ())
    by_name = sorted(rules, key=lambda rule: str(rule["RuleName"]))
    return {**plan, "rules": [_rule(rule) for rule in by_name]}


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


def _lifecycle(resource: Mapping[str, Any]) -> dict[str, Any]:
    names = {"deleteAfter": "DeleteAfterDays", "coldStorageAfter": "MoveToColdStorageAfterDays"}
    days = {key: resource.get("Lifecycle", {}).get(name) for key, name in names.items()}
    return {key: value for key, value in days.items() if value is not None}


def _selection(context: MatchContext) -> AwsResource | None:
    """A selection with its tags, where they could be read."""
    wanted = {"SelectionName": context.text("name"), "BackupPlanId": context.text("planId")}
    item = one(context.live.of("selections"), **wanted)
    content = item and one(context.live.of("selected"), SelectionId=item["SelectionId"])
    if item is None or content is None:
        return item
    tags = [
        {"type": tag["ConditionType"], "key": tag["ConditionKey"], "value": tag["ConditionValue"]}
        for tag in content["BackupSelection"].get("ListOfTags", ())
    ]
    return {**item, "selectionTags": tags}


BACKUPS: Mapping[str, Row] = {
    "aws:backup/vault:Vault": Row(
        topics=("vaults",),
        place={"BackupVaultName": "name"},
        id="{BackupVaultName}",
        view={"kmsKeyArn": "EncryptionKeyArn"},
        outputs={"id": "BackupVaultName", "name": "BackupVaultName", "arn": "BackupVaultArn"},
    ),
    "aws:backup/vaultPolicy:VaultPolicy": Row(
        topics=("vaults", "vault_policies"),
        place={"BackupVaultName": "backupVaultName"},
        exists=lambda item: "Policy" in item,
        id="{BackupVaultName}",
        view=called("policy"),
    ),
    # AWS says when a lock closes and not after how many days, so that the provider reads none: with
    # days of grace an import ends in a replacement.
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": Row(
        topics=("vaults",),
        place={"BackupVaultName": "backupVaultName"},
        exists=lambda vault: vault.get("Locked"),
        id="{BackupVaultName}",
        view={
            **called("minRetentionDays", "maxRetentionDays"),
            "changeableForDays": lambda _vault: None,
        },
    ),
    "aws:backup/plan:Plan": Row(
        topics=("plans",),
        look=_plan,
        id="{BackupPlanId}",
        view={"name": "BackupPlanName", "rules": default("rules", UNKNOWN)},
        outputs={"id": "BackupPlanId"},
    ),
    "aws:backup/selection:Selection": Row(
        topics=("plans", "selections"),
        look=_selection,
        id="{BackupPlanId}|{SelectionId}",
        view={
            "name": "SelectionName",
            "planId": "BackupPlanId",
            "iamRoleArn": "IamRoleArn",
            "selectionTags": default("selectionTags", UNKNOWN),
        },
    ),
}
