"""User servers: image, profiles with what they may use, and the pools of nodes that they
start on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyterhub_aws.adopt.z2jh.images import (
    IMAGES,
    LONGEST_NOTE,
    LONGEST_TEXT,
    brief_of,
    choices_of,
    leave_out,
    named_image,
    override_image,
    slug_of,
)
from jupyterhub_aws.adopt.z2jh.taken import SEALED, Dropped, LedgerStatus, Taking, ends, restricts
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.stack_text import fill
from jupyterhub_aws.config.traits import fields, has_lone_brace
from jupyterhub_aws.config.tree import KeyPath

# --- How much a server of the old hub had, in the words of a profile here: cores, memory, GPUs, and
# one guarantee for both.


_GPU = "nvidia.com/gpu"
_BYTES = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4, "": 1}
#: A user's server needs so much to start at all (config/profiles.py).
_LEAST_MIB = 128
#: What a server may have of cores (config/profiles.py).
_LEAST_CORES, _MOST_CORES = 0.1, 448


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """Cores and MiB of memory, each as limit and as guarantee, and GPUs. `inherited`: some of it
    is the hub's own, not the profile's.
    """

    cpu: float | None
    cpu_least: float | None
    memory: float | None  # MiB
    memory_least: float | None
    gpus: int = 0
    inherited: bool = False


def base_of(taking: Taking) -> Amounts:
    """What every server had, unless its profile says otherwise."""
    base: KeyPath = ("singleuser",)
    limits = _gpus(taking, ("singleuser", "extraResource", "limits"))
    taking.settle(
        "singleuser", "extraResource", "guarantees", _GPU, why="a GPU's limit is its guarantee"
    )
    return Amounts(
        cpu=_cores(taking, (*base, "cpu", "limit")),
        cpu_least=_cores(taking, (*base, "cpu", "guarantee")),
        memory=_size(taking, (*base, "memory", "limit")),
        memory_least=_size(taking, (*base, "memory", "guarantee")),
        gpus=limits or 0,
    )


def _gpus(taking: Taking, path: KeyPath) -> int | None:
    """How many GPUs of NVIDIA: no other accelerator can be asked for by a profile here."""
    value = taking.take(*path, _GPU)
    if value is None:
        return None
    number = _number(value)
    if number is None and str(value) != "0":
        taking.drop((*path, _GPU), "is not a number of GPUs")
    return int(number or 0)


def _cores(taking: Taking, path: KeyPath) -> float | None:
    return _read(taking, path, _number, "is not a number of cores")


def _size(taking: Taking, path: KeyPath) -> float | None:
    return _read(taking, path, _mib, "is not a size of memory")


def _read(
    taking: Taking, path: KeyPath, read: Callable[[Any], float | None], why: str
) -> float | None:
    value = taking.take(*path)
    number = read(value)
    if value is not None and number is None:
        taking.drop(path, why)
    return number


def amounts_of(taking: Taking, over: KeyPath, base: Amounts) -> Amounts:
    """What a profile overrides of the hub's own numbers."""
    gpus = _gpus(taking, (*over, "extra_resource_limits"))
    taking.settle(*over, "extra_resource_guarantees", _GPU, why="a GPU's limit is its guarantee")
    cpu, cpu_least = _cores(taking, (*over, "cpu_limit")), _cores(taking, (*over, "cpu_guarantee"))
    memory = _size(taking, (*over, "mem_limit"))
    memory_least = _size(taking, (*over, "mem_guarantee"))
    return Amounts(
        cpu=cpu or base.cpu,
        cpu_least=cpu_least or base.cpu_least,
        memory=memory or base.memory,
        memory_least=memory_least or base.memory_least,
        gpus=base.gpus if gpus is None else gpus,
        inherited=None in (cpu, cpu_least, memory, memory_least),
    )


