"""`jhub probe ldap STACK`: whether a user would be let in, and if not, at which step and why."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import DIRECTORY, group
from jupyterhub_aws.cli.options import as_json, stack_argument, what_if
from jupyterhub_aws.cli.output import data_to_standard_output

if TYPE_CHECKING:
    from jupyterhub_aws.config.stack import StackConfig
    from jupyterhub_aws.operate.probe.connection import ProbeStep

FORMAT = "jupyterhub-aws/probe/1"
#: Where a password may come from besides the keyboard; never from an argument, which every process
#: on the machine can read.
_SEARCH_VARIABLE, _USER_VARIABLE = "JHUB_LDAP_SEARCH_PASSWORD", "JHUB_LDAP_PASSWORD"
_MARKS = {
    "ok": ("✓", "green"),
    "failed": ("✗", "red"),
    "no": ("–", "yellow"),
    "skipped": ("·", "dim"),
}


@group("probe")
def probe_command() -> None:
    """Try a hub's sign-in from here, with the class and the settings of the hub. Needs the
    network, and no AWS account.
    """


@probe_command.command(
    "ldap",
    needs=DIRECTORY,
    examples=(
        ("jhub probe ldap dev --user alice", ""),
        (
            "jhub probe ldap dev --user alice --set hubs.main.sign_in.encryption=start_tls",
            "what if another way to encrypt is used",
        ),
    ),
    exits={0: "the user would be let in", 1: "the user would not", 2: "wrong input"},
)
@stack_argument
@click.option(
    "--hub",
    metavar="NAME",
    shell_complete=complete.hubs,
    help="Which hub, where the stack has several with a directory.",
)
@click.option(
    "--user",
    metavar="NAME",
    shell_complete=complete.users,
    help="Whose sign-in to try. The password is asked for, without echo.",
)
@what_if
@as_json("The steps as data.")
def ldap(
    stack: str, *, hub: str | None, user: str | None, settings: tuple[str, ...], as_json: bool
) -> int:
    """Try name, port, certificate, look-up account, entry, password and groups of STACK's
    directory, one after the other.

    Passwords are asked for without echo, and neither shown nor logged. Scripts set variables:

    \b
    JHUB_LDAP_PASSWORD          the user's password
    JHUB_LDAP_SEARCH_PASSWORD   the look-up account's; without it
                                `pulumi config get` is run for it
    """  # noqa: D301 -- click's mark for lines that stay as they are
    from jupyterhub_aws.cli.arguments import validated_stack
    from jupyterhub_aws.operate.probe.directory import (
        ProbeRequest,
        ldap_hub,
        probe,
        search_password,
    )

    found, name = validated_stack(stack, settings)
    which = ldap_hub(found, hub, name)
    secret = _search_password(found, which, name, search_password)
    password = (
        None
        if user is None
        else os.environ.get(_USER_VARIABLE)
        or click.prompt(
            f"Password of {user}", hide_input=True, default="", show_default=False, err=True
        )
    )
    good, steps = True, []
    for step in probe(
        ProbeRequest(stack=found, hub=which, user=user, password=password, search_password=secret)
    ):
        steps.append(step)
        if not as_json:
            _show(step)
        good = step.state != "failed" and not (step.what == "verdict" and step.state == "no")
    if as_json:
        data = {"format": FORMAT, "stack": name, "hub": which, "user": user, "ok": good}
        data_to_standard_output({**data, "steps": [dataclasses.asdict(step) for step in steps]})
    return 0 if good else 1


def _search_password(found: StackConfig, hub: str, stack: str, stored: object) -> str | None:
    if getattr(found.hubs[hub].sign_in, "lookup", None) is None:
        return None
    given = os.environ.get(_SEARCH_VARIABLE) or (
        stored(stack, hub, found.folder) if callable(stored) else None
    )
    return given or str(click.prompt("Password of the look-up account", hide_input=True, err=True))


def _show(step: ProbeStep) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from jupyterhub_aws.cli.console import Terminal

    console = Terminal()
    mark, colour = _MARKS[step.state]
    line = Table.grid(padding=(0, 1))
    line.add_column(width=1)
    line.add_column(width=15)
    line.add_column(overflow="fold")
    line.add_row(Text(mark, style=colour), Text(step.what, style="bold"), Text(step.said))
    console.print(line)
    for label, text in (("", step.fix), ("", step.path)):
        if text:
            console.print(Padding(Text(label + text, style="dim"), (0, 0, 0, 18)))
