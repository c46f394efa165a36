"""`jhub drain STACK POOL`: no server starts on these nodes any more, users' servers end in their
own time, and empty nodes are removed.
"""

from __future__ import annotations

import contextlib
from typing import Any

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import CLUSTER, command
from jupyterhub_aws.cli.options import Deadline, stack_argument


@command(
    "drain",
    needs=CLUSTER,
    examples=(
        (
            "jhub drain dev memory --old",
            "nodes of an older template: wait until their servers have ended",
        ),
        (
            "jhub drain dev memory --old --by 18:00",
            "tell users, and stop what still runs at 18:00 UTC",
        ),
        ("jhub drain dev memory --no-wait", "only let no server start there any more"),
    ),
    exits={
        0: "the nodes are empty, or take no server any more",
        2: "not begun, or not finished; run it again",
    },
)
@stack_argument
@click.argument("pool", shell_complete=complete.pools)
@click.option(
    "--generation",
    type=click.IntRange(1, 999),
    metavar="NUMBER",
    help="Only nodes of this generation (1: those that say none).",
)
@click.option(
    "--old",
    is_flag=True,
    help="Only nodes that started from an older launch template than new ones do.",
)
@click.option(
    "--by",
    type=Deadline(),
    help="Notify users through their hub, and stop what still runs then: 18:00 (UTC), or 90m from"
    " now.",
)
@click.option(
    "--yes", is_flag=True, help="Do not ask, even where no user could start a server afterwards."
)
@click.option(
    "--no-wait", is_flag=True, help="Only let no server start there any more, and say who is there."
)
def drain_command(stack: str, pool: str, **options: Any) -> int:
    """Empty the nodes of POOL: those of a generation, those of an older template, or all that are
    there now.

    Without --by no server is stopped: the command waits until all have ended by themselves
    (idle ones are stopped by the hub). Interrupted or killed, run it again: it goes on. To undo it:
    kubectl uncordon NODE.
    """
    from jupyterhub_aws.cli.arguments import validated_stack
    from jupyterhub_aws.config.errors import refused
    from jupyterhub_aws.operate.daily.context import agreed
    from jupyterhub_aws.operate.drain.drain import COMMAND, drain_of, pool_of, summary
    from jupyterhub_aws.operate.drain.nodes import labels
    from jupyterhub_aws.operate.live.account import account_of
    from jupyterhub_aws.operate.live.cluster import cluster_of
    from jupyterhub_aws.operate.live.hub_api import hub_apis
    from jupyterhub_aws.operate.live.steps import run

    generation, old, by, no_wait = (
        options[name] for name in ("generation", "old", "by", "no_wait")
    )
    if old and generation is not None:
        what = "and --generation choose differently"
        raise refused(COMMAND, "command.exclusive", "--old", what, "leave out one of them")
    if no_wait and by is not None:
        fix = "leave out one of them"
        raise refused(COMMAND, "command.exclusive", "--no-wait", "and --by exclude each other", fix)
    found, _ = validated_stack(stack)
    pool_of(found, pool, old=old)
    account = account_of(COMMAND, found, changes=True) if found.cluster.kind == "eks" else None
    with contextlib.ExitStack() as held:
        cluster = held.enter_context(cluster_of(COMMAND, found, account))
        cluster.reached()
        drain = drain_of(found, pool, (cluster, account), generation=generation, old=old)
        hubs = held.enter_context(hub_apis(found, cluster)) if by is not None else []
        nodes = drain.nodes.all()
        click.echo(summary(nodes, labels(drain.nodes.servers())), err=True)
        closes = drain.closes()
        if closes is not None:
            click.echo(f"{closes}.", err=True)
            agreed(COMMAND, "Go on?", yes=bool(options["yes"]), look="read the line above")
        if no_wait:
            run(COMMAND, [drain.cordon()])
            left = len(drain.nodes.servers())
            click.echo(f"{len(nodes)} nodes take no server any more; {left} servers are on them.")
            return 0
        run(COMMAND, drain.steps(hubs, by))
    click.echo(_done(found.pools.bought.get(pool), pool, generation))
    return 0


def _done(section: object, pool: str, generation: int | None) -> str:
    if generation is not None and any(
        item.generation == generation for item in getattr(section, "retiring", ())
    ):
        return (
            f"Generation {generation} of {pool} is empty. Take it out of pools.{pool}.retiring,"
            " then: pulumi up"
        )
    return f"{pool}: done."
