"""Who runs what, where, since when: the hub knows people and servers, Kubernetes the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.specs.node_groups import POOL
from jupyterhub_aws.operate.daily.ages import age, now
from jupyterhub_aws.operate.daily.pods import UserPod, server_pods, short
from jupyterhub_aws.operate.daily.scene import Inside
from jupyterhub_aws.operate.live.hub_api import Server
from jupyterhub_aws.operate.live.hubs import hub_api

FORMAT = "jupyterhub-aws/who/1"


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server of a hub, and where it runs; node and pool are empty while it waits for one."""

    hub: str
    server: Server
    node: str
    pool: str

    @property
    def state(self) -> str:
        """What it does: empty while it simply runs."""
        if self.server.pending:
            return {"spawn": "starts", "stop": "stops"}.get(
                self.server.pending, self.server.pending
            )
        return "" if self.server.ready else "not ready"

    def as_json(self) -> dict[str, Any]:
        """The server as data; times in UTC as the hub has them."""
        server = self.server
        named = {
            "user": server.user,
            "server": server.name,
            "profile": server.profile,
            "state": self.state or "runs",
        }
        return {
            "hub": self.hub,
            **named,
            "node": self.node,
            "pool": self.pool,
            "since": server.started,
            "last_activity": server.last_activity,
        }


def running(scene: Inside, hubs: Sequence[str]) -> list[Running]:
    """Every server of these hubs. Raises ConfigError where one does not answer."""
    nodes = {
        item["metadata"]["name"]: item["metadata"].get("labels") or {}
        for item in scene.cluster.data("get", "nodes")["items"]
    }
    found = []
    for hub in hubs:
        pods = {
            (pod.user, pod.server): pod for pod in server_pods(scene.stack, scene.cluster, [hub])
        }
        with hub_api(scene.stack, scene.cluster, hub) as (api, _):
            found += [
                _running(hub, server, pods.get((server.user, server.name)), nodes)
                for server in api.servers()
            ]
    return found


def _running(
    hub: str, server: Server, pod: UserPod | None, nodes: dict[str, dict[str, str]]
) -> Running:
    node = "" if pod is None else pod.node
    return Running(hub=hub, server=server, node=node, pool=nodes.get(node, {}).get(POOL, ""))


def as_json(stack: str, found: Sequence[Running]) -> dict[str, Any]:
    """The answer as data."""
    return {"format": FORMAT, "stack": stack, "servers": [item.as_json() for item in found]}


def show(stack: str, found: Sequence[Running]) -> None:
    """Print the answer, for 80 columns."""
    from rich.table import Table

    from jupyterhub_aws.cli.console import Terminal

    console = Terminal()
    if not found:
        console.print(f"{stack}: nobody has a server")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("hub", "user", "profile", "node", "pool"):
        table.add_column(head, overflow="fold")
    for head in ("since", "active"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("")
    at = now()
    for item in found:
        server = item.server
        times = (age(server.started, at), age(server.last_activity, at))
        table.add_row(
            item.hub,
            server.label,
            server.profile or "–",
            short(item.node) or "–",
            item.pool or "–",
            *times,
            item.state,
        )
    console.print(table)
    people = len({(item.hub, item.server.user) for item in found})
    console.print(
        f"{len(found)} server{'s' if len(found) > 1 else ''} of {people}"
        f" {'people' if people > 1 else 'person'}",
        style="dim",
    )
