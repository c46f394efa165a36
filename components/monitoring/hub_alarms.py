"""The alarms of one hub: people cannot come in, cannot start, or soon will not be able to."""

from __future__ import annotations

from collections.abc import Iterator

from jupyterhub_aws.components.monitoring.alarm import AlarmSpec, Breaches, Measure, Statistic
from jupyterhub_aws.components.monitoring.filters import DATABASE_USED, HEARTBEATS, HUB_DIMENSION, STARTS, FilterSpec, metric_namespace
from jupyterhub_aws.components.monitoring.watched import WatchedHub
from jupyterhub_aws.config.database import PostgresDatabase
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.watch import CloudWatchWatch

_A_DAY = 24 * 3600


def hub_alarms(stack: StackConfig, watch: CloudWatchWatch, hub: WatchedHub) -> Iterator[AlarmSpec]:
    """All of one hub."""
    yield _down(stack, hub)
    yield from _unreachable(hub)
    yield _starts(stack, watch, hub)
    yield from _certificate(stack, watch, hub)
    yield from _database_volume(stack, hub)
    yield from _database_instance(stack, hub)


def _of_log(stack: StackConfig, hub: WatchedHub, filter_: FilterSpec, statistic: Statistic) -> Measure:
    namespace = HubNames(stack=stack.name, hub=hub.name).namespace
    return Measure(namespace=metric_namespace(stack.name), name=filter_.metric, statistic=statistic, dimensions={HUB_DIMENSION: namespace})


def _down(stack: StackConfig, hub: WatchedHub) -> AlarmSpec:
    """The hub writes a line each minute (components/hub/files/jupyterhub_aws_heartbeat.py). Ten minutes without one are longer than a restart takes:
    a new release of the hub is up within two. No line at all also means that logs do not arrive any more, so that no other alarm of theirs can speak.
    """
    return AlarmSpec(
        page="hub-down",
        subject=hub.name,
        says=f"Hub {hub.name} has not said for 10 minutes that it lives: nobody can sign in or start a server.",
        measures={"beats": _of_log(stack, hub, HEARTBEATS, "Sum")},
        threshold=1,
        breaches="below",
        minutes=5,
        times=2,
        silence="breaching",
    )


def _unreachable(hub: WatchedHub) -> Iterator[AlarmSpec]:
    """The balancer finds no proxy (ELB user guide, "CloudWatch metrics for your Network Load Balancer": HealthyHostCount). It looks every 10 seconds
    (components/entry/balancer.py); five minutes are longer than a proxy's restart. Without targets the metric is not reported at all.
    """
    if hub.balancer is None or hub.target_group is None:
        return
    dimensions = {"LoadBalancer": hub.balancer, "TargetGroup": hub.target_group}
    yield AlarmSpec(
        page="hub-unreachable",
        subject=hub.name,
        says=f"The balancer of hub {hub.name} has found no healthy proxy for 5 minutes: people's browsers get no answer.",
        measures={"healthy": Measure(namespace="AWS/NetworkELB", name="HealthyHostCount", statistic="Maximum", dimensions=dimensions)},
        threshold=1,
        breaches="below",
        minutes=1,
        times=5,
        silence="breaching",
    )


def _starts(stack: StackConfig, watch: CloudWatchWatch, hub: WatchedHub) -> AlarmSpec:
    """Failures one after the other: after five of them the hub ends itself and starts anew (chart 4.4.0, hub.consecutiveFailureLimit)."""
    return AlarmSpec(
        page="starts-failing",
        subject=hub.name,
        says=f"{watch.failed_starts} servers of hub {hub.name} or more failed to start within 15 minutes.",
        measures={"failed": _of_log(stack, hub, STARTS, "Sum")},
        threshold=watch.failed_starts,
        minutes=15,
        times=1,
    )


