"""What users' servers may newly do in AWS, and no longer: by profile and group, in the words of the
stack file.

Read from the table that a hub's network policy `servers-to-aws` carries (components/hub/hub.py): one
object for each hub, which changes without a restart. IAM's own statements are told by access.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.effect import Reading
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.config.specs.names import SERVERS_TO_AWS
from jupyterhub_aws.config.specs.server_access import ACCESS_TABLE
from jupyterhub_aws.config.tree import at

#: For each profile what its servers may do, by the user's group; under "" those of all others.
Table = Mapping[str, Mapping[str, tuple[str, ...]]]


def is_server_access(resource: Resource) -> bool:
    """Whether a network policy is the one of servers with a role in AWS."""
    return at(resource.inputs, "metadata", "name") == SERVERS_TO_AWS and bool(_text(resource))


def read(change: Change) -> Reading:
    """Gains and losses of servers, each once, with the profiles that it is about."""
    reading = Reading(change, explained={"spec", "metadata"})
    reading.whole = True
    namespace = str(at(change.resource.inputs, "metadata", "namespace") or "")
    about = f"hub {namespace.removeprefix('hub-')}"
    old, new = (_table(side) for side in (change.old, change.new))
    gained: dict[tuple[str, str], list[str]] = {}
    lost: dict[tuple[str, str], list[str]] = {}
    for profile in sorted({*old, *new}):
        before, after = old.get(profile, {}), new.get(profile, {})
        for group in sorted({"", *before, *after}):
            had, has = (set(side.get(group, side.get("", ()))) for side in (before, after))
            for item in sorted(has - had):
                gained.setdefault((group, item), []).append(profile)
            for item in sorted(had - has):
                lost.setdefault((group, item), []).append(profile)
    every = {*old, *new}
    for class_, verb, found in (
        ("widens access", "may newly", gained),
        ("interrupts", "may no longer", lost),
    ):
        for (group, item), profiles in found.items():
            who = f"members of {group}" if group else "users"
            if group and profiles == found.get(("", item)):
                continue  # said of all users
            says = f"{who} {verb} {item} from their servers{_of(profiles, every)}"
            reading.say(class_, "users", says, about)  # type: ignore[arg-type] # two of the classes
    return reading


def _of(profiles: list[str], every: Iterable[str]) -> str:
    return "" if set(profiles) == set(every) else f" (profile {', '.join(profiles)})"


def _text(resource: Resource) -> str:
    annotations = at(resource.inputs, "metadata", "annotations") or {}
    return str(annotations.get(ACCESS_TABLE, ""))


def _table(resource: Resource | None) -> Table:
    if resource is None or not _text(resource):
        return {}
    found: dict[str, dict[str, Any]] = json.loads(_text(resource))
    return {
        profile: {group: tuple(map(str, items)) for group, items in rows.items()}
        for profile, rows in found.items()
    }
