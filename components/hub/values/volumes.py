"""Volumes of people's servers besides the home, and what they keep on the node instead of in a home on a network. Pure."""

from __future__ import annotations

from typing import Any

from config.hub import Hub
from config.profiles import memory_mib
from config.volumes import ScratchVolume, SharedDirectory, shared_mount

#: Where shared directories lie on the file system of homes. No home begins so: neither scheme of names makes an underscore,
#: and config/homes.py refuses it as a prefix.
SHARED_FOLDER = "_shared"
#: The chart's name for the volume of homes of kind `static` (files/hub/jupyterhub_config.py).
_HOME_VOLUME = "home"
_LOCAL = "/tmp/jupyter-local"  # noqa: S108 -- inside the server's own container


def extra_volumes(hub: Hub) -> dict[str, Any]:
    """`extraVolumes` and `extraVolumeMounts` of singleuser.storage: maps, which a profile or `helm_values` can add to; empty where there is nothing."""
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
            volumes[key] = {"name": key, "persistentVolumeClaim": {"claimName": volume.claim, "readOnly": volume.read_only}}
            mounts[key] = {"name": key, "mountPath": volume.mount_path, "readOnly": volume.read_only}
    if hub.shared_memory is not None:
        # A medium of memory counts against the server's own limit (Kubernetes, "Volumes", emptyDir).
        size = f"{int(memory_mib(hub.shared_memory))}Mi"
        volumes["shared-memory"] = {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": size}}
        mounts["shared-memory"] = {"name": "shared-memory", "mountPath": "/dev/shm"}  # noqa: S108 -- inside the server's own container
    return {key: value for key, value in (("extraVolumes", volumes), ("extraVolumeMounts", mounts)) if value}


def _shared(name: str, item: SharedDirectory) -> dict[str, Any]:
    mount = {"name": _HOME_VOLUME, "mountPath": shared_mount(name, item), "subPath": f"{SHARED_FOLDER}/{name}"}
    return mount if item.written_by == "everybody" else {**mount, "readOnly": True}


def local_state_files() -> tuple[dict[str, str], dict[str, Any]]:
    """Environment and files (`singleuser.extraFiles`) that keep SQLite files, sockets and locks on the node.

    SQLite's own documentation ("How To Corrupt An SQLite Database File", 2.1) and Jupyter's say: not on NFS. What is kept so is gone with
    the server: IPython's history of input, which notebooks were trusted, which file had which id. Notebooks and files are not among it.
    """
    server = {
        "BaseFileIdManager": {"db_path": f"{_LOCAL}/file-ids.db"},
        "LocalFileIdManager": {"db_path": f"{_LOCAL}/file-ids.db"},
        "ArbitraryFileIdManager": {"db_path": f"{_LOCAL}/file-ids.db"},
        "NotebookNotary": {"db_file": f"{_LOCAL}/signatures.db"},
        "SQLiteYStore": {"db_path": f"{_LOCAL}/collaboration.db"},
    }
    files = {
        "local-state": {"mountPath": "/etc/jupyter/jupyter_server_config.d/jupyterhub-aws-local.json", "data": server},
        "local-history": {
            "mountPath": "/etc/ipython/ipython_config.json",
            "data": {"HistoryManager": {"hist_file": f"{_LOCAL}/history.sqlite"}},
        },
    }
    # Jupyter makes this one by itself, for its owner alone (jupyter_core.paths, ensure_dir_exists): it holds the other files too.
    return {"JUPYTER_RUNTIME_DIR": _LOCAL}, files
