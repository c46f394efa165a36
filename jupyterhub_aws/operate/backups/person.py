"""Where one person's home is, by the stack file alone: a directory of the file system, or the
claim of a volume. Pure.
"""

from __future__ import annotations

from jupyterhub_aws.config.errors import ConfigError, Problem, shown
from jupyterhub_aws.config.homes import EfsHomesSection
from jupyterhub_aws.config.specs.homes import hub_directory
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.usernames import directory, is_name, normalized, safe


def hub_of(command: str, stack: StackConfig, hub: str | None) -> str:
    """The hub that is meant. Raises ConfigError for one that there is not, and where there are
    several and none is named.
    """
    names = sorted(stack.hubs)
    if hub is not None and hub in names:
        return hub
    if hub is None and len(names) == 1:
        return names[0]
    what = (
        "is needed: there are several"
        if hub is None and names
        else f"is no hub of this stack (got {shown(hub)})"
    )
    fix = f"choose one of {', '.join(names)}" if names else "this stack has no hub"
    raise ConfigError(command, [Problem(path="--hub", what=what, fix=fix)])


def person(command: str, name: str) -> str:
    """The name as JupyterHub knows it. Raises ConfigError for one that nobody can have, so that
    no path is made of it.
    """
    known = normalized(name)
    if not is_name(known) or not known.isprintable() or known in (".", "..") or "\\" in known:
        raise ConfigError(
            command,
            [
                Problem(
                    path="--user",
                    what=f"is no name of a person (got {shown(name)})",
                    fix="write it as the hub's admin page shows it",
                )
            ],
        )
    return known


def hub_root(stack: StackConfig, hub: str) -> str:
    """The directory of the file system that a hub sees as its own, without a slash at its
    beginning.
    """
    homes = stack.homes if isinstance(stack.homes, EfsHomesSection) else EfsHomesSection(kind="efs")
    return hub_directory(homes, hub).strip("/")


def home_of(command: str, stack: StackConfig, hub: str, name: str) -> str:
    """One person's directory, from the root of the file system. Raises ConfigError where it
    would lead out of the hub's own.
    """
    root, below = (
        hub_root(stack, hub),
        directory(stack.hubs[hub].home_directory, person(command, name)),
    )
    if any(part in ("", ".", "..") for part in below.split("/")):
        raise ConfigError(
            command,
            [
                Problem(
                    path="--user",
                    what=f"leads out of the hub's directory (got {shown(name)})",
                    fix="write another name",
                )
            ],
        )
    return f"{root}/{below}" if root else below


def claim_of(command: str, name: str) -> str:
    """The claim of one person's volume: KubeSpawner 7, `pvc_name_template`, which chart 4 leaves
    alone: claim-{user_server}.
    """
    return f"claim-{safe(person(command, name))}"


def namespace_of(stack: StackConfig, hub: str) -> str:
    """The hub's namespace."""
    return HubNames(stack=stack.name, hub=hub).namespace
