"""`jhub restart STACK HUB proxy|hub`: a new pod in the place of one that hangs."""

from __future__ import annotations

import click

from jupyterhub_aws.operate.daily.context import agreed, show_option

#: What each restart means for users. The chart has the hub look at the proxy's routes every 60
#: seconds (its last_activity_interval),
#: and puts back those that a new proxy lacks.
_MEANS = {
    "proxy": (
        "every open page of it loses its connection and comes back within about a minute;\nkernels"
        " go on computing"
    ),
    "hub": "for about a minute no user can sign in or start a server; servers that run go on",
}


@click.command("restart")
@click.argument("stack")
@click.argument("hub")
@click.argument("part", type=click.Choice(["proxy", "hub"]))
@click.option("--yes", is_flag=True, help="Do not ask.")
@show_option
def command(stack: str, hub: str, part: str, yes: bool, show: bool) -> int:
    """Restart the proxy or the hub of HUB of STACK, and wait until the new pod is ready. Says first
    which users it interrupts.
    """
    from jupyterhub_aws.cli.arguments import validated_stack
    from jupyterhub_aws.config.specs.names import HubNames
    from jupyterhub_aws.operate.daily import context
    from jupyterhub_aws.operate.daily.context import chosen_hubs, inside
    from jupyterhub_aws.operate.daily.releases import affected_users, restart_lines

    if show:
        found, _ = validated_stack(stack)
        (name,) = chosen_hubs("jhub restart", found, hub)
        context.show(
            *restart_lines(
                context.tools_shown("jhub restart", found),
                HubNames(stack=found.name, hub=name),
                part,
            )
        )
        return 0
    with inside("jhub restart", stack, changes=True) as ctx:
        (name,) = chosen_hubs("jhub restart", ctx.stack, hub)
        click.echo(
            f"A restart of the {part} of {name}: {_MEANS[part]}.\n{affected_users(ctx, name)}",
            err=True,
        )
        agreed("jhub restart", "Restart it?", yes=yes)
        mine = context.tools_of(ctx.cluster)
        return next(
            (
                code
                for line in restart_lines(mine, HubNames(stack=ctx.stack.name, hub=name), part)
                if (code := mine.run(line))
            ),
            0,
        )
