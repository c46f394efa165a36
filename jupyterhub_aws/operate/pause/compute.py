"""Every group of nodes of a cluster that the stack made: scaled to zero, and back to the sizes of
the stack file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from jupyterhub_aws.config.database import PostgresDatabase
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.config.pause import PausedInstances as Section
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.autoscaler import NAME, NAMESPACE
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.live.account import Account, translate_aws_errors
from jupyterhub_aws.operate.live.cluster import KubectlCluster

# --- The sizes of a group that no stack file knows, kept in a tag of the group itself while it is
# at zero.


#: The tag: least, most and wanted.
SIZES = "jupyterhub-aws/sizes-before-pause"


def recorded_sizes(group: dict[str, Any]) -> tuple[int, int, int] | None:
    """The sizes that are kept in a group's tag (least, most, wanted); None where none are."""
    text = next((tag["Value"] for tag in group.get("Tags", []) if tag["Key"] == SIZES), None)
    numbers = [] if text is None else [int(part) for part in text.split(",") if part.isdigit()]
    return (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else None


def scale_to_zero(client: Any, group: dict[str, Any]) -> None:
    """Scale a group to zero. Its sizes are recorded first, so that they are known after a command
    that is killed in between.
    """
    name = group["AutoScalingGroupName"]
    sizes = (group["MinSize"], group["MaxSize"], group["DesiredCapacity"])
    if recorded_sizes(group) is None:
        client.create_or_update_tags(Tags=[_tag(name, sizes)])
    if group["MaxSize"] or group["DesiredCapacity"]:
        client.update_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=0, MaxSize=0, DesiredCapacity=0
        )


def restore_size(client: Any, group: dict[str, Any]) -> None:
    """Scale a group back to the recorded sizes, and remove the tag. Nothing where none are
    recorded.
    """
    name, sizes = group["AutoScalingGroupName"], recorded_sizes(group)
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


_MANAGED = "eks:nodegroup-name"


