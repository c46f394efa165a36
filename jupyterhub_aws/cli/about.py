"""What each command says of itself: what it needs, examples, exit codes.

It is data, for `--help`, for the documentation and for tests: the attributes `needs`, `examples`
and `exits` of a command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import click

#: What a command needs besides a stack file: the line of its `--help`.
NOTHING = "no credentials, no cluster, no network"
PULUMI = "the Pulumi CLI, logged in; no AWS credentials, no cluster"
CREDENTIALS = "AWS credentials of the stack's account; no cluster"
CLUSTER = "a cluster that answers, with AWS credentials (EKS) or a kubeconfig"
DIRECTORY = "network to the directory; no AWS credentials, no cluster"
REGISTRIES = "skopeo and helm, and network to the registries; no AWS credentials, no cluster"

#: Exit codes that every command has.
FINE, WRONG, INTERRUPTED = 0, 2, 130
_INPUT = "wrong input; nothing was changed"
_OTHER_EXITS = MappingProxyType({FINE: "done", WRONG: _INPUT})


class DescribedCommand(click.Command):
    """A command that says what it needs, with examples and exit codes."""

    #: Of `--help`'s own exit codes: what every command has.
    everywhere = MappingProxyType({INTERRUPTED: "interrupted (Ctrl+C)"})

    def __init__(
        self,
        *args: Any,
        needs: str = NOTHING,
        examples: Sequence[tuple[str, str]] = (),
        exits: Mapping[int, str] = _OTHER_EXITS,
        **kwargs: Any,
    ) -> None:
        """Make the command. `examples` are command lines, each with what it is for; `exits` the
        exit codes.
        """
        super().__init__(*args, **kwargs)
        self.needs, self.examples = needs, tuple(examples)
        self.exits = dict(sorted({**_OTHER_EXITS, **exits}.items()))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The purpose, then what it needs."""
        super().format_help_text(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(f"Needs: {self.needs}.")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, as one copies them, and exit codes."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line, says in self.examples:
                    if says:
                        formatter.write_text(f"# {says}")
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), says) for code, says in self.exits.items()])


class DescribedGroup(click.Group):
    """A group of such commands."""

    command_class = DescribedCommand

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with its whole first sentence."""
        names = self.list_commands(ctx)
        held = [(name, self.get_command(ctx, name)) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, found.get_short_help_str(limit=400))
                    for name, found in held
                    if found is not None
                ]
            )


def command(
    name: str,
    *,
    examples: Sequence[tuple[str, str]],
    needs: str = NOTHING,
    exits: Mapping[int, str] = _OTHER_EXITS,
    **more: Any,
) -> Callable[[Callable[..., Any]], DescribedCommand]:
    """Make a command of a function, as click.command does, with what `--help` says of it."""
    return click.command(
        name, cls=DescribedCommand, needs=needs, examples=examples, exits=exits, **more
    )


def group(name: str, **more: Any) -> Callable[[Callable[..., Any]], DescribedGroup]:
    """Make a group of described commands of a function."""
    return click.group(name, cls=DescribedGroup, **more)
