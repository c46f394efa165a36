"""`jhub gate OLD NEW`: whether a change may be merged, by the policy of the older side, and
which words are missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jupyterhub_aws.changes.difference import Difference


@click.command("gate")
@click.argument("old")
@click.argument("new", required=False)
@click.option(
    "--against",
    metavar="REF",
    help="Judge the stack OLD of this checkout against a ref of git. Refused with uncommitted"
    " changes.",
)
@click.option(
    "--acknowledged",
    multiple=True,
    metavar="FILE",
    help="Texts of reviews and names of labels that count. May be repeated.",
)
@click.option(
    "--json",
    "json_file",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Difference and verdict as data.",
)
@click.option("--html", "html_file", metavar="FILE", help="As one page for a browser.")
@click.option(
    "--markdown",
    "markdown_file",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="As one comment for a pull request.",
)
def command(
    old: str,
    new: str | None,
    against: str | None,
    acknowledged: tuple[str, ...],
    **files: str | None,
) -> int:
    """Judge the change from OLD to NEW (two plans), or of the stack OLD against a ref. Exit code 0:
    open, 1: shut, 2: wrong input.

    The policy is the older side's (`gate.allow` in its stack file). What it does not allow needs a
    line that names the resource.
    """
    from jupyterhub_aws.changes.difference import difference, of_preview
    from jupyterhub_aws.changes.gate import judged
    from jupyterhub_aws.changes.side import read_side
    from jupyterhub_aws.config.errors import refused
    from jupyterhub_aws.diff.show import show

    texts = []
    for name in acknowledged:
        try:
            texts.append(Path(name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            what = f"cannot be read: {name} ({error})"
            fix = "name a text file"
            raise refused("jhub gate", "file.unreadable", "--acknowledged", what, fix) from None
    if against is not None:
        found = _of_stack(old, against)
    else:
        found = (
            of_preview(read_side(old))
            if new is None
            else difference(read_side(old), read_side(new))
        )
    verdict = judged(found, [line for text in texts for line in text.splitlines()])
    show(found, verdict, {key.removesuffix("_file"): target for key, target in files.items()})
    return 0 if verdict.passes else 1


def _of_stack(stack: str, against: str) -> Difference:
    from jupyterhub_aws.changes.difference import difference
    from jupyterhub_aws.cli.arguments import day, stack_file
    from jupyterhub_aws.config.errors import refused
    from jupyterhub_aws.diff.old_tree import uncommitted
    from jupyterhub_aws.diff.show import of_plan, older
    from jupyterhub_aws.plan.plan import make_plan

    file, today = stack_file(stack), day(None)
    changed = uncommitted(file.path.resolve().parent)
    if changed:
        some = ", ".join(changed[:3]) + (
            f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        )  # as many as fit a line
        what = f"is in a repository with uncommitted changes ({some})"
        fix = "commit them: what is judged has to be what is merged"
        raise refused("jhub gate", "gate.uncommitted", stack, what, fix)
    return difference(older(against, file, today.isoformat()), of_plan(make_plan(file, today)))
