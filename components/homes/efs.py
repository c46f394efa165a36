"""The file system of homes: one for the stack, with an access point for each hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import ec2, efs, iam, vpc

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.homes.policy import file_system_policy
from jupyterhub_aws.components.hub.values.singleuser import GID, UID
from jupyterhub_aws.components.iam import pod_identity_trust
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.config.backups import backup_tags, efs_plan
from jupyterhub_aws.config.homes import EfsHomes as EfsSection
from jupyterhub_aws.config.stack import StackConfig

_NFS_PORT = 2049


@dataclass(frozen=True, kw_only=True, eq=False)
class EfsHomesArgs:
    """`network` is the network, with one mount target in each zone; `client_security_group_id` is that of the nodes."""

    stack: StackConfig
    homes: EfsSection
    network: NetworkOutputs
    client_security_group_id: pulumi.Input[str]
    tags: Mapping[str, str]


class EfsHomes(Component):
    """An encrypted, elastic file system that nothing deletes.

    Each hub sees its own directory through an access point, which makes everything in it belong to 1000:100 whoever
    writes: no pod needs root, and nothing is ever chowned. `volume_handles` are what a volume of the CSI driver names, by
    hub; `ready` is what a pod that mounts a home needs.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:EfsHomes"
    file_system_id: pulumi.Output[str]

    def __init__(self, name: str, args: EfsHomesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        file_system = self._file_system()
        targets = self._mount_targets(file_system)
        adopted = args.homes.adopted
        points = {hub: self._access_point(file_system, hub, f"/hubs/{hub}" if adopted is None else adopted.path) for hub in sorted(args.stack.hubs)}
        handing_over = self._ownership_point(file_system, adopted.path) if adopted is not None and adopted.pending else None
        policy = self._policy(file_system, points, handing_over)
        efs.BackupPolicy(
            f"{name}-backup",
            file_system_id=file_system.id,
            backup_policy={"status": "ENABLED" if efs_plan(args.homes, args.stack.backups) else "DISABLED"},
            opts=self.child(),
        )
        self.file_system_id = file_system.id
        #: The way of the job that hands homes over, as root; None unless it is to run.
        self.ownership_handle = None if handing_over is None else pulumi.Output.concat(file_system.id, "::", handing_over.id)
        self.volume_handles = {hub: pulumi.Output.concat(file_system.id, "::", point.id) for hub, point in points.items()}
        self.ready: list[pulumi.Resource] = [*targets, policy]
        self.register_outputs({"file_system_id": self.file_system_id, "access_points": {hub: point.id for hub, point in points.items()}})

    def _tags(self, suffix: str) -> dict[str, str]:
        return named(self._args.tags, f"{self._args.stack.name}-{suffix}")

    def _file_system(self) -> efs.FileSystem:
        days = self._args.homes.infrequent_access_days
        rules: list[Any] = [{"transition_to_ia": f"AFTER_{days}_DAY{'S' if days > 1 else ''}"}, {"transition_to_primary_storage_class": "AFTER_1_ACCESS"}]
        return efs.FileSystem(
            f"{self._name}-file-system",
            creation_token=f"{self._args.stack.name}-homes",  # a killed `up` finds it again instead of making a second one
            encrypted=True,
            performance_mode="generalPurpose",
            throughput_mode="elastic",
            lifecycle_policies=rules if days else [],
            tags={**self._tags("homes"), **backup_tags(self._args.stack.name, self._args.stack.backups)},
            # One that was adopted has the token of whoever made it. The token is read once, at the creation: another one means nothing afterwards.
            opts=self.kept(ignore_changes=["creation_token"]),
        )

    def _mount_targets(self, file_system: efs.FileSystem) -> list[pulumi.Resource]:
        group = ec2.SecurityGroup(
            f"{self._name}-security-group",
            name=f"{self._args.stack.name}-homes",
            description="Mount targets of homes: NFS from nodes and nothing else",
            vpc_id=self._args.network.vpc_id,
            tags=self._tags("homes"),
            opts=self.child(),
        )
        rule = vpc.SecurityGroupIngressRule(
            f"{self._name}-from-nodes",
            security_group_id=group.id,
            referenced_security_group_id=self._args.client_security_group_id,
            ip_protocol="tcp",
            from_port=_NFS_PORT,
            to_port=_NFS_PORT,
            description="NFS from nodes",
            tags=self._tags("homes-from-nodes"),
            opts=self.child(),
        )
        out = []
        if self._args.stack.network.closed:  # elsewhere nodes may talk to everybody
            out.append(
                vpc.SecurityGroupEgressRule(
                    f"{self._name}-out-of-nodes",
                    security_group_id=self._args.client_security_group_id,
                    referenced_security_group_id=group.id,
                    ip_protocol="tcp",
                    from_port=_NFS_PORT,
                    to_port=_NFS_PORT,
                    description="NFS to mount targets of homes",
                    tags=self._tags("homes-from-nodes"),
                    opts=self.child(),
                )
            )
        targets = [
            efs.MountTarget(
                f"{self._name}-mount-target-{zone[-1]}", file_system_id=file_system.id, subnet_id=subnet, security_groups=[group.id], opts=self.child()
            )
            for zone, subnet in self._args.network.private_subnets.items()
        ]
        return [*targets, rule, *out]

    def _ownership_point(self, file_system: efs.FileSystem, path: str) -> efs.AccessPoint:
        """As root, for the job that hands homes over; it goes with the job, and no home with it."""
        return efs.AccessPoint(
            f"{self._name}-handing-over-access-point",
            file_system_id=file_system.id,
            posix_user={"uid": 0, "gid": 0},
            root_directory={"path": path},
            tags=self._tags("homes-ownership"),
            opts=self.child(),
        )

    def _access_point(self, file_system: efs.FileSystem, which: str, path: str) -> efs.AccessPoint:
        return efs.AccessPoint(
            f"{self._name}-access-point-{which}",
            file_system_id=file_system.id,
            posix_user={"uid": UID, "gid": GID},
            root_directory={"path": path, "creation_info": {"owner_uid": UID, "owner_gid": GID, "permissions": "0750"}},
            tags=self._tags(f"homes-{which}"),
            opts=self.kept(),
        )

    def _policy(self, file_system: efs.FileSystem, points: Mapping[str, efs.AccessPoint], handing_over: efs.AccessPoint | None) -> efs.FileSystemPolicy:
        # Only a pod that is associated with this role sees all homes; none is until somebody restores something.
        role = iam.Role(
            f"{self._name}-restore",
            name=f"{self._args.stack.name}-homes-restore",
            assume_role_policy=pod_identity_trust(),
            tags=self._tags("homes-restore"),
            opts=self.child(),
        )
        restore = efs.AccessPoint(
            f"{self._name}-restore-access-point",
            file_system_id=file_system.id,
            posix_user={"uid": 0, "gid": 0},
            root_directory={"path": "/"},
            tags=self._tags("homes-restore"),
            opts=self.child(),
        )
        arns = pulumi.Output.all(*(point.arn for point in points.values()))
        ownership = pulumi.Output.from_input(None if handing_over is None else handing_over.arn)
        return efs.FileSystemPolicy(
            f"{self._name}-policy",
            file_system_id=file_system.id,
            policy=pulumi.Output.all(file_system.arn, arns, restore.arn, role.arn, ownership).apply(lambda known: file_system_policy(*known)),
            opts=self.child(),
        )
