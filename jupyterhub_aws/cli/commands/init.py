"""`jhub init [DIR]`: a project of one's own, asked for, written and planned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from jupyterhub_aws.cli.about import command
from jupyterhub_aws.cli.options import as_json

#: As in init/questions.py, which takes too long to load for a list of options; a test compares.
_VARIANTS = ("open", "airgap", "existing")


@command(
    "init",
    examples=(
        ("jhub init lab", "ask, write a project into the folder lab, plan it"),
        (
            "jhub init lab --yes --set region=eu-west-1 --set users=40",
            "ask nothing, and answer two questions beforehand",
        ),
        ("jhub init --list", "the names of the questions, for --set"),
    ),
    exits={
        0: "written, and no check failed",
        1: "written, and a check of its plan failed",
        2: "wrong input; nothing was written",
    },
)
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
    help="An answer (--list has their names), or any option of the stack file. May be repeated.",
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
@click.option(
    "--list",
    "listed",
    is_flag=True,
    help="Write nothing: list the questions of the variant, which --set answers.",
)
@as_json("With --list: as data.")
@click.option("--workflows", is_flag=True, help="Write GitHub workflows and a policy pack too.")
def init_command(folder: Path, *, settings: tuple[str, ...], **options: object) -> int:
    """Make a project in DIR (default: here), and plan it.

    It asks, each with a default and its price per month, and writes these files. Nothing that
    exists is overwritten.

    \b
    Pulumi.yaml         the project
    Pulumi.STACK.yaml   the stack, commented
    __main__.py         the program: resources of your own follow there
    requirements.txt    this library at its version
    .gitignore          what does not belong into git
    """  # noqa: D301 -- click's mark for lines that stay as they are
    if options["listed"] or options["as_json"]:
        return _list(folder, options)
    from jupyterhub_aws.init.run import init

    return init(folder, settings, options)


def _list(folder: Path, options: Mapping[str, object]) -> int:
    """The questions of a variant: what `--set` answers them by, their values and defaults."""
    from jupyterhub_aws.cli.output import data_to_standard_output, say
    from jupyterhub_aws.config.errors import refused
    from jupyterhub_aws.init.defaults import name_of
    from jupyterhub_aws.init.question import described
    from jupyterhub_aws.init.questions import questions_of

    if not options["listed"]:
        what, fix = "is of the list of questions", "add --list"
        raise refused("jhub init", "command.needs-list", "--json", what, fix)
    variant = str(options["variant"])
    listed = list(described(questions_of(variant, name_of(folder))))
    if options["as_json"]:
        data_to_standard_output({"variant": variant, "questions": listed})
        return 0
    say(f"Answers of `jhub init --variant {variant}`, given by --set NAME=VALUE:")
    for item in listed:
        say("")
        say(f"{item['name']}: {item['question']}")
        if item["values"]:
            say(f"values: {', '.join(item['values'])}", begins="    ")
        say(f"default: {item['default'] or 'none'}", begins="    ")
    return 0
