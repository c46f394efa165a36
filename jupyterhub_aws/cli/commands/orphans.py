"""`jhub orphans STACK`: what of a stack that went is still in its account."""

from __future__ import annotations

import json
import sys

import click


@click.command("orphans")
@click.argument("stack")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="The answer as data, with the command that would delete each resource, kept ones too.",
)
def command(stack: str, as_json: bool) -> int:
    """Look through the account of STACK after `pulumi destroy`, by tags, for what it left: what is
    kept on purpose, and what is an orphan.

    Reads only; deletes nothing, ever. Exit code 0: no orphan, 1: some, 2: not looked (no
    credentials, another account, the stack still exists).
    """
    from jupyterhub_aws.cli.arguments import stack_file
    from jupyterhub_aws.cli.output import to_standard_output
    from jupyterhub_aws.config.cluster import EksCluster
    from jupyterhub_aws.operate.live.account import connect
    from jupyterhub_aws.operate.teardown import orphans
    from jupyterhub_aws.operate.teardown.plan import destroy_plan
    from jupyterhub_aws.operate.teardown.scan import copies_region, scan

    plan = destroy_plan(stack_file(stack))
    found, name = plan.stack, plan.stacks[-1].file.stack
    if not isinstance(found.cluster, EksCluster):
        click.echo(
            f"{name} makes nothing in AWS: there is nothing to look for. In the cluster: kubectl"
            " get namespaces,persistentvolumes"
        )
        return 0
    account = connect(
        "jhub orphans", found.region, expected=next(iter(found.accounts), None), changes=False
    )
    protected = [
        item for part in plan.stacks for item in (*part.outcome.stays, *part.outcome.forgotten)
    ]
    orphans.refuse_existing_stack("jhub orphans", account, found, name, protected)
    judged = orphans.verdicts(
        found, scan("jhub orphans", account, plan.with_hubs, _progress), protected
    )
    if sys.stderr is not None and sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if as_json:
        to_standard_output(
            json.dumps(orphans.as_json(name, account, judged), indent=2, ensure_ascii=False) + "\n"
        )
    else:
        orphans.show(name, account, judged, copies_region(found))
    return 1 if any(not item.kept for item in judged) else 0


def _progress(text: str) -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        print(f"\r\033[K{text[:78]}", end="", file=sys.stderr, flush=True)
