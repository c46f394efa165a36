"""Monitoring of a stack: logs in CloudWatch with a retention, and alarms that notify operators;
or none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from jupyterhub_aws.config.cluster import AnyCluster, EksCluster
from jupyterhub_aws.config.errors import Problem, Rules, refuse, shown
from jupyterhub_aws.config.homes import EfsHomesSection, Homes
from jupyterhub_aws.config.model import Model, option, tag

_MAIL = re.compile(r"[\w.+-]+@([a-z0-9-]+\.)+[a-z]{2,}", re.ASCII | re.IGNORECASE)
_HTTPS = re.compile(
    r"https://([a-z0-9-]+\.)+[a-z]{2,}(:[0-9]{1,5})?(/[\w./~%?=&+-]*)?", re.ASCII | re.IGNORECASE
)
_AT_ONCE = "In place, at once."


def _receiver(value: str) -> str:
    if value.startswith("http://"):
        what = f"sends alarms in clear text (got {shown(value)})"
        raise refuse("monitoring.receiver-clear-text", what, "write https://")
    if not (_MAIL.fullmatch(value) or _HTTPS.fullmatch(value)):
        what = f"is neither an e-mail address nor an https address (got {shown(value)})"
        raise refuse("monitoring.receiver", what, "write it like hub-alarms@example.org")
    return value


Receiver = Annotated[
    str,
    AfterValidator(_receiver),
    Field(json_schema_extra={"examples": ["hub-alarms@example.org"]}),
]


class CloudWatchWatch(Model):
    """Logs of all pods and nodes in CloudWatch, and alarms for failures that users would notice
    (docs/monitoring.md). While the stack is paused no alarm sends a notification.
    """

    kind: Literal["cloudwatch"] = tag(
        "cloudwatch",
        help=(
            "`cloudwatch`: AWS's own add-on ships logs; alarms are in CloudWatch and are sent by"
            " SNS."
        ),
        changing=(
            "Hubs restart once, to start the heartbeat that each logs every minute; from"
            " `cloudwatch` to `none` the logs are deleted."
        ),
    )
    notify: tuple[Receiver, ...] = option(
        (),
        help=(
            "Receivers of alarms: e-mail addresses, or https addresses of a pager. Each confirms"
            " once, by a link that AWS sends. Empty: alarms are visible in the console only, and"
            " every plan warns. An address that contains a key is readable by all readers of this"
            " file."
        ),
        changing=_AT_ONCE,
        max_length=10,
    )
    log_retention_days: Literal[1, 3, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400] = option(
        30,
        help="Retention of logs of pods and nodes. They contain names of users.",
        unit="days",
        changing="In place: older records are deleted.",
    )
    container_insights: bool = option(
        False,
        help=(
            "Metrics of every node, pod and container besides (Container Insights with enhanced"
            " observability). Charged by the observation: the most expensive part of monitoring,"
            " and no alarm needs it."
        ),
        changing="The agent on each node restarts; users are not affected.",
    )
    certificate_days: int = option(
        21,
        help="Alarm this long before a certificate expires.",
        unit="days",
        changing=_AT_ONCE,
        ge=3,
        le=90,
    )
    failed_starts: int = option(
        5,
        help="Alarm when so many servers of a hub failed to start in 15 minutes.",
        unit="servers",
        changing=_AT_ONCE,
        ge=1,
        le=1000,
    )
    spot_interruptions: int = option(
        10,
        help=(
            "Alarm when AWS reclaimed so many spot nodes in an hour. Single interruptions are"
            " normal."
        ),
        unit="nodes",
        changing=_AT_ONCE,
        ge=1,
        le=1000,
    )
    homes_gib: int | None = option(
        None,
        help=(
            "Alarm when homes on EFS are larger than this. EFS has no capacity limit, but is billed"
            " by the GiB. None: never."
        ),
        unit="GiB",
        changing=_AT_ONCE,
        ge=1,
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        twice = next((item for item in self.notify if self.notify.count(item) > 1), None)
        if twice is not None:
            fix = "name it once"
            raise refuse("monitoring.receiver-twice", f"notify names {shown(twice)} twice", fix)
        return self


class NoWatch(Model):
    """No alarms, and logs of pods are lost with the pods."""

    kind: Literal["none"] = tag(
        "none",
        help="`none`: logs of pods are not stored, and there are no alarms.",
        changing="The add-on, its logs and all alarms are deleted.",
    )


AnyWatch = CloudWatchWatch | NoWatch
Watch = Annotated[AnyWatch, Field(discriminator="kind")]


def watched_in_aws(cluster: AnyCluster, watch: AnyWatch) -> Iterator[Problem]:
    """Alarms are resources in AWS: around an existing cluster the stack makes none."""
    if (
        not isinstance(cluster, EksCluster)
        and isinstance(watch, CloudWatchWatch)
        and watch != CloudWatchWatch(kind="cloudwatch")
    ):
        fix = "remove it; monitor the cluster with its owner's tools (docs/monitoring.md)"
        yield Problem(
            id="monitoring.existing-cluster",
            path="monitoring",
            what=(
                "asks for alarms in AWS, but the cluster exists already and the stack makes nothing"
                " in AWS"
            ),
            fix=fix,
        )


def homes_are_measured(homes: Homes, watch: AnyWatch) -> Iterator[Problem]:
    """AWS measures the size of homes in EFS only."""
    if (
        isinstance(watch, CloudWatchWatch)
        and watch.homes_gib is not None
        and not isinstance(homes, EfsHomesSection)
    ):
        yield Problem(
            id="monitoring.homes-not-efs",
            path="monitoring.homes_gib",
            what=f"is a limit for EFS, but homes.kind is {homes.kind}",
            fix="remove it",
        )


RULES: Rules = (
    (("cluster", "monitoring"), watched_in_aws),
    (("homes", "monitoring"), homes_are_measured),
)
