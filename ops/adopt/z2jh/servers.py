"""People's servers: image, profiles with what they may use, and the pools of nodes that they start on."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.resources import SECRET
from config.profiles import split_image
from ops.adopt.written import Noted, fill
from ops.adopt.z2jh.taken import Taking

_GPU = ("nvidia.com/gpu", "amd.com/gpu")
_SHORT, _LONGEST_TEXT, _LONGEST_NOTE = 20, 80, 300
_MOST_PROFILES = 30
_BYTES = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4, "": 1}
#: A person's server needs so much to start at all (config/profiles.py).
_LEAST_MIB = 128


@dataclass
class Servers:
    """The hub's image and profiles, and the pools that they name."""

    image: Any = None
    profiles: dict[str, Any] = field(default_factory=dict)
    pools: dict[str, Any] = field(default_factory=dict)


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
    selector = _labels(taking.take("singleuser", "nodeSelector"))
    listed = taking.take("singleuser", "profileList")
    items = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    if listed and len(items) != len(listed if isinstance(listed, list) else [listed]):
        taking.drop(("singleuser", "profileList"), "holds something that is no profile")
    if len(items) > _MOST_PROFILES:
        taking.drop(("singleuser", "profileList"), f"has {len(items)} profiles, and a hub has at most {_MOST_PROFILES}")
    for index, item in enumerate(items[:_MOST_PROFILES]):
        name = _slug(item.get("slug") or _brief(item.get("display_name") or "", _LONGEST_TEXT, "") or f"profile-{index + 1}", found.profiles)
        found.profiles[name] = _profile(taking, (index, item), base, selector, found)
    if not found.profiles:
        found.profiles["standard"] = {"display_name": "Standard", "pool": _pool(found, selector, base), **_said(base, taking, "singleuser")}
    defaults = [name for name, profile in found.profiles.items() if profile.get("default")]
    for name in defaults[1:]:
        del found.profiles[name]["default"]
    return found


def _image(taking: Taking) -> Any:  # noqa: ANN401 -- a text, perhaps to fill in
    name, tag = taking.text("singleuser", "image", "name"), taking.text("singleuser", "image", "tag")
    if name is None:
        return None
    return _named_image(f"{name}:{tag}" if tag else name)


def _named_image(reference: str) -> Any:  # noqa: ANN401 -- a text, perhaps to fill in
    """An image as it is, where its tag says which; its JupyterHub must fit the new hub's, which only a look inside tells."""
    try:
        name, tag = split_image(reference)
    except ValueError:
        return fill("quay.io/jupyter/scipy-notebook:2025-12-31", f"it was {reference[:80]}, which is no image with a tag")
    if not tag or tag == "latest":
        return fill(f"{name}:2025-12-31", "the tag that you tried: latest changes under people's feet")
    return Noted(value=reference, note="its JupyterHub must be of major version 5")


def _base(taking: Taking) -> _Amounts:
    cpu, memory = taking.take("singleuser", "cpu"), taking.take("singleuser", "memory")
    cpu, memory = cpu if isinstance(cpu, Mapping) else {}, memory if isinstance(memory, Mapping) else {}
    limits = taking.look("singleuser", "extraResource", "limits")
    gpus = next((int(_number(limits.get(key)) or 0) for key in _GPU if key in limits), 0) if isinstance(limits, Mapping) else 0
    if gpus:
        taking.take("singleuser", "extraResource")
    return _Amounts(
        cpu=_number(cpu.get("limit")),
        cpu_least=_number(cpu.get("guarantee")),
        memory=_mib(memory.get("limit")),
        memory_least=_mib(memory.get("guarantee")),
        gpus=gpus,
    )


def _profile(taking: Taking, item: tuple[int, Mapping[str, Any]], base: _Amounts, selector: dict[str, str], found: Servers) -> dict[str, Any]:
    index, given = item
    path = f"singleuser.profileList[{index}]"
    override = given.get("kubespawner_override")
    over = dict(override) if isinstance(override, Mapping) else {}
    amounts = _amounts(over, base)
    nodes = {**selector, **_labels(over.pop("node_selector", None))}
    profile: dict[str, Any] = {"display_name": _brief(given.get("display_name") or given.get("slug") or f"Profile {index + 1}", _LONGEST_TEXT)}
    if isinstance(given.get("description"), str) and given["description"] != SECRET and given["description"].strip():
        profile["description"] = _brief(given["description"], _LONGEST_NOTE)
    profile["pool"] = _pool(found, nodes, amounts)
    profile |= _said(amounts, taking, path)
    images = _choices(taking, given, path)
    image = over.pop("image", None)
    if images:
        profile["images"] = images
    elif isinstance(image, str) and image != SECRET:
        profile["image"] = _named_image(image)
    environment = _environment(taking, over.pop("environment", None), path)
    if environment:
        profile["environment"] = environment
    if given.get("default") is True:
        profile["default"] = True
    for key in sorted(over):
        taking.drop(
            (path, "kubespawner_override", str(key)), "a profile here says pool, size, image and environment; the rest belongs under helm_values by hand"
        )
    return profile


