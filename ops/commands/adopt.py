"""`jhub adopt`: take over a cluster that exists: look at an account, convert a chart's values, and say whether a preview adopts and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.group("adopt")
def command() -> None:
    """Take over what exists. `scan` and `config` write a stack file; `check` says whether `up` would adopt and nothing else. docs/adopting.md."""


@command.command("scan")
@click.option("--region", required=True, metavar="REGION", help="The region of the cluster.")
@click.option("--cluster", default=None, metavar="NAME", help="The EKS cluster; needed where there are several.")
@click.option("--name", "stack", required=True, metavar="STACK", help="The stack: its file will be Pulumi.STACK.yaml.")
@click.option("--out", type=click.Path(path_type=Path), default=None, metavar="DIR", help="Where the file is written. Default: here.")
@click.option("--account", default=None, metavar="ID", help="The account that is meant: another one is refused.")
@click.option("--file-system", default=None, metavar="ID", help="The EFS file system of homes, where several are mounted.")
@click.option("--again", is_flag=True, help="Pulumi.STACK.yaml is there and stays as it is: look for its imports again.")
@click.option("--json", "json_file", default=None, metavar="FILE", help="Everything that was found, as data.")
def scan_account(stack: str, **options: Any) -> int:  # noqa: ANN401 -- click's options
    """Look at an account with a running EKS hub, and write a stack file with an import map.

    Reads only. Ends with 1 where lines are left to fill in, or something could not be seen.
    """
    from ops.adopt.run import scanned

    return scanned(stack, options)


@command.command("config")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", "stack", required=True, metavar="STACK", help="The stack: its file will be Pulumi.STACK.yaml.")
@click.option("--out", type=click.Path(path_type=Path), default=None, metavar="DIR", help="Where the file is written. Default: here.")
@click.option("--hub", default="main", show_default=True, metavar="NAME", help="What the hub is called in the stack.")
def convert(file: Path, stack: str, out: Path | None, hub: str) -> int:
    """Make a stack file of FILE, the config.yaml of a zero-to-jupyterhub chart on a kops or kubeadm cluster.

    Secrets are not copied: the commands that set them are printed. Ends with 1 where lines are left to fill in.
    """
    from ops.adopt.run import converted

    return converted(file, stack, out, hub)


@command.command("check")
@click.argument("stack")
@click.option("--preview", "preview_file", default=None, metavar="FILE", help="Read what `pulumi preview --json` printed, instead of running it.")
def check_preview(stack: str, preview_file: str | None) -> int:
    """Say whether `pulumi up -s STACK` would import what the map names, make what is missing, and neither replace nor delete anything.

    Exit code 0: so it is, or nothing changes any more; 1: it is not; 2: there is no preview to read.
    """
    from ops.adopt.run import checked

    return checked(stack, preview_file)
