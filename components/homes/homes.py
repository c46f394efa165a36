"""Home directories by kind: a file system, a class of volumes, or nothing that the stack would have to make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_kubernetes.storage.v1 import StorageClass

from components.base import Component, named
from components.drivers import EBS_DRIVER
from components.homes.efs import EfsHomes, EfsHomesArgs
from components.hub.values.singleuser import homes_class
from components.network.place import Place
from config import homes as sections
from config.stack import StackConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class HomesArgs:
    """`place` is the network, `client_security_group_id` that of the nodes."""

    stack: StackConfig
    place: Place
    client_security_group_id: pulumi.Input[str]
    tags: Mapping[str, str]


class Homes(Component):
    """Where everybody's home lives. `volume_handles` are the hubs' access points of EFS, empty with another kind."""

    token: ClassVar[str] = "jhub:homes:Homes"

    def __init__(self, name: str, args: HomesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.volume_handles: Mapping[str, pulumi.Output[str]] = {}
        self.ready: Sequence[pulumi.Resource] = ()
        section = args.stack.homes
        if isinstance(section, sections.EfsHomes):
            file_system = EfsHomes(
                f"{name}-efs",
                EfsHomesArgs(
                    stack=args.stack,
                    homes=section,
                    place=args.place,
                    client_security_group_id=args.client_security_group_id,
                    tags=args.tags,
                ),
                self.child(),
            )
            self.volume_handles, self.ready = file_system.volume_handles, file_system.ready
        elif isinstance(section, sections.EbsHomes):
            self.ready = [self._class(name, args, section)]
        self.register_outputs({"kind": section.kind})

    def _class(self, name: str, args: HomesArgs, section: sections.EbsHomes) -> StorageClass:
        """Volumes that stay when their claim goes, in the zone of the node that first needs them, with the stack's tags."""
        tags = named(args.tags, f"{args.stack.name}-home")
        return StorageClass(
            f"{name}-class",
            metadata={"name": homes_class(args.stack)},
            provisioner=EBS_DRIVER,
            reclaim_policy="Retain",
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            parameters={
                "type": "gp3",
                "encrypted": "true",
                "iops": str(section.iops),
                "throughput": str(section.throughput),
                # aws-ebs-csi-driver, docs/tagging.md: one parameter for each tag.
                **{f"tagSpecification_{index}": f"{key}={value}" for index, (key, value) in enumerate(sorted(tags.items()), start=1)},
            },
            opts=self.child(),
        )
