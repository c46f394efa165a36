"""People's pods and the nodes below them, as Kubernetes has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.live.cluster import KubectlCluster

#: The chart's label of people's servers, and KubeSpawner's annotations with names as they are
#: (labels are shortened).
SELECTOR = "component=singleuser-server"
_USER, _SERVER = "hub.jupyter.org/username", "hub.jupyter.org/servername"


@dataclass(frozen=True, kw_only=True)
class UserPod:
    """A server's pod. `server` is empty for a person's first one; `node` is empty while it waits
    for one.
    """

    name: str
    hub: str
    user: str
    server: str
    node: str
    phase: str


def server_pods(stack: StackConfig, cluster: KubectlCluster, hubs: list[str]) -> list[UserPod]:
    """The pods of people's servers of these hubs."""
    found = []
    for hub in hubs:
        namespace = HubNames(stack=stack.name, hub=hub).namespace
        found += [
            _pod(hub, item)
            for item in cluster.data(
                "--namespace", namespace, "get", "pods", "--selector", SELECTOR
            )["items"]
        ]
    return found


def _pod(hub: str, item: Mapping[str, Any]) -> UserPod:
    notes = item["metadata"].get("annotations") or {}
    return UserPod(
        name=item["metadata"]["name"],
        hub=hub,
        user=str(notes.get(_USER, "")),
        server=str(notes.get(_SERVER, "")),
        node=str(item["spec"].get("nodeName") or ""),
        phase=str((item.get("status") or {}).get("phase") or ""),
    )


def short(node: str) -> str:
    """A node's name without its domain: `ip-10-0-1-2`."""
    return node.partition(".")[0]
