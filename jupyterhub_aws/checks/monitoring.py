"""Whether operators would be notified: logs expire, each hub is monitored, alarms have a
receiver.
"""

from __future__ import annotations

from collections.abc import Iterator

from jupyterhub_aws.checks.finding import Finding, fail, skip, verdict, warn
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.checks.user_pods import hub_of, hub_releases
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.tree import at

_LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
_FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
_SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
#: The metric of the line that each hub writes every minute, and the setting that makes the hub
#: write it.
_HEARTBEATS, _TOLD = "Heartbeats", ("custom", "jupyterhubAws", "heartbeat")


_ID = "monitoring"


def logs_end(_stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every log group has a retention: one without is paid for, for ever, and keeps users'
    names.
    """
    groups = resources.of(_LOG_GROUP)
    what, fix = "keeps its logs for ever", "give it retention_in_days"
    endless = (
        fail("log-retention", f"{group.label} {what}", fix, group)
        for group in groups
        if not group.inputs.get("retentionInDays")
    )
    holds = f"{len(groups)} log groups have a retention" if groups else "nothing is logged in AWS"
    return verdict("log-retention", endless, otherwise=holds)


def watched(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Each hub has an alarm for the case that it is down, and the alarms have receivers."""
    if not isinstance(stack.cluster, EksCluster):
        message = "the cluster exists already: its own monitoring has to cover the hubs too"
        return [skip(_ID, message, "docs/monitoring.md lists what to monitor")]
    if stack.alarms is None:
        message, fix = (
            "there is no notification when a hub is down",
            "write kind: cloudwatch, and notify",
        )
        return [warn(_ID, message, fix, path="monitoring.kind")]
    alarms = resources.of(_ALARM)
    faults = [*_hubs(stack, resources, alarms), *_silent(stack, alarms)]
    if not resources.of(_SUBSCRIPTION) and not stack.paused:
        message = "alarms have no receiver: they are seen in the console only"
        fix = "write e-mail addresses there"
        faults.append(warn(_ID, message, fix, path="monitoring.notify"))
    holds = f"{len(alarms)} alarms; receivers: {len(stack.alarms.notify)}"
    return verdict(_ID, faults, otherwise=holds)


def _hubs(stack: StackConfig, resources: Resources, alarms: list[Resource]) -> Iterator[Finding]:
    counted = any(
        item.inputs.get("metricTransformation", {}).get("name") == _HEARTBEATS
        for item in resources.of(_FILTER)
    )
    down = {
        str(alarm.inputs.get("dimensions", {}).get("Hub"))
        for alarm in alarms
        if alarm.inputs.get("metricName") == _HEARTBEATS
    }
    for name in () if stack.ownership_pending else sorted(stack.hubs):
        if not counted or f"hub-{name}" not in down:
            fix = "keep its alarm hub-down, and the filter that counts its lines"
            yield fail(_ID, f"no alarm fires when hub {name} is down", fix)
    for release in hub_releases(resources):
        if at(release.inputs.get("values", {}), *_TOLD) is None:
            message = (
                f"hub {hub_of(release)} does not write the line that its alarm waits for, so that"
                " the alarm would always fire"
            )
            fix, path = (
                "keep custom.jupyterhubAws in its helm_values",
                f"hubs.{hub_of(release)}.helm_values",
            )
            yield fail(_ID, message, fix, release, path=path)
    for balancer in () if stack.ownership_pending else resources.of(_BALANCER):
        if balancer.inputs.get("loadBalancerType") != "network":
            continue  # the one of a paused hub has no target
        suffix = f"${{{balancer.name}.arnSuffix}}"
        if not any(suffix in str(alarm.inputs.get("dimensions")) for alarm in alarms):
            message = f"no alarm fires when {balancer.label} finds no healthy proxy"
            yield fail(_ID, message, "keep the alarm hub-unreachable", balancer)


def _silent(stack: StackConfig, alarms: list[Resource]) -> Iterator[Finding]:
    for alarm in alarms:
        if not alarm.inputs.get("alarmActions"):
            fix = "give it the topic as an action"
            yield fail(_ID, f"{alarm.label} has no receiver", fix, alarm)
        elif alarm.inputs.get("actionsEnabled") is not True and not stack.paused:
            yield fail(_ID, f"{alarm.label} is switched off", "enable its actions", alarm)
        elif alarm.inputs.get("actionsEnabled") is not False and stack.paused:
            fix = "disable its actions while it is paused"
            yield fail(_ID, f"{alarm.label} would fire for a paused stack", fix, alarm)
