"""`jhub docs`: write the reference pages from the models."""

from __future__ import annotations

from pathlib import Path

import click

_TARGET = Path(__file__).resolve().parents[2] / "docs" / "reference.md"


@click.command("docs")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=_TARGET, help="Where to write it ('-' for standard output).")
def command(output: Path) -> None:
    """Write docs/reference.md from the models."""
    from config.reference import reference_page

    if str(output) == "-":
        click.echo(reference_page(), nl=False)
        return
    output.write_text(reference_page(), encoding="utf-8")
    click.echo(f"wrote {output}", err=True)
