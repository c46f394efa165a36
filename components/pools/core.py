"""The core pool: a managed node group of fixed size, on demand. Hub, proxy, autoscaler and add-ons live here."""

from __future__ import annotations

from typing import ClassVar

import pulumi
from pulumi_aws import ec2, eks

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.pools.args import NodePoolsArgs
from jupyterhub_aws.components.pools.images import ami_type, release
from jupyterhub_aws.components.pools.roles import node_role
from jupyterhub_aws.components.pools.templates import metadata_options, root_volume, tag_specifications
from jupyterhub_aws.components.pools.user_data import managed_user_data
from jupyterhub_aws.config import pools as pools_config
from jupyterhub_aws.config.hub_rules import core_zones
from jupyterhub_aws.config.specs.node_groups import CORE_LABELS, generation

_ROLLED_OUT = ["version", "releaseVersion", "launchTemplate"]


def scaling(pool: pools_config.CorePool, *, paused: bool) -> eks.NodeGroupScalingConfigArgsDict:
    """The group's sizes. Paused they are the least that EKS takes (API reference, NodegroupScalingConfig: maxSize is at least 1)."""
    if paused:
        return {"min_size": 0, "max_size": 1, "desired_size": 0}
    return {"min_size": pool.size, "max_size": pool.size, "desired_size": pool.size}


class CorePool(Component):
    """Labelled, not tainted: controllers of add-ons run here too. `ready` resolves when its nodes have joined."""

    token: ClassVar[str] = "jupyterhub-aws:pools:CorePool"
    group_name: pulumi.Output[str]
    autoscaling_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: NodePoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        stack = args.stack
        pool = stack.pools.core
        assert pool is not None  # noqa: S101 -- config/existing_rules.py: a cluster of the stack's own has one
        kind = pool.types[0]
        stem = f"{stack.name}-core"
        tags = named(args.tags, stem)
        role, granted = node_role(self, name, args, physical=f"{stem}-node")
        template = self._template(name, args, pool, tags)
        # EKS replaces a group when one of these changes; with a name of its own the new group comes before the old one goes.
        zones = core_zones(stack.pools, stack.vpc)
        facts = [list(pool.instance_types), ami_type(kind), list(zones)]
        group_name = f"{stem}-{generation(facts if pool.generation == 1 else [*facts, pool.generation])}"
        indices = [stack.vpc.zones.index(zone) for zone in zones]
        group = eks.NodeGroup(
            f"{name}-group",
            cluster_name=args.cluster_name,
            node_group_name=group_name,
            node_role_arn=role.arn,
            subnet_ids=pulumi.Output.from_input(args.subnet_ids).apply(lambda ids: [ids[index] for index in indices]),
            capacity_type="ON_DEMAND",
            ami_type=ami_type(kind),
            version=stack.cluster.version,
            release_version=release(kind, stack.cluster.version),
            instance_types=list(pool.instance_types),
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            scaling_config=scaling(pool, paused=stack.paused),
            update_config={"max_unavailable": 1},
            node_repair_config={"enabled": True},
            labels={**CORE_LABELS, **pool.labels},
            tags=tags,
            # A new version or template is rolled out by nodes, which a paused stack must not start: it waits until it is resumed.
            opts=self.child(depends_on=[*args.before_nodes, *granted], ignore_changes=_ROLLED_OUT if stack.paused else None),
        )
        self.group = group
        self.ready: list[pulumi.Resource] = [group]
        self.group_name = group.node_group_name
        #: The Auto Scaling group that EKS made: balancers take their targets from it.
        self.autoscaling_group_name = group.resources[0].autoscaling_groups[0].name
        self.register_outputs({"group_name": self.group_name})

    def _template(self, name: str, args: NodePoolsArgs, pool: pools_config.CorePool, tags: dict[str, str]) -> ec2.LaunchTemplate:
        stack = args.stack
        return ec2.LaunchTemplate(
            f"{name}-template",
            name=f"{stack.name}-core",
            description="Nodes of the core pool",
            update_default_version=True,
            metadata_options=metadata_options(),
            block_device_mappings=root_volume(pool.disk, stack.eks.volume_key),
            vpc_security_group_ids=list(args.core_groups) or None,  # none: EKS gives nodes the cluster's
            user_data=managed_user_data(stack),
            tag_specifications=tag_specifications(tags),
            tags=tags,
            opts=self.child(),
        )
