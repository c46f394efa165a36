"""Who runs what, where, since when: the hub knows users and servers, Kubernetes the nodes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.specs.node_groups import POOL
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.daily.context import Inside
from jupyterhub_aws.operate.live.cluster import KubectlCluster
from jupyterhub_aws.operate.live.hub_api import Server, hub_api

# --- User pods and their nodes, as Kubernetes has them.


#: The chart's label of user servers, and KubeSpawner's annotations with names as they are
#: (labels are shortened).
SELECTOR = "component=singleuser-server"
_USER, _SERVER = "hub.jupyter.org/username", "hub.jupyter.org/servername"


@dataclass(frozen=True, kw_only=True)
class ServerPod:
    """A server's pod. `server` is empty for a user's default one; `node` is empty while it waits
    for one.
    """

    name: str
    hub: str
    user: str
    server: str
    node: str
    phase: str


def server_pods(stack: StackConfig, cluster: KubectlCluster, hubs: list[str]) -> list[ServerPod]:
    """The pods of users' servers of these hubs."""
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


def _pod(hub: str, item: Mapping[str, Any]) -> ServerPod:
    notes = item["metadata"].get("annotations") or {}
    return ServerPod(
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


# --- How long ago, in the fewest signs that say it.


_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def now() -> datetime.datetime:
    """The time, in UTC."""
    return datetime.datetime.now(tz=datetime.UTC)


def moment(text: str) -> datetime.datetime | None:
    """A time as Kubernetes and the hub write it (ISO 8601); None for none. Without a zone it is
    UTC.
    """
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def age(text: str, at: datetime.datetime) -> str:
    """`3m`, `5h`, `12d` before `at`; a dash where it is unknown."""
    found = moment(text)
    if found is None:
        return "–"
    seconds = max(0, int((at - found).total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds}s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR}h"
    return f"{seconds // _DAY}d"


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


def running(context: Inside, hubs: Sequence[str]) -> list[Running]:
    """Every server of these hubs. Raises ConfigError where one does not answer."""
    nodes = {
        item["metadata"]["name"]: item["metadata"].get("labels") or {}
        for item in context.cluster.data("get", "nodes")["items"]
    }
    found = []
    for hub in hubs:
        pods = {
            (pod.user, pod.server): pod
            for pod in server_pods(context.stack, context.cluster, [hub])
        }
        with hub_api(context.stack, context.cluster, hub) as (api, _):
            found += [
                _running(hub, server, pods.get((server.user, server.name)), nodes)
                for server in api.servers()
            ]
    return found


def _running(
    hub: str, server: Server, pod: ServerPod | None, nodes: dict[str, dict[str, str]]
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
        console.print(f"{stack}: no user has a server")
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
    users = len({(item.hub, item.server.user) for item in found})
    console.print(
        f"{len(found)} server{'s' if len(found) > 1 else ''} of {users}"
        f" {'users' if users > 1 else 'user'}",
        style="dim",
    )
