"""Volumes of people's servers besides the home. Pure."""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.profiles import memory_mib
from jupyterhub_aws.config.volumes import ScratchVolume, SharedDirectory, shared_mount

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
        mounts[f"shared-{name}"] = _shared(name, item)
    for name, volume in sorted(hub.volumes.items()):
        key = f"volume-{name}"
        if isinstance(volume, ScratchVolume):
            volumes[key] = {"name": key, "emptyDir": {"sizeLimit": f"{volume.size_gib}Gi"}}
            mounts[key] = {"name": key, "mountPath": volume.mount_path}
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
