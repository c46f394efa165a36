"""What watches a stack: log groups and what is counted in them, the rule of failed launches,
alarms, and the topic. All by names given once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.matcher import ImportCandidate, MatchContext, Matcher, one


def _log_group(context: MatchContext) -> ImportCandidate | None:
    group = one(context.live.of("log_groups"), logGroupName=context.text("name"))
    if group is None:
        return None
    name = group["logGroupName"]
    return ImportCandidate(
        id=name,
        outputs={"id": name, "name": name, "arn": str(group.get("arn", "")).removesuffix(":*")},
        view={"name": name, "retentionInDays": group.get("retentionInDays")},
    )


def _log_filter(context: MatchContext) -> ImportCandidate | None:
    item = one(
        context.live.of("log_filters"),
        filterName=context.text("name"),
        logGroupName=context.text("logGroupName"),
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


def _log_policy(context: MatchContext) -> ImportCandidate | None:
    item = one(context.live.of("log_policies"), policyName=context.text("policyName"))
    if item is None:
        return None
    return ImportCandidate(
        id=item["policyName"],
        view={"policyName": item["policyName"], "policyDocument": item.get("policyDocument")},
    )


def _rule(context: MatchContext) -> ImportCandidate | None:
    rule = one(context.live.of("event_rules"), Name=context.text("name"))
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


def _target(context: MatchContext) -> ImportCandidate | None:
    item = one(
        context.live.of("event_targets"), Rule=context.text("rule"), Id=context.text("targetId")
    )
    if item is None:
        return None
    return ImportCandidate(
        id=f"{item['Rule']}/{item['Id']}",
        view={"rule": item["Rule"], "targetId": item["Id"], "arn": item.get("Arn")},
    )


def _alarm(context: MatchContext) -> ImportCandidate | None:
    """What it measures is not compared: the next `up` sets it, in place, and what it names
    (balancers, volumes) may be new.
    """
    item = one(context.live.of("alarms"), AlarmName=context.text("name"))
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


def _topic(context: MatchContext) -> ImportCandidate | None:
    for item in context.live.of("topics"):
        arn = str(item["TopicArn"])
        name = arn.rpartition(":")[2]
        if name == context.text("name"):
            return ImportCandidate(
                id=arn,
                outputs={"id": arn, "arn": arn, "name": name},
                view={"name": name, "kmsMasterKeyId": item.get("KmsMasterKeyId")},
            )
    return None


def _topic_policy(context: MatchContext) -> ImportCandidate | None:
    """A topic has one from the beginning: AWS's default, until another is set (SNS API,
    CreateTopic).
    """
    item = one(context.live.of("topics"), TopicArn=context.text("arn"))
    if item is None or not item.get("Policy"):
        return None
    return ImportCandidate(
        id=item["TopicArn"], view={"arn": item["TopicArn"], "policy": item["Policy"]}
    )


def _subscription(context: MatchContext) -> ImportCandidate | None:
    """A subscription that is not confirmed yet has no ARN: subscribing again sends another mail."""
    item = one(
        context.live.of("subscriptions"),
        TopicArn=context.text("topic"),
        Protocol=context.text("protocol"),
        Endpoint=context.text("endpoint"),
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
