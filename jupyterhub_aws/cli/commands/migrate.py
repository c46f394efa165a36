"""`jhub migrate`: stack files in the format of this version of the library."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import command


@command(
    "migrate",
    examples=(
        ("jhub migrate", "what would change in all stack files here"),
        ("jhub migrate dev --write", "change one"),
    ),
    exits={0: "shown or written", 2: "a file cannot be read; nothing was written"},
)
@click.argument("stacks", nargs=-1, metavar="[STACK|FILE]...", shell_complete=complete.stacks)
@click.option(
    "--write", "writes", is_flag=True, help="Write the files. Without it they are only shown."
)
def migrate_command(stacks: tuple[str, ...], writes: bool) -> int:
    """Show what changes in stack files of an older format, and with --write change it.

    Without STACK: all stack files of the folder, and the values that Pulumi.yaml has for them.
    Options that have other names today are renamed; comments, order, quotes and secrets stay as
    they are. Run it again whenever you like: a file of today's format stays as it is.
    """
    from jupyterhub_aws.cli.console import Terminal, counted
    from jupyterhub_aws.config.errors import ConfigError
    from jupyterhub_aws.config.project import find_project
    from jupyterhub_aws.migrate.files import migrated, show, targets, write

    found, wrong = [], []
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
            wrong.append(str(error))
    console = Terminal()
    for item in found:
        if item.changes or item.path.name != "Pulumi.yaml":
            show(console, item)
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        print("jhub migrate: nothing was written", file=sys.stderr)
        return 2
    changed = [item for item in found if item.changes]
    if not changed:
        return 0
    if not writes:
        console.print(
            f"Nothing is written yet. To write: jhub migrate {' '.join((*stacks, '--write'))}",
            markup=False,
            soft_wrap=True,
        )
        return 0
    write(found)
    console.print(
        f"{counted(len(changed), 'file')} written. Look at them with `git diff`, then: jhub plan"
        " STACK",
        markup=False,
        soft_wrap=True,
    )
    return 0
