"""The machines of a cluster that somebody else made, by the tags that the stack file names: nodes
stop first and start last.

Machines by themselves (kubeadm) are stopped and started. A group (kops) would replace a machine
that is stopped: it goes to zero, with its sizes kept in a tag of its own, and back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.pause import PausedInstances as Section
from jupyterhub_aws.operate.live.account import Account, kindly
from jupyterhub_aws.operate.pause.sizes import kept, rest, wake

Role = Literal["control_plane", "nodes"]
_OF_GROUP = "aws:autoscaling:groupName"
_GONE = ("terminated", "shutting-down")


class TaggedInstances:
    """Machines and groups of one role. Nothing without the role's tag is touched."""

    def __init__(self, command: str, account: Account, section: Section, role: Role) -> None:
        self._command, self._account, self._role = command, account, role
        self._key, _, self._value = getattr(section, role).partition("=")

    def there(self) -> None:
        """Raise ConfigError where no machine and no group has the tag: a typo there would pause
        nothing and say that all is well.
        """
        with kindly(self._command):
            found = bool(next(self._machines(), None) or next(self._groups(), None))
            spot = [
                item["InstanceId"]
                for item in self._machines()
                if item.get("InstanceLifecycle") == "spot"
            ]
        if not found:
            what = (
                f"no machine and no group in {self._account.region} has the tag"
                f" {self._key}={self._value}"
            )
            raise ConfigError(
                self._command,
                [
                    Problem(
                        path=f"pause.instances.{self._role}",
                        what=what,
                        fix="look at the tags of the machines, and correct it",
                    )
                ],
            )
        if spot:
            what = f"{spot[0]} is a spot instance, which AWS does not stop but end"
            raise ConfigError(
                self._command,
                [
                    Problem(
                        path=f"pause.instances.{self._role}",
                        what=what,
                        fix="drain and end it by hand, or name another tag",
                    )
                ],
            )

    def running(self) -> list[str]:
        """What does not stand still."""
        with kindly(self._command):
            found = [
                f"{item['InstanceId']} ({item['State']['Name']})"
                for item in self._machines()
                if item["State"]["Name"] != "stopped"
            ]
            return [
                *found,
                *(
                    _group_line(group)
                    for group in self._groups()
                    if group["Instances"] or group["DesiredCapacity"] or group["MaxSize"]
                ),
            ]

    def standing(self) -> list[str]:
        """What does not run yet."""
        with kindly(self._command):
            found = [
                f"{item['InstanceId']} ({item['State']['Name']})"
                for item in self._machines()
                if item["State"]["Name"] != "running"
            ]
            return [
                *found,
                *(
                    _group_line(group)
                    for group in self._groups()
                    if kept(group) or len(group["Instances"]) < group["DesiredCapacity"]
                ),
            ]

    def stop(self) -> None:
        """Ask for it."""
        with kindly(self._command):
            running = [
                item["InstanceId"]
                for item in self._machines()
                if item["State"]["Name"] == "running"
            ]
            if running:
                self._account.client("ec2").stop_instances(InstanceIds=running)
            client = self._account.client("autoscaling")
            for group in self._groups():
                rest(client, group)

    def start(self) -> None:
        """Ask for it."""
        with kindly(self._command):
            stopped = [
                item["InstanceId"]
                for item in self._machines()
                if item["State"]["Name"] == "stopped"
            ]
            if stopped:
                self._account.client("ec2").start_instances(InstanceIds=stopped)
            client = self._account.client("autoscaling")
            for group in self._groups():
                wake(client, group)

    def _machines(self) -> Iterator[dict[str, Any]]:
        wanted = [{"Name": f"tag:{self._key}", "Values": [self._value]}]
        for reservation in self._account.all(
            "ec2", "describe_instances", "Reservations", Filters=wanted
        ):
            for item in reservation["Instances"]:
                if item["State"]["Name"] not in _GONE and not any(
                    tag["Key"] == _OF_GROUP for tag in item.get("Tags", [])
                ):
                    yield item

    def _groups(self) -> Iterator[dict[str, Any]]:
        wanted = [{"Name": f"tag:{self._key}", "Values": [self._value]}]
        yield from self._account.all(
            "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", Filters=wanted
        )


def _group_line(group: dict[str, Any]) -> str:
    return (
        f"{group['AutoScalingGroupName']} ({len(group['Instances'])} of {group['DesiredCapacity']}"
        " machines)"
    )
