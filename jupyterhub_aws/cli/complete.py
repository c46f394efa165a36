"""What the shell completes: stacks, hubs, profiles, groups, users and pools, from the stack files
here. Nothing is asked of the network, and nothing is ever said: a wrong file completes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

_Words = Callable[[click.Context, click.Parameter, str], list[str]]


def stacks(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The stacks of the current folder, and of its project."""
    del ctx, param
    return _beginning(stacks_here(), incomplete)


def stacks_here() -> list[str]:
    """The names of the stacks that a command would find from here."""
    from jupyterhub_aws.config.project import find_project
    from jupyterhub_aws.config.stack_file import stack_names

    folders = [Path.cwd()]
    try:
        project = find_project(Path.cwd())
    except Exception:  # whatever is wrong with it, a command says it
        project = None
    if project is not None:
        folders.append(project.stack_folder)
    return sorted({name for folder in folders for name in stack_names(folder)})


def hubs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The hubs of the stack that the command line names."""
    del param
    return _beginning(map(str, _map(_stack(ctx).get("hubs"))), incomplete)


def profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The profiles of the hub that the command line names, or of all hubs of its stack."""
    del param
    found = (_map(hub.get("profiles")) for hub in _hubs(ctx))
    return _beginning((str(name) for names in found for name in names), incomplete)


def pools(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The pools for user servers of the stack that the command line names."""
    del param
    found = (str(name) for name in _map(_stack(ctx).get("pools")) if name != "core")
    return _beginning(found, incomplete)


def users(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The users that the stack file names: administrators, allowed users, users of services."""
    del param
    keys = ("administrators", "allowed_users", "users")
    return _beginning((name for hub in _hubs(ctx) for name in _listed(hub, keys)), incomplete)


def groups(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The groups that the stack file names."""
    del param
    keys = ("groups", "allowed_groups", "admin_groups", "read_groups", "write_groups")
    return _beginning((name for hub in _hubs(ctx) for name in _listed(hub, keys)), incomplete)


def log_sources(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What `jhub logs` shows: the hub, the proxy, or a user's server."""
    return [*_beginning(("hub", "proxy"), incomplete), *users(ctx, param, incomplete)]


def ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The ids that `jhub explain` knows, and its sections."""
    del ctx, param
    from jupyterhub_aws.config.explanations import known_ids

    try:
        return _beginning(known_ids(), incomplete)
    except Exception:  # a damaged installation completes nothing
        return []


def _beginning(words: Any, incomplete: str) -> list[str]:
    return sorted({word for word in words if word.startswith(incomplete)})


def _stack(ctx: click.Context) -> dict[str, Any]:
    """The sections of the stack that the command line names, by their plain names."""
    from ruamel.yaml import YAML

    from jupyterhub_aws.cli.arguments import stack_folder

    name = _given(ctx, "stack")
    if name is None:
        return {}
    try:
        is_path = name.endswith((".yaml", ".yml"))
        path = Path(name) if is_path else stack_folder(name) / f"Pulumi.{name}.yaml"
        document = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except Exception:  # whatever is wrong with it, a command says it
        return {}
    config = _map(_map(document).get("config"))
    return {str(key).rpartition(":")[2]: value for key, value in config.items()}


def _given(ctx: click.Context, name: str) -> str | None:
    """A value of the command line. Behind an option without its value, click leaves arguments
    unread.
    """
    value = ctx.params.get(name)
    arguments = [item.name for item in ctx.command.params if isinstance(item, click.Argument)]
    if value is None and name in arguments and len(ctx.args) > arguments.index(name):
        value = ctx.args[arguments.index(name)]
    return value if isinstance(value, str) else None


def _hubs(ctx: click.Context) -> list[dict[str, Any]]:
    """The hub that the command line names, or all of its stack."""
    found = {str(name): _map(hub) for name, hub in _map(_stack(ctx).get("hubs")).items()}
    named = _given(ctx, "hub")
    return [found[named]] if named in found else list(found.values())


def _map(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: Any, keys: tuple[str, ...]) -> Iterator[str]:
    """Every text in the lists that have one of these names, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in keys and isinstance(inner, list):
                yield from (item for item in inner if isinstance(item, str))
            yield from _listed(inner, keys)
    elif isinstance(value, list):
        for inner in value:
            yield from _listed(inner, keys)
