"""The command line: which subcommands there are, and how an error reaches a person. Each command lives in a file of its own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from jupyterhub_aws.config.errors import ConfigError

#: Subcommand -> module in jupyterhub_aws.cli.commands, imported when it is called or when help asks for it.
_COMMANDS = {
    "plan": "plan",
    "diff": "diff",
    "gate": "gate",
    "report": "report",
    "values": "values",
    "versions": "versions",
    "migrate": "migrate",
    "upgrade": "upgrade",
    "drain": "drain",
    "open": "open",
    "pause": "pause",
    "resume": "resume",
    "health": "health",
    "who": "who",
    "nodes": "nodes",
    "logs": "logs",
    "restart": "restart",
    "history": "history",
    "rollback": "rollback",
    "kubeconfig": "kubeconfig",
    "doctor": "doctor",
    "destroy": "destroy",
    "orphans": "orphans",
    "backup": "backup",
    "restore": "restore",
    "sites": "sites",
    "bundle": "bundle",
    "probe": "probe",
    "certificate": "certificate",
    "homes": "homes",
    "adopt": "adopt",
    "schema": "schema",
    "docs": "docs",
}


class _Lazy(click.Group):
    """A group that imports a command when it is needed: most commands have no business with the SDKs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of use."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None for click to suggest another."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"jupyterhub_aws.cli.commands.{_COMMANDS[cmd_name]}").command
        return command


def _version(ctx: click.Context, _option: click.Parameter, asked: bool) -> None:
    """Print the library's version on the first line, then what it works with."""
    if not asked or ctx.resilient_parsing:
        return
    from jupyterhub_aws.version import described

    for line in described():
        click.echo(line)
    ctx.exit()


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version of the library and of the SDKs.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def jhub(debug: bool) -> None:
    """JupyterHub on AWS: plan it here, build it with `pulumi up`. Needs no account and no network unless it says so."""
    del debug


def run(arguments: Sequence[str]) -> int:
    """Run `jhub` with these arguments and return its exit code: 0 ok, 1 a check failed, 2 wrong input."""
    rest = [argument for argument in arguments if argument != "--debug"]  # wherever it stands: the message that names it cannot know
    try:
        result = jhub.main(rest, prog_name="jhub", standalone_mode=False)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:  # whatever the program raises, a person gets one line
        if "--debug" in arguments:
            import traceback

            traceback.print_exc()
            return 2
        from jupyterhub_aws.cli.explain import explain

        print(explain(error), file=sys.stderr)
        return 2
    return result if isinstance(result, int) else 0
