"""People's servers: image, profiles with what they may use, and the pools of nodes that they start on."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.resources import SECRET
from config.errors import dotted
from config.kubespawner import fields, has_lone_brace
from config.profiles import split_image
from config.tree import Path
from ops.adopt.written import Noted, fill
from ops.adopt.z2jh.gates import restricts
from ops.adopt.z2jh.taken import Dropped, Entry, Status, Taking, ends

_GPU = "nvidia.com/gpu"
_IMAGES = ("image", "image_spec")
#: Fields that KubeSpawner fills in, and that a variable here may have (config/profiles.py).
_FIELDS = ("username", "servername", "escaped_username", "safe_username", "unescaped_username", "user_server")
_GROUPS = ("allowed_groups", "allowed_teams")
#: What stands for a tag that only the operator knows: no image has it, and nobody takes it for one.
_TAG = "FILL-IN"
_REST = "a profile here says pool, size, image and environment; the rest belongs under helm_values by hand"
_SEALED = "is a secret, or looks like one: nothing like it is copied"
_UNLISTED = "let users write any image: list those that they need under `images`"
_SHORT, _LONGEST_TEXT, _LONGEST_NOTE = 20, 80, 300
_MOST_PROFILES = 30
_BYTES = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4, "": 1}
#: A person's server needs so much to start at all (config/profiles.py).
_LEAST_MIB = 128
#: What a server may have of cores (config/profiles.py).
_LEAST_CORES, _MOST_CORES = 0.1, 448


@dataclass
class Servers:
    """The hub's image and profiles, and the pools that they name."""

    image: Any = None
    profiles: dict[str, Any] = field(default_factory=dict)
    pools: dict[str, Any] = field(default_factory=dict)
    base_used: bool = False


@dataclass(frozen=True, kw_only=True)
class _Amounts:
    cpu: float | None
    cpu_least: float | None
    memory: float | None  # MiB
    memory_least: float | None
    gpus: int = 0


def servers_of(taking: Taking) -> Servers:
    """All of it from `singleuser`."""
    found = Servers(image=_image(taking))
    base = _base(taking)
    selector = _labels(taking, "singleuser", "nodeSelector")
    listed = taking.look("singleuser", "profileList")
    items = listed if isinstance(listed, list) else []
    for index, item in enumerate(items[:_MOST_PROFILES]):
        if isinstance(item, Mapping):
            _add(taking, ("singleuser", "profileList", index), base, selector, found)
    if len(items) > _MOST_PROFILES:
        taking.notes.append(f"singleuser.profileList has {len(items)} profiles, and a hub has at most {_MOST_PROFILES}: the first ones are taken")
    _leftovers(taking)
    if not found.profiles:
        name = fill("Standard", "every profile of the old hub was left out (see below): who may have which?") if items else "Standard"
        found.profiles["standard"] = {"display_name": name, "pool": _pool(found, selector, base), **_said(base, taking, "singleuser")}
    elif not found.base_used:
        for name in ("cpu", "memory"):
            taking.settle("singleuser", name, why="every profile says its own")
    defaults = [name for name, profile in found.profiles.items() if profile.get("default")]
    for name in defaults[1:]:
        del found.profiles[name]["default"]
        taking.notes.append(f"several profiles were the default one; {defaults[0]} is, and {name} is not")
    return found


def _leftovers(taking: Taking) -> None:
    """What no profile took: a list of the old hub's must never come back through `helm_values`, for it would replace the one here, rules and all."""
    path: Path = ("singleuser", "profileList")
    for end, value in list(ends(taking.look(*path), path)) if taking.has(*path) else ():
        if end in taking.ledger or (value in ({}, []) and any(other[: len(end)] == end for other in taking.ledger)):
            continue
        if value in (None, {}, []):
            taking.ledger[end] = Entry(status=Status.SETTLED, why="says nothing")
        else:
            taking.ledger[end] = Entry(status=Status.LISTED, why=_REST)
            taking.dropped.append(Dropped(path=dotted(end), why=_SEALED if value == SECRET else _REST, access=restricts(end, value)))
    holder = taking.look("singleuser")
    if isinstance(holder, dict):
        holder.pop("profileList", None)
    for name in ("profile_list", "profile_form_template", "additional_profile_form_template_paths"):
        taking.drop_all("hub", "config", "KubeSpawner", name, why="profiles are the stack's: write them under `profiles` of the hub")


