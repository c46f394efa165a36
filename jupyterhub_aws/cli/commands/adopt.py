"""`jhub adopt`: adopt a cluster that exists: look at an account, convert a chart's values,
and say whether a preview adopts and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

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


@click.group("adopt")
def adopt_command() -> None:
    """Take over what exists. `scan` and `config` write a stack file; `check` says whether `up`
    would adopt and nothing else. docs/adopting.md.
    """


@adopt_command.command("scan")
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
@click.option("--json", "json_file", metavar="FILE", help="Everything that was found, as data.")
def scan_account(stack: str, **options: Any) -> int:
    """Look at an account with a running EKS hub, and write a stack file with an import map.

    Reads only. Ends with 1 where lines are left to fill in, or something could not be seen.
    """
    from jupyterhub_aws.adopt.adopt import scanned

    return scanned(stack, options)


@adopt_command.command("config")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, metavar="FILE…")
@click.option(
    "--values",
    "-f",
    "further",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="The same, as helm has it.",
)
@_NAME
@_OUT
@click.option(
    "--hub",
    default="main",
    show_default=True,
    metavar="NAME",
    help="What the hub is called in the stack.",
)
@click.option(
    "--under",
    metavar="KEYS",
    help="Where the chart's values are in an umbrella chart's: basehub.jupyterhub. Default: found.",
)
@click.option(
    "--json", "json_file", metavar="FILE", help="What became of every value, by its path, as data."
)
def convert(files: tuple[Path, ...], further: tuple[Path, ...], stack: str, **options: Any) -> int:
    """Make a stack file of FILE, the config.yaml of a zero-to-jupyterhub chart on a kops or kubeadm
    cluster.

    Several files are merged as `helm upgrade --values A --values B` does: give them in that order.
    Values of an umbrella chart, a HelmRelease, an Application and the output of `helm get values`
    do too.

    Secrets are not copied: the commands that set them are printed. Ends with 1 where lines are left
    to fill in, or where a rule that kept users out of something has no counterpart; with 2 where
    there are no values of the chart.
    """
    from jupyterhub_aws.adopt.adopt import converted

    return converted([*files, *further], stack, options)


@adopt_command.command("check")
@click.argument("stack")
@click.option(
    "--preview",
    "preview_file",
    metavar="FILE",
    help="Read what `pulumi preview --json` printed, instead of running it.",
)
def check_preview(stack: str, preview_file: str | None) -> int:
    """Say whether `pulumi up -s STACK` would import what the map names, make what is missing, and
    neither replace nor delete anything.

    Exit code 0: so it is, or nothing changes any more; 1: it is not; 2: there is no preview to
    read.
    """
    from jupyterhub_aws.adopt.adopt import checked

    return checked(stack, preview_file)
