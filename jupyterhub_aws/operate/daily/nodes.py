"""The nodes by pool: what they are, how old, and how many user servers each runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jupyterhub_aws.config.specs.node_groups import CAPACITY_TYPE, ON_DEMAND, POOL
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.daily.who import SELECTOR, age, now, short
from jupyterhub_aws.operate.live.cluster import KubectlCluster

FORMAT = "jupyterhub-aws/nodes/1"
#: Kubernetes's own labels (reference, "Well-Known Labels, Annotations and Taints").
_TYPE, _ZONE = "node.kubernetes.io/instance-type", "topology.kubernetes.io/zone"


@dataclass(frozen=True, kw_only=True)
class NodeRow:
    """A node. `market` is spot, on demand, or empty where it is unknown; `state` is ready, not
    ready or cordoned; `since` is when it joined.
    """

    pool: str
    name: str
    type: str
    zone: str
    market: str
    version: str
    state: str
    since: str
    servers: int


def nodes(cluster: KubectlCluster) -> list[NodeRow]:
    """Every node, by pool and age. Raises ConfigError where the cluster does not answer."""
    pods = cluster.data("get", "pods", "--all-namespaces", "--selector", SELECTOR)["items"]
    carries = Counter(str(item["spec"].get("nodeName") or "") for item in pods)
    found = [_node(item, carries) for item in cluster.data("get", "nodes")["items"]]
    return sorted(found, key=lambda node: (node.pool != "core", node.pool, node.since, node.name))


def _node(item: Mapping[str, Any], carries: Mapping[str, int]) -> NodeRow:
    labels, name = item["metadata"].get("labels") or {}, item["metadata"]["name"]
    status = item.get("status") or {}
    ready = any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in status.get("conditions") or []
    )
    cordoned = bool((item.get("spec") or {}).get("unschedulable"))
    return NodeRow(
        pool=labels.get(POOL, ""),
        name=name,
        type=labels.get(_TYPE, ""),
        zone=labels.get(_ZONE, ""),
        market=_market(labels),
        version=str((status.get("nodeInfo") or {}).get("kubeletVersion") or ""),
        state="not ready" if not ready else ("cordoned" if cordoned else "ready"),
        since=str(item["metadata"].get("creationTimestamp") or ""),
        servers=carries.get(name, 0),
    )


def _market(labels: Mapping[str, str]) -> str:
    said = labels.get(CAPACITY_TYPE) or {"true": "ON_DEMAND", "false": "SPOT"}.get(
        labels.get(ON_DEMAND, ""), ""
    )
    return {"SPOT": "spot", "ON_DEMAND": "on demand"}.get(said, "")


def as_json(stack: str, found: Sequence[NodeRow]) -> dict[str, Any]:
    """The answer as data."""
    return {"format": FORMAT, "stack": stack, "nodes": [asdict(node) for node in found]}


def show(stack: StackConfig, found: Sequence[NodeRow]) -> None:
    """Print the answer, for 80 columns: pools without a node too."""
    from rich.table import Table

    from jupyterhub_aws.cli.console import Terminal

    console = Terminal()
    table = Table(
        box=None, pad_edge=False, collapse_padding=True, padding=(0, 1), header_style="dim"
    )
    table.add_column("pool", overflow="fold")
    for head in ("node", "type", "zone", "market", "version"):
        table.add_column(head, no_wrap=True)
    for head in ("age", "runs"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("")
    at = now()
    for node in found:
        zone, version = node.zone.rpartition("-")[2], node.version.partition("-")[0]
        state = "" if node.state == "ready" else node.state
        said = (node.type or "–", zone or "–", node.market or "–", version or "–")
        table.add_row(
            node.pool or "–", short(node.name), *said, age(node.since, at), str(node.servers), state
        )
    console.print(table)
    console.print("runs: user servers", style="dim")
    empty = sorted(set(stack.pools.user) - {node.pool for node in found})
    if empty:
        console.print(
            f"no node: {', '.join(empty)} (one comes when a user starts a server there)",
            style="dim",
        )
