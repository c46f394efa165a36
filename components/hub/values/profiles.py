"""Profiles: what people choose from, as KubeSpawner takes it. Lists are always whole, because an override replaces a list."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.node_size import server_room
from jupyterhub_aws.config.profiles import Profile, memory_text
from jupyterhub_aws.config.shares import Share, default_image, default_size, shares
from jupyterhub_aws.config.specs.node_groups import GPU_RESOURCE, ON_DEMAND, PoolSpec, pool_specs
from jupyterhub_aws.config.stack import StackConfig

#: What the guide of 2021 gave a person, and two to one as it had it.
_CORES, _MEMORY_MIB, _GUARANTEE = 4.0, 32 * 1024, 0.5
#: Smaller steps than this would promise what nobody measures.
_MEMORY_STEP_MIB = 512
_PURPOSE = {"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["user"]}
_ON_DEMAND = {"key": ON_DEMAND, "operator": "In", "values": ["true"]}


def hub_pools(stack: StackConfig, hub: Hub) -> tuple[PoolSpec, ...]:
    """The pools that a hub's people may use, by name."""
    return tuple(pool for pool in pool_specs(stack) if not hub.pools or pool.name in hub.pools)


def share_of(profile: Profile, pool: PoolSpec) -> Share:
    """What a server of a profile gets whose person does not choose a size."""
    found = shares(profile, pool.types, pool.pool.max_pods)
    return found[default_size(profile, found)]


def hub_profiles(stack: StackConfig, hub: Hub) -> Mapping[str, Profile]:
    """A hub's profiles, its own or one for each of its pools: the default one first, then from small to large.

    The order of the stack file cannot be kept: the engine hands maps over with their keys sorted.
    """
    pools = {pool.name: pool for pool in hub_pools(stack, hub)}
    own = hub.profiles or {name: derived(pool) for name, pool in pools.items()}

    def rank(item: tuple[str, Profile]) -> tuple[bool, int, float, float, str]:
        name, profile = item
        share = share_of(profile, pools[profile.pool])
        return not profile.default, share.gpus, share.memory_mib, share.cpu, name

    return dict(sorted(own.items(), key=rank))


