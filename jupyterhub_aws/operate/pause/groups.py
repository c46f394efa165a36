"""Every group of nodes of a cluster that the stack made: to nothing, and back to what the stack
file says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.live.account import Account, kindly
from jupyterhub_aws.operate.pause import sizes

_MANAGED = "eks:nodegroup-name"


class Groups:
    """User groups are found by the tag that gives them to this cluster's autoscaler, managed
    ones by EKS and the stack's own tag: nothing else is touched.
    """

    def __init__(self, command: str, account: Account, stack: StackConfig) -> None:
        self._command, self._account, self._stack = command, account, stack

    def awake(self) -> list[str]:
        """What is not at rest: groups that may grow, and nodes that are there."""
        with kindly(self._command):
            found = [line for group in self._user() if (line := _awake(group))]
            return [
                *found,
                *(line for group in self._managed() if (line := self._of_managed(group))),
            ]

    def user_nodes(self) -> list[str]:
        """Groups of user nodes that have some: somebody may work there."""
        with kindly(self._command):
            return [
                f"{group['AutoScalingGroupName']} ({len(group['Instances'])})"
                for group in self._user()
                if group["Instances"]
            ]

    def rest(self) -> None:
        """Ask AWS for no node anywhere: a group of at most none does not grow, whoever asks."""
        with kindly(self._command):
            for group in self._user():
                if (
                    group["AutoScalingGroupName"] not in self._wanted()
                    # somebody's own, or one that the next `up` takes away: the file does not know it
                ):
                    sizes.rest(self._account.client("autoscaling"), group)
                elif _sizes(group) != (0, 0, 0):
                    self._size(
                        group["AutoScalingGroupName"], MinSize=0, MaxSize=0, DesiredCapacity=0
                    )
            for managed in self._managed():
                self._scale(managed, {"minSize": 0, "maxSize": 1, "desiredSize": 0})

    def asleep(self) -> list[str]:
        """What does not yet have the sizes of the stack file, or nodes of a managed group that
        have not come.
        """
        core = self._stack.pools.core
        with kindly(self._command):
            found = []
            for group in self._user():
                wanted = self._wanted().get(group["AutoScalingGroupName"])
                if (
                    sizes.kept(group)
                    if wanted is None
                    else (group["MinSize"], group["MaxSize"]) != wanted
                ):
                    found.append(f"{group['AutoScalingGroupName']} (at most {group['MaxSize']})")
            for managed in self._managed():
                scaling = managed["scalingConfig"]
                if core is not None and (
                    scaling["desiredSize"] != core.size or managed["status"] != "ACTIVE"
                ):
                    found.append(
                        f"{managed['nodegroupName']} ({scaling['desiredSize']} of {core.size},"
                        f" {managed['status'].lower()})"
                    )
            return found

    def wake(self) -> None:
        """Ask AWS for the sizes of the stack file. Nodes of user pools come when somebody starts
        a server.
        """
        core = self._stack.pools.core
        with kindly(self._command):
            for group in self._user():
                wanted = self._wanted().get(group["AutoScalingGroupName"])
                if wanted is None:
                    sizes.wake(self._account.client("autoscaling"), group)
                elif (group["MinSize"], group["MaxSize"]) != wanted:
                    self._size(group["AutoScalingGroupName"], MinSize=wanted[0], MaxSize=wanted[1])
            for managed in self._managed():
                if core is not None:
                    self._scale(
                        managed,
                        {"minSize": core.size, "maxSize": core.size, "desiredSize": core.size},
                    )

    def _wanted(self) -> dict[str, tuple[int, int]]:
        return {
            group.group_name: (group.section.size.min, group.section.size.max)
            for group in resolve(self._stack).node_pools.groups
        }

    def _size(self, name: str, **numbers: int) -> None:
        self._account.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=name, **numbers
        )

    def _scale(self, managed: dict[str, Any], scaling: dict[str, int]) -> None:
        now = {key: managed["scalingConfig"].get(key) for key in scaling}
        if (
            now != scaling and managed["status"] == "ACTIVE"
        ):  # while EKS updates it, it takes no other order: asked again, if anything is left
            self._account.client("eks").update_nodegroup_config(
                clusterName=self._stack.name,
                nodegroupName=managed["nodegroupName"],
                scalingConfig=scaling,
            )

    def _user(self) -> Iterator[dict[str, Any]]:
        owned = {"Name": f"tag:k8s.io/cluster-autoscaler/{self._stack.name}", "Values": ["owned"]}
        for group in self._account.all(
            "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", Filters=[owned]
        ):
            if not any(
                tag["Key"] == _MANAGED for tag in group.get("Tags", [])
            ):  # EKS tags its own so, and scales them itself
                yield group

    def _managed(self) -> Iterator[dict[str, Any]]:
        client = self._account.client("eks")
        for name in self._account.all(
            "eks", "list_nodegroups", "nodegroups", clusterName=self._stack.name
        ):
            group = client.describe_nodegroup(clusterName=self._stack.name, nodegroupName=name)[
                "nodegroup"
            ]
            if (group.get("tags") or {}).get("stack") == self._stack.name:
                yield group

    def _of_managed(self, managed: dict[str, Any]) -> str:
        scaling, name = managed["scalingConfig"], managed["nodegroupName"]
        if scaling["desiredSize"] or scaling["minSize"]:
            return f"{name} ({scaling['desiredSize']} nodes wanted)"
        names = [
            str(item["name"])
            for item in (managed.get("resources") or {}).get("autoScalingGroups") or []
        ]
        nodes = sum(len(group["Instances"]) for group in self._named(names))
        return f"{name} ({nodes} nodes)" if nodes else ""

    def _named(self, names: Sequence[str]) -> list[dict[str, Any]]:
        if not names:
            return []
        return list(
            self._account.all(
                "autoscaling",
                "describe_auto_scaling_groups",
                "AutoScalingGroups",
                AutoScalingGroupNames=list(names),
            )
        )


def _sizes(group: dict[str, Any]) -> tuple[int, int, int]:
    return group["MinSize"], group["MaxSize"], group["DesiredCapacity"]


def _awake(group: dict[str, Any]) -> str:
    if group["Instances"]:
        return f"{group['AutoScalingGroupName']} ({len(group['Instances'])} nodes)"
    return (
        ""
        if _sizes(group) == (0, 0, 0)
        else f"{group['AutoScalingGroupName']} (at most {group['MaxSize']})"
    )
