"""Backups in a terminal of 80 columns, and the same as data."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.operate.backups.choose import FromFileSystem, Intent, age, written
from jupyterhub_aws.operate.backups.points import Point, Stateful
from jupyterhub_aws.units import amount

if TYPE_CHECKING:
    from rich.console import Console

#: How many of each resource are shown unless all are asked for.
_NEWEST = 5
_COLOURS = {
    "COMPLETED": "green",
    "AVAILABLE": "green",
    "completed": "green",
    "PARTIAL": "yellow",
    "EXPIRED": "yellow",
    "DELETING": "yellow",
}


FORMAT = "jupyterhub-aws/backups/1"


def as_data(stack: str, found: Sequence[Point], there: Sequence[Stateful]) -> dict[str, Any]:
    """Every backup, and everything that is there with whether it is covered."""
    return {
        "format": FORMAT,
        "stack": stack,
        "recovery_points": [point_data(point) for point in found],
        "resources": [
            {"arn": item.arn, "kind": item.kind, "name": item.name, "covered": item.covered}
            for item in there
        ],
    }


def point_data(point: Point) -> Mapping[str, Any]:
    """A backup as every command prints it with `--json`."""
    return {
        "arn": point.arn,
        "resource": point.resource,
        "kind": point.kind,
        "made": point.made.astimezone(datetime.UTC).isoformat(),
        "state": point.state,
        "bytes": point.bytes,
        "vault": point.vault,
        "region": point.region,
        "until": None if point.until is None else point.until.astimezone(datetime.UTC).isoformat(),
    }


def show(
    console: Console,
    found: Sequence[Point],
    there: Sequence[Stateful],
    now: datetime.datetime,
    *,
    everything: bool,
) -> None:
    """A table for each resource, newest backup first; then what is there and in no backup."""
    from rich.table import Table
    from rich.text import Text

    names = {item.arn: item for item in there}
    resources = {point.resource for point in found}
    for resource in sorted(resources, key=lambda arn: (arn not in names, arn)):
        mine = [point for point in found if point.resource == resource]
        known = names.get(resource)
        what = f"{mine[0].id}, not there any more" if known is None else known.shown
        console.print(Text(f"{mine[0].kind} {what}", "bold"), soft_wrap=True)
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for heading in ("  made, UTC", "age", "size", "state", "kept until", "where"):
            right = heading in ("age", "size")
            table.add_column(
                heading, justify="right" if right else "left", header_style="dim", no_wrap=True
            )
        shown = mine if everything else mine[:_NEWEST]
        for point in shown:
            made = f"  {written(point.made).removesuffix(' UTC')}"
            until = f"{point.until.astimezone(datetime.UTC):%Y-%m-%d}" if point.until else ""
            state = Text(point.state.lower(), _COLOURS.get(point.state, "red"))
            old, weight = age(point.made, now), "" if point.bytes is None else amount(point.bytes)
            table.add_row(made, old, weight, state, until, point.region)
        console.print(table)
        if len(mine) > len(shown):
            console.print(Text(f"  and {len(mine) - len(shown)} more: --all", "dim"))
    if not found:
        console.print(
            "There is no backup yet. The first comes with the next night, or: jhub backup now"
        )
    bare = [item for item in there if not item.covered]
    if bare:
        console.print(Text(f"\n{len(bare)} in no backup:", "bold red"))
        for item in bare:
            console.print(Text(f"  ✗ {item.kind} {item.shown}", "red"), soft_wrap=True)


def fix_for(bare: Sequence[Stateful], stack: str, tag: str) -> str | None:
    """The command that covers volumes that were made before their class had the tag."""
    volumes = " ".join(item.id for item in bare if item.kind == "EBS")
    command = f"aws ec2 create-tags --tags Key={tag},Value={stack} --resources {volumes}"
    return command if volumes else None


def intent_data(intent: Intent) -> dict[str, Any]:
    """Which backup of what comes back into which side path: the same keys of a plan, a restore
    and a drill.
    """
    directory = isinstance(intent, FromFileSystem)
    return {
        "hub": intent.hub,
        "user": intent.user,
        "backup": point_data(intent.point),
        "kind": "directory" if directory else "volume",
        "source": f"/{intent.item}" if isinstance(intent, FromFileSystem) else intent.volume,
        "target": f"/{intent.target}" if directory else intent.target,
        "namespace": None if isinstance(intent, FromFileSystem) else intent.namespace,
    }


def database_data(hub: str, point: Point | None) -> dict[str, Any]:
    """The same keys for a hub's database, which an option of the stack file brings back."""
    option = {} if point is None else {f"hubs.{hub}.database.snapshot": point.snapshot}
    return {
        "hub": hub,
        "user": None,
        "backup": None if point is None else point_data(point),
        "kind": "database",
        "source": None if point is None else point.id,
        "target": None,
        "namespace": None,
        "change": option,
    }


def plan_words(intent: Intent, now: datetime.datetime) -> list[str]:
    """What a restore would do, in words."""
    point = intent.point
    old = age(point.made, now)
    weight = "size not known" if point.bytes is None else amount(point.bytes)
    words = [f"Backup   {written(point.made)}, {old} old, {weight}", f"         {point.arn}"]
    if isinstance(intent, FromFileSystem):
        of_user = f"the home of {intent.user} on hub {intent.hub}"
        whose = f"all homes of the hub {intent.hub}" if intent.user is None else of_user
        return [
            *words,
            f"Takes    /{intent.item}: {whose}",
            f"Into     /{intent.target}",
            "",
            "1. AWS Backup restores it into aws-backup-restore_TIME, at the root of the same",
            "   file system. Nothing that is alive is touched. Whether there is such a",
            "   directory in the backup is known only then.",
            "2. The storage driver of one core node gets the role that sees all homes; a job",
            "   on that node moves the directory to its place, and makes 1000:100 its owner.",
            "3. Job, way and role are taken away again.",
        ]
    volume = f"volume {intent.volume} ({intent.claim} in {intent.namespace})"
    return [
        *words,
        f"Takes    {volume}: the home of {intent.user}",
        f"Into     a new volume in {intent.zone}, as claim {intent.target}",
        "",
        "1. EC2 makes a volume from the snapshot. The one that is alive is not touched.",
        "2. The cluster gets a volume and a claim of that name, which no server mounts",
        "   by itself: look into it with a pod of yours (docs/backups.md).",
    ]
