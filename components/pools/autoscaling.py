"""What the cluster autoscaler reads and needs: tags on groups, and which group to try first. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from jupyterhub_aws.config.node_size import node_size
from jupyterhub_aws.config.specs.node_groups import GPU_RESOURCE, GroupSpec

_PREFIX = "k8s.io/cluster-autoscaler"
#: Tried in falling order (priority expander, kubernetes/autoscaler expander/priority/readme.md).
_SPOT_FIRST, _THEN_ON_DEMAND, _ANY = 50, 20, 1


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


def priorities(groups: Iterable[GroupSpec]) -> dict[str, list[str]]:
    """Expander priorities: spot groups, then on-demand ones, then whatever else is there (else it would never grow).

    Each expression is anchored on one of our own names with any generation: a group of somebody else whose name
    contains `spot` does not match it. A retiring group is left to the last rank: no server fits there, and whoever else does goes there last.
    """
    listed: dict[str, list[str]] = {}
    for group in (group for group in groups if not group.retiring):
        rank = _SPOT_FIRST if group.market == "spot" else _THEN_ON_DEMAND
        listed.setdefault(str(rank), []).append(f"^{re.escape(group.stem)}-[0-9a-f]{{6}}$".replace("\\-", "-"))
    return {**{rank: sorted(names) for rank, names in sorted(listed.items(), reverse=True)}, str(_ANY): [".*"]}
