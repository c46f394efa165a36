"""Everything that watches a stack: logs, failed launches, alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi

from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.monitoring.alarms import Alarms, AlarmsArgs
from jupyterhub_aws.components.monitoring.launches import Launches, LaunchesArgs
from jupyterhub_aws.components.monitoring.logs import Logs, LogsArgs
from jupyterhub_aws.components.monitoring.watched import Watched
from jupyterhub_aws.config.watch import CloudWatchWatch


@dataclass(frozen=True, kw_only=True, eq=False)
class MonitoringArgs:
    """`watched` is what there is; `after` what the log agent's pods need."""

    watched: Watched
    watch: CloudWatchWatch
    account: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    tags: Mapping[str, str]
    after: Sequence[pulumi.Resource]


class Monitoring(Component):
    """Logs with an end, alarms with a page each, and one topic that tells people (docs/watching.md)."""

    token: ClassVar[str] = "jupyterhub-aws:index:Monitoring"
    topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        stack = args.watched.stack
        logs = LogsArgs(stack=stack, watch=args.watch, account=args.account, cluster_name=args.cluster_name, tags=args.tags, after=args.after)
        Logs(f"{name}-logs", logs, self.child())
        Launches(f"{name}-launches", LaunchesArgs(stack=stack, watch=args.watch, tags=args.tags), self.child())
        alarms = AlarmsArgs(watched=args.watched, watch=args.watch, account=args.account, tags=args.tags)
        self.topic_arn = Alarms(f"{name}-alarms", alarms, self.child()).topic_arn
        self.register_outputs({"topic_arn": self.topic_arn})
