"""`jhub plan STACK`: what `pulumi up` would build, what is wrong with it, and what it costs.
Without account and network.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jupyterhub_aws.cli.arguments import day, stack_file
from jupyterhub_aws.cli.output import to_file, to_standard_output
from jupyterhub_aws.config.errors import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyterhub_aws.config.stack_file import StackFile
    from jupyterhub_aws.plan.plan import Plan


@click.command("plan")
@click.argument("stack")
@click.option(
    "--json",
    "json_file",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="The plan as data; without FILE to standard output.",
)
@click.option(
    "--html",
    "html_file",
    metavar="FILE",
    help="The plan as one page with pictures, for a browser. It needs no network.",
)
@click.option(
    "--resources",
    "whole",
    is_flag=True,
    help="Everything: each resource with its IAM statements, each check, each line of the bill.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="What if? For example --set pools.memory.size.max=20. May be repeated.",
)
@click.option(
    "--prices",
    "prices_file",
    metavar="FILE",
    help='Prices of your own over the tables: TOML lines such as spot_share = "0.35".',
)
@click.option(
    "--against",
    metavar="REF|FILE",
    help="What changes from there, and for which users: an older plan, or a ref of git such as HEAD.",
)
@click.option(
    "--markdown",
    "markdown_file",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="With --against: as one comment for a pull request.",
)
@click.option(
    "--as-of",
    "day",
    metavar="YYYY-MM-DD",
    help="Judge support dates as of this day. Default: today.",
)
def command(stack: str, settings: tuple[str, ...], *, whole: bool, **options: str | None) -> int:
    """Show what `pulumi up -s STACK` would build, and every finding about it.

    STACK is a name (dev) or the path of a stack file. Exit code 0: fine, 1: a check failed, 2: the
    stack file is wrong.
    """
    as_of, prices_file = day(options["day"]), options["prices_file"]
    from jupyterhub_aws.config.prices import read_prices
    from jupyterhub_aws.plan.plan import make_plan

    prices = None if prices_file is None else read_prices(Path(prices_file))
    file = stack_file(stack, settings)
    plan = make_plan(file, as_of, prices, settings)
    if options["against"] is not None:
        _compare(plan, file, options)
    else:
        if options["markdown_file"] is not None:
            what = "is of a comparison"
            fix = "say what to compare with: --against REF or FILE"
            raise refused("jhub plan", "command.needs-against", "--markdown", what, fix)
        _show(plan, options["json_file"], options["html_file"], whole=whole)
    return 1 if plan.failed else 0


def _compare(plan: Plan, file: StackFile, options: Mapping[str, str | None]) -> None:
    """What changes from what `--against` names. With it, --json, --html and --markdown are of
    the difference.
    """
    from jupyterhub_aws.changes.difference import difference
    from jupyterhub_aws.diff.show import of_plan, older, show

    found = difference(older(str(options["against"]), file, plan.as_of.isoformat()), of_plan(plan))
    show(
        found,
        None,
        {
            "json": options["json_file"],
            "html": options["html_file"],
            "markdown": options["markdown_file"],
        },
    )


def _show(plan: Plan, json_file: str | None, html_file: str | None, *, whole: bool) -> None:
    if json_file is not None:
        if json_file == "-":
            to_standard_output(plan.as_text())
        else:
            to_file("jhub plan", "--json", json_file, plan.as_text())
    if html_file is not None:
        from jupyterhub_aws.plan.page.page import page

        to_file("jhub plan", "--html", html_file, page(plan))
        # Standard output belongs to the data where that goes there. A reader that has seen enough
        # changes nothing about the verdict.
        with contextlib.suppress(BrokenPipeError):
            click.echo(
                f"{html_file}: the plan of {plan.stack_name} as a page; open it in a browser",
                err=json_file == "-",
            )
    if json_file is None and html_file is None:
        from jupyterhub_aws.plan.render import render

        render(plan, whole=whole)
