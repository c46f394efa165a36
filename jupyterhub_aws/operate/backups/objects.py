"""The objects inside the cluster by which something restored is reached, as `kubectl apply`
takes them. Pure data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jupyterhub_aws.components.drivers import EBS_DRIVER, EFS_DRIVER
from jupyterhub_aws.components.homes.pods import HomesProgram, pod
from jupyterhub_aws.components.hub.values.hub_files import text_of
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig

#: Namespace, claim, and configuration map of the job: one restore at a time sees everybody's homes.
NAMESPACE = "homes-restore"
#: What handing over takes (components/homes/ownership.py).
_RIGHTS = ("CHOWN", "DAC_OVERRIDE", "FOWNER")
_SIZE = "1Ti"
_LABEL = {"app.kubernetes.io/managed-by": "jhub"}


def volume_of_all_homes(stack: str) -> str:
    """Name of the volume through which the job sees the file system: cluster-wide."""
    return f"{stack}-{NAMESPACE}"


def around(stack: StackConfig, volume_handle: str) -> list[dict[str, Any]]:
    """Namespace, closed network, programs, volume and claim. The volume is mounted under the
    storage driver's own identity (`iam`), which has none that may see all homes but while a restore
    runs.
    """
    metadata = {"name": NAMESPACE, "namespace": NAMESPACE, "labels": _LABEL}
    volume = volume_of_all_homes(stack.name)
    # `baseline` and not `restricted`: it runs as root, which is the point.
    security = {
        f"pod-security.kubernetes.io/{mode}": "baseline" for mode in ("enforce", "warn", "audit")
    }
    files = {name: text_of(name) for name in ("homes_restored.py", "homes_ownership.py")}
    spec: dict[str, Any] = {
        "capacity": {"storage": _SIZE},
        "accessModes": ["ReadWriteMany"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "",
        "claimRef": {"namespace": NAMESPACE, "name": NAMESPACE},
        "csi": {"driver": EFS_DRIVER, "volumeHandle": volume_handle},
        "mountOptions": ["tls", "iam"],
    }
    claim = {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "",
        "volumeName": volume,
        "resources": {"requests": {"storage": _SIZE}},
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": {**_LABEL, **security}},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata,
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": files},
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume, "labels": _LABEL},
            "spec": spec,
        },
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim},
    ]


def job(
    stack: StackConfig, hub: str, name: str, arguments: Sequence[str], node: str
) -> dict[str, Any]:
    """The job, on the node whose storage driver may see all homes."""
    spec_of = resolve(stack).hubs[hub]
    image = resolve(stack).images.named(spec_of.server_image)
    program = HomesProgram(file="homes_restored.py", arguments=list(arguments), root_with=_RIGHTS)
    spec: dict[str, Any] = _camel(
        pod(
            image,
            program,
            on_core_nodes=not spec_of.existing_cluster,
            claim=NAMESPACE,
            config_map=NAMESPACE,
        )
    )
    spec["nodeSelector"] = {**spec["nodeSelector"], "kubernetes.io/hostname": node}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": _LABEL}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": _LABEL}, "spec": spec}},
    }


def _camel(value: Any) -> Any:
    """Keys as the API spells them; the program's own are Python's. A label, which has no
    underscore, stays.
    """
    if isinstance(value, Mapping):
        return {
            re.sub(r"_([a-z])", lambda match: match[1].upper(), str(key)): _camel(item)
            for key, item in value.items()
        }
    return [_camel(item) for item in value] if isinstance(value, (list, tuple)) else value


def volume_to_look_into(
    name: str, namespace: str, volume_id: str, zone: str, size_gib: int
) -> list[dict[str, Any]]:
    """A restored volume beside a person's own: a claim of another name, which no server ever
    mounts by itself.
    """
    term = {
        "matchExpressions": [
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}
        ]
    }
    size = f"{size_gib}Gi"
    spec: dict[str, Any] = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "",
        "claimRef": {"namespace": namespace, "name": name},
        "csi": {"driver": EBS_DRIVER, "volumeHandle": volume_id, "fsType": "ext4"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
    }
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "",
        "volumeName": f"{namespace}-{name}",
        "resources": {"requests": {"storage": size}},
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{namespace}-{name}", "labels": _LABEL},
            "spec": spec,
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": namespace, "labels": _LABEL},
            "spec": claim,
        },
    ]