def _image(taking: Taking) -> Any:  # noqa: ANN401 -- a text, perhaps to fill in
    name, tag = taking.text("singleuser", "image", "name"), taking.text("singleuser", "image", "tag")
    if name is None:
        if tag is not None:
            taking.drop(("singleuser", "image", "tag"), "is the tag of no image: the chart's own sample has tags of its own")
        return None
    return _named_image(taking, f"{name}:{tag}" if tag else name, ("singleuser", "image"), "image")


def _named_image(taking: Taking, reference: str, path: Path, where: str) -> Any:  # noqa: ANN401 -- a text, perhaps to fill in
    """An image as it is, where its tag says which; its JupyterHub must fit the new hub's, which only a look inside tells."""
    try:
        name, tag = split_image(reference)
    except ValueError:
        taking.to_fill_in(*path, where=where)
        return fill("quay.io/jupyter/scipy-notebook:2025-12-31", f"it was {reference[:80]}, which is no image with a tag")
    if not tag or tag == "latest":
        taking.to_fill_in(*path, where=where)
        was = "latest changes under people's feet" if tag else "it had none, and would change under people's feet"
        return fill(f"{name}:{_TAG}", f"the tag that you tried: {was}")
    return Noted(value=reference, note="its JupyterHub must be of major version 5")


def _base(taking: Taking) -> _Amounts:
    base: Path = ("singleuser",)
    limits = _gpus(taking, ("singleuser", "extraResource", "limits"))
    taking.settle("singleuser", "extraResource", "guarantees", _GPU, why="a GPU's limit is its guarantee")
    return _Amounts(
        cpu=_cores(taking, (*base, "cpu", "limit")),
        cpu_least=_cores(taking, (*base, "cpu", "guarantee")),
        memory=_size(taking, (*base, "memory", "limit")),
        memory_least=_size(taking, (*base, "memory", "guarantee")),
        gpus=limits or 0,
    )


def _gpus(taking: Taking, path: Path) -> int | None:
    """How many GPUs of NVIDIA: no other accelerator can be asked for by a profile here."""
    value = taking.take(*path, _GPU)
    if value is None:
        return None
    number = _number(value)
    if number is None and str(value) != "0":
        taking.drop((*path, _GPU), "is not a number of GPUs")
    return int(number or 0)


def _cores(taking: Taking, path: Path) -> float | None:
    value = taking.take(*path)
    number = _number(value)
    if value is not None and number is None:
        taking.drop(path, "is not a number of cores")
    return number


def _size(taking: Taking, path: Path) -> float | None:
    value = taking.take(*path)
    mib = _mib(value)
    if value is not None and mib is None:
        taking.drop(path, "is not a size of memory")
    return mib


def _add(taking: Taking, path: Path, base: _Amounts, selector: dict[str, str], found: Servers) -> None:
    """A profile; or none, where not everybody might have it and no option here says who."""
    given = taking.look(*path)
    index = path[-1]
    gates = [str(key) for key in given if restricts((*path, str(key)), None)]
    name = given.get("slug") or _brief(given.get("display_name") or "", _LONGEST_TEXT, "") or f"profile-{int(index) + 1}"
    groups: list[str] = []
    if gates:
        known = [key for key in gates if key in _GROUPS]
        groups = list(dict.fromkeys(group for key in known for group in taking.texts(*path, key)))
        if len(known) != 1 or len(gates) > 1 or not groups:
            _leave_out(taking, path, f"had a rule of who may have it ({', '.join(gates)[:60]}) that no option here says: the profile is left out")
            return
    profile = _profile(taking, path, base, selector, found)
    if profile is not None:
        slug = _slug(name, found.profiles)
        found.profiles[slug] = {**profile, **({"groups": groups} if groups else {})}


def _leave_out(taking: Taking, path: Path, why: str) -> None:
    """List a profile or a choice as a whole: its item stays in the list, so that the others keep their numbers."""
    item = taking.look(*path)
    for key in list(item) if isinstance(item, dict) else ():
        taking.drop((*path, key), why, access=False)
    below = dotted(path)
    taking.dropped = [dropped for dropped in taking.dropped if not dropped.path.startswith((f"{below}.", f"{below}["))]
    taking.dropped.append(Dropped(path=dotted(path), why=why, access=True))
    for end, entry in taking.ledger.items():
        if end[: len(path)] == path and entry.status is not Status.LISTED:
            taking.ledger[end] = Entry(status=Status.LISTED, why=why)


