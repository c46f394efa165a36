"""A stack to rest, in this order: people, servers, autoscaler, nodes, databases; then the stack
file says so and `up` makes it the stack's state.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.pause import PausedInstances as Section
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import StackFile
from jupyterhub_aws.operate.daily.pods import SELECTOR
from jupyterhub_aws.operate.live.account import Account
from jupyterhub_aws.operate.live.cluster import KubectlCluster
from jupyterhub_aws.operate.live.hub_api import HubApi
from jupyterhub_aws.operate.live.hubs import hub_runs
from jupyterhub_aws.operate.live.steps import CommandStep, some
from jupyterhub_aws.operate.pause.autoscaler import Autoscaler
from jupyterhub_aws.operate.pause.databases import Databases
from jupyterhub_aws.operate.pause.groups import Groups
from jupyterhub_aws.operate.pause.machines import TaggedInstances
from jupyterhub_aws.operate.pause.people import PauseNotifier
from jupyterhub_aws.operate.pause.remembered import is_paused, remember

COMMAND = "jhub pause"
_STOPPING_SECONDS, _MACHINES_SECONDS = 300.0, 900.0


@dataclass(frozen=True, kw_only=True)
class PauseContext:
    """Of what a pause and a resume are made: the stack, its file, and what of the world it needs
    (None: not needed, or not reached from here).
    """

    stack: StackConfig
    file: StackFile
    account: Account | None
    cluster: KubectlCluster | None

    @property
    def own_nodes(self) -> bool:
        """Whether the stack's own groups are this command's business: not in the inner half,
        which AWS does not know.
        """
        return (
            self.account is not None
            and self.stack.cluster.kind == "eks"
            and self.stack.parts != "cluster"
        )

    def machines(self, command: str) -> tuple[TaggedInstances, TaggedInstances] | None:
        """Nodes and control plane of a cluster that somebody else made, where the stack names
        them.
        """
        section: Section | None = self.stack.pause.instances
        if section is None or self.account is None:
            return None
        nodes, plane = (
            TaggedInstances(command, self.account, section, role)
            for role in ("nodes", "control_plane")
        )
        for some_of in (nodes, plane):
            some_of.there()
        return nodes, plane


def hubs_to_tell(scene: PauseContext) -> list[str]:
    """The hubs that run. One that does not, and has nobody's server either, was stopped by an
    earlier pause. Raises ConfigError where servers run without their hub: nobody can be told.
    """
    found, problems = [], []
    for hub in sorted(scene.stack.hubs_inside) if scene.cluster is not None else ():
        namespace = HubNames(stack=scene.stack.name, hub=hub).namespace
        if scene.cluster is not None and hub_runs(scene.cluster, namespace):
            found.append(hub)
        elif scene.cluster is not None and (
            pods := scene.cluster.data(
                "--namespace", namespace, "get", "pods", "--selector", SELECTOR
            )["items"]
        ):
            what = f"does not run, and {len(pods)} servers of people do: nobody can be told"
            problems.append(
                Problem(
                    path=f"hub {hub}",
                    what=what,
                    fix="look why (jhub doctor), or end them without a word: --now",
                )
            )
    if problems:
        raise ConfigError(COMMAND, problems)
    return found


def people_steps(scene: PauseContext, hubs: Sequence[HubApi], notice: int) -> list[CommandStep]:
    """What has to be over before a node goes: told, given their time, stopped. Empty where
    nobody can be told (`--now`).
    """
    if not hubs:
        return []
    farewell, told = PauseNotifier(COMMAND, hubs), list[bool]()

    def stop() -> None:
        if not told:
            farewell.wait(notice)
            told.append(True)
        farewell.stop()

    return [
        CommandStep(
            says="people's servers end",
            left=farewell.servers,
            do=stop,
            patience=notice + _STOPPING_SECONDS,
        )
    ]


def pause_steps(scene: PauseContext) -> list[CommandStep]:
    """Everything after people, in the order in which nothing starts what was just stopped."""
    steps: list[CommandStep] = []
    if scene.cluster is not None and scene.stack.cluster.kind == "eks":
        autoscaler = Autoscaler(scene.cluster)
        steps.append(
            CommandStep(
                says="the autoscaler goes to zero",
                left=autoscaler.running,
                do=autoscaler.stop,
                patience=_STOPPING_SECONDS,
            )
        )
    if scene.own_nodes and scene.account is not None:
        groups = Groups(COMMAND, scene.account, scene.stack)
        steps.append(
            CommandStep(
                says="every group of nodes goes to zero",
                left=groups.awake,
                do=groups.rest,
                patience=_MACHINES_SECONDS,
            )
        )
        databases = Databases(COMMAND, scene.account, scene.stack)
        if databases.names and scene.stack.pause.stop_databases:
            steps.append(
                CommandStep(
                    says="databases stop",
                    left=databases.running,
                    do=databases.stop,
                    patience=2 * _MACHINES_SECONDS,
                )
            )
    machines = scene.machines(COMMAND)
    if machines is not None:
        for says, some_of in (
            ("nodes stop", machines[0]),
            ("the control plane stops", machines[1]),
        ):
            steps.append(
                CommandStep(
                    says=says, left=some_of.running, do=some_of.stop, patience=_MACHINES_SECONDS
                )
            )
    return steps


def remember_step(scene: PauseContext) -> CommandStep | None:
    """The stack file says it; the inner half's is the outer one's, and is changed there."""
    if scene.stack.parts == "cluster":
        return None
    written = list[bool]([is_paused(scene.file)])

    def write() -> None:
        remember(COMMAND, scene.file, paused=True)
        written.append(True)

    return CommandStep(
        says=f"{scene.file.source} says so",
        left=lambda: [] if written[-1] else ["paused: true"],
        do=write,
    )


def nobody_is_there(scene: PauseContext) -> None:
    """The outer half cannot ask a hub: raise ConfigError while user nodes run, whose people the
    inner half has to tell first.
    """
    if scene.account is None or scene.stack.parts != "cloud":
        return
    with contextlib.suppress(StopIteration):
        nodes = Groups(COMMAND, scene.account, scene.stack).user_nodes()
        if nodes:
            what = f"people may work there: {some(nodes)}"
            fix = (
                "pause the stack inside the cluster first (on the runner), which tells them; --now"
                " ends their servers without a word"
            )
            raise ConfigError(COMMAND, [Problem(path="nodes", what=what, fix=fix)])
