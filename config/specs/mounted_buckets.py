"""Buckets that servers mount as read-only directories, by Mountpoint for Amazon S3: what the driver's
role may read, and the volumes of each hub. Pure.

Sources: awslabs/mountpoint-s3-csi-driver v2.7.0, docs/CONFIGURATION.md (static provisioning,
driver-level credentials with EKS Pod Identity, minimal permissions) and
examples/kubernetes/static_provisioning/non_root.yaml.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.aws_access import BucketAccess
from jupyterhub_aws.config.specs.buckets import BucketSpec
from jupyterhub_aws.config.specs.homes import GID, UID
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.specs.server_access import BucketGrant, statements_of
from jupyterhub_aws.config.volumes import AnyVolume, BucketVolume

#: The add-on of EKS, its driver as volumes name it, and the service account of its role.
ADDON = "aws-mountpoint-s3-csi-driver"
DRIVER = "s3.csi.aws.com"
SERVICE_ACCOUNT = "s3-csi-driver-sa"
#: The API wants a size and the driver ignores it.
SIZE = "1Gi"


def bucket_claim(name: str, volume: BucketVolume) -> str:
    """The claim of a volume of kind `bucket`, in the hub's namespace. Its name changes with what is
    mounted: the API does not change a volume that exists, and running servers keep theirs.
    """
    what = hashlib.sha256(f"{volume.bucket}/{volume.prefix}".encode()).hexdigest()[:6]
    return f"bucket-{name}-{what}"


@dataclass(frozen=True, kw_only=True)
class MountedBucket:
    """One volume of kind `bucket` of a hub: its `name` in the stack file, and the bucket."""

    name: str
    names: HubNames
    bucket: BucketSpec
    options: BucketVolume

    @property
    def claim(self) -> str:
        """Name of its claim."""
        return bucket_claim(self.name, self.options)

    @property
    def volume(self) -> str:
        """Name of its PersistentVolume, which is cluster-wide, and handle: the driver wants one of
        its own for each.
        """
        return f"{self.names.physical}-{self.claim}"

    @property
    def mount_options(self) -> list[str]:
        """Options of Mountpoint: every user of the pod may read, under the user of servers."""
        prefix = [f"prefix {self.options.prefix}"] if self.options.prefix else []
        return ["read-only", "allow-other", f"uid={UID}", f"gid={GID}", *prefix]

    @property
    def grant(self) -> BucketGrant:
        """What the driver may read for it."""
        access = BucketAccess(bucket=self.bucket.name, prefix=self.options.prefix)
        return BucketGrant(bucket=self.bucket, options=access)


def mounted_buckets(
    volumes: Mapping[str, AnyVolume], names: HubNames, buckets: Mapping[str, BucketSpec]
) -> tuple[MountedBucket, ...]:
    """The volumes of kind `bucket` among those of a hub, by name."""
    return tuple(
        MountedBucket(name=name, names=names, bucket=buckets[volume.bucket], options=volume)
        for name, volume in sorted(volumes.items())
        if isinstance(volume, BucketVolume)
    )


def driver_policy(mounted: Sequence[MountedBucket]) -> str:
    """The inline policy of the driver's role: to read what hubs mount, and nothing else."""
    grants = {(item.bucket.name, item.options.prefix): item.grant for item in mounted}
    found: list[dict[str, Any]] = statements_of([grants[key] for key in sorted(grants)], ())
    return json.dumps({"Version": "2012-10-17", "Statement": found})
