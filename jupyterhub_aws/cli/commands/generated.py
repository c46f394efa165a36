"""`jhub schema` and `jhub docs`: the commands that write a generated file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import click

from jupyterhub_aws.cli.about import DescribedCommand, command
from jupyterhub_aws.cli.output import to_file, to_standard_output, to_target
from jupyterhub_aws.config.project import find_project


def writer(name: str, target: str, render: Callable[[], str], doc: str) -> DescribedCommand:
    """A command `name` that writes what `render` returns: to `--output`; else over `target`, a
    path in the project; else to standard output.
    """
    line = f"jhub {name} --output {Path(target).name}"
    examples = ((line, "into a file here"), (f"jhub {name} --output -", "to standard output"))

    @command(name, help=doc, examples=examples)
    @click.option(
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help=f"Where to write it. Default: {target}, else standard output ('-').",
    )
    def generate(output: Path | None) -> None:
        output = output or _there(target)
        to_target(f"jhub {name}", "--output", str(output), render())
        if str(output) != "-":
            click.echo(f"wrote {output}", err=True)

    return generate


def _there(target: str) -> Path:
    """The generated file of the project that one is in; `-` where it has none, or where one is
    in no project.
    """
    project = find_project(Path.cwd())
    if project is not None and (project.folder / target).is_file():
        return project.folder / target
    return Path("-")


def _schema() -> str:
    from jupyterhub_aws.config.schema import render_schema

    return render_schema()


schema_command = writer(
    "schema",
    "config/stack.schema.json",
    _schema,
    "Write the JSON schema of stack files, for editors that complete and check them.",
)


def _pages() -> dict[str, str]:
    """The generated pages of the documentation, by their paths in its folder."""
    from jupyterhub_aws.cli.command_pages import command_pages
    from jupyterhub_aws.config.reference import reference_pages

    return {**reference_pages(), **command_pages()}


@command(
    "docs",
    examples=(
        ("jhub docs", "in a project that has docs/reference.md: its pages anew"),
        ("jhub docs --output reference", "all pages into a folder"),
        ("jhub docs --output - | less", "every option of a stack file as one text"),
    ),
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The folder to write the pages to. Default: docs, where the project has them, else one"
    " long page on standard output ('-').",
)
def docs_command(output: Path | None) -> None:
    """Write the reference: a page for each section of a stack file and for each command."""
    if output is None:
        there = _there("docs/reference.md")
        output = there if str(there) == "-" else there.parent
    if str(output) == "-":
        from jupyterhub_aws.config.reference import reference_pages

        to_standard_output("\n".join(reference_pages().values()))
        return
    pages = _pages()
    for name, text in pages.items():
        target = output / name
        with contextlib.suppress(OSError):  # then the file cannot be written, which is told
            target.parent.mkdir(parents=True, exist_ok=True)
        to_file("jhub docs", "--output", str(target), text)
    # What a section or a command was called before has no page any more.
    for folder in {Path(name).parent for name in pages} - {Path()}:
        for left in (output / folder).glob("*.md"):
            if left.relative_to(output).as_posix() not in pages:
                left.unlink()
    click.echo(f"wrote {len(pages)} pages to {output}", err=True)
