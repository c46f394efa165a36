"""People's servers: image, profiles with what they may use, and the pools of nodes that they
start on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.z2jh.amounts import amounts_said, base_of
from jupyterhub_aws.adopt.z2jh.chosen_images import named_image
from jupyterhub_aws.adopt.z2jh.gates import restricts
from jupyterhub_aws.adopt.z2jh.pools import Servers, pool_of
from jupyterhub_aws.adopt.z2jh.profiles import add_profile, labels_of
from jupyterhub_aws.adopt.z2jh.taken import Dropped, LedgerEntry, LedgerStatus, Taking, ends
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.stack_text import fill
from jupyterhub_aws.config.tree import Path

_REST = (
    "a profile here says pool, size, image and environment; the rest belongs under helm_values by"
    " hand"
)
_SEALED = "is a secret, or looks like one: nothing like it is copied"
_MOST_PROFILES = 30


def servers_of(taking: Taking) -> Servers:
    """All of it from `singleuser`."""
    found = Servers(image=_image(taking))
    base = base_of(taking)
    selector = labels_of(taking, "singleuser", "nodeSelector")
    listed = taking.look("singleuser", "profileList")
    items = listed if isinstance(listed, list) else []
    for index, item in enumerate(items[:_MOST_PROFILES]):
        if isinstance(item, Mapping):
            add_profile(taking, ("singleuser", "profileList", index), base, selector, found)
    if len(items) > _MOST_PROFILES:
        taking.notes.append(
            f"singleuser.profileList has {len(items)} profiles, and a hub has at most"
            f" {_MOST_PROFILES}: the first ones are taken"
        )
    _leftovers(taking)
    if not found.profiles:
        name = (
            fill(
                "Standard",
                "every profile of the old hub was left out (see below): who may have which?",
            )
            if items
            else "Standard"
        )
        found.profiles["standard"] = {
            "display_name": name,
            "pool": pool_of(found, selector, base),
            **amounts_said(base, taking, "singleuser"),
        }
    elif not found.base_used:
        for name in ("cpu", "memory"):
            taking.settle("singleuser", name, why="every profile says its own")
    defaults = [name for name, profile in found.profiles.items() if profile.get("default")]
    for name in defaults[1:]:
        del found.profiles[name]["default"]
        taking.notes.append(
            f"several profiles were the default one; {defaults[0]} is, and {name} is not"
        )
    return found


def _leftovers(taking: Taking) -> None:
    """What no profile took: a list of the old hub's must never come back through `helm_values`,
    for it would replace the one here, rules and all.
    """
    path: Path = ("singleuser", "profileList")
    for end, value in list(ends(taking.look(*path), path)) if taking.has(*path) else ():
        if end in taking.ledger or (
            value in ({}, []) and any(other[: len(end)] == end for other in taking.ledger)
        ):
            continue
        if value in (None, {}, []):
            taking.ledger[end] = LedgerEntry(status=LedgerStatus.SETTLED, why="says nothing")
        else:
            taking.ledger[end] = LedgerEntry(status=LedgerStatus.LISTED, why=_REST)
            taking.dropped.append(
                Dropped(
                    path=dotted(end),
                    why=_SEALED if value == SECRET else _REST,
                    access=restricts(end, value),
                )
            )
    holder = taking.look("singleuser")
    if isinstance(holder, dict):
        holder.pop("profileList", None)
    for name in ("profile_list", "profile_form_template", "additional_profile_form_template_paths"):
        taking.drop_all(
            "hub",
            "config",
            "KubeSpawner",
            name,
            why="profiles are the stack's: write them under `profiles` of the hub",
        )


def _image(taking: Taking) -> Any:
    name, tag = (
        taking.text("singleuser", "image", "name"),
        taking.text("singleuser", "image", "tag"),
    )
    if name is None:
        if tag is not None:
            taking.drop(
                ("singleuser", "image", "tag"),
                "is the tag of no image: the chart's own sample has tags of its own",
            )
        return None
    return named_image(taking, f"{name}:{tag}" if tag else name, ("singleuser", "image"), "image")
