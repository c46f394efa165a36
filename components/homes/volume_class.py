"""The class of volumes of which each person gets one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_kubernetes.storage.v1 import StorageClass

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.drivers import EBS_DRIVER
from jupyterhub_aws.config.backups import backup_tags
from jupyterhub_aws.config.homes import EbsHomes
from jupyterhub_aws.config.stack import StackConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeClassArgs:
    """`homes` is the stack's section of kind `ebs`."""

    stack: StackConfig
    homes: EbsHomes
    tags: Mapping[str, str]


class VolumeClass(Component):
    """Volumes that stay when their claim goes, in the zone of the node that first needs them, with the stack's tags. Needs a Kubernetes provider."""

    token: ClassVar[str] = "jupyterhub-aws:homes:VolumeClass"
    class_name: pulumi.Output[str]

    def __init__(self, name: str, args: VolumeClassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        tags = {**named(args.tags, f"{args.stack.name}-home"), **backup_tags(args.stack.name, args.stack.backups)}
        made = StorageClass(
            f"{name}-class",
            metadata={"name": f"{args.stack.name}-homes"},
            provisioner=EBS_DRIVER,
            reclaim_policy="Retain",
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            parameters={
                "type": "gp3",
                "encrypted": "true",
                "iops": str(args.homes.iops),
                "throughput": str(args.homes.throughput),
                # aws-ebs-csi-driver, docs/tagging.md: one parameter for each tag.
                **{f"tagSpecification_{index}": f"{key}={value}" for index, (key, value) in enumerate(sorted(tags.items()), start=1)},
            },
            opts=self.child(),
        )
        self.ready: list[pulumi.Resource] = [made]
        self.class_name = pulumi.Output.from_input(f"{args.stack.name}-homes")
        self.register_outputs({"class_name": self.class_name})
