"""EFS's own daily plan: whether somebody else backs homes up when it goes."""

from __future__ import annotations

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.effect import EffectContext, Reading

_SELECTION, _FILE_SYSTEM = "aws:backup/selection:Selection", "aws:efs/fileSystem:FileSystem"


def read(change: Change, context: EffectContext) -> Reading:
    """The plan is switched. Where a selection of AWS Backup finds every file system by its tag,
    nobody loses a backup.
    """
    reading = Reading()
    if (
        change.old is None
        or change.new is None
        or change.new.inputs.get("backupPolicy", {}).get("status") != "DISABLED"
    ):
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
            "EFS's own daily plan goes: AWS Backup's plan of this stack backs homes up; its old"
            " backups stay until their day"
        )
        reading.say(change, ("routine", "data", says))
    return reading
