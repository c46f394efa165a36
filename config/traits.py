"""Traits and chart keys: which trait of JupyterHub's classes the chart sets from which of its keys,
and which value wins where a hub's values set both.

Source of the table: `jupyterhub/files/hub/jupyterhub_config.py` of chart 4.4.0 (each
`set_config_if_not_none` and assignment there; a test compares it with the chart). The chart applies
its keys first, then `hub.config` by section, then the files of jupyterhub_config.d, then
`hub.extraConfig`: later ones win. Among sections the class's own wins over those of its bases
(traitlets, `Configurable._load_config`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.chart import chart_version
from jupyterhub_aws.config.hub_code import Said, assignments, code_of
from jupyterhub_aws.config.tree import KeyPath, at

# --- What KubeSpawner 7.0.0 takes: names of its traits and of JupyterHub 5.5's Spawner, sizes, and
# braces; from both classes' sources.


#: A field that is expanded when a server starts; doubled braces are none.
FIELD = re.compile(r"\{([^{}]*)\}")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGT]?)")
_FACTOR = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def number_of_bytes(value: object) -> float:
    """A size as KubeSpawner reads it (jupyterhub/traitlets.py, ByteSpecification): `16G` is 16 x
    1024^3. Raises ValueError for what it would refuse.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = _SIZE.fullmatch(str(value))
    if match is None:
        raise ValueError(value)
    return float(match[1]) * _FACTOR[match[2]]


def fields(text: str) -> list[str]:
    """The fields of a text that KubeSpawner expands."""
    return FIELD.findall(_undoubled(text))


def has_lone_brace(text: str) -> bool:
    """Whether there is a single brace, which fails every start."""
    return bool(re.search(r"[{}]", FIELD.sub("", _undoubled(text))))


def _undoubled(text: str) -> str:
    return text.replace("{{", "").replace("}}", "")


TRAITS = frozenset(
    """
    additional_profile_form_template_paths after_pod_created_hook allow_privilege_escalation apply_user_options args automount_service_account_token cmd
    common_labels component_label consecutive_failure_limit container_security_context cpu_guarantee cpu_limit debug default_url delete_grace_period
    delete_pvc delete_stopped_pods disable_user_config dns_name_template enable_user_namespaces env env_keep environment extra_annotations
    extra_container_config extra_containers extra_labels extra_pod_config extra_resource_guarantees extra_resource_limits fs_gid get_pod_url gid
    group_overrides handle_legacy_names http_timeout hub_connect_ip hub_connect_port image image_pull_policy image_pull_secrets init_containers ip
    k8s_api_host k8s_api_request_retry_timeout k8s_api_request_timeout k8s_api_ssl_ca_cert k8s_api_threadpool_workers k8s_api_verify_ssl lifecycle_hooks
    mem_guarantee mem_limit modify_pod_hook namespace node_affinity_preferred node_affinity_required node_selector notebook_dir oauth_roles options_form
    options_from_form pod_affinity_preferred pod_affinity_required pod_anti_affinity_preferred pod_anti_affinity_required pod_connect_ip pod_name_template
    pod_security_context poll_interval poll_jitter port priority_class_name privileged profile_form_template pvc_name_template remember_pvc_name
    scheduler_name secret_mount_path secret_name_template server_token_scopes service_account services_enabled slug_scheme ssl_alt_names
    ssl_alt_names_include_local start_timeout storage_access_modes storage_capacity storage_class storage_extra_annotations storage_extra_labels
    storage_pvc_ensure storage_selector supplemental_gids tolerations uid user_namespace_annotations user_namespace_labels user_namespace_template
    volume_mounts volumes working_dir
    """.split()
)
#: What only `hub.config.KubeSpawner` takes: hooks, and what is read before a profile is chosen.
HUB_TRAITS = frozenset(
    """
    auth_state_hook events_enabled hub_connect_url oauth_client_allowed_scopes post_stop_hook pre_spawn_hook profile_list progress_ready_hook
    """.split()
)


# --- The classes that `hub.config` may configure in the hub's image, with the sections that each
# reads and its traits; from the packages themselves.


_DATA = Path(__file__).parent / "data" / "z2jh"
#: What the hub's process makes of itself, whatever a stack says; the spawner is ours
#: (components/hub/files/50-jupyterhub-aws.py).
SPAWNER = "NoticingKubeSpawner"
_ALWAYS = (
    "JupyterHub",
    SPAWNER,
    "ConfigurableHTTPProxy",
    "CryptKeeper",
    "NewToken",
    "Service",
    "PeriodicMetricsCollector",
    "ResourceReflector",
)


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(
        (_DATA / f"classes-{chart_version()}.json").read_text(encoding="utf-8")
    )
    return table


def known_classes() -> frozenset[str]:
    """The name of every class."""
    return frozenset(_table()["classes"])