def amounts_said(amounts: Amounts, taking: Taking, path: str) -> dict[str, Any]:
    """cpu, memory and one guarantee for both: the larger share of the two, so that no server gets
    less than before.
    """
    cpu, memory = amounts.cpu or amounts.cpu_least, amounts.memory or amounts.memory_least
    said: dict[str, Any] = {
        "cpu": fill(2, "the most cores: the old hub had no limit"),
        "memory": fill("8G", "the most memory: the old hub had no limit"),
    }
    if cpu is not None:
        said["cpu"] = min(max(round(cpu, 3), _LEAST_CORES), _MOST_CORES)
    if memory is not None:
        said["memory"] = _text(max(memory, _LEAST_MIB))
    if cpu is not None and not _LEAST_CORES <= cpu <= _MOST_CORES:
        taking.notes.append(
            f"{path}: {cpu:g} cores, where a server here has {_LEAST_CORES:g} to {_MOST_CORES}"
        )
    shares = [
        least / most
        for least, most in ((amounts.cpu_least, cpu), (amounts.memory_least, memory))
        if least and most
    ]
    share = round(min(max(shares, default=0.5), 1), 3)
    if memory is not None:
        share = max(share, math.ceil(1000 * 64 / max(memory, _LEAST_MIB)) / 1000)
    if len(shares) == 2 and shares[0] != shares[1]:  # of cores and of memory
        taking.notes.append(
            f"{path}: {shares[0]:.3g} of the cores and {shares[1]:.3g} of the memory were"
            f" guaranteed; now {share:g} of both"
        )
    said |= {"guarantee": share} if share != 0.5 else {}  # the default
    return {**said, **({"gpus": amounts.gpus} if amounts.gpus else {})}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(m?)", str(value).strip())
    number = None if match is None else float(match[1]) / (1000 if match[2] else 1)
    return number or None


def _mib(value: Any) -> float | None:
    """A size of KubeSpawner or Kubernetes in MiB: `16G` and `16Gi` are both powers of 1024 to
    the hub.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    match = re.fullmatch(
        r"(\d{1,18}(?:\.\d{1,6})?)\s*([KMGT]?)i?B?", str(value).strip(), re.IGNORECASE
    )
    found = None if match is None else float(match[1]) * _BYTES[match[2].upper()] / 1024**2
    return found if found and found >= 1 else None


def _text(mib: float) -> str:
    whole = math.ceil(mib)
    return f"{whole // 1024}G" if whole % 1024 == 0 else f"{whole}M"


# --- Pools of nodes that servers start on: one for each set of labels, as large as the largest
# server there needs.


@dataclass
class Servers:
    """The hub's image and profiles, and the pools that they name."""

    image: Any = None
    profiles: dict[str, Any] = field(default_factory=dict)
    pools: dict[str, Any] = field(default_factory=dict)
    base_used: bool = False


def pool_of(found: Servers, selector: dict[str, str], amounts: Amounts) -> str:
    """The pool of these labels: one for each set of them, as large as the largest server on it
    needs.
    """
    for name, pool in found.pools.items():
        if pool["labels"] == selector and (pool["gpus"] > 0) is (amounts.gpus > 0):
            _grow(pool, amounts)
            return name
    label = next(iter(selector.values()), "user") if found.pools else "user"
    name = slug_of("gpu" if amounts.gpus else label, found.pools)
    found.pools[name] = {"labels": selector, "gpus": 0, "cores": 0.0, "mib": 0.0}
    _grow(found.pools[name], amounts)
    return name


def _grow(pool: dict[str, Any], amounts: Amounts) -> None:
    pool["cores"] = max(pool["cores"], amounts.cpu or amounts.cpu_least or 0)
    pool["mib"] = max(pool["mib"], amounts.memory or amounts.memory_least or 0)
    pool["gpus"] = max(pool["gpus"], amounts.gpus)


def pools_section(found: Servers) -> dict[str, Any]:
    """The pools as the stack says them. How large nodes are, the old values do not say."""
    section: dict[str, Any] = {}
    for name, pool in found.pools.items():
        cores = max(2 * math.ceil(pool["cores"]), 4)
        memory = max(math.ceil(2 * pool["mib"] / 1024), 16)
        section[name] = {
            "capacity": "existing",
            "cores": fill(min(cores, 448), "vCPUs of its smallest node (kubectl describe nodes)"),
            "memory_gib": fill(min(memory, 24576), "memory of its smallest node"),
            **({"gpus": fill(pool["gpus"], "GPUs of each node")} if pool["gpus"] else {}),
            "nodes": fill(1, "how many there are"),
            **({"node_selector": pool["labels"]} if pool["labels"] else {}),
        }
    return section


# --- A profile of `singleuser.profileList` as one here, with its groups; or none, where a rule of
# who may have it has no counterpart.


#: Fields that KubeSpawner fills in, and that a variable here may have (config/profiles.py).
_FIELDS = (
    "username servername escaped_username safe_username unescaped_username user_server".split()
)
_GROUPS = ("allowed_groups", "allowed_teams")


