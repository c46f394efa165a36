"""Profiles: what people choose from, as KubeSpawner takes it. Lists are always whole, because an override replaces a list."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from components.pools.spec import GPU_RESOURCE, PoolSpec, pool_specs
from config.hub import Hub
from config.node_size import server_room
from config.profiles import Profile, memory_mib, memory_text
from config.stack import StackConfig

#: What the guide of 2021 gave a person, and two to one as it had it.
_CORES, _MEMORY_MIB, _GUARANTEE = 4.0, 32 * 1024, 0.5
#: Smaller steps than this would promise what nobody measures.
_MEMORY_STEP_MIB = 512


def hub_pools(stack: StackConfig, hub: Hub) -> tuple[PoolSpec, ...]:
    """The pools that a hub's people may use, by name."""
    return tuple(pool for pool in pool_specs(stack) if not hub.pools or pool.name in hub.pools)


def hub_profiles(stack: StackConfig, hub: Hub) -> Mapping[str, Profile]:
    """A hub's profiles, its own or one for each of its pools: the default one first, then from small to large.

    The order of the stack file cannot be kept: the engine hands maps over with their keys sorted.
    """
    own = hub.profiles or {pool.name: derived(pool) for pool in hub_pools(stack, hub)}

    def rank(item: tuple[str, Profile]) -> tuple[bool, int, float, float, str]:
        name, profile = item
        return not profile.default, profile.gpus, memory_mib(profile.memory), profile.cpu, name

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
    return [_entry(name, profile, pools[profile.pool], default=index == 0) for index, (name, profile) in enumerate(profiles.items())]


def _entry(name: str, profile: Profile, pool: PoolSpec, *, default: bool) -> dict[str, Any]:
    override: dict[str, Any] = {
        **resources(profile),
        "node_selector": pool.node_selector,
        "tolerations": pool.tolerations,
        "node_affinity_preferred": pool.affinity.get("preferredDuringSchedulingIgnoredDuringExecution", []),
    }
    if profile.gpus:
        # Kubernetes takes a device's limit as its request; both are said, so that nobody has to know.
        override |= {"extra_resource_limits": {GPU_RESOURCE: str(profile.gpus)}, "extra_resource_guarantees": {GPU_RESOURCE: str(profile.gpus)}}
    if profile.image is not None:
        override["image"] = profile.image
    if profile.environment:
        override["environment"] = dict(profile.environment)
    return {
        "display_name": profile.display_name or name,
        "slug": name,
        "description": profile.description or described(profile, pool),
        **({"default": True} if default else {}),
        "kubespawner_override": override,
    }


def resources(profile: Profile) -> dict[str, Any]:
    """KubeSpawner's traits for cores and memory: numbers, and sizes in powers of 1024."""
    return {
        "cpu_limit": profile.cpu,
        "cpu_guarantee": round(profile.cpu * profile.guarantee, 3),
        "mem_limit": profile.memory,
        "mem_guarantee": memory_text(memory_mib(profile.memory) * profile.guarantee),
    }


def described(profile: Profile, pool: PoolSpec) -> str:
    """A line for people: `up to 4 cores and 32 GiB of memory, 1 GPU (NVIDIA T4)`."""
    memory = memory_mib(profile.memory) / 1024
    gpus = f", {profile.gpus} GPU{'s' if profile.gpus > 1 else ''} ({pool.types[0].gpu})" if profile.gpus else ""
    return f"up to {profile.cpu:g} cores and {memory:g} GiB of memory{gpus}"
