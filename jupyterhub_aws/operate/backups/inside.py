"""Access to all homes of a hub, granted for one job and revoked again.

The file system's policy lets one role through the access point of root. The EFS driver mounts with
the identity of its own pod on the node (aws-efs-csi-driver, docs/parameters.md: `iam`), so that
pod, on one core node, is given the role (EKS Pod Identity; efs-utils 2.3 and later) and recreated, which its environment needs. Core nodes mount no user's home: no server notices. Afterwards the role
is taken from it again.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jupyterhub_aws.components.addons import EBS_DRIVER, EFS_DRIVER
from jupyterhub_aws.components.homes.jobs import HomesProgram, pod
from jupyterhub_aws.components.hub.values.hub_files import text_of
from jupyterhub_aws.components.iam import partition_of
from jupyterhub_aws.config.errors import ConfigError, Problem, refused
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.homes import GID, UID, restore_name
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.backups.context import BackupContext
from jupyterhub_aws.operate.backups.points import tags_of
from jupyterhub_aws.operate.live.account import translate_aws_errors
from jupyterhub_aws.operate.live.cluster import KubectlCluster
from jupyterhub_aws.operate.live.steps import CommandStep

# --- The objects inside the cluster by which something restored is reached, as `kubectl apply`
# takes them. Pure data.


#: Namespace, claim, and configuration map of the job: one restore at a time sees all homes.
NAMESPACE = "homes-restore"
#: What handing over takes (components/homes/jobs.py).
_RIGHTS = ("CHOWN", "DAC_OVERRIDE", "FOWNER")
_SIZE = "1Ti"
_LABEL = {"app.kubernetes.io/managed-by": "jhub"}


def volume_of_all_homes(stack: str) -> str:
    """Name of the volume through which the job sees the file system: cluster-wide."""
    return f"{stack}-{NAMESPACE}"


def around(stack: StackConfig, volume_handle: str) -> list[dict[str, Any]]:
    """Namespace, isolated network, programs, volume and claim. The volume is mounted under the
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
    core = not spec_of.existing_cluster
    made = pod(image, program, on_core_nodes=core, claim=NAMESPACE, config_map=NAMESPACE)
    spec: dict[str, Any] = _camel(made)
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
    """A restored volume beside a user's own: a claim of another name, which no server ever
    mounts by itself.
    """
    in_zone = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}
    size = f"{size_gib}Gi"
    spec: dict[str, Any] = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "",
        "claimRef": {"namespace": namespace, "name": name},
        "csi": {"driver": EBS_DRIVER, "volumeHandle": volume_id, "fsType": "ext4"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [in_zone]}]}},
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


_DRIVER_NAMESPACE, _DRIVER_ACCOUNT = "kube-system", "efs-csi-node-sa"
_DRIVER_LABEL = "app=efs-csi-node"
#: EKS user guide, "How EKS Pod Identity works": what the webhook puts into a pod whose account has
#: a role.
_IDENTITY = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_SECONDS, _HOURS = 300.0, 3600.0
_CORE = "hub.jupyter.org/node-purpose=core"


