"""The file system of homes: one for the stack, with an access point for each hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pulumi
from pulumi_aws import ec2, efs, iam, vpc

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.backups import BackupsOutputs
from jupyterhub_aws.components.base import Component, checked, named
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.iam import document, pod_identity_trust
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.config.backups import one_truth
from jupyterhub_aws.config.homes import AdoptedHomes
from jupyterhub_aws.config.homes import EfsHomesSection as EfsSection
from jupyterhub_aws.config.hub_rules import adopted_homes_have_one_hub
from jupyterhub_aws.config.specs.homes import GID, NFS_PORT, UID, EfsSpec
from jupyterhub_aws.config.values import ShortName

# --- The policy of the file system of homes: only through an access point, through a mount target,
# and encrypted. Pure data.


#: EFS user guide, "Using IAM to control file system data access": what a client that mounts and
#: writes needs.
_MOUNT_AND_WRITE = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
_BY_MOUNT_TARGET = {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}


def file_system_policy(
    file_system_arn: str,
    access_point_arns: Sequence[str],
    restore_point_arn: str,
    restore_role_arn: str,
    ownership_point_arn: str | None = None,
) -> str:
    """The resource policy of the file system.

    Nodes mount without an identity of their own, so the hubs' access points are open to every
    client that reaches a mount target, which the security group limits. The restore access point
    gives access to all homes as root: only its role may use it. The ownership access point does too
    and is open like the hubs'; it exists only while homes get a new owner, when there is no hub and
    so no user's server.
    """
    encrypted = {
        "Sid": "EncryptedOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "*",
        "Resource": file_system_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    statements = [encrypted]
    if access_point_arns:
        statements.append(
            _through("HubsThroughTheirAccessPoints", file_system_arn, list(access_point_arns))
        )
    statements.append(
        _through(
            "RestoreThroughItsAccessPoint",
            file_system_arn,
            restore_point_arn,
            who=restore_role_arn,
            root=True,
        )
    )
    if ownership_point_arn is not None:
        statements.append(
            _through(
                "OwnershipThroughItsAccessPoint", file_system_arn, ownership_point_arn, root=True
            )
        )
    return document(*statements)


def _through(
    sid: str, file_system_arn: str, point: str | list[str], *, who: str = "*", root: bool = False
) -> dict[str, Any]:
    """The statement that allows mounting and writing through access points, as root where asked
    for.
    """
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": who},
        "Action": [*_MOUNT_AND_WRITE, *(["elasticfilesystem:ClientRootAccess"] if root else [])],
        "Resource": file_system_arn,
        "Condition": {
            **_BY_MOUNT_TARGET,
            "StringEquals": {"elasticfilesystem:AccessPointArn": point},
        },
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class EfsHomesArgs:
    """Where the homes of some hubs are. The options are those of `homes` with `kind: efs` in
    docs/reference.md, under the same rules.

    Attributes:
        cluster: The outputs of the cluster whose nodes mount the homes, or of one of your own: its
            network, and the security group of its nodes.
        hubs: The names of the hubs, each of which gets a directory of its own.
        infrequent_access_days: Files that are not opened for so many days move to the cheaper
            storage class, and back when they are; 0: never.
        adopted: Homes that exist already on a file system that is imported; None: every user begins
            with an empty one.
        backups: How the file system is backed up: `Backups(...).outputs`. None: EFS's own daily
            plan does, for 35 days.
        backup: False without `backups`: nothing backs it up. None: as `backups` says.
        physical_name: The prefix of names in AWS; without it the component's resource name. At most
            24 characters.
        tags: Tags of every resource.

    """

    cluster: ClusterOutputs
    hubs: Sequence[str]
    infrequent_access_days: int = 30
    adopted: AdoptedHomes | None = None
    backups: BackupsOutputs | None = None
    backup: bool | None = None
    physical_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def resolved(self, name: str) -> EfsSpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("EfsHomes", name)
        physical = given.physical_name(self.physical_name)
        given.tags(self.tags)
        cluster = given.handle("cluster", self.cluster, ClusterOutputs)
        if cluster is not None:
            network = given.handle("cluster.network", cluster.network, NetworkOutputs)
            if network is not None:
                given.check_network(network, path="cluster.network")
            group = (
                cluster.security_group_id
                if cluster.node_security_group_id is None
                else cluster.node_security_group_id
            )
            given.check_present(
                "cluster.node_security_group_id",
                group,
                "mount targets allow the nodes that have it, and no other client",
            )
        backups = (
            None if self.backups is None else given.handle("backups", self.backups, BackupsOutputs)
        )
        hubs = tuple(self.hubs) if isinstance(self.hubs, (list, tuple)) else ()
        given.check_value(
            tuple[ShortName, ...],
            hubs if isinstance(self.hubs, (list, tuple)) else self.hubs,
            "hubs",
        )
        for hub in dict.fromkeys(
            hub for hub in hubs if isinstance(hub, str) and hubs.count(hub) > 1
        ):
            given.say("homes.hub-twice", "hubs", f"names {hub} twice", "name it once")
        values = {
            "kind": "efs",
            "infrequent_access_days": self.infrequent_access_days,
            "adopted": self.adopted,
            "backup": self.backup,
        }
        options = given.section(EfsSection, values)
        if options is not None:
            given.add(adopted_homes_have_one_hub(options, hubs), within="homes")
            given.add(
                () if backups is None else one_truth(options, backups.spec.options), within="homes"
            )
        given.done()
        assert options is not None  # noqa: S101 -- else there was a problem
        return EfsSpec(
            name=physical,
            options=options,
            hubs=tuple(sorted(hubs)),
            backups=None if backups is None else backups.spec,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class EfsHomesOutputs:
    """Homes in EFS as hubs and monitoring need them: `EfsHomes(...).outputs`, or filled in by hand
    for an existing file system.

    Attributes:
        file_system_id: The file system.
        volume_handles: What a volume of the CSI driver names, by hub: `FILE_SYSTEM::ACCESS_POINT`.
        ownership_handle: The same for the job that changes the owner of homes from root; None where
            no owner has to be changed.
        ready: Resources that a pod needs before it mounts a home.

    """

    file_system_id: pulumi.Input[str]
    volume_handles: Mapping[str, pulumi.Input[str]]
    ownership_handle: pulumi.Input[str] | None = None
    ready: Sequence[pulumi.Resource] = ()


class EfsHomes(Component):
    """An encrypted, elastic file system, protected and retained.

    Each hub sees its own directory through an access point, in which all files belong to 1000:100:
    no pod needs root or chown. `outputs` is what hubs and monitoring take. Raises ArgumentError
    with every problem of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:EfsHomes"
    outputs: EfsHomesOutputs

    def __init__(
        self, name: str, args: EfsHomesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._spec = spec = checked(EfsHomes, name, args, EfsHomesArgs).resolved(name)
        super().__init__(name, opts)
        self._name, self._args = name, args
        file_system = self._file_system()
        targets = self._mount_targets(file_system)
        points = {hub: self._access_point(file_system, hub) for hub in spec.hubs}
        handing_over = (
            None
            if spec.ownership_path is None
            else self._ownership_point(file_system, spec.ownership_path)
        )
        policy = self._policy(file_system, points, handing_over)
        efs.BackupPolicy(
            f"{name}-backup",
            file_system_id=file_system.id,
            backup_policy={"status": "ENABLED" if spec.own_plan else "DISABLED"},
            opts=self.child(),
        )
        self.outputs = EfsHomesOutputs(
            file_system_id=file_system.id,
            volume_handles={hub: _handle(file_system, point) for hub, point in points.items()},
            ownership_handle=None if handing_over is None else _handle(file_system, handing_over),
            ready=[*targets, policy],
        )
        self.register_outputs(
            {"file_system_id": file_system.id, "volume_handles": dict(self.outputs.volume_handles)}
        )

    def _tags(self, suffix: str) -> dict[str, str]:
        return named(self._args.tags, f"{self._spec.name}-{suffix}")

    def _file_system(self) -> efs.FileSystem:
        spec = self._spec
        rules: Any = spec.lifecycle_policies
        return efs.FileSystem(
            f"{self._name}-file-system",
            # a killed `up` finds it again instead of making a second one
            creation_token=spec.file_system_name,
            encrypted=True,
            performance_mode="generalPurpose",
            throughput_mode="elastic",
            lifecycle_policies=rules,
            tags={**self._tags("homes"), **spec.backup_tags},
            # An adopted file system has its creator's token. The token is read once, at the
            # creation: another one means nothing afterwards.
            opts=self.protected_options(ignore_changes=["creation_token"]),
        )

    def _mount_targets(self, file_system: efs.FileSystem) -> list[pulumi.Resource]:
        cluster, network = self._args.cluster, self._args.cluster.vpc
        group = ec2.SecurityGroup(
            f"{self._name}-security-group",
            name=self._spec.file_system_name,
            description="Mount targets of homes: NFS from nodes and nothing else",
            vpc_id=network.vpc_id,
            tags=self._tags("homes"),
            opts=self.child(),
        )
        nfs: dict[str, Any] = {
            "ip_protocol": "tcp",
            "from_port": NFS_PORT,
            "to_port": NFS_PORT,
            "tags": self._tags("homes-from-nodes"),
        }
        rules: list[pulumi.Resource] = [
            vpc.SecurityGroupIngressRule(
                f"{self._name}-from-nodes",
                security_group_id=group.id,
                referenced_security_group_id=cluster.node_group_id,
                description="NFS from nodes",
                **nfs,
                opts=self.child(),
            )
        ]
        if network.closed:  # in other networks nodes have unrestricted egress
            rules.append(
                vpc.SecurityGroupEgressRule(
                    f"{self._name}-out-of-nodes",
                    security_group_id=cluster.node_group_id,
                    referenced_security_group_id=group.id,
                    description="NFS to mount targets of homes",
                    **nfs,
                    opts=self.child(),
                )
            )
        targets = [
            efs.MountTarget(
                f"{self._name}-mount-target-{zone[-1]}",
                file_system_id=file_system.id,
                subnet_id=subnet,
                security_groups=[group.id],
                opts=self.child(),
            )
            for zone, subnet in network.private_subnets.items()
        ]
        return [*targets, *rules]

    def _ownership_point(self, file_system: efs.FileSystem, path: str) -> efs.AccessPoint:
        """As root, for the job that changes the owner of homes; it is deleted with the job,
        without any effect on homes.
        """
        return efs.AccessPoint(
            f"{self._name}-handing-over-access-point",
            file_system_id=file_system.id,
            posix_user={"uid": 0, "gid": 0},
            root_directory={"path": path},
            tags=self._tags("homes-ownership"),
            opts=self.child(),
        )

    def _access_point(self, file_system: efs.FileSystem, hub: str) -> efs.AccessPoint:
        return efs.AccessPoint(
            f"{self._name}-access-point-{hub}",
            file_system_id=file_system.id,
            posix_user={"uid": UID, "gid": GID},
            root_directory={
                "path": self._spec.root_directory(hub),
                "creation_info": {"owner_uid": UID, "owner_gid": GID, "permissions": "0750"},
            },
            tags=self._tags(f"homes-{hub}"),
            opts=self.protected_options(),
        )

    def _policy(
        self,
        file_system: efs.FileSystem,
        points: Mapping[str, efs.AccessPoint],
        handing_over: efs.AccessPoint | None,
    ) -> efs.FileSystemPolicy:
        # Only a pod that is associated with this role sees all homes; none is until an operator
        # restores something.
        tags = named(self._args.tags, self._spec.restore_name)
        role = iam.Role(
            f"{self._name}-restore",
            name=self._spec.restore_name,
            assume_role_policy=pod_identity_trust(),
            tags=tags,
            opts=self.child(),
        )
        restore = efs.AccessPoint(
            f"{self._name}-restore-access-point",
            file_system_id=file_system.id,
            posix_user={"uid": 0, "gid": 0},
            root_directory={"path": "/"},
            tags=tags,
            opts=self.child(),
        )
        arns = pulumi.Output.all(*(point.arn for point in points.values()))
        ownership = pulumi.Output.from_input(None if handing_over is None else handing_over.arn)
        return efs.FileSystemPolicy(
            f"{self._name}-policy",
            file_system_id=file_system.id,
            policy=pulumi.Output.all(file_system.arn, arns, restore.arn, role.arn, ownership).apply(
                lambda known: file_system_policy(*known)
            ),
            opts=self.child(),
        )


def _handle(file_system: efs.FileSystem, point: efs.AccessPoint) -> pulumi.Output[str]:
    return pulumi.Output.concat(file_system.id, "::", point.id)
