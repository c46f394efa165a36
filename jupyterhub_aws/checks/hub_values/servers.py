"""Users' servers: what KubeSpawner refuses or loses when a user starts one, while Helm and
the schema say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.hub_values import fault
from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values, items, profiles
from jupyterhub_aws.config.errors import closest, shown, shown_at
from jupyterhub_aws.config.homes import DIRECTORY_FIELDS
from jupyterhub_aws.config.profiles import NEEDS_ROOT
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
_ROOT: dict[str, Any] = {
    "uid": 0,
    "allow_privilege_escalation": True,
}  # `privileged` has one name everywhere: protections.privileges
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
                yield ValueFault(
                    id="helm-values.cpu",
                    path=(*path, trait),
                    what=(
                        f"is not a number of cores (got {shown(value)}): servers would fail to"
                        " start"
                    ),
                    fix="write it like 2",
                )


def _size(path: KeyPath, value: object) -> Iterator[ValueFault]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if 0 < value < _LEAST_BYTES:
            yield ValueFault(
                id="helm-values.memory-no-unit",
                path=path,
                what=(
                    f"has no unit, and so counts bytes (got {shown(value)}): no server could start"
                ),
                fix="write it like 16G",
            )
        return
    if value is None:
        return
    if not isinstance(value, str) or not _BYTES.fullmatch(value):
        fix = (
            f"write {str(value).rstrip('iB')}"
            if str(value).endswith(("i", "iB"))
            else "write it like 16G"
        )
        yield ValueFault(
            id="helm-values.memory",
            path=path,
            what=f"is a size that KubeSpawner refuses when a server starts (got {shown(value)})",
            fix=fix,
        )


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
            limit, guarantee = (
                _number(both.get(f"{kind}_limit")),
                _number(both.get(f"{kind}_guarantee")),
            )
            if limit is not None and guarantee is not None and guarantee > limit:
                yield ValueFault(
                    id="helm-values.guarantee",
                    path=path,
                    what=f"guarantees more {'memory' if kind == 'mem' else 'cores'} than the limit",
                    fix="raise the limit or lower the guarantee",
                )


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
            yield ValueFault(
                id="helm-values.variable-not-text",
                path=(*path, name),
                what=what,
                fix="write it in quotes",
            )
        elif name in NEEDS_ROOT:
            what = (
                "needs a container that starts as root, which no hub here runs: homes belong to"
                " 1000:100 from the start"
            )
            yield ValueFault(
                id="helm-values.variable-needs-root", path=(*path, name), what=what, fix="remove it"
            )
        elif value == "":
            yield ValueFault(
                id="helm-values.variable-empty",
                path=(*path, name),
                what="is empty: KubeSpawner drops such a variable",
                fix="write a value, or remove the line",
            )
        elif isinstance(value, str):
            yield from _braces((*path, name), value)


def _braces(path: KeyPath, text: str) -> Iterator[ValueFault]:
    if any(name not in _FIELDS for name in fields(text)) or has_lone_brace(text):
        what = (
            f"has braces that KubeSpawner expands (got {shown_at(path, text)}): every server would"
            " fail to start"
        )
        yield ValueFault(
            id="helm-values.braces", path=path, what=what, fix="double them: {{ and }}"
        )


def homes(values: Values) -> Iterator[ValueFault]:
    """The home's directory belongs to one user and stays so, and its claim exists."""
    storage = at(values, "singleuser", "storage") or {}
    if storage.get("type") != "static":
        return
    text = str(at(storage, "static", "subPath") or "")
    for name in FIELD.findall(text):
        if name not in DIRECTORY_FIELDS:
            guess = closest(name, DIRECTORY_FIELDS)
            fix = f"did you mean {{{guess}}}?" if guess else "use {safe_username}"
            yield ValueFault(
                id="helm-values.home-field",
                path=("singleuser", "storage", "static", "subPath"),
                what=f"has a field that is not allowed in a home's name (got {{{name}}})",
                fix=fix,
            )
    if not FIELD.search(text):
        yield ValueFault(
            id="helm-values.home-shared",
            path=("singleuser", "storage", "static", "subPath"),
            what="is the same directory for all users",
            fix="put {safe_username} into it",
        )
    if text.startswith("/") or ".." in text.split("/") or re.search(r"[{}]", FIELD.sub("", text)):
        yield ValueFault(
            id="helm-values.home-absolute",
            path=("singleuser", "storage", "static", "subPath"),
            what=f"is not a relative path (got {shown(text)}): no server could start",
            fix="use home_directory, and write it like {safe_username}",
        )
    if not at(storage, "static", "pvcName"):
        yield ValueFault(
            id="helm-values.home-no-claim",
            path=("singleuser", "storage", "static", "pvcName"),
            what="names no claim: no server could start",
            fix="write homes",
        )


