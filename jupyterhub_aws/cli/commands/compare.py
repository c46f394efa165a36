"""Two plans compared: `jhub diff` (in plain words), `jhub gate` (may it be merged, by the policy of
the older side) and `jhub report` (the gate's verdict on a pull request of GitHub).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jupyterhub_aws.cli.about import command
from jupyterhub_aws.cli.options import file_or_output, html_file
from jupyterhub_aws.config.errors import ConfigError, Problem, refused

if TYPE_CHECKING:
    from jupyterhub_aws.changes.difference import Difference


@command(
    "diff",
    examples=(
        ("jhub plan dev --json old.json; jhub diff old.json new.json", "two plans"),
        (
            "pulumi preview --json -s dev > preview.json; jhub diff preview.json",
            "what the engine says it would do",
        ),
    ),
    exits={0: "compared, whatever changes", 2: "a file is neither a plan nor a preview"},
)
@click.argument("old")
@click.argument("new", required=False)
@click.option(
    "--preview",
    metavar="FILE",
    help="What `pulumi preview --json` printed for the new side: it decides for the resources that it names.",
)
@file_or_output("--json", "The difference as data.")
@html_file
@file_or_output("--markdown", "As one comment for a pull request.")
def diff_command(old: str, new: str | None, preview: str | None, **files: str | None) -> int:
    """Compare OLD with NEW: plans (`jhub plan STACK --json FILE`), or what `pulumi preview --json`
    printed.

    One preview alone is compared with the state that it saw.
    """
    from jupyterhub_aws.changes.difference import difference, of_preview
    from jupyterhub_aws.changes.side import read_side
    from jupyterhub_aws.diff.show import engine_spoken, show

    first = read_side(old)
    second = None if new is None else read_side(new)
    if preview is not None:
        second = engine_spoken(second or first, read_side(preview))
    found = of_preview(first) if second is None else difference(first, second)
    show(found, None, {key.removesuffix("_file"): target for key, target in files.items()})
    return 0


@command(
    "gate",
    examples=(
        (
            "jhub gate dev --against origin/main",
            "this checkout against the branch that it will be merged into",
        ),
        (
            "jhub gate old.json new.json --acknowledged reviews.txt",
            "two plans, with the reviews of a pull request",
        ),
    ),
    exits={
        0: "open: the change may be merged",
        1: "shut: a line needs an acknowledgement",
        2: "wrong input",
    },
)
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
@file_or_output("--json", "Difference and verdict as data.")
@html_file
@file_or_output("--markdown", "As one comment for a pull request.")
def gate_command(
    old: str,
    new: str | None,
    against: str | None,
    acknowledged: tuple[str, ...],
    **files: str | None,
) -> int:
    """Judge the change from OLD to NEW (two plans), or of the stack OLD against a ref.

    The policy is the older side's (`gate.allow` in its stack file). What it does not allow needs a
    line that names the resource.
    """
    from jupyterhub_aws.changes.difference import difference, of_preview
    from jupyterhub_aws.changes.gate import judged
    from jupyterhub_aws.changes.side import read_side
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
        first = read_side(old)
        found = of_preview(first) if new is None else difference(first, read_side(new))
    verdict = judged(found, [line for text in texts for line in text.splitlines()])
    show(found, verdict, {key.removesuffix("_file"): target for key, target in files.items()})
    return 0 if verdict.passes else 1


def _of_stack(stack: str, against: str) -> Difference:
    from jupyterhub_aws.changes.difference import difference
    from jupyterhub_aws.cli.arguments import day, stack_file
    from jupyterhub_aws.config.errors import some
    from jupyterhub_aws.diff.old_tree import uncommitted
    from jupyterhub_aws.diff.show import of_plan, older
    from jupyterhub_aws.plan.plan import make_plan

    file, today = stack_file(stack), day(None)
    changed = uncommitted(file.path.resolve().parent)
    if changed:
        what = f"is in a repository with uncommitted changes ({some(changed, 3)})"  # fits a line
        fix = "commit them: what is judged has to be what is merged"
        raise refused("jhub gate", "gate.uncommitted", stack, what, fix)
    return difference(older(against, file, today.isoformat()), of_plan(make_plan(file, today)))


@command(
    "report",
    needs=("network to GitHub, and GITHUB_TOKEN; no AWS credentials, no cluster"),
    examples=(
        (
            "jhub report base plans --repository owner/name --commit $SHA --dry-run",
            "in a workflow: the comment is printed, not written",
        ),
        (
            "jhub report base plans --repository owner/name --commit $SHA --merged",
            "before `pulumi up` of what was merged",
        ),
    ),
    exits={
        0: "written, whatever the gate says; with --merged: the gate is open",
        1: "with --merged: the gate is shut",
        2: "wrong input, or GitHub does not answer",
    },
)
@click.argument("base")
@click.argument("new")
@click.option(
    "--repository",
    required=True,
    metavar="OWNER/NAME",
    help="The repository, as GITHUB_REPOSITORY has it.",
)
@click.option(
    "--commit",
    required=True,
    metavar="SHA",
    help="The pull request's newest commit; with --merged the commit that it became.",
)
@click.option(
    "--merged",
    is_flag=True,
    help="Judge a pull request that was merged, and write nothing: what `up` asks before it begins.",
)
@click.option("--dry-run", is_flag=True, help="Print the comment instead of writing it.")
def report_command(base: str, new: str, repository: str, commit: str, **flags: bool) -> int:
    """Judge the plans in the folder NEW (STACK.json each, made by a pull request) against those in
    BASE (made by the base branch), and write the verdict as a comment.
    """
    from jupyterhub_aws.diff.github import (
        COMMIT,
        REPOSITORY,
        GitHub,
        comment,
        judge,
        publish,
        pull_request,
        words_that_count,
    )

    problems = []
    if not REPOSITORY.fullmatch(repository):
        what = "is not of the form OWNER/NAME"
        fix = "write $GITHUB_REPOSITORY"
        problems.append(Problem(id="report.repository", path="--repository", what=what, fix=fix))
    if not COMMIT.fullmatch(commit):
        what = "is not a whole commit id"
        fix = "write the 40 digits of it"
        problems.append(Problem(id="report.commit", path="--commit", what=what, fix=fix))
    token = os.environ.get("GITHUB_TOKEN", "")
    if not token:
        what = "is not set"
        fix = "give the workflow's own token to this step"
        problems.append(Problem(id="report.no-token", path="GITHUB_TOKEN", what=what, fix=fix))
    if problems:
        raise ConfigError("jhub report", problems)
    url = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    github = GitHub(repository=repository, token=token, url=url)
    request = pull_request(github, commit, merged=flags["merged"])
    if request is None:
        click.echo(
            "jhub: no pull request has this commit: it was pushed over, or closed; nothing to"
            " report",
            err=True,
        )
        return 1 if flags["merged"] else 0
    stacks = judge(Path(base), Path(new), words_that_count(github, request))
    if flags["dry_run"] or flags["merged"]:
        click.echo(comment(stacks))
    else:
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        run = os.environ.get("GITHUB_RUN_ID", "")
        page = f"{server}/{repository}/actions/runs/{run}" if run else ""
        publish(github, int(request["number"]), str(request["head"]["sha"]), stacks, run=page)
    return 1 if flags["merged"] and not (stacks and all(item.passes for item in stacks)) else 0
