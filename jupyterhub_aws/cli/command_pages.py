"""docs/commands.md and docs/commands/NAME.md, generated from the commands themselves: what `--help`
says, in a form that can be searched and linked to.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from jupyterhub_aws.cli import group as cli

_GENERATED = "<!-- Generated from the commands by `jhub docs`. Do not edit: run `make docs`. -->"
_HEAD = f"""{_GENERATED}

# Commands

Every command of `jhub`, as `jhub COMMAND --help` says it. STACK is the name of a stack (`dev` for
`Pulumi.dev.yaml`) or the path of a stack file. A command needs no AWS account, no cluster and no network
unless its text says so.
"""
_EXIT_CODES = """
## Exit codes

- 0: done, and nothing is wrong.
- 1: a check failed, or what was asked about is not so; what was found is printed.
- 2: the input is wrong, or something could not be reached: one line says what and how to fix it.
- 130: interrupted with Ctrl+C.
"""


def command_pages() -> dict[str, str]:
    """The pages by their paths below docs/."""
    context = click.Context(cli.jhub, info_name="jhub")
    pages = {"commands.md": _overview(cli.jhub, context)}
    for name in cli.jhub.list_commands(context):
        lines = [_GENERATED, "", *_page(_command(cli.jhub, context, name), context, name, 1)]
        pages[f"commands/{name}.md"] = "\n".join(lines) + "\n"
    return pages


def _command(group: click.Group, context: click.Context, name: str) -> click.Command:
    command = group.get_command(context, name)
    assert command is not None  # its own list has it  # noqa: S101
    return command


def _overview(group: click.Group, context: click.Context) -> str:
    lines = [_HEAD.rstrip()]
    for title, commands in _sections(group, context).items():
        lines += ["", f"## {title}", ""]
        lines += [
            f"- [`jhub {name}`](commands/{name}.md): {says}" for name, says in commands.items()
        ]
    lines += ["", "## Options of every command", ""]
    lines += [_option(option, context) for option in _options(group, context)]
    return "\n".join(lines) + "\n" + _EXIT_CODES


def _sections(group: click.Group, context: click.Context) -> dict[str, dict[str, str]]:
    """The commands by what they are for, as `jhub --help` lists them."""
    sections: dict[str, dict[str, str]] | None = getattr(cli, "SECTIONS", None)
    if sections is not None:
        return sections
    names = group.list_commands(context)
    return {
        "All commands": {
            name: _command(group, context, name).get_short_help_str(200) for name in names
        }
    }


def _page(command: click.Command, above: click.Context, name: str, level: int) -> Iterator[str]:
    """A command's text, how it is called, what it needs, examples, options and exit codes; then its
    subcommands.
    """
    context = click.Context(command, info_name=name, parent=above)
    path = context.command_path
    yield from (f"{'#' * level} `{path}`", "")
    yield from (_text(command.help or ""), "")
    yield from ("```", " ".join([path, *command.collect_usage_pieces(context)]), "```")
    if needs := getattr(command, "needs", ""):
        yield from ("", f"Needs: {needs}.")
    if examples := list(_examples(command)):
        yield from ("", "Examples:", "", "```sh", *examples, "```")
    if shown := [_option(option, context) for option in _options(command, context)]:
        yield from ("", "Options:", "", *shown)
    if exits := getattr(command, "exits", {}):
        yield from ("", "Exit codes:", "", *(f"- {code}: {says}" for code, says in exits.items()))
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield ""
            yield from _page(_command(command, context, below), context, below, level + 1)


def _examples(command: click.Command) -> Iterator[str]:
    """The examples that `--help` shows: command lines, each below what it is for."""
    for line, says in getattr(command, "examples", ()):
        if says:
            yield f"# {says}"
        yield line


def _text(said: str) -> str:
    """Help text as Markdown: click's marks are no characters of the text."""
    return inspect.cleandoc(said).replace("\b\n", "").replace("\f", "").replace("<", "&lt;")


def _options(command: click.Command, context: click.Context) -> list[click.Option]:
    return [
        option
        for option in command.get_params(context)
        if isinstance(option, click.Option) and not option.hidden and "--help" not in option.opts
    ]


def _option(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None  # hidden ones have none  # noqa: S101
    names, said = record
    return f"- `{names}`" + (f": {' '.join(_text(said).split())}" if said else "")
