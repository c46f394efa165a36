"""`jhub init [DIR]`: a project of one's own, asked for, written and planned."""

from __future__ import annotations

from pathlib import Path

import click

#: As in init/questions.py, which takes too long to load for a list of options; a test compares.
_VARIANTS = ("open", "airgap", "existing")


@click.command("init")
@click.argument(
    "folder", type=click.Path(path_type=Path, file_okay=False), default=".", metavar="[DIR]"
)
@click.option(
    "--variant",
    type=click.Choice(_VARIANTS),
    default="open",
    show_default=True,
    help="Internet, isolated network, or a cluster that exists.",
)
@click.option("--yes", is_flag=True, help="Ask nothing: take every default.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="An answer, or any option of the stack file. May be repeated.",
)
@click.option(
    "--stack",
    default="dev",
    show_default=True,
    metavar="NAME",
    help="The stack: its file will be Pulumi.NAME.yaml.",
)
@click.option(
    "--project", metavar="NAME", help="The project's name for Pulumi. Default: the folder's."
)
@click.option("--workflows", is_flag=True, help="Write GitHub workflows and a policy pack too.")
def init_command(folder: Path, *, settings: tuple[str, ...], **options: object) -> int:
    """Make a project in DIR (default: here), and plan it. Needs no account and no network.

    \b
    It asks, each with a default and its price per month, and writes
      Pulumi.yaml         the project
      Pulumi.STACK.yaml   the stack, commented
      __main__.py         the program: resources of your own follow there
      requirements.txt    this library at its version
      .gitignore
    Nothing that exists is overwritten. Exit code 0: fine, 1: a check failed, 2: wrong input.
    """  # noqa: D301 -- click's mark for lines that stay as they are
    from jupyterhub_aws.init.run import init

    return init(folder, settings, options)
