"""A profile of `singleuser.profileList` as one here, with its groups; or none, where a rule of
who may have it has no counterpart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.z2jh.amounts import Amounts, amounts_of, amounts_said
from jupyterhub_aws.adopt.z2jh.chosen_images import IMAGES, choices_of, override_image
from jupyterhub_aws.adopt.z2jh.gates import restricts
from jupyterhub_aws.adopt.z2jh.names import LONGEST_NOTE, LONGEST_TEXT, brief_of, leave_out, slug_of
from jupyterhub_aws.adopt.z2jh.pools import Servers, pool_of
from jupyterhub_aws.adopt.z2jh.taken import Taking
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.kubespawner import fields, has_lone_brace
from jupyterhub_aws.config.stack_text import fill
from jupyterhub_aws.config.tree import Path

#: Fields that KubeSpawner fills in, and that a variable here may have (config/profiles.py).
_FIELDS = (
    "username",
    "servername",
    "escaped_username",
    "safe_username",
    "unescaped_username",
    "user_server",
)


_GROUPS = ("allowed_groups", "allowed_teams")


def add_profile(
    taking: Taking, path: Path, base: Amounts, selector: dict[str, str], found: Servers
) -> None:
    """A profile; or none, where not everybody might have it and no option here says who."""
    given = taking.look(*path)
    index = path[-1]
    gates = [str(key) for key in given if restricts((*path, str(key)), None)]
    name = (
        given.get("slug")
        or brief_of(given.get("display_name") or "", LONGEST_TEXT, "")
        or f"profile-{int(index) + 1}"
    )
    groups: list[str] = []
    if gates:
        known = [key for key in gates if key in _GROUPS]
        groups = list(dict.fromkeys(group for key in known for group in taking.texts(*path, key)))
        if len(known) != 1 or len(gates) > 1 or not groups:
            leave_out(
                taking,
                path,
                f"had a rule of who may have it ({', '.join(gates)[:60]}) that no option here says:"
                " the profile is left out",
            )
            return
    profile = _profile(taking, path, base, selector, found)
    if profile is not None:
        slug = slug_of(name, found.profiles)
        found.profiles[slug] = {**profile, **({"groups": groups} if groups else {})}


def _profile(
    taking: Taking, path: Path, base: Amounts, selector: dict[str, str], found: Servers
) -> dict[str, Any] | None:
    over = (*path, "kubespawner_override")
    images = choices_of(taking, path)
    if images is None:
        leave_out(
            taking,
            path,
            "every one of its choices was for some users only, which no choice here can be: the"
            " profile is left out",
        )
        return None
    amounts = amounts_of(taking, over, base)
    found.base_used = found.base_used or amounts.inherited
    nodes = {**selector, **labels_of(taking, *over, "node_selector")}
    title, slug = taking.text(*path, "display_name"), taking.text(*path, "slug")
    profile: dict[str, Any] = {
        "display_name": brief_of(title or slug or f"Profile {int(path[-1]) + 1}", LONGEST_TEXT)
    }
    description = taking.text(*path, "description")
    if description is not None:
        profile["description"] = brief_of(description, LONGEST_NOTE)
        if len(description) > LONGEST_NOTE:
            taking.notes.append(f"{dotted(path)}.description is cut at {LONGEST_NOTE} characters")
    profile["pool"] = pool_of(found, nodes, amounts)
    profile |= amounts_said(amounts, taking, dotted(path))
    profile |= _accelerators(taking, over, profile)
    image = override_image(taking, over, "profiles[].image")
    if images:
        profile["images"] = images
        if image is not None:
            for name in IMAGES:
                taking.settle(*over, name, why="a choice of images says which")
    elif image is not None:
        profile["image"] = image
    environment = _environment(taking, (*over, "environment"))
    if environment:
        profile["environment"] = environment
    if taking.flag(*path, "default"):
        profile["default"] = True
    return profile


def _accelerators(taking: Taking, over: Path, profile: dict[str, Any]) -> dict[str, Any]:
    """Devices that are no whole GPU of NVIDIA: nobody gets them by a profile here, and that is
    said at the profile itself.
    """
    asked: dict[str, str] = {}
    for name in ("extra_resource_limits", "extra_resource_guarantees"):
        given = taking.look(*over, name)
        for key in list(given) if isinstance(given, Mapping) else ():
            asked[str(key)] = str(given[key]) if given[key] != SECRET else "some"
            taking.to_fill_in(*over, name, key, where="gpus of the profile")
    if not asked:
        return {}
    devices = ", ".join(f"{key}: {value}" for key, value in asked.items())[:120]
    return {
        "gpus": fill(
            profile.get("gpus", 0),
            f"it asked for {devices}, which no profile here can: leave the profile out, or give it"
            " what it needs",
        )
    }


def _environment(taking: Taking, path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    given = taking.look(*path)
    for key in list(given) if isinstance(given, Mapping) else ():
        value = taking.take(*path, key)
        if (
            isinstance(value, (str, int, float))
            and not isinstance(value, bool)
            and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(key))
            and str(value)
        ):
            text = str(value)
            fine = not has_lone_brace(text) and all(field in _FIELDS for field in fields(text))
            found[str(key)] = text if fine else text.replace("{", "{{").replace("}", "}}")
        elif value is not None:
            taking.drop((*path, key), "is no plain text")
    return found


def labels_of(taking: Taking, *path: str | int) -> dict[str, str]:
    """Labels of nodes, as text."""
    given, found = taking.look(*path), {}
    for key in list(given) if isinstance(given, Mapping) else ():
        value = taking.take(*path, key)
        if isinstance(value, (str, int, float)):
            found[str(key)] = str(value).lower() if isinstance(value, bool) else str(value)
        elif value is not None:
            taking.drop((*path, key), "is no text of a label")
    return found