def _certificate(stack: StackConfig, watch: CloudWatchWatch, hub: WatchedHub) -> Iterator[AlarmSpec]:
    """ACM says how long (ACM user guide, "CloudWatch metrics": DaysToExpiry, twice a day); it renews 60 days before the end, so that 21 mean that it failed.

    The end of a certificate of the hub's own is known: CloudWatch counts down to it by the time of the hub's own line (CloudWatch user guide, "Metric
    math": EPOCH).
    """
    says, measure, expression = f"The certificate of hub {hub.name} ends in less than {watch.certificate_days} days.", None, None
    if hub.certificate_arn is not None:
        dimensions = {"CertificateArn": hub.certificate_arn}
        measure = Measure(namespace="AWS/CertificateManager", name="DaysToExpiry", statistic="Minimum", dimensions=dimensions)
    elif hub.certificate_ends is not None:
        measure = _of_log(stack, hub, HEARTBEATS, "Sum")
        expression = f"({hub.certificate_ends} - EPOCH(days)) / {_A_DAY}"
    if measure is not None:
        yield AlarmSpec(
            page="certificate-ending",
            subject=hub.name,
            says=says,
            measures={"days": measure},
            expression=expression,
            threshold=watch.certificate_days,
            breaches="below",
            minutes=24 * 60 if expression is None else 60,
            times=1,
        )


def _database_volume(stack: StackConfig, hub: WatchedHub) -> Iterator[AlarmSpec]:
    """Full: AWS does not see into a volume, so the hub says it. A fifth left is time enough: the volume grows while it is used.

    Slow: EBS says when a volume was asked for more than it gives (EBS user guide, "Amazon CloudWatch metrics": VolumeIOPSExceededCheck,
    VolumeThroughputExceededCheck) or did not answer at all (VolumeStalledIOCheck). Thirty requests that wait are gp3's 3,000 per second at 10 ms each:
    beyond that each takes longer than the single-digit milliseconds that gp3 is made for.
    """
    if hub.database_volume is None:
        return
    yield AlarmSpec(
        page="database-volume-full",
        subject=hub.name,
        says=f"The volume with the database of hub {hub.name} is more than 80 percent full. Full, nobody can sign in.",
        measures={"used": _of_log(stack, hub, DATABASE_USED, "Maximum")},
        threshold=80,
        breaches="above",
        minutes=15,
        times=2,
    )
    names = {"iops": "VolumeIOPSExceededCheck", "throughput": "VolumeThroughputExceededCheck", "stalled": "VolumeStalledIOCheck"}
    of_volume = {"VolumeId": hub.database_volume}
    checks = {key: Measure(namespace="AWS/EBS", name=name, statistic="Maximum", dimensions=of_volume) for key, name in names.items()}
    waiting = Measure(namespace="AWS/EBS", name="VolumeQueueLength", statistic="Average", dimensions=of_volume)
    yield AlarmSpec(
        page="database-volume-slow",
        subject=hub.name,
        says=f"The volume with the database of hub {hub.name} has been slow for 15 minutes: every click in the hub waits for it.",
        measures={**checks, "waiting": waiting},
        expression="MAX([iops, throughput, stalled, IF(waiting > 30, 1, 0)])",
        threshold=1,
        minutes=5,
        times=3,
    )


def _database_instance(stack: StackConfig, hub: WatchedHub) -> Iterator[AlarmSpec]:
    """RDS enlarges storage by itself when less than a tenth is free (RDS user guide, "Managing capacity automatically with storage autoscaling"): at a
    twentieth it could not. A hub holds at most 15 connections (SQLAlchemy's pool of 5 and 10 beyond): 50 are somebody else's, or leak.
    """
    section = stack.hubs[hub.name].database
    if hub.database_instance is None or not isinstance(section, PostgresDatabase):
        return
    rows: tuple[tuple[str, str, str, Breaches, float], ...] = (
        ("database-storage", "has less than a twentieth of its storage free, and did not grow", "FreeStorageSpace", "below", section.size_gib * 2**30 / 20),
        ("database-cpu", "has been at 90 percent of its processor for 30 minutes", "CPUUtilization", "above", 90),
        ("database-connections", "has more than 50 connections, and a hub needs 15", "DatabaseConnections", "above", 50),
    )
    for page, says, metric, breaches, threshold in rows:
        yield AlarmSpec(
            page=page,
            subject=hub.name,
            says=f"The database of hub {hub.name} {says}.",
            measures={"value": Measure(namespace="AWS/RDS", name=metric, statistic="Average", dimensions={"DBInstanceIdentifier": hub.database_instance})},
            threshold=threshold,
            breaches=breaches,
            minutes=10,
            times=3,
        )
