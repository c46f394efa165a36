"""Nodes that AWS refused: EventBridge writes each into a log group, where they are counted and can be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import cloudwatch

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.monitoring.documents import events_policy
from jupyterhub_aws.components.monitoring.filters import FAILED_LAUNCHES
from jupyterhub_aws.components.monitoring.logs import log_filter
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.watch import CloudWatchWatch


@dataclass(frozen=True, kw_only=True, eq=False)
class LaunchesArgs:
    """The stack whose groups are meant."""

    stack: StackConfig
    watch: CloudWatchWatch
    tags: Mapping[str, str]


def group_prefixes(stack: StackConfig) -> Sequence[str]:
    """How the names of the stack's Auto Scaling groups begin: user pools' by market, and the core pool's, which EKS names after its node group."""
    user = [f"{stack.name}-{spec.name}-{market}-" for spec in resolve(stack).node_pools.pools for market in spec.markets]
    return [f"eks-{stack.name}-core-", *user]


def launch_pattern(stack: StackConfig) -> str:
    """Events of failed launches of these groups and no other (EC2 Auto Scaling user guide, "EC2 Instance Launch Unsuccessful")."""
    names = [{"prefix": prefix} for prefix in group_prefixes(stack)]
    pattern = {"source": ["aws.autoscaling"], "detail-type": ["EC2 Instance Launch Unsuccessful"], "detail": {"AutoScalingGroupName": names}}
    return json.dumps(pattern, sort_keys=True)


class Launches(Component):
    """The rule, its log group, and leave to write. Not a message for each: a group without capacity tries again every few minutes."""

    token: ClassVar[str] = "jupyterhub-aws:monitoring:Launches"

    def __init__(self, name: str, args: LaunchesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        physical = f"{args.stack.name}-failed-launches"
        tags = named(args.tags, physical)
        group = cloudwatch.LogGroup(
            f"{name}-records",
            name=f"/aws/events/{physical}",  # EventBridge writes into groups below /aws/events only
            retention_in_days=args.watch.log_retention_days,
            tags=tags,
            opts=self.child(),
        )
        rule = cloudwatch.EventRule(
            f"{name}-rule",
            name=physical,
            description=f"Nodes of {args.stack.name} that AWS refused",
            event_pattern=launch_pattern(args.stack),
            tags=tags,
            opts=self.child(),
        )
        document = pulumi.Output.all(group.arn, rule.arn).apply(lambda known: events_policy(known[0], known[1]))
        leave = cloudwatch.LogResourcePolicy(f"{name}-write", policy_name=physical, policy_document=document, opts=self.child())
        cloudwatch.EventTarget(f"{name}-target", rule=rule.name, target_id="records", arn=group.arn, opts=self.child(depends_on=[leave]))
        log_filter(self, f"{name}-{FAILED_LAUNCHES.metric}", args.stack.name, group, FAILED_LAUNCHES)
        self.register_outputs({"log_group_name": group.name})
