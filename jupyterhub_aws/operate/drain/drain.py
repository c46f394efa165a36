"""What a drain does, in steps that can be run again: no new server starts, users' servers end by
themselves or after a notice, empty nodes are removed.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.errors import refused, some
from jupyterhub_aws.config.pools import ExistingNodePool
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.drain.nodes import (
    DrainedNode,
    Instances,
    Nodes,
    PodOnNode,
    labels,
    of,
    of_generation,
    selector_of,
)
from jupyterhub_aws.operate.live.account import Account
from jupyterhub_aws.operate.live.cluster import KubectlCluster
from jupyterhub_aws.operate.live.hub_api import HubApi, Server
from jupyterhub_aws.operate.live.notifier import UserNotifier
from jupyterhub_aws.operate.live.steps import CommandStep, TakenStep

# --- Users on nodes that are drained: notified through their hubs until a moment; then their
# servers are stopped as if they had done it themselves. No other servers are.


#: A notice outlives its deadline by so long, so that users who come back read why.
_AFTERWARDS = 900
_BEGINS = "Old machines of the pool {pool} are replaced: "


def notifier_of(hubs: Sequence[HubApi], nodes: Nodes, pool: str) -> UserNotifier:
    """The users with servers on these nodes. Only the hubs that have some there show the notice,
    and all users of a hub read it: it says which of them it concerns, without a name.
    """
    by_namespace = {f"hub-{hub.hub}": hub for hub in hubs}
    begins = _BEGINS.format(pool=pool)

    def concerned() -> list[HubApi]:
        found = {pod.namespace for pod in nodes.servers()}
        return [by_namespace[namespace] for namespace in sorted(found & by_namespace.keys())]

    def servers(hub: HubApi) -> list[Server]:
        wanted = {(pod.namespace, pod.user, pod.server) for pod in nodes.servers()}
        there, namespace = hub.servers(), f"hub-{hub.hub}"
        return [server for server in there if (namespace, server.user, server.name) in wanted]

    return UserNotifier(
        command=COMMAND,
        hubs=hubs,
        concerned=concerned,
        running=lambda: labels(nodes.servers()),
        servers=servers,
        text=lambda when: (
            f"{begins}servers that run on them stop {when}. Stop and start yours before, and it"
            " runs on a new one. Save your work; your files stay."
        ),
        begins=begins,
        kept_seconds=_AFTERWARDS,
        called_off="; no server starts on these nodes (kubectl uncordon NODE)",
    )


COMMAND = "jhub drain"
#: Without --by no user is hurried: after half a day the command gives up waiting, not the nodes.
_OWN_TIME_SECONDS = 12 * 3600.0
_STOPPING_SECONDS = 300.0
#: The autoscaler takes a node that was not needed for ten minutes
#: (config/specs/autoscaler.py), a few at a time.
_GOING_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Drain:
    """Whose nodes: `nodes` looks them up; `instances` is None where they are not this stack's to
    end.
    """

    stack: StackConfig
    pool: str
    nodes: Nodes
    instances: Instances | None

    def steps(self, hubs: Sequence[HubApi], by: datetime.datetime | None) -> list[CommandStep]:
        """Everything up to empty nodes that are gone."""
        notifier = notifier_of(hubs, self.nodes, self.pool)
        told = list[bool]()

        def hurry() -> None:
            if by is None:
                return
            if not told:
                notifier.wait(by.timestamp())
                told.append(True)
            notifier.stop()

        found = [
            self.cordon(),
            CommandStep(
                "servers end by themselves" if by is None else "servers end",
                lambda: labels(self.nodes.servers()),
                hurry,
                _OWN_TIME_SECONDS if by is None else _STOPPING_SECONDS,
            ),
        ]
        if self.instances is not None:
            found.append(
                CommandStep(
                    "empty nodes go",
                    lambda: [node.name for node in self.nodes.all()],
                    self._release,
                    _GOING_SECONDS,
                )
            )
        if by is not None:
            found.append(_once("the notice is cleared", notifier.clear))
        return found

    def closes(self) -> str | None:
        """What is said before the pool's last open nodes take no server any more and no other
        comes; None where users can still start one.
        """
        meant, selector = set(self.nodes.open()), selector_of(self.stack, self.pool)
        there = Nodes(self.nodes.cluster, selector, of_generation(None)).open()
        if not meant or set(there) - meant:
            return None
        section = self.stack.pools.user[self.pool]
        who = f"{', '.join(sorted(meant))}: no other node of {self.pool} takes servers"
        if isinstance(section, ExistingNodePool):
            return f"{who}, and none comes by itself. Until you run `kubectl uncordon NODE`, no user can start a server there"
        largest = sum(
            group.section.size.max
            for group in resolve(self.stack).node_pools.groups
            if group.pool.name == self.pool and not group.retiring
        )
        if len(self.nodes.all()) < largest:
            return None  # the autoscaler brings another
        return f"{who}, and the pool has as many nodes as it may ({largest}). Until some have gone, no user can start a server there"

    def cordon(self) -> CommandStep:
        """The first step by itself."""
        return CommandStep(
            "no server starts on them any more",
            self.nodes.open,
            self.nodes.cordon,
            _STOPPING_SECONDS,
        )

    def _release(self) -> None:
        """The autoscaler takes empty nodes; what it may not take is ended here, after one more
        look that they are empty.
        """
        assert self.instances is not None  # noqa: S101 -- the step exists only with it
        for ended in self.instances.release(self.nodes.empty()):
            print(
                f"  ended {ended}: its group is at its smallest size, so the autoscaler leaves it;"
                " a new one takes its place",
                file=sys.stderr,
                flush=True,
            )


def _once(says: str, do: Callable[[], None]) -> CommandStep:
    done = list[bool]()

    def now() -> None:
        do()
        done.append(True)

    return CommandStep(says, lambda: [] if done else ["once"], now)


def pool_of(stack: StackConfig, pool: str, *, old: bool) -> None:
    """Raise ConfigError for a pool that is not drained so."""
    if pool == "core":
        fix = (
            "raise pools.core.generation and run pulumi up: the new ones are there before the old"
            " ones go"
        )
        what = "names the core nodes, on which hub and proxy run: EKS replaces them, at `up`"
        raise refused(COMMAND, "drain.core", "POOL", what, fix)
    if pool not in stack.pools.user:
        what = f"is not a user pool of this stack (got {pool!r})"
        fix = f"choose one of {', '.join(stack.pools.user) or 'none: it has no user pool'}"
        raise refused(COMMAND, "drain.no-pool", "POOL", what, fix)
    if old and isinstance(stack.pools.user[pool], ExistingNodePool):
        what = "asks AWS from which template nodes were started, and these were there already"
        fix = "leave it out, and all nodes of the pool are meant"
        raise refused(COMMAND, "drain.existing-nodes", "--old", what, fix)
    if stack.parts == "cloud":
        what = "is a cloud stack; hubs and servers are known to its cluster stack"
        fix = "run it on the runner, with the stack whose file says cloud_stack and this one's name"
        raise refused(COMMAND, "split.outer-has-no-hubs", "STACK", what, fix)
    if stack.paused:
        fix = "there is nothing to drain"
        raise refused(COMMAND, "stack.paused", "paused", "a paused stack has no nodes", fix)


def drain_of(
    stack: StackConfig,
    pool: str,
    found: tuple[KubectlCluster, Account | None],
    *,
    generation: int | None,
    old: bool,
) -> Drain:
    """The drain of a pool's nodes: those of a generation, those that are `old`, or all. The old
    ones are fixed now: what starts later is not old.
    """
    cluster, account = found
    instances = (
        None
        if account is None or isinstance(stack.pools.user[pool], ExistingNodePool)
        else Instances(COMMAND, account, stack, pool)
    )
    meant = of(instances.old()) if old and instances is not None else of_generation(generation)
    nodes = Nodes(cluster, selector_of(stack, pool), meant)
    if not old and generation is None:
        # What starts meanwhile is not meant: servers that end go there.
        names = {node.name for node in nodes.all()}
        nodes = Nodes(cluster, selector_of(stack, pool), lambda node: node.name in names)
    return Drain(stack=stack, pool=pool, nodes=nodes, instances=instances)


@dataclass(frozen=True, kw_only=True)
class DrainResult:
    """Where a drain ended. `state` is `drained` or `cordoned`; `nodes` were meant; `servers` are
    still on them; `retiring`: the stack file names the generation as one that goes.
    """

    stack: str
    pool: str
    generation: int | None
    retiring: bool
    state: str
    nodes: Sequence[str]
    servers: Sequence[PodOnNode]
    warning: str | None
    steps: Sequence[TakenStep]

    @property
    def says(self) -> str:
        """The result in words."""
        if self.state == "cordoned":
            return (
                f"{len(self.nodes)} nodes take no server any more; {len(self.servers)} servers are"
                " on them."
            )
        if self.retiring:
            return (
                f"Generation {self.generation} of {self.pool} is empty. Take it out of"
                f" pools.{self.pool}.retiring, then: pulumi up"
            )
        return f"{self.pool}: done."

    def as_json(self) -> dict[str, Any]:
        """The result as `jhub drain --json` prints it."""
        empty = self.state == "drained" and self.retiring
        return {
            "format": "jupyterhub-aws/drain/1",
            "stack": self.stack,
            "pool": self.pool,
            "generation": self.generation,
            "state": self.state,
            "nodes": list(self.nodes),
            "servers": [
                {"hub": pod.namespace.removeprefix("hub-"), "user": pod.user, "server": pod.server}
                for pod in self.servers
            ],
            "warning": self.warning,
            "not_needed": f"pools.{self.pool}.retiring" if empty else None,
            "steps": [step.as_json() for step in self.steps],
            "says": self.says,
        }


def summary(nodes: Sequence[DrainedNode], servers: Sequence[str]) -> str:
    """What is there, in a line."""
    if not nodes:
        return "There is no such node."
    who = f"; servers on them: {some(servers)}" if servers else "; no server is on them"
    return f"{len(nodes)} nodes: {some([node.name for node in nodes])}{who}"
