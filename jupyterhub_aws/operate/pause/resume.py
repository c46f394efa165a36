"""Resuming a paused stack: databases and machines first, then `up` with what is in the file,
then nodes, autoscaler and hubs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jupyterhub_aws.config.errors import ConfigError, refused
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.operate.live.cluster import KubectlCluster
from jupyterhub_aws.operate.live.hub_api import HubApi, hub_runs
from jupyterhub_aws.operate.live.steps import CommandStep
from jupyterhub_aws.operate.pause.compute import Autoscaler, Databases, Groups
from jupyterhub_aws.operate.pause.pause import PauseContext, stack_file_steps
from jupyterhub_aws.operate.pause.stack_file_edit import is_paused

COMMAND = "jhub resume"
_SECONDS = 900.0


def refuse_paused_cloud(context: PauseContext) -> None:
    """A cluster stack is what its cloud stack's file says: raise ConfigError while that says paused,
    for there is no node for a hub, and `up` would build the paused stack again.
    """
    cloud = context.stack.cloud_stack
    if context.stack.parts == "cluster" and cloud is not None and is_paused(context.file):
        what = f"{context.file.source} says paused: true"
        fix = (
            f"resume the cloud stack first, from where you run it: jhub resume {cloud}; then bring"
            " its file here (git pull)"
        )
        raise refused(COMMAND, "pause.cloud-paused", "paused", what, fix)


def before_up(context: PauseContext) -> list[CommandStep]:
    """What has to be there before the program can build anything on it, and the stack file."""
    steps: list[CommandStep] = []
    machines = context.machines(COMMAND)
    if machines is not None:
        nodes, plane = machines
        for says, some_of in (("the control plane starts", plane), ("nodes start", nodes)):
            steps.append(CommandStep(says, some_of.not_available, some_of.start, _SECONDS))
    if context.own_nodes and context.account is not None:
        databases = Databases(COMMAND, context.account, context.stack)
        if databases.names:
            steps.append(
                CommandStep(
                    "databases start", databases.not_available, databases.start, 2 * _SECONDS
                )
            )
    return [*steps, *stack_file_steps(COMMAND, context, paused=False)]


def nodes(context: PauseContext) -> list[CommandStep]:
    """Groups at the sizes of the stack file. After an `up` they mostly are: not where a pause
    was never followed by one.
    """
    if not context.own_nodes or context.account is None:
        return []
    groups = Groups(COMMAND, context.account, context.stack)
    return [
        CommandStep(
            "groups of nodes have their sizes", groups.scaled_down, groups.restore_sizes, _SECONDS
        )
    ]


def answers(context: PauseContext, cluster: KubectlCluster) -> list[CommandStep]:
    """The API of machines that were just started: `up` would fail at once without it."""

    def silent() -> list[str]:
        cluster.reached()
        return []

    if context.stack.pause.instances is None:
        return []
    return [CommandStep("the cluster's API answers", _patient(silent), lambda: None, _SECONDS)]


def inside(context: PauseContext, cluster: KubectlCluster) -> list[CommandStep]:
    """The autoscaler, then every hub."""
    steps: list[CommandStep] = []
    if context.stack.cluster.kind == "eks":
        autoscaler = Autoscaler(cluster)
        steps.append(
            CommandStep(
                "the autoscaler runs", _patient(autoscaler.missing), autoscaler.start, _SECONDS
            )
        )

    def away() -> list[str]:
        names = [
            HubNames(stack=context.stack.name, hub=hub) for hub in sorted(context.stack.hubs_inside)
        ]
        return [
            name.hub for name in names if not hub_runs(cluster, name.namespace, ("hub", "proxy"))
        ]

    return [*steps, CommandStep("hubs answer", _patient(away), lambda: None, _SECONDS)]


def _patient(left: Callable[[], list[str]]) -> Callable[[], list[str]]:
    """The same where the API does not answer yet: machines that just started take their time."""

    def look() -> list[str]:
        try:
            return left()
        except ConfigError as error:
            if not all(problem.path == "cluster" for problem in error.problems):
                raise
            return ["the API does not answer yet"]

    return look


def clear_notice_steps(hubs: Sequence[HubApi]) -> list[CommandStep]:
    """The notice of the pause is taken back: where the hub's pod never went, it would refuse
    servers for an hour.
    """

    def said() -> list[str]:
        return [hub.hub for hub in hubs if hub.get_notice().get("text")]

    def clear_notice() -> None:
        for hub in hubs:
            hub.clear_notice()

    return [CommandStep("servers may start", said, clear_notice, _SECONDS)] if hubs else []
