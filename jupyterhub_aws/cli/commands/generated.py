"""What the commands that write a generated file have in common: where to, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from jupyterhub_aws.project import ROOT


def writer(name: str, target: str, render: Callable[[], str], doc: str) -> click.Command:
    """A command `name` that writes what `render` returns to `target` (a path in the project), or to `--output`."""

    @click.command(name, help=doc)
    @click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=ROOT / target, help="Where to write it ('-' for standard output).")
    def command(output: Path) -> None:
        if str(output) == "-":
            click.echo(render(), nl=False)
            return
        output.write_text(render(), encoding="utf-8")
        click.echo(f"wrote {output}", err=True)

    return command
