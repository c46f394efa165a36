"""The sides of a comparison, as commands name them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jupyterhub_aws.changes.read import read_side, side_of
from jupyterhub_aws.changes.side import Side
from jupyterhub_aws.config.errors import ConfigError, Problem

if TYPE_CHECKING:
    from jupyterhub_aws.config.stack_file import StackFile
    from jupyterhub_aws.plan.plan import Plan


def older(against: str, file: StackFile, as_of: str) -> Side:
    """What `--against` names: a file with a plan or a preview, or else a ref of git. Raises
    ConfigError.
    """
    if Path(against).is_file():
        return read_side(against)
    from jupyterhub_aws.diff.old_tree import side_at

    return side_at(against, file, as_of)


def of_plan(plan: Plan) -> Side:
    """A plan that was just made, as its data says it."""
    return side_of(plan.as_json(), plan.source)


def engine_spoken(plan: Side, preview: Side) -> Side:
    """A plan with an engine's steps for it. Raises ConfigError where the second is no preview,
    or of another stack.
    """
    if preview.steps is None:
        raise ConfigError(
            preview.source,
            [
                Problem(
                    path="--preview",
                    what="is no preview",
                    fix="name what `pulumi preview --json` printed",
                )
            ],
        )
    if preview.stack != plan.stack:
        problem = Problem(
            path="--preview",
            what=f"is of the stack {preview.stack}, and the plan of {plan.stack}",
            fix="preview the same stack",
        )
        raise ConfigError(preview.source, [problem])
    return replace(plan, steps=preview.steps, source=f"{plan.source} and {preview.source}")
