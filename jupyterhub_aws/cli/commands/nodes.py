"""`jhub nodes STACK`: the nodes by pool."""

from __future__ import annotations

import json

import click

from jupyterhub_aws.operate.daily.context import show_option


@click.command("nodes")
@click.argument("stack")
@click.option("--json", "as_json", is_flag=True, help="The answer as data.")
@show_option
def command(stack: str, as_json: bool, show: bool) -> int:
    """Show the nodes of STACK: pool, type, zone, market, version, age, and how many user servers
    each runs.
    """
    from jupyterhub_aws.cli.arguments import validated_stack
    from jupyterhub_aws.cli.output import to_standard_output
    from jupyterhub_aws.operate.daily import context, nodes
    from jupyterhub_aws.operate.daily.context import inside, refuse_cloud_stack
    from jupyterhub_aws.operate.daily.who import SELECTOR

    if show:
        found, _ = validated_stack(stack)
        refuse_cloud_stack("jhub nodes", found)
        shown = context.tools_shown("jhub nodes", found)
        context.show(
            shown.kubectl("get", "nodes"),
            shown.kubectl(
                "get", "pods", "--all-namespaces", "--selector", SELECTOR, "--output", "wide"
            ),
        )
        return 0
    with inside("jhub nodes", stack, resting=True) as ctx:
        answer = nodes.nodes(ctx.cluster)
    if as_json:
        to_standard_output(
            json.dumps(nodes.as_json(ctx.name, answer), indent=2, ensure_ascii=False) + "\n"
        )
    else:
        nodes.show(ctx.stack, answer)
    return 0
