"""The storage class of users' volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_kubernetes.storage.v1 import StorageClass

from jupyterhub_aws.components.addons import EBS_DRIVER
from jupyterhub_aws.components.base import Component
from jupyterhub_aws.config.specs.homes import VolumeClassSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeClassArgs:
    """`homes` is what follows for homes that are volumes, `tags` those of each volume."""

    homes: VolumeClassSpec
    tags: Mapping[str, str]


class VolumeClass(Component):
    """Volumes that are retained when their claim is deleted, in the zone of the node that first
    needs them, with the stack's tags. Needs a Kubernetes provider.
    """

    token: ClassVar[str] = "jupyterhub-aws:homes:VolumeClass"
    class_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: VolumeClassArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        homes, tags = args.homes, args.homes.volume_tags(args.tags)
        made = StorageClass(
            f"{name}-class",
            metadata={"name": homes.class_name},
            provisioner=EBS_DRIVER,
            reclaim_policy="Retain",
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            parameters={
                "type": "gp3",
                "encrypted": "true",
                "iops": str(homes.options.iops),
                "throughput": str(homes.options.throughput),
                # aws-ebs-csi-driver, docs/tagging.md: one parameter for each tag.
                **{
                    f"tagSpecification_{index}": f"{key}={value}"
                    for index, (key, value) in enumerate(sorted(tags.items()), start=1)
                },
            },
            opts=self.child(),
        )
        self.ready: list[pulumi.Resource] = [made]
        self.class_name = pulumi.Output.from_input(homes.class_name)
        self.register_outputs({"class_name": self.class_name})
