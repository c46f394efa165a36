"""`singleuser`: what every server has whatever its profile: user, home, limits of the default
profile, and the kernels' culling.
"""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.components.hub.values.local_state import (
    IPYTHON_CONFIG_PATH,
    LOCAL_ENVIRONMENT,
    LOCAL_KERNEL_STATE,
    LOCAL_SERVER_STATE,
    SERVER_CONFIG_PATH,
)
from jupyterhub_aws.components.hub.values.profiles import profile_list
from jupyterhub_aws.components.hub.values.volumes import extra_volumes
from jupyterhub_aws.config.generations import GENERATION
from jupyterhub_aws.config.homes import DIRECTORY_HOMES, EbsHomes, EphemeralHomes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.profiles import split_image
from jupyterhub_aws.config.specs.homes import GID, UID
from jupyterhub_aws.config.specs.hub import HubSpec, share_traits
from jupyterhub_aws.config.specs.names import HOMES_CLAIM, SERVER_ACCOUNT

#: How often a server looks for idle kernels. Often enough for a limit of minutes, seldom enough to
#: cost nothing.
_KERNEL_CHECK_SECONDS = 300
#: What makes a container pass Pod Security `restricted`; merged with uid 1000 and no escalation,
#: which the chart sets.
#: Under KubeSpawner and not as singleuser.extraPodConfig: that would replace the pod's context and
#: lose fsGroup.
CONTAINER_SECURITY = {
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def singleuser_values(hub: HubSpec) -> dict[str, Any]:
    """`singleuser` of a hub's values."""
    first = hub.profiles[0]
    pool, traits = first.pool, share_traits(first.share)
    image = (
        {}
        if hub.options.image is None
        else {"image": dict(zip(("name", "tag"), split_image(hub.options.image), strict=True))}
    )
    return {
        **image,
        "uid": UID,
        "fsGid": GID,
        "serviceAccountName": SERVER_ACCOUNT,
        "startTimeout": hub.start_seconds,
        "cpu": {"limit": traits["cpu_limit"], "guarantee": traits["cpu_guarantee"]},
        "memory": {"limit": traits["mem_limit"], "guarantee": traits["mem_guarantee"]},
        # Each profile says its pool's whole selector, and KubeSpawner merges it over this one: a
        # key that only some pools have may not stand here.
        "nodeSelector": {
            key: value for key, value in pool.node_selector.items() if key != GENERATION
        },
        "extraTolerations": [
            item for item in pool.tolerations if item["key"] != "hub.jupyter.org/dedicated"
        ],
        # The chart's way needs a privileged container in every pod; network policies and the nodes'
        # hop limit do the same.
        "cloudMetadata": {"blockWithIptables": False},
        "storage": {**storage_values(hub), **extra_volumes(hub.options)},
        **_server_files(hub),
        "profileList": profile_list(hub),
    }


def storage_values(hub: HubSpec) -> dict[str, Any]:
    """`singleuser.storage`: by the kind of homes."""
    homes = hub.homes
    if isinstance(homes, EphemeralHomes):
        return {"type": "none"}
    if isinstance(homes, EbsHomes):
        return {
            "type": "dynamic",
            "capacity": f"{homes.size_gib}Gi",
            "dynamic": {"storageClass": hub.homes_class},
        }
    assert isinstance(homes, DIRECTORY_HOMES)  # noqa: S101 -- for the type checker: there is no other kind
    return {
        "type": "static",
        "static": {"pvcName": HOMES_CLAIM, "subPath": hub.options.home_directory},
    }


def _server_files(hub: HubSpec) -> dict[str, Any]:
    """What servers and kernels are told by files: when to end kernels, and where homes are on a
    network to keep databases and locks off it.

    One file for Jupyter Server: in jupyter_server_config.d it reads nothing but which extensions
    are on (serverapp.py, init_server_extensions).
    """
    remote = isinstance(hub.homes, DIRECTORY_HOMES)
    server = {
        **(_kernel_culling(hub.options) if hub.options.culling.kernel_idle_minutes else {}),
        **(LOCAL_SERVER_STATE if remote else {}),
    }
    files = {"jupyter-server": {"mountPath": SERVER_CONFIG_PATH, "data": server}} if server else {}
    if remote:
        files["ipython"] = {"mountPath": IPYTHON_CONFIG_PATH, "data": LOCAL_KERNEL_STATE}
    return {**({"extraEnv": dict(LOCAL_ENVIRONMENT)} if remote else {}), "extraFiles": files}


def _kernel_culling(hub: Hub) -> dict[str, Any]:
    """Idle kernels keep a server busy in the eyes of the hub: without this, a forgotten tab
    keeps its node for ever.
    """
    limits = {
        "cull_idle_timeout": 60 * hub.culling.kernel_idle_minutes,
        "cull_interval": _KERNEL_CHECK_SECONDS,
        "cull_connected": False,  # one that a browser shows is somebody's
        "cull_busy": False,
    }
    return {"MappingKernelManager": limits}
