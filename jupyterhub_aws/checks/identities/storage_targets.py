"""Storage that calls are about: volumes and file systems, what mounts them, and their backups
and snapshots.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from jupyterhub_aws.checks.identities.patterns import ACCOUNT
from jupyterhub_aws.checks.identities.target import (
    CallTarget,
    Find,
    ec2_arn,
    key_targets,
    target_of,
)
from jupyterhub_aws.checks.identities.world import (
    ACCESS_POINT,
    DATABASE,
    FILE_SYSTEM,
    VAULT,
    VOLUME,
    PlanWorld,
)
from jupyterhub_aws.checks.resources import Resource

_CLASS, _CLAIMED = (
    "kubernetes:storage.k8s.io/v1:StorageClass",
    "kubernetes:core/v1:PersistentVolume",
)
_EBS, _EFS = "ebs.csi.aws.com", "efs.csi.aws.com"
#: What the EBS driver tags its volumes with (aws-ebs-csi-driver v1.66, pkg/cloud/cloud.go and
#: pkg/driver/controller.go).
_EBS_TAGS = {
    "ebs.csi.aws.com/cluster": "true",
    "CSIVolumeName": "pvc-0",
    "kubernetes.io/created-for/pv/name": "pvc-0",
    "kubernetes.io/created-for/pvc/name": "claim",
    "kubernetes.io/created-for/pvc/namespace": "hub",
}
#: What the EFS driver tags its access points with (aws-efs-csi-driver, pkg/driver/controller.go).
_EFS_TAGS = {"efs.csi.aws.com/cluster": "true"}


def _handles(world: PlanWorld, driver: str) -> Iterator[tuple[Resource, str]]:
    for volume in world.resources.of(_CLAIMED):
        source: dict[str, Any] = volume.inputs.get("spec", {}).get("csi") or {}
        if source.get("driver") == driver:
            yield volume, str(source.get("volumeHandle"))


def _static_volumes(world: PlanWorld) -> Iterator[CallTarget]:
    """Volumes that persistent volumes name. The AWS half of a split stack has none of those, but
    makes the volumes for them.
    """
    named = {
        volume.urn: volume
        for _, handle in _handles(world, _EBS)
        for volume in world.resources.referred(handle, VOLUME)
    }
    if world.stack.parts == "cloud" and not world.resources.of(_CLAIMED):
        named = {
            volume.urn: volume
            for volume in world.resources.of(VOLUME)
            if "jupyterhub-aws:hub:" in volume.urn
        }
    for volume in named.values():
        yield target_of(world, volume)


def _classes(world: PlanWorld, driver: str) -> Iterator[tuple[Resource, dict[str, str]]]:
    for found in world.resources.of(_CLASS):
        if found.inputs.get("provisioner") == driver:
            parameters: dict[str, Any] = found.inputs.get("parameters") or {}
            listed = [
                str(value)
                for key, value in parameters.items()
                if str(key).startswith("tagSpecification_")
            ]
            yield found, {text.partition("=")[0]: text.partition("=")[2] for text in listed}


def _new_volumes(world: PlanWorld) -> Iterator[CallTarget]:
    for found, tags in _classes(world, _EBS):
        yield CallTarget(
            arn=ec2_arn(world, "volume/vol-new"),
            what=f"volumes of {found.label}",
            tags={},
            sent={**_EBS_TAGS, **tags},
        )


def _made_volumes(world: PlanWorld) -> Iterator[CallTarget]:
    for found, tags in _classes(world, _EBS):
        yield CallTarget(
            arn=ec2_arn(world, "volume/vol-made"),
            what=f"volumes of {found.label}",
            tags={**_EBS_TAGS, **tags},
        )


def _new_access_points(world: PlanWorld) -> Iterator[CallTarget]:
    for found, tags in _classes(world, _EFS):
        yield CallTarget(
            arn="*", what=f"access points of {found.label}", tags={}, sent={**_EFS_TAGS, **tags}
        )


def _selected(world: PlanWorld, kind: str) -> Iterator[Resource]:
    """What the backup selections of the plan choose by tags."""
    wanted = [
        item
        for selection in world.resources.of("aws:backup/selection:Selection")
        for item in selection.inputs.get("selectionTags") or ()
    ]
    for resource in world.resources.of(kind):
        tags = world.tags(resource)
        if any(tags.get(str(item["key"])) == item["value"] for item in wanted):
            yield resource


def _backed_up(kind: str) -> Find:
    return lambda world: (target_of(world, resource) for resource in _selected(world, kind))


def _snapshot(
    world: PlanWorld, of: str, tags: Mapping[str, str], region: str | None = None
) -> CallTarget:
    arn = f"arn:{world.partition}:ec2:{region or world.region}::snapshot/snap-0"
    return CallTarget(
        arn=arn,
        what=f"snapshots of {of}",
        tags={**tags, "aws:backup:source-resource": "vol-0"},
        sent=tags,
    )


def _volume_snapshots(world: PlanWorld) -> Iterator[CallTarget]:
    for volume in _selected(world, VOLUME):
        yield _snapshot(world, volume.label, world.tags(volume))


def _copied_snapshots(world: PlanWorld) -> Iterator[CallTarget]:
    for vault in _copy_vaults(world):
        region = (
            None
            if vault.resource is None
            else str(vault.resource.inputs.get("region") or world.region)
        )
        for volume in _selected(world, VOLUME):
            yield _snapshot(world, volume.label, world.tags(volume), region)


def _database_snapshots(world: PlanWorld) -> Iterator[CallTarget]:
    for database in _selected(world, DATABASE):
        arn = f"arn:{world.partition}:rds:{world.region}:{ACCOUNT}:snapshot:awsbackup:job-0"
        yield CallTarget(
            arn=arn,
            what=f"snapshots of {database.label}",
            tags=world.tags(database),
            sent=world.tags(database),
        )


def _vaults(world: PlanWorld) -> Iterator[CallTarget]:
    names = {
        str(rule.get("targetVaultName"))
        for plan in world.resources.of("aws:backup/plan:Plan")
        for rule in plan.inputs.get("rules") or ()
    }
    for vault in world.resources.of(VAULT):
        if world.identifier(vault) in names:
            yield target_of(world, vault)


def _copy_vaults(world: PlanWorld) -> Iterator[CallTarget]:
    for plan in world.resources.of("aws:backup/plan:Plan"):
        for vault in world.resources.referred(
            json.dumps([rule.get("copyActions") for rule in plan.inputs.get("rules") or ()]), VAULT
        ):
            yield target_of(world, vault)


def _vault_keys(world: PlanWorld) -> Iterator[CallTarget]:
    for vault in (*_vaults(world), *_copy_vaults(world)):
        if vault.resource is not None:
            yield from key_targets(world, vault.resource.inputs.get("kmsKeyArn"))


def _snapshotted(world: PlanWorld) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Volumes that a lifecycle policy chooses by tags: those of the plan, and those that the
    driver makes for users.
    """
    for policy in world.resources.of("aws:dlm/lifecyclePolicy:LifecyclePolicy"):
        wanted = ((policy.inputs.get("policyDetails") or {}).get("targetTags") or {}).items()
        for volume in world.resources.of(VOLUME):
            if wanted <= world.tags(volume).items():
                yield world.arn(volume), volume.label, world.tags(volume)
        for found, tags in _classes(world, _EBS):
            if wanted <= tags.items():
                yield (
                    ec2_arn(world, "volume/vol-made"),
                    f"volumes of {found.label}",
                    {**_EBS_TAGS, **tags},
                )


