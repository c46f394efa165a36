"""`jhub pause` stops everything that costs money while it runs, `jhub resume` brings it back as the
stack file says.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from jupyterhub_aws.cli.about import CLUSTER, command
from jupyterhub_aws.cli.options import NoticePeriod, as_json, let_up_go_on, stack_argument
from jupyterhub_aws.cli.output import answer

if TYPE_CHECKING:
    from jupyterhub_aws.operate.pause.pause import PauseContext


@command(
    "pause",
    needs=CLUSTER,
    examples=(
        ("jhub pause dev --notice 30m", "users are told, and have 30 minutes"),
        (
            "jhub pause dev --now",
            "for a hub that does not answer: no notice, no question to the cluster",
        ),
        ("jhub pause dev --no-up --json", "for a nightly job"),
    ),
    exits={0: "paused", 2: "not begun, or not finished; run it again"},
)
@stack_argument
@click.option(
    "--notice",
    type=NoticePeriod(),
    default="15m",
    show_default=True,
    help="How long users have, from 0m to 12h. Shorter if no server runs.",
)
@click.option(
    "--now",
    is_flag=True,
    help="Neither notify users nor ask the cluster: for a hub that does not answer. Servers end with"
    " their nodes.",
)
@click.option(
    "--no-up",
    is_flag=True,
    help="Do not run `pulumi up` at the end: the changed stack file is merged and applied elsewhere.",
)
@let_up_go_on
@as_json("What was stopped, and what is left to run, as data.")
def pause_command(stack: str, notice: int, now: bool, **options: bool) -> int:
    """Pause STACK: no servers, no nodes, no autoscaler; homes, databases, secrets and
    addresses stay, and sizes stay in its file.

    Run it again after anything that went wrong: it goes on where it stopped. `jhub resume` brings
    everything back.
    """
    from jupyterhub_aws.operate.live import steps
    from jupyterhub_aws.operate.live.hub_api import hub_apis
    from jupyterhub_aws.operate.live.steps import run
    from jupyterhub_aws.operate.pause.pause import (
        COMMAND,
        PauseResult,
        context_of,
        hubs_to_notify,
        pause_steps,
        refuse_user_nodes,
        stack_file_steps,
        user_steps,
    )

    with context_of(COMMAND, stack, inside=not now) as ctx, contextlib.ExitStack() as open_now:
        if not now:
            refuse_user_nodes(ctx)
        hubs = (
            []
            if ctx.cluster is None
            else open_now.enter_context(hub_apis(ctx.stack, ctx.cluster, hubs_to_notify(ctx)))
        )
        marked = stack_file_steps(COMMAND, ctx, paused=True)
        taken = run(COMMAND, [*user_steps(ctx, hubs, notice), *pause_steps(ctx), *marked])
        applied = ctx.own_nodes and not options["no_up"] and steps.there()
        if applied:
            steps.up(COMMAND, ctx.file, yes=options["yes"], data=options["as_json"])
    says, commands = _paused(ctx, applied=applied)
    result = PauseResult(
        context=ctx, state="paused", steps=taken, applied=applied, says=says, commands=commands
    )
    data = result.as_json("jupyterhub-aws/pause/1") if options["as_json"] else None
    answer(result.says, data)
    return 0


def _paused(ctx: PauseContext, *, applied: bool) -> tuple[list[str], list[str]]:
    """What is said of a paused stack, and what is left to run."""
    from jupyterhub_aws.operate.live.steps import up_line
    from jupyterhub_aws.operate.pause.pause import paused_pages

    name, outer = ctx.file.stack, ctx.stack.cloud_stack
    if outer is not None:
        then = f"jhub pause {outer}"
        where = "The cluster stack is paused. Now, from where you run the cloud stack"
        return [f"{where}: {then}"], [then]
    says = f"{name} is paused. Commit {ctx.file.source}"
    if not ctx.own_nodes:
        machines = _MACHINES_PAUSED if ctx.stack.pause.instances else _SERVERS_PAUSED
        return [f"{says}. {machines}"], []
    pages = ", ".join(paused_pages(ctx.stack))
    if not applied:
        lines = [f"{says}; the next `pulumi up` makes it the stack's state."]
        if pages:
            lines += [f"After that `up`, users of {pages} read the maintenance page."]
        return lines, [shlex.join(up_line(ctx.file))]
    lines = [f"Users of {pages} read the maintenance page now."] if pages else []
    return [*lines, f"{says}. To bring it back: jhub resume {name}"], []


_MACHINES_PAUSED = (
    "Until its machines run again the cluster's API does not answer, and nothing in it can be"
    " changed."
)
_SERVERS_PAUSED = (
    "Its machines are not this stack's: name them under pause.instances to stop them too."
)


@command(
    "resume",
    needs=CLUSTER,
    examples=(
        ("jhub resume dev", ""),
        ("jhub resume dev --no-up", "after a `pulumi up` of your own"),
        ("jhub resume dev --yes --json", "for a script"),
    ),
    exits={0: "resumed", 2: "not begun, or not finished; run it again"},
)
@stack_argument
@click.option(
    "--no-up",
    is_flag=True,
    help="Do not run `pulumi up`: for a stack that drops nothing while paused, or after an `up` of"
    " your own.",
)
@let_up_go_on
@as_json("What was started, and what is left to run, as data.")
def resume_command(stack: str, no_up: bool, yes: bool, as_json: bool) -> int:
    """Bring STACK back exactly as its file says: databases, network, nodes, autoscaler, hubs.
    Run it again after anything that went wrong.
    """
    from jupyterhub_aws.cli.arguments import stack_file
    from jupyterhub_aws.operate.live import steps
    from jupyterhub_aws.operate.live.cluster import cluster_of
    from jupyterhub_aws.operate.live.hub_api import hub_apis
    from jupyterhub_aws.operate.live.steps import run, up_line
    from jupyterhub_aws.operate.pause.pause import PauseResult, context_of, needs_up
    from jupyterhub_aws.operate.pause.resume import (
        COMMAND,
        answers,
        before_up,
        clear_notice_steps,
        inside,
        nodes,
        refuse_paused_cloud,
    )

    applied = not no_up and steps.there()
    with context_of(COMMAND, stack, inside=False) as ctx:
        refuse_paused_cloud(ctx)
        # A cluster stack is applied itself; the file that says paused is its cloud stack's.
        file, name = stack_file(stack), ctx.name

        def ended(state: str, says: str, commands: Sequence[str] = ()) -> int:
            result = PauseResult(
                context=ctx,
                state=state,
                steps=taken,
                applied=applied,
                says=[says],
                commands=commands,
            )
            answer([says], result.as_json("jupyterhub-aws/resume/1") if as_json else None)
            return 0

        taken = run(COMMAND, before_up(ctx))
        if ctx.stack.pause.instances is not None:
            with cluster_of(COMMAND, ctx.stack, ctx.account) as cluster:
                taken += run(COMMAND, answers(ctx, cluster))
        if applied:
            steps.up(COMMAND, file, yes=yes, data=as_json)
        elif needs_up(ctx):
            what = "What was dropped comes" if ctx.stack.pause.drop else "Hubs' records come"
            says = f"{what} back by: pulumi up -s {name}; then run this again with --no-up"
            commands = [shlex.join(up_line(file)), f"jhub resume {shlex.quote(stack)} --no-up"]
            return ended("needs up", says, commands)
        taken += run(COMMAND, nodes(ctx))
        if ctx.stack.parts == "cloud":
            says = (
                "The cloud stack is resumed. Now, inside the cluster: jhub resume the stack that"
                " names this one as its cloud_stack"
            )
            return ended("resumed", says)
        with cluster_of(COMMAND, ctx.stack, ctx.account) as cluster:
            taken += run(COMMAND, inside(ctx, cluster))
            with hub_apis(ctx.stack, cluster) as hubs:
                taken += run(COMMAND, clear_notice_steps(hubs))
    commit = "" if ctx.stack.parts == "cluster" else f" Commit {ctx.file.source}."
    says = f"{name} is resumed.{commit} Whether users can work: jhub health {name}"
    return ended("resumed", says)
