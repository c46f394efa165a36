"""The nodes of a pool as Kubernetes has them: which are meant, whose servers are on them, and
that no server comes any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.groups import POOL_LABEL
from jupyterhub_aws.config.generations import GENERATION
from jupyterhub_aws.config.pools import ExistingNodePool
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.daily.pods import SELECTOR
from jupyterhub_aws.operate.live.cluster import KubectlCluster

#: KubeSpawner's own marks of a person's server (kubespawner/spawner.py, _build_common_labels and
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
    """A person's server on a node."""

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
        """Let no server start on them any more. Whoever is on them stays."""
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
        """Nodes on which somebody's pod is: any that neither a DaemonSet nor the node itself
        brought.
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
