"""Users' servers: what KubeSpawner refuses or loses when a user starts one, while Helm and
the schema say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.hub_values import fault
from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values, items, profiles
from jupyterhub_aws.config.environment import NEEDS_ROOT
from jupyterhub_aws.config.errors import closest, did_you_mean, shown, shown_at
from jupyterhub_aws.config.homes import DIRECTORY_FIELDS
from jupyterhub_aws.config.traits import (
    COMPOSED,
    FIELD,
    HUB_TRAITS,
    SAME,
    TRAITS,
    fields,
    has_lone_brace,
    number_of_bytes,
)
from jupyterhub_aws.config.tree import KeyPath, at

_BYTES = re.compile(r"[0-9]+(\.[0-9]+)?[KMGT]")
_LEAST_BYTES = 64 * 1024**2  # a Jupyter server alone takes about 100 MiB
#: Fields that KubeSpawner 7 fills in when it starts a server.
_FIELDS = (
    "username",
    *DIRECTORY_FIELDS,
    "servername",
    "user_server",
    "pod_name",
    "pvc_name",
    "namespace",
    "hubnamespace",
    "unescaped_servername",
    "userid",
)
#: One to one with a key of the chart, and refused all the same: profiles say it, or a check of the
#: stack file looks at the key.
_BY_KEY = (
    "environment", "node_selector", "profile_list", "mem_limit", "mem_guarantee", "cpu_limit", "cpu_guarantee", "start_timeout", "uid", "fs_gid",
    "allow_privilege_escalation", "extra_pod_config", "extra_containers",
)  # fmt: skip
#: Under hub.config.KubeSpawner each of these replaces what the chart put together from the key
#: beside it.
_REPLACED = {
    **{trait: SAME[f"KubeSpawner.{trait}"] for trait in _BY_KEY},
    **{
        name.partition(".")[2]: key
        for name, key in COMPOSED.items()
        if name.startswith("KubeSpawner.")
    },
}
_DEDICATED = {"key": "hub.jupyter.org/dedicated", "value": "user", "effect": "NoSchedule"}
#: `privileged` has one name everywhere: protections.privileges.
_ROOT: dict[str, Any] = {"uid": 0, "allow_privilege_escalation": True}
#: Keys of the chart with a trait of a different name.
_TRAIT_OF = {
    "memLimit": "mem_limit", "memGuarantee": "mem_guarantee", "memory": "mem_limit", "cpu": "cpu_limit", "extraEnv": "environment",
    "extraTolerations": "tolerations", "fsGid": "fs_gid", "serviceAccountName": "service_account",
}  # fmt: skip


def sizes(values: Values) -> Iterator[ValueFault]:
    """Sizes that KubeSpawner reads: K, M, G and T, not Ki, Mi, Gi and Ti."""
    for which in ("limit", "guarantee"):
        yield from _size(("singleuser", "memory", which), at(values, "singleuser", "memory", which))
    for path, override in profiles(values):
        for trait in ("mem_limit", "mem_guarantee"):
            yield from _size((*path, trait), override.get(trait))
        for trait in ("cpu_limit", "cpu_guarantee"):
            value = override.get(trait)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, (int, float))
            ):
                what = f"is not a number of cores (got {shown(value)}): servers would fail to start"
                yield ValueFault("helm-values.cpu", (*path, trait), what, "write it like 2")


def _size(path: KeyPath, value: object) -> Iterator[ValueFault]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if 0 < value < _LEAST_BYTES:
            what = f"has no unit, and so counts bytes (got {shown(value)}): no server could start"
            yield ValueFault("helm-values.memory-no-unit", path, what, "write it like 16G")
        return
    if value is None:
        return
    if not isinstance(value, str) or not _BYTES.fullmatch(value):
        fix = (
            f"write {str(value).rstrip('iB')}"
            if str(value).endswith(("i", "iB"))
            else "write it like 16G"
        )
        what = f"is a size that KubeSpawner refuses when a server starts (got {shown(value)})"
        yield ValueFault("helm-values.memory", path, what, fix)


def guarantees(values: Values) -> Iterator[ValueFault]:
    """No guarantee is above its limit: Kubernetes refuses such a pod."""
    base = {
        f"{kind}_{which}": at(values, "singleuser", section, which)
        for section, kind in (("memory", "mem"), ("cpu", "cpu"))
        for which in ("limit", "guarantee")
    }
    for path, override in [(("singleuser",), {}), *profiles(values)]:
        both = {**base, **override}
        for kind in ("mem", "cpu"):
            limit = _number(both.get(f"{kind}_limit"))
            guarantee = _number(both.get(f"{kind}_guarantee"))
            if limit is not None and guarantee is not None and guarantee > limit:
                what = f"guarantees more {'memory' if kind == 'mem' else 'cores'} than the limit"
                fix = "raise the limit or lower the guarantee"
                yield ValueFault("helm-values.guarantee", path, what, fix)


def _number(value: object) -> float | None:
    try:
        return number_of_bytes(value)
    except ValueError:  # another rule says so
        return None


def environment(values: Values) -> Iterator[ValueFault]:
    """Variables that KubeSpawner can expand: text, with braces doubled."""
    yield from _variables(("singleuser", "extraEnv"), at(values, "singleuser", "extraEnv"))
    for path, override in profiles(values):
        yield from _variables((*path, "environment"), override.get("environment"))


def _variables(path: KeyPath, found: object) -> Iterator[ValueFault]:
    for name, value in found.items() if isinstance(found, Mapping) else ():
        if isinstance(value, (bool, int, float)):
            what = f"is not text (got {shown_at((name,), value)}): every server would fail to start"
            fix = "write it in quotes"
            yield ValueFault("helm-values.variable-not-text", (*path, name), what, fix)
        elif name in NEEDS_ROOT:
            what = (
                "needs a container that starts as root, which no hub here runs: homes belong to"
                " 1000:100 from the start"
            )
            yield ValueFault("helm-values.variable-needs-root", (*path, name), what, "remove it")
        elif value == "":
            what = "is empty: KubeSpawner drops such a variable"
            fix = "write a value, or remove the line"
            yield ValueFault("helm-values.variable-empty", (*path, name), what, fix)
        elif isinstance(value, str):
            yield from _braces((*path, name), value)


def _braces(path: KeyPath, text: str) -> Iterator[ValueFault]:
    if any(name not in _FIELDS for name in fields(text)) or has_lone_brace(text):
        what = (
            f"has braces that KubeSpawner expands (got {shown_at(path, text)}): every server would"
            " fail to start"
        )
        yield ValueFault("helm-values.braces", path, what, "double them: {{ and }}")


def homes(values: Values) -> Iterator[ValueFault]:
    """The home's directory belongs to one user and stays so, and its claim exists."""
    storage = at(values, "singleuser", "storage") or {}
    if storage.get("type") != "static":
        return
    text = str(at(storage, "static", "subPath") or "")
    for name in FIELD.findall(text):
        if name not in DIRECTORY_FIELDS:
            fix = did_you_mean(name, DIRECTORY_FIELDS, "use {safe_username}", form="{{{}}}")
            what = f"has a field that is not allowed in a home's name (got {{{name}}})"
            yield ValueFault(
                "helm-values.home-field", ("singleuser", "storage", "static", "subPath"), what, fix
            )
    if not FIELD.search(text):
        what, fix = "is the same directory for all users", "put {safe_username} into it"
        yield ValueFault(
            "helm-values.home-shared", ("singleuser", "storage", "static", "subPath"), what, fix
        )
    if text.startswith("/") or ".." in text.split("/") or re.search(r"[{}]", FIELD.sub("", text)):
        what = f"is not a relative path (got {shown(text)}): no server could start"
        fix = "use home_directory, and write it like {safe_username}"
        yield ValueFault(
            "helm-values.home-absolute", ("singleuser", "storage", "static", "subPath"), what, fix
        )
    if not at(storage, "static", "pvcName"):
        what, fix = "names no claim: no server could start", "write homes"
        yield ValueFault(
            "helm-values.home-no-claim", ("singleuser", "storage", "static", "pvcName"), what, fix
        )


