"""The command line: which subcommands there are, and how an error is shown to the operator."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Sequence

import click

from jupyterhub_aws.config.errors import ConfigError

#: Every command once, under what it is for: what the list of commands says of it.
SECTIONS: dict[str, dict[str, str]] = {
    "Build": {
        "init": "Make a project of your own: asks, writes, plans",
        "plan": "What `pulumi up` would build, what is wrong with it, its cost",
        "explain": "What a message means: cause and cure, by its id",
        "open": "Open a hub in the browser, through a tunnel if need be",
        "certificate": "Make and inspect certificates for hubs",
        "probe": "Try a hub's sign-in from here",
        "schema": "The JSON schema of stack files, for editors",
        "docs": "The reference page of every option",
        "completion": "Let the shell complete commands, stacks, hubs and users",
    },
    "Look": {
        "health": "Sign in, start a server of each profile, run a cell",
        "who": "Every server: its user, profile, node and age",
        "nodes": "Every node: pool, type, zone, market, load",
        "doctor": "Look at releases, pods, claims and nodes for faults",
        "logs": "Logs of a hub, its proxy or a user's server",
        "history": "The revisions of a hub's release that Helm keeps",
        "can": "May a user's server make a call to AWS, and why",
        "values": "The values that Helm gets for a hub",
        "versions": "What is old, near its end, or insecure",
    },
    "Change": {
        "diff": "What changes between two plans, and for which users",
        "gate": "May a change be merged? Judged by the older side's policy",
        "report": "Write the comment of a pull request from plans",
        "upgrade": "Plan an upgrade of Kubernetes, step by step",
        "migrate": "Rewrite stack files for this version of the library",
    },
    "Operate": {
        "announce": "Show a text on every page of a hub, until a time",
        "pause": "Scale a stack to zero; homes and names stay",
        "resume": "Bring a paused stack back as its file says",
        "drain": "Empty nodes without ending a server",
        "restart": "Restart a hub or its proxy, and wait until it is ready",
        "rollback": "Put a hub back to an earlier revision",
        "kubeconfig": "Print or merge a kubeconfig for the cluster",
        "backup": "Show the backups of a stack, or make one now",
        "restore": "Restore a home, a volume or a database beside what exists",
        "destroy": "What a teardown deletes, what stays, and what that costs",
        "orphans": "What is still in the account after a teardown",
    },
    "Adopt": {
        "adopt": "Adopt a cluster or a hub that exists",
        "homes": "Which directory is each user's home",
    },
    "Isolated network": {
        "sites": "Every external host that a stack talks to, for a firewall",
        "bundle": "Images, charts and wheels for an isolated network",
    },
}
_COMMANDS = {name: says for section in SECTIONS.values() for name, says in section.items()}
#: Modules of jupyterhub_aws.cli.commands with several commands. Any other command is in the module of
#: its name.
_MODULES = {
    "backups": ("backup", "restore"),
    "compare": ("diff", "gate", "report"),
    "daily": ("who", "nodes", "logs", "restart", "history", "rollback", "kubeconfig", "doctor"),
    "generated": ("schema", "docs"),
    "pause": ("pause", "resume"),
    "plan": ("plan", "values", "sites"),
    "teardown": ("destroy", "orphans"),
    "versions": ("versions", "upgrade"),
}


#: What an exit code means, whatever the command. Its own `--help` says what 1 means there.
EXIT_CODES = {
    0: "done, and nothing is wrong",
    1: "done, and the answer is no: a check failed, a fault was found",
    2: "not done: wrong input, no credentials, no answer",
    130: "interrupted with Ctrl+C",
}


class _LazyGroup(click.Group):
    """A group that imports a command when it is needed: most commands have no business with the
    SDKs.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of use."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None for click to suggest another."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        where = next((name for name, held in _MODULES.items() if cmd_name in held), cmd_name)
        module = importlib.import_module(f"jupyterhub_aws.cli.commands.{where}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing one of them."""
        del ctx
        width = max(map(len, _COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), says) for name, says in commands.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Exit codes: the same for every command."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), says) for code, says in EXIT_CODES.items()])


def _version(ctx: click.Context, _option: click.Parameter, asked: bool) -> None:
    """Print the library's version on the first line, then what it works with."""
    if not asked or ctx.resilient_parsing:
        return
    from jupyterhub_aws.version import described

    for line in described():
        click.echo(line)
    ctx.exit()


@click.command(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version of the library and of the SDKs.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def jhub(debug: bool) -> None:
    """JupyterHub on AWS: plan it here, build it with `pulumi up`.

    Begin with `jhub init lab`: it asks what it needs, writes a project and plans it, without an
    account. Then `jhub plan dev` in that folder, and `jhub COMMAND --help` for examples.
    """
    del debug


def interrupted() -> int:
    """Say that Ctrl+C ended the command, in one line. Files are written whole or not at all."""
    with contextlib.suppress(OSError, ValueError):
        print("\njhub: interrupted", file=sys.stderr, flush=True)
    return 130


def _wants_data(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for data on standard output: `--json` that names no FILE."""
    words = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    if "--json" not in words:
        return False
    following = words[words.index("--json") + 1 :][:1]
    option = next((param for param in _command_of(words).params if "--json" in param.opts), None)
    if not isinstance(option, click.Option) or option.is_flag:
        return True
    return not following or following[0].startswith("-")


def _command_of(words: Sequence[str]) -> click.Command:
    """The command that a command line names, as far as it can be understood."""
    found: click.Command = jhub
    for word in words:
        if not isinstance(found, click.Group):
            break
        with click.Context(found) as ctx:
            found = found.get_command(ctx, word) or found
    return found


def _say_error(error: Exception, *, traceback: bool, data: bool) -> None:
    from jupyterhub_aws.cli.output import data_to_standard_output, problems_as_json, show_problems

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
    elif isinstance(error, (ConfigError, click.ClickException)):
        if isinstance(error, click.ClickException):
            from jupyterhub_aws.cli.usage import problem_of

            error = problem_of(error)
        show_problems(error)
        if data:
            data_to_standard_output(problems_as_json([error]))
    elif traceback:
        import traceback as trace

        trace.print_exception(error)
    else:
        from jupyterhub_aws.cli.explain import explain

        print(explain(error), file=sys.stderr)


def run(arguments: Sequence[str]) -> int:
    """Run `jhub` with these arguments and return its exit code, one of EXIT_CODES."""
    # At any position: the message that suggests it cannot know which.
    rest = [argument for argument in arguments if argument != "--debug"]
    try:
        result = jhub.main(rest, prog_name="jhub", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return interrupted()
    except Exception as error:  # whatever the program raises, the operator gets one line
        _say_error(error, traceback="--debug" in arguments, data=_wants_data(rest))
        return 2
    return result if isinstance(result, int) else 0
