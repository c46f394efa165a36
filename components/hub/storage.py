"""What a hub sees of homes inside its namespace: a static volume and its claim, both of which outlive the hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.core.v1 import PersistentVolume, PersistentVolumeClaim

from components.base import Component
from components.drivers import EFS_DRIVER
from components.hub.names import HOMES_CLAIM, VOLUME_LABEL, HubNames
from config.homes import Homes, NfsHomes

#: Neither EFS nor NFS has a size, and Kubernetes wants one.
_SIZE = "1Ti"


@dataclass(frozen=True, kw_only=True, eq=False)
class HomesVolumeArgs:
    """`volume_handle` names file system and access point of EFS; None for another kind of homes; `protected` as the cluster is."""

    names: HubNames
    homes: Homes
    volume_handle: pulumi.Input[str] | None
    namespace: pulumi.Input[str]
    protected: bool


class HomesVolume(Component):
    """The volume of one hub's homes, bound to one claim and to no other. `claim` is what the release waits for."""

    token: ClassVar[str] = "jhub:hub:HomesVolume"

    def __init__(self, name: str, args: HomesVolumeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
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
            opts=self.retained(protected=args.protected),
        )
        self.claim = PersistentVolumeClaim(
            f"{name}-claim",
            metadata={"name": HOMES_CLAIM, "namespace": args.namespace, "labels": label},
            spec={
                "access_modes": ["ReadWriteMany"],
                "storage_class_name": "",
                "volume_name": args.names.homes_volume,
                "resources": {"requests": {"storage": _SIZE}},
            },
            opts=self.retained(protected=args.protected, depends_on=[volume]),
        )
        self.register_outputs({"claim": HOMES_CLAIM})


def _source(args: HomesVolumeArgs) -> Mapping[str, Any]:
    if isinstance(args.homes, NfsHomes):
        return {"nfs": {"server": args.homes.server, "path": args.homes.path}, "mount_options": list(args.homes.mount_options)}
    return {"csi": {"driver": EFS_DRIVER, "volume_handle": args.volume_handle}, "mount_options": ["tls"]}
