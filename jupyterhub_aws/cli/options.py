"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

#: `--set`: a plan of the stack as it would be with other values.
what_if = click.option(
    "--set", "settings", multiple=True, metavar="PATH=VALUE", help="What if? As with `jhub plan`."
)
html_file = click.option("--html", "html_file", metavar="FILE", help="As one page for a browser.")
do_not_ask = click.option("--yes", is_flag=True, help="Do not ask.")
let_up_go_on = click.option("--yes", is_flag=True, help="Let `pulumi up` go on without asking.")
one_hub_or_all = click.option(
    "--hub", metavar="NAME", help="One hub. Default: every hub of the stack."
)
the_only_hub = click.option("--hub", help="Which hub. May be left out where there is one.")


def as_json(says: str = "As data.") -> Decorator:
    """`--json`: data instead of text, on standard output."""
    return click.option("--json", "as_json", is_flag=True, help=says)


def as_of(says: str) -> Decorator:
    """`--as-of`: another day than today."""
    return click.option(
        "--as-of", metavar="YYYY-MM-DD", help=f"{says} as of this day. Default: today."
    )


def file_or_output(name: str, says: str) -> Decorator:
    """An option that writes to a file, or without a name of one to standard output."""
    return click.option(
        name,
        f"{name.removeprefix('--')}_file",
        is_flag=False,
        flag_value="-",
        metavar="[FILE]",
        help=says,
    )
