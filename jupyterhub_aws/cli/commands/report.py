"""`jhub report BASE NEW`: judge a pull request on GitHub, write the comment and set the status.
Needs a token of a workflow.
"""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.command("report")
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
def command(base: str, new: str, repository: str, commit: str, **flags: bool) -> int:
    """Judge the plans in the folder NEW (STACK.json each, made by a pull request) against those in
    BASE (made by the base branch).

    Exit code 0: written (whatever the gate says), or with --merged the gate is open; 1: it is shut;
    2: wrong input, or GitHub does not answer.
    """
    from jupyterhub_aws.config.errors import ConfigError, Problem
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
        problems.append(
            Problem(
                id="report.repository",
                path="--repository",
                what="is not of the form OWNER/NAME",
                fix="write $GITHUB_REPOSITORY",
            )
        )
    if not COMMIT.fullmatch(commit):
        problems.append(
            Problem(
                id="report.commit",
                path="--commit",
                what="is not a whole commit id",
                fix="write the 40 digits of it",
            )
        )
    token = os.environ.get("GITHUB_TOKEN", "")
    if not token:
        problems.append(
            Problem(
                id="report.no-token",
                path="GITHUB_TOKEN",
                what="is not set",
                fix="give the workflow's own token to this step",
            )
        )
    if problems:
        raise ConfigError("jhub report", problems)
    github = GitHub(
        repository=repository,
        token=token,
        url=os.environ.get("GITHUB_API_URL", "https://api.github.com"),
    )
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
        server, run = (
            os.environ.get("GITHUB_SERVER_URL", "https://github.com"),
            os.environ.get("GITHUB_RUN_ID", ""),
        )
        publish(
            github,
            int(request["number"]),
            str(request["head"]["sha"]),
            stacks,
            run=f"{server}/{repository}/actions/runs/{run}" if run else "",
        )
    return 1 if flags["merged"] and not (stacks and all(item.passes for item in stacks)) else 0