class AllHomes:
    """One job that sees all homes. `result` is what its program said last, once it is done."""

    def __init__(
        self, context: BackupContext, cluster: KubectlCluster, hub: str, name: str
    ) -> None:
        self._context, self._cluster, self._hub, self._name = context, cluster, hub, name
        self._role = f"arn:{partition_of(context.account.region)}:iam::{context.account.id}:role/{restore_name(context.stack.name)}"
        self._eks: Any = context.account.client("eks")
        self._volume = volume_of_all_homes(context.stack.name)
        self._node: str | None = None
        self.result: dict[str, Any] | None = None

    def look(self, file_system: str) -> None:
        """Raise ConfigError, with every problem, for what can be known before anything is made:
        no node, no access to the files, a role or job that is not of this command.
        """
        problems: list[Problem] = []
        access_point = partial(self._access_point, file_system)
        for looks in (lambda: self.node, access_point, self._unassociated, self._jobs):
            try:
                looks()
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(self._context.command, problems)

    def steps(self, file_system: str, arguments: Callable[[], Sequence[str]]) -> list[CommandStep]:
        """Open, run, shut. `arguments` are those of the program, asked for when it is to begin."""

        def begin() -> None:
            self._run(file_system, [*arguments(), "--uid", str(UID), "--gid", str(GID)])

        return [
            CommandStep(
                "the storage driver of one core node gets the role that sees all homes",
                self._unassociated,
                self._associate,
                _SECONDS,
            ),
            CommandStep(
                "its pod on that node is recreated, with the role",
                self._without,
                self._renew,
                _SECONDS,
            ),
            CommandStep("a job in the cluster does the rest", self._unfinished, begin, 12 * _HOURS),
            *self.shut(),
        ]

    def shut(self) -> list[CommandStep]:
        """Take everything away again that this made: no home, and nothing restored."""
        return [
            CommandStep(
                "the job and its way to the files go", self._still_there, self._clear, _SECONDS
            ),
            CommandStep(
                "the role is taken from the storage driver",
                self._associated,
                self._dissociate,
                _SECONDS,
            ),
            CommandStep(
                "its pod is recreated, without the role", self._with, self._renew, _SECONDS
            ),
        ]

    # --- the role

    def _associations(self) -> list[Any]:
        with translate_aws_errors(self._context.command):
            found = self._eks.list_pod_identity_associations(
                clusterName=self._context.stack.name,
                namespace=_DRIVER_NAMESPACE,
                serviceAccount=_DRIVER_ACCOUNT,
            )
            ids = [str(item["associationId"]) for item in found.get("associations", [])]
            return [
                self._eks.describe_pod_identity_association(
                    clusterName=self._context.stack.name, associationId=id_
                )["association"]
                for id_ in ids
            ]

    def _unassociated(self) -> list[str]:
        found = self._associations()
        other = [str(item["roleArn"]) for item in found if item["roleArn"] != self._role]
        if other:
            what = f"{_DRIVER_ACCOUNT} has another role already: {other[0]}"
            fix = "it was given that by hand: remove it, or ask who did so"
            raise refused(self._context.command, "restore.driver-role", "storage driver", what, fix)
        return [] if found else ["the association of its service account"]

    def _associate(self) -> None:
        stack = self._context.stack
        if self._associations():
            return
        with translate_aws_errors(self._context.command):
            self._eks.create_pod_identity_association(
                clusterName=stack.name,
                namespace=_DRIVER_NAMESPACE,
                serviceAccount=_DRIVER_ACCOUNT,
                roleArn=self._role,
                tags={**stack.tags.as_aws(stack.name), "Name": restore_name(stack.name)},
            )

    def _associated(self) -> list[str]:
        return [
            str(item["associationId"])
            for item in self._associations()
            if item["roleArn"] == self._role
        ]

    def _dissociate(self) -> None:
        for id_ in self._associated():
            with translate_aws_errors(self._context.command):
                self._eks.delete_pod_identity_association(
                    clusterName=self._context.stack.name, associationId=id_
                )

    # --- the driver's pod

    def _driver(self) -> tuple[str, bool, bool] | None:
        """The driver's pod on the chosen node: its name, whether it is ready, and whether it has
        the role. None while there is none.
        """
        of = ("--namespace", _DRIVER_NAMESPACE, "get", "pods", "--selector", _DRIVER_LABEL)
        here = [
            item
            for item in self._cluster.data(*of)["items"]
            if item["spec"].get("nodeName") == self.node
            and "deletionTimestamp" not in item["metadata"]
        ]
        if not here:
            return None
        pod = here[0]
        ready = _is_ready(pod.get("status", {}).get("conditions", ()))
        has = any(
            entry["name"] == _IDENTITY
            for container in pod["spec"]["containers"]
            for entry in container.get("env", ())
        )
        return str(pod["metadata"]["name"]), ready, has

    @property
    def node(self) -> str:
        """The first core node that is ready. Raises ConfigError where there is none."""
        if self._node is None:
            nodes = self._cluster.data("get", "nodes", "--selector", _CORE)["items"]
            ready = [
                str(item["metadata"]["name"])
                for item in nodes
                if not item["spec"].get("unschedulable") and _is_ready(item["status"]["conditions"])
            ]
            if not ready:
                what = "no core node is ready for the job"
                fix = "paused? jhub resume STACK first"
                raise refused(self._context.command, "restore.no-node", "nodes", what, fix)
            self._node = min(ready)
        return self._node

    def _without(self) -> list[str]:
        found = self._driver()
        done = found is not None and found[1] and found[2]
        return [] if done else [f"efs-csi-node on {self.node}"]

    def _with(self) -> list[str]:
        found = self._driver()
        done = found is not None and found[1] and not found[2]
        return [] if done else [f"efs-csi-node on {self.node}"]

    def _renew(self) -> None:
        """Only the pod that is not as it has to be; its set makes another at once."""
        found, wanted = self._driver(), bool(self._associations())
        if found is not None and found[2] != wanted:
            self._cluster.change(
                "--namespace", _DRIVER_NAMESPACE, "delete", "pod", found[0], "--wait=true"
            )

    # --- the job

    def _jobs(self) -> dict[str, Any]:
        """The jobs of restores. Raises ConfigError where another than this one is there."""
        there = self._objects("jobs")
        other = sorted(set(there) - {self._name})
        if other:
            what = f"is under way: {', '.join(other)}"
            fix = "run its command again to its end, then this one"
            raise refused(self._context.command, "restore.under-way", "another restore", what, fix)
        return there

    def _unfinished(self) -> list[str]:
        status = self._jobs().get(self._name, {}).get("status", {})
        if not status.get("succeeded") and not status.get("failed"):
            return [self._name]
        log = self._cluster.ask("--namespace", NAMESPACE, "logs", f"job/{self._name}")
        said = log.strip().splitlines()
        self.result = _last(said)
        for line in said[:-1]:
            if line.startswith("differs: "):
                self.result.setdefault("names", []).append(line.removeprefix("differs: "))
        return []

    def _run(self, file_system: str, arguments: Sequence[str]) -> None:
        if self._name in self._objects("jobs"):
            return
        handle = f"{file_system}::{self._access_point(file_system)}"
        documents = [
            *around(self._context.stack, handle),
            job(self._context.stack, self._hub, self._name, arguments, self.node),
        ]
        apply(self._cluster, documents)

    def _access_point(self, file_system: str) -> str:
        wanted = restore_name(self._context.stack.name)
        with translate_aws_errors(self._context.command):
            found = list(
                self._context.account.all(
                    "efs", "describe_access_points", "AccessPoints", FileSystemId=file_system
                )
            )
        mine = [str(item["AccessPointId"]) for item in found if tags_of(item).get("Name") == wanted]
        if not mine:
            what = f"the file system has no access point {wanted}"
            fix = "pulumi up, which makes it"
            raise refused(self._context.command, "restore.no-access-point", "homes", what, fix)
        return mine[0]

    def _objects(self, kind: str) -> dict[str, Any]:
        found = self._cluster.data("--namespace", NAMESPACE, "get", kind)["items"]
        return {str(item["metadata"]["name"]): item for item in found}

    def _still_there(self) -> list[str]:
        namespaces = self._made_by_jhub("namespaces")
        volumes = self._made_by_jhub("persistentvolumes")
        left = [f"namespace {NAMESPACE}"] if NAMESPACE in namespaces else []
        return [*left, f"volume {self._volume}"] if self._volume in volumes else left

    def _made_by_jhub(self, kind: str) -> list[str]:
        label = "app.kubernetes.io/managed-by=jhub"
        found = self._cluster.data("get", kind, "--selector", label)["items"]
        return [str(item["metadata"]["name"]) for item in found]

    def _clear(self) -> None:
        left, gone = self._still_there(), ("--ignore-not-found", "--wait=true")
        if f"namespace {NAMESPACE}" in left:
            self._cluster.change("delete", "namespace", NAMESPACE, *gone)
        if f"volume {self._volume}" in left:
            self._cluster.change("delete", "persistentvolume", self._volume, *gone)


def _is_ready(conditions: Sequence[Mapping[str, Any]]) -> bool:
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _last(lines: Sequence[str]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        return {"refused": lines[-1][:200] if lines else "the job said nothing"}
    return found


def apply(cluster: KubectlCluster, documents: Sequence[dict[str, Any]]) -> None:
    """Objects as one list, through a file of this process alone."""
    with tempfile.TemporaryDirectory(prefix="jhub-") as folder:
        path = Path(folder) / "objects.json"
        objects = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        path.write_text(json.dumps(objects), encoding="utf-8")
        cluster.change("apply", "--filename", str(path))
