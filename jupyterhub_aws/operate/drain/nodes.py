"""The nodes of a pool as Kubernetes has them: which are meant, whose servers are on them, and
that no server comes any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.placement import POOL_LABEL
from jupyterhub_aws.config.pools import GENERATION, ExistingNodePool
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.daily.who import SELECTOR
from jupyterhub_aws.operate.live.account import Account, translate_aws_errors
from jupyterhub_aws.operate.live.cluster import KubectlCluster

#: KubeSpawner's own marks of a user's server (kubespawner/spawner.py, _build_common_labels and
#: _build_common_annotations).
_USER, _NAME = "hub.jupyter.org/username", "hub.jupyter.org/servername"
_OVER = ("Succeeded", "Failed")


@dataclass(frozen=True, kw_only=True)
class DrainedNode:
    """A node. `generation` is 1 where it says none; `instance` is EC2's id, empty where it has
    none.
    """

    name: str
    generation: int
    instance: str
    cordoned: bool


@dataclass(frozen=True, kw_only=True)
class PodOnNode:
    """A user's server on a node."""

    namespace: str
    pod: str
    node: str
    user: str
    server: str

    @property
    def label(self) -> str:
        """How a message names it."""
        who = f"{self.user}/{self.server}" if self.server else self.user or self.pod
        return f"{who} ({self.namespace.removeprefix('hub-')})"


class Nodes:
    """The nodes that are meant: those of the pool for which `meant` says so, looked up again
    each time.
    """

    def __init__(
        self, cluster: KubectlCluster, selector: str, meant: Callable[[DrainedNode], bool]
    ) -> None:
        self.cluster, self._selector, self._meant = cluster, selector, meant

    def all(self) -> list[DrainedNode]:
        """What is there now, by name."""
        found = self.cluster.data("get", "nodes", "--selector", self._selector)["items"]
        return sorted(
            (node for node in map(_node, found) if self._meant(node)), key=lambda node: node.name
        )

    def open(self) -> list[str]:
        """Those on which servers may still start."""
        return [node.name for node in self.all() if not node.cordoned]

    def cordon(self) -> None:
        """Let no server start on them any more. Servers on them stay."""
        names = self.open()
        if names:
            self.cluster.change("cordon", *names)

    def servers(self) -> list[PodOnNode]:
        """Whose servers are on them."""
        names = {node.name for node in self.all()}
        return [pod for pod in self._pods() if pod.node in names]

    def empty(self) -> list[DrainedNode]:
        """Those that nothing can start on and nothing is on but what every node has: looked at
        in this order, so that nothing can have come meanwhile.
        """
        nodes = [node for node in self.all() if node.cordoned]
        taken = set(self._busy()) if nodes else set()
        return [node for node in nodes if node.name not in taken]

    def _busy(self) -> Iterator[str]:
        """Nodes with a pod of a user or of other software: any that neither a DaemonSet nor the
        node itself brought.
        """
        for item in self.cluster.data("get", "pods", "--all-namespaces")["items"]:
            owners = {owner.get("kind") for owner in item["metadata"].get("ownerReferences") or []}
            if item.get("status", {}).get("phase") not in _OVER and not owners & {
                "DaemonSet",
                "Node",
            }:
                yield str(item.get("spec", {}).get("nodeName", ""))

    def _pods(self) -> Iterator[PodOnNode]:
        found = self.cluster.data("get", "pods", "--all-namespaces", "--selector", SELECTOR)[
            "items"
        ]
        for item in found:
            if item.get("status", {}).get("phase") not in _OVER:
                yield _pod(item)


def selector_of(stack: StackConfig, pool: str) -> str:
    """The labels by which a pool's nodes are found."""
    section = stack.pools.user[pool]
    labels = dict(section.node_selector) if isinstance(section, ExistingNodePool) else {}
    return ",".join(
        f"{key}={value}" for key, value in sorted((labels or {POOL_LABEL: pool}).items())
    )


def of(names: Collection[str]) -> Callable[[DrainedNode], bool]:
    """Nodes whose EC2 instance is one of these."""
    return lambda node: node.instance in names


def of_generation(number: int | None) -> Callable[[DrainedNode], bool]:
    """Nodes of a generation; of every one for None."""
    return lambda node: number is None or node.generation == number


def labels(pods: Sequence[PodOnNode]) -> list[str]:
    """How messages name them."""
    return [pod.label for pod in pods]


def _node(item: Mapping[str, Any]) -> DrainedNode:
    meta, spec = item["metadata"], item.get("spec", {})
    text = str((meta.get("labels") or {}).get(GENERATION, "1"))
    return DrainedNode(
        name=str(meta["name"]),
        generation=int(text) if text.isdigit() else 0,
        instance=str(spec.get("providerID", "")).rpartition("/")[2],
        cordoned=bool(spec.get("unschedulable")),
    )


def _pod(item: Mapping[str, Any]) -> PodOnNode:
    meta = item["metadata"]
    marks = {
        **(meta.get("labels") or {}),
        **(meta.get("annotations") or {}),
    }  # a label holds a name that was made safe, an annotation the name itself
    return PodOnNode(
        namespace=str(meta["namespace"]),
        pod=str(meta["name"]),
        node=str(item.get("spec", {}).get("nodeName", "")),
        user=str(marks.get(_USER, "")),
        server=str(marks.get(_NAME, "")),
    )


# --- The same nodes as EC2 has them: which started from an older template, and those that the
# autoscaler cannot take because the group is at its smallest.


class Instances:
    """The groups of a pool in the account, by the names that the stack gives them and the tag of
    its cluster: groups of other clusters are not seen.
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
        with translate_aws_errors(self._command):
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
        with translate_aws_errors(self._command):
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
