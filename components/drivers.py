"""The CSI drivers by which pods reach storage, as volumes and storage classes name them."""

from __future__ import annotations

EBS_DRIVER = "ebs.csi.aws.com"
EFS_DRIVER = "efs.csi.aws.com"
