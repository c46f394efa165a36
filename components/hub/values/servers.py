"""`singleuser`: the settings of every server, independent of its profile: user, home, limits of
the default profile, and culling of kernels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.components.hub.values.images import image_option, singleuser_tolerations
from jupyterhub_aws.config.homes import DIRECTORY_HOMES, EbsHomes, EphemeralHomes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.pools import GENERATION
from jupyterhub_aws.config.profiles import Share, memory_mib, split_image
from jupyterhub_aws.config.specs.homes import GID, UID
from jupyterhub_aws.config.specs.hub import HubSpec, ProfileSpec, share_traits
from jupyterhub_aws.config.specs.mounted_buckets import bucket_claim
from jupyterhub_aws.config.specs.names import HOMES_CLAIM, SERVER_ACCOUNT
from jupyterhub_aws.config.specs.server_access import ACCESS_LABEL
from jupyterhub_aws.config.volumes import BucketVolume, ScratchVolume, SharedDirectory, shared_mount

# --- `singleuser.profileList`: what users choose from, as KubeSpawner takes it. Lists are always
# whole, because an override replaces a list.


def profile_list(hub: HubSpec) -> list[dict[str, Any]]:
    """`singleuser.profileList` of a hub."""
    return [
        {
            "display_name": profile.options.display_name or profile.name,
            "slug": profile.name,
            "description": profile.options.description or described(profile),
            **({"default": True} if index == 0 else {}),
            "kubespawner_override": _override(hub, profile),
            **_options(profile),
        }
        for index, profile in enumerate(hub.profiles)
    ]


def _override(hub: HubSpec, profile: ProfileSpec) -> dict[str, Any]:
    """The settings of every server of this profile, independent of the options chosen inside it."""
    override: dict[str, Any] = {
        **share_traits(profile.share),
        "node_selector": profile.pool.node_selector,
        "tolerations": profile.pool.tolerations,
        "node_affinity_required": profile.required_nodes,
        "node_affinity_preferred": profile.preferred_nodes,
    }
    if profile.options.image is not None:
        override["image"] = profile.options.image
    if profile.options.environment:
        override["environment"] = dict(profile.options.environment)
    choice = None if hub.access is None else hub.access.of_profile.get(profile.name)
    if choice is not None:
        override["extra_labels"] = {ACCESS_LABEL: choice}
    return override


def _options(profile: ProfileSpec) -> dict[str, Any]:
    """`profile_options`: what a user chooses inside a profile, images before sizes as the keys
    sort.
    """
    found: dict[str, Any] = {}
    if profile.options.images:
        found["image"] = image_option(profile)
    if profile.options.sizes:
        found["size"] = {
            "display_name": "Size",
            "choices": {
                str(name): {
                    "display_name": (
                        profile.options.sizes[str(name)].display_name or _amount(share, profile)
                    ),
                    **({"default": True} if name == profile.default_size else {}),
                    "kubespawner_override": share_traits(share),
                }
                for name, share in profile.shares.items()
            },
        }
    return {"profile_options": found} if found else {}


def described(profile: ProfileSpec) -> str:
    """A line for users: `up to 4 cores and 32 GiB of memory, 1 GPU (NVIDIA T4)`, and whether AWS
    may reclaim the node.
    """
    each = list(profile.shares.values())
    size = (
        f"up to {_amount(each[-1], profile)}"
        if len(each) == 1
        else f"from {_amount(each[0], profile)} to {_amount(each[-1], profile)}"
    )
    if profile.options.protected:
        return f"{size}; on nodes that AWS does not take back"
    # EC2 user guide, "Spot Instance interruption notices": two minutes.
    return (
        f"{size}; AWS may take its node back, two minutes ahead"
        if profile.pool.pool.capacity in ("spot", "spot_first")
        else size
    )


def _amount(share: Share, profile: ProfileSpec) -> str:
    gpus = (
        f", {share.gpus} GPU{'s' if share.gpus > 1 else ''} ({profile.pool.types[0].gpu})"
        if share.gpus
        else ""
    )
    return f"{share.cpu:g} cores and {share.memory_mib / 1024:.4g} GiB of memory{gpus}"


# --- Volumes of users' servers besides the home. Pure.


#: Where shared directories lie on the file system of homes. No home begins so: neither scheme of
#: names makes an underscore,
#: and config/homes.py refuses it as a prefix.
SHARED_FOLDER = "_shared"
#: The chart's name for the volume of homes of kind `static` (files/hub/jupyterhub_config.py).
_HOME_VOLUME = "home"


def extra_volumes(hub: Hub) -> dict[str, Any]:
    """`extraVolumes` and `extraVolumeMounts` of singleuser.storage: maps, which a profile or
    `helm_values` can add to; empty where there is nothing.
    """
    volumes: dict[str, Any] = {}
    mounts: dict[str, Any] = {}
    for name, item in sorted(hub.shared_directories.items()):
        if not item.by_group:  # else the hub adds it to the pods of members (group_directories)
            mounts[f"shared-{name}"] = _shared(name, item)
    for name, volume in sorted(hub.volumes.items()):
        key = f"volume-{name}"
        if isinstance(volume, ScratchVolume):
            volumes[key] = {"name": key, "emptyDir": {"sizeLimit": f"{volume.size_gib}Gi"}}
            mounts[key] = {"name": key, "mountPath": volume.mount_path}
        elif isinstance(volume, BucketVolume):
            claim = {"claimName": bucket_claim(name, volume), "readOnly": True}
            volumes[key] = {"name": key, "persistentVolumeClaim": claim}
            mounts[key] = {"name": key, "mountPath": volume.mount_path, "readOnly": True}
        else:
            volumes[key] = {
                "name": key,
                "persistentVolumeClaim": {"claimName": volume.claim, "readOnly": volume.read_only},
            }
            mounts[key] = {
                "name": key,
                "mountPath": volume.mount_path,
                "readOnly": volume.read_only,
            }
    if hub.shared_memory is not None:
        # A medium of memory counts against the server's own limit (Kubernetes, "Volumes",
        # emptyDir).
        size = f"{int(memory_mib(hub.shared_memory))}Mi"
        volumes["shared-memory"] = {
            "name": "shared-memory",
            "emptyDir": {"medium": "Memory", "sizeLimit": size},
        }
        mounts["shared-memory"] = {
            "name": "shared-memory",
            "mountPath": "/dev/shm",  # noqa: S108
        }
    return {
        key: value
        for key, value in (("extraVolumes", volumes), ("extraVolumeMounts", mounts))
        if value
    }


def _shared(name: str, item: SharedDirectory) -> dict[str, Any]:
    mount = {
        "name": _HOME_VOLUME,
        "mountPath": shared_mount(name, item),
        "subPath": f"{SHARED_FOLDER}/{name}",
    }
    return mount if item.writable_by == "users" else {**mount, "readOnly": True}


def group_directories(hub: Hub) -> list[dict[str, Any]]:
    """The shared directories of some groups, as our own file in the hub takes them: each with its
    mount, and who reads and writes (components/hub/files/jupyterhub_aws_people.py).
    """
    return [
        {
            "volume": _HOME_VOLUME,
            "mountPath": shared_mount(name, item),
            "subPath": f"{SHARED_FOLDER}/{name}",
            "readers": sorted(item.read_groups),
            "writers": sorted(item.write_groups),
            "administratorsWrite": item.writable_by == "administrators",
        }
        for name, item in sorted(hub.shared_directories.items())
        if item.by_group
    ]


# --- Files of a server that are on its node's disk instead of in a home on a network file system:
# SQLite files, sockets and locks. Pure data.


#: Of the server's own container, and there in every image: IPython ends where the folder of its
#: history is missing.
_LOCAL = "/tmp"  # noqa: S108 -- in the server's own container
#: Where both programs look, independent of the user (jupyter_core.paths, SYSTEM_CONFIG_PATH;
#: IPython.core.application, SYSTEM_CONFIG_DIRS).
SERVER_CONFIG_PATH = "/etc/jupyter/jupyter_server_config.json"
IPYTHON_CONFIG_PATH = "/etc/ipython/ipython_config.json"
_FILE_IDS = {"db_path": f"{_LOCAL}/jupyter-file-ids.db"}
LOCAL_SERVER_STATE: Mapping[str, Any] = {
    "BaseFileIdManager": _FILE_IDS,
    "LocalFileIdManager": _FILE_IDS,
    "ArbitraryFileIdManager": _FILE_IDS,
    "NotebookNotary": {"db_file": f"{_LOCAL}/jupyter-signatures.db"},
    "SQLiteYStore": {"db_path": f"{_LOCAL}/jupyter-collaboration.db"},
}
LOCAL_KERNEL_STATE: Mapping[str, Any] = {
    "HistoryManager": {"hist_file": f"{_LOCAL}/ipython-history.sqlite"}
}
#: Jupyter makes this folder by itself, for its owner alone (jupyter_core.utils, ensure_dir_exists).
LOCAL_ENVIRONMENT: Mapping[str, str] = {"JUPYTER_RUNTIME_DIR": f"{_LOCAL}/jupyter-runtime"}


#: How often a server looks for idle kernels. Often enough for a limit of minutes, and rare enough
#: to have no cost.
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
        if hub.own_image is None
        else {"image": dict(zip(("name", "tag"), split_image(hub.own_image), strict=True))}
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
            key: value
            for key, value in ({} if hub.options.pre_pull_pools else pool.node_selector).items()
            if key != GENERATION
        },
        "extraTolerations": singleuser_tolerations(hub),
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
    """Configuration files of servers and kernels: when to end kernels, and for homes on a network
    file system, to store databases and locks elsewhere.

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
    would keep its node running forever.
    """
    limits = {
        "cull_idle_timeout": 60 * hub.culling.kernel_idle_minutes,
        "cull_interval": _KERNEL_CHECK_SECONDS,
        "cull_connected": False,  # a kernel that is open in a browser is in use
        "cull_busy": False,
    }
    return {"MappingKernelManager": limits}