def overrides(values: Values) -> Iterator[ValueFault]:
    """Profiles name traits of KubeSpawner, and keep what a list in them would replace."""
    for index, profile in enumerate(items(at(values, "singleuser", "profileList"))):
        if not isinstance(profile, Mapping) or not isinstance(profile.get("display_name"), str):
            what = "is not a profile: the page where users start servers would fail"
            fix = "write display_name and kubespawner_override"
            yield ValueFault("helm-values.profile", ("singleuser", "profileList", index), what, fix)
    for path, whole in fault.overrides(values):
        if whole is not None and not isinstance(whole, Mapping):
            what = f"is not a map of KubeSpawner's traits (got {shown(whole)})"
            fix = "write `trait: value` lines under it"
            yield ValueFault("helm-values.override", path, what, fix)
    for path, override in profiles(values):
        for name, value in override.items():
            if name not in TRAITS:
                what = (
                    "is not a trait of KubeSpawner: it would be without effect, or break every"
                    " start"
                )
                fix = _trait(name, TRAITS)
                yield ValueFault("helm-values.trait-unknown", (*path, name), what, fix)
            if name in _ROOT and (value == _ROOT[name] and type(value) is type(_ROOT[name])):
                what = "gives users' servers what Pod Security `restricted` refuses"
                yield ValueFault("helm-values.pod-security", (*path, name), what, "remove it")
        yield from _lists(path, override)


