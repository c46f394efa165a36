"""Nodes that AWS refused: EventBridge writes each into a log group, where they are counted and
can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import cloudwatch

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.monitoring.documents import events_policy
from jupyterhub_aws.components.monitoring.logs import log_filter
from jupyterhub_aws.config.specs.monitoring import FAILED_LAUNCHES, MonitoringSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class LaunchesArgs:
    """`spec` says which groups are meant, and how long records are kept."""

    spec: MonitoringSpec
    tags: Mapping[str, str]


class Launches(Component):
    """The rule, its log group, and permission to write. Not a message for each: a group without
    capacity tries again every few minutes.
    """

    token: ClassVar[str] = "jupyterhub-aws:monitoring:Launches"

    def __init__(
        self, name: str, args: LaunchesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        spec, physical = args.spec, args.spec.launches_name
        tags = named(args.tags, physical)
        group = cloudwatch.LogGroup(
            f"{name}-records",
            name=spec.launches_log_group,
            retention_in_days=spec.options.log_retention_days,
            tags=tags,
            opts=self.child(),
        )
        rule = cloudwatch.EventRule(
            f"{name}-rule",
            name=physical,
            description=f"Nodes of {spec.name} that AWS refused",
            event_pattern=spec.launch_pattern,
            tags=tags,
            opts=self.child(),
        )
        document = pulumi.Output.all(group.arn, rule.arn).apply(
            lambda known: events_policy(known[0], known[1])
        )
        written = cloudwatch.LogResourcePolicy(
            f"{name}-write", policy_name=physical, policy_document=document, opts=self.child()
        )
        cloudwatch.EventTarget(
            f"{name}-target",
            rule=rule.name,
            target_id="records",
            arn=group.arn,
            opts=self.child(depends_on=[written]),
        )
        log_filter(self, f"{name}-{FAILED_LAUNCHES.metric}", spec, group, FAILED_LAUNCHES)
        self.register_outputs({"log_group_name": group.name})
