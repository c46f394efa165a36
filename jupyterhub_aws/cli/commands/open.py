"""`jhub open STACK`: the address of a hub that was built; for one that is not exposed, a tunnel of
your own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import command
from jupyterhub_aws.cli.options import stack_argument
from jupyterhub_aws.config.project import project_of


@command(
    "open",
    needs=(
        "the Pulumi CLI, logged in; with entry port_forward also kubectl, the aws CLI and AWS"
        " credentials"
    ),
    examples=(
        ("jhub open dev", ""),
        ("jhub open dev --hub main --no-browser", "only the address"),
    ),
    exits={0: "opened, or its tunnel was closed", 2: "the hub was not built, or a tool is missing"},
)
@stack_argument
@click.option(
    "--hub",
    metavar="NAME",
    shell_complete=complete.hubs,
    help="Which hub, where the stack has several.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def open_command(stack: str, hub: str | None, no_browser: bool) -> int:
    """Open a hub of STACK in the browser. STACK is a name: its address is in the stack's state.

    A hub with entry `port_forward` is reached through a tunnel, which stays open until Ctrl+C.
    """
    from jupyterhub_aws.operate.open import built_hub, require

    require("pulumi")
    found = built_hub(stack, hub, project_of(Path.cwd()).folder)
    if not found.needs_tunnel:
        _show(found.url, no_browser=no_browser)
        return 0
    require("kubectl", *(("aws",) if found.kubeconfig else ()))
    from jupyterhub_aws.operate.open import tunnel

    with tunnel(found, _say) as process:
        _show(found.url, no_browser=no_browser)
        for which, name in (
            ("user-password", "under any name with"),
            ("admin-password", "as an administrator with"),
        ):
            if which in found.passwords:
                _say(
                    f"Sign in {name} the password {found.passwords[which]}"
                    if sys.stdout.isatty()
                    else _how(stack, which, found.name)
                )
        _say("The tunnel stays open until Ctrl+C.")
        process.wait()
    return 0


def _how(stack: str, which: str, hub: str) -> str:
    """What to run for a password, where this is no terminal: a log is no place for it."""
    return (
        f"The {which}: pulumi stack output hubs --show-secrets --json -s {stack} | jq -r"
        f' \'.["{hub}"].passwords["{which}"]\''
    )


def _show(url: str, *, no_browser: bool) -> None:
    _say(url)
    if not no_browser:
        import webbrowser

        webbrowser.open(url)


def _say(text: str) -> None:
    print(text, flush=True)
