"""`jhub versions` (what is old, near its end or insecure; `refresh` asks AWS for newer pins) and `jhub
upgrade plan` (the steps of an upgrade of Kubernetes).
"""

from __future__ import annotations

import click

from jupyterhub_aws.cli.about import DescribedGroup, group
from jupyterhub_aws.cli.arguments import day
from jupyterhub_aws.cli.options import as_json, as_of, optional_stack, stack_argument


class _ShowByDefault(DescribedGroup):
    """`jhub versions dev` is `jhub versions show dev`: the usual question needs no verb."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments with the verb in front."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("versions", cls=_ShowByDefault)
def versions_command() -> None:
    """`jhub versions [STACK]`: what is old, near its end or insecure. Needs neither account nor
    network, except to refresh.
    """


@versions_command.command(
    "show",
    examples=(
        ("jhub versions dev", ""),
        ("jhub versions --as-of 2027-03-01", "the whole table, as of a day to come"),
    ),
    exits={
        0: "nothing is insecure or past its end",
        1: "something lacks a security release that concerns the stack, or is past its end",
    },
)
@optional_stack
@as_of("Judge")
@as_json()
def show(stack: str | None, as_of: str | None, as_json: bool) -> int:
    """Show each version that STACK uses: the newest known, until when it is supported, and its
    status. Without STACK: the whole table.
    """
    from jupyterhub_aws.operate.versions.show import as_data, render, rows_of

    when = day(as_of)
    rows, failed = rows_of(stack, when)
    if as_json:
        click.echo(as_data(stack, rows, when), nl=False)
    else:
        render(stack, rows, when)
    return 1 if failed else 0


@versions_command.command(
    "refresh",
    needs=(
        "AWS credentials that may call eks:DescribeAddonVersions, eks:DescribeClusterVersions and"
        " ssm:GetParameter; no cluster"
    ),
    examples=(
        ("jhub versions refresh --dry-run", ""),
        ("jhub versions refresh --region eu-west-1", "ask another region"),
    ),
    exits={
        0: "asked; what changed is listed",
        2: "not asked: no credentials, or AWS does not answer",
    },
)
@click.option(
    "--region",
    metavar="REGION",
    default="us-east-1",
    show_default=True,
    help="Where to ask. Versions are the same in every region, sometimes some days apart.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
def refresh(region: str, dry_run: bool) -> int:
    """Ask AWS for the add-ons, node images and support dates of each minor, and write them into
    config/data/versions.toml.

    Charts and their images are not AWS's: they stay as they are. Read the
    difference, run the tests, and plan each stack before you commit.
    """
    from jupyterhub_aws.config.versions import TABLE
    from jupyterhub_aws.operate.versions.refresh import refreshed

    changes = refreshed("jhub versions refresh", TABLE, region, write=not dry_run)
    for line in changes:
        click.echo(line)
    click.echo(
        f"{len(changes)} rows {'would change' if dry_run else 'changed'}"
        if changes
        else "Everything is as AWS has it."
    )
    if changes and not dry_run:
        click.echo(
            f"Read the difference (git diff {TABLE.name}), then: jhub docs, make test, jhub plan"
            " STACK --against HEAD"
        )
    return 0


@group("upgrade")
def upgrade_command() -> None:
    """Plan an upgrade of Kubernetes. Changes nothing."""


@upgrade_command.command(
    "plan",
    examples=(
        ("jhub upgrade plan dev --to 1.36", ""),
        ("jhub upgrade plan dev --to 1.36 --as-of 2027-02-01 --json", ""),
    ),
)
@stack_argument
@click.option(
    "--to",
    "target",
    required=True,
    metavar="MINOR",
    help='The Kubernetes minor to get to, such as "1.36".',
)
@as_json()
@as_of("Judge support dates")
def upgrade_plan(stack: str, target: str, as_json: bool, as_of: str | None) -> int:
    """Say in which order STACK gets to another minor: what to write, what to run, which users it
    interrupts, how long it takes, how to go back.

    What a step does is measured: the stack is planned before and after it, and the two are
    compared.
    """
    from jupyterhub_aws.operate.upgrade.show import as_data, render
    from jupyterhub_aws.operate.upgrade.steps import planned_upgrade

    upgrade, apis = planned_upgrade("jhub upgrade plan", stack, target, day(as_of))
    steps = list(upgrade.steps())
    if as_json:
        click.echo(as_data(upgrade, steps, apis), nl=False)
    else:
        render(upgrade, steps, apis)
    return 0
