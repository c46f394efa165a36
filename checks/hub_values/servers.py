"""People's servers: what KubeSpawner refuses or loses when somebody starts one, while Helm and the schema say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from checks.hub_values.fault import Fault, Path, Values, at, profiles
from config.errors import closest, shown
from config.homes import DIRECTORY_FIELDS
from config.kubespawner import TRAITS

_BYTES = re.compile(r"[0-9]+(\.[0-9]+)?[KMGT]?")
_FIELD = re.compile(r"\{([^{}]*)\}")
#: Fields that KubeSpawner 7 fills in when it starts a server.
_FIELDS = (*DIRECTORY_FIELDS, "servername", "user_server", "pod_name", "pvc_name", "namespace", "hubnamespace", "unescaped_servername", "userid")
#: Under hub.config.KubeSpawner each of these replaces what the chart put together from the key that stands beside it.
_REPLACED = {
    "tolerations": "singleuser.extraTolerations",
    "environment": "singleuser.extraEnv",
    "init_containers": "singleuser.initContainers",
    "volumes": "singleuser.storage.extraVolumes",
    "volume_mounts": "singleuser.storage.extraVolumeMounts",
    "node_selector": "singleuser.nodeSelector",
    "profile_list": "singleuser.profileList",
    "image": "singleuser.image",
}
_DEDICATED = {"key": "hub.jupyter.org/dedicated", "value": "user", "effect": "NoSchedule"}
_ROOT: dict[str, Any] = {"uid": 0, "privileged": True, "allow_privilege_escalation": True}


def sizes(values: Values) -> Iterator[Fault]:
    """Sizes that KubeSpawner reads: K, M, G and T, not Ki, Mi, Gi and Ti."""
    for which in ("limit", "guarantee"):
        yield from _size(("singleuser", "memory", which), at(values, "singleuser", "memory", which))
    for path, override in profiles(values):
        for trait in ("mem_limit", "mem_guarantee"):
            yield from _size((*path, trait), override.get(trait))
        for trait in ("cpu_limit", "cpu_guarantee"):
            value = override.get(trait)
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
                yield Fault(path=(*path, trait), what=f"is not a number of cores (got {shown(value)}): servers would fail to start", fix="write it like 2")


def _size(path: Path, value: object) -> Iterator[Fault]:
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return
    if not isinstance(value, str) or not _BYTES.fullmatch(value):
        fix = f"write {str(value).rstrip('iB')}" if str(value).endswith(("i", "iB")) else "write it like 16G"
        yield Fault(path=path, what=f"is a size that KubeSpawner refuses when a server starts (got {shown(value)})", fix=fix)


def guarantees(values: Values) -> Iterator[Fault]:
    """No guarantee is above its limit: Kubernetes refuses such a pod."""
    base = {
        f"{kind}_{which}": at(values, "singleuser", section, which) for section, kind in (("memory", "mem"), ("cpu", "cpu")) for which in ("limit", "guarantee")
    }
    for path, override in [(("singleuser",), {}), *profiles(values)]:
        both = {**base, **override}
        for kind in ("mem", "cpu"):
            limit, guarantee = _number(both.get(f"{kind}_limit")), _number(both.get(f"{kind}_guarantee"))
            if limit is not None and guarantee is not None and guarantee > limit:
                yield Fault(
                    path=path, what=f"guarantees more {'memory' if kind == 'mem' else 'cores'} than the limit", fix="raise the limit or lower the guarantee"
                )


def _number(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([KMGT]?)", value) if isinstance(value, str) else None
    return float(match[1]) * 1024.0 ** " KMGT".index(match[2] or " ") if match else None


def environment(values: Values) -> Iterator[Fault]:
    """Variables that KubeSpawner can expand: text, with braces doubled."""
    yield from _variables(("singleuser", "extraEnv"), at(values, "singleuser", "extraEnv"))
    for path, override in profiles(values):
        yield from _variables((*path, "environment"), override.get("environment"))


def _variables(path: Path, found: object) -> Iterator[Fault]:
    for name, value in found.items() if isinstance(found, Mapping) else ():
        if isinstance(value, (bool, int, float)):
            yield Fault(path=(*path, name), what=f"is not text (got {shown(value)}): every server would fail to start", fix=f'quote it: "{shown(value)}"')
        elif isinstance(value, str):
            yield from _braces((*path, name), value)


def _braces(path: Path, text: str) -> Iterator[Fault]:
    rest = text.replace("{{", "").replace("}}", "")
    unknown = [name for name in _FIELD.findall(rest) if name not in _FIELDS]
    if unknown or re.search(r"[{}]", _FIELD.sub("", rest)):
        yield Fault(path=path, what=f"has braces that KubeSpawner expands (got {shown(text)}): every server would fail to start", fix="double them: {{ and }}")


def homes(values: Values) -> Iterator[Fault]:
    """The home's directory is one person's and stays it, and its claim exists."""
    storage = at(values, "singleuser", "storage") or {}
    if storage.get("type") != "static":
        return
    text = str(at(storage, "static", "subPath"))
    for name in _FIELD.findall(text):
        if name not in DIRECTORY_FIELDS:
            guess = closest(name, DIRECTORY_FIELDS)
            fix = f"did you mean {{{guess}}}?" if guess else "use {username}"
            yield Fault(path=("singleuser", "storage", "static", "subPath"), what=f"has a field that no home may be named by (got {{{name}}})", fix=fix)
    if not _FIELD.search(text):
        yield Fault(path=("singleuser", "storage", "static", "subPath"), what="is the same directory for everybody", fix="put {username} into it")
    if not at(storage, "static", "pvcName"):
        yield Fault(path=("singleuser", "storage", "static", "pvcName"), what="names no claim: no server could start", fix="write homes")


def overrides(values: Values) -> Iterator[Fault]:
    """Profiles name traits of KubeSpawner, and keep what a list in them would replace."""
    for path, override in profiles(values):
        for name, value in override.items():
            if name not in TRAITS:
                snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
                guess = snake if snake in TRAITS else closest(name, TRAITS)
                fix = f"write {guess}" if guess else "see KubeSpawner's documentation for its traits"
                yield Fault(path=(*path, name), what="is not a trait of KubeSpawner: it would be without effect, or break every start", fix=fix)
            if name in _ROOT and (value == _ROOT[name] and type(value) is type(_ROOT[name])):
                yield Fault(path=(*path, name), what="gives people's servers what Pod Security `restricted` refuses", fix="remove it")
        yield from _lists(path, override)


def _lists(path: Path, override: Mapping[str, Any]) -> Iterator[Fault]:
    tolerations = override.get("tolerations")
    if tolerations is not None and not any(_tolerates(item) for item in tolerations):
        yield Fault(
            path=(*path, "tolerations"),
            what="drops the toleration of user nodes, because a list replaces a list: such a server would never find a node",
            fix="add {key: hub.jupyter.org/dedicated, operator: Equal, value: user, effect: NoSchedule} to it",
        )
    for name in ("volumes", "volume_mounts"):
        items = override.get(name)
        if items is not None and "home" not in [item.get("name") for item in (items.values() if isinstance(items, Mapping) else items)]:
            yield Fault(path=(*path, name), what="drops the home directory, because a list replaces a list", fix="use singleuser.storage.extraVolumes instead")


def _tolerates(item: Mapping[str, Any]) -> bool:
    if item.get("operator") == "Exists":
        return item.get("key") in (None, "", _DEDICATED["key"])
    return all(item.get(key) == value for key, value in _DEDICATED.items())


def replaced(values: Values) -> Iterator[Fault]:
    """Nothing under hub.config.KubeSpawner replaces what the chart computes from its own keys."""
    for name in at(values, "hub", "config", "KubeSpawner") or {}:
        if name in _REPLACED:
            yield Fault(path=("hub", "config", "KubeSpawner", name), what="replaces all that the chart puts there", fix=f"use {_REPLACED[name]}")


RULES = (sizes, guarantees, environment, homes, overrides, replaced)
