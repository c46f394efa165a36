"""`jhub announce STACK HUB "text" --until …`: a text on every page of a hub."""

from __future__ import annotations

import click

from jupyterhub_aws.cli.about import CLUSTER, command
from jupyterhub_aws.cli.options import as_json, hub_argument, stack_argument
from jupyterhub_aws.cli.output import data_to_standard_output, say


@command(
    "announce",
    needs=CLUSTER,
    examples=(
        ('jhub announce dev main "Maintenance tonight" --until "tomorrow 08:00"', ""),
        ("jhub announce dev main --list", "what users read now or later"),
        ("jhub announce dev main --clear 2", ""),
        ("jhub announce dev main --list --json", "for a script"),
    ),
    exits={0: "done", 2: "wrong input, or the hub does not answer; nothing was changed"},
)
@stack_argument
@hub_argument
@click.argument("text", required=False)
@click.option(
    "--from",
    "starts",
    metavar="TIME",
    help="Show it from this time on. Default: from now. A time without an offset is in UTC.",
)
@click.option(
    "--until",
    "ends",
    metavar="TIME",
    help="Show it until then: 2026-12-24T08:00, 'tomorrow 08:00', 'in 2h' (units m, h, d).",
)
@click.option("--list", "listed", is_flag=True, help="Show what users read now or later.")
@click.option(
    "--clear",
    is_flag=False,
    flag_value="all",
    metavar="[NUMBER]",
    help="Remove all announcements, or the one of this number.",
)
@as_json("What users read now or later, as data.")
def announce_command(stack: str, hub: str, text: str | None, **options: str | bool | None) -> int:
    """Show TEXT to the users of HUB of STACK, at the top of every page of the hub, until a time.

    The hub keeps announcements in its database: they are there after a restart of the hub, and
    never cause one. The notice of a pause hides them while it is shown. TEXT is shown as it is: no
    HTML, at most 500 characters.
    """
    from jupyterhub_aws.operate.daily import announce as work
    from jupyterhub_aws.operate.daily.context import chosen_hubs, inside
    from jupyterhub_aws.operate.daily.who import now
    from jupyterhub_aws.operate.live.hub_api import hub_api

    starts, ends, clear = (
        None if options[name] is None else str(options[name])
        for name in ("starts", "ends", "clear")
    )
    _one_task(text, starts, ends, clear, listed=bool(options["listed"]))
    number = None if clear in (None, "all") else _number(str(clear))
    wanted = None if text is None else work.announcement(text, starts, ends, now())
    data, more = bool(options["as_json"]), dict[str, int]()
    with inside(work.COMMAND, stack, hub=hub, changes=not options["listed"]) as ctx:
        (name,) = chosen_hubs(work.COMMAND, ctx.stack, hub)
        with hub_api(ctx.stack, ctx.cluster, name) as (api, _):
            if wanted is not None:
                made = work.add(api, wanted)
                more = {"added": made.number}
                say(f"Users of {name} read {made.says(now())}", err=data)
                say(f"To remove it: jhub announce {stack} {name} --clear {made.number}", err=data)
            elif clear is not None:
                count = work.clear(api, number)
                more = {"removed": count}
                say(f"{name}: {count} announcement{'' if count == 1 else 's'} removed", err=data)
            found = work.announcements(api) if data or options["listed"] else []
    if data:
        data_to_standard_output({**work.as_json(ctx.name, name, found), **more})
    elif options["listed"]:
        for line in work.lines(name, found, now()):
            say(line)
    return 0


def _one_task(
    text: str | None, starts: str | None, ends: str | None, clear: str | None, *, listed: bool
) -> None:
    """Raise ConfigError for a command line that asks for none of three tasks, or for several."""
    from jupyterhub_aws.config.errors import refused
    from jupyterhub_aws.operate.daily.announce import COMMAND

    tasks = [text is not None, listed, clear is not None]
    if sum(tasks) != 1:
        what = "asks for no task" if not any(tasks) else "asks for several tasks"
        fix = 'give one of these: "TEXT" --until TIME, --list, --clear'
        raise refused(COMMAND, "announce.one-task", "the command", what, fix)
    if text is None and (starts is not None or ends is not None):
        name = "--from" if starts is not None else "--until"
        what, fix = "belongs to a text", 'give a text: "TEXT" --until TIME'
        raise refused(COMMAND, "announce.no-text", name, what, fix)


def _number(text: str) -> int:
    from jupyterhub_aws.config.errors import refused
    from jupyterhub_aws.operate.daily.announce import COMMAND

    if not (text.isascii() and text.isdigit() and len(text) < 10):
        what = f"is not the number of an announcement (got {text[:60]!r})"
        raise refused(COMMAND, "announce.number", "--clear", what, "look at them: --list")
    return int(text)
