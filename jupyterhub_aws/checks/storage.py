"""Volumes that servers and databases ask for: of a storage class that is there, in a way that
its disks can be used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.finding import Finding, fail, verdict, warn
from jupyterhub_aws.checks.hub_values.fault import items
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.checks.user_pods import hub_of, hub_releases
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.database import SqliteOnClass
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.traits import resolve
from jupyterhub_aws.config.tree import at

_CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
_ADDON = "aws:eks/addon:Addon"
#: EKS makes this class in every cluster (EKS user guide, "Use Amazon EBS storage": gp2, no longer
#: the default one since Kubernetes 1.30).
#: Its volumes are made by the EBS driver, which a stack installs where it has volumes of its own.
_OF_EKS = "gp2"
#: A volume of EBS with a file system is on one node at a time (aws-ebs-csi-driver, README,
#: "Features": ReadWriteMany for raw io2 blocks alone).
_MANY = ("ReadWriteMany", "ReadOnlyMany")
#: Network file systems, by the word in a class's name that says so.
_SHARED = {"efs": "EFS", "nfs": "NFS", "azurefile": "Azure Files", "cephfs": "CephFS"}


def volumes(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Claims name storage classes that are there, and access modes that their disks have."""
    holds = "every volume that a server or a database asks for can be made"
    return verdict("storage", _faults(stack, resources), otherwise=holds)


def _faults(stack: StackConfig, resources: Resources) -> Iterator[Finding]:
    own = isinstance(stack.cluster, EksCluster)
    made = {
        str(at(item.inputs, "metadata", "name")): str(item.inputs.get("provisioner", ""))
        for item in resources.of(_CLASS)
    }
    addons = [item.inputs.get("addonName") for item in resources.of(_ADDON)]
    of_eks = {_OF_EKS} if own and "aws-ebs-csi-driver" in addons else set[str]()
    blocks = {name for name, maker in made.items() if maker == "ebs.csi.aws.com"} | of_eks
    classes = {*made, *of_eks} if own else None
    for release in hub_releases(resources):
        for path, claim in _claims(stack, release):
            yield from _judged(release, path, claim, classes, blocks)
    for name, hub in () if own else stack.hubs.items():
        if isinstance(hub.database, SqliteOnClass) and (
            found := _shared_file_system(hub.database.storage_class)
        ):
            message = (
                f"{hub.database.storage_class} looks like a class of {found}, and SQLite on a"
                " network file system loses data"
            )
            fix, path = "name a class of block storage", f"hubs.{name}.database.storage_class"
            yield warn("storage", message, fix, path=path)


def _shared_file_system(name: str) -> str | None:
    words = set(name.lower().replace(".", "-").split("-"))
    return next((shown for word, shown in _SHARED.items() if word in words), None)


def _claims(stack: StackConfig, release: Resource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What a hub claims: the option that says so, and the claim's class and access modes."""
    values, hub = resolve(effective(release.inputs.get("values", {}))).values, hub_of(release)
    if at(values, "hub", "db", "type") == "sqlite-pvc":
        pvc = at(values, "hub", "db", "pvc") or {}
        path = (
            "database.storage_class"
            if isinstance(stack.hubs[hub].database, SqliteOnClass)
            else "helm_values.hub.db.pvc"
        )
        yield (
            f"hubs.{hub}.{path}",
            {"class": pvc.get("storageClassName"), "modes": items(pvc.get("accessModes"))},
        )
    storage = at(values, "singleuser", "storage") or {}
    if storage.get("type") != "dynamic":
        return
    dynamic = storage.get("dynamic") or {}
    usual = {
        "class": dynamic.get("storageClass"),
        "modes": items(dynamic.get("storageAccessModes")),
    }
    yield f"hubs.{hub}.helm_values.singleuser.storage.dynamic", usual
    for index, profile in enumerate(items(at(values, "singleuser", "profileList"))):
        override = at(profile, "kubespawner_override") or {}
        if "storage_class" in override or "storage_access_modes" in override:
            claim = {
                "class": override.get("storage_class", usual["class"]),
                "modes": items(override.get("storage_access_modes")) or usual["modes"],
            }
            where = ("singleuser", "profileList", index, "kubespawner_override")
            yield dotted(("hubs", hub, "helm_values", *where)), claim


def _judged(
    release: Resource,
    path: str,
    claim: Mapping[str, Any],
    classes: set[str] | None,
    blocks: set[str],
) -> Iterator[Finding]:
    name, many = str(claim["class"] or ""), [mode for mode in claim["modes"] if mode in _MANY]
    if classes is not None and name and name not in classes:
        message = (
            f"asks for the storage class {name}, which is not in this cluster: the volume would"
            " never be made"
        )
        others = f", or write {' or '.join(sorted(classes))}" if classes else ""
        fix = (
            f"write database.kind: sqlite{others}"
            if path.endswith("database.storage_class")
            else f"leave it out{others}; to share files: homes.kind efs"
        )
        yield fail("storage", message, fix, release, path=path)
    elif many and name in blocks:
        message = (
            f"asks for {', '.join(many)} of {name}, and a volume of EBS is on one node at a time:"
            " it could not be made"
        )
        fix = (
            "write ReadWriteOnce, or leave it out; for files that several servers share:"
            " homes.kind efs"
        )
        yield fail("storage", message, fix, release, path=path)