def _profile(taking: Taking, path: Path, base: _Amounts, selector: dict[str, str], found: Servers) -> dict[str, Any] | None:
    over = (*path, "kubespawner_override")
    images = _choices(taking, path)
    if images is None:
        _leave_out(taking, path, "every one of its choices was for some users only, which no choice here can be: the profile is left out")
        return None
    amounts = _amounts(taking, over, base, found)
    nodes = {**selector, **_labels(taking, *over, "node_selector")}
    title, slug = taking.text(*path, "display_name"), taking.text(*path, "slug")
    profile: dict[str, Any] = {"display_name": _brief(title or slug or f"Profile {int(path[-1]) + 1}", _LONGEST_TEXT)}
    description = taking.text(*path, "description")
    if description is not None:
        profile["description"] = _brief(description, _LONGEST_NOTE)
        if len(description) > _LONGEST_NOTE:
            taking.notes.append(f"{dotted(path)}.description is cut at {_LONGEST_NOTE} characters")
    profile["pool"] = _pool(found, nodes, amounts)
    profile |= _said(amounts, taking, dotted(path))
    profile |= _accelerators(taking, over, profile)
    image = _override_image(taking, over, "profiles[].image")
    if images:
        profile["images"] = images
        if image is not None:
            for name in _IMAGES:
                taking.settle(*over, name, why="a choice of images says which")
    elif image is not None:
        profile["image"] = image
    environment = _environment(taking, (*over, "environment"))
    if environment:
        profile["environment"] = environment
    if taking.flag(*path, "default"):
        profile["default"] = True
    return profile


def _override_image(taking: Taking, over: Path, where: str) -> Any:  # noqa: ANN401 -- a text, perhaps to fill in, or None
    """`image`, or `image_spec` as KubeSpawner called it before 0.11."""
    found = None
    for name in _IMAGES:
        reference = taking.text(*over, name)
        if reference is None:
            continue
        if found is None:
            found = _named_image(taking, reference, (*over, name), where)
        else:
            taking.settle(*over, name, why="is said twice")
    return found


def _accelerators(taking: Taking, over: Path, profile: dict[str, Any]) -> dict[str, Any]:
    """Devices that are no whole GPU of NVIDIA: nobody gets them by a profile here, and that is said at the profile itself."""
    asked: dict[str, str] = {}
    for name in ("extra_resource_limits", "extra_resource_guarantees"):
        given = taking.look(*over, name)
        for key in list(given) if isinstance(given, Mapping) else ():
            asked[str(key)] = str(given[key]) if given[key] != SECRET else "some"
            taking.to_fill_in(*over, name, key, where="gpus of the profile")
    if not asked:
        return {}
    devices = ", ".join(f"{key}: {value}" for key, value in asked.items())[:120]
    return {"gpus": fill(profile.get("gpus", 0), f"it asked for {devices}, which no profile here can: leave the profile out, or give it what it needs")}


def _amounts(taking: Taking, over: Path, base: _Amounts, found: Servers) -> _Amounts:
    """What a profile overrides of the hub's own numbers."""
    gpus = _gpus(taking, (*over, "extra_resource_limits"))
    taking.settle(*over, "extra_resource_guarantees", _GPU, why="a GPU's limit is its guarantee")
    cpu, cpu_least = _cores(taking, (*over, "cpu_limit")), _cores(taking, (*over, "cpu_guarantee"))
    memory, memory_least = _size(taking, (*over, "mem_limit")), _size(taking, (*over, "mem_guarantee"))
    found.base_used = found.base_used or None in (cpu, cpu_least, memory, memory_least)
    return _Amounts(
        cpu=cpu or base.cpu,
        cpu_least=cpu_least or base.cpu_least,
        memory=memory or base.memory,
        memory_least=memory_least or base.memory_least,
        gpus=base.gpus if gpus is None else gpus,
    )


