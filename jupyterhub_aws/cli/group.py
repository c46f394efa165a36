"""The command line: which subcommands there are, and how an error is shown to the operator."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from jupyterhub_aws.config.errors import ConfigError

#: Subcommand -> what the list of commands says of it.
_COMMANDS = {
    "init": "Make a project of your own: asks, writes, plans",
    "plan": "What `pulumi up` would build, what is wrong with it, its cost",
    "diff": "What changes between two plans, and for which users",
    "gate": "May a change be merged? Judged by the older side's policy",
    "report": "Write the comment of a pull request from plans",
    "values": "The values that Helm gets for a hub",
    "versions": "What is old, near its end, or insecure",
    "migrate": "Rewrite stack files for this version of the library",
    "upgrade": "Plan an upgrade of Kubernetes, step by step",
    "drain": "Empty nodes without ending a server",
    "open": "Open a hub in the browser, through a tunnel if need be",
    "pause": "Scale a stack to zero; homes and names stay",
    "resume": "Bring a paused stack back as its file says",
    "health": "Sign in, start a server of each profile, run a cell",
    "announce": "Show a text on every page of a hub, until a time",
    "who": "Every server: whose, which profile, on which node",
    "nodes": "Every node: pool, type, zone, market, load",
    "logs": "Logs of a hub, its proxy or a user's server",
    "restart": "Restart a hub or its proxy, and wait until it is ready",
    "history": "The revisions of a hub's release that Helm keeps",
    "rollback": "Put a hub back to an earlier revision",
    "kubeconfig": "Print or merge a kubeconfig for the cluster",
    "doctor": "Look at releases, pods, claims and nodes for faults",
    "destroy": "What a teardown deletes, what stays, and what that costs",
    "orphans": "What is still in the account after a teardown",
    "backup": "Show the backups of a stack, or make one now",
    "restore": "Restore a home, a volume or a database beside what exists",
    "can": "May a user's server make a call to AWS, and why",
    "sites": "Every external host that a stack talks to, for a firewall",
    "bundle": "Images, charts and wheels for an isolated network",
    "probe": "Try a hub's sign-in from here",
    "certificate": "Make and inspect certificates for hubs",
    "homes": "Which directory is each user's home",
    "adopt": "Adopt a cluster or a hub that exists",
    "schema": "The JSON schema of stack files, for editors",
    "docs": "The reference page of every option",
}
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
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


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
    """JupyterHub on AWS: plan it here, build it with `pulumi up`. Needs no account and no
    network unless it says so.
    """
    del debug


def run(arguments: Sequence[str]) -> int:
    """Run `jhub` with these arguments and return its exit code: 0 ok, 1 a check failed, 2 wrong
    input.
    """
    # At any position: the message that suggests it cannot know which.
    rest = [argument for argument in arguments if argument != "--debug"]
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
    except Exception as error:  # whatever the program raises, the operator gets one line
        if "--debug" in arguments:
            import traceback

            traceback.print_exc()
            return 2
        from jupyterhub_aws.cli.explain import explain

        print(explain(error), file=sys.stderr)
        return 2
    return result if isinstance(result, int) else 0
