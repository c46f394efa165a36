"""What watching adds to the bill: metrics that alarms look at, and metrics made of log lines.
What is logged is paid for by the GiB, which nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator

from jupyterhub_aws.checks.bill import BillLine
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.prices import Prices

_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
_FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
_FREE = "at most: each account has ten free"


def watching_lines(resources: Resources, prices: Prices) -> Iterator[BillLine]:
    """Alarms cost the same whether they speak or not. A metric of log lines costs in the hours
    in which there are lines, so that at rest it costs nothing.
    """
    alarms = resources.of(_ALARM)
    looked_at = sum(_metrics(alarm) for alarm in alarms)
    if looked_at:
        price = prices.of("alarm_metric_month")
        yield BillLine(
            what="metric that an alarm looks at",
            unit="month",
            unit_price=price,
            idle=looked_at,
            paused=looked_at,
            most=looked_at,
            note=_FREE,
            rows=("alarm_metric_month",),
        )
    hubs = {
        dimensions["Hub"]
        for alarm in alarms
        if "Hub" in (dimensions := alarm.inputs.get("dimensions") or {})
    }
    made = sum(
        len(hubs) if item.inputs["metricTransformation"].get("dimensions") else 1
        for item in resources.of(_FILTER)
    )
    if made:
        price = prices.of("own_metric_month")
        yield BillLine(
            what="metric of log lines",
            unit="month",
            unit_price=price,
            idle=made,
            paused=0,
            most=made,
            note=_FREE,
            rows=("own_metric_month",),
        )


def _metrics(alarm: Resource) -> int:
    """How many metrics an alarm looks at; an expression is none."""
    queries = alarm.inputs.get("metricQueries")
    return 1 if queries is None else sum("metric" in query for query in queries)
