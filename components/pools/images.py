"""Which machine image a node starts from: a pinned release of EKS's Amazon Linux 2023, by architecture and GPU."""

from __future__ import annotations

from jupyterhub_aws.config.instance_types import InstanceType
from jupyterhub_aws.config.versions import pin


def variant(kind: InstanceType) -> str:
    """`standard`, or `nvidia` with driver and container toolkit for GPU types."""
    return "nvidia" if kind.gpus else "standard"


def ami_type(kind: InstanceType) -> str:
    """The type's image as EKS managed node groups name it."""
    return f"AL2023_{'x86_64' if kind.architecture == 'x86_64' else 'ARM_64'}_{variant(kind).upper()}"


def release(kind: InstanceType, minor: str) -> str:
    """The pinned release, such as 1.35.8-20260930."""
    return pin("ami", f"al2023-{kind.architecture}-{variant(kind)}", minor).version


def image_parameter(kind: InstanceType, minor: str) -> str:
    """The pinned image by its public SSM parameter. EC2 resolves it at launch, so it is the same in every region, and it
    names one release: it never follows `recommended`.
    """
    date = release(kind, minor).rpartition("-")[2]
    image = f"amazon-eks-node-al2023-{kind.architecture}-{variant(kind)}-{minor}-v{date}"
    return f"resolve:ssm:/aws/service/eks/optimized-ami/{minor}/amazon-linux-2023/{kind.architecture}/{variant(kind)}/{image}/image_id"
