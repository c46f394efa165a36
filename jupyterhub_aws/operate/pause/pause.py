"""Pausing a stack, in this order: users, servers, autoscaler, nodes, databases; then the stack file
says so and `up` makes it the stack's state.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.cli.arguments import stack_file, validated_stack
from jupyterhub_aws.config.errors import ConfigError, Problem, refused, some
from jupyterhub_aws.config.pause import PausedInstances as Section
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import StackFile, find, read
from jupyterhub_aws.operate.daily.who import SELECTOR
from jupyterhub_aws.operate.live.account import Account, account_of
from jupyterhub_aws.operate.live.cluster import KubectlCluster, cluster_of
from jupyterhub_aws.operate.live.hub_api import HubApi, hub_runs
from jupyterhub_aws.operate.live.notifier import UserNotifier
from jupyterhub_aws.operate.live.steps import CommandStep, TakenStep
from jupyterhub_aws.operate.pause.compute import Autoscaler, Databases, Groups, TaggedInstances
from jupyterhub_aws.operate.pause.stack_file_edit import KEY, is_paused, set_paused

# --- Users first: the notice that they read, how long they have, and that their servers end as if
# they had stopped them.


#: A notice outlives its deadline by so long: users who look while the nodes go read why.
_AFTERWARDS = 3600
#: In the last minutes no server starts that would end at once.
_CLOSED_SECONDS = 300


def notifier_of(hubs: Sequence[HubApi]) -> UserNotifier:
    """All users of these hubs, who read one notice."""
    return UserNotifier(
        command=COMMAND,
        hubs=hubs,
        concerned=lambda: hubs,
        running=lambda: [f"{server.label} ({hub.hub})" for hub in hubs for server in hub.servers()],
        servers=lambda hub: hub.servers(),
        text=lambda when: (
            f"This hub will be paused {when}: servers stop then, and start again when it is"
            " resumed. Save your work; your files stay."
        ),
        kept_seconds=_AFTERWARDS,
        closed_seconds=_CLOSED_SECONDS,
    )


COMMAND = "jhub pause"
_STOPPING_SECONDS, _MACHINES_SECONDS = 300.0, 900.0


@dataclass(frozen=True, kw_only=True)
class PauseContext:
    """Of what a pause and a resume are made: the stack, its name, its file, and what of the world
    it needs (None: not needed, or not reached from here).
    """

    name: str
    stack: StackConfig
    file: StackFile
    account: Account | None
    cluster: KubectlCluster | None

    @property
    def own_nodes(self) -> bool:
        """Whether the stack's own groups are this command's business: not in the cluster stack,
        which AWS does not know.
        """
        eks = self.stack.cluster.kind == "eks"
        return self.account is not None and eks and self.stack.parts != "cluster"

    def machines(self, command: str) -> tuple[TaggedInstances, TaggedInstances] | None:
        """Nodes and control plane of an existing cluster, where the stack names
        them.
        """
        section: Section | None = self.stack.pause.instances
        if section is None or self.account is None:
            return None
        nodes = TaggedInstances(command, self.account, section, "nodes")
        plane = TaggedInstances(command, self.account, section, "control_plane")
        nodes.there()
        plane.there()
        return nodes, plane


def hubs_to_notify(context: PauseContext) -> list[str]:
    """The hubs that run. One that does not, and has no user's server either, was stopped by an
    earlier pause. Raises ConfigError where servers run without their hub: their users cannot be
    notified.
    """
    found, problems = [], []
    for hub in sorted(context.stack.hubs_inside) if context.cluster is not None else ():
        namespace = HubNames(stack=context.stack.name, hub=hub).namespace
        if context.cluster is not None and hub_runs(context.cluster, namespace):
            found.append(hub)
        elif context.cluster is not None and (pods := _servers(context.cluster, namespace)):
            what = f"does not run, and {len(pods)} user servers do: their users cannot be notified"
            fix = "look why (jhub doctor), or end them without notice: --now"
            problems.append(Problem(id="pause.hub-down", path=f"hub {hub}", what=what, fix=fix))
    if problems:
        raise ConfigError(COMMAND, problems)
    return found


def _servers(cluster: KubectlCluster, namespace: str) -> list[Any]:
    found = cluster.data("--namespace", namespace, "get", "pods", "--selector", SELECTOR)
    return list(found["items"])


def user_steps(context: PauseContext, hubs: Sequence[HubApi], notice: int) -> list[CommandStep]:
    """What has to be over before a node goes: users notified, given their time, their servers
    stopped. Empty where they cannot be notified (`--now`).
    """
    if not hubs:
        return []
    notifier, told = notifier_of(hubs), list[bool]()

    def stop() -> None:
        if not told:
            notifier.wait(time.time() + notice)
            told.append(True)
        notifier.stop()

    return [CommandStep("user servers end", notifier.running, stop, notice + _STOPPING_SECONDS)]


def pause_steps(context: PauseContext) -> list[CommandStep]:
    """Everything after users, in the order in which nothing starts what was just stopped."""
    steps: list[CommandStep] = []
    if context.cluster is not None and context.stack.cluster.kind == "eks":
        autoscaler = Autoscaler(context.cluster)
        steps.append(
            CommandStep(
                "the autoscaler goes to zero",
                autoscaler.running,
                autoscaler.stop,
                _STOPPING_SECONDS,
            )
        )
    if context.own_nodes and context.account is not None:
        groups = Groups(COMMAND, context.account, context.stack)
        steps.append(
            CommandStep(
                "every group of nodes goes to zero",
                groups.active,
                groups.scale_to_zero,
                _MACHINES_SECONDS,
            )
        )
        databases = Databases(COMMAND, context.account, context.stack)
        if databases.names and context.stack.pause.stop_databases:
            steps.append(
                CommandStep(
                    "databases stop", databases.running, databases.stop, 2 * _MACHINES_SECONDS
                )
            )
    machines = context.machines(COMMAND)
    if machines is not None:
        nodes, plane = machines
        for says, some_of in (("nodes stop", nodes), ("the control plane stops", plane)):
            steps.append(CommandStep(says, some_of.running, some_of.stop, _MACHINES_SECONDS))
    return steps


def stack_file_steps(command: str, context: PauseContext, *, paused: bool) -> list[CommandStep]:
    """The stack file says it, or no longer; a cluster stack's is its cloud stack's, and is changed
    there.
    """
    if context.stack.parts == "cluster":
        return []
    written = list[bool]([is_paused(context.file) is paused])

    def write() -> None:
        set_paused(command, context.file, paused=paused)
        written.append(True)

    says = _file_says(context, paused=paused)
    return [CommandStep(says, lambda: [] if written[-1] else ["paused: true"], write)]


def _file_says(context: PauseContext, *, paused: bool) -> str:
    return f"{context.file.source} {'says so' if paused else 'no longer says paused'}"


def refuse_user_nodes(context: PauseContext) -> None:
    """A cloud stack cannot reach a hub: raise ConfigError while user nodes run, whose users the
    cluster stack has to notify first.
    """
    if context.account is None or context.stack.parts != "cloud":
        return
    with contextlib.suppress(StopIteration):
        nodes = Groups(COMMAND, context.account, context.stack).user_nodes()
        if nodes:
            what = f"users may work there: {some(nodes)}"
            fix = (
                "pause the stack inside the cluster first (on the runner), which tells them; --now"
                " ends their servers without notice"
            )
            raise refused(COMMAND, "pause.users-at-work", "nodes", what, fix)


# --- What a pause or a resume works on: looked up, tried and refused before anything is changed.


@contextlib.contextmanager
def context_of(command: str, stack: str, *, inside: bool) -> Iterator[PauseContext]:
    """The context of a stack. `inside`: also its cluster, which then has to answer. Raises
    ConfigError with nothing changed.
    """
    file = stack_file(stack)
    found, name = validated_stack(stack)
    # A cluster stack's configuration is its cloud stack's, its file too.
    if found.cloud_stack is not None:
        file = read(find(found.cloud_stack, file.path.parent))
    in_aws = found.cluster.kind == "eks" or found.pause.instances is not None
    account = account_of(command, found, changes=True) if in_aws else None
    with contextlib.ExitStack() as held:
        cluster = None
        # An API whose machines are stopped does not answer; users were notified before they were
        # stopped.
        stopped = (
            account is not None
            and found.pause.instances is not None
            and not TaggedInstances(
                command, account, found.pause.instances, "control_plane"
            ).running()
        )
        if inside and found.parts != "cloud" and not stopped:
            cluster = held.enter_context(cluster_of(command, found, account))
            cluster.reached()
        yield PauseContext(name=name, stack=found, file=file, account=account, cluster=cluster)


@dataclass(frozen=True, kw_only=True)
class PauseResult:
    """Where a pause or a resume ended. `state` is `paused`, `resumed` or `needs up`; `applied`:
    `pulumi up` ran; `commands` are left to the operator; `says` is for the terminal.
    """

    context: PauseContext
    state: str
    steps: Sequence[TakenStep]
    applied: bool
    says: Sequence[str]
    commands: Sequence[str] = ()

    def as_json(self, form: str) -> dict[str, Any]:
        """The result as `--json` prints it."""
        context, file_step = self.context, _file_says(self.context, paused=self.state == "paused")
        here = context.stack.parts != "cluster"
        pages = paused_pages(context.stack) if context.own_nodes else []
        return {
            "format": form,
            "stack": context.name,
            "state": self.state,
            "file": str(context.file.path) if here else None,
            "file_changed": any(step.says == file_step and step.subjects for step in self.steps),
            "applied": self.applied,
            **({"maintenance_pages": pages} if self.state == "paused" else {}),
            "steps": [step.as_json() for step in self.steps],
            "commands": list(self.commands),
            "says": " ".join(self.says),
        }


def needs_up(context: PauseContext) -> bool:
    """Whether something has to be built again before nodes can start."""
    built = bool(context.stack.pause.drop or paused_pages(context.stack))
    return built and KEY in context.file.values


def paused_pages(stack: StackConfig) -> list[str]:
    """The hubs whose users read a maintenance page while the stack is paused."""
    return [
        name
        for name, hub in sorted(stack.hubs.items())
        if hub.maintenance_page is not None and hub.maintenance_page.paused_text
    ]
