"""What KubeSpawner 7.0.0 takes: names of its traits and of JupyterHub 5.5's Spawner, sizes, and
braces; from both classes' sources.

KubeSpawner itself sets any attribute that a profile names, so a misspelt one is silently without
effect.
"""

from __future__ import annotations

import re

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
    """The fields that a text has KubeSpawner fill in."""
    return FIELD.findall(_undoubled(text))


def has_lone_brace(text: str) -> bool:
    """Whether a brace stands alone, which fails every start."""
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
