"""What the cluster autoscaler reads of a group: its tags. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from jupyterhub_aws.config.node_size import node_size
from jupyterhub_aws.config.specs.node_groups import GPU_RESOURCE, GroupSpec

_PREFIX = "k8s.io/cluster-autoscaler"


def discovery_tags(cluster: str) -> dict[str, str]:
    """By these tags the autoscaler finds a group, and by them its IAM policy lets it change one."""
    return {f"{_PREFIX}/enabled": "true", f"{_PREFIX}/{cluster}": "owned"}


def template_tags(group: GroupSpec) -> dict[str, str]:
    """What a node of an empty group would look like (kubernetes/autoscaler, cloudprovider/aws/README.md).

    Memory is what a pod really gets on the pool's smallest type, not EC2's nominal size: from the nominal one the
    autoscaler would add nodes for ever for a pod that fits the nominal size only.
    """
    template = f"{_PREFIX}/node-template"
    size = min((node_size(kind, group.pool.pool.max_pods) for kind in group.pool.types), key=lambda size: size.memory_mib)
    tags = {f"{template}/label/{key}": value for key, value in group.labels.items()}
    tags |= {f"{template}/taint/{taint.key}": f"{taint.value}:{taint.effect}" for taint in group.taints}
    tags[f"{template}/resources/memory"] = f"{size.memory_mib}Mi"
    tags[f"{template}/resources/ephemeral-storage"] = f"{group.disk.size_gib}Gi"
    if group.pool.gpus:
        tags[f"{template}/resources/{GPU_RESOURCE}"] = str(group.pool.gpus)
    return tags


def group_tags(group: GroupSpec, stack_tags: Mapping[str, str]) -> dict[str, str]:
    """Every tag of a group: the stack's, EC2's name, discovery, and the template."""
    return {
        **stack_tags,
        "Name": group.stem,
        f"kubernetes.io/cluster/{group.pool.cluster}": "owned",
        **discovery_tags(group.pool.cluster),
        **template_tags(group),
    }
