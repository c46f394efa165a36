"""Stateful resources: homes and databases. Only the file system that was chosen
(jupyterhub_aws/adopt/scan.py) is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.matcher import (
    ImportCandidate,
    MatchContext,
    Matcher,
    one,
    with_tags,
)
from jupyterhub_aws.adopt.queries import tags_of


def _file_system(context: MatchContext) -> ImportCandidate | None:
    found = context.live.file_system
    if found is None:
        return None
    view: dict[str, Any] = {
        "creationToken": found.get("CreationToken"),
        "encrypted": bool(found.get("Encrypted")),
        "performanceMode": found.get("PerformanceMode"),
        "throughputMode": found.get("ThroughputMode"),
    }
    outputs = {"id": found["FileSystemId"], "arn": str(found.get("FileSystemArn", ""))}
    return ImportCandidate(id=found["FileSystemId"], outputs=outputs, view=with_tags(found, view))


def _access_point(context: MatchContext) -> ImportCandidate | None:
    """One with the same root directory and the same owner: both decide which files a user sees."""
    wanted = (
        context.inputs.get("rootDirectory", {}).get("path", "/"),
        context.inputs.get("posixUser"),
    )
    found = [
        item
        for item in context.live.of("access_points")
        if item["FileSystemId"] == context.text("fileSystemId")
        and (item.get("RootDirectory", {}).get("Path", "/"), _posix(item)) == wanted
    ]
    if len(found) != 1:
        return None
    point = found[0]
    view = {
        "fileSystemId": point["FileSystemId"],
        "posixUser": _posix(point),
        "rootDirectory": {"path": point.get("RootDirectory", {}).get("Path", "/")},
    }
    if "creationInfo" in point.get("RootDirectory", {}) or "CreationInfo" in point.get(
        "RootDirectory", {}
    ):
        made = point["RootDirectory"]["CreationInfo"]
        view["rootDirectory"]["creationInfo"] = {
            "ownerUid": made["OwnerUid"],
            "ownerGid": made["OwnerGid"],
            "permissions": made["Permissions"],
        }
    elif context.inputs.get("rootDirectory", {}).get("creationInfo"):
        view["rootDirectory"]["creationInfo"] = None
    outputs = {"id": point["AccessPointId"], "arn": str(point.get("AccessPointArn", ""))}
    return ImportCandidate(id=point["AccessPointId"], outputs=outputs, view=with_tags(point, view))


def _posix(point: Mapping[str, Any]) -> dict[str, int] | None:
    user = point.get("PosixUser")
    return None if not user else {"uid": user["Uid"], "gid": user["Gid"]}


def _mount_target(context: MatchContext) -> ImportCandidate | None:
    target = one(
        context.live.of("mount_targets"),
        FileSystemId=context.text("fileSystemId"),
        SubnetId=context.text("subnetId"),
    )
    if target is None:
        return None
    return ImportCandidate(
        id=target["MountTargetId"],
        view={"fileSystemId": target["FileSystemId"], "subnetId": target["SubnetId"]},
    )


def _backup(context: MatchContext) -> ImportCandidate | None:
    item = one(context.live.of("backup_policies"), FileSystemId=context.text("fileSystemId"))
    status = (item or {}).get("BackupPolicy", {}).get("Status")
    if item is None or status is None:
        return None
    return ImportCandidate(
        id=item["FileSystemId"],
        view={"fileSystemId": item["FileSystemId"], "backupPolicy": {"status": status}},
    )


def _file_system_policy(context: MatchContext) -> ImportCandidate | None:
    item = one(context.live.of("file_system_policies"), FileSystemId=context.text("fileSystemId"))
    if item is None or "Policy" not in item:
        return None
    return ImportCandidate(
        id=item["FileSystemId"],
        view={"fileSystemId": item["FileSystemId"], "policy": item["Policy"]},
    )


def _volume(context: MatchContext) -> ImportCandidate | None:
    """The volume of the hub's database: by the program's own Name, or the only one that the
    chart's claim made.
    """
    name, zone = context.inputs.get("tags", {}).get("Name"), context.text("availabilityZone")
    here = [item for item in context.live.of("volumes") if item["AvailabilityZone"] == zone]
    named = [item for item in here if tags_of(item).get("Name") == name]
    claimed = [
        item
        for item in here
        if tags_of(item).get("kubernetes.io/created-for/pvc/name") == "hub-db-dir"
    ]
    found = named or (claimed if len(context.recorded.of("aws:ebs/volume:Volume")) == 1 else [])
    if len(found) != 1:
        return None
    volume = found[0]
    view = {
        "availabilityZone": zone,
        "encrypted": bool(volume.get("Encrypted")),
        "size": volume.get("Size"),
        "type": volume.get("VolumeType"),
    }
    return ImportCandidate(
        id=volume["VolumeId"], outputs={"id": volume["VolumeId"]}, view=with_tags(volume, view)
    )


def _database(context: MatchContext) -> ImportCandidate | None:
    item = one(context.live.of("databases"), DBInstanceIdentifier=context.text("identifier"))
    if item is None:
        return None
    view = {
        "identifier": item["DBInstanceIdentifier"],
        "engine": item.get("Engine"),
        "instanceClass": item.get("DBInstanceClass"),
        "allocatedStorage": item.get("AllocatedStorage"),
        "storageEncrypted": bool(item.get("StorageEncrypted")),
        "multiAz": bool(item.get("MultiAZ")),
        "username": item.get("MasterUsername"),
        "dbName": item.get("DBName"),
    }
    tags = {entry["Key"]: entry["Value"] for entry in item.get("TagList", ())}
    return ImportCandidate(
        id=item["DBInstanceIdentifier"],
        outputs={"id": item["DBInstanceIdentifier"]},
        view={**view, "tags": tags},
    )


def _subnet_group(context: MatchContext) -> ImportCandidate | None:
    groups = [item.get("DBSubnetGroup", {}) for item in context.live.of("databases")]
    group = next(
        (item for item in groups if item.get("DBSubnetGroupName") == context.text("name")), None
    )
    if group is None:
        return None
    view = {
        "name": group["DBSubnetGroupName"],
        "subnetIds": sorted(item["SubnetIdentifier"] for item in group.get("Subnets", ())),
    }
    return ImportCandidate(
        id=group["DBSubnetGroupName"], outputs={"name": group["DBSubnetGroupName"]}, view=view
    )


STORAGE: Mapping[str, Matcher] = {
    "aws:efs/fileSystem:FileSystem": Matcher(
        topics=("file_systems", "mount_interfaces"), find=_file_system
    ),
    "aws:efs/accessPoint:AccessPoint": Matcher(topics=("access_points",), find=_access_point),
    "aws:efs/mountTarget:MountTarget": Matcher(
        topics=("mount_interfaces", "mount_targets"), find=_mount_target
    ),
    "aws:efs/backupPolicy:BackupPolicy": Matcher(
        topics=("mount_interfaces", "backup_policies"), find=_backup
    ),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": Matcher(
        topics=("mount_interfaces", "file_system_policies"), find=_file_system_policy
    ),
    "aws:ebs/volume:Volume": Matcher(topics=("volumes",), find=_volume),
    "aws:rds/instance:Instance": Matcher(topics=("databases",), find=_database),
    "aws:rds/subnetGroup:SubnetGroup": Matcher(topics=("databases",), find=_subnet_group),
}


# --- AWS Backup: vault, its policy and lock, plan and selection. A vault's name is once in a
# region; the stack's plan is the one that bears its name.


def _vault(context: MatchContext) -> ImportCandidate | None:
    vault = one(context.live.of("vaults"), BackupVaultName=context.text("name"))
    if vault is None:
        return None
    name = vault["BackupVaultName"]
    view = {"name": name, "kmsKeyArn": vault.get("EncryptionKeyArn")}
    return ImportCandidate(
        id=name,
        outputs={"id": name, "name": name, "arn": str(vault.get("BackupVaultArn", ""))},
        view=view,
    )


def _policy(context: MatchContext) -> ImportCandidate | None:
    item = one(context.live.of("vault_policies"), BackupVaultName=context.text("backupVaultName"))
    if item is None or "Policy" not in item:
        return None
    return ImportCandidate(
        id=item["BackupVaultName"],
        view={"backupVaultName": item["BackupVaultName"], "policy": item["Policy"]},
    )


def _lock(context: MatchContext) -> ImportCandidate | None:
    """AWS says when a lock closes and not after how many days, so that the provider reads none:
    with days of grace an import ends in a replacement.
    """
    vault = one(context.live.of("vaults"), BackupVaultName=context.text("backupVaultName"))
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


def _plan(context: MatchContext) -> ImportCandidate | None:
    plan = one(context.live.of("plans"), BackupPlanName=context.text("name"))
    if plan is None:
        return None
    identity = plan["BackupPlanId"]
    content = one(context.live.of("plan_rules"), BackupPlanId=identity)
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


def _lifecycle(resource: Mapping[str, Any]) -> dict[str, Any]:
    names = {"deleteAfter": "DeleteAfterDays", "coldStorageAfter": "MoveToColdStorageAfterDays"}
    return {
        key: resource["Lifecycle"][name]
        for key, name in names.items()
        if resource.get("Lifecycle", {}).get(name) is not None
    }


def _selection(context: MatchContext) -> ImportCandidate | None:
    item = one(
        context.live.of("selections"),
        SelectionName=context.text("name"),
        BackupPlanId=context.text("planId"),
    )
    if item is None:
        return None
    view: dict[str, Any] = {
        "name": item["SelectionName"],
        "planId": item["BackupPlanId"],
        "iamRoleArn": item.get("IamRoleArn"),
    }
    content = one(context.live.of("selected"), SelectionId=item["SelectionId"])
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
