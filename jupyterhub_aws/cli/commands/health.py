"""`jhub health STACK`: whether users can work, tested as a user does it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import CLUSTER, command
from jupyterhub_aws.cli.options import as_json, one_hub_or_all, stack_argument


@command(
    "health",
    needs=CLUSTER,
    examples=(
        ("jhub health dev", "every profile; starts nodes, which cost money"),
        (
            "JHUB_HEALTH_USER=ada JHUB_HEALTH_PASSWORD=… jhub health dev --profile small",
            "one profile, with a real sign-in",
        ),
        ("jhub health dev --json", "for a monitoring tool"),
    ),
    exits={0: "healthy", 1: "something failed", 2: "not reached, or asked for what there is not"},
)
@stack_argument
@one_hub_or_all
@click.option(
    "--profile",
    "profiles",
    shell_complete=complete.profiles,
    multiple=True,
    metavar="NAME",
    help="A profile to try. May be repeated. Default: all of them, which starts nodes.",
)
@as_json("The report as data.")
def health_command(stack: str, hub: str | None, profiles: tuple[str, ...], as_json: bool) -> int:
    """Sign in to each hub of STACK, start a server of each profile, run a cell in it, stop it, and
    say how long all that took.

    Who signs in: the variables JHUB_HEALTH_USER and JHUB_HEALTH_PASSWORD, through the hub's own
    form; where users sign in elsewhere, only that the button leads there. Servers belong to a user
    of their own, jhub-health, which is removed again; one run at a time.
    """
    from jupyterhub_aws.cli.output import to_standard_output
    from jupyterhub_aws.operate.daily.context import chosen_hubs, inside
    from jupyterhub_aws.operate.health.check import Subject, check
    from jupyterhub_aws.operate.health.report import known
    from jupyterhub_aws.operate.health.show import as_text, show
    from jupyterhub_aws.progress import ProgressLine

    with _ended_politely(), inside("jhub health", stack, hub=hub, changes=True) as ctx:
        hubs = chosen_hubs("jhub health", ctx.stack, hub)
        known("jhub health", ctx.stack, hubs, profiles)
        reports = []
        with ProgressLine("health of " + ctx.name, each=True) as progress:
            for name in hubs:
                subject = Subject(
                    name=ctx.name, stack=ctx.stack, cluster=ctx.cluster, hub=name, profiles=profiles
                )
                reports.append(check(subject, progress))
    if as_json:
        to_standard_output(as_text(ctx.name, reports))
    else:
        show(ctx.name, reports)
    return 0 if all(report.healthy for report in reports) else 1


@contextlib.contextmanager
def _ended_politely() -> Iterator[None]:
    """However this run ends, by Ctrl+C, a closed terminal or a supervisor: the test user's
    server goes with it.
    """
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