def _trait(name: str, known: frozenset[str]) -> str:
    """What to write instead of an unknown trait: also the one that corresponds to a chart's key."""
    snake = _TRAIT_OF.get(name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    guess = snake if snake in known else closest(name, known)
    return f"write {guess}" if guess else "see KubeSpawner's documentation for its traits"


def _lists(path: KeyPath, override: Mapping[str, Any]) -> Iterator[ValueFault]:
    tolerations = override.get("tolerations")
    if tolerations is not None and not any(_tolerates(item) for item in items(tolerations)):
        what = (
            "drops the toleration of user nodes, because a list replaces a list: such a server"
            " would never find a node"
        )
        fix = (
            "add {key: hub.jupyter.org/dedicated, operator: Equal, value: user, effect:"
            " NoSchedule} to it"
        )
        yield ValueFault("helm-values.toleration-lost", (*path, "tolerations"), what, fix)
    for name in ("volumes", "volume_mounts"):
        given = override.get(name)
        if given is not None and "home" not in [at(item, "name") for item in items(given)]:
            what = "drops the home directory, because a list replaces a list"
            fix = "use singleuser.storage.extraVolumes instead"
            yield ValueFault("helm-values.home-lost", (*path, name), what, fix)


def _tolerates(item: object) -> bool:
    if not isinstance(item, Mapping):
        return False
    if item.get("operator") == "Exists":
        return item.get("key") in (None, "", _DEDICATED["key"])
    return all(item.get(key) == value for key, value in _DEDICATED.items())


def replaced(values: Values) -> Iterator[ValueFault]:
    """Nothing under hub.config.KubeSpawner replaces what the chart computes from its own keys."""
    for name in at(values, "hub", "config", "KubeSpawner") or {}:
        if name not in TRAITS | HUB_TRAITS:
            what = "is not a trait of KubeSpawner: the hub would only log a warning"
            fix = _trait(name, TRAITS | HUB_TRAITS)
            yield ValueFault(
                "helm-values.trait-unknown", ("hub", "config", "KubeSpawner", name), what, fix
            )
        if name in _REPLACED:
            what, fix = "replaces all that the chart puts there", f"use {_REPLACED[name]}"
            yield ValueFault(
                "helm-values.list-replaced", ("hub", "config", "KubeSpawner", name), what, fix
            )


RULES = (sizes, guarantees, environment, homes, overrides, replaced)
