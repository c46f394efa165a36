"""`jhub backup`: which backups there are, and one of everything now."""

from __future__ import annotations

import click


@click.group("backup")
def command() -> None:
    """Look at a stack's backups, or make one now. Nothing here deletes a backup."""


@command.command("list")
@click.argument("stack")
@click.option(
    "--all", "everything", is_flag=True, help="Every backup, not the newest five of each resource."
)
@click.option("--json", "as_json", is_flag=True, help="As data, all of them.")
def list_(stack: str, everything: bool, as_json: bool) -> int:
    """Show the backups of STACK by what they are of, and what is in none (exit code 1)."""
    import datetime
    import json

    from jupyterhub_aws.config.backups import TAG, AwsBackup
    from jupyterhub_aws.operate.backups.context import context_of
    from jupyterhub_aws.operate.backups.now import opted_in
    from jupyterhub_aws.operate.backups.points import points, stateful
    from jupyterhub_aws.operate.backups.show import as_data, fix_for, show

    ctx = context_of("jhub backup list", stack, changes=False)
    there, found = stateful(ctx), points(ctx)
    bare = [item for item in there if not item.covered]
    if as_json:
        click.echo(json.dumps(as_data(ctx.file.stack, found, there), indent=2, sort_keys=True))
    else:
        from jupyterhub_aws.cli.console import Terminal

        console = Terminal()
        show(console, found, there, datetime.datetime.now(tz=datetime.UTC), everything=everything)
        fix = fix_for(bare, ctx.stack.name, TAG)
        if fix is not None:
            console.print("  → give them the tag that backups look for:")
            console.print(f"    {fix}", markup=False, soft_wrap=True)
    if isinstance(ctx.stack.backups, AwsBackup):
        opted_in(ctx, {item.kind for item in there})
    return 1 if bare else 0


@command.command("now")
@click.argument("stack")
def now(stack: str) -> int:
    """Back up everything of STACK that holds data, and wait until it is done.

    What was begun within the last hour counts, so run it again after anything that went wrong.
    """
    import datetime

    from jupyterhub_aws.config.errors import refused
    from jupyterhub_aws.operate.backups.context import context_of
    from jupyterhub_aws.operate.backups.now import now_steps
    from jupyterhub_aws.operate.backups.points import stateful
    from jupyterhub_aws.operate.live.steps import run

    ctx = context_of("jhub backup now", stack, changes=True)
    there = stateful(ctx)
    if not there:
        what = (
            f"nothing of {ctx.stack.name} that holds data is in {ctx.account.id},"
            f" {ctx.account.region}"
        )
        fix = "build it first: pulumi up; or choose the stack's region and account"
        raise refused(ctx.command, "backup.nothing-there", "backups", what, fix)
    run(ctx.command, now_steps(ctx, there, lambda: datetime.datetime.now(tz=datetime.UTC)))
    click.echo(
        f"{len(there)} resources of {ctx.file.stack} are backed up. See them: jhub backup list"
        f" {stack}"
    )
    return 0
