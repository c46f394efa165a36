"""`jhub restore`: from a backup into a side path, never over what is alive; and the rehearsal of
it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from jupyterhub_aws.operate.backups.choose import Intent
    from jupyterhub_aws.operate.backups.context import BackupContext


@click.group("restore")
def command() -> None:
    """Bring back what was lost, beside what is there. Nothing here writes over anything, or
    deletes what was not made by itself.
    """


def _request_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options that say what is to come back."""
    options = [
        click.option("--hub", help="Which hub. May be left out where there is one."),
        click.option(
            "--user",
            help="Whose home, as the hub's admin page shows the name. Without it: all homes of the"
            " hub.",
        ),
        click.option(
            "--at",
            help="As it was then: 2026-11-27T14:00 (UTC), 2026-11-27, yesterday, 2d, 3h. Without:"
            " the newest backup.",
        ),
        click.option(
            "--attempt",
            default=1,
            show_default=True,
            type=click.IntRange(1, 99),
            help="Another number restores the same once more.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def _context(
    name: str, stack: str, asked: dict[str, Any], *, changes: bool
) -> tuple[BackupContext, Intent]:
    import datetime

    from jupyterhub_aws.operate.backups.choose import FromFileSystem, intent, moment
    from jupyterhub_aws.operate.backups.context import context_of, refuse_paused

    at = (
        None
        if asked["at"] is None
        else moment(name, asked["at"], datetime.datetime.now(tz=datetime.UTC))
    )
    ctx = context_of(name, stack, changes=changes)
    found = intent(ctx, asked["hub"], asked["user"], at, str(asked["attempt"]))
    if changes and isinstance(found, FromFileSystem):  # a volume is made without any node
        refuse_paused(ctx)
    return ctx, found


@command.command("plan")
@click.argument("stack")
@_request_options
@click.option(
    "--database",
    is_flag=True,
    help="How a hub's database (who is signed in, which servers run) would come back; by hand, for"
    " it stops the hub.",
)
def plan(stack: str, database: bool, **asked: Any) -> int:
    """Say what `restore run` would do for STACK: from which backup, into which side path.
    Changes nothing.
    """
    import datetime

    from jupyterhub_aws.cli.arguments import chosen_hub
    from jupyterhub_aws.operate.backups.choose import FromFileSystem, database_words, moment
    from jupyterhub_aws.operate.backups.context import context_of
    from jupyterhub_aws.operate.backups.show import plan_words

    name, now = "jhub restore plan", datetime.datetime.now(tz=datetime.UTC)
    if database:
        at = None if asked["at"] is None else moment(name, asked["at"], now)
        ctx = context_of(name, stack, changes=False)
        hub = chosen_hub(name, ctx.file.stack, ctx.stack.hubs, asked["hub"])
        for line in database_words(ctx, hub, at):
            click.echo(line)
        return 0
    ctx, found = _context(name, stack, asked, changes=False)
    for line in plan_words(found, now):
        click.echo(line)
    if ctx.stack.paused and isinstance(found, FromFileSystem):
        click.echo(
            f"\nThe stack is paused, and that needs a node. First: jhub resume {ctx.file.stack}"
        )
    if asked["user"] is None:
        click.echo("\nSessions and running servers are the database's: see restore plan --database")
    return 0


@command.command("run")
@click.argument("stack")
@_request_options
def run(stack: str, **asked: Any) -> int:
    """Restore into a side path of STACK. Run it again after anything that went wrong: it goes on
    where it stopped.
    """
    from jupyterhub_aws.operate.backups.choose import FromFileSystem
    from jupyterhub_aws.operate.backups.run import restore_directory, restore_volume
    from jupyterhub_aws.operate.live.cluster import cluster_of

    ctx, found = _context("jhub restore run", stack, asked, changes=True)
    with cluster_of(ctx.command, ctx.stack, ctx.account) as cluster:
        cluster.reached()
        if isinstance(found, FromFileSystem):
            result = restore_directory(ctx, cluster, found)
            click.echo(
                f"/{result['target']}: {result['entries']:,} entries"
                + ("" if result["moved"] else ", there already")
            )
            click.echo(
                "In the user's home it is that directory; they move back what they want."
                if found.user
                else "Only you see it."
            )
        else:
            volume = restore_volume(ctx, cluster, found)
            click.echo(
                f"{volume} is claim {found.target} in {found.namespace}. To look into it:"
                " docs/backups.md, A home on a volume."
            )
    return 0


@command.command("drill")
@click.argument("stack")
@click.option("--hub", help="Which hub. May be left out where there is one.")
@click.option(
    "--user",
    required=True,
    help="Whose home is restored and compared: yours, or a test user's. The record names no user.",
)
@click.option(
    "--attempt",
    default=1,
    show_default=True,
    type=click.IntRange(1, 99),
    help="Another number rehearses with the same backup once more.",
)
def drill(stack: str, hub: str | None, user: str, attempt: int) -> int:
    """Rehearse: restore one home from the newest backup, compare each file with the one that is
    alive, and write drills/STACK.toml.

    What was changed since the backup is counted apart. The restored copy stays in its side
    directory. Exit code 1: files came back otherwise.
    """
    import datetime

    from jupyterhub_aws.config.errors import refused
    from jupyterhub_aws.operate.backups.choose import FromFileSystem
    from jupyterhub_aws.operate.backups.context import write_record
    from jupyterhub_aws.operate.backups.run import rehearse
    from jupyterhub_aws.operate.live.cluster import cluster_of

    def clock() -> datetime.datetime:
        return datetime.datetime.now(tz=datetime.UTC)

    # Without the day: one that is killed before midnight goes on after it. The token of the restore
    # has the backup besides.
    asked = {"hub": hub, "user": user, "at": None, "attempt": f"drill {attempt}"}
    ctx, found = _context("jhub restore drill", stack, asked, changes=True)
    if not isinstance(found, FromFileSystem):
        what = "are volumes: look into one that `jhub restore run --user` makes"
        fix = "docs/backups.md, A home on a volume"
        raise refused(ctx.command, "restore.volumes", "homes", what, fix)
    with cluster_of(ctx.command, ctx.stack, ctx.account) as cluster:
        cluster.reached()
        result, names = rehearse(ctx, cluster, found, clock)
    path = write_record(ctx.file, result)
    click.echo(
        f"{result.files:,} files came back in {result.seconds} s: {result.same:,} as they were,"
        f" {result.changed:,} changed since the backup,"
    )
    click.echo(
        f"{result.differences:,} otherwise than they had to be. Commit"
        f" {path.parent.name}/{path.name}."
    )
    for name in names:
        click.echo(f"  differs: {name}")
    return 1 if result.differences else 0
