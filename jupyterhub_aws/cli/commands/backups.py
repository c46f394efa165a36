"""`jhub backup` and `jhub restore`: which backups there are, one of everything now, and from one into
a side path, never over what is alive.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import CLUSTER, CREDENTIALS, group
from jupyterhub_aws.cli.options import as_json, stack_argument, the_only_hub
from jupyterhub_aws.cli.output import answer, data_to_standard_output

if TYPE_CHECKING:
    from jupyterhub_aws.operate.backups.choose import Intent
    from jupyterhub_aws.operate.backups.context import BackupContext


@group("backup")
def backup_command() -> None:
    """Look at a stack's backups, or make one now. Nothing here deletes a backup."""


@backup_command.command(
    "list",
    needs=CREDENTIALS,
    examples=(
        ("jhub backup list dev", ""),
        ("jhub backup list dev --all", ""),
    ),
    exits={
        0: "every resource with data has a backup",
        1: "something is in no backup",
        2: "not looked",
    },
)
@stack_argument
@click.option(
    "--all", "everything", is_flag=True, help="Every backup, not the newest five of each resource."
)
@as_json("As data, all of them.")
def list_(stack: str, everything: bool, as_json: bool) -> int:
    """Show the backups of each resource of STACK that holds data, and what has none."""
    import datetime

    from jupyterhub_aws.config.backups import TAG, AwsBackup
    from jupyterhub_aws.operate.backups.context import context_of
    from jupyterhub_aws.operate.backups.now import opted_in
    from jupyterhub_aws.operate.backups.points import points, stateful
    from jupyterhub_aws.operate.backups.show import as_data, fix_for, show

    ctx = context_of("jhub backup list", stack, changes=False)
    there, found = stateful(ctx), points(ctx)
    bare = [item for item in there if not item.covered]
    if as_json:
        if isinstance(ctx.stack.backups, AwsBackup):
            opted_in(ctx, {item.kind for item in there})
        data_to_standard_output(as_data(ctx.file.stack, found, there))
        return 1 if bare else 0
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


@backup_command.command(
    "now",
    needs=CREDENTIALS,
    examples=(
        ("jhub backup now dev", ""),
        ("jhub backup now dev --json", "for a nightly job: the ARN of each backup"),
    ),
    exits={0: "everything is backed up", 2: "not begun, or not finished; run it again"},
)
@stack_argument
@as_json("Each backup with its ARN, as data.")
def now(stack: str, as_json: bool) -> int:
    """Back up everything of STACK that holds data, and wait until it is done.

    What was begun within the last hour counts, so run it again after anything that went wrong.
    """
    import datetime

    from jupyterhub_aws.config.errors import refused
    from jupyterhub_aws.operate.backups.context import context_of
    from jupyterhub_aws.operate.backups.now import backup_runs
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
    works = backup_runs(ctx, there, lambda: datetime.datetime.now(tz=datetime.UTC))
    taken = run(ctx.command, [work.step() for work in works])
    says = (
        f"{len(there)} resources of {ctx.file.stack} are backed up. See them: jhub backup list"
        f" {stack}"
    )
    data = None
    if as_json:  # AWS is asked for the ARNs
        data = {
            "format": "jupyterhub-aws/backup-now/1",
            "stack": ctx.file.stack,
            "backups": [made.as_json() for work in works for made in work.made()],
            "steps": [step.as_json() for step in taken],
            "says": says,
        }
    answer([says], data)
    return 0


@group("restore")
def restore_command() -> None:
    """Bring back what was lost, beside what is there. Nothing here writes over anything, or
    deletes what was not made by itself.
    """


