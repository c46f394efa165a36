"""The sizes of a group that no stack file knows, kept in a tag of the group itself while it is
at zero.
"""

from __future__ import annotations

from typing import Any

#: The tag: least, most and wanted.
SIZES = "jupyterhub-aws/sizes-before-pause"


def kept(group: dict[str, Any]) -> tuple[int, int, int] | None:
    """The sizes that are kept in a group's tag; None where none are."""
    text = next((tag["Value"] for tag in group.get("Tags", []) if tag["Key"] == SIZES), None)
    numbers = [] if text is None else [int(part) for part in text.split(",") if part.isdigit()]
    return (
        (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else None
    )  # least, most, wanted


def rest(client: Any, group: dict[str, Any]) -> None:
    """To nothing. Its sizes are written down first, so that a command which is killed in between
    still knows them.
    """
    name = group["AutoScalingGroupName"]
    sizes = (group["MinSize"], group["MaxSize"], group["DesiredCapacity"])
    if kept(group) is None:
        client.create_or_update_tags(Tags=[_tag(name, sizes)])
    if group["MaxSize"] or group["DesiredCapacity"]:
        client.update_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=0, MaxSize=0, DesiredCapacity=0
        )


def wake(client: Any, group: dict[str, Any]) -> None:
    """Back to what was kept, and the tag goes. Nothing where nothing was."""
    name, sizes = group["AutoScalingGroupName"], kept(group)
    if sizes is not None:
        client.update_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=sizes[0], MaxSize=sizes[1], DesiredCapacity=sizes[2]
        )
        client.delete_tags(Tags=[_tag(name, sizes)])


def _tag(group: str, sizes: tuple[int, int, int]) -> dict[str, Any]:
    return {
        "ResourceId": group,
        "ResourceType": "auto-scaling-group",
        "Key": SIZES,
        "Value": ",".join(map(str, sizes)),
        "PropagateAtLaunch": False,
    }
