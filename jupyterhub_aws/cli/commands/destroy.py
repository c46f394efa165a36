"""`jhub destroy plan STACK`: what a teardown would do. Destroying is Pulumi's, with its own
preview.
"""

from __future__ import annotations

import json

import click


@click.group("destroy")
def command() -> None:
    """The teardown of a stack, as a plan. `pulumi destroy` does it, and asks."""


@command.command("plan")
@click.argument("stack")
@click.option(
    "--set", "settings", multiple=True, metavar="PATH=VALUE", help="What if? As with `jhub plan`."
)
@click.option("--json", "as_json", is_flag=True, help="The plan as data.")
def plan(stack: str, settings: tuple[str, ...], as_json: bool) -> int:
    """Show the order in which STACK goes, what stays and what it costs, and what would stay
    unmanaged. Needs no account and no network.
    """
    from jupyterhub_aws.cli.arguments import stack_file
    from jupyterhub_aws.cli.output import to_standard_output
    from jupyterhub_aws.operate.teardown.plan import destroy_plan

    found = destroy_plan(stack_file(stack, settings))
    if as_json:
        to_standard_output(json.dumps(found.as_json(), indent=2, ensure_ascii=False) + "\n")
    else:
        from jupyterhub_aws.operate.teardown.show import show

        show(found)
    return 0


@command.command("hub")
@click.argument("stack")
@click.argument("hub")
@click.option("--json", "as_json", is_flag=True, help="The same as data.")
def hub(stack: str, hub: str, as_json: bool) -> int:
    """Show how to remove HUB from STACK and to bring it back: every protected resource, and the ids
    that its `imports` will need. Reads the state, changes nothing.
    """
    from jupyterhub_aws.cli.arguments import stack_file
    from jupyterhub_aws.cli.output import to_standard_output
    from jupyterhub_aws.operate.teardown.hub import one_hub

    found = one_hub(stack_file(stack), hub)
    to_standard_output(
        json.dumps(found.as_json(), indent=2, ensure_ascii=False) + "\n"
        if as_json
        else found.as_text()
    )
    return 0
