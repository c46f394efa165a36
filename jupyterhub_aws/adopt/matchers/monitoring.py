"""What watches a stack: log groups and what is counted in them, the rule of failed launches,
alarms, and the topic. All by names given once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.matcher import Asked, ImportCandidate, Matcher, one


def _log_group(asked: Asked) -> ImportCandidate | None:
    group = one(asked.live.of("log_groups"), logGroupName=asked.text("name"))
    if group is None:
        return None
    name = group["logGroupName"]
    return ImportCandidate(
        id=name,
        outputs={"id": name, "name": name, "arn": str(group.get("arn", "")).removesuffix(":*")},
        view={"name": name, "retentionInDays": group.get("retentionInDays")},
    )


def _log_filter(asked: Asked) -> ImportCandidate | None:
    item = one(
        asked.live.of("log_filters"),
        filterName=asked.text("name"),
        logGroupName=asked.text("logGroupName"),
    )
    if item is None:
        return None
    view = {
        "name": item["filterName"],
        "logGroupName": item["logGroupName"],
        "pattern": item.get("filterPattern", ""),
    }
    for made in item.get("metricTransformations", ())[:1]:  # AWS takes one
        view["metricTransformation"] = {
            "name": made["metricName"],
            "namespace": made["metricNamespace"],
            "value": made["metricValue"],
        }
        if made.get("defaultValue") is not None:
            view["metricTransformation"]["defaultValue"] = (
                f"{made['defaultValue']:g}"  # the provider has it as text
            )
        if made.get("dimensions"):
            view["metricTransformation"]["dimensions"] = made["dimensions"]
    return ImportCandidate(id=f"{item['logGroupName']}:{item['filterName']}", view=view)


def _log_policy(asked: Asked) -> ImportCandidate | None:
    item = one(asked.live.of("log_policies"), policyName=asked.text("policyName"))
    if item is None:
        return None
    return ImportCandidate(
        id=item["policyName"],
        view={"policyName": item["policyName"], "policyDocument": item.get("policyDocument")},
    )


def _rule(asked: Asked) -> ImportCandidate | None:
    rule = one(asked.live.of("event_rules"), Name=asked.text("name"))
    if rule is None:
        return None
    name = rule["Name"]
    view = {
        "name": name,
        "description": rule.get("Description", ""),
        "eventPattern": rule.get("EventPattern"),
        "state": rule.get("State"),
    }
    return ImportCandidate(
        id=name, outputs={"id": name, "name": name, "arn": str(rule.get("Arn", ""))}, view=view
    )


def _target(asked: Asked) -> ImportCandidate | None:
    item = one(asked.live.of("event_targets"), Rule=asked.text("rule"), Id=asked.text("targetId"))
    if item is None:
        return None
    return ImportCandidate(
        id=f"{item['Rule']}/{item['Id']}",
        view={"rule": item["Rule"], "targetId": item["Id"], "arn": item.get("Arn")},
    )


def _alarm(asked: Asked) -> ImportCandidate | None:
    """What it measures is not compared: the next `up` sets it, in place, and what it names
    (balancers, volumes) may be new.
    """
    item = one(asked.live.of("alarms"), AlarmName=asked.text("name"))
    if item is None:
        return None
    view: dict[str, Any] = {
        "name": item["AlarmName"],
        "alarmDescription": item.get("AlarmDescription"),
        "comparisonOperator": item.get("ComparisonOperator"),
        "threshold": item.get("Threshold"),
        "evaluationPeriods": item.get("EvaluationPeriods"),
        "treatMissingData": item.get("TreatMissingData", "missing"),
        "actionsEnabled": item.get("ActionsEnabled"),
        "alarmActions": sorted(item.get("AlarmActions", ())),
        "okActions": sorted(item.get("OKActions", ())),
    }
    return ImportCandidate(id=item["AlarmName"], view=view)


def _topic(asked: Asked) -> ImportCandidate | None:
    for item in asked.live.of("topics"):
        arn = str(item["TopicArn"])
        name = arn.rpartition(":")[2]
        if name == asked.text("name"):
            return ImportCandidate(
                id=arn,
                outputs={"id": arn, "arn": arn, "name": name},
                view={"name": name, "kmsMasterKeyId": item.get("KmsMasterKeyId")},
            )
    return None


def _topic_policy(asked: Asked) -> ImportCandidate | None:
    """A topic has one from the beginning: AWS's own, until somebody writes another (SNS API,
    CreateTopic).
    """
    item = one(asked.live.of("topics"), TopicArn=asked.text("arn"))
    if item is None or not item.get("Policy"):
        return None
    return ImportCandidate(
        id=item["TopicArn"], view={"arn": item["TopicArn"], "policy": item["Policy"]}
    )


def _subscription(asked: Asked) -> ImportCandidate | None:
    """One that nobody has confirmed yet has no ARN: asking again sends another mail."""
    item = one(
        asked.live.of("subscriptions"),
        TopicArn=asked.text("topic"),
        Protocol=asked.text("protocol"),
        Endpoint=asked.text("endpoint"),
    )
    if item is None or not str(item.get("SubscriptionArn")).startswith("arn:"):
        return None
    return ImportCandidate(
        id=item["SubscriptionArn"],
        view={
            "topic": item["TopicArn"],
            "protocol": item["Protocol"],
            "endpoint": item["Endpoint"],
        },
    )


WATCH: Mapping[str, Matcher] = {
    "aws:cloudwatch/logGroup:LogGroup": Matcher(topics=("log_groups",), find=_log_group),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Matcher(
        topics=("log_filters",), find=_log_filter
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": Matcher(
        topics=("log_policies",), find=_log_policy
    ),
    "aws:cloudwatch/eventRule:EventRule": Matcher(topics=("event_rules",), find=_rule),
    "aws:cloudwatch/eventTarget:EventTarget": Matcher(topics=("event_targets",), find=_target),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Matcher(topics=("alarms",), find=_alarm),
    "aws:sns/topic:Topic": Matcher(topics=("topics",), find=_topic),
    "aws:sns/topicPolicy:TopicPolicy": Matcher(topics=("topics",), find=_topic_policy),
    "aws:sns/topicSubscription:TopicSubscription": Matcher(
        topics=("subscriptions",), find=_subscription
    ),
}
