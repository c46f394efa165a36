"""What is wrong with a command line, in the words of every other problem: an id, where, what, and
what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from jupyterhub_aws.config.errors import ConfigError, did_you_mean, refused, some

#: What click says that it was given, in its own sentence.
_GIVEN = re.compile(r"'([^']*)'")
#: Words of other tools, and what does the same here.
_ELSEWHERE = {
    "apply": "build a stack with: pulumi up -s STACK",
    "build": "build a stack with: pulumi up -s STACK",
    "deploy": "build a stack with: pulumi up -s STACK",
    "install": "build a stack with: pulumi up -s STACK",
    "up": "build a stack with: pulumi up -s STACK",
    "help": "see all commands: jhub --help; of one: jhub COMMAND --help",
    "preview": "write jhub plan STACK; the engine's own is pulumi preview -s STACK",
    "down": "see what goes first: jhub destroy plan STACK; then pulumi destroy -s STACK",
    "status": "write jhub doctor STACK, jhub who STACK or jhub nodes STACK",
    "list": "write jhub who STACK or jhub nodes STACK",
    "start": "bring a paused stack back: jhub resume STACK",
    "stop": "scale a stack to zero: jhub pause STACK",
}


def problem_of(error: click.ClickException) -> ConfigError:
    """A problem of the command line as this library says it."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    source = ctx.command_path if ctx is not None else "jhub"
    if isinstance(error, click.NoSuchCommand) and ctx is not None:
        return _unknown_command(error.command_name, ctx)
    if isinstance(error, click.NoSuchOption) and ctx is not None:
        known = list(_options(ctx.command))
        see = f"see the options: {source} --help"
        fix = did_you_mean(error.option_name, known, see)
        return refused(source, "command.option", error.option_name, "is no option here", fix)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return _missing(error.param, ctx, source)
    if isinstance(error, click.BadParameter) and error.param is not None:
        path, what, fix = _name(error.param, ctx), _clause(error.message), f"see {source} --help"
        given = _GIVEN.match(error.message)
        if isinstance(error.param.type, click.Choice) and given is not None:
            known = [str(choice) for choice in error.param.type.choices]
            what = f"must be one of {', '.join(known)} (got {given[0]})"
            fix = did_you_mean(given[1], known, "choose one of them")
        return refused(source, "command.value", path, what, fix)
    what, fix = _clause(error.format_message()), f"see {source} --help"
    if isinstance(error, click.UsageError):
        return refused(source, "command.usage", "", what, fix)
    return refused(source, "command.failed", "", what, fix)


def _unknown_command(word: str, ctx: click.Context) -> ConfigError:
    source = ctx.command_path
    group = ctx.command
    known = group.list_commands(ctx) if isinstance(group, click.Group) else []
    inner = isinstance(group, click.Group) and ctx.parent is not None
    choose = f"choose from {', '.join(known)}" if inner else f"see all commands: {source} --help"
    fix = did_you_mean(word, known, choose)
    if not inner:
        from jupyterhub_aws.cli.complete import stacks_here

        if word in stacks_here():
            fix = f"say what to do with this stack: {source} plan {word}"
        else:
            fix = _ELSEWHERE.get(word, fix)
    return refused(source, "command.unknown", word, "is no command", fix)


def _missing(param: click.Parameter, ctx: click.Context | None, source: str) -> ConfigError:
    name = _name(param, ctx)
    pieces = [] if ctx is None else ctx.command.collect_usage_pieces(ctx)[1:]
    fix = f"write {' '.join([source, *pieces])}"
    if isinstance(param, click.Option):
        fix = f"add {name} {param.make_metavar(ctx or click.Context(click.Command('jhub')))}"
    elif param.name in ("hub", "pool") and ctx is not None:
        names = [str(item.value) for item in param.shell_complete(ctx, "")]
        fix = f"name one ({some(names)})" if names else fix
    if param.name == "stack" and isinstance(param, click.Argument):
        from jupyterhub_aws.cli.complete import stacks_here

        there = stacks_here()
        fix = (
            f"name a stack ({some(there)}): {source} {there[0]}"
            if there
            else f"there is no stack file here: jhub init makes one; or write {source} FILE"
        )
    return refused(source, "command.missing", name, "is missing", fix)


def _name(param: click.Parameter, ctx: click.Context | None) -> str:
    """A parameter as one writes it."""
    if isinstance(param, click.Argument) and ctx is not None:
        return param.make_metavar(ctx).strip("[].…")
    return max(param.opts, key=len)


def _options(command: click.Command) -> Iterator[str]:
    for param in command.params:
        if isinstance(param, click.Option) and not param.hidden:
            yield from (*param.opts, *param.secondary_opts)
    yield from ("--help", "--debug")


def _clause(message: str) -> str:
    """Click's sentence as the middle of ours."""
    text = " ".join(message.split()).rstrip(".")
    return text[:1].lower() + text[1:]
