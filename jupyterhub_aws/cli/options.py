"""Options that several commands have."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.config.errors import ConfigError, refused

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

#: Seconds that `--notice` and `--by` take at most.
_LONGEST_NOTICE, _LONGEST_DEADLINE = 12 * 3600, 24 * 3600
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
stack_argument = click.argument("stack", shell_complete=complete.stacks)
optional_stack = click.argument("stack", required=False, shell_complete=complete.stacks)
hub_argument = click.argument("hub", shell_complete=complete.hubs)
optional_hub = click.argument("hub", required=False, shell_complete=complete.hubs)
#: `--set`: a plan of the stack as it would be with other values.
what_if = click.option(
    "--set", "settings", multiple=True, metavar="PATH=VALUE", help="What if? As with `jhub plan`."
)
html_file = click.option("--html", "html_file", metavar="FILE", help="As one page for a browser.")
do_not_ask = click.option("--yes", is_flag=True, help="Do not ask.")
let_up_go_on = click.option("--yes", is_flag=True, help="Let `pulumi up` go on without asking.")
one_hub_or_all = click.option(
    "--hub",
    metavar="NAME",
    shell_complete=complete.hubs,
    help="One hub. Default: every hub of the stack.",
)
the_only_hub = click.option(
    "--hub",
    metavar="NAME",
    shell_complete=complete.hubs,
    help="Which hub. May be left out where there is one.",
)


def as_json(says: str = "As data.") -> Decorator:
    """`--json`: data instead of text, on standard output."""
    return click.option("--json", "as_json", is_flag=True, help=says)


def as_of(says: str) -> Decorator:
    """`--as-of`: another day than today."""
    return click.option(
        "--as-of", metavar="YYYY-MM-DD", help=f"{says} as of this day. Default: today."
    )


def file_or_output(name: str, says: str) -> Decorator:
    """An option that writes to a file, or without a name of one to standard output. It takes the
    next word for its file, so a stack file or values may follow it by mistake.
    """

    def own(ctx: click.Context, _: click.Parameter, target: str | None) -> str | None:
        if target is not None and target.endswith((".yaml", ".yml")):
            raise not_for_data(ctx.command_path, name, target)
        return target

    return click.option(
        name,
        f"{name.removeprefix('--')}_file",
        is_flag=False,
        flag_value="-",
        metavar="[FILE]",
        callback=own,
        help=says,
    )


def not_for_data(command: str, option: str, target: object) -> ConfigError:
    """The refusal to write over a file that the operator wrote."""
    what = f"would write over {target}, which is not a file of data"
    fix = f"write {option} as the last word to print it, or name a file for it"
    return refused(command, "file.not-data", option, what, fix)


def show_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--show`, also known as `--dry-run`: the lines and nothing else."""
    says = "Print what would be run, and run nothing. Asks neither AWS nor the cluster."
    return click.option("--show", "--dry-run", is_flag=True, help=says)(function)


class NoticePeriod(click.ParamType[int]):
    """How long users have: 15m, 1h, 0m."""

    name = "duration"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Seconds. Refuses what is none, and more than twelve hours."""
        from jupyterhub_aws.operate.live.notifier import seconds_of

        if isinstance(value, int):
            return value
        seconds = seconds_of(value, _LONGEST_NOTICE)
        if seconds is None:
            self.fail(f"{value!r} is not a time of at most 12h; write it like 15m", param, ctx)
        return seconds


class Deadline(click.ParamType[datetime.datetime]):
    """Until when users have: a time of the day in UTC (18:00: the next one), or from now on
    (90m, 2h).
    """

    name = "time"

    def convert(
        self,
        value: str | datetime.datetime,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime.datetime:
        """The moment, at most a day from now."""
        from jupyterhub_aws.operate.live.notifier import seconds_of

        if isinstance(value, datetime.datetime):
            return value
        now = datetime.datetime.now(tz=datetime.UTC)
        if match := _CLOCK.fullmatch(value):
            moment = now.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
            return moment if moment > now else moment + datetime.timedelta(days=1)
        if (seconds := seconds_of(value, _LONGEST_DEADLINE)) is not None:
            return now + datetime.timedelta(seconds=seconds)
        self.fail(
            f"{value!r} is not a time; write 18:00 (UTC), or a time from now of at most 24h"
            " like 90m",
            param,
            ctx,
        )
