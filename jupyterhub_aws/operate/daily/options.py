"""Options and questions that daily commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from jupyterhub_aws.config.errors import ConfigError, Problem


def show_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--show`, also known as `--dry-run`: the lines and nothing else."""
    says = (
        "Print what would be run, and run nothing. Asks neither AWS nor the cluster, except for a"
        " person's log, whose pod is looked up."
    )
    return click.option("--show", "--dry-run", "show", is_flag=True, help=says)(function)


def agreed(
    command: str, question: str, *, yes: bool, look: str = "look at what --show prints"
) -> None:
    """Ask, unless somebody said yes before. Raises ConfigError where nobody can be asked,
    click's Abort for a no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            command,
            [
                Problem(
                    path="--yes",
                    what="is needed where nobody can be asked",
                    fix=f"{look}, then add --yes",
                )
            ],
        )
    click.confirm(question, abort=True, err=True)
