"""The alarms of a cluster and its hubs, and the topic through which operators are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import cloudwatch, kms, sns

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.monitoring.documents import key_policy, topic_policy
from jupyterhub_aws.config.specs.alarms import AlarmSpec, Measure, Monitored, alarm_specs
from jupyterhub_aws.config.specs.monitoring import MonitoringSpec
from jupyterhub_aws.config.specs.node_groups import generation

#: Nothing is lost with this key but messages on their way; 7 is the least that KMS allows.
_KEY_DELETION_DAYS = 7


@dataclass(frozen=True, kw_only=True, eq=False)
class AlarmsArgs:
    """`spec` says whom to tell and when, `monitored` what alarms look at."""

    spec: MonitoringSpec
    monitored: Monitored
    account: pulumi.Input[str]
    tags: Mapping[str, str]


class Alarms(Component):
    """One topic; every receiver is told of every alarm, and told again when it is over. Paused,
    nobody is.
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
            # At rest nothing beats and nobody answers: that is no news, and stays none in the
            # minutes after it is resumed.
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
    """One metric as itself; several, or one that is reckoned with, as queries of which the
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
