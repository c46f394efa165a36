"""`jhub homes map`: which directory is each user's home, under the hub's naming scheme and the one
before.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import group
from jupyterhub_aws.cli.options import as_json, optional_stack
from jupyterhub_aws.cli.output import data_to_standard_output

if TYPE_CHECKING:
    from jupyterhub_aws.operate.homes import Collision, Move, Seen

FORMAT = "jupyterhub-aws/homes-map/1"


@group("homes")
def homes_command() -> None:
    """Look at home directories. Changes nothing."""


@homes_command.command(
    "map",
    examples=(
        ("jhub homes map dev --users users.txt", ""),
        (
            "jhub homes map dev --users users.txt --script > move.sh",
            "a script that moves what changes",
        ),
    ),
    exits={
        0: "no two users share a home",
        1: "a user would find another user's files",
        2: "wrong input",
    },
)
@optional_stack
@click.option(
    "--users",
    required=True,
    metavar="FILE",
    help="Names of users, one per line; - for standard input.",
)
@click.option(
    "--hub",
    metavar="NAME",
    shell_complete=complete.hubs,
    help="Which hub of STACK, where it has several.",
)
@click.option(
    "--from",
    "old",
    metavar="TEMPLATE",
    help="The directory before. Default: the new one with {escaped_username}.",
)
@click.option(
    "--to",
    "new",
    metavar="TEMPLATE",
    help="The directory after. Default: home_directory of the hub, else {safe_username}.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Where the hub's homes are mounted here: says what is really there.",
)
@as_json()
@click.option(
    "--script",
    "as_script",
    is_flag=True,
    help="As a shell script that moves what changes; read it before you run it.",
)
def home_map(stack: str | None, **options: Any) -> int:
    """Print the old and new home directory of each user, and fail where two users would share one."""
    from jupyterhub_aws.operate.homes import collisions, folder_of, moves, names, script, templates

    old, new = templates(stack, options["hub"], options["old"], options["new"])
    found = moves(names(options["users"]), old, new)
    wrong = list(collisions(found))
    seen = None if options["root"] is None else folder_of(options["root"], found)
    if options["as_script"]:
        try:
            sys.stdout.write(script(found))
        except ValueError as error:
            _complain([f"{error} would have to swap directories: move one of them by hand first"])
            return 1
    elif options["as_json"]:
        data_to_standard_output(
            {
                "format": FORMAT,
                "users": [_as_json(move, seen) for move in found],
                "collisions": [{"what": item.what, "fix": item.fix} for item in wrong],
                **({} if seen is None else {"unowned": list(seen.unlisted)}),
            }
        )
    else:
        _show(found, wrong, seen)
    if options["as_script"] or options["as_json"]:
        _complain([f"{item.what}; {item.fix}" for item in wrong])
    return 1 if wrong else 0


def _complain(lines: list[str]) -> None:
    for line in lines:
        click.echo(f"jhub homes: {line}", err=True)


def _as_json(move: Move, seen: Seen | None) -> dict[str, Any]:
    there = (
        {}
        if seen is None
        else {"old_holds_files": seen.old[move.user], "new_holds_files": seen.new[move.user]}
    )
    return {"user": move.user, "old": move.old, "new": move.new, "stays": move.stays, **there}


def _show(found: list[Move], wrong: list[Collision], seen: Seen | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from jupyterhub_aws.cli.console import Terminal

    console = Terminal()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("User", "Before", "After", *(() if seen is None else ("There",))):
        table.add_column(title, overflow="fold")
    for move in found:
        row = [
            Text(move.user),
            Text(move.old),
            Text("the same" if move.stays else move.new, style="dim" if move.stays else "yellow"),
        ]
        table.add_row(*row, *(() if seen is None else (Text(_there(move, seen)),)))
    console.print(table)
    for move in found:
        if len(move.written) > 1:
            console.print(
                f"  {', '.join(move.written)} are one user to JupyterHub: {move.user}",
                style="dim",
                markup=False,
                soft_wrap=True,
            )
    for item in wrong:
        console.print(Text("✗ ", style="red"), Text(item.what), sep="", soft_wrap=True)
        console.print(f"  → {item.fix}", style="dim", markup=False, soft_wrap=True)
    if seen is not None:
        for place in seen.unlisted:
            console.print(
                f"· {place} belongs to no user in the list",
                style="dim",
                markup=False,
                soft_wrap=True,
            )
    changed = sum(not move.stays for move in found)
    console.print(
        f"{len(found)} {'user' if len(found) == 1 else 'users'}: {changed} would find an empty"
        f" home, {len(found) - changed} theirs",
        markup=False,
        soft_wrap=True,
    )


def _there(move: Move, seen: Seen) -> str:
    words = {True: "files", False: "empty", None: "nothing"}
    before, after = seen.old[move.user], seen.new[move.user]
    return words[before] if move.stays else f"{words[before]} before, {words[after]} after"