def overrides(values: Values) -> Iterator[ValueFault]:
    """Profiles name traits of KubeSpawner, and keep what a list in them would replace."""
    for index, profile in enumerate(items(at(values, "singleuser", "profileList"))):
        if not isinstance(profile, Mapping) or not isinstance(profile.get("display_name"), str):
            what = "is not a profile: the page where users start servers would fail"
            yield ValueFault(
                id="helm-values.profile",
                path=("singleuser", "profileList", index),
                what=what,
                fix="write display_name and kubespawner_override",
            )
    for path, whole in fault.overrides(values):
        if whole is not None and not isinstance(whole, Mapping):
            yield ValueFault(
                id="helm-values.override",
                path=path,
                what=f"is not a map of KubeSpawner's traits (got {shown(whole)})",
                fix="write `trait: value` lines under it",
            )
    for path, override in profiles(values):
        for name, value in override.items():
            if name not in TRAITS:
                yield ValueFault(
                    id="helm-values.trait-unknown",
                    path=(*path, name),
                    what=(
                        "is not a trait of KubeSpawner: it would be without effect, or break every"
                        " start"
                    ),
                    fix=_trait(name, TRAITS),
                )
            if name in _ROOT and (value == _ROOT[name] and type(value) is type(_ROOT[name])):
                yield ValueFault(
                    id="helm-values.pod-security",
                    path=(*path, name),
                    what="gives users' servers what Pod Security `restricted` refuses",
                    fix="remove it",
                )
        yield from _lists(path, override)


def _trait(name: str, known: frozenset[str]) -> str:
    """What to write instead of an unknown trait: also the one that corresponds to a chart's key."""
    snake = _TRAIT_OF.get(name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    guess = snake if snake in known else closest(name, known)
    return f"write {guess}" if guess else "see KubeSpawner's documentation for its traits"


def _lists(path: KeyPath, override: Mapping[str, Any]) -> Iterator[ValueFault]:
    tolerations = override.get("tolerations")
    if tolerations is not None and not any(_tolerates(item) for item in items(tolerations)):
        yield ValueFault(
            id="helm-values.toleration-lost",
            path=(*path, "tolerations"),
            what=(
                "drops the toleration of user nodes, because a list replaces a list: such a server"
                " would never find a node"
            ),
            fix=(
                "add {key: hub.jupyter.org/dedicated, operator: Equal, value: user, effect:"
                " NoSchedule} to it"
            ),
        )
    for name in ("volumes", "volume_mounts"):
        given = override.get(name)
        if given is not None and "home" not in [at(item, "name") for item in items(given)]:
            yield ValueFault(
                id="helm-values.home-lost",
                path=(*path, name),
                what="drops the home directory, because a list replaces a list",
                fix="use singleuser.storage.extraVolumes instead",
            )


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
            yield ValueFault(
                id="helm-values.trait-unknown",
                path=("hub", "config", "KubeSpawner", name),
                what="is not a trait of KubeSpawner: the hub would only log a warning",
                fix=_trait(name, TRAITS | HUB_TRAITS),
            )
        if name in _REPLACED:
            yield ValueFault(
                id="helm-values.list-replaced",
                path=("hub", "config", "KubeSpawner", name),
                what="replaces all that the chart puts there",
                fix=f"use {_REPLACED[name]}",
            )


RULES = (sizes, guarantees, environment, homes, overrides, replaced)