class Groups:
    """User groups are found by the tag that gives them to this cluster's autoscaler, managed
    ones by EKS and the stack's own tag: nothing else is touched.
    """

    def __init__(self, command: str, account: Account, stack: StackConfig) -> None:
        self._command, self._account, self._stack = command, account, stack

    def active(self) -> list[str]:
        """What is active: groups that may grow, and nodes that exist."""
        with translate_aws_errors(self._command):
            lines = [_active(group) for group in self._user()]
            lines += [self._of_managed(group) for group in self._managed()]
            return [line for line in lines if line]

    def user_nodes(self) -> list[str]:
        """Groups of user nodes that have some: users may work there."""
        with translate_aws_errors(self._command):
            return [
                f"{group['AutoScalingGroupName']} ({len(group['Instances'])})"
                for group in self._user()
                if group["Instances"]
            ]

    def scale_to_zero(self) -> None:
        """Scale every group to zero, at most zero: so no autoscaler can make it grow."""
        with translate_aws_errors(self._command):
            for group in self._user():
                name = group["AutoScalingGroupName"]
                # Not of this stack, or one that the next `up` deletes: no file has its sizes.
                if name not in self._wanted():
                    scale_to_zero(self._account.client("autoscaling"), group)
                elif _sizes(group) != (0, 0, 0):
                    self._size(name, MinSize=0, MaxSize=0, DesiredCapacity=0)
            for managed in self._managed():
                self._scale(managed, {"minSize": 0, "maxSize": 1, "desiredSize": 0})

    def scaled_down(self) -> list[str]:
        """What does not yet have the sizes of the stack file, or nodes of a managed group that
        have not come.
        """
        core = self._stack.pools.core
        with translate_aws_errors(self._command):
            found = []
            for group in self._user():
                wanted = self._wanted().get(group["AutoScalingGroupName"])
                now = (group["MinSize"], group["MaxSize"])
                if recorded_sizes(group) if wanted is None else now != wanted:
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

    def restore_sizes(self) -> None:
        """Ask AWS for the sizes of the stack file. Nodes of user pools come when a user starts a
        server.
        """
        core = self._stack.pools.core
        with translate_aws_errors(self._command):
            for group in self._user():
                wanted = self._wanted().get(group["AutoScalingGroupName"])
                if wanted is None:
                    restore_size(self._account.client("autoscaling"), group)
                elif (group["MinSize"], group["MaxSize"]) != wanted:
                    self._size(group["AutoScalingGroupName"], MinSize=wanted[0], MaxSize=wanted[1])
            for managed in self._managed():
                if core is not None:
                    self._scale(
                        managed, dict.fromkeys(("minSize", "maxSize", "desiredSize"), core.size)
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
        # While EKS updates it, it takes no other order: asked again, if anything is left.
        if now != scaling and managed["status"] == "ACTIVE":
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
            # EKS tags its own so, and scales them itself.
            if not any(tag["Key"] == _MANAGED for tag in group.get("Tags", [])):
                yield group

    def _managed(self) -> Iterator[dict[str, Any]]:
        client, cluster = self._account.client("eks"), self._stack.name
        for name in self._account.all("eks", "list_nodegroups", "nodegroups", clusterName=cluster):
            found = client.describe_nodegroup(clusterName=cluster, nodegroupName=name)
            group = found["nodegroup"]
            if (group.get("tags") or {}).get("stack") == self._stack.name:
                yield group

    def _of_managed(self, managed: dict[str, Any]) -> str:
        scaling, name = managed["scalingConfig"], managed["nodegroupName"]
        if scaling["desiredSize"] or scaling["minSize"]:
            return f"{name} ({scaling['desiredSize']} nodes wanted)"
        groups = (managed.get("resources") or {}).get("autoScalingGroups") or []
        names = [str(item["name"]) for item in groups]
        nodes = sum(len(group["Instances"]) for group in self._named(names))
        return f"{name} ({nodes} nodes)" if nodes else ""

    def _named(self, names: Sequence[str]) -> list[dict[str, Any]]:
        if not names:
            return []
        call = ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups")
        return list(self._account.all(*call, AutoScalingGroupNames=list(names)))


def _sizes(group: dict[str, Any]) -> tuple[int, int, int]:
    return group["MinSize"], group["MaxSize"], group["DesiredCapacity"]


def _active(group: dict[str, Any]) -> str:
    name = group["AutoScalingGroupName"]
    if group["Instances"]:
        return f"{name} ({len(group['Instances'])} nodes)"
    return "" if _sizes(group) == (0, 0, 0) else f"{name} (at most {group['MaxSize']})"


# --- The machines of an existing cluster, by the tags that the stack file names:
# nodes stop first and start last.


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
        with translate_aws_errors(self._command):
            found = bool(next(self._machines(), None) or next(self._groups(), None))
            machines = list(self._machines())
        path = f"pause.instances.{self._role}"
        if not found:
            tag = f"{self._key}={self._value}"
            what = f"no machine and no group in {self._account.region} has the tag {tag}"
            fix = "look at the tags of the machines, and correct it"
            raise refused(self._command, "pause.no-instances", path, what, fix)
        spot = [item["InstanceId"] for item in machines if item.get("InstanceLifecycle") == "spot"]
        if spot:
            what = f"{spot[0]} is a spot instance, which AWS does not stop but end"
            fix = "drain and end it by hand, or name another tag"
            raise refused(self._command, "pause.spot-instance", path, what, fix)

    def running(self) -> list[str]:
        """What is not stopped."""
        with translate_aws_errors(self._command):
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

    def not_available(self) -> list[str]:
        """What does not run yet."""
        with translate_aws_errors(self._command):
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
                    if recorded_sizes(group) or len(group["Instances"]) < group["DesiredCapacity"]
                ),
            ]

    def stop(self) -> None:
        """Ask for it."""
        with translate_aws_errors(self._command):
            running = [
                item["InstanceId"]
                for item in self._machines()
                if item["State"]["Name"] == "running"
            ]
            if running:
                self._account.client("ec2").stop_instances(InstanceIds=running)
            client = self._account.client("autoscaling")
            for group in self._groups():
                scale_to_zero(client, group)

    def start(self) -> None:
        """Ask for it."""
        with translate_aws_errors(self._command):
            stopped = [
                item["InstanceId"]
                for item in self._machines()
                if item["State"]["Name"] == "stopped"
            ]
            if stopped:
                self._account.client("ec2").start_instances(InstanceIds=stopped)
            client = self._account.client("autoscaling")
            for group in self._groups():
                restore_size(client, group)

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


