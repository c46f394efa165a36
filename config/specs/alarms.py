"""The alarms of a cluster and its hubs: what each looks at, when it goes off, and its runbook.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyterhub_aws.config.specs.monitoring import (
    AUTOSCALER_ERRORS,
    DATABASE_USED,
    FAILED_LAUNCHES,
    HEARTBEATS,
    HUB_DIMENSION,
    INTERRUPTIONS,
    STARTS,
    FilterSpec,
    MonitoringSpec,
)

Statistic = Literal["Sum", "Average", "Minimum", "Maximum"]
Breaches = Literal["above", "from", "below"]
RUNBOOKS = "docs/runbooks"
_COMPARISONS: Mapping[Breaches, str] = {
    "above": "GreaterThanThreshold",
    "from": "GreaterThanOrEqualToThreshold",
    "below": "LessThanThreshold",
}
_A_DAY = 24 * 3600


@dataclass(frozen=True, kw_only=True, eq=False)
class Measure:
    """One metric of CloudWatch. Values of `dimensions` may be known to AWS only: then they are
    outputs.
    """

    namespace: str
    name: str
    statistic: Statistic
    dimensions: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class AlarmSpec:
    """An alarm goes off when the value is `breaches` the threshold in `times` periods of `minutes`
    one after the other.

    `page` names the alarm's kind and its page in docs/runbooks, `subject` tells those of a kind
    apart. `measures` are by the name that `expression` gives them; without an expression there is
    one. `silence` is the meaning of missing data: for most metrics it is good, for a hub's
    heartbeat it is not.
    """

    page: str
    says: str
    measures: Mapping[str, Measure]
    threshold: float
    minutes: int
    times: int
    subject: str = ""
    expression: str | None = None
    breaches: Breaches = "from"
    silence: Literal["breaching", "notBreaching"] = "notBreaching"

    @property
    def suffix(self) -> str:
        """What tells it from all other alarms of the stack."""
        return f"{self.page}-{self.subject}" if self.subject else self.page

    @property
    def description(self) -> str:
        """The text of the notification; it ends with the address of the runbook."""
        return f"{self.says} Runbook: {RUNBOOKS}/{self.page}.md"

    @property
    def comparison(self) -> str:
        """The comparison in CloudWatch's words."""
        return _COMPARISONS[self.breaches]


@dataclass(frozen=True, kw_only=True, eq=False)
class MonitoredHub:
    """A hub as alarms see it. Every id is plain text or an output; None where the hub has none of
    that kind, and then there is no alarm of it.

    Attributes:
        name: Its name, which tells alarms of several hubs apart.
        namespace: Its namespace; without it `hub-NAME`.
        balancer: The last part of its load balancer's ARN (`arn_suffix`).
        target_group: The last part of its target group's ARN (`arn_suffix`).
        certificate_arn: The certificate in ACM that its load balancer uses.
        certificate_ends: When a certificate of the hub's own ends, in seconds since 1970.
        database_volume: Id of the EBS volume of its database.
        database_instance: Identifier of its database in RDS.
        database_gib: Storage of its database in RDS when it was made, in GiB; None: no alarm of it.

    """

    name: str
    namespace: str | None = None
    balancer: Any = None
    target_group: Any = None
    certificate_arn: Any = None
    certificate_ends: int | None = None
    database_volume: Any = None
    database_instance: Any = None
    database_gib: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Monitored:
    """What alarms look at. `file_system` is the id of homes in EFS; `groups` are names of Auto
    Scaling groups of user pools by what tells them apart.
    """

    hubs: tuple[MonitoredHub, ...] = ()
    file_system: Any = None
    groups: Mapping[str, Any] = field(default_factory=dict)


def alarm_specs(spec: MonitoringSpec, seen: Monitored) -> tuple[AlarmSpec, ...]:
    """Every alarm, in a fixed order."""
    of_hubs = (alarm for hub in seen.hubs for alarm in _of_hub(spec, hub))
    return (*of_hubs, *_homes(spec, seen), *_groups(seen), *_nodes(spec))


