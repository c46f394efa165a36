"""`jhub history STACK HUB`: a hub's releases."""

from __future__ import annotations

import click

from jupyterhub_aws.operate.daily.context import show_option


@click.command("history")
@click.argument("stack")
@click.argument("hub")
@show_option
def command(stack: str, hub: str, show: bool) -> int:
    """Show the revisions of HUB of STACK that Helm keeps (ten): number, when, status, chart. The
    stack file's own history is git's.
    """
    from jupyterhub_aws.cli.arguments import validated_stack
    from jupyterhub_aws.config.specs.names import HubNames
    from jupyterhub_aws.operate.daily import context
    from jupyterhub_aws.operate.daily.context import chosen_hubs, inside
    from jupyterhub_aws.operate.daily.releases import history_line

    if show:
        found, _ = validated_stack(stack)
        (name,) = chosen_hubs("jhub history", found, hub)
        context.show(
            history_line(
                context.tools_shown("jhub history", found), HubNames(stack=found.name, hub=name)
            )
        )
        return 0
    with inside("jhub history", stack, resting=True) as ctx:
        (name,) = chosen_hubs("jhub history", ctx.stack, hub)
        mine = context.tools_of(ctx.cluster)
        return mine.run(history_line(mine, HubNames(stack=ctx.stack.name, hub=name)))
