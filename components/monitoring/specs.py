"""Every alarm of a stack: those of its hubs, of homes, and of nodes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jupyterhub_aws.components.monitoring.alarm import AlarmSpec, Measure
from jupyterhub_aws.components.monitoring.filters import AUTOSCALER_ERRORS, FAILED_LAUNCHES, INTERRUPTIONS, FilterSpec, metric_namespace
from jupyterhub_aws.components.monitoring.hub_alarms import hub_alarms
from jupyterhub_aws.components.monitoring.watched import Watched
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.watch import CloudWatchWatch


def alarm_specs(watched: Watched) -> tuple[AlarmSpec, ...]:
    """The alarms of a stack, in a fixed order. None where it is not watched."""
    watch = watched.stack.alarms
    if watch is None:
        return ()
    of_hubs = (spec for hub in watched.hubs for spec in hub_alarms(watched.stack, watch, hub))
    return (*of_hubs, *_homes(watched, watch), *_groups(watched), *_nodes(watched, watch))


def _homes(watched: Watched, watch: CloudWatchWatch) -> Iterator[AlarmSpec]:
    """EFS user guide, "CloudWatch metrics": PercentIOLimit is how near the file system is to what its mode can do; StorageBytes comes every 15 minutes.

    BurstCreditBalance says nothing here: throughput is elastic, which has no credits.
    """
    if watched.file_system is None:
        return
    of_system = {"FileSystemId": watched.file_system}
    yield AlarmSpec(
        page="homes-slow",
        says="The file system of homes has been at its limit for 15 minutes: notebooks are slow to open and to save.",
        measures={"limit": Measure(namespace="AWS/EFS", name="PercentIOLimit", statistic="Average", dimensions=of_system)},
        threshold=95,
        breaches="above",
        minutes=5,
        times=3,
    )
    if watch.homes_gib is not None:
        total = {**of_system, "StorageClass": "Total"}
        yield AlarmSpec(
            page="homes-size",
            says=f"Homes take more than {watch.homes_gib} GiB.",
            measures={"bytes": Measure(namespace="AWS/EFS", name="StorageBytes", statistic="Average", dimensions=total)},
            threshold=watch.homes_gib * 2**30,
            breaches="above",
            minutes=60,
            times=1,
        )


def _groups(watched: Watched) -> Iterator[AlarmSpec]:
    """A group that is short of nodes in each of three five minutes: even the fewest that were wanted were more than the most that ran. A node is in service
    within three minutes (docs/architecture.md), and one on its way every now and then is a busy morning.
    """
    for suffix, name in watched.groups.items():
        of_group = {"AutoScalingGroupName": name}
        measures = {
            "wanted": Measure(namespace="AWS/AutoScaling", name="GroupDesiredCapacity", statistic="Minimum", dimensions=of_group),
            "running": Measure(namespace="AWS/AutoScaling", name="GroupInServiceInstances", statistic="Maximum", dimensions=of_group),
        }
        yield AlarmSpec(
            page="group-stuck",
            subject=suffix,
            says=f"The group {suffix} has been short of nodes for 15 minutes: people wait for servers that do not start.",
            measures=measures,
            expression="wanted - running",
            threshold=0,
            breaches="above",
            minutes=5,
            times=3,
        )


def _nodes(watched: Watched, watch: CloudWatchWatch) -> Iterator[AlarmSpec]:
    """Launches: a group tries again by itself, and a pool with a twin goes over to it, so that single failures mean nothing.

    The autoscaler: single errors too, such as an API that was throttled; ten within 15 minutes, and again, are no accident.
    """
    says = "AWS refused 5 nodes or more within 15 minutes."
    yield AlarmSpec(page="launches-failing", says=says, measures=_count(watched.stack, FAILED_LAUNCHES), threshold=5, minutes=15, times=1)
    says = "The autoscaler has met 10 errors in 15 minutes, twice."
    yield AlarmSpec(page="autoscaler-errors", says=says, measures=_count(watched.stack, AUTOSCALER_ERRORS), threshold=10, minutes=15, times=2)
    if any("spot" in pool.capacity for pool in watched.stack.pools.bought.values()):
        says = f"AWS took back {watch.spot_interruptions} spot nodes or more within an hour, with the servers on them."
        count = _count(watched.stack, INTERRUPTIONS)
        yield AlarmSpec(page="spot-interruptions", says=says, measures=count, threshold=watch.spot_interruptions, minutes=60, times=1)


def _count(stack: StackConfig, filter_: FilterSpec) -> Mapping[str, Measure]:
    return {"count": Measure(namespace=metric_namespace(stack.name), name=filter_.metric, statistic="Sum", dimensions={})}
