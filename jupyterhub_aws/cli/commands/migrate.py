"""`jhub migrate`: stack files in the format of this version of the library."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import command
from jupyterhub_aws.cli.options import as_json
from jupyterhub_aws.cli.output import data_to_standard_output, problems_as_json

if TYPE_CHECKING:
    from jupyterhub_aws.migrate.files import Migration


@command(
    "migrate",
    examples=(
        ("jhub migrate", "what would change in all stack files here"),
        ("jhub migrate dev --write", "change one"),
        ("jhub migrate --json | jq '.files[].changes'", "for a script"),
    ),
    exits={0: "shown or written", 2: "a file cannot be read; nothing was written"},
)
@click.argument("stacks", nargs=-1, metavar="[STACK|FILE]...", shell_complete=complete.stacks)
@click.option(
    "--write", "writes", is_flag=True, help="Write the files. Without it they are only shown."
)
@as_json()
def migrate_command(stacks: tuple[str, ...], writes: bool, as_json: bool) -> int:
    """Show what changes in stack files of an older format, and with --write change it.

    Without STACK: all stack files of the folder, and the values that Pulumi.yaml has for them.
    Options that have other names today are renamed; comments, order, quotes and secrets stay as
    they are. Run it again whenever you like: a file of today's format stays as it is.
    """
    from jupyterhub_aws.config.errors import ConfigError
    from jupyterhub_aws.config.project import find_project
    from jupyterhub_aws.migrate.files import as_data, migrated, targets, write

    found: list[Migration] = []
    wrong: list[ConfigError] = []
    project = find_project(Path.cwd())
    folder = (
        Path.cwd()
        if project is None or any(Path.cwd().glob("Pulumi.*.yaml"))
        else project.stack_folder
    )
    for path in targets(stacks, folder):
        try:
            found.append(migrated(path))
        except ConfigError as error:
            wrong.append(error)
    if not as_json:
        _show(found)
    if wrong:
        print("\n".join(map(str, wrong)), file=sys.stderr)
        print("jhub migrate: nothing was written", file=sys.stderr)
        if as_json:
            data_to_standard_output(problems_as_json(wrong))
        return 2
    if writes:
        write(found)
    if as_json:
        data_to_standard_output(as_data(found, written=writes))
    else:
        _say_next(found, stacks, written=writes)
    return 0


def _show(found: Sequence[Migration]) -> None:
    from jupyterhub_aws.cli.console import Terminal
    from jupyterhub_aws.migrate.files import show

    console = Terminal()
    for item in found:
        if item.changes or item.path.name != "Pulumi.yaml":
            show(console, item)


def _say_next(found: Sequence[Migration], stacks: Sequence[str], *, written: bool) -> None:
    from jupyterhub_aws.cli.console import Terminal, counted

    changed = [item for item in found if item.changes]
    if not changed:
        return
    says = (
        f"{counted(len(changed), 'file')} written. Look at them with `git diff`, then: jhub plan"
        " STACK"
        if written
        else f"Nothing is written yet. To write: jhub migrate {' '.join((*stacks, '--write'))}"
    )
    Terminal().print(says, markup=False, soft_wrap=True)
