"""`jhub drain STACK POOL`: no server starts on these nodes any more, users' servers end in their
own time, and empty nodes are removed.
"""

from __future__ import annotations

import contextlib
from typing import Any

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import CLUSTER, command
from jupyterhub_aws.cli.options import Deadline, as_json, stack_argument
from jupyterhub_aws.cli.output import answer


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
        ("jhub drain dev memory --old --by 90m --yes --json", "for a nightly job"),
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
@as_json("Nodes, what was done, and servers that are still there, as data.")
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
    from jupyterhub_aws.operate.drain.drain import COMMAND, DrainResult, drain_of, pool_of, summary
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
    found, name = validated_stack(stack)
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
            taken, state = run(COMMAND, [drain.cordon()]), "cordoned"
            servers = drain.nodes.servers()
        else:
            taken, state, servers = run(COMMAND, drain.steps(hubs, by)), "drained", []
    result = DrainResult(
        stack=name,
        pool=pool,
        generation=generation,
        retiring=_retiring(found.pools.bought.get(pool), generation),
        state=state,
        nodes=[node.name for node in nodes],
        servers=servers,
        warning=closes,
        steps=taken,
    )
    answer([result.says], result.as_json() if options["as_json"] else None)
    return 0


def _retiring(section: object, generation: int | None) -> bool:
    retiring = getattr(section, "retiring", ())
    return generation is not None and any(item.generation == generation for item in retiring)