def _snapshotted_volumes(world: PlanWorld) -> Iterator[CallTarget]:
    for arn, what, tags in _snapshotted(world):
        yield CallTarget(arn=arn, what=what, tags=tags)


def _snapshotted_snapshots(world: PlanWorld) -> Iterator[CallTarget]:
    for _, what, tags in _snapshotted(world):
        yield _snapshot(world, what, tags)


def _through_access_point(
    world: PlanWorld, point: Resource, what: str, *, encrypted: bool
) -> Iterator[CallTarget]:
    for system in world.resources.referred(point.inputs.get("fileSystemId"), FILE_SYSTEM):
        context = {
            "elasticfilesystem:AccessPointArn": world.arn(point),
            "elasticfilesystem:AccessedViaMountTarget": "true",
            "aws:SecureTransport": "true" if encrypted else "false",
        }
        yield replace(target_of(world, system), what=what, context=context)


def _mounted(world: PlanWorld) -> Iterator[CallTarget]:
    """What persistent volumes mount, each through its access point."""
    for volume, handle in _handles(world, _EFS):
        options = volume.inputs.get("spec", {}).get("mountOptions") or []
        for point in world.resources.referred(handle, ACCESS_POINT):
            yield from _through_access_point(
                world, point, f"{volume.label} through {point.label}", encrypted="tls" in options
            )


def _restored(world: PlanWorld) -> Iterator[CallTarget]:
    """The access point that shows the whole file system as root: where a restore puts things
    back.
    """
    for point in world.resources.of(ACCESS_POINT):
        root = (point.inputs.get("rootDirectory") or {}).get("path") == "/"
        if root and (point.inputs.get("posixUser") or {}).get("uid") == 0:
            yield from _through_access_point(world, point, point.label, encrypted=True)


#: The words of `on` that are about storage.
STORAGE_TARGETS: Mapping[str, Find] = {
    "static-volumes": _static_volumes,
    "new-volumes": _new_volumes,
    "made-volumes": _made_volumes,
    "new-access-points": _new_access_points,
    "backed-up-file-systems": _backed_up(FILE_SYSTEM),
    "backed-up-volumes": _backed_up(VOLUME),
    "backed-up-databases": _backed_up(DATABASE),
    "backed-up-volumes-snapshots": _volume_snapshots,
    "backed-up-databases-snapshots": _database_snapshots,
    "copied-volumes-snapshots": _copied_snapshots,
    "vaults": _vaults,
    "copy-vaults": _copy_vaults,
    "vault-keys": _vault_keys,
    "snapshotted-volumes": _snapshotted_volumes,
    "snapshotted-volumes-snapshots": _snapshotted_snapshots,
    "mounted-access-points": _mounted,
    "restore-access-points": _restored,
}
