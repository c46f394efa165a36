"""Homes that root wrote, handed over to the people of today: a job of its own namespace, before
any hub is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.batch.v1 import Job
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace, PersistentVolume, PersistentVolumeClaim
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.drivers import EFS_DRIVER
from jupyterhub_aws.components.homes.pods import HOMES, HomesProgram, pod, program_data
from jupyterhub_aws.components.hub.storage import WAITS_TO_BE_BOUND

_NAME = "homes-ownership"
_SIZE = "1Ti"
#: What handing over takes, and no more: to change owners and modes, and to pass directories that
#: are somebody else's.
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
    """Nothing waits for the job: it may take hours, and goes on where it stopped. `kubectl logs
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
            f"{name}-namespace", metadata={"name": _NAME, "labels": labels}, opts=self.child()
        )
        metadata: Any = {"name": _NAME, "namespace": namespace.metadata["name"]}
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
        # Only beside a cluster of the stack's own are there homes to be handed over: its core nodes
        # have their label.
        root = pod(args.image, program, on_core_nodes=True, claim=_NAME, config_map=_NAME)
        spec: Any = {"backoff_limit": _ATTEMPTS, "template": {"spec": root}}
        annotated: Any = {**metadata, "annotations": {"pulumi.com/skipAwait": "true"}}
        Job(
            f"{name}-job",
            metadata=annotated,
            spec=spec,
            opts=self.child(depends_on=[closed, text, claim, *args.depends_on]),
        )
        self.register_outputs({"namespace": _NAME})

    def _claim(self, name: str, args: OwnershipArgs, metadata: Any) -> PersistentVolumeClaim:
        volume_name = f"{args.name}-{_NAME}"
        spec: Any = {
            "capacity": {"storage": _SIZE},
            "access_modes": ["ReadWriteMany"],
            "persistent_volume_reclaim_policy": "Retain",
            "storage_class_name": "",
            "claim_ref": {"namespace": _NAME, "name": _NAME},
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