def _said(amounts: _Amounts, taking: Taking, path: str) -> dict[str, Any]:
    """cpu, memory and one guarantee for both: the larger share of the two, so that nobody gets less than before."""
    cpu, memory = amounts.cpu or amounts.cpu_least, amounts.memory or amounts.memory_least
    said: dict[str, Any] = {
        "cpu": fill(2, "the most cores: the old hub had no limit") if cpu is None else min(max(round(cpu, 3), _LEAST_CORES), _MOST_CORES),
        "memory": fill("8G", "the most memory: the old hub had no limit") if memory is None else _text(max(memory, _LEAST_MIB)),
    }
    if cpu is not None and not _LEAST_CORES <= cpu <= _MOST_CORES:
        taking.notes.append(f"{path}: {cpu:g} cores, where a server here has {_LEAST_CORES:g} to {_MOST_CORES}")
    shares = [least / most for least, most in ((amounts.cpu_least, cpu), (amounts.memory_least, memory)) if least and most]
    share = round(min(max(shares, default=0.5), 1), 3)
    if memory is not None:
        share = max(share, math.ceil(1000 * 64 / max(memory, _LEAST_MIB)) / 1000)
    if len(shares) == 2 and shares[0] != shares[1]:  # noqa: PLR2004 -- of cores and of memory
        taking.notes.append(f"{path}: {shares[0]:.3g} of the cores and {shares[1]:.3g} of the memory were guaranteed; now {share:g} of both")
    return {**said, **({"guarantee": share} if share != 0.5 else {}), **({"gpus": amounts.gpus} if amounts.gpus else {})}  # noqa: PLR2004 -- the default


def _choices(taking: Taking, path: Path) -> dict[str, Any] | None:
    """Images that a user may choose; other choices are the operator's to make profiles or sizes of. None: there were, and every one was for some only."""
    options = taking.look(*path, "profile_options")
    images: dict[str, Any] = {}
    gated = False
    for key in list(options) if isinstance(options, Mapping) else ():
        place = (*path, "profile_options", key)
        option = options[key]
        if isinstance(option, Mapping) and any(restricts((*place, str(name)), None) for name in option if name not in ("choices", "unlisted_choice")):
            _leave_out(taking, place, "had a rule of who may choose, which no choice here has: it is left out")
            gated = True
            continue
        found = _images_of(taking, (*place, "choices"))
        gated = gated or found is None
        if found and not images:
            images = found
            taking.settle(*place, "display_name", why="the page calls it Image")
            if taking.has(*place, "unlisted_choice"):
                free = taking.look(*place, "unlisted_choice", "enabled") is True
                taking.drop_all(*place, "unlisted_choice", why=_UNLISTED if free else "was switched off: nobody could write an image")
        elif taking.look(*place):
            taking.drop_all(*place, why="is a choice of something else than images: write `sizes`, or a profile for each")
    return None if gated and not images else images


def _images_of(taking: Taking, path: Path) -> dict[str, Any] | None:
    """The choices of an option, where each names an image; without those that were for some users only. None: none was left."""
    choices = taking.look(*path)
    if not isinstance(choices, Mapping) or not choices:
        return {}
    overrides = [choice.get("kubespawner_override") if isinstance(choice, Mapping) else None for choice in choices.values()]
    if not all(isinstance(over, Mapping) and any(isinstance(over.get(name), str) and over[name] != SECRET for name in _IMAGES) for over in overrides):
        if any(restricts((*path, name, str(key)), None) for name, choice in choices.items() if isinstance(choice, Mapping) for key in choice):
            why = "is a choice of something else than images, and some of it was for some users only: write `sizes`, or a profile with `groups` for each"
            _leave_out(taking, path[:-1], why)
        return {}
    images: dict[str, Any] = {}
    for name in list(choices):
        place = (*path, name)
        gates = [str(key) for key in choices[name] if restricts((*place, str(key)), None)]
        if gates:
            rule = choices[name][gates[0]]
            of = f" ({', '.join(str(item) for item in rule if item != SECRET)[:80]})" if isinstance(rule, list) else ""
            _leave_out(taking, place, f"was for some users only{of}, and a choice here is for everybody who has the profile: make it a profile with groups")
            continue
        image = _override_image(taking, (*place, "kubespawner_override"), "images of the profile")
        display = taking.text(*place, "display_name")
        choice = {"image": image, **({"display_name": _brief(display, _LONGEST_TEXT)} if display else {})}
        images[_slug(name, images)] = {**choice, **({"default": True} if taking.flag(*place, "default") else {})}
        over = taking.look(*place, "kubespawner_override")
        for key in list(over) if isinstance(over, dict) else ():
            taking.drop_all(*place, "kubespawner_override", key, why="a choice of images says the image and nothing else: make it a profile of its own")
    chosen = [name for name, choice in images.items() if choice.get("default")]
    for name in chosen[1:]:
        del images[name]["default"]
        taking.notes.append(f"{dotted(path)}: several images were the default one; {chosen[0]} is, and {name} is not")
    return images or None