def _amounts(over: dict[str, Any], base: _Amounts) -> _Amounts:
    """What a profile overrides of the hub's own numbers."""
    resources = over.pop("extra_resource_limits", None)
    gpus = next((int(_number(resources.get(key)) or 0) for key in _GPU if key in resources), base.gpus) if isinstance(resources, Mapping) else base.gpus
    over.pop("extra_resource_guarantees", None)
    values = {key: over.pop(key, None) for key in ("cpu_limit", "cpu_guarantee", "mem_limit", "mem_guarantee")}
    return _Amounts(
        cpu=_number(values["cpu_limit"]) or base.cpu,
        cpu_least=_number(values["cpu_guarantee"]) or base.cpu_least,
        memory=_mib(values["mem_limit"]) or base.memory,
        memory_least=_mib(values["mem_guarantee"]) or base.memory_least,
        gpus=gpus,
    )


def _said(amounts: _Amounts, taking: Taking, path: str) -> dict[str, Any]:
    """cpu, memory and one guarantee for both: the larger share of the two, so that nobody gets less than before."""
    cpu, memory = amounts.cpu or amounts.cpu_least, amounts.memory or amounts.memory_least
    said: dict[str, Any] = {
        "cpu": fill(2, "the most cores: the old hub had no limit") if cpu is None else min(max(round(cpu, 3), 0.1), 448),
        "memory": fill("8G", "the most memory: the old hub had no limit") if memory is None else _text(max(memory, _LEAST_MIB)),
    }
    shares = [least / most for least, most in ((amounts.cpu_least, cpu), (amounts.memory_least, memory)) if least and most]
    share = round(min(max(shares, default=0.5), 1), 3)
    if memory is not None:
        share = max(share, math.ceil(1000 * 64 / max(memory, _LEAST_MIB)) / 1000)
    if len(shares) == 2 and abs(shares[0] - shares[1]) > 0.05:  # noqa: PLR2004 -- the two numbers; a twentieth that nobody feels
        taking.notes.append(f"{path}: cores and memory were guaranteed in different shares; now {share:g} of both")
    return {**said, **({"guarantee": share} if share != 0.5 else {}), **({"gpus": amounts.gpus} if amounts.gpus else {})}  # noqa: PLR2004 -- the default


def _choices(taking: Taking, given: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Images that a person may choose; other choices are the operator's to make profiles or sizes of."""
    options = given.get("profile_options")
    images: dict[str, Any] = {}
    for key, option in options.items() if isinstance(options, Mapping) else ():
        choices = option.get("choices") if isinstance(option, Mapping) else None
        names = {str(name): choice for name, choice in choices.items() if isinstance(choice, Mapping)} if isinstance(choices, Mapping) else {}
        found = {
            name: choice.get("kubespawner_override", {}).get("image")
            for name, choice in names.items()
            if isinstance(choice.get("kubespawner_override"), Mapping)
        }
        if not found or images or not all(isinstance(image, str) and image != SECRET for image in found.values()):
            taking.drop((path, "profile_options", str(key)), "is a choice of something else than images: write `sizes`, or a profile for each")
            continue
        for name, image in found.items():
            display = names[name].get("display_name")
            choice = {"image": _named_image(str(image)), **({"display_name": _brief(display, _LONGEST_TEXT)} if isinstance(display, str) else {})}
            images[_slug(name, images)] = {**choice, **({"default": True} if names[name].get("default") is True else {})}
    return images


def _environment(taking: Taking, given: Any, path: str) -> dict[str, str]:  # noqa: ANN401 -- any JSON value
    found: dict[str, str] = {}
    for key, value in given.items() if isinstance(given, Mapping) else ():
        if isinstance(value, (str, int, float)) and value != SECRET and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(key)) and str(value):
            found[str(key)] = str(value).replace("{", "{{").replace("}", "}}")
        else:
            taking.drop((path, "environment", str(key)), "is a secret, or no plain text: everybody who may see a pod would read it")
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


def _labels(given: Any) -> dict[str, str]:  # noqa: ANN401 -- any JSON value
    return {str(key): str(value) for key, value in given.items() if value != SECRET} if isinstance(given, Mapping) else {}


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
