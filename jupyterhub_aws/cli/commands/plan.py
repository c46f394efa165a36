"""`jhub plan` (what `pulumi up` would build, what is wrong with it, and what it costs), `jhub values`
(what Helm gets for a hub) and `jhub sites` (every external host). Without account and network.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jupyterhub_aws.cli.about import command
from jupyterhub_aws.cli.arguments import chosen_hub, day, stack_file
from jupyterhub_aws.cli.options import (
    as_json,
    file_or_output,
    optional_hub,
    stack_argument,
    what_if,
)
from jupyterhub_aws.cli.output import data_to_standard_output, to_file, to_standard_output
from jupyterhub_aws.config.errors import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyterhub_aws.checks.sites import Site
    from jupyterhub_aws.config.stack_file import StackFile
    from jupyterhub_aws.plan.plan import Plan


@command(
    "plan",
    examples=(
        ("jhub plan dev", "the verdict, every warning, and the cost"),
        (
            "jhub plan dev --set pools.memory.size.max=20 --against HEAD",
            "what would change if the pool might grow to 20 nodes, and what it costs",
        ),
        ("jhub plan dev --html plan.html", "a page with pictures, for a browser"),
    ),
    exits={
        0: "no check failed",
        1: "a check failed",
        2: "the stack file, or the command line, is wrong",
    },
)
@stack_argument
@file_or_output("--json", "The plan as data; without FILE to standard output.")
@click.option(
    "--html",
    "html_file",
    metavar="FILE",
    help="The plan as one page with pictures, for a browser. It needs no network.",
)
@click.option(
    "--brief",
    is_flag=True,
    help="A dozen lines: the verdict, a line for each id that fails or warns, the cost.",
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
@file_or_output("--markdown", "With --against: as one comment for a pull request.")
@click.option(
    "--as-of",
    "day",
    metavar="YYYY-MM-DD",
    help="Judge support dates as of this day. Default: today.",
)
def plan_command(
    stack: str, settings: tuple[str, ...], *, whole: bool, brief: bool, **options: str | None
) -> int:
    """Show what `pulumi up -s STACK` would build, and every finding about it.

    STACK is a name (dev) or the path of a stack file.
    """
    from jupyterhub_aws.config.prices import read_prices
    from jupyterhub_aws.plan.plan import make_plan

    if whole and brief:
        what, fix = "and --brief exclude each other", "leave out one of them"
        raise refused("jhub plan", "command.exclusive", "--resources", what, fix)
    as_of, prices_file = day(options["day"]), options["prices_file"]
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
        _show(plan, options, whole=whole, brief=brief)
    return 1 if plan.failed else 0


def _compare(plan: Plan, file: StackFile, options: Mapping[str, str | None]) -> None:
    """What changes from what `--against` names. With it, --json, --html and --markdown are of
    the difference.
    """
    from jupyterhub_aws.changes.difference import difference
    from jupyterhub_aws.diff.show import of_plan, older, show

    found = difference(older(str(options["against"]), file, plan.as_of.isoformat()), of_plan(plan))
    show(found, None, {kind: options[f"{kind}_file"] for kind in ("json", "html", "markdown")})


def _show(plan: Plan, options: Mapping[str, str | None], *, whole: bool, brief: bool) -> None:
    json_file, html_file = options["json_file"], options["html_file"]
    if json_file not in (None, "-"):
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
    if json_file == "-":
        to_standard_output(plan.as_text())
        return
    from jupyterhub_aws.plan.render import render, render_brief, say_verdict

    if brief:
        render_brief(plan)
    elif html_file is not None:
        say_verdict(plan)
    elif json_file is None:
        render(plan, whole=whole)


@command(
    "values",
    examples=(("jhub values dev main > values.yaml", ""),),
)
@stack_argument
@optional_hub
@what_if
def values_command(stack: str, hub: str | None, settings: tuple[str, ...]) -> int:
    """Print the values of HUB's release in STACK. HUB may be left out where there is one only.

    What only AWS knows is a placeholder such as ${hub-main-database-instance.endpoint}; a secret as
    [secret].
    """
    from jupyterhub_aws.checks.user_pods import hub_of, hub_releases
    from jupyterhub_aws.plan.plan import recorded

    _, recording = recorded(stack_file(stack, settings))
    found = {hub_of(release): release for release in hub_releases(recording.everything.own)}
    name = chosen_hub(
        "jhub values",
        stack,
        found,
        hub,
        kind=" inside a cluster",
        none="name the stack that makes them: with `parts: cloud` it is the other one",
        several=f"name one: jhub values {stack} {min(found, default='')}",
    )
    _write(found[name].inputs["values"])
    return 0


def _write(values: Any) -> None:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096  # a folded line is a changed value for one who copies it
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(_readable(values), sys.stdout)


def _readable(value: Any) -> Any:
    """The same value, with texts of several lines as blocks."""
    from ruamel.yaml.scalarstring import LiteralScalarString

    if isinstance(value, dict):
        return {key: _readable(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_readable(item) for item in value]
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


_TITLES = {
    "nodes": "Nodes (images, AWS's APIs)",
    "hub": "Hubs",
    "servers": "User servers",
    "browsers": "Users' browsers",
    "operators": "Operators: the machine that runs pulumi",
}


@command(
    "sites",
    examples=(
        ("jhub sites dev", "for the firewall"),
        ("jhub sites dev --json | jq -r '.[].host' | sort -u", "hosts alone"),
    ),
)
@stack_argument
@what_if
@as_json()
def sites_command(stack: str, *, settings: tuple[str, ...], as_json: bool) -> int:
    """Show every external host that STACK would talk to, who asks it, and which resource makes
    them ask.
    """
    from jupyterhub_aws.checks.sites import sites
    from jupyterhub_aws.plan.plan import recorded

    found, recording = recorded(stack_file(stack, settings))
    listed = sites(found, recording.everything)
    if as_json:
        data = [
            {"host": site.host, "who": site.who, "why": site.why, "resource": site.resource}
            for site in listed
        ]
        data_to_standard_output(data)
    else:
        _show_sites(listed, closed=found.network.closed)
    return 0


def _show_sites(listed: list[Site], *, closed: bool) -> None:
    from rich.text import Text

    from jupyterhub_aws.cli.console import Terminal
    from jupyterhub_aws.cli.output import wrapped
    from jupyterhub_aws.config.errors import some

    console = Terminal()
    on_terminal = sys.stdout is not None and sys.stdout.isatty()

    def line(text: str, indent: str = "", style: str = "") -> None:
        """Whole in a pipe, for `grep`."""
        fitted = wrapped(text, console.width, indent, indent + "  ") if on_terminal else ""
        console.print(Text(fitted or indent + text, style), soft_wrap=True)

    for who, title in _TITLES.items():
        here = [site for site in listed if site.who == who]
        if not here and who in ("browsers", "servers"):
            continue
        console.print(f"[bold]{title}[/bold]" + ("" if here else ": no external host"))
        for host in dict.fromkeys(site.host for site in here):
            reasons = [site for site in here if site.host == host]
            line(host, "  ")
            for why in dict.fromkeys(site.why for site in reasons):
                asked = [site.resource for site in reasons if site.why == why and site.resource]
                names = sorted({resource.rpartition("::")[2] for resource in asked})
                who_asks = f" ({some(names, 3)})" if names else ""
                line(f"{why}{who_asks}", "    ", "dim")
    if closed:
        console.print()
        line(
            "This network is isolated: what nodes, hubs and servers need is inside (`jhub plan`"
            " proves it)."
        )