def _homes(spec: MonitoringSpec, seen: Monitored) -> Iterator[AlarmSpec]:
    """EFS user guide, "CloudWatch metrics": PercentIOLimit is how near the file system is to what
    its mode can do; StorageBytes comes every 15 minutes.

    BurstCreditBalance says nothing here: throughput is elastic, which has no credits.
    """
    if seen.file_system is None:
        return
    of_system = {"FileSystemId": seen.file_system}
    yield AlarmSpec(
        page="homes-slow",
        says=(
            "The file system of homes has been at its limit for 15 minutes: notebooks are slow to"
            " open and to save."
        ),
        measures={
            "limit": Measure(
                namespace="AWS/EFS",
                name="PercentIOLimit",
                statistic="Average",
                dimensions=of_system,
            )
        },
        threshold=95,
        breaches="above",
        minutes=5,
        times=3,
    )
    limit = spec.options.homes_gib
    if limit is not None:
        total = {**of_system, "StorageClass": "Total"}
        yield AlarmSpec(
            page="homes-size",
            says=f"Homes take more than {limit} GiB.",
            measures={
                "bytes": Measure(
                    namespace="AWS/EFS", name="StorageBytes", statistic="Average", dimensions=total
                )
            },
            threshold=limit * 2**30,
            breaches="above",
            minutes=60,
            times=1,
        )


def _groups(seen: Monitored) -> Iterator[AlarmSpec]:
    """A group that is short of nodes in each of three five minutes: even the fewest that were
    wanted were more than the most that ran. A node is in service within three minutes
    (docs/architecture.md), and one on its way every now and then is a busy morning.
    """
    for suffix, name in seen.groups.items():
        of_group = {"AutoScalingGroupName": name}
        measures = {
            "wanted": Measure(
                namespace="AWS/AutoScaling",
                name="GroupDesiredCapacity",
                statistic="Minimum",
                dimensions=of_group,
            ),
            "running": Measure(
                namespace="AWS/AutoScaling",
                name="GroupInServiceInstances",
                statistic="Maximum",
                dimensions=of_group,
            ),
        }
        yield AlarmSpec(
            page="group-stuck",
            subject=suffix,
            says=(
                f"The group {suffix} has been short of nodes for 15 minutes: users wait for servers"
                " that do not start."
            ),
            measures=measures,
            expression="wanted - running",
            threshold=0,
            breaches="above",
            minutes=5,
            times=3,
        )


def _nodes(spec: MonitoringSpec) -> Iterator[AlarmSpec]:
    """Launches: a group tries again by itself, and a pool with a twin goes over to it, so that
    single failures mean nothing.

    The autoscaler: single errors too, such as an API that was throttled; ten within 15 minutes, and
    again, are no accident.
    """
    if spec.group_prefixes:
        says = "AWS refused 5 nodes or more within 15 minutes."
        yield AlarmSpec(
            page="launches-failing",
            says=says,
            measures=_count(spec, FAILED_LAUNCHES),
            threshold=5,
            minutes=15,
            times=1,
        )
    says = "The autoscaler has met 10 errors in 15 minutes, twice."
    yield AlarmSpec(
        page="autoscaler-errors",
        says=says,
        measures=_count(spec, AUTOSCALER_ERRORS),
        threshold=10,
        minutes=15,
        times=2,
    )
    if spec.has_spot:
        most = spec.options.spot_interruptions
        says = f"AWS took back {most} spot nodes or more within an hour, with the servers on them."
        yield AlarmSpec(
            page="spot-interruptions",
            says=says,
            measures=_count(spec, INTERRUPTIONS),
            threshold=most,
            minutes=60,
            times=1,
        )


def _count(spec: MonitoringSpec, filter_: FilterSpec) -> Mapping[str, Measure]:
    return {
        "count": Measure(
            namespace=spec.metric_namespace, name=filter_.metric, statistic="Sum", dimensions={}
        )
    }


