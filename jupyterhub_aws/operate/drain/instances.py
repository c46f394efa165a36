"""The same nodes as EC2 has them: which started from an older template, and those that the
autoscaler cannot take because the group is at its smallest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.drain.nodes import DrainedNode
from jupyterhub_aws.operate.live.account import Account, kindly


class Instances:
    """The groups of a pool in the account, by the names that the stack gives them and the tag of
    its cluster: nobody else's are seen.
    """

    def __init__(self, command: str, account: Account, stack: StackConfig, pool: str) -> None:
        self._command, self._account, self._stack = command, account, stack
        self._names = [
            group.group_name
            for group in resolve(stack).node_pools.groups
            if group.pool.name == pool
        ]

    def old(self) -> set[str]:
        """Ids of instances that run another version of their group's template than a new one
        would.
        """
        with kindly(self._command):
            found = set()
            for group in self._groups():
                wanted = self._version(_template(group))
                found |= {
                    item["InstanceId"]
                    for item in group["Instances"]
                    if wanted and _version_of(item) not in ("", wanted)
                }
            return found

    def release(self, empty: Sequence[DrainedNode]) -> list[str]:
        """End those of the empty nodes that the autoscaler must leave because their group is at its
        smallest size; the group starts a new one for each.

        Returns the ids of what was ended.
        """
        ids, ended = {node.instance for node in empty if node.instance}, []
        with kindly(self._command):
            client = self._account.client("autoscaling")
            for group in self._groups():
                if group["DesiredCapacity"] > group["MinSize"]:
                    continue
                for item in group["Instances"]:
                    if item["InstanceId"] in ids and item["LifecycleState"] == "InService":
                        client.terminate_instance_in_auto_scaling_group(
                            InstanceId=item["InstanceId"], ShouldDecrementDesiredCapacity=False
                        )
                        ended.append(item["InstanceId"])
        return ended

    def _groups(self) -> Iterator[dict[str, Any]]:
        owned = {"Name": f"tag:k8s.io/cluster-autoscaler/{self._stack.name}", "Values": ["owned"]}
        for group in self._account.all(
            "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", Filters=[owned]
        ):
            if group["AutoScalingGroupName"] in self._names:
                yield group

    def _version(self, template: dict[str, Any]) -> str:
        """The version as a number: a group may also say $Latest or $Default."""
        version = str(template.get("Version", ""))
        if not version.startswith("$"):
            return version
        (found,) = self._account.client("ec2").describe_launch_templates(
            LaunchTemplateIds=[template["LaunchTemplateId"]]
        )["LaunchTemplates"]
        return str(found["LatestVersionNumber" if version == "$Latest" else "DefaultVersionNumber"])


def _template(group: dict[str, Any]) -> dict[str, Any]:
    policy = (
        group.get("MixedInstancesPolicy", {})
        .get("LaunchTemplate", {})
        .get("LaunchTemplateSpecification")
    )
    found: dict[str, Any] = policy or group.get("LaunchTemplate") or {}
    return found


def _version_of(instance: dict[str, Any]) -> str:
    return str((instance.get("LaunchTemplate") or {}).get("Version", ""))
