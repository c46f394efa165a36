"""Homes that root owns get the user of today's servers as owner: a job in a namespace of its
own, before any hub exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.batch.v1 import CronJob, Job
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace, PersistentVolume, PersistentVolumeClaim
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from jupyterhub_aws.components.addons import EFS_DRIVER
from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.hub.storage import WAITS_TO_BE_BOUND
from jupyterhub_aws.components.hub.values.hub_files import text_of
from jupyterhub_aws.config.specs.hub import HubSpec
from jupyterhub_aws.config.specs.images import Images
from jupyterhub_aws.config.specs.names import HOMES_CLAIM

# --- What pods that run a program of this library over homes have in common. Pure.


HOMES = "/homes"
_PROGRAM_FOLDER = "/program"


@dataclass(frozen=True, kw_only=True)
class HomesProgram:
    """A file of components/hub/files, its arguments after the folder of homes, and who it runs
    as (None: the image's rights, 1000:100).
    """

    file: str
    arguments: Sequence[str]
    root_with: Sequence[str] | None = None


def program_data(program: HomesProgram) -> dict[str, str]:
    """The ConfigMap that holds it."""
    return {program.file: text_of(program.file)}


def pod(
    image: str, program: HomesProgram, *, on_core_nodes: bool, claim: str, config_map: str
) -> dict[str, Any]:
    """The pod: with the image of a hub's servers, which has Python and is in every bundle; homes at
    /homes; no network, no token.

    `on_core_nodes`: the cluster is the stack's own, whose core nodes have a label.
    """
    return {
        "restart_policy": "Never",
        "automount_service_account_token": False,
        "enable_service_links": False,
        **({"node_selector": {"hub.jupyter.org/node-purpose": "core"}} if on_core_nodes else {}),
        "security_context": {"seccomp_profile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "program",
                "image": image,
                "command": [
                    "python3",
                    f"{_PROGRAM_FOLDER}/{program.file}",
                    HOMES,
                    *program.arguments,
                ],
                "security_context": _rights(program),
                "resources": {
                    "requests": {"cpu": "100m", "memory": "128Mi"},
                    "limits": {"cpu": "1", "memory": "1Gi"},
                },
                "volume_mounts": [
                    {"name": "homes", "mount_path": HOMES},
                    {"name": "program", "mount_path": _PROGRAM_FOLDER, "read_only": True},
                ],
            }
        ],
        "volumes": [
            {"name": "homes", "persistent_volume_claim": {"claim_name": claim}},
            {"name": "program", "config_map": {"name": config_map}},
        ],
    }


def _rights(program: HomesProgram) -> dict[str, Any]:
    if program.root_with is None:
        who: dict[str, Any] = {
            "run_as_user": 1000,
            "run_as_group": 100,
            "run_as_non_root": True,
            "capabilities": {"drop": ["ALL"]},
        }
    else:
        who = {
            "run_as_user": 0,
            "run_as_group": 0,
            "capabilities": {"drop": ["ALL"], "add": list(program.root_with)},
        }
    return {**who, "allow_privilege_escalation": False, "read_only_root_filesystem": True}


_OWNERSHIP = "homes-ownership"
_SIZE = "1Ti"
#: The capabilities that changing owners needs, and no more: to change owners and modes, and to
#: traverse directories of other owners.
_RIGHTS = ("CHOWN", "DAC_OVERRIDE", "FOWNER")
_ATTEMPTS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnershipArgs:
    """`name` is the prefix of physical names, `image` one with Python in it, as pods name it.

    `volume_handle` names file system and access point, as root; `depends_on` is what mounting it
    needs.
    """

    name: str
    image: str
    volume_handle: pulumi.Input[str] | None
    depends_on: Sequence[pulumi.Resource]


class Ownership(Component):
    """Nothing waits for the job: it may take hours, and resumes where it stopped. `kubectl logs
    -n homes-ownership job/homes-ownership` tells.
    """

    token: ClassVar[str] = "jupyterhub-aws:homes:Ownership"

    def __init__(
        self, name: str, args: OwnershipArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        # `baseline` and not `restricted`: it runs as root, which is the point.
        labels = {
            f"pod-security.kubernetes.io/{mode}": "baseline"
            for mode in ("enforce", "warn", "audit")
        }
        namespace = Namespace(
            f"{name}-namespace", metadata={"name": _OWNERSHIP, "labels": labels}, opts=self.child()
        )
        metadata: Any = {"name": _OWNERSHIP, "namespace": namespace.metadata["name"]}
        closed = NetworkPolicy(
            f"{name}-closed",
            metadata=metadata,
            spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
            opts=self.child(),
        )
        program = HomesProgram(
            file="homes_ownership.py",
            arguments=["--marker", f"{HOMES}/.jupyterhub-aws-ownership"],
            root_with=_RIGHTS,
        )
        text = ConfigMap(
            f"{name}-program", metadata=metadata, data=program_data(program), opts=self.child()
        )
        claim = self._claim(name, args, metadata)
        # Only beside a cluster of its own can a stack have homes that need a new owner: its core
        # nodes have their label.
        root = pod(args.image, program, on_core_nodes=True, claim=_OWNERSHIP, config_map=_OWNERSHIP)
        spec: Any = {"backoff_limit": _ATTEMPTS, "template": {"spec": root}}
        annotated: Any = {**metadata, "annotations": {"pulumi.com/skipAwait": "true"}}
        Job(
            f"{name}-job",
            metadata=annotated,
            spec=spec,
            opts=self.child(depends_on=[closed, text, claim, *args.depends_on]),
        )
        self.register_outputs({"namespace": _OWNERSHIP})

    def _claim(self, name: str, args: OwnershipArgs, metadata: Any) -> PersistentVolumeClaim:
        volume_name = f"{args.name}-{_OWNERSHIP}"
        spec: Any = {
            "capacity": {"storage": _SIZE},
            "access_modes": ["ReadWriteMany"],
            "persistent_volume_reclaim_policy": "Retain",
            "storage_class_name": "",
            "claim_ref": {"namespace": _OWNERSHIP, "name": _OWNERSHIP},
            "csi": {"driver": EFS_DRIVER, "volume_handle": args.volume_handle},
            "mount_options": ["tls"],
        }
        volume = PersistentVolume(
            f"{name}-volume", metadata={"name": volume_name}, spec=spec, opts=self.child()
        )
        asked: Any = {
            "access_modes": ["ReadWriteMany"],
            "storage_class_name": "",
            "volume_name": volume_name,
            "resources": {"requests": {"storage": _SIZE}},
        }
        waiting: Any = {**metadata, "annotations": WAITS_TO_BE_BOUND}
        return PersistentVolumeClaim(
            f"{name}-claim", metadata=waiting, spec=asked, opts=self.child(depends_on=[volume])
        )


# --- A regular report of what each home takes, in the hub's own namespace.


#: Beside the homes, like shared directories: no home begins with an underscore.
_REPORT = f"{HOMES}/_reports/usage.json"
_USAGE = "homes-usage"
_A_DAY = 24 * 3600


@dataclass(frozen=True, kw_only=True, eq=False)
class UsageReportJobArgs:
    """`hub` is what follows for the hub, `images` the names of images, `schedule` in cron's
    words, `namespace` the hub's, `after` the claim of its homes.
    """

    hub: HubSpec
    images: Images
    schedule: str
    namespace: pulumi.Input[str]
    after: Sequence[pulumi.Resource]


class UsageReportJob(Component):
    """Runs as the owner of homes, without network access, and writes its report beside them; the
    table is in its log.
    """

    token: ClassVar[str] = "jupyterhub-aws:homes:UsageReportJob"

    def __init__(
        self, name: str, args: UsageReportJobArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        program = HomesProgram(
            file="homes_usage.py", arguments=["--depth", str(_depth(args)), "--report", _REPORT]
        )
        metadata: Any = {"name": _USAGE, "namespace": args.namespace}
        text = ConfigMap(
            f"{name}-program", metadata=metadata, data=program_data(program), opts=self.child()
        )
        core, image = not args.hub.existing_cluster, args.images.named(args.hub.server_image)
        job: Any = {
            "backoff_limit": 0,
            "active_deadline_seconds": _A_DAY,
            "template": {
                "spec": pod(
                    image, program, on_core_nodes=core, claim=HOMES_CLAIM, config_map=_USAGE
                )
            },
        }
        CronJob(
            f"{name}-schedule",
            metadata=metadata,
            spec={
                "schedule": args.schedule,
                "suspend": args.hub.paused,
                "concurrency_policy": "Forbid",
                "successful_jobs_history_limit": 1,
                "failed_jobs_history_limit": 1,
                "job_template": {"spec": job},
            },
            opts=self.child(depends_on=[text, *args.after]),
        )
        self.register_outputs({"schedule": args.schedule})


def _depth(args: UsageReportJobArgs) -> int:
    return args.hub.options.home_directory.count("/") + 1
