"""What operators run by day and night: `jhub who`, `nodes`, `doctor`, `logs`, `restart`, `history`,
`rollback`, `kubeconfig`.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import CLUSTER, CREDENTIALS, command
from jupyterhub_aws.cli.arguments import validated_stack
from jupyterhub_aws.cli.options import (
    as_json,
    do_not_ask,
    hub_argument,
    one_hub_or_all,
    show_option,
    stack_argument,
)
from jupyterhub_aws.cli.output import data_to_standard_output, to_standard_output
from jupyterhub_aws.config.errors import refused


def _one_output(name: str, *, show: bool, data: bool) -> None:
    """Raise ConfigError where lines and data are both asked for on standard output."""
    if show and data:
        what, fix = "and --json exclude each other", "leave out one of them"
        raise refused(name, "command.exclusive", "--show", what, fix)


@command(
    "who",
    needs=CLUSTER,
    examples=(
        ("jhub who dev", ""),
        (
            "jhub who dev --json | jq -r '.servers[].user' | sort | uniq -c",
            "how many servers each user has",
        ),
    ),
)
@stack_argument
@one_hub_or_all
@as_json("The answer as data.")
def who_command(stack: str, hub: str | None, as_json: bool) -> int:
    """Show every server of STACK: whose, which profile, on which node and pool, since when, and
    when it was last used.
    """
    from jupyterhub_aws.operate.daily import who
    from jupyterhub_aws.operate.daily.context import chosen_hubs, inside

    with inside("jhub who", stack, hub=hub) as ctx:
        found = who.running(ctx, chosen_hubs("jhub who", ctx.stack, hub))
    if as_json:
        data_to_standard_output(who.as_json(ctx.name, found))
    else:
        who.show(ctx.name, found)
    return 0


@command(
    "nodes",
    needs=CLUSTER,
    examples=(
        ("jhub nodes dev", ""),
        ("jhub nodes dev --show", "the lines of kubectl that answer the same"),
    ),
)
@stack_argument
@as_json("The answer as data.")
@show_option
def nodes_command(stack: str, as_json: bool, show: bool) -> int:
    """Show the nodes of STACK: pool, type, zone, market, version, age, and how many user servers
    each runs.
    """
    from jupyterhub_aws.operate.daily import nodes
    from jupyterhub_aws.operate.daily.context import (
        inside,
        refuse_cloud_stack,
        show_lines,
        tools_shown,
    )
    from jupyterhub_aws.operate.daily.who import SELECTOR

    _one_output("jhub nodes", show=show, data=as_json)
    if show:
        found, _ = validated_stack(stack)
        refuse_cloud_stack("jhub nodes", found)
        tools = tools_shown("jhub nodes", found)
        servers = ("--all-namespaces", "--selector", SELECTOR, "--output", "wide")
        return show_lines(tools.kubectl("get", "nodes"), tools.kubectl("get", "pods", *servers))
    with inside("jhub nodes", stack, resting=True) as ctx:
        answer = nodes.nodes(ctx.cluster)
    if as_json:
        data_to_standard_output(nodes.as_json(ctx.name, answer))
    else:
        nodes.show(ctx.stack, answer)
    return 0


@command(
    "doctor",
    needs=CLUSTER,
    examples=(
        ("jhub doctor dev", ""),
        ("jhub doctor dev --json", ""),
    ),
    exits={0: "nothing is stuck", 1: "something was found", 2: "not looked"},
)
@stack_argument
@as_json("The findings as data.")
def doctor_command(stack: str, as_json: bool) -> int:
    """Look at releases, pods, claims and nodes of STACK, and say what is stuck and what to run.
    Changes nothing.
    """
    from jupyterhub_aws.operate.daily import doctor
    from jupyterhub_aws.operate.daily.context import inside, tools_of

    with inside("jhub doctor", stack) as ctx:
        found = doctor.findings(ctx, tools_of(ctx.cluster))
    if as_json:
        data_to_standard_output(doctor.as_json(ctx.name, found))
    else:
        doctor.show(ctx.name, found)
    return 1 if found else 0


@command(
    "logs",
    needs=CLUSTER,
    examples=(
        ("jhub logs dev main -f", "the hub's last 200 lines, and what follows"),
        ("jhub logs dev main ada", "a user's server"),
        ("jhub logs dev main proxy --previous", "why the proxy ended"),
    ),
)
@stack_argument
@hub_argument
@click.argument(
    "of", default="hub", metavar="[hub|proxy|USER]", shell_complete=complete.log_sources
)
@click.option("-f", "--follow", is_flag=True, help="Go on as more is written, until Ctrl+C.")
@click.option(
    "--tail",
    default=200,
    show_default=True,
    metavar="LINES",
    type=click.IntRange(min=-1),
    help="How many of the last lines; -1: all.",
)
@click.option("--previous", is_flag=True, help="Of the container before this one: why it ended.")
@show_option
def logs_command(stack: str, hub: str, of: str, **options: bool | int) -> int:
    """Show what the hub, the proxy or a user's server of HUB of STACK wrote. A server that is
    gone took its log with it. With --show the pod of a user's server is still looked up.
    """
    from jupyterhub_aws.operate.daily.context import release_inside, release_shown, show_lines
    from jupyterhub_aws.operate.daily.releases import log_target, logs_line

    more = [
        f"--tail={options['tail']}",
        *(["--follow"] if options["follow"] else []),
        *(["--previous"] if options["previous"] else []),
    ]
    if options["show"] and of in ("hub", "proxy"):
        return show_lines(
            logs_line(*release_shown("jhub logs", stack, hub), f"deployment/{of}", more)
        )
    with release_inside("jhub logs", stack, hub, resting=True) as (ctx, tools, names):
        line = logs_line(tools, names, log_target(ctx, names.hub, of), more)
        return show_lines(line) if options["show"] else tools.run(line)


#: What each restart means for users. The chart has the hub look at the proxy's routes every 60
#: seconds (its last_activity_interval), and puts back those that a new proxy lacks.
_MEANS = {
    "proxy": (
        "every open page of it loses its connection and comes back within about a minute;\nkernels"
        " go on computing"
    ),
    "hub": "for about a minute no user can sign in or start a server; servers that run go on",
}


@command(
    "restart",
    needs=CLUSTER,
    examples=(
        ("jhub restart dev main proxy", ""),
        ("jhub restart dev main hub --show", "what it would run"),
        ("jhub restart dev main hub --yes --json", "for a script"),
    ),
    exits={0: "restarted, and ready", 2: "not begun, or not ready"},
)
@stack_argument
@hub_argument
@click.argument("part", type=click.Choice(["proxy", "hub"]))
@do_not_ask
@show_option
@as_json("What was restarted, and which users it interrupted, as data.")
def restart_command(stack: str, hub: str, part: str, **options: bool) -> int:
    """Restart the proxy or the hub of HUB of STACK, and wait until the new pod is ready. Says first
    which users it interrupts.
    """
    from jupyterhub_aws.operate.daily.context import (
        agreed,
        release_inside,
        release_shown,
        show_lines,
    )
    from jupyterhub_aws.operate.daily.releases import affected_users, restart_lines

    data = options["as_json"]
    _one_output("jhub restart", show=options["show"], data=data)
    if options["show"]:
        return show_lines(*restart_lines(*release_shown("jhub restart", stack, hub), part))
    with release_inside("jhub restart", stack, hub, changes=True) as (ctx, tools, names):
        who, users = affected_users(ctx, names.hub)
        says = f"A restart of the {part} of {names.hub}: {_MEANS[part]}.\n{who}"
        click.echo(says, err=True)
        agreed("jhub restart", "Restart it?", yes=options["yes"])
        lines = restart_lines(tools, names, part)
        if not data:
            return next(filter(None, map(tools.run, lines)), 0)
        for line in lines:
            tools.run_aside(line)
    answer = {
        "format": "jupyterhub-aws/restart/1",
        "stack": ctx.name,
        "hub": names.hub,
        "part": part,
        "users": users,
        "says": says.replace("\n", " "),
    }
    data_to_standard_output(answer)
    return 0


@command(
    "history",
    needs=CLUSTER,
    examples=(
        ("jhub history dev main", ""),
        ("jhub history dev main --json | jq '.revisions[-1].status'", "for a script"),
    ),
)
@stack_argument
@hub_argument
@as_json()
@show_option
def history_command(stack: str, hub: str, as_json: bool, show: bool) -> int:
    """Show the revisions of HUB of STACK that Helm keeps (ten): number, when, status, chart. The
    stack file's own history is git's.
    """
    from jupyterhub_aws.operate.daily import releases
    from jupyterhub_aws.operate.daily.context import release_inside, release_shown, show_lines

    _one_output("jhub history", show=show, data=as_json)
    if show:
        return show_lines(releases.history_line(*release_shown("jhub history", stack, hub)))
    with release_inside("jhub history", stack, hub, resting=True) as (ctx, tools, names):
        if not as_json:
            return tools.run(releases.history_line(tools, names))
        found = releases.revisions(tools, names)
    data_to_standard_output(releases.as_json(ctx.name, names.hub, found))
    return 0


_WARNING = """\
The stack file and Pulumi's state go on saying the newer one: the next `pulumi up`
that changes this hub, or follows a refresh, puts it back. So set the stack file
back too (git revert), then pulumi up. The hub restarts now: for about a minute
no user can sign in or start a server; servers that run go on."""


@command(
    "rollback",
    needs=CLUSTER,
    examples=(
        ("jhub rollback dev main", "to the last revision that ran"),
        ("jhub rollback dev main 12 --yes", "to revision 12, without a question"),
        ("jhub rollback dev main --yes --json", "for a script"),
    ),
    exits={0: "rolled back", 2: "not begun, or Helm failed"},
)
@stack_argument
@hub_argument
@click.argument("revision", type=click.IntRange(min=1), required=False)
@do_not_ask
@show_option
@as_json("From which revision to which one, as data.")
def rollback_command(stack: str, hub: str, revision: int | None, **options: bool) -> int:
    """Put HUB of STACK back to REVISION, or to the last one that ran, by Helm. Set the stack
    file back too: a later `pulumi up` installs what it says.
    """
    from jupyterhub_aws.operate.daily.context import (
        agreed,
        release_inside,
        release_shown,
        show_lines,
    )
    from jupyterhub_aws.operate.daily.releases import back_to, revisions, rollback_line

    data = options["as_json"]
    _one_output("jhub rollback", show=options["show"], data=data)
    if options["show"]:
        return show_lines(rollback_line(*release_shown("jhub rollback", stack, hub), revision))
    with release_inside("jhub rollback", stack, hub, changes=True) as (ctx, tools, names):
        kept = revisions(tools, names)
        chosen = back_to("jhub rollback", kept, revision)
        says = (
            f"Back to revision {chosen.number} of {names.hub}: {chosen.chart}, of"
            f" {chosen.updated[:16].replace('T', ' ')}.\n{_WARNING}"
        )
        click.echo(says, err=True)
        agreed("jhub rollback", "Go back?", yes=options["yes"])
        line = rollback_line(tools, names, chosen.number)
        if not data:
            return tools.run(line)
        tools.run_aside(line)
    answer = {
        "format": "jupyterhub-aws/rollback/1",
        "stack": ctx.name,
        "hub": names.hub,
        "from": kept[-1].as_json(),
        "to": chosen.as_json(),
        "says": says.replace("\n", " "),
    }
    data_to_standard_output(answer)
    return 0


@command(
    "kubeconfig",
    needs=CREDENTIALS,
    examples=(
        ("jhub kubeconfig dev --out ~/.kube/config", ""),
        (
            "jhub kubeconfig dev > kubeconfig; kubectl --kubeconfig kubeconfig get nodes",
            "for one command",
        ),
    ),
)
@stack_argument
@click.option(
    "--out",
    "target",
    metavar="FILE",
    help="Write it there, merged with what the file has. Default: print it.",
)
def kubeconfig_command(stack: str, target: str | None) -> int:
    """Print or merge a kubeconfig for the cluster of STACK, under a context of the cluster's
    name. It holds no credential: each call asks the aws CLI.
    """
    from jupyterhub_aws.config.cluster import ExistingCluster
    from jupyterhub_aws.operate.daily.kubeconfig import as_yaml, merged, write
    from jupyterhub_aws.operate.live.account import account_of
    from jupyterhub_aws.operate.live.cluster import kubeconfig

    command = "jhub kubeconfig"
    found, _ = validated_stack(stack)
    if isinstance(found.cluster, ExistingCluster):
        where = found.cluster.kubeconfig or "$KUBECONFIG or ~/.kube/config"
        click.echo(
            f"The cluster was there before: its kubeconfig is yours ({where},"
            f" {found.cluster.context or 'the current context'}). Nothing was written."
        )
        return 0
    document = kubeconfig(command, found, account_of(command, found, changes=False))
    if target is None:
        to_standard_output(as_yaml(document))
        return 0
    path = Path(target).expanduser()
    write(command, path, as_yaml(merged(command, path, document)))
    click.echo(
        f"{path}: context {found.name}. Try it: kubectl --kubeconfig {shlex.quote(str(path))}"
        f" --context {found.name} get nodes"
    )
    return 0
