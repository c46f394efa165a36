"""`jhub who STACK`: who runs what."""

from __future__ import annotations

import json

import click


@click.command("who")
@click.argument("stack")
@click.option("--hub", metavar="NAME", help="One hub. Default: every hub of the stack.")
@click.option("--json", "as_json", is_flag=True, help="The answer as data.")
def command(stack: str, hub: str | None, as_json: bool) -> int:
    """Show every server of STACK: whose, which profile, on which node and pool, since when, and
    when it was last used.
    """
    from jupyterhub_aws.cli.output import to_standard_output
    from jupyterhub_aws.operate.daily import who
    from jupyterhub_aws.operate.daily.context import chosen_hubs, inside

    with inside("jhub who", stack) as ctx:
        found = who.running(ctx, chosen_hubs("jhub who", ctx.stack, hub))
    if as_json:
        to_standard_output(
            json.dumps(who.as_json(ctx.name, found), indent=2, ensure_ascii=False) + "\n"
        )
    else:
        who.show(ctx.name, found)
    return 0