def derived(pool: PoolSpec) -> Profile:
    """What a pool offers by itself: up to 4 cores and 32 GiB, half of it guaranteed, and no more than an empty node has.

    With GPUs: one of them, and its share of the node.
    """
    room = server_room(pool.types, pool.pool.max_pods)
    if pool.gpus:
        # One GPU's share is guaranteed whole: whoever takes the last GPU must also find memory for it.
        cores, memory, share, gpus = room.cpu_millicores / 1000 / pool.gpus, room.memory_mib / pool.gpus, 1.0, 1
    else:
        cores = min(_CORES, room.cpu_millicores / 1000)
        memory, share, gpus = min(_MEMORY_MIB, room.memory_mib), _GUARANTEE, 0
    return Profile(
        display_name=None,
        pool=pool.name,
        cpu=max(math.floor(cores * 10) / 10, 0.1),
        memory=memory_text(int(memory // _MEMORY_STEP_MIB) * _MEMORY_STEP_MIB),
        guarantee=share,
        gpus=gpus,
    )


def profile_list(stack: StackConfig, hub: Hub) -> list[dict[str, Any]]:
    """`singleuser.profileList` of a hub."""
    pools = {pool.name: pool for pool in hub_pools(stack, hub)}
    profiles = hub_profiles(stack, hub)
    own_cluster = isinstance(stack.cluster, EksCluster)
    return [
        {
            "display_name": profile.display_name or name,
            "slug": name,
            "description": profile.description or described(profile, pools[profile.pool]),
            **({"default": True} if index == 0 else {}),
            "kubespawner_override": _override(profile, pools[profile.pool], own_cluster=own_cluster),
            **_options(profile, pools[profile.pool]),
        }
        for index, (name, profile) in enumerate(profiles.items())
    ]


def _override(profile: Profile, pool: PoolSpec, *, own_cluster: bool) -> dict[str, Any]:
    """What a server of this profile is, whatever is chosen inside it."""
    purpose = [_PURPOSE] if own_cluster else []  # nodes of somebody else's cluster may have no such label
    required = [*purpose, *([_ON_DEMAND] if profile.protected else [])]
    override: dict[str, Any] = {
        **resources(share_of(profile, pool)),
        "node_selector": pool.node_selector,
        "tolerations": pool.tolerations,
        # Terms of this list are alternatives to each other: what all must hold stands in one.
        "node_affinity_required": [{"matchExpressions": required}] if required else [],
        "node_affinity_preferred": [
            *([] if profile.protected else pool.affinity.get("preferredDuringSchedulingIgnoredDuringExecution", [])),
            *([] if own_cluster else [{"weight": 100, "preference": {"matchExpressions": [_PURPOSE]}}]),
        ],
    }
    if profile.image is not None:
        override["image"] = profile.image
    if profile.environment:
        override["environment"] = dict(profile.environment)
    return override


def _options(profile: Profile, pool: PoolSpec) -> dict[str, Any]:
    """`profile_options`: what a person chooses inside a profile, images before sizes as the keys sort."""
    found: dict[str, Any] = {}
    if profile.images:
        chosen = default_image(profile)
        found["image"] = {
            "display_name": "Image",
            "choices": {
                name: {
                    "display_name": choice.display_name or name,
                    **({"default": True} if name == chosen else {}),
                    "kubespawner_override": {"image": choice.image},
                }
                for name, choice in sorted(profile.images.items())
            },
        }
    if profile.sizes:
        each = shares(profile, pool.types, pool.pool.max_pods)
        usual = default_size(profile, each)
        found["size"] = {
            "display_name": "Size",
            "choices": {
                str(name): {
                    "display_name": profile.sizes[str(name)].display_name or _amount(share, pool),
                    **({"default": True} if name == usual else {}),
                    "kubespawner_override": resources(share),
                }
                for name, share in each.items()
            },
        }
    return {"profile_options": found} if found else {}


def resources(share: Share) -> dict[str, Any]:
    """KubeSpawner's traits for cores, memory and GPUs: numbers, and sizes in powers of 1024."""
    # Kubernetes takes a device's limit as its request; both are said, so that nobody has to know.
    gpus = {GPU_RESOURCE: str(share.gpus)}
    return {
        "cpu_limit": share.cpu,
        "cpu_guarantee": share.cpu_guarantee,
        "mem_limit": memory_text(share.memory_mib),
        "mem_guarantee": memory_text(share.memory_guarantee_mib),
        **({"extra_resource_limits": gpus, "extra_resource_guarantees": gpus} if share.gpus else {}),
    }


def described(profile: Profile, pool: PoolSpec) -> str:
    """A line for people: `up to 4 cores and 32 GiB of memory, 1 GPU (NVIDIA T4)`, and whether AWS may take the node back."""
    each = list(shares(profile, pool.types, pool.pool.max_pods).values())
    size = f"up to {_amount(each[-1], pool)}" if len(each) == 1 else f"from {_amount(each[0], pool)} to {_amount(each[-1], pool)}"
    if profile.protected:
        return f"{size}; on nodes that AWS does not take back"
    # EC2 user guide, "Spot Instance interruption notices": two minutes.
    return f"{size}; AWS may take its node back, two minutes ahead" if pool.pool.capacity in ("spot", "spot_first") else size


def _amount(share: Share, pool: PoolSpec) -> str:
    gpus = f", {share.gpus} GPU{'s' if share.gpus > 1 else ''} ({pool.types[0].gpu})" if share.gpus else ""
    return f"{share.cpu:g} cores and {share.memory_mib / 1024:.4g} GiB of memory{gpus}"
