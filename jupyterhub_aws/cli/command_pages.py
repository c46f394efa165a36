"""docs/commands.md and docs/commands/NAME.md, generated from the commands themselves: what `--help`
says, in a form that can be searched and linked to.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

import click

from jupyterhub_aws.cli.about import DescribedCommand
from jupyterhub_aws.cli.group import EXIT_CODES, SECTIONS

_GENERATED = "<!-- Generated from the commands by `jhub docs`. Do not edit: run `make docs`. -->"
#: Click leaves the lines of a paragraph that begins with this as they are.
_AS_IT_IS = "\b\n"
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
        yield from ("", f"Needs: {_marked(command.needs)}.")
        if command.examples:
            yield from ("", "Examples:", "", "```sh", *_examples(command), "```")
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
    return [f"- {code}: {_marked(says)}." for code, says in codes.items()]


#: Beside code that is marked already: an option, a file with two underscores, a page of the docs.
_CODE = re.compile(r"`[^`]*`|(?<![\w`-])(?:--[a-z][a-z-]*|__\w+__\.py)|docs/([\w-]+)\.md")


def _text(said: str) -> str:
    """Help text as Markdown: click's marks are no characters of the text, what it leaves as it is
    becomes a list, and options are code.
    """
    paragraphs = inspect.cleandoc(said).replace("\f", "").split("\n\n")
    return "\n\n".join(
        _listed(each.removeprefix(_AS_IT_IS)) if each.startswith(_AS_IT_IS) else _marked(each)
        for each in paragraphs
    )


def _listed(text: str) -> str:
    """Lines of a name and what it is, in two columns; a line that begins with blanks goes on."""
    items: list[str] = []
    for line in text.splitlines():
        name, _, says = line.partition("  ")
        if name:
            items.append(f"- `{name}`: {_marked(says.strip())}")
        else:
            items[-1] += f" {_marked(line.strip())}"
    return "\n".join(items)


def _marked(text: str) -> str:
    def code(found: re.Match[str]) -> str:
        if found[1]:
            return f"[{found[1].replace('-', ' ')}](../{found[1]}.md)"
        return found[0] if found[0].startswith("`") else f"`{found[0]}`"

    return _CODE.sub(code, text.replace("<", "&lt;"))


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
    said = re.sub(r"(\d+)<=x<=(\d+)", r"\1 to \2", said).replace("x>=", "at least ")
    return f"- `{names}`" + (f": {' '.join(_marked(said).split())}" if said else "")
