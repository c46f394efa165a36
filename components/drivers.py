"""The CSI drivers by which pods reach storage, as volumes and storage classes name them."""

from __future__ import annotations

EBS_DRIVER = "ebs.csi.aws.com"
EFS_DRIVER = "efs.csi.aws.com"

#: The EBS driver's policy lets it attach, detach, grow and delete only volumes with this tag: AWS
#: managed policy AmazonEBSCSIDriverPolicyV2,
#: statement ManageManagedVolumes. The driver sets it on volumes it creates (its docs/tagging.md);
#: on all others it is ours to set.
EBS_DRIVER_TAG = {"ebs.csi.aws.com/cluster": "true"}