@cache
def sections(name: str) -> tuple[str, ...]:
    """The sections that a class reads, its own first: what is said there beats what is said for
    the classes below it. Itself, for one that is not known.
    """
    found = _table()["classes"].get(name)
    return tuple(found["sections"]) if found else (name,)


def own_traits(name: str) -> frozenset[str]:
    """The traits that a class adds to those of its bases."""
    found = _table()["classes"].get(name)
    return frozenset(found["traits"]) if found else frozenset()


@cache
def traits(name: str) -> frozenset[str]:
    """Every trait of a class, those of its bases too."""
    return frozenset().union(*(own_traits(section) for section in sections(name)))


def class_of_authenticator(said: object) -> str | None:
    """The class behind `authenticator_class`: by its short name as the packages register it, in
    any case, or by its full one. None for another.
    """
    text = str(said)
    name = _table()["authenticators"].get(text.lower()) or text.replace(":", ".").rpartition(".")[2]
    return name if name in known_classes() else None


@cache
def used_classes(authenticator: str | None) -> frozenset[str]:
    """The classes that a hub with this class of authenticator makes objects of, and their bases."""
    return frozenset(
        section
        for name in (*_ALWAYS, *([authenticator] if authenticator else []))
        for section in sections(name)
    )


def traits_read_from(section: str, used: frozenset[str]) -> frozenset[str]:
    """Every trait that means something in a section: its class's own, and those of used classes
    that read the section too.
    """
    return traits(section).union(*(traits(name) for name in used if section in sections(name)))


#: One to one: what the trait says is what the key would say.
SAME: Mapping[str, str] = {
    **{
        f"JupyterHub.{trait}": f"hub.{key}"
        for trait, key in {
            "concurrent_spawn_limit": "concurrentSpawnLimit",
            "active_server_limit": "activeServerLimit",
            "base_url": "baseUrl",
            "allow_named_servers": "allowNamedServers",
            "named_server_limit_per_user": "namedServerLimitPerUser",
            "authenticate_prometheus": "authenticatePrometheus",
            "redirect_to_server": "redirectToServer",
            "shutdown_on_logout": "shutdownOnLogout",
            "template_paths": "templatePaths",
            "template_vars": "templateVars",
        }.items()
    },
    "Spawner.consecutive_failure_limit": "hub.consecutiveFailureLimit",
    "Spawner.cmd": "singleuser.cmd",
    "Spawner.default_url": "singleuser.defaultUrl",
    **{
        f"KubeSpawner.{trait}": f"singleuser.{key}"
        for trait, key in {
            "pod_name_template": "podNameTemplate",
            "start_timeout": "startTimeout",
            "image_pull_policy": "image.pullPolicy",
            "events_enabled": "events",
            "extra_labels": "extraLabels",
            "extra_annotations": "extraAnnotations",
            "allow_privilege_escalation": "allowPrivilegeEscalation",
            "uid": "uid",
            "fs_gid": "fsGid",
            "service_account": "serviceAccountName",
            "storage_extra_labels": "storage.extraLabels",
            "node_selector": "nodeSelector",
            "pod_affinity_required": "extraPodAffinity.required",
            "pod_affinity_preferred": "extraPodAffinity.preferred",
            "pod_anti_affinity_required": "extraPodAntiAffinity.required",
            "pod_anti_affinity_preferred": "extraPodAntiAffinity.preferred",
            "lifecycle_hooks": "lifecycleHooks",
            "extra_containers": "extraContainers",
            "mem_limit": "memory.limit",
            "mem_guarantee": "memory.guarantee",
            "cpu_limit": "cpu.limit",
            "cpu_guarantee": "cpu.guarantee",
            "extra_resource_limits": "extraResource.limits",
            "extra_resource_guarantees": "extraResource.guarantees",
            "environment": "extraEnv",
            "profile_list": "profileList",
            "extra_pod_config": "extraPodConfig",
            "pvc_name_template": "storage.dynamic.pvcNameTemplate",
            "storage_class": "storage.dynamic.storageClass",
            "storage_access_modes": "storage.dynamic.storageAccessModes",
            "storage_capacity": "storage.capacity",
        }.items()
    },
}
#: Put together by the chart out of more than one key, the one that a stack would use is named: such
#: a trait replaces all of it.
COMPOSED: Mapping[str, str] = {
    "JupyterHub.db_url": "hub.db.url",
    "JupyterHub.services": "hub.services",
    "JupyterHub.load_roles": "hub.loadRoles",
    "KubeSpawner.image": "singleuser.image",
    "KubeSpawner.image_pull_secrets": "imagePullSecrets",
    "KubeSpawner.init_containers": "singleuser.initContainers",
    "KubeSpawner.tolerations": "singleuser.extraTolerations",
    "KubeSpawner.node_affinity_required": "singleuser.extraNodeAffinity.required",
    "KubeSpawner.node_affinity_preferred": "singleuser.extraNodeAffinity.preferred",
    "KubeSpawner.volumes": "singleuser.storage.extraVolumes",
    "KubeSpawner.volume_mounts": "singleuser.storage.extraVolumeMounts",
    "KubeSpawner.storage_pvc_ensure": "singleuser.storage.type",
    "KubeSpawner.scheduler_name": "scheduling.userScheduler.enabled",
    "KubeSpawner.priority_class_name": "scheduling.podPriority.enabled",
}
#: Set by the chart itself, from no key.
FIXED = frozenset(
    """
    JupyterHub.spawner_class ConfigurableHTTPProxy.api_url ConfigurableHTTPProxy.should_start JupyterHub.cleanup_servers
    JupyterHub.last_activity_interval JupyterHub.tornado_settings JupyterHub.hub_bind_url JupyterHub.hub_connect_url KubeSpawner.common_labels
    KubeSpawner.namespace JupyterHub.log_level Spawner.debug JupyterHub.cookie_secret CryptKeeper.keys
    """.split()
)


