"""Monitoring of a cluster and its hubs: logs with a retention, failed launches, alarms, and the
topic that notifies operators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pulumi
from pulumi_aws import cloudwatch, kms, sns

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.base import Component, account_of, checked, named
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.homes.efs import EfsHomesOutputs
from jupyterhub_aws.components.monitoring.logs import (
    Logs,
    LogsArgs,
    events_policy,
    key_policy,
    log_filter,
    topic_policy,
)
from jupyterhub_aws.components.pools.args import NodePoolsOutputs
from jupyterhub_aws.config.errors import shown
from jupyterhub_aws.config.monitoring import CloudWatchWatch
from jupyterhub_aws.config.specs.alarms import (
    AlarmSpec,
    Measure,
    Monitored,
    MonitoredHub,
    alarm_specs,
)
from jupyterhub_aws.config.specs.monitoring import FAILED_LAUNCHES, MonitoringSpec
from jupyterhub_aws.config.specs.node_groups import generation

# --- The alarms of a cluster and its hubs, and the topic through which operators are notified.


#: The loss of this key loses only messages in transit; 7 is the least that KMS allows.
_KEY_DELETION_DAYS = 7


@dataclass(frozen=True, kw_only=True, eq=False)
class AlarmsArgs:
    """`spec` has receivers and thresholds, `monitored` the resources that alarms are about."""

    spec: MonitoringSpec
    monitored: Monitored
    account: pulumi.Input[str]
    tags: Mapping[str, str]


class Alarms(Component):
    """One topic; every receiver is notified of every alarm, and again when it is over. Paused,
    no notification is sent.
    """

    token: ClassVar[str] = "jupyterhub-aws:monitoring:Alarms"
    topic_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._name, self._args, self._spec = name, args, args.spec
        topic = self._topic()
        self.topic_arn = topic.arn
        for alarm in alarm_specs(args.spec, args.monitored):
            self._alarm(alarm, topic)
        self.register_outputs({"topic_arn": self.topic_arn})

    def _topic(self) -> sns.Topic:
        args, physical = self._args, self._spec.topic_name
        account, region = pulumi.Output.from_input(args.account), self._spec.region
        key = kms.Key(
            f"{self._name}-key",
            description=f"Alarms of {self._spec.name}, on their way",
            enable_key_rotation=True,
            deletion_window_in_days=_KEY_DELETION_DAYS,
            policy=account.apply(lambda known: key_policy(region, known)),
            tags=named(args.tags, physical),
            opts=self.child(),
        )
        topic = sns.Topic(
            f"{self._name}-topic",
            name=physical,
            kms_master_key_id=key.arn,
            tags=named(args.tags, physical),
            opts=self.child(),
        )
        policy = pulumi.Output.all(topic.arn, account).apply(
            lambda known: topic_policy(known[0], known[1])
        )
        sns.TopicPolicy(f"{self._name}-policy", arn=topic.arn, policy=policy, opts=self.child())
        for receiver in self._spec.options.notify:
            protocol = "https" if receiver.startswith("https://") else "email"
            child = f"{self._name}-to-{protocol}-{generation(receiver)}"
            sns.TopicSubscription(
                child, topic=topic.arn, protocol=protocol, endpoint=receiver, opts=self.child()
            )
        return topic

    def _alarm(self, alarm: AlarmSpec, topic: sns.Topic) -> None:
        name = f"{self._spec.name}-{alarm.suffix}"
        cloudwatch.MetricAlarm(
            f"{self._name}-{alarm.suffix}",
            name=name,
            alarm_description=alarm.description,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            evaluation_periods=alarm.times,
            # Paused, there is no heartbeat and no healthy target: that is expected, also in the
            # minutes after resuming.
            treat_missing_data=(
                "ignore" if self._spec.paused and alarm.silence == "breaching" else alarm.silence
            ),
            actions_enabled=not self._spec.paused,
            alarm_actions=[topic.arn],
            ok_actions=[topic.arn],
            tags=named(self._args.tags, name),
            opts=self.child(),
            **_measured(alarm),
        )


def _measured(spec: AlarmSpec) -> dict[str, Any]:
    """A single metric directly; several, or one in an expression, as queries of which the
    expression's is the value.
    """
    seconds = 60 * spec.minutes
    if spec.expression is None:
        (measure,) = spec.measures.values()
        return {**_metric(measure), "statistic": measure.statistic, "period": seconds}
    queries: list[dict[str, Any]] = [
        {
            "id": key,
            "return_data": False,
            "metric": {**_metric(measure), "stat": measure.statistic, "period": seconds},
        }
        for key, measure in spec.measures.items()
    ]
    return {
        "metric_queries": [
            {
                "id": "value",
                "expression": spec.expression,
                "label": spec.suffix,
                "return_data": True,
            },
            *queries,
        ]
    }


def _metric(measure: Measure) -> dict[str, Any]:
    return {
        "namespace": measure.namespace,
        "metric_name": measure.name,
        **({"dimensions": dict(measure.dimensions)} if measure.dimensions else {}),
    }


# --- Failed launches of nodes: EventBridge writes each into a log group, where they are counted and
# can be read.


@dataclass(frozen=True, kw_only=True, eq=False)
class LaunchesArgs:
    """`spec` has the Auto Scaling groups, and the retention of records."""

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


_OPTIONS = (
    "notify",
    "log_retention_days",
    "container_insights",
    "certificate_days",
    "failed_starts",
    "spot_interruptions",
    "homes_gib",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class MonitoringArgs:
    """What is monitored, and who is notified of alarms. The options are those of `monitoring` in
    docs/reference.md, under the same rules.

    Attributes:
        cluster: The outputs of a cluster, or of one of your own. The add-on that ships logs is
            installed in it.
        pools: The outputs of its node pools: an alarm for each group that cannot get nodes, and a
            record of what AWS refused. None: neither.
        homes: The outputs of homes in EFS; None: no alarms of a file system.
        hubs: The hubs: alarms for each of them.
        notify: E-mail or https addresses that are notified of every alarm. Each confirms once.
        log_retention_days: Retention of logs.
        container_insights: Metrics of every node, pod and container besides; charged by the
            observation.
        certificate_days: An alarm goes off this many days before a certificate ends.
        failed_starts: So many servers of a hub that failed to start in 15 minutes are an alarm.
        spot_interruptions: So many spot nodes that AWS took back in an hour are an alarm.
        homes_gib: Homes on EFS that take more than this are an alarm; None: never.
        paused: There are no nodes while it is paused: no alarm sends a notification, and changed
            versions of the add-on wait.
        depends_on: What the add-on's pods need besides the nodes of `pools`.
        physical_name: The prefix of names in AWS; without it the component's resource name. At most
            24 characters.
        tags: Tags of every resource.
        account: The AWS account; without it the one of the provider.

    """

    cluster: ClusterOutputs
    pools: NodePoolsOutputs | None = None
    homes: EfsHomesOutputs | None = None
    hubs: Sequence[MonitoredHub] = ()
    notify: Sequence[str] = ()
    log_retention_days: int = 30
    container_insights: bool = False
    certificate_days: int = 21
    failed_starts: int = 5
    spot_interruptions: int = 10
    homes_gib: int | None = None
    paused: bool = False
    depends_on: Sequence[pulumi.Resource] = ()
    physical_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    account: pulumi.Input[str] | None = None

    def resolved(self, name: str) -> MonitoringSpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("Monitoring", name)
        physical = given.physical_name(self.physical_name)
        given.tags(self.tags)
        cluster = given.handle("cluster", self.cluster, ClusterOutputs)
        if cluster is not None:
            given.check_cluster(cluster, for_nodes=False)
        if self.pools is not None:
            given.handle("pools", self.pools, NodePoolsOutputs)
        if self.homes is not None:
            given.handle("homes", self.homes, EfsHomesOutputs)
        hubs = self.hubs if isinstance(self.hubs, (list, tuple)) else ()
        if not isinstance(self.hubs, (list, tuple)):
            given.say(
                "argument.not-a-list",
                "hubs",
                f"must be a list (got {shown(self.hubs)})",
                "write one, also for a single hub",
            )
        seen: set[str] = set()
        for index, hub in enumerate(hubs):
            known = given.handle(
                f"hubs[{index}]",
                hub,
                MonitoredHub,
                fix="give MonitoredHub(name=...) with the ids of what belongs to the hub",
            )
            if known is not None and known.name in seen:
                given.say(
                    "monitoring.hub-twice",
                    f"hubs[{index}].name",
                    f"is {known.name} as of a hub before it: their alarms would have the same"
                    " names",
                    "give each a name of its own",
                )
            seen |= set() if known is None else {known.name}
        given.check_value(bool, self.paused, "paused")
        given.check_resources(self.depends_on)
        options = given.section(
            CloudWatchWatch,
            {"kind": "cloudwatch", **{option: getattr(self, option) for option in _OPTIONS}},
        )
        if self.homes is None and self.homes_gib is not None:
            given.say(
                "monitoring.homes-not-efs",
                "homes_gib",
                "is a limit of homes in EFS, and homes is not given",
                "give the .outputs of EfsHomes, or leave it out",
            )
        given.done()
        assert options is not None and cluster is not None  # noqa: S101 -- else there was a problem
        pools = None if self.pools is None else self.pools.spec
        return MonitoringSpec(
            name=physical,
            cluster=cluster.name,
            region=cluster.region,
            options=options,
            pools=pools,
            paused=self.paused,
        )


class Monitoring(Component):
    """Logs with a retention, alarms with a runbook each, and one topic that notifies operators
    (docs/monitoring.md).

    `topic_arn` is the SNS topic of alarms, for further subscriptions. Raises ArgumentError with
    every problem of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:Monitoring"
    topic_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        spec = checked(Monitoring, name, args, MonitoringArgs).resolved(name)
        super().__init__(name, opts)
        account = account_of(args.account)
        logs = LogsArgs(
            spec=spec,
            kubernetes=args.cluster.version,
            account=account,
            cluster_name=args.cluster.name_output,
            tags=args.tags,
            depends_on=[
                *args.depends_on,
                *([] if args.pools is None else args.pools.nodes or args.pools.ready),
            ],
        )
        Logs(f"{name}-logs", logs, self.child())
        if spec.group_prefixes:
            Launches(f"{name}-launches", LaunchesArgs(spec=spec, tags=args.tags), self.child())
        monitored = Monitored(
            hubs=tuple(args.hubs),
            file_system=None if args.homes is None else args.homes.file_system_id,
            # A retiring group launches nothing, and is short of nodes whenever one of its nodes has
            # ended.
            groups=(
                {}
                if args.pools is None
                else {
                    item.suffix: args.pools.group_names[item.suffix]
                    for item in args.pools.spec.groups
                    if not item.retiring
                }
            ),
        )
        alarms = AlarmsArgs(spec=spec, monitored=monitored, account=account, tags=args.tags)
        self.topic_arn = Alarms(f"{name}-alarms", alarms, self.child()).topic_arn
        self.register_outputs({"topic_arn": self.topic_arn})
