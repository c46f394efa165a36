"""`jhub logs STACK HUB [hub|proxy|USER]`: what was written."""

from __future__ import annotations

import click

from jupyterhub_aws.operate.daily.context import show_option


@click.command("logs")
@click.argument("stack")
@click.argument("hub")
@click.argument("of", default="hub", metavar="[hub|proxy|USER]")
@click.option("-f", "--follow", is_flag=True, help="Go on as more is written, until Ctrl+C.")
@click.option(
    "--tail",
    default=200,
    show_default=True,
    metavar="LINES",
    type=click.IntRange(min=-1),
    help="How many of the last lines; -1: all.",
)
@click.option("--previous", is_flag=True, help="Of the container before this one: why it ended.")
@show_option
def command(stack: str, hub: str, of: str, **options: bool | int) -> int:
    """Show what the hub, the proxy or a user's server of HUB of STACK wrote. A server that is
    gone took its log with it.
    """
    from jupyterhub_aws.cli.arguments import validated_stack
    from jupyterhub_aws.config.specs.names import HubNames
    from jupyterhub_aws.operate.daily import context
    from jupyterhub_aws.operate.daily.context import chosen_hubs, inside
    from jupyterhub_aws.operate.daily.releases import log_target, logs_line

    more = [
        f"--tail={options['tail']}",
        *(["--follow"] if options["follow"] else []),
        *(["--previous"] if options["previous"] else []),
    ]
    if options["show"] and of in ("hub", "proxy"):
        found, _ = validated_stack(stack)
        (name,) = chosen_hubs("jhub logs", found, hub)
        context.show(
            logs_line(
                context.tools_shown("jhub logs", found),
                HubNames(stack=found.name, hub=name),
                f"deployment/{of}",
                more,
            )
        )
        return 0
    with inside("jhub logs", stack, resting=True) as ctx:
        (name,) = chosen_hubs("jhub logs", ctx.stack, hub)
        mine = context.tools_of(ctx.cluster)
        line = logs_line(
            mine, HubNames(stack=ctx.stack.name, hub=name), log_target(ctx, name, of), more
        )
        if options["show"]:
            context.show(line)
            return 0
        return mine.run(line)
