"""Images that users write themselves: who may newly write one, from where, and who no longer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.changes.effect import Class, Topic
from jupyterhub_aws.checks.hub_values.fault import items
from jupyterhub_aws.config.tree import at
from jupyterhub_aws.config.unlisted_image import prefixes_of

Say = tuple[Class, Topic, str]
#: Where the hub's own files read which groups may write an image.
GROUPS = ("custom", "jupyterhubAws", "unlistedImageGroups")

#: Where servers without a profile run, and with them the chart's image puller.
PLACED = (
    ("singleuser", "nodeSelector"),
    ("singleuser", "extraNodeAffinity"),
    ("scheduling", "userPods", "nodeAffinity", "matchNodePurpose"),
)


@dataclass(frozen=True)
class _Free:
    """The free choice of one profile: registries and paths, and the groups; no groups are all
    users of the profile.
    """

    display_name: str
    prefixes: frozenset[str]
    groups: frozenset[str]

    @property
    def users(self) -> str:
        """Who may write an image, in words."""
        return f"members of {_listed(self.groups)}" if self.groups else "all its users"


def free_choices(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Say]:
    """What two versions of a hub's values mean for who may write an image of which registry."""
    before, after = dict(_found(old)), dict(_found(new))
    for slug in sorted({*before, *after}):
        one, other = before.get(slug), after.get(slug)
        if one is None and other is not None:
            says = f"{other.users} may write an image of their own, from {_listed(other.prefixes)}"
            yield "widens access", "images", f"{other.display_name}: {says}"
        elif other is None and one is not None:
            says = f"{one.users} can no longer write an image of their own; running servers stay"
            yield "interrupts", "images", f"{one.display_name}: {says}"
        elif one is not None and other is not None:
            yield from _changed(one, other)


def _changed(one: _Free, other: _Free) -> Iterator[Say]:
    name = other.display_name
    if gained := other.prefixes - one.prefixes:
        says = f"{other.users} may write images from {_listed(gained)} too"
        yield "widens access", "images", f"{name}: {says}"
    if lost := one.prefixes - other.prefixes:
        says = f"images from {_listed(lost)} can no longer be written; running servers stay"
        yield "interrupts", "images", f"{name}: {says}"
    if one.groups and (not other.groups or other.groups - one.groups):
        more = f"members of {_listed(other.groups - one.groups)}" if other.groups else other.users
        yield "widens access", "images", f"{name}: {more} may write an image of their own"
    if other.groups and (not one.groups or one.groups - other.groups):
        fewer = (
            f"members of {_listed(one.groups - other.groups)}"
            if one.groups
            else f"users outside of {_listed(other.groups)}"
        )
        says = f"{fewer} can no longer write an image of their own; running servers stay"
        yield "interrupts", "images", f"{name}: {says}"


def _found(values: Mapping[str, Any]) -> Iterator[tuple[str, _Free]]:
    limited = at(values, *GROUPS) or {}
    for profile in items(at(values, "singleuser", "profileList")):
        free = at(profile, "profile_options", "image", "unlisted_choice")
        if at(free, "enabled"):
            slug = str(at(profile, "slug"))
            yield (
                slug,
                _Free(
                    display_name=str(at(profile, "display_name") or slug),
                    prefixes=frozenset(prefixes_of(at(free, "validation_regex"))),
                    groups=frozenset(map(str, limited.get(slug) or ())),
                ),
            )


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
