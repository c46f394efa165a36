"""One Auto Scaling group of a user pool, with the launch template of its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import autoscaling, ec2

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.pools.nodes import NodeParts
from jupyterhub_aws.components.pools.templates import (
    metadata_options,
    node_config,
    root_volume,
    tag_specifications,
    user_data,
    with_environment,
)
from jupyterhub_aws.config.specs.node_groups import NodeGroupSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class UserGroupArgs:
    """`spec` is what this group is, `parts` what all nodes of the cluster share, `profile_arn`
    its nodes' instance profile.
    """

    spec: NodeGroupSpec
    parts: NodeParts
    profile_arn: pulumi.Input[str]
    depends_on: Sequence[pulumi.Resource]


class UserGroup(Component):
    """One pool in one market. Its size is the autoscaler's business, and no change of the program
    ends a node: a new version of the template serves new nodes only.
    """

    token: ClassVar[str] = "jupyterhub-aws:pools:UserGroup"
    group_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: UserGroupArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._args, self._spec, self._parts = args, args.spec, args.parts
        self.group_name = self._autoscaling_group(self._template()).name
        self.register_outputs({"group_name": self.group_name})

    def _template(self) -> ec2.LaunchTemplate:
        spec, parts = self._spec, self._parts
        tags = named(parts.tags, spec.stem)
        return ec2.LaunchTemplate(
            f"{self._name}-template",
            name=spec.stem,
            description=f"Nodes of the pool {spec.pool.name} ({spec.market})",
            update_default_version=True,
            image_id=spec.image,
            instance_type=spec.pool.types[0].name,
            iam_instance_profile={"arn": self._args.profile_arn},
            vpc_security_group_ids=[parts.cluster.node_group_id],
            metadata_options=metadata_options(),
            block_device_mappings=root_volume(spec.disk, parts.volume_key),
            tag_specifications=tag_specifications(
                {**tags, f"kubernetes.io/cluster/{spec.cluster}": "owned"}
            ),
            user_data=self._user_data(),
            tags=tags,
            opts=self.child(),
        )

    def _user_data(self) -> pulumi.Output[str]:
        spec, cluster = self._spec, self._parts.cluster
        cidr, environment = cluster.service_cidr, cluster.proxy_environment
        return pulumi.Output.all(cluster.endpoint, cluster.certificate_authority).apply(
            lambda known: user_data(
                with_environment(
                    node_config(
                        spec,
                        endpoint=str(known[0]),
                        certificate_authority=str(known[1]),
                        service_cidr=cidr,
                    ),
                    environment,
                )
            )
        )

    def _autoscaling_group(self, template: ec2.LaunchTemplate) -> autoscaling.Group:
        spec, network = self._spec, self._parts.network
        return autoscaling.Group(
            f"{self._name}-group",
            name=spec.group_name,
            min_size=spec.min_size,
            max_size=spec.max_size,
            vpc_zone_identifiers=(
                network.private_subnet_ids
                if spec.zone is None
                else [network.private_subnets[spec.zone]]
            ),
            mixed_instances_policy=_instances(spec, template),
            enabled_metrics=[
                autoscaling.Metric.GROUP_DESIRED_CAPACITY,
                autoscaling.Metric.GROUP_IN_SERVICE_INSTANCES,
            ],  # for the alarm of a stuck group; free
            suspended_processes=spec.suspended_processes,
            # it would end a node on a mere hint; the termination handler waits for the notice
            capacity_rebalance=False,
            health_check_type="EC2",
            # a group at zero, or a spot market without capacity, must not hold up an `up`
            wait_for_capacity_timeout="0",
            tags=[
                {"key": key, "value": value, "propagate_at_launch": True}
                for key, value in sorted(spec.tags(self._parts.tags).items())
            ],
            opts=self.child(depends_on=list(self._args.depends_on)),
        )


def _instances(
    spec: NodeGroupSpec, template: ec2.LaunchTemplate
) -> autoscaling.GroupMixedInstancesPolicyArgsDict:
    """One market only: mixing them in one group would hide from the autoscaler which of the two
    has run dry.
    """
    spot = spec.market == "spot"
    distribution: autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgsDict = {
        "on_demand_base_capacity": 0,
        "on_demand_percentage_above_base_capacity": 0 if spot else 100,
    }
    if spot:
        distribution["spot_allocation_strategy"] = "price-capacity-optimized"
        if spec.pool.max_price is not None:
            distribution["spot_max_price"] = spec.pool.max_price
    else:
        distribution["on_demand_allocation_strategy"] = "prioritized"
    return {
        "instances_distribution": distribution,
        "launch_template": {
            "launch_template_specification": {
                "launch_template_id": template.id,
                "version": template.latest_version.apply(str),
            },
            "overrides": [{"instance_type": kind.name} for kind in spec.pool.types],
        },
    }
