"""What watches a stack: log groups and what is counted in them, the rule of failed launches,
alarms, and the topic. All by names given once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.matcher import (
    UNKNOWN,
    MatchContext,
    Row,
    called,
    default,
    in_order,
    one,
)
from jupyterhub_aws.adopt.queries import AwsResource


def _log_group(context: MatchContext) -> AwsResource | None:
    group = one(context.live.of("log_groups"), logGroupName=context.text("name"))
    return group and {**group, "arn": str(group.get("arn", "")).removesuffix(":*")}


def _transformation(log_filter: AwsResource) -> Any:
    for made in log_filter.get("metricTransformations", ())[:1]:  # AWS takes one
        found = {
            "name": made["metricName"],
            "namespace": made["metricNamespace"],
            "value": made["metricValue"],
        }
        if made.get("defaultValue") is not None:  # the provider has it as text
            found["defaultValue"] = f"{made['defaultValue']:g}"
        return {**found, **({"dimensions": made["dimensions"]} if made.get("dimensions") else {})}
    return UNKNOWN


def _topic(context: MatchContext) -> AwsResource | None:
    for item in context.live.of("topics"):
        name = str(item["TopicArn"]).rpartition(":")[2]
        if name == context.text("name"):
            return {**item, "name": name}
    return None


WATCH: Mapping[str, Row] = {
    "aws:cloudwatch/logGroup:LogGroup": Row(
        topics=("log_groups",),
        look=_log_group,
        id="{logGroupName}",
        view={"name": "logGroupName", "retentionInDays": "retentionInDays"},
        outputs={"id": "logGroupName", "name": "logGroupName", "arn": "arn"},
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Row(
        topics=("log_filters",),
        place={"filterName": "name", "logGroupName": "logGroupName"},
        id="{logGroupName}:{filterName}",
        view={"pattern": default("filterPattern", ""), "metricTransformation": _transformation},
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": Row(
        topics=("log_policies",),
        place={"policyName": "policyName"},
        id="{policyName}",
        view={"policyDocument": "policyDocument"},
    ),
    "aws:cloudwatch/eventRule:EventRule": Row(
        topics=("event_rules",),
        place={"Name": "name"},
        id="{Name}",
        view={"description": default("Description", ""), **called("eventPattern", "state")},
        outputs={"id": "Name", "name": "Name", "arn": "Arn"},
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Row(
        topics=("event_targets",),
        place={"Rule": "rule", "Id": "targetId"},
        id="{Rule}/{Id}",
        view={"arn": "Arn"},
    ),
    # What an alarm measures is not compared: the next `up` sets it, in place, and what it names
    # (balancers, volumes) may be new.
    "aws:cloudwatch/metricAlarm:MetricAlarm": Row(
        topics=("alarms",),
        place={"AlarmName": "name"},
        id="{AlarmName}",
        view={
            **called("alarmDescription", "comparisonOperator", "threshold", "evaluationPeriods"),
            **called("actionsEnabled"),
            "treatMissingData": default("TreatMissingData", "missing"),
            "alarmActions": in_order("AlarmActions"),
            "okActions": in_order("OKActions"),
        },
    ),
    "aws:sns/topic:Topic": Row(
        topics=("topics",),
        look=_topic,
        id="{TopicArn}",
        view={"name": "name", "kmsMasterKeyId": "KmsMasterKeyId"},
        outputs={"id": "TopicArn", "arn": "TopicArn", "name": "name"},
    ),
    # A topic has a policy from the beginning: AWS's default, until another is set (SNS API,
    # CreateTopic).
    "aws:sns/topicPolicy:TopicPolicy": Row(
        topics=("topics",),
        place={"TopicArn": "arn"},
        exists=lambda topic: topic.get("Policy"),
        id="{TopicArn}",
        view=called("policy"),
    ),
    # A subscription that is not confirmed yet has no ARN: subscribing again sends another mail.
    "aws:sns/topicSubscription:TopicSubscription": Row(
        topics=("subscriptions",),
        place={"TopicArn": "topic", "Protocol": "protocol", "Endpoint": "endpoint"},
        exists=lambda item: str(item.get("SubscriptionArn")).startswith("arn:"),
        id="{SubscriptionArn}",
    ),
}
