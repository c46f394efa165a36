"""docs/commands.md and docs/commands/NAME.md, generated from the commands themselves: what `--help`
says, in a form that can be searched and linked to.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping

import click

from jupyterhub_aws.cli.about import DescribedCommand
from jupyterhub_aws.cli.group import EXIT_CODES, SECTIONS

_GENERATED = "<!-- Generated from the commands by `jhub docs`. Do not edit: run `make docs`. -->"
_HEAD = f"""{_GENERATED}

# Commands

Every command of `jhub`, as `jhub COMMAND --help` says it. STACK is the name of a stack (`dev` for
`Pulumi.dev.yaml`) or the path of a stack file. Each page says what the command needs.
"""


def command_pages() -> dict[str, str]:
    """The pages by their paths below docs/."""
    from jupyterhub_aws.cli.group import jhub

    context = click.Context(jhub, info_name="jhub")
    commands = {name: _command(jhub, context, name) for name in jhub.list_commands(context)}
    pages = {"commands.md": _overview(jhub, context)}
    for name, command in commands.items():
        lines = [_GENERATED, "", *_page(command, context, name, 1)]
        pages[f"commands/{name}.md"] = "\n".join(lines) + "\n"
    return pages


def _command(group: click.Group, context: click.Context, name: str) -> click.Command:
    command = group.get_command(context, name)
    assert command is not None  # its own list has it  # noqa: S101
    return command


def _overview(group: click.Group, context: click.Context) -> str:
    lines = [_HEAD.rstrip()]
    for title, held in SECTIONS.items():
        lines += ["", f"## {title}", ""]
        lines += [f"- [`jhub {name}`](commands/{name}.md): {says}" for name, says in held.items()]
    lines += ["", "## Options of every command", ""]
    lines += [_option(option, context) for option in _options(group, context)]
    lines += ["", "## Exit codes", "", *_codes(EXIT_CODES)]
    return "\n".join(lines) + "\n"


def _page(command: click.Command, above: click.Context, name: str, level: int) -> Iterator[str]:
    """A command's text, how it is called, its arguments and options; then its subcommands."""
    context = click.Context(command, info_name=name, parent=above)
    path = context.command_path
    yield from (f"{'#' * level} `{path}`", "")
    yield from (_text(command.help or ""), "")
    yield from ("```", " ".join([path, *command.collect_usage_pieces(context)]), "```")
    if isinstance(command, DescribedCommand):
        yield from ("", f"Needs: {command.needs}.")
        if command.examples:
            yield from ("", "Examples:", "", "```", *_examples(command), "```")
    if shown := [_option(option, context) for option in _options(command, context)]:
        yield from ("", "Options:", "", *shown)
    if isinstance(command, DescribedCommand):
        yield from ("", "Exit codes:", "", *_codes({**command.exits, **command.everywhere}))
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield ""
            yield from _page(_command(command, context, below), context, below, level + 1)


def _examples(command: DescribedCommand) -> Iterator[str]:
    """The examples, each below what it is for, as `--help` shows them."""
    for line, says in command.examples:
        if says:
            yield f"# {says}"
        yield line


def _codes(codes: Mapping[int, str]) -> list[str]:
    return [f"- {code}: {says}." for code, says in codes.items()]


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