def add_profile(
    taking: Taking, path: KeyPath, base: Amounts, selector: dict[str, str], found: Servers
) -> None:
    """A profile; or none, where only some users had it and no option here says which."""
    given = taking.look(*path)
    index = path[-1]
    gates = [str(key) for key in given if restricts((*path, str(key)), None)]
    title = brief_of(given.get("display_name") or "", LONGEST_TEXT, "")
    name = given.get("slug") or title or f"profile-{int(index) + 1}"
    groups: list[str] = []
    if gates:
        known = [key for key in gates if key in _GROUPS]
        groups = list(dict.fromkeys(group for key in known for group in taking.texts(*path, key)))
        if len(known) != 1 or len(gates) > 1 or not groups:
            rules = ", ".join(gates)[:60]
            why = f"had a rule of who may have it ({rules}) that no option here says"
            leave_out(taking, path, f"{why}: the profile is left out")
            return
    profile = _profile(taking, path, base, selector, found)
    if profile is not None:
        slug = slug_of(name, found.profiles)
        found.profiles[slug] = {**profile, **({"groups": groups} if groups else {})}


def _profile(
    taking: Taking, path: KeyPath, base: Amounts, selector: dict[str, str], found: Servers
) -> dict[str, Any] | None:
    over = (*path, "kubespawner_override")
    images, written = choices_of(taking, path)
    if images is None:
        why = "every one of its choices was for some users only, which no choice here can be"
        leave_out(taking, path, f"{why}: the profile is left out")
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
        profile |= {} if written is None else {"unlisted_image": written}
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


def _accelerators(taking: Taking, over: KeyPath, profile: dict[str, Any]) -> dict[str, Any]:
    """Devices that are no whole GPU of NVIDIA: no profile here can request them, and a note at the
    profile says so.
    """
    asked: dict[str, str] = {}
    for name in ("extra_resource_limits", "extra_resource_guarantees"):
        for key in taking.keys(*over, name):
            amount = taking.look(*over, name, key)
            asked[str(key)] = str(amount) if amount != SECRET else "some"
            taking.to_fill_in(*over, name, key, where="gpus of the profile")
    if not asked:
        return {}
    devices = ", ".join(f"{key}: {value}" for key, value in asked.items())[:120]
    what = "leave the profile out, or give it what it needs"
    note = f"it asked for {devices}, which no profile here can: {what}"
    return {"gpus": fill(profile.get("gpus", 0), note)}


def _environment(taking: Taking, path: KeyPath) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in taking.keys(*path):
        value = taking.take(*path, key)
        plain = isinstance(value, (str, int, float)) and not isinstance(value, bool)
        text = str(value)
        if plain and text and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(key)):
            fine = not has_lone_brace(text) and all(field in _FIELDS for field in fields(text))
            found[str(key)] = text if fine else text.replace("{", "{{").replace("}", "}}")
        elif value is not None:
            taking.drop((*path, key), "is no plain text")
    return found


def labels_of(taking: Taking, *path: str | int) -> dict[str, str]:
    """Labels of nodes, as text."""
    found = {}
    for key in taking.keys(*path):
        value = taking.take(*path, key)
        if isinstance(value, (str, int, float)):
            found[str(key)] = str(value).lower() if isinstance(value, bool) else str(value)
        elif value is not None:
            taking.drop((*path, key), "is no text of a label")
    return found


_REST = (
    "a profile here says pool, size, image and environment; the rest belongs under helm_values by"
    " hand"
)
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
        note = "every profile of the old hub was left out (see below): who may have which?"
        name = fill("Standard", note) if items else "Standard"
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
    path: KeyPath = ("singleuser", "profileList")
    for end, value in list(ends(taking.look(*path), path)) if taking.has(*path) else ():
        if end in taking.ledger or (
            value in ({}, []) and any(other[: len(end)] == end for other in taking.ledger)
        ):
            continue
        if value in (None, {}, []):
            taking.mark(end, LedgerStatus.SETTLED, "says nothing")
        else:
            taking.mark(end, LedgerStatus.LISTED, _REST)
            why = SEALED if value == SECRET else _REST
            taking.dropped.append(Dropped(dotted(end), why, restricts(end, value)))
    holder = taking.look("singleuser")
    if isinstance(holder, dict):
        holder.pop("profileList", None)
    for name in ("profile_list", "profile_form_template", "additional_profile_form_template_paths"):
        why = "profiles are the stack's: write them under `profiles` of the hub"
        taking.drop_all("hub", "config", "KubeSpawner", name, why=why)


def _image(taking: Taking) -> Any:
    path = ("singleuser", "image")
    name, tag = taking.text(*path, "name"), taking.text(*path, "tag")
    if name is None:
        if tag is not None:
            why = "is the tag of no image: the chart's own sample has tags of its own"
            taking.drop((*path, "tag"), why)
        return None
    return named_image(taking, f"{name}:{tag}" if tag else name, path, "image")