def _environment(taking: Taking, path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    given = taking.look(*path)
    for key in list(given) if isinstance(given, Mapping) else ():
        value = taking.take(*path, key)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(key)) and str(value):
            text = str(value)
            fine = not has_lone_brace(text) and all(field in _FIELDS for field in fields(text))
            found[str(key)] = text if fine else text.replace("{", "{{").replace("}", "}}")
        elif value is not None:
            taking.drop((*path, key), "is no plain text")
    return found


def _pool(found: Servers, selector: dict[str, str], amounts: _Amounts) -> str:
    """The pool of these labels: one for each set of them, as large as the largest server on it needs."""
    for name, pool in found.pools.items():
        if pool["labels"] == selector and (pool["gpus"] > 0) is (amounts.gpus > 0):
            _grow(pool, amounts)
            return name
    name = _slug("gpu" if amounts.gpus else "user" if not found.pools else next(iter(selector.values()), "user"), found.pools)
    found.pools[name] = {"labels": selector, "gpus": 0, "cores": 0.0, "mib": 0.0}
    _grow(found.pools[name], amounts)
    return name


def _grow(pool: dict[str, Any], amounts: _Amounts) -> None:
    pool["cores"] = max(pool["cores"], amounts.cpu or amounts.cpu_least or 0)
    pool["mib"] = max(pool["mib"], amounts.memory or amounts.memory_least or 0)
    pool["gpus"] = max(pool["gpus"], amounts.gpus)


def pools_section(found: Servers) -> dict[str, Any]:
    """The pools as the stack says them. How large nodes are, the old values do not say."""
    section: dict[str, Any] = {}
    for name, pool in found.pools.items():
        cores, memory = max(2 * math.ceil(pool["cores"]), 4), max(math.ceil(2 * pool["mib"] / 1024), 16)
        section[name] = {
            "capacity": "given",
            "cores": fill(min(cores, 448), "vCPUs of its smallest node (kubectl describe nodes)"),
            "memory_gib": fill(min(memory, 24576), "memory of its smallest node"),
            **({"gpus": fill(pool["gpus"], "GPUs of each node")} if pool["gpus"] else {}),
            "nodes": fill(1, "how many there are"),
            **({"node_selector": pool["labels"]} if pool["labels"] else {}),
        }
    return section


def _labels(taking: Taking, *path: str | int) -> dict[str, str]:
    given, found = taking.look(*path), {}
    for key in list(given) if isinstance(given, Mapping) else ():
        value = taking.take(*path, key)
        if isinstance(value, (str, int, float)):
            found[str(key)] = str(value).lower() if isinstance(value, bool) else str(value)
        elif value is not None:
            taking.drop((*path, key), "is no text of a label")
    return found


def _number(value: Any) -> float | None:  # noqa: ANN401 -- any JSON value
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(m?)", str(value).strip())
    number = None if match is None else float(match[1]) / (1000 if match[2] else 1)
    return number or None


def _mib(value: Any) -> float | None:  # noqa: ANN401 -- any JSON value
    """A size of KubeSpawner or Kubernetes in MiB: `16G` and `16Gi` are both powers of 1024 to the hub."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    match = re.fullmatch(r"(\d{1,18}(?:\.\d{1,6})?)\s*([KMGT]?)i?B?", str(value).strip(), re.IGNORECASE)
    found = None if match is None else float(match[1]) * _BYTES[match[2].upper()] / 1024**2
    return found if found and found >= 1 else None


def _text(mib: float) -> str:
    whole = math.ceil(mib)
    return f"{whole // 1024}G" if whole % 1024 == 0 else f"{whole}M"


def _slug(text: Any, taken: Mapping[str, Any]) -> str:  # noqa: ANN401 -- any JSON value
    plain = re.sub(r"[^a-z0-9]+", "-", str(text if text != SECRET else "").lower()).strip("-")
    plain = (plain if plain[:1].isalpha() else f"p-{plain}".rstrip("-"))[:_SHORT].rstrip("-")
    plain = "user" if plain == "core" else plain
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain[: _SHORT - 3].rstrip('-')}-{number}", number + 1
    return name


def _brief(text: Any, longest: int, otherwise: str = "unnamed") -> str:  # noqa: ANN401 -- any JSON value
    """A text in one line, without HTML and of a length that a page has room for."""
    plain = " ".join(re.sub(r"<[^>]*>", "", str(text if text != SECRET else "")).split())
    return plain[:longest].strip() or otherwise