def _request_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options that say what is to come back."""
    options = [
        the_only_hub,
        click.option(
            "--user",
            metavar="NAME",
            shell_complete=complete.users,
            help="Whose home, as the hub's admin page shows the name. Without it: all homes of the"
            " hub.",
        ),
        click.option(
            "--at",
            metavar="TIME",
            help="As it was then: 2026-11-27T14:00 (UTC), 2026-11-27, yesterday, 2d, 3h. Without"
            " it: the newest backup.",
        ),
        click.option(
            "--attempt",
            default=1,
            show_default=True,
            type=click.IntRange(1, 99),
            metavar="NUMBER",
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
    ctx = context_of(name, stack, changes=changes, hub=asked["hub"])
    found = intent(ctx, asked["hub"], asked["user"], at, str(asked["attempt"]))
    if changes and isinstance(found, FromFileSystem):  # a volume is made without any node
        refuse_paused(ctx)
    return ctx, found


@restore_command.command(
    "plan",
    needs=CREDENTIALS,
    examples=(
        ("jhub restore plan dev --user ada --at yesterday", "one home as it was yesterday"),
        ("jhub restore plan dev --hub main --database", "how a hub's database would come back"),
        ("jhub restore plan dev --user ada --json", "for a script"),
    ),
)
@stack_argument
@_request_options
@click.option(
    "--database",
    is_flag=True,
    help="How a hub's database (who is signed in, which servers run) would come back; by hand, for"
    " it stops the hub.",
)
@as_json("The plan as data.")
def plan(stack: str, database: bool, as_json: bool, **asked: Any) -> int:
    """Say what `restore run` would do for STACK: from which backup, into which directory.
    Changes nothing.
    """
    import datetime

    from jupyterhub_aws.cli.arguments import chosen_hub
    from jupyterhub_aws.operate.backups.choose import FromFileSystem, database_words, moment
    from jupyterhub_aws.operate.backups.context import context_of
    from jupyterhub_aws.operate.backups.show import database_data, intent_data, plan_words

    name, now = "jhub restore plan", datetime.datetime.now(tz=datetime.UTC)
    commands = list[str]()
    if database:
        at = None if asked["at"] is None else moment(name, asked["at"], now)
        ctx = context_of(name, stack, changes=False, hub=asked["hub"])
        hub = chosen_hub(name, ctx.file.stack, ctx.stack.hubs, asked["hub"])
        lines, point = database_words(ctx, hub, at)
        what = database_data(hub, point)
    else:
        ctx, found = _context(name, stack, asked, changes=False)
        lines = plan_words(found, now)
        what = {**intent_data(found), "change": {}}
        if ctx.stack.paused and isinstance(found, FromFileSystem):
            resume = f"jhub resume {ctx.file.stack}"
            lines.append(f"\nThe stack is paused, and that needs a node. First: {resume}")
            commands.append(resume)
        if asked["user"] is None:
            lines.append(
                "\nSessions and running servers are the database's: see restore plan --database"
            )
        commands.append(_run_line(stack, asked))
    if as_json:
        head = {"format": "jupyterhub-aws/restore-plan/1", "stack": ctx.file.stack}
        data_to_standard_output({**head, **what, "commands": commands, "says": "\n".join(lines)})
        return 0
    for line in lines:
        click.echo(line)
    return 0


def _run_line(stack: str, asked: dict[str, Any]) -> str:
    """The `jhub restore run` of a plan."""
    given = {name: asked[name] for name in ("hub", "user", "at") if asked[name] is not None}
    if asked["attempt"] != 1:
        given["attempt"] = str(asked["attempt"])
    options = [word for name, value in given.items() for word in (f"--{name}", value)]
    return shlex.join(["jhub", "restore", "run", stack, *options])


@restore_command.command(
    "run",
    needs=CLUSTER,
    examples=(
        ("jhub restore run dev --user ada --at yesterday", "one home, beside the live one"),
        ("jhub restore run dev --hub main --at 2026-11-27T14:00", "all homes of a hub"),
        ("jhub restore run dev --user ada --json", "for a script"),
    ),
    exits={0: "restored beside what exists", 2: "not begun, or not finished; run it again"},
)
@stack_argument
@_request_options
@as_json("What came back, from which backup and where it is, as data.")
def run(stack: str, as_json: bool, **asked: Any) -> int:
    """Restore homes of STACK from a backup, beside what exists. Run it again after anything that
    went wrong: it goes on where it stopped.
    """
    from jupyterhub_aws.operate.backups.choose import FromFileSystem
    from jupyterhub_aws.operate.backups.run import restore_directory, restore_volume
    from jupyterhub_aws.operate.backups.show import intent_data
    from jupyterhub_aws.operate.live.cluster import cluster_of

    ctx, found = _context("jhub restore run", stack, asked, changes=True)
    with cluster_of(ctx.command, ctx.stack, ctx.account) as cluster:
        cluster.reached()
        if isinstance(found, FromFileSystem):
            result, taken = restore_directory(ctx, cluster, found)
            moved = bool(result["moved"])
            came = {"restored": moved, "entries": result["entries"], "volume": None}
            where = (
                "In the user's home it is that directory; they move back what they want."
                if found.user
                else "Only you see it."
            )
            there = "" if moved else ", there already"
            lines = [f"/{result['target']}: {result['entries']:,} entries{there}", where]
        else:
            volume, taken = restore_volume(ctx, cluster, found)
            made = any(step.subjects for step in taken)
            came = {"restored": made, "entries": None, "volume": volume}
            lines = [
                f"{volume} is claim {found.target} in {found.namespace}. To look into it:"
                " docs/backups.md, A home on a volume."
            ]
    head = {"format": "jupyterhub-aws/restore/1", "stack": ctx.file.stack}
    steps = [step.as_json() for step in taken]
    more = {**came, "steps": steps, "says": " ".join(lines)}
    answer(lines, {**head, **intent_data(found), **more} if as_json else None)
    return 0


@restore_command.command(
    "drill",
    needs=CLUSTER,
    examples=(
        ("jhub restore drill dev --user ada", ""),
        ("jhub restore drill dev --user test-user --json", "for a job of every month"),
    ),
    exits={
        0: "every file came back as it was, or was changed since",
        1: "files came back otherwise",
        2: "not begun, or not finished; run it again",
    },
)
@stack_argument
@the_only_hub
@click.option(
    "--user",
    metavar="NAME",
    shell_complete=complete.users,
    required=True,
    help="Whose home is restored and compared: yours, or a test user's. The record names no user.",
)
@click.option(
    "--attempt",
    default=1,
    show_default=True,
    type=click.IntRange(1, 99),
    metavar="NUMBER",
    help="Another number rehearses with the same backup once more.",
)
@as_json("How many files came back as they were, and the record that was written, as data.")
def drill(stack: str, hub: str | None, user: str, attempt: int, as_json: bool) -> int:
    """Rehearse: restore one home from the newest backup, compare each file with the one that is
    alive, and write drills/STACK.toml.

    What was changed since the backup is counted apart. The restored copy stays in its side
    directory.
    """
    import datetime

    from jupyterhub_aws.config.errors import refused
    from jupyterhub_aws.operate.backups.choose import FromFileSystem
    from jupyterhub_aws.operate.backups.context import write_record
    from jupyterhub_aws.operate.backups.run import rehearse
    from jupyterhub_aws.operate.backups.show import intent_data
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
        result, names, taken = rehearse(ctx, cluster, found, clock)
    path = write_record(ctx.file, result)
    lines = [
        f"{result.files:,} files came back in {result.seconds} s: {result.same:,} as they were,"
        f" {result.changed:,} changed since the backup,",
        f"{result.differences:,} otherwise than they had to be. Commit"
        f" {path.parent.name}/{path.name}.",
    ]
    head = {"format": "jupyterhub-aws/restore-drill/1", "stack": ctx.file.stack}
    counted = ("files", "bytes", "same", "changed", "differences", "seconds")
    more = {
        **{name: getattr(result, name) for name in counted},
        "differing": names,
        "record": str(path),
        "steps": [step.as_json() for step in taken],
        "says": " ".join(lines),
    }
    data = {**head, **intent_data(found), **more} if as_json else None
    answer([*lines, *(f"  differs: {name}" for name in names)], data)
    return 1 if result.differences else 0
