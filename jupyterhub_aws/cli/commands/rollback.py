"""`jhub rollback STACK HUB [REVISION]`: back to a release that ran."""

from __future__ import annotations

import click

from jupyterhub_aws.operate.daily.context import agreed, show_option

_WARNING = """\
The stack file and Pulumi's state go on saying the newer one: the next `pulumi up`
that changes this hub, or follows a refresh, puts it back. So set the stack file
back too (git revert), then pulumi up. The hub restarts now: for about a minute
no user can sign in or start a server; servers that run go on."""


@click.command("rollback")
@click.argument("stack")
@click.argument("hub")
@click.argument("revision", type=click.IntRange(min=1), required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@show_option
def command(stack: str, hub: str, revision: int | None, yes: bool, show: bool) -> int:
    """Put HUB of STACK back to REVISION, or to the last one that ran, by Helm. For the night; by
    day, set the stack file back instead.
    """
    from jupyterhub_aws.cli.arguments import validated_stack
    from jupyterhub_aws.config.specs.names import HubNames
    from jupyterhub_aws.operate.daily import context
    from jupyterhub_aws.operate.daily.context import chosen_hubs, inside
    from jupyterhub_aws.operate.daily.releases import back_to, revisions, rollback_line

    if show:
        found, _ = validated_stack(stack)
        (name,) = chosen_hubs("jhub rollback", found, hub)
        context.show(
            rollback_line(
                context.tools_shown("jhub rollback", found),
                HubNames(stack=found.name, hub=name),
                revision,
            )
        )
        return 0
    with inside("jhub rollback", stack, changes=True) as ctx:
        (name,) = chosen_hubs("jhub rollback", ctx.stack, hub)
        names, mine = HubNames(stack=ctx.stack.name, hub=name), context.tools_of(ctx.cluster)
        chosen = back_to("jhub rollback", revisions(mine, names), revision)
        click.echo(
            f"Back to revision {chosen.number} of {name}: {chosen.chart}, of"
            f" {chosen.updated[:16].replace('T', ' ')}.\n{_WARNING}",
            err=True,
        )
        agreed("jhub rollback", "Go back?", yes=yes)
        return mine.run(rollback_line(mine, names, chosen.number))
