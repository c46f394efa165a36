"""The core nodes: a managed node group of fixed size, on demand. Hub, proxy, autoscaler and
add-ons live here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import ec2, eks

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.pools.nodes import NodeParts, node_role
from jupyterhub_aws.components.pools.templates import (
    managed_user_data,
    metadata_options,
    root_volume,
    tag_specifications,
)
from jupyterhub_aws.config.specs.node_groups import CoreGroupSpec

_ROLLED_OUT = ["version", "releaseVersion", "launchTemplate"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CorePoolArgs:
    """`spec` is what this group is, `parts` what all nodes of the cluster share."""

    spec: CoreGroupSpec
    parts: NodeParts


class CorePool(Component):
    """Labelled, not tainted: controllers of add-ons run here too. `ready` resolves when its
    nodes have joined.
    """

    token: ClassVar[str] = "jupyterhub-aws:pools:CorePool"
    group_name: pulumi.Output[str]
    role_name: pulumi.Output[str]
    autoscaling_group_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: CorePoolArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._args, self._spec = args, args.spec
        spec, parts = args.spec, args.parts
        tags = named(parts.tags, spec.stem)
        role, granted = node_role(self, name, parts, physical=f"{spec.stem}-node")
        template = self._template(tags)
        least, most, desired = spec.sizes
        group = eks.NodeGroup(
            f"{name}-group",
            cluster_name=parts.cluster.name_output,
            node_group_name=spec.group_name,
            node_role_arn=role.arn,
            subnet_ids=[parts.network.private_subnets[zone] for zone in spec.zones],
            capacity_type="ON_DEMAND",
            ami_type=spec.ami_type,
            version=spec.version,
            release_version=spec.release,
            instance_types=list(spec.section.instance_types),
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            scaling_config={"min_size": least, "max_size": most, "desired_size": desired},
            update_config={"max_unavailable": 1},
            node_repair_config={"enabled": True},
            labels=spec.labels,
            tags=tags,
            # A new version or template is rolled out by nodes, which a paused stack must not start:
            # it waits until it is resumed.
            opts=self.child(
                depends_on=[*parts.before_nodes, *granted],
                ignore_changes=_ROLLED_OUT if spec.paused else None,
            ),
        )
        self.ready: list[pulumi.Resource] = [group]
        self.group_name, self.role_name = group.node_group_name, role.name
        #: The Auto Scaling group that EKS made: balancers take their targets from it.
        self.autoscaling_group_name = group.resources[0].autoscaling_groups[0].name
        self.register_outputs({"group_name": self.group_name})

    def _template(self, tags: dict[str, str]) -> ec2.LaunchTemplate:
        spec, cluster = self._spec, self._args.parts.cluster
        return ec2.LaunchTemplate(
            f"{self._name}-template",
            name=spec.stem,
            description="Nodes of the core pool",
            update_default_version=True,
            metadata_options=metadata_options(),
            block_device_mappings=root_volume(spec.section.disk, self._args.parts.volume_key),
            # None: EKS gives nodes the cluster's group.
            vpc_security_group_ids=(
                None if cluster.node_security_group_id is None else [cluster.node_security_group_id]
            ),
            user_data=managed_user_data(cluster.proxy_environment),
            tag_specifications=tag_specifications(tags),
            tags=tags,
            opts=self.child(),
        )
