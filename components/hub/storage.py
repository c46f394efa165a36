"""The volumes of a hub inside the cluster, for homes and database: static volumes, and the claim
of homes. All of them are retained when the hub is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.core.v1 import PersistentVolume, PersistentVolumeClaim

from jupyterhub_aws.components.addons import EBS_DRIVER, EFS_DRIVER
from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.hub.database import volume_suffix
from jupyterhub_aws.config.database import SqliteDatabase, SqliteOnNode
from jupyterhub_aws.config.homes import EfsAccessPointHomes, Homes, NfsHomes
from jupyterhub_aws.config.specs.names import DATABASE_CLAIM, HOMES_CLAIM, VOLUME_LABEL, HubNames

#: Annotation of a claim of an existing volume: the plugin's usual look wants its storage class, and
#: warns at each claim that has none.
WAITS_TO_BE_BOUND = {"pulumi.com/waitFor": "jsonpath={.status.phase}=Bound"}
#: Neither EFS nor NFS has a size, and Kubernetes wants one.
_SIZE = "1Ti"


@dataclass(frozen=True, kw_only=True, eq=False)
class HomesVolumeArgs:
    """`volume_handle` names file system and access point of EFS; None for another kind of homes;
    `protected` as the cluster is.
    """

    names: HubNames
    homes: Homes
    volume_handle: pulumi.Input[str] | None
    namespace: pulumi.Input[str]
    protected: bool


class HomesVolume(Component):
    """The volume of one hub's homes, bound to one claim and to no other. `claim` is what the
    release waits for.
    """

    token: ClassVar[str] = "jupyterhub-aws:hub:HomesVolume"

    def __init__(
        self, name: str, args: HomesVolumeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        label: Any = {VOLUME_LABEL: args.names.homes_volume}
        spec: Any = {
            "capacity": {"storage": _SIZE},
            "access_modes": ["ReadWriteMany"],
            "persistent_volume_reclaim_policy": "Retain",
            "storage_class_name": "",
            "volume_mode": "Filesystem",
            "claim_ref": {"namespace": args.names.namespace, "name": HOMES_CLAIM},
            **_source(args),
        }
        volume = PersistentVolume(
            f"{name}-volume",
            metadata={"name": args.names.homes_volume, "labels": label},
            spec=spec,
            opts=self.retained_options(protected=args.protected),
        )
        self.claim = PersistentVolumeClaim(
            f"{name}-claim",
            metadata={
                "name": HOMES_CLAIM,
                "namespace": args.namespace,
                "labels": label,
                "annotations": WAITS_TO_BE_BOUND,
            },
            spec={
                "access_modes": ["ReadWriteMany"],
                "storage_class_name": "",
                "volume_name": args.names.homes_volume,
                "resources": {"requests": {"storage": _SIZE}},
            },
            opts=self.retained_options(protected=args.protected, depends_on=[volume]),
        )
        self.register_outputs({"claim": HOMES_CLAIM})


def _source(args: HomesVolumeArgs) -> Mapping[str, Any]:
    if isinstance(args.homes, NfsHomes):
        # No options is None: the API stores no empty list, and each preview would show a change.
        return {
            "nfs": {"server": args.homes.server, "path": args.homes.path},
            "mount_options": list(args.homes.mount_options) or None,
        }
    handle = (
        f"{args.homes.file_system}::{args.homes.access_point}"
        if isinstance(args.homes, EfsAccessPointHomes)
        else args.volume_handle
    )
    return {"csi": {"driver": EFS_DRIVER, "volume_handle": handle}, "mount_options": ["tls"]}


@dataclass(frozen=True, kw_only=True, eq=False)
class DatabasePlaceArgs:
    """`zone` and `volume_id` are those of the database's EBS volume; None where it is a
    directory of a node; `protected` as the cluster is.
    """

    names: HubNames
    database: SqliteDatabase | SqliteOnNode
    zone: str | None
    volume_id: pulumi.Input[str] | None
    protected: bool


class DatabasePlace(Component):
    """The volume to which only the chart's own claim of the database binds.
    `ready` is what the release waits for.
    """

    token: ClassVar[str] = "jupyterhub-aws:hub:DatabasePlace"

    def __init__(
        self, name: str, args: DatabasePlaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        suffix, size, source, place = _database_source(args)
        term: Any = {"match_expressions": [place]}
        spec: Any = {
            "capacity": {"storage": size},
            "access_modes": ["ReadWriteOnce"],
            "persistent_volume_reclaim_policy": "Retain",
            "storage_class_name": "",
            "volume_mode": "Filesystem",
            "claim_ref": {"namespace": args.names.namespace, "name": DATABASE_CLAIM},
            **source,
            "node_affinity": {"required": {"node_selector_terms": [term]}},
        }
        metadata: Any = {
            "name": f"{args.names.database_volume}-{suffix}",
            "labels": {VOLUME_LABEL: args.names.database_volume},
        }
        self.ready: list[pulumi.Resource] = [
            PersistentVolume(
                f"{name}-{suffix}",
                metadata=metadata,
                spec=spec,
                opts=self.retained_options(protected=args.protected),
            )
        ]
        self.register_outputs({"volume": args.names.database_volume})


def _database_source(
    args: DatabasePlaceArgs,
) -> tuple[str, str, Mapping[str, Any], Mapping[str, Any]]:
    """The volume's suffix, size, source, and the nodes that can reach it."""
    if isinstance(args.database, SqliteOnNode):
        node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [args.database.node]}
        return "node", "1Gi", {"local": {"path": args.database.path}}, node
    zone = str(args.zone)
    place = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}
    source = {"csi": {"driver": EBS_DRIVER, "volume_handle": args.volume_id, "fs_type": "ext4"}}
    return volume_suffix(zone, args.database), f"{args.database.size_gib}Gi", source, place
