"""`jhub restore run` and `jhub restore drill`: the steps in their order, and what came of them."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any

from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.operate.backups.choose import (
    FromFileSystem,
    FromVolume,
    between,
    comparing,
    handing_over,
)
from jupyterhub_aws.operate.backups.context import BackupContext, Rehearsal
from jupyterhub_aws.operate.backups.inside import AllHomes, apply, volume_to_look_into
from jupyterhub_aws.operate.backups.restore import SideDirectory, SideVolume
from jupyterhub_aws.operate.live.cluster import KubectlCluster
from jupyterhub_aws.operate.live.steps import CommandStep, TakenStep, run

Taken = list[TakenStep]


def restore_directory(
    context: BackupContext, cluster: KubectlCluster, intent: FromFileSystem
) -> tuple[dict[str, Any], Taken]:
    """Restore an item and hand it over. What the program said: target, whether it was moved now,
    how many entries; and the steps. Raises ConfigError where it refused.
    """
    return _through_all_homes(context, cluster, intent, lambda: handing_over(intent))


def restore_volume(
    context: BackupContext, cluster: KubectlCluster, intent: FromVolume
) -> tuple[str, Taken]:
    """Make a volume and a claim of another name. Returns the volume's id, and the steps."""
    side = SideVolume(context, intent)

    def missing() -> list[str]:
        found = cluster.data("--namespace", intent.namespace, "get", "persistentvolumeclaims")
        names = [item["metadata"]["name"] for item in found["items"]]
        return [] if intent.target in names else [intent.target]

    def make() -> None:
        documents = volume_to_look_into(
            intent.target, intent.namespace, str(side.volume_id), intent.zone, intent.size_gib
        )
        apply(cluster, documents)

    claims = CommandStep(f"a claim beside {intent.claim}", missing, make)
    taken = run(context.command, [side.step(), claims])
    return str(side.volume_id), taken


def rehearse(
    context: BackupContext,
    cluster: KubectlCluster,
    intent: FromFileSystem,
    clock: Callable[[], datetime.datetime],
) -> tuple[Rehearsal, list[str], Taken]:
    """Restore an item and compare it with what is alive: what a record holds, the names that
    differ, and the steps. Raises ConfigError where nothing is proved.
    """
    began = time.monotonic()
    found, taken = _through_all_homes(context, cluster, intent, lambda: comparing(intent))
    result = Rehearsal(
        day=clock().date(),
        hub=intent.hub,
        recovery_point=intent.point.arn,
        backup_of=intent.point.made,
        seconds=round(time.monotonic() - began),
        **{key: int(found[key]) for key in ("files", "bytes", "same", "changed", "differences")},
    )
    if not result.same and not result.differences:
        what = (
            f"proves nothing: {result.files:,} files came back, and none of them is there unchanged"
        )
        fix = "choose a user whose home has files that are older than the backup"
        raise refused(context.command, "restore.proves-nothing", f"/{intent.item}", what, fix)
    return result, list(found.get("names", [])), taken


def _through_all_homes(
    context: BackupContext,
    cluster: KubectlCluster,
    intent: FromFileSystem,
    arguments: Callable[[], list[str]],
) -> tuple[dict[str, Any], Taken]:
    side = SideDirectory(context, intent)
    homes = AllHomes(context, cluster, intent.hub, intent.job)

    def told() -> list[str]:
        assert side.since is not None and side.until is not None  # noqa: S101 -- the step before is done
        return [*arguments(), *between(side.since, side.until)]

    # What would be refused in the middle would leave the role that sees all homes associated.
    homes.look(intent.file_system)
    taken = run(context.command, [side.step(), *homes.steps(intent.file_system, told)])
    result = homes.result or {"refused": "the job said nothing"}
    if "refused" in result:
        fix = (
            "fix that, then run the same command again: what AWS restored is still in its side"
            " directory"
        )
        what = str(result["refused"])
        raise refused(context.command, "restore.refused", f"/{intent.item}", what, fix)
    return result, taken
