"""`jhub sites STACK`: every external host that the stack would talk to, so that a firewall can be
opened for exactly those.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jupyterhub_aws.checks.sites import Site

_TITLES = {
    "nodes": "Nodes (images, AWS's APIs)",
    "hub": "Hubs",
    "servers": "User servers",
    "browsers": "Users' browsers",
    "operators": "Operators: the machine that runs pulumi",
}


@click.command("sites")
@click.argument("stack")
@click.option(
    "--set", "settings", multiple=True, metavar="PATH=VALUE", help="What if? As with `jhub plan`."
)
@click.option("--json", "as_json", is_flag=True, help="As data.")
def command(stack: str, *, settings: tuple[str, ...], as_json: bool) -> int:
    """Show every external host that STACK would talk to, who asks it, and which resource makes
    them ask.
    """
    from jupyterhub_aws.checks.sites import sites
    from jupyterhub_aws.cli.arguments import stack_file
    from jupyterhub_aws.plan.plan import recorded

    found, recording = recorded(stack_file(stack, settings))
    listed = sites(found, recording.everything)
    if as_json:
        data = [
            {"host": site.host, "who": site.who, "why": site.why, "resource": site.resource}
            for site in listed
        ]
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        _show(listed, closed=found.network.closed)
    return 0


def _show(listed: list[Site], *, closed: bool) -> None:
    from jupyterhub_aws.cli.console import Terminal

    console = Terminal()
    for who, title in _TITLES.items():
        here = [site for site in listed if site.who == who]
        if not here and who in ("browsers", "servers"):
            continue
        console.print(f"[bold]{title}[/bold]" + ("" if here else ": no external host"))
        for host in dict.fromkeys(site.host for site in here):
            reasons = [site for site in here if site.host == host]
            console.print(f"  {host}", soft_wrap=True)
            for why in dict.fromkeys(site.why for site in reasons):
                names = sorted(
                    {
                        site.resource.rpartition("::")[2]
                        for site in reasons
                        if site.why == why and site.resource
                    }
                )
                console.print(
                    f"    {why}{f' ({_few(names)})' if names else ''}", style="dim", soft_wrap=True
                )
    if closed:
        console.print(
            "\nThis network is isolated: what nodes, hubs and servers need is inside (`jhub plan`"
            " proves it).",
            soft_wrap=True,
        )


def _few(names: list[str]) -> str:
    shown = 3
    return ", ".join(names[:shown]) + (
        f" and {len(names) - shown} more" if len(names) > shown else ""
    )
