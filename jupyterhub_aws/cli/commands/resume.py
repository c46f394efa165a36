"""`jhub resume STACK`: everything that `jhub pause` stopped, as the stack file says it."""

from __future__ import annotations

import click


@click.command("resume")
@click.argument("stack")
@click.option(
    "--no-up",
    is_flag=True,
    help="Do not run `pulumi up`: for a stack that drops nothing while paused, or after an `up` of"
    " your own.",
)
@click.option("--yes", is_flag=True, help="Let `pulumi up` go on without asking.")
def command(stack: str, no_up: bool, yes: bool) -> int:
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
                click.echo(
                    f"What was dropped comes back by: pulumi up -s {ctx.file.stack}; then run"
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
