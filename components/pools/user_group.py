"""One Auto Scaling group of a user pool, with the launch template of its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import autoscaling, ec2

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.pools.args import NodePoolsArgs
from jupyterhub_aws.components.pools.autoscaling import group_tags
from jupyterhub_aws.components.pools.images import image_parameter
from jupyterhub_aws.components.pools.templates import metadata_options, root_volume, tag_specifications
from jupyterhub_aws.components.pools.user_data import node_config, user_data, with_environment
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.node_groups import GroupSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class UserGroupArgs:
    """`pools` is what all pools share, `group` what this one is, `profile_arn` its nodes' instance profile, `after` what they need to join."""

    pools: NodePoolsArgs
    group: GroupSpec
    profile_arn: pulumi.Input[str]
    after: Sequence[pulumi.Resource]


class UserGroup(Component):
    """One pool in one market. Its size is the autoscaler's business, and no change of the program ends a node:
    a new version of the template serves new nodes only.
    """

    token: ClassVar[str] = "jupyterhub-aws:pools:UserGroup"
    group_name: pulumi.Output[str]

    def __init__(self, name: str, args: UserGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args, self._group = name, args, args.group
        self.group_name = self._autoscaling_group(self._template()).name
        self.register_outputs({"group_name": self.group_name})

    def _template(self) -> ec2.LaunchTemplate:
        group, shared, stack = self._group, self._args.pools, self._args.pools.stack
        tags = named(shared.tags, group.stem)
        return ec2.LaunchTemplate(
            f"{self._name}-template",
            name=group.stem,
            description=f"Nodes of the pool {group.pool.name} ({group.market})",
            update_default_version=True,
            image_id=image_parameter(group.pool.types[0], stack.cluster.version),
            instance_type=group.pool.types[0].name,
            iam_instance_profile={"arn": self._args.profile_arn},
            vpc_security_group_ids=[shared.security_group_id],
            metadata_options=metadata_options(),
            block_device_mappings=root_volume(group.disk, stack.eks.volume_key),
            tag_specifications=tag_specifications({**tags, f"kubernetes.io/cluster/{stack.name}": "owned"}),
            user_data=self._user_data(),
            tags=tags,
            opts=self.child(),
        )

    def _user_data(self) -> pulumi.Output[str]:
        group, shared = self._group, self._args.pools
        cidr, environment = shared.stack.cluster.service_cidr, resolve(shared.stack).proxy_environment
        return pulumi.Output.all(shared.endpoint, shared.certificate_authority).apply(
            lambda facts: user_data(with_environment(node_config(group, endpoint=facts[0], certificate_authority=facts[1], service_cidr=cidr), environment))
        )

    def _autoscaling_group(self, template: ec2.LaunchTemplate) -> autoscaling.Group:
        group, shared = self._group, self._args.pools
        # Paused, a group of at most no node cannot grow, whoever asks; AWS ends what still runs in it.
        least, most = (0, 0) if shared.stack.paused else (group.bought.size.min, group.bought.size.max)
        subnets: pulumi.Output[list[str]] = pulumi.Output.from_input(shared.subnet_ids)
        zone = None if group.zone is None else shared.stack.vpc.zones.index(group.zone)
        return autoscaling.Group(
            f"{self._name}-group",
            name=group.group_name,
            min_size=least,
            max_size=most,
            vpc_zone_identifiers=subnets if zone is None else subnets.apply(lambda ids: [ids[zone]]),
            mixed_instances_policy=_instances(group, template),
            enabled_metrics=[autoscaling.Metric.GROUP_DESIRED_CAPACITY, autoscaling.Metric.GROUP_IN_SERVICE_INSTANCES],  # for the alarm of a stuck group; free
            suspended_processes=_suspended(group),
            capacity_rebalance=False,  # it would end a node on a mere hint; the termination handler waits for the notice
            health_check_type="EC2",
            wait_for_capacity_timeout="0",  # a group at zero, or a spot market without capacity, must not hold up an `up`
            tags=[{"key": key, "value": value, "propagate_at_launch": True} for key, value in sorted(group_tags(group, shared.tags).items())],
            opts=self.child(depends_on=list(self._args.after)),
        )


def _suspended(group: GroupSpec) -> list[str]:
    """What AWS must not do by itself. AZRebalance would end nodes with people on them to even out zones. Without Launch a retiring group gets no node,
    whoever asks and whatever ended, while nodes still end one by one (EC2 Auto Scaling user guide, "How suspended processes affect other processes").
    """
    return ["AZRebalance", "Launch"] if group.retiring else ["AZRebalance"]


def _instances(group: GroupSpec, template: ec2.LaunchTemplate) -> autoscaling.GroupMixedInstancesPolicyArgsDict:
    """One market only: mixing them in one group would hide from the autoscaler which of the two has run dry."""
    spot = group.market == "spot"
    distribution: autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgsDict = {
        "on_demand_base_capacity": 0,
        "on_demand_percentage_above_base_capacity": 0 if spot else 100,
    }
    if spot:
        distribution["spot_allocation_strategy"] = "price-capacity-optimized"
        if group.pool.max_price is not None:
            distribution["spot_max_price"] = group.pool.max_price
    else:
        distribution["on_demand_allocation_strategy"] = "prioritized"
    return {
        "instances_distribution": distribution,
        "launch_template": {
            "launch_template_specification": {"launch_template_id": template.id, "version": template.latest_version.apply(str)},
            "overrides": [{"instance_type": kind.name} for kind in group.pool.types],
        },
    }