# --- The cluster's autoscaler: off before nodes go, or it would buy the next ones.


_DEPLOYMENT = f"deployment/{NAME}"


class Autoscaler:
    """Its Deployment, which the stack's release made."""

    def __init__(self, cluster: KubectlCluster) -> None:
        self._cluster = cluster

    def running(self) -> list[str]:
        """What of it still runs or is wanted."""
        wanted, there = self._replicas()
        return [f"{max(wanted, there)} of it"] if wanted or there else []

    def missing(self) -> list[str]:
        """What of it is wanted and not there."""
        wanted, there = self._replicas()
        return [] if wanted and there >= wanted else [f"{there} of {max(wanted, 1)}"]

    def stop(self) -> None:
        """Scale it to zero."""
        self._scale(0)

    def start(self) -> None:
        """Scale it to one, as the stack's release has it."""
        self._scale(1)

    def _scale(self, replicas: int) -> None:
        if self._replicas()[0] != replicas:
            self._cluster.change(
                "--namespace", NAMESPACE, "scale", _DEPLOYMENT, f"--replicas={replicas}"
            )

    def _replicas(self) -> tuple[int, int]:
        found: Any = self._cluster.data("--namespace", NAMESPACE, "get", _DEPLOYMENT)
        there = found.get("status", {}).get("replicas", 0)
        return int(found["spec"].get("replicas", 1)), int(there)


# --- The hubs' PostgreSQL instances: stopped and started. AWS starts a stopped one by itself after
# seven days (RDS user guide, "Stopping an instance").


def database_identifier(stack: str, hub: str) -> str:
    """The name that RDS knows a hub's instance by (components/hub/database.py)."""
    return f"{HubNames(stack=stack, hub=hub).physical}-database"


class Databases:
    """The instances of this stack's hubs, by their names. One that is not there is nothing to
    wait for.
    """

    def __init__(self, command: str, account: Account, stack: StackConfig) -> None:
        self._command, self._account = command, account
        self.names = [
            database_identifier(stack.name, name)
            for name, hub in sorted(stack.hubs.items())
            if isinstance(hub.database, PostgresDatabase)
        ]

    def running(self) -> list[str]:
        """Those that are not stopped, with their state."""
        return [f"{name} ({state})" for name, state in self._states().items() if state != "stopped"]

    def not_available(self) -> list[str]:
        """Those that are not available yet."""
        waits = ("stopped", "stopping", "starting")
        return [f"{name} ({state})" for name, state in self._states().items() if state in waits]

    def stop(self) -> None:
        """Ask for it. One that is busy (a backup, a change) is asked again later."""
        self._each("available", "stop_db_instance")

    def start(self) -> None:
        """Ask for it. One that is still stopping is asked again later."""
        self._each("stopped", "start_db_instance")

    def _each(self, state: str, operation: str) -> None:
        with translate_aws_errors(self._command):
            for name, status in self._states().items():
                if status == state:
                    getattr(self._account.client("rds"), operation)(DBInstanceIdentifier=name)

    def _states(self) -> dict[str, str]:
        with translate_aws_errors(self._command):
            return {
                name: status for name in self.names if (status := self._state(name)) is not None
            }

    def _state(self, name: str) -> str | None:
        client: Any = self._account.client("rds")
        try:
            found = client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        except client.exceptions.DBInstanceNotFoundFault:
            return None
        return str(found[0]["DBInstanceStatus"])
