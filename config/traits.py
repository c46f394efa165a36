"""Two names for one thing: which trait of JupyterHub's classes the chart sets from which of its
keys, and what holds where a hub's values say both.

Source of the table: `jupyterhub/files/hub/jupyterhub_config.py` of chart 4.4.0 (each
`set_config_if_not_none` and assignment there; a test compares it with the chart). The chart applies
its keys first, then `hub.config` by section, then the files of jupyterhub_config.d, then
`hub.extraConfig`: later ones win. Among sections the class's own wins over those of its bases
(traitlets, `Configurable._load_config`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyterhub_aws.config.hub_classes import SPAWNER, sections
from jupyterhub_aws.config.hub_code import Said, assignments, at, code_of
from jupyterhub_aws.config.tree import Path

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
_SPAWNERS = tuple(reversed(sections(SPAWNER)))  # Spawner, KubeSpawner, and ours: later ones win


def key_of(section: str, trait: str) -> str | None:
    """The chart's key that stands for a trait, dotted; None where there is none."""
    owners = sections(section) if section in _SPAWNERS else (section,)
    names = [
        f"{owner}.{trait}" for owner in (*owners, *(_SPAWNERS if section in _SPAWNERS else ()))
    ]
    return next(
        (table[name] for name in names for table in (SAME, COMPOSED) if name in table), None
    )


@dataclass(frozen=True)
class Resolved:
    """A hub's values with every trait put where the chart's rules look for it: what holds, whatever
    name it was said by.

    `origin`: of a place in `values`, where it was really said. `computed`: traits that code sets to
    what only runs can tell. `shadowed`: traits that are without effect, for the chart says the same
    with a class that wins.
    """

    values: Mapping[str, Any]
    origin: Mapping[Path, Said]
    computed: Mapping[tuple[str, str], Said] = field(default_factory=dict)
    shadowed: Mapping[Path, str] = field(default_factory=dict)

    def said(self, path: Path) -> Said:
        """Where a place in `values` was said."""
        for length in range(len(path), 0, -1):
            found = self.origin.get(path[:length])
            if found is not None:
                return Said(
                    found.path if found.where else (*found.path, *path[length:]), found.where
                )
        return Said(path)


def put(values: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy of values with another one at a path; what is no map on the way is replaced."""
    key = str(path[0])
    below = values.get(key)
    inner = (
        value
        if len(path) == 1
        else put(below if isinstance(below, Mapping) else {}, path[1:], value)
    )
    return {**values, key: inner}


def resolve(values: Mapping[str, Any]) -> Resolved:
    """What holds of a hub's values (the chart's defaults under them)."""
    config, origin, computed = _sections(values)
    spawner, shadowed = _spawner(values, config, origin)
    if spawner:
        config = {**config, "KubeSpawner": spawner}
    result = put(values, ("hub", "config"), config) if config else values
    for name, key in SAME.items():
        section, trait = name.split(".")
        section = "KubeSpawner" if section == "Spawner" else section
        place: Path = ("hub", "config", section, trait)
        if trait in (config.get(section) or {}) and isinstance(config[section], Mapping):
            target: Path = tuple(key.split("."))
            result = put(result, target, config[section][trait])
            origin[target] = origin.get(place, Said(place))
    return Resolved(values=result, origin=origin, computed=computed, shadowed=shadowed)


def _sections(
    values: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[Path, Said], dict[tuple[str, str], Said]]:
    """`hub.config` with what `hub.extraConfig` sets afterwards."""
    found = at(values, ("hub", "config"))
    config: dict[str, Any] = dict(found) if isinstance(found, Mapping) else {}
    origin: dict[Path, Said] = {}
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
    values: Mapping[str, Any], config: Mapping[str, Any], origin: dict[Path, Said]
) -> tuple[dict[str, Any], dict[Path, str]]:
    """The spawner's traits as its objects read them, all in one section."""
    whole: dict[str, Any] = {}
    shadowed: dict[Path, str] = {}
    for section in _SPAWNERS:
        said = config.get(section)
        for trait, value in said.items() if isinstance(said, Mapping) else ():
            place: Path = ("hub", "config", section, trait)
            there = origin.pop(place, Said(place))
            key = SAME.get(f"KubeSpawner.{trait}") or COMPOSED.get(f"KubeSpawner.{trait}")
            if (
                section == "Spawner"
                and key is not None
                and at(values, tuple(key.split("."))) is not None
            ):
                shadowed[there.path] = key
                continue
            whole[trait] = value
            origin["hub", "config", "KubeSpawner", trait] = there
    return whole, shadowed
