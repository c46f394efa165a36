"""The rules between hubs and the rest of a stack, and among hubs: what would only fail when
somebody starts a server.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

from jupyterhub_aws.config.database import SqliteDatabase
from jupyterhub_aws.config.entry import (
    FIRST_NODE_PORT,
    LAST_NODE_PORT,
    LoadBalancerEntry,
    NodePortEntry,
    PortForwardEntry,
)
from jupyterhub_aws.config.errors import Problem, closest, shown
from jupyterhub_aws.config.homes import DIRECTORY_HOMES, GIVEN_HOMES, Homes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.network import AnyNetwork
from jupyterhub_aws.config.node_size import server_room
from jupyterhub_aws.config.pools import AnyUserPool, Pools
from jupyterhub_aws.config.profiles import Profile
from jupyterhub_aws.config.shares import Share, shares
from jupyterhub_aws.config.sign_in import SharedPasswordSignIn

Hubs = Mapping[str, Hub]
#: The step in which profiles are derived from pools: with less there is none.
_LEAST_SERVER_MIB = 512
#: The least that the chart of the hub lets one write for a server (config/profiles.py).
_LEAST_CORES = 0.1


def node_port(name: str, hub: Hub) -> int | None:
    """Port of the core nodes on which a hub's proxy answers; None where nothing is exposed.

    One that is not given follows from the hub's name alone, so that another hub never moves it.
    """
    if isinstance(hub.entry, PortForwardEntry):
        return None
    return hub.entry.node_port or FIRST_NODE_PORT + zlib.crc32(name.encode()) % (
        LAST_NODE_PORT - FIRST_NODE_PORT + 1
    )


def core_zones(pools: Pools, network: AnyNetwork) -> tuple[str, ...]:
    """The zones of the core pool: the network's first one, unless the stack names others."""
    return (pools.core.zones if pools.core else ()) or network.zones[:1]


def volumes_stay_near(network: AnyNetwork, pools: Pools, hubs: Hubs) -> Iterator[Problem]:
    """A database on a volume has all core nodes in its zone: elsewhere the hub could not start."""
    zones = core_zones(pools, network)
    for name, hub in hubs.items():
        if isinstance(hub.database, SqliteDatabase) and len(zones) > 1:
            yield Problem(
                path="pools.core.zones",
                what=(
                    f"spreads over {len(zones)} zones, but the database of hub {name} is a volume"
                    " in one of them"
                ),
                fix=f"keep one zone, such as [{zones[0]}], or give the hub database.kind: postgres",
            )


def pools_exist(pools: Pools, hubs: Hubs) -> Iterator[Problem]:
    """The pools that hubs and profiles name are user pools of the stack, and of the hub."""
    for hub_name, hub in hubs.items():
        for index, pool in enumerate(hub.pools):
            if pool not in pools.user:
                yield _no_pool(f"hubs.{hub_name}.pools[{index}]", pool, list(pools.user))
        for profile_name, profile in hub.profiles.items():
            if profile.pool not in pools.user:
                yield _no_pool(
                    f"hubs.{hub_name}.profiles.{profile_name}.pool", profile.pool, list(pools.user)
                )
            elif hub.pools and profile.pool not in hub.pools:
                yield Problem(
                    path=f"hubs.{hub_name}.profiles.{profile_name}.pool",
                    what=f"is not among the pools of this hub (got {shown(profile.pool)})",
                    fix=f"add it to hubs.{hub_name}.pools, or choose from {', '.join(hub.pools)}",
                )
        if not pools.user:
            yield Problem(
                path=f"hubs.{hub_name}",
                what="has no pool for people's servers",
                fix="add a user pool under pools",
            )


def _no_pool(path: str, pool: str, known: list[str]) -> Problem:
    guess = closest(pool, known)
    others = (
        f"choose from {', '.join(known)}" if known else "add a user pool of that name under pools"
    )
    return Problem(
        path=path,
        what=f"is not a user pool of this stack (got {shown(pool)})",
        fix=f"did you mean {guess}?" if guess else others,
    )


def profiles_fit(pools: Pools, hubs: Hubs) -> Iterator[Problem]:
    """What a profile guarantees fits an empty node of its pool; a GPU is only asked for where
    there is one.
    """
    for hub_name, hub in hubs.items():
        for name, profile in hub.profiles.items():
            pool = pools.user.get(profile.pool)
            if pool is not None:
                yield from _fits(f"hubs.{hub_name}.profiles.{name}", profile, pool)


def _fits(path: str, profile: Profile, pool: AnyUserPool) -> Iterator[Problem]:
    for share in shares(profile, pool.types, pool.max_pods).values():
        if profile.users_per_node is None:
            yield from _gpus_are_there(f"{path}.{share.path}gpus", share.gpus, profile.pool, pool)
            yield from _share_fits(f"{path}.{share.path}", share, profile.pool, pool)
        else:
            yield from _gpus_are_there(f"{path}.gpus", share.gpus, profile.pool, pool)
            yield from _division_works(path, profile, share, pool)


def _gpus_are_there(path: str, asked: int, name: str, pool: AnyUserPool) -> Iterator[Problem]:
    have = pool.types[0].gpus
    if asked > have:
        wanted, there = (
            f"{asked} GPU{'s' if asked > 1 else ''}",
            (f"{have} in each node" if have else "none"),
        )
        yield Problem(
            path=path,
            what=f"asks for {wanted} in pool {name}, which has {there}",
            fix="choose a GPU pool, or fewer of them",
        )
    if have and not asked:
        what = (
            f"asks for no GPU in the GPU pool {name}: its people would pay for GPUs that nobody"
            " can use"
        )
        yield Problem(path=path, what=what, fix="write gpus: 1, or choose another pool")


