"""`jhub schema`: write the JSON schema by which editors complete and check stack files."""

from __future__ import annotations

from pathlib import Path

import click

_TARGET = Path(__file__).resolve().parents[2] / "config" / "stack.schema.json"


@click.command("schema")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=_TARGET, help="Where to write it ('-' for standard output).")
def command(output: Path) -> None:
    """Write config/stack.schema.json from the models."""
    from config.schema import render_schema

    if str(output) == "-":
        click.echo(render_schema(), nl=False)
        return
    output.write_text(render_schema(), encoding="utf-8")
    click.echo(f"wrote {output}", err=True)
