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
    from jupyterhub_aws.cli.arguments import stack_file
    from jupyterhub_aws.config.errors import ConfigError, Problem, closest
    from jupyterhub_aws.plan.plan import recorded

    _, recording = recorded(stack_file(stack, settings))
    found = {hub_of(release): release for release in hub_releases(recording.everything.own)}

    def refused(what: str, fix: str) -> ConfigError:
        return ConfigError("jhub values", [Problem(path=stack, what=what, fix=fix)])

    if not found:
        raise refused(
            "has no hub inside a cluster",
            "name the stack that makes them: with `parts: cloud` it is the other one",
        )
    if hub is None and len(found) > 1:
        raise refused(
            f"has several hubs: {', '.join(sorted(found))}",
            f"name one: jhub values {stack} {min(found)}",
        )
    name = hub or next(iter(found))
    if name not in found:
        guess = closest(name, found)
        raise refused(
            f"has no hub {name!r}",
            f"did you mean {guess}?" if guess else f"choose from {', '.join(sorted(found))}",
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