def _of_hub(spec: MonitoringSpec, hub: MonitoredHub) -> Iterator[AlarmSpec]:
    """The alarms of one hub: users cannot sign in, cannot start servers, or soon will not be
    able to.
    """
    yield _down(spec, hub)
    yield from _unreachable(hub)
    yield _starts(spec, hub)
    yield from _certificate(spec, hub)
    yield from _database_volume(spec, hub)
    yield from _database_instance(hub)


def _of_log(
    spec: MonitoringSpec, hub: MonitoredHub, filter_: FilterSpec, statistic: Statistic
) -> Measure:
    dimensions = {HUB_DIMENSION: hub.namespace or f"hub-{hub.name}"}
    return Measure(
        namespace=spec.metric_namespace,
        name=filter_.metric,
        statistic=statistic,
        dimensions=dimensions,
    )


def _down(spec: MonitoringSpec, hub: MonitoredHub) -> AlarmSpec:
    """The hub writes a line each minute (components/hub/files/jupyterhub_aws_heartbeat.py). Ten
    minutes without one are longer than a restart takes: a new release of the hub is up within two.
    No line at all also means that logs do not arrive any more, so that no other alarm on logs can
    go off.
    """
    return AlarmSpec(
        page="hub-down",
        subject=hub.name,
        says=(
            f"Hub {hub.name} has written no heartbeat for 10 minutes: users cannot sign in or start"
            " servers."
        ),
        measures={"beats": _of_log(spec, hub, HEARTBEATS, "Sum")},
        threshold=1,
        breaches="below",
        minutes=5,
        times=2,
        silence="breaching",
    )


def _unreachable(hub: MonitoredHub) -> Iterator[AlarmSpec]:
    """The balancer finds no proxy (ELB user guide, "CloudWatch metrics for your Network Load
    Balancer": HealthyHostCount). It looks every 10 seconds (components/entry.py); five
    minutes are longer than a proxy's restart. Without targets the metric is not reported at all.
    """
    if hub.balancer is None or hub.target_group is None:
        return
    dimensions = {"LoadBalancer": hub.balancer, "TargetGroup": hub.target_group}
    yield AlarmSpec(
        page="hub-unreachable",
        subject=hub.name,
        says=(
            f"The balancer of hub {hub.name} has found no healthy proxy for 5 minutes: users'"
            " browsers get no answer."
        ),
        measures={
            "healthy": Measure(
                namespace="AWS/NetworkELB",
                name="HealthyHostCount",
                statistic="Maximum",
                dimensions=dimensions,
            )
        },
        threshold=1,
        breaches="below",
        minutes=1,
        times=5,
        silence="breaching",
    )


def _starts(spec: MonitoringSpec, hub: MonitoredHub) -> AlarmSpec:
    """Failures one after the other: after five of them the hub ends itself and starts anew
    (chart 4.4.0, hub.consecutiveFailureLimit).
    """
    return AlarmSpec(
        page="starts-failing",
        subject=hub.name,
        says=(
            f"{spec.options.failed_starts} servers of hub {hub.name} or more failed to start within"
            " 15 minutes."
        ),
        measures={"failed": _of_log(spec, hub, STARTS, "Sum")},
        threshold=spec.options.failed_starts,
        minutes=15,
        times=1,
    )


def _certificate(spec: MonitoringSpec, hub: MonitoredHub) -> Iterator[AlarmSpec]:
    """ACM says how long (ACM user guide, "CloudWatch metrics": DaysToExpiry, twice a day); it
    renews 60 days before the end, so that 21 mean that it failed.

    The end of a certificate of the hub's own is known: CloudWatch counts down to it by the time of
    the hub's own line (CloudWatch user guide, "Metric math": EPOCH).
    """
    says, measure, expression = (
        (
            f"The certificate of hub {hub.name} ends in less than {spec.options.certificate_days}"
            " days."
        ),
        None,
        None,
    )
    if hub.certificate_arn is not None:
        dimensions = {"CertificateArn": hub.certificate_arn}
        measure = Measure(
            namespace="AWS/CertificateManager",
            name="DaysToExpiry",
            statistic="Minimum",
            dimensions=dimensions,
        )
    elif hub.certificate_ends is not None:
        measure = _of_log(spec, hub, HEARTBEATS, "Sum")
        expression = f"({hub.certificate_ends} - EPOCH(days)) / {_A_DAY}"
    if measure is not None:
        yield AlarmSpec(
            page="certificate-ending",
            subject=hub.name,
            says=says,
            measures={"days": measure},
            expression=expression,
            threshold=spec.options.certificate_days,
            breaches="below",
            minutes=24 * 60 if expression is None else 60,
            times=1,
        )