@cache
def _spawners() -> tuple[str, ...]:
    """Spawner, KubeSpawner, and ours: later ones win."""
    return tuple(reversed(sections(SPAWNER)))


@dataclass(frozen=True)
class Resolved:
    """A hub's values with every trait put where the chart's rules look for it: the effective
    values, by either name.

    `origin`: of a place in `values`, where it was really set. `computed`: traits that code sets to
    values known only at run time. `shadowed`: traits that are without effect, for the chart says
    the same with a class that wins.
    """

    values: Mapping[str, Any]
    origin: Mapping[KeyPath, Said]
    computed: Mapping[tuple[str, str], Said] = field(default_factory=dict)
    shadowed: Mapping[KeyPath, str] = field(default_factory=dict)

    def said(self, path: KeyPath) -> Said:
        """Where a place in `values` was set."""
        for length in range(len(path), 0, -1):
            found = self.origin.get(path[:length])
            if found is not None:
                return Said(
                    found.path if found.where else (*found.path, *path[length:]), found.where
                )
        return Said(path)


def put(values: Mapping[str, Any], path: KeyPath, value: Any) -> dict[str, Any]:
    """A copy of values with another one at a path; a value on the path that is no map is
    replaced.
    """
    key = str(path[0])
    below = values.get(key)
    inner = (
        value
        if len(path) == 1
        else put(below if isinstance(below, Mapping) else {}, path[1:], value)
    )
    return {**values, key: inner}


def resolve(values: Mapping[str, Any]) -> Resolved:
    """The effective values of a hub, over the chart's defaults."""
    config, origin, computed = _sections(values)
    spawner, shadowed = _spawner(values, config, origin)
    if spawner:
        config = {**config, "KubeSpawner": spawner}
    result = put(values, ("hub", "config"), config) if config else values
    for name, key in SAME.items():
        section, trait = name.split(".")
        section = "KubeSpawner" if section == "Spawner" else section
        place: KeyPath = ("hub", "config", section, trait)
        if trait in (config.get(section) or {}) and isinstance(config[section], Mapping):
            target: KeyPath = tuple(key.split("."))
            result = put(result, target, config[section][trait])
            origin[target] = origin.get(place, Said(place))
    return Resolved(values=result, origin=origin, computed=computed, shadowed=shadowed)


def _sections(
    values: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[KeyPath, Said], dict[tuple[str, str], Said]]:
    """`hub.config` with what `hub.extraConfig` sets afterwards."""
    found = at(values, "hub", "config")
    config: dict[str, Any] = dict(found) if isinstance(found, Mapping) else {}
    origin: dict[KeyPath, Said] = {}
    computed: dict[tuple[str, str], Said] = {}
    for item in assignments(code_of(values)):
        if not item.readable:
            computed[item.section, item.trait] = item.said
            continue
        before = config.get(item.section)
        if before is None:
            origin["hub", "config", item.section] = item.said
        config[item.section] = {
            **(before if isinstance(before, Mapping) else {}),
            item.trait: item.value,
        }
        origin["hub", "config", item.section, item.trait] = item.said
        computed.pop((item.section, item.trait), None)
    return config, origin, computed


def _spawner(
    values: Mapping[str, Any], config: Mapping[str, Any], origin: dict[KeyPath, Said]
) -> tuple[dict[str, Any], dict[KeyPath, str]]:
    """The spawner's traits as its objects read them, all in one section."""
    whole: dict[str, Any] = {}
    shadowed: dict[KeyPath, str] = {}
    for section in _spawners():
        said = config.get(section)
        for trait, value in said.items() if isinstance(said, Mapping) else ():
            place: KeyPath = ("hub", "config", section, trait)
            there = origin.pop(place, Said(place))
            key = SAME.get(f"KubeSpawner.{trait}") or COMPOSED.get(f"KubeSpawner.{trait}")
            if section == "Spawner" and key is not None and at(values, *key.split(".")) is not None:
                shadowed[there.path] = key
                continue
            whole[trait] = value
            origin["hub", "config", "KubeSpawner", trait] = there
    return whole, shadowed
