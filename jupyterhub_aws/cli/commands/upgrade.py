"""`jhub upgrade plan STACK --to MINOR`: the steps of an upgrade of Kubernetes, and the effect of
each on users. Changes nothing.
"""

from __future__ import annotations

import click

from jupyterhub_aws.cli.arguments import day


@click.group("upgrade")
def command() -> None:
    """Plan an upgrade of Kubernetes. Changes nothing, and needs neither account nor network."""


@command.command("plan")
@click.argument("stack")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="MINOR",
    help='The Kubernetes minor to get to, such as "1.36".',
)
@click.option("--json", "as_json", is_flag=True, help="As data.")
@click.option(
    "--as-of", metavar="YYYY-MM-DD", help="Judge support dates as of this day. Default: today."
)
def plan(stack: str, target: str, as_json: bool, as_of: str | None) -> int:
    """Say in which order STACK gets to another minor: what to write, what to run, which users it
    interrupts, how long it takes, how to go back.

    What a step does is measured: the stack is planned before and after it, and the two are
    compared.
    """
    from jupyterhub_aws.operate.upgrade.show import as_data, render
    from jupyterhub_aws.operate.upgrade.steps import planned_upgrade

    upgrade, apis = planned_upgrade("jhub upgrade plan", stack, target, day(as_of))
    steps = list(upgrade.steps())
    if as_json:
        click.echo(as_data(upgrade, steps, apis), nl=False)
    else:
        render(upgrade, steps, apis)
    return 0
