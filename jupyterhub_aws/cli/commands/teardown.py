"""`jhub destroy` (what a teardown would do: destroying is Pulumi's, with its own preview) and
`jhub orphans` (what of a stack that went is still in its account).
"""

from __future__ import annotations

import click

from jupyterhub_aws.cli.about import CREDENTIALS, PULUMI, command, group
from jupyterhub_aws.cli.arguments import stack_file
from jupyterhub_aws.cli.options import as_json, hub_argument, stack_argument, what_if
from jupyterhub_aws.cli.output import data_to_standard_output, to_standard_output


@group("destroy")
def destroy_command() -> None:
    """The teardown of a stack, as a plan. `pulumi destroy` does it, and asks."""


@destroy_command.command(
    "plan",
    examples=(
        ("jhub destroy plan dev", ""),
        ("jhub destroy plan dev --json", ""),
    ),
)
@stack_argument
@what_if
@as_json("The plan as data.")
def plan(stack: str, settings: tuple[str, ...], as_json: bool) -> int:
    """Show the order in which STACK goes, what stays and what it costs, and what would stay
    unmanaged.
    """
    from jupyterhub_aws.operate.teardown.plan import destroy_plan

    found = destroy_plan(stack_file(stack, settings))
    if as_json:
        data_to_standard_output(found.as_json())
    else:
        from jupyterhub_aws.operate.teardown.show import show

        show(found)
    return 0


@destroy_command.command(
    "hub",
    needs=PULUMI,
    examples=(("jhub destroy hub dev main", ""),),
)
@stack_argument
@hub_argument
@as_json("The same as data.")
def hub(stack: str, hub: str, as_json: bool) -> int:
    """Show how to remove HUB from STACK and to bring it back: every protected resource, and the ids
    that its `imports` will need. Reads the state, changes nothing.
    """
    from jupyterhub_aws.operate.teardown.hub import one_hub

    found = one_hub(stack_file(stack), hub)
    if as_json:
        data_to_standard_output(found.as_json())
    else:
        to_standard_output(found.as_text())
    return 0


@command(
    "orphans",
    needs=CREDENTIALS,
    examples=(
        ("jhub orphans dev", ""),
        ("jhub orphans dev --json", "the commands that would delete what was left"),
    ),
    exits={
        0: "no orphan",
        1: "orphans were found",
        2: "not looked: no credentials, another account, or the stack still exists",
    },
)
@stack_argument
@as_json("The answer as data, with the command that would delete each resource, kept ones too.")
def orphans_command(stack: str, as_json: bool) -> int:
    """Look through the account of STACK after `pulumi destroy`, by tags, for what it left: what is
    kept on purpose, and what is an orphan.

    Reads only; deletes nothing, ever.
    """
    from jupyterhub_aws.config.cluster import EksCluster
    from jupyterhub_aws.operate.live.account import account_of
    from jupyterhub_aws.operate.teardown import orphans
    from jupyterhub_aws.operate.teardown.plan import destroy_plan
    from jupyterhub_aws.operate.teardown.scan import copies_region, scan
    from jupyterhub_aws.progress import ProgressLine

    plan = destroy_plan(stack_file(stack))
    found, name = plan.stack, plan.stacks[-1].file.stack
    if not isinstance(found.cluster, EksCluster):
        click.echo(
            f"{name} makes nothing in AWS: there is nothing to look for. In the cluster: kubectl"
            " get namespaces,persistentvolumes",
            err=as_json,
        )
        if as_json:
            data_to_standard_output(orphans.as_json(name, None, []))
        return 0
    account = account_of("jhub orphans", found, changes=False)
    protected = [
        item for part in plan.stacks for item in (*part.outcome.stays, *part.outcome.forgotten)
    ]
    orphans.refuse_existing_stack("jhub orphans", account, found, name, protected)
    with ProgressLine(f"{name} in {account.id}, {account.region}") as progress:
        there = scan("jhub orphans", account, plan.with_hubs, progress.now)
    judged = orphans.verdicts(found, there, protected)
    if as_json:
        data_to_standard_output(orphans.as_json(name, account, judged))
    else:
        orphans.show(name, account, judged, copies_region(found))
    return 1 if any(not item.kept for item in judged) else 0
