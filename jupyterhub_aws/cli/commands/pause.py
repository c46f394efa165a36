"""`jhub pause` stops everything that costs money while it runs, `jhub resume` brings it back as the
stack file says.
"""

from __future__ import annotations

import contextlib

import click

from jupyterhub_aws.cli.about import CLUSTER, command
from jupyterhub_aws.cli.options import NoticePeriod, let_up_go_on, stack_argument


@command(
    "pause",
    needs=CLUSTER,
    examples=(
        ("jhub pause dev --notice 30m", "users are told, and have 30 minutes"),
        (
            "jhub pause dev --now",
            "for a hub that does not answer: no notice, no question to the cluster",
        ),
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
def pause_command(stack: str, notice: int, now: bool, no_up: bool, yes: bool) -> int:
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
        context_of,
        hubs_to_notify,
        pause_steps,
        paused_pages,
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
        run(COMMAND, [*user_steps(ctx, hubs, notice), *pause_steps(ctx), *marked])
        outer = ctx.stack.cloud_stack
        if outer is not None:
            click.echo(
                f"The cluster stack is paused. Now, from where you run the cloud stack: jhub pause {outer}"
            )
            return 0
        if not ctx.own_nodes:
            click.echo(
                f"{ctx.file.stack} is paused. Commit {ctx.file.source}."
                f" {_MACHINES_PAUSED if ctx.stack.pause.instances else _SERVERS_PAUSED}"
            )
            return 0
        if no_up or not steps.there():
            click.echo(
                f"{ctx.file.stack} is paused. Commit {ctx.file.source}; the next `pulumi up` makes"
                " it the stack's state."
            )
            if pages := paused_pages(ctx.stack):
                click.echo(
                    f"After that `up`, users of {', '.join(pages)} read the maintenance page."
                )
            return 0
        steps.up(COMMAND, ctx.file, yes=yes)
        if pages := paused_pages(ctx.stack):
            click.echo(f"Users of {', '.join(pages)} read the maintenance page now.")
    click.echo(
        f"{ctx.file.stack} is paused. Commit {ctx.file.source}. To bring it back: jhub resume"
        f" {ctx.file.stack}"
    )
    return 0


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
def resume_command(stack: str, no_up: bool, yes: bool) -> int:
    """Bring STACK back exactly as its file says: databases, network, nodes, autoscaler, hubs.
    Run it again after anything that went wrong.
    """
    from jupyterhub_aws.operate.live import steps
    from jupyterhub_aws.operate.live.cluster import cluster_of
    from jupyterhub_aws.operate.live.hub_api import hub_apis
    from jupyterhub_aws.operate.live.steps import run
    from jupyterhub_aws.operate.pause.pause import context_of, needs_up
    from jupyterhub_aws.operate.pause.resume import (
        COMMAND,
        answers,
        before_up,
        clear_notice_steps,
        inside,
        nodes,
    )

    with context_of(COMMAND, stack, inside=False) as ctx:
        run(COMMAND, before_up(ctx))
        if ctx.stack.pause.instances is not None:
            with cluster_of(COMMAND, ctx.stack, ctx.account) as cluster:
                run(COMMAND, answers(ctx, cluster))
        if no_up or not steps.there():
            if needs_up(ctx):
                what = "What was dropped comes" if ctx.stack.pause.drop else "Hubs' records come"
                click.echo(
                    f"{what} back by: pulumi up -s {ctx.file.stack}; then run"
                    " this again with --no-up"
                )
                return 0
        else:
            steps.up(COMMAND, ctx.file, yes=yes)
        run(COMMAND, nodes(ctx))
        if ctx.stack.parts == "cloud":
            click.echo(
                "The cloud stack is resumed. Now, inside the cluster: jhub resume the stack that"
                " names this one as"
                " its cloud_stack"
            )
            return 0
        with cluster_of(COMMAND, ctx.stack, ctx.account) as cluster:
            run(COMMAND, inside(ctx, cluster))
            with hub_apis(ctx.stack, cluster) as hubs:
                run(COMMAND, clear_notice_steps(hubs))
    click.echo(
        f"{ctx.file.stack} is resumed. Commit {ctx.file.source}. Whether users can work: jhub"
        f" health {ctx.file.stack}"
    )
    return 0
