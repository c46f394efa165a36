"""`jhub values STACK [HUB]`: the exact values that Helm gets for a hub, as YAML, with every
secret masked.
"""

from __future__ import annotations

import sys
from typing import Any

import click


@click.command("values")
@click.argument("stack")
@click.argument("hub", required=False)
@click.option(
    "--set", "settings", multiple=True, metavar="PATH=VALUE", help="What if? As with `jhub plan`."
)
def command(stack: str, hub: str | None, settings: tuple[str, ...]) -> int:
    """Print the values of HUB's release in STACK. HUB may be left out where there is one only.

    What only AWS knows is a placeholder such as ${hub-main-database-instance.endpoint}; a secret as
    [secret].
    """
    from jupyterhub_aws.checks.user_pods import hub_of, hub_releases
    from jupyterhub_aws.cli.arguments import chosen_hub, stack_file
    from jupyterhub_aws.plan.plan import recorded

    _, recording = recorded(stack_file(stack, settings))
    found = {hub_of(release): release for release in hub_releases(recording.everything.own)}

    name = chosen_hub(
        "jhub values",
        stack,
        found,
        hub,
        kind=" inside a cluster",
        none="name the stack that makes them: with `parts: cloud` it is the other one",
        several=f"name one: jhub values {stack} {min(found, default='')}",
    )
    _write(found[name].inputs["values"])
    return 0


def _write(values: Any) -> None:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096  # a folded line is a changed value for one who copies it
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(_readable(values), sys.stdout)


def _readable(value: Any) -> Any:
    """The same value, with texts of several lines as blocks."""
    from ruamel.yaml.scalarstring import LiteralScalarString

    if isinstance(value, dict):
        return {key: _readable(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_readable(item) for item in value]
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value
