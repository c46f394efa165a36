"""`jhub adopt`: adopt a cluster that exists: look at an account, convert a chart's values,
and say whether a preview adopts and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from jupyterhub_aws.cli.about import group
from jupyterhub_aws.cli.options import as_json, file_or_output, stack_argument

_NAME = click.option(
    "--name",
    "stack",
    required=True,
    metavar="STACK",
    help="The stack: its file will be Pulumi.STACK.yaml.",
)
_OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the file is written. Default: here.",
)


@group("adopt")
def adopt_command() -> None:
    """Take over what exists. `scan` and `config` write a stack file; `check` says whether `up`
    would adopt and nothing else. More: docs/adopting.md.
    """


@adopt_command.command(
    "scan",
    needs=("AWS credentials, and a cluster that answers"),
    examples=(
        ("jhub adopt scan --region us-east-1 --cluster teaching --name dev", ""),
        (
            "jhub adopt scan --region us-east-1 --name dev --again",
            "its imports once more, for a stack file that you changed",
        ),
    ),
    exits={
        0: "written, and nothing is left to fill in",
        1: "written; lines are left to fill in, or something could not be seen",
        2: "nothing was written",
    },
)
@click.option("--region", required=True, metavar="REGION", help="The region of the cluster.")
@click.option("--cluster", metavar="NAME", help="The EKS cluster; needed where there are several.")
@_NAME
@_OUT
@click.option("--account", metavar="ID", help="The account that is meant: another one is refused.")
@click.option(
    "--file-system", metavar="ID", help="The EFS file system of homes, where several are mounted."
)
@click.option(
    "--again",
    is_flag=True,
    help="Pulumi.STACK.yaml is there and stays as it is: look for its imports again.",
)
@file_or_output("--json", "Everything that was found, as data; without FILE to standard output.")
def scan_account(stack: str, **options: Any) -> int:
    """Look at an account with a running EKS hub, and write a stack file with an import map.

    Reads only.
    """
    from jupyterhub_aws.adopt.adopt import scanned

    return scanned(stack, options)


@adopt_command.command(
    "config",
    examples=(
        ("jhub adopt config config.yaml --name dev", ""),
        (
            "jhub adopt config common.yaml prod.yaml --under basehub.jupyterhub --name prod",
            "values of an umbrella chart, merged as helm does",
        ),
        ("jhub adopt config config.yaml --name dev --json", "for a script"),
    ),
    exits={
        0: "written, and nothing is left to fill in",
        1: "written; lines are left to fill in, or a rule that kept users out has no counterpart",
        2: "no values of the chart; nothing was written",
    },
)
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, metavar="FILE…")
@click.option(
    "--values",
    "-f",
    "further",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="One more FILE, written as for helm.",
)
@_NAME
@_OUT
@click.option(
    "--hub",
    default="main",
    show_default=True,
    metavar="NAME",
    help="The name of the hub in the stack.",
)
@click.option(
    "--under",
    metavar="KEYS",
    help="Where the chart's values are in an umbrella chart's: basehub.jupyterhub. Default: found.",
)
@file_or_output(
    "--json",
    "What became of every value, by its path, as data; without FILE, as the last word, to"
    " standard output.",
)
def convert(files: tuple[Path, ...], further: tuple[Path, ...], stack: str, **options: Any) -> int:
    """Make a stack file of FILE, the config.yaml of a zero-to-jupyterhub chart on a kops or kubeadm
    cluster.

    Several files are merged as `helm upgrade --values A --values B` does: give them in that order.
    Values of an umbrella chart, a HelmRelease, an Application and the output of `helm get values`
    do too.

    Secrets are not copied: the commands that set them are printed.
    """
    from jupyterhub_aws.adopt.adopt import converted

    return converted([*files, *further], stack, options)


@adopt_command.command(
    "check",
    needs=("the Pulumi CLI, logged in, and AWS credentials; with --preview none of them"),
    examples=(
        ("jhub adopt check dev", ""),
        (
            "jhub adopt check dev --preview preview.json",
            "",
        ),
        ("jhub adopt check dev --preview preview.json --json", ""),
    ),
    exits={
        0: "`up` would adopt and nothing else, or nothing changes any more",
        1: "it would replace, delete or change something",
        2: "there is no preview to read",
    },
)
@stack_argument
@click.option(
    "--preview",
    "preview_file",
    metavar="FILE",
    help="Read what `pulumi preview --json` printed, instead of running it.",
)
@as_json()
def check_preview(stack: str, preview_file: str | None, as_json: bool) -> int:
    """Say whether `pulumi up -s STACK` would import what the map names, make what is missing, and
    neither replace nor delete anything.
    """
    from jupyterhub_aws.adopt.adopt import checked

    return checked(stack, preview_file, as_json=as_json)
