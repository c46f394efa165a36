"""`jhub doctor STACK`: what is stuck, and the safe command for each."""

from __future__ import annotations

import json

import click


@click.command("doctor")
@click.argument("stack")
@click.option("--json", "as_json", is_flag=True, help="The findings as data.")
def command(stack: str, as_json: bool) -> int:
    """Look at releases, pods, claims and nodes of STACK, and say what is stuck and what to run.
    Changes nothing. Exit code 1: something was found.
    """
    from jupyterhub_aws.cli.output import to_standard_output
    from jupyterhub_aws.operate.daily import doctor
    from jupyterhub_aws.operate.daily.context import inside, tools_of

    with inside("jhub doctor", stack) as ctx:
        found = doctor.findings(ctx, tools_of(ctx.cluster))
    if as_json:
        to_standard_output(
            json.dumps(doctor.as_json(ctx.name, found), indent=2, ensure_ascii=False) + "\n"
        )
    else:
        doctor.show(ctx.name, found)
    return 1 if found else 0