def _share_fits(path: str, share: Share, name: str, pool: AnyUserPool) -> Iterator[Problem]:
    room = server_room(pool.types, pool.max_pods)
    memory, cores = max(room.memory_mib, 0) / 1024, room.cpu_millicores / 1000
    if share.memory_guarantee_mib > room.memory_mib:
        what = (
            f"guarantees {share.memory_guarantee_mib / 1024:.1f} GiB, but a node of pool {name} has"
            f" {memory:.1f} GiB for servers"
        )
        most = f"{int(memory * share.memory_mib / share.memory_guarantee_mib)}G"
        yield Problem(
            path=f"{path}memory",
            what=f"{what}: it would never start",
            fix=_smaller(most, fits=memory >= 1),
        )
    if share.cpu_guarantee > cores:
        what = (
            f"guarantees {share.cpu_guarantee:g} cores, but a node of pool {name} has {cores:.2f}"
            " for servers"
        )
        most = f"{cores * share.cpu / share.cpu_guarantee:.1f}"
        yield Problem(
            path=f"{path}cpu",
            what=f"{what}: it would never start",
            fix=_smaller(most, fits=cores > 0),
        )


def _division_works(
    path: str, profile: Profile, share: Share, pool: AnyUserPool
) -> Iterator[Problem]:
    people, have = profile.users_per_node or 1, pool.types[0].gpus
    if share.memory_guarantee_mib < _LEAST_SERVER_MIB or share.cpu_guarantee < _LEAST_CORES:
        what = (
            f"leaves each of {people} people {share.memory_guarantee_mib:g} MiB and"
            f" {share.cpu_guarantee:g} cores of a node of pool {profile.pool}"
        )
        yield Problem(
            path=f"{path}.users_per_node",
            what=what,
            fix="write fewer people, or choose larger instance types",
        )
    if share.gpus and share.gpus <= have < people * share.gpus:
        what = (
            f"wants {people * share.gpus} GPUs for {people} people, but a node of pool"
            f" {profile.pool} has {have}"
        )
        yield Problem(
            path=f"{path}.users_per_node", what=what, fix=f"write at most {have // share.gpus}"
        )


def _smaller(most: str, *, fits: bool) -> str:
    return (
        f"write at most {most}, a smaller guarantee, or larger instance types"
        if fits
        else "choose larger instance types, or a smaller max_pods"
    )


def derived_profiles_fit(pools: Pools, hubs: Hubs) -> Iterator[Problem]:
    """Where a hub has no profiles of its own, one can be derived from each of its pools: the
    nodes have room for a server.
    """
    for hub in hubs.values():
        for name, pool in pools.user.items():
            if hub.profiles or (hub.pools and name not in hub.pools):
                continue
            kinds = pool.types
            share = server_room(kinds, pool.max_pods).memory_mib // max(kinds[0].gpus, 1)
            if share < _LEAST_SERVER_MIB:
                yield Problem(
                    path=f"pools.{name}.instance_types",
                    what=(
                        f"have {max(share, 0)} MiB left for a server, after the kubelet and what"
                        " runs on every node"
                    ),
                    fix=(
                        f"use larger types (a smaller max_pods than {pool.max_pods} helps too), or"
                        " give hubs profiles and pools of their own"
                    ),
                )


def nothing_shared(homes: Homes, hubs: Hubs) -> Iterator[Problem]:
    """No two hubs have one node port, one host name, one local port, or one directory of homes."""
    claims: dict[tuple[str, object], str] = {}
    for name, hub in sorted(hubs.items()):
        for what, option, value in _claims(name, hub, homes):
            other = claims.setdefault((what, value), name)
            if other != name:
                fix = (
                    "give one of them another, by node_port"
                    if what == "node port"
                    else "give one of them another"
                )
                yield Problem(
                    path=f"hubs.{name}.{option}",
                    what=f"is the {what} of hub {other} too (got {shown(value)})",
                    fix=fix,
                )


def _claims(name: str, hub: Hub, homes: Homes) -> Iterator[tuple[str, str, object]]:
    port = node_port(name, hub)
    if port is not None:
        yield "node port", "entry.node_port", port
    if isinstance(hub.entry, (LoadBalancerEntry, NodePortEntry)):
        yield "host name", "entry.hostname", hub.entry.hostname
    else:
        yield "local port", "entry.local_port", hub.entry.local_port
    if isinstance(homes, GIVEN_HOMES):
        yield "home directory", "home_directory", hub.home_directory


def directories_mean_something(homes: Homes, hubs: Hubs) -> Iterator[Problem]:
    """A directory is only named where homes are directories."""
    if isinstance(homes, DIRECTORY_HOMES):
        return
    for name, hub in hubs.items():
        if "home_directory" in hub.model_fields_set:
            fix = "remove it; it is for the kinds efs, nfs and efs_access_point"
            yield Problem(
                path=f"hubs.{name}.home_directory",
                what=f"means nothing with homes.kind: {homes.kind}",
                fix=fix,
            )


def trial_stays_small(hubs: Hubs) -> Iterator[Problem]:
    """One password for everybody never faces the whole internet."""
    for name, hub in hubs.items():
        if (
            isinstance(hub.sign_in, SharedPasswordSignIn)
            and isinstance(hub.entry, LoadBalancerEntry)
            and hub.entry.public
        ):
            yield Problem(
                path=f"hubs.{name}.sign_in.kind",
                what="is shared_password on a hub that the whole internet reaches",
                fix="choose another kind of sign-in, or list the networks that may come in",
            )
