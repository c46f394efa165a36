"""How a stack is watched: its logs in CloudWatch for a bounded time, and alarms that tell
somebody. Or not at all.
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
        raise refuse(f"sends alarms in clear text (got {shown(value)})", "write https://")
    if not (_MAIL.fullmatch(value) or _HTTPS.fullmatch(value)):
        raise refuse(
            f"is neither an e-mail address nor an https address (got {shown(value)})",
            "write it like hub-alarms@example.org",
        )
    return value


Receiver = Annotated[
    str,
    AfterValidator(_receiver),
    Field(json_schema_extra={"examples": ["hub-alarms@example.org"]}),
]


class CloudWatchWatch(Model):
    """Logs of all pods and nodes in CloudWatch, and alarms for what people would notice
    (docs/monitoring.md). Paused, no alarm tells anybody.
    """

    kind: Literal["cloudwatch"] = tag(
        "cloudwatch",
        help=(
            "`cloudwatch`: AWS's own add-on ships logs; alarms stand in CloudWatch and are sent by"
            " SNS."
        ),
        changing=(
            "Hubs restart once, for the line that each writes every minute; from `cloudwatch` to"
            " `none` the logs are deleted."
        ),
    )
    notify: tuple[Receiver, ...] = option(
        (),
        help=(
            "Who is told: e-mail addresses, or https addresses of a pager. Each confirms once, by a"
            " link that AWS sends. Nobody: alarms are seen in the console only, and every plan says"
            " so. An address with a key in it stands in this file for all to read."
        ),
        changing=_AT_ONCE,
        max_length=10,
    )
    log_retention_days: Literal[1, 3, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400] = option(
        30,
        help="How long logs of pods and nodes are kept. Names of people stand in them.",
        unit="days",
        changing="In place: older records are deleted.",
    )
    container_insights: bool = option(
        False,
        help=(
            "Metrics of every node, pod and container besides (Container Insights with enhanced"
            " observability). Charged by the observation: the dearest part of watching, and no"
            " alarm needs it."
        ),
        changing="The agent on each node restarts; nobody notices.",
    )
    certificate_days: int = option(
        21,
        help="Tell this long before a certificate ends.",
        unit="days",
        changing=_AT_ONCE,
        ge=3,
        le=90,
    )
    failed_starts: int = option(
        5,
        help="Tell when so many servers of a hub failed to start in 15 minutes.",
        unit="servers",
        changing=_AT_ONCE,
        ge=1,
        le=1000,
    )
    spot_interruptions: int = option(
        10,
        help="Tell when AWS took back so many spot nodes in an hour. Single ones are normal.",
        unit="nodes",
        changing=_AT_ONCE,
        ge=1,
        le=1000,
    )
    homes_gib: int | None = option(
        None,
        help=(
            "Tell when homes on EFS take more than this. EFS never fills up, but it is paid for by"
            " the GiB. None: never."
        ),
        unit="GiB",
        changing=_AT_ONCE,
        ge=1,
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        twice = next((item for item in self.notify if self.notify.count(item) > 1), None)
        if twice is not None:
            raise refuse(f"notify names {shown(twice)} twice", "name it once")
        return self


class NoWatch(Model):
    """Nobody is told, and logs of pods are gone with them."""

    kind: Literal["none"] = tag(
        "none",
        help="`none`: no log of a pod is kept, and there is no alarm.",
        changing="The add-on, its logs and all alarms go.",
    )


AnyWatch = CloudWatchWatch | NoWatch
Watch = Annotated[AnyWatch, Field(discriminator="kind")]


def watched_in_aws(cluster: AnyCluster, watch: AnyWatch) -> Iterator[Problem]:
    """Alarms are AWS's: around a cluster that is there already the stack makes none."""
    if (
        not isinstance(cluster, EksCluster)
        and isinstance(watch, CloudWatchWatch)
        and watch != CloudWatchWatch(kind="cloudwatch")
    ):
        fix = "remove it; watch the cluster with what its owner has (docs/monitoring.md)"
        yield Problem(
            path="monitoring",
            what=(
                "asks for alarms in AWS, but the cluster is there already and the stack makes"
                " nothing in AWS"
            ),
            fix=fix,
        )


def homes_are_measured(homes: Homes, watch: AnyWatch) -> Iterator[Problem]:
    """Only of EFS does AWS say how much it holds."""
    if (
        isinstance(watch, CloudWatchWatch)
        and watch.homes_gib is not None
        and not isinstance(homes, EfsHomesSection)
    ):
        yield Problem(
            path="monitoring.homes_gib",
            what=f"is a limit for EFS, but homes.kind is {homes.kind}",
            fix="remove it",
        )


RULES: Rules = (
    (("cluster", "monitoring"), watched_in_aws),
    (("homes", "monitoring"), homes_are_measured),
)
