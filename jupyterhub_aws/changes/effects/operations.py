"""Alarms: whether they send notifications. All alarms of a stack are switched together, so that
this is reported once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jupyterhub_aws.changes.compare import Change, label
from jupyterhub_aws.changes.effect import EffectContext, Reading
from jupyterhub_aws.changes.effects.nodes import GROUP
from jupyterhub_aws.checks.placement import is_retiring
from jupyterhub_aws.checks.resources import Resource

_SWITCH, _SILENCE = "actionsEnabled", "treatMissingData"


def read_alarm(change: Change, context: EffectContext) -> Reading:
    """An alarm that is switched off or on, with its treatment of missing data; and an alarm that
    is deleted with the resource that it monitored.
    """
    reading = Reading(change)
    gone = _without_a_group(change.old, context) if change.op == "delete" and change.old else ""
    if gone:
        reading.say("routine", "logs", f"{label(change)} is deleted: {gone}")
        reading.whole = True
        return reading
    if change.op != "update" or change.old is None or change.new is None:
        return reading
    before, after = change.old.inputs.get(_SWITCH), change.new.inputs.get(_SWITCH)
    if before == after or not isinstance(after, bool):
        return reading
    reading.explained |= {_SWITCH, _SILENCE}
    if after:
        reading.say("routine", "logs", "alarms send notifications again")
    else:
        says = (
            "alarms send no notifications: while the stack is paused, or until they are"
            " switched on again"
        )
        reading.say("interrupts", "logs", says)
    return reading


def _without_a_group(alarm: Resource, context: EffectContext) -> str:
    """Why an alarm of a group of nodes is no longer needed: the group retires, so that it starts
    no node, or is deleted too. Empty for any other.
    """
    looked_at = set(_groups_of(alarm.inputs.get("metricQueries")))
    if not looked_at:
        return ""
    there = [
        group
        for group in context.new.resources
        if group.type == GROUP and group.inputs.get("name") in looked_at
    ]
    if not there:
        return "the group that it monitored is deleted too"
    if all(is_retiring(group) for group in there):
        return "the group that it monitored retires, and no longer starts nodes"
    return ""


def _groups_of(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _groups_of(item)
    elif isinstance(value, dict):
        name = value.get("AutoScalingGroupName")
        if isinstance(name, str):
            yield name
        for item in value.values():
            yield from _groups_of(item)


# --- EFS's own daily backup: whether AWS Backup still covers homes when it is switched off.


_SELECTION, _FILE_SYSTEM = "aws:backup/selection:Selection", "aws:efs/fileSystem:FileSystem"


def read(change: Change, context: EffectContext) -> Reading:
    """The plan is switched. Where a selection of AWS Backup finds every file system by its tag,
    no backup is lost.
    """
    reading = Reading(change)
    if change.old is None or change.new is None:
        return reading
    if change.new.inputs.get("backupPolicy", {}).get("status") != "DISABLED":
        return reading
    resources = context.new.resources
    wanted = [
        (tag["key"], tag["value"])
        for selection in resources.of(_SELECTION)
        for tag in selection.inputs.get("selectionTags", ())
    ]
    systems = resources.of(_FILE_SYSTEM)
    if systems and all(
        any(system.inputs.get("tags", {}).get(key) == value for key, value in wanted)
        for system in systems
    ):
        reading.explained.add("backupPolicy")
        says = (
            "EFS's own daily backup is switched off: this stack's AWS Backup plan covers homes;"
            " its old backups stay until they expire"
        )
        reading.say("routine", "data", says)
    return reading
