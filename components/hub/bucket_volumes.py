"""Buckets as read-only directories of servers: the driver of Mountpoint for Amazon S3 with its role,
and the volumes of a hub.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import eks, iam
from pulumi_kubernetes.core.v1 import PersistentVolume, PersistentVolumeClaim

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.hub.storage import WAITS_TO_BE_BOUND
from jupyterhub_aws.components.iam import pod_identity_trust
from jupyterhub_aws.config.specs.mounted_buckets import (
    ADDON,
    DRIVER,
    SERVICE_ACCOUNT,
    SIZE,
    MountedBucket,
    driver_policy,
)
from jupyterhub_aws.config.versions import pin


@dataclass(frozen=True, kw_only=True, eq=False)
class MountpointDriverArgs:
    """`mounted` is what hubs mount, which the driver's role may read. `version` is the cluster's
    minor, which chooses the pinned version; `prefix` that of physical names. `paused`: there is no
    node, so a changed version is installed only after resuming.
    """

    cluster_name: pulumi.Input[str]
    version: str
    prefix: str
    mounted: Sequence[MountedBucket]
    tags: Mapping[str, str]
    depends_on: Sequence[pulumi.Resource] = ()
    paused: bool = False


class MountpointDriver(Component):
    """EKS's add-on `aws-mountpoint-s3-csi-driver`. Its pods mount with the driver's identity: users'
    servers get no credentials by it.
    """

    token: ClassVar[str] = "jupyterhub-aws:hub:MountpointDriver"

    def __init__(
        self, name: str, args: MountpointDriverArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        tags = named(args.tags, f"{args.prefix}-{ADDON}")
        role = iam.Role(
            f"{name}-role",
            name=f"{args.prefix}-{ADDON}",
            assume_role_policy=pod_identity_trust(),
            tags=tags,
            opts=self.child(),
        )
        policy = iam.RolePolicy(
            f"{name}-policy",
            name="mounted-buckets",
            role=role.name,
            policy=driver_policy(args.mounted),
            opts=self.child(),
        )
        eks.Addon(
            f"{name}-addon",
            cluster_name=args.cluster_name,
            addon_name=ADDON,
            addon_version=pin("addon", ADDON, args.version).version,
            pod_identity_associations=[
                eks.AddonPodIdentityAssociationArgs(
                    role_arn=role.arn, service_account=SERVICE_ACCOUNT
                )
            ],
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=tags,
            opts=self.child(
                depends_on=[*args.depends_on, policy],
                ignore_changes=["addonVersion", "configurationValues"] if args.paused else None,
            ),
        )
        self.register_outputs({"role": role.name})


@dataclass(frozen=True, kw_only=True, eq=False)
class BucketVolumeArgs:
    """`mounted` is the bucket, `namespace` that of the hub."""

    mounted: MountedBucket
    namespace: pulumi.Input[str]


class MountedBucketVolume(Component):
    """The volume of one bucket, bound to one claim and to no other. Another bucket or folder has
    objects of other names; the old ones are retained, for servers that still use them.
    """

    token: ClassVar[str] = "jupyterhub-aws:hub:MountedBucketVolume"

    def __init__(
        self, name: str, args: BucketVolumeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        mounted = args.mounted
        spec: Any = {
            "capacity": {"storage": SIZE},
            "access_modes": ["ReadOnlyMany"],
            "persistent_volume_reclaim_policy": "Retain",
            "storage_class_name": "",
            "volume_mode": "Filesystem",
            "claim_ref": {"namespace": mounted.names.namespace, "name": mounted.claim},
            "mount_options": mounted.mount_options,
            "csi": {
                "driver": DRIVER,
                "volume_handle": mounted.volume,
                "volume_attributes": {
                    "bucketName": mounted.bucket.bucket_name,
                    "authenticationSource": "driver",
                },
            },
        }
        volume = PersistentVolume(
            f"{name}-volume",
            metadata={"name": mounted.volume},
            spec=spec,
            opts=self.child(retain_on_delete=True),
        )
        self.claim = PersistentVolumeClaim(
            f"{name}-claim",
            metadata={
                "name": mounted.claim,
                "namespace": args.namespace,
                "annotations": WAITS_TO_BE_BOUND,
            },
            spec={
                "access_modes": ["ReadOnlyMany"],
                "storage_class_name": "",
                "volume_name": mounted.volume,
                "resources": {"requests": {"storage": SIZE}},
            },
            opts=self.child(retain_on_delete=True, depends_on=[volume]),
        )
        self.register_outputs({"claim": mounted.claim})