def _database_volume(spec: MonitoringSpec, hub: MonitoredHub) -> Iterator[AlarmSpec]:
    """Full: AWS does not see into a volume, so the hub says it. A fifth left is time enough: the
    volume grows while it is used.

    Slow: EBS says when a volume was asked for more than it gives (EBS user guide, "Amazon
    CloudWatch metrics": VolumeIOPSExceededCheck, VolumeThroughputExceededCheck) or did not answer
    at all (VolumeStalledIOCheck). Thirty requests that wait are gp3's 3,000 per second at 10 ms
    each: beyond that each takes longer than the single-digit milliseconds that gp3 is made for.
    """
    if hub.database_volume is None:
        return
    yield AlarmSpec(
        page="database-volume-full",
        subject=hub.name,
        says=(
            f"The volume with the database of hub {hub.name} is more than 80 percent full. When it"
            " is full, users cannot sign in."
        ),
        measures={"used": _of_log(spec, hub, DATABASE_USED, "Maximum")},
        threshold=80,
        breaches="above",
        minutes=15,
        times=2,
    )
    names = {
        "iops": "VolumeIOPSExceededCheck",
        "throughput": "VolumeThroughputExceededCheck",
        "stalled": "VolumeStalledIOCheck",
    }
    of_volume = {"VolumeId": hub.database_volume}
    checks = {
        key: Measure(namespace="AWS/EBS", name=name, statistic="Maximum", dimensions=of_volume)
        for key, name in names.items()
    }
    waiting = Measure(
        namespace="AWS/EBS", name="VolumeQueueLength", statistic="Average", dimensions=of_volume
    )
    yield AlarmSpec(
        page="database-volume-slow",
        subject=hub.name,
        says=(
            f"The volume with the database of hub {hub.name} has been slow for 15 minutes: every"
            " click in the hub waits for it."
        ),
        measures={**checks, "waiting": waiting},
        expression="MAX([iops, throughput, stalled, IF(waiting > 30, 1, 0)])",
        threshold=1,
        minutes=5,
        times=3,
    )


def _database_instance(hub: MonitoredHub) -> Iterator[AlarmSpec]:
    """RDS enlarges storage by itself when less than a tenth is free (RDS user guide, "Managing
    capacity automatically with storage autoscaling"): at a twentieth it could not. A hub holds at
    most 15 connections (SQLAlchemy's pool of 5 and 10 beyond): 50 belong to another client, or are
    a leak.
    """
    if hub.database_instance is None:
        return
    size, full = hub.database_gib, "has less than a twentieth of its storage free, and did not grow"
    rows: tuple[tuple[str, str, str, Breaches, float], ...] = (
        *(
            ()
            if size is None
            else (("database-storage", full, "FreeStorageSpace", "below", size * 2**30 / 20),)
        ),
        (
            "database-cpu",
            "has been at 90 percent of its processor for 30 minutes",
            "CPUUtilization",
            "above",
            90,
        ),
        (
            "database-connections",
            "has more than 50 connections, and a hub needs 15",
            "DatabaseConnections",
            "above",
            50,
        ),
    )
    for page, says, metric, breaches, threshold in rows:
        yield AlarmSpec(
            page=page,
            subject=hub.name,
            says=f"The database of hub {hub.name} {says}.",
            measures={
                "value": Measure(
                    namespace="AWS/RDS",
                    name=metric,
                    statistic="Average",
                    dimensions={"DBInstanceIdentifier": hub.database_instance},
                )
            },
            threshold=threshold,
            breaches=breaches,
            minutes=10,
            times=3,
        )
