"""Checks of watching: each finds what it names when one recorded resource is spoilt, and is
quiet about what is right.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from jupyterhub_aws.checks.monitoring import logs_end, watched
from jupyterhub_aws.checks.resources import Resources
from tests.checks.doctored import dev, doctored
from tests.support.stacks import FULL, record

ALARM, LOGS, FILTER = (
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
)
TOLD = ("monitoring={kind: cloudwatch, notify: [a@example.org]}",)


def without(resources: Resources, kind: str, name: str) -> Resources:
    found = [item for item in resources if not (item.type == kind and item.name == name)]
    assert len(found) == len(resources) - 1
    return Resources(found)


def verdicts(findings: list) -> list[tuple[str, str]]:
    return [(finding.status, finding.message) for finding in findings]


@pytest.mark.real
def test_a_stack_with_receivers_of_alarms_passes_and_one_without_is_warned() -> None:
    (finding,) = watched(*dev(*TOLD))
    assert (finding.status, finding.message) == ("pass", "14 alarms; receivers: 1")
    (finding,) = watched(*dev())
    assert (finding.status, finding.path) == ("warn", "monitoring.notify")
    assert verdicts(watched(*dev("paused=true"))) == [("pass", "14 alarms; receivers: 0")]
    (finding,) = watched(*dev("monitoring={kind: none}"))
    assert (finding.status, finding.path) == ("warn", "monitoring.kind")


def test_a_log_group_without_an_end_fails() -> None:
    stack, resources = dev()
    group, spoilt = doctored(resources, LOGS, lambda inputs: inputs.pop("retentionInDays"))
    (finding,) = logs_end(stack, spoilt)
    assert finding.status == "fail" and group.label in finding.message
    assert [finding.status for finding in logs_end(stack, resources)] == ["pass"]


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        (ALARM, "watch-alarms-hub-down-main", "no alarm fires when hub main is down"),
        (FILTER, "watch-logs-Heartbeats", "no alarm fires when hub main is down"),
        (ALARM, "watch-alarms-hub-unreachable-main", "finds no healthy proxy"),
    ],
)
def test_a_hub_without_monitoring_fails(kind: str, name: str, says: str) -> None:
    stack, resources = dev(*TOLD)
    (finding,) = watched(stack, without(resources, kind, name))
    assert finding.status == "fail" and says in finding.message


def test_each_of_several_hubs_is_looked_for() -> None:
    stack, _ = dev(*FULL)
    spoilt = without(record(*FULL).resources, ALARM, "watch-alarms-hub-down-port")
    assert verdicts(watched(stack, spoilt)) == [("fail", "no alarm fires when hub port is down")]


def test_a_hub_that_does_not_write_its_line_fails() -> None:
    stack, resources = dev(*TOLD)
    release = next(
        item
        for item in resources.of("kubernetes:helm.sh/v3:Release")
        if item.name == "hub-main-release"
    )
    values = copy.deepcopy(dict(release.inputs["values"]))
    del values["custom"]["jupyterhubAws"]["heartbeat"]
    spoilt = replace(release, inputs={**release.inputs, "values": values})
    (finding,) = watched(
        stack, Resources(spoilt if item is release else item for item in resources)
    )
    assert (finding.status, finding.path) == ("fail", "hubs.main.helm_values")


@pytest.mark.parametrize(
    ("settings", "change", "says"),
    [
        ((), {"alarmActions": []}, "has no receiver"),
        ((), {"actionsEnabled": False}, "is switched off"),
        (("paused=true",), {"actionsEnabled": True}, "would fire for a paused stack"),
    ],
)
def test_an_alarm_that_is_silent_or_speaks_at_rest_fails(
    settings: tuple[str, ...], change: dict, says: str
) -> None:
    stack, resources = dev(*TOLD, *settings)
    _, spoilt = doctored(resources, ALARM, lambda inputs: inputs.update(change))
    (finding,) = watched(stack, spoilt)
    assert finding.status == "fail" and says in finding.message
