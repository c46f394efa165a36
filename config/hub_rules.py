"""The rules between hubs and the rest of a stack, and among hubs: errors that would otherwise
appear only when a user starts a server.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterator, Mapping

from jupyterhub_aws.config.database import MemoryDatabase, SqliteDatabase
from jupyterhub_aws.config.entry import (
    FIRST_NODE_PORT,
    LAST_NODE_PORT,
    AcmTls,
    LoadBalancerEntry,
    NodePortEntry,
    PortForwardEntry,
)
from jupyterhub_aws.config.errors import Problem, Rules, did_you_mean, shown
from jupyterhub_aws.config.homes import DIRECTORY_HOMES, GIVEN_HOMES, EfsHomesSection, Homes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.network import AnyNetwork
from jupyterhub_aws.config.node_size import server_room
from jupyterhub_aws.config.pools import AnyUserPool, ExistingNodePool, Pools
from jupyterhub_aws.config.profiles import Profile, Share, shares
from jupyterhub_aws.config.sign_in import (
    GitHubSignIn,
    LdapSignIn,
    NativeSignIn,
    SharedPasswordSignIn,
    SignIn,
    is_dn,
)
from jupyterhub_aws.config.sign_in_rules import launches_are_encrypted
from jupyterhub_aws.config.unlisted_image import UnlistedImage
from jupyterhub_aws.config.volumes import shared_mount

Hubs = Mapping[str, Hub]
#: Profiles are derived from pools in steps of this size: with less memory no profile can be
#: derived.
_LEAST_SERVER_MIB = 512
#: The least that the hub's chart accepts for a server (config/profiles.py).
_LEAST_CORES = 0.1


def node_port(name: str, hub: Hub) -> int | None:
    """Port of the core nodes on which a hub's proxy answers; None where nothing is exposed.

    A port that is not given is derived from the hub's name alone, so that it does not change when a
    hub is added.
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
                id="database.zones",
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
                    id="profile.pool",
                    path=f"hubs.{hub_name}.profiles.{profile_name}.pool",
                    what=f"is not among the pools of this hub (got {shown(profile.pool)})",
                    fix=f"add it to hubs.{hub_name}.pools, or choose from {', '.join(hub.pools)}",
                )
        if not pools.user:
            yield Problem(
                id="profile.no-pool",
                path=f"hubs.{hub_name}",
                what="has no pool for users' servers",
                fix="add a user pool under pools",
            )


def _no_pool(path: str, pool: str, known: list[str]) -> Problem:
    others = (
        f"choose from {', '.join(known)}" if known else "add a user pool of that name under pools"
    )
    return Problem(
        id="profile.pool",
        path=path,
        what=f"is not a user pool of this stack (got {shown(pool)})",
        fix=did_you_mean(pool, known, others),
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
            id="profile.gpus-missing",
            path=path,
            what=f"asks for {wanted} in pool {name}, which has {there}",
            fix="choose a GPU pool, or fewer of them",
        )
    if have and not asked:
        what = (
            f"asks for no GPU in the GPU pool {name}: you would pay for GPUs that no server can use"
        )
        yield Problem(
            id="profile.gpus-unused",
            path=path,
            what=what,
            fix="write gpus: 1, or choose another pool",
        )


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
            id="profile.memory-too-large",
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
            id="profile.cpu-too-large",
            path=f"{path}cpu",
            what=f"{what}: it would never start",
            fix=_smaller(most, fits=cores > 0),
        )


def _division_works(
    path: str, profile: Profile, share: Share, pool: AnyUserPool
) -> Iterator[Problem]:
    users, have = profile.users_per_node or 1, pool.types[0].gpus
    if share.memory_guarantee_mib < _LEAST_SERVER_MIB or share.cpu_guarantee < _LEAST_CORES:
        what = (
            f"leaves each of {users} users {share.memory_guarantee_mib:g} MiB and"
            f" {share.cpu_guarantee:g} cores of a node of pool {profile.pool}"
        )
        yield Problem(
            id="profile.share-too-small",
            path=f"{path}.users_per_node",
            what=what,
            fix="write fewer users, or choose larger instance types",
        )
    if share.gpus and share.gpus <= have < users * share.gpus:
        what = (
            f"wants {users * share.gpus} GPUs for {users} users, but a node of pool"
            f" {profile.pool} has {have}"
        )
        yield Problem(
            id="profile.gpus-too-few",
            path=f"{path}.users_per_node",
            what=what,
            fix=f"write at most {have // share.gpus}",
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
                    id="pool.too-small",
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
                    id="hubs.shared-value",
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
                id="homes.directory-unused",
                path=f"hubs.{name}.home_directory",
                what=f"means nothing with homes.kind: {homes.kind}",
                fix=fix,
            )


def trial_stays_small(hubs: Hubs) -> Iterator[Problem]:
    """A shared password is never allowed on a hub that faces the whole internet."""
    for name, hub in hubs.items():
        if (
            isinstance(hub.sign_in, SharedPasswordSignIn)
            and isinstance(hub.entry, LoadBalancerEntry)
            and hub.entry.public
        ):
            yield Problem(
                id="sign-in.shared-password-public",
                path=f"hubs.{name}.sign_in.kind",
                what="is shared_password on a hub that the whole internet reaches",
                fix="choose another kind of sign-in, or list the networks that may come in",
            )


# --- Rules between sign-in, profiles and homes: what would lock users out, let strangers in, or
# show a user an empty home.


def names_follow_the_rule(hubs: Hubs) -> Iterator[Problem]:
    """Users that are listed by name have a name that may sign in."""
    for name, hub in hubs.items():
        pattern = hub.sign_in.username_pattern
        if pattern is None:
            continue
        for option in ("administrators", "allowed_users"):
            for index, user in enumerate(getattr(hub.sign_in, option, ())):
                if not re.match(pattern, user):
                    what = (
                        f"is no name that usernames: {hub.sign_in.usernames} lets in (got"
                        f" {shown(user)})"
                    )
                    yield Problem(
                        id="sign-in.user-name-excluded",
                        path=f"hubs.{name}.sign_in.{option}[{index}]",
                        what=what,
                        fix="widen usernames (dotted, email, any), or correct the name",
                    )


def unlisted_images(name: str, hub: Hub) -> Iterator[tuple[str, UnlistedImage]]:
    """Every free choice of a hub's images, with the path of its section."""
    if hub.unlisted_image is not None:
        yield f"hubs.{name}.unlisted_image", hub.unlisted_image
    for profile_name, profile in sorted(hub.profiles.items()):
        if profile.unlisted_image is not None:
            yield f"hubs.{name}.profiles.{profile_name}.unlisted_image", profile.unlisted_image


def groups_are_known(hubs: Hubs) -> Iterator[Problem]:
    """What is for some groups, a profile or a free choice of the image, needs a sign-in that knows
    groups, and names them as the sign-in does.
    """
    for name, hub in hubs.items():
        limits: list[tuple[str, Profile | UnlistedImage]] = [
            (f"hubs.{name}.profiles.{key}", profile) for key, profile in hub.profiles.items()
        ]
        limits += unlisted_images(name, hub)
        for section, limited in limits:
            yield from group_problems(
                hub.sign_in, f"{section}.groups", limited.groups, "no user would get it"
            )


def group_problems(
    sign_in: SignIn, path: str, groups: Collection[str], otherwise: str
) -> Iterator[Problem]:
    """What is wrong with a list of groups under a kind of sign-in; `otherwise` is what would
    happen if it knows of none.
    """
    if groups and not sign_in.groups_known:
        fix = (
            "add sign_in.groups_claim, the claim that lists them"
            if sign_in.kind == "oidc"
            else "choose ldap, oidc, cognito, github, google, entra, cilogon or lti13"
        )
        yield Problem(
            id="groups.unknown-to-sign-in",
            path=path,
            what=f"is for groups, but sign_in.kind {sign_in.kind} knows of none: {otherwise}",
            fix=fix,
        )
        return
    for index, group in enumerate(groups):
        if isinstance(sign_in, LdapSignIn) and not is_dn(group):
            what = f"is not a distinguished name (got {shown(group)})"
            fix = "write it whole, such as cn=gpu,ou=groups,dc=example,dc=org"
            yield Problem(
                id="sign-in.distinguished-name", path=f"{path}[{index}]", what=what, fix=fix
            )
        if refused := sign_in.refused_group(group):
            which, what, fix = refused
            yield Problem(id=which, path=f"{path}[{index}]", what=what, fix=fix)
        if isinstance(sign_in, GitHubSignIn) and ":" not in group:
            what = f"is not a team (got {shown(group)})"
            yield Problem(
                id="groups.not-a-team",
                path=f"{path}[{index}]",
                what=what,
                fix="write organization:team",
            )


def protected_nodes_exist(pools: Pools, hubs: Hubs) -> Iterator[Problem]:
    """A profile on on-demand nodes needs a pool whose on-demand nodes the stack makes."""
    for name, hub in hubs.items():
        for profile_name, profile in hub.profiles.items():
            pool = pools.user.get(profile.pool)
            path = f"hubs.{name}.profiles.{profile_name}.protected"
            if not profile.protected or pool is None:
                continue
            if isinstance(pool, ExistingNodePool):
                what = f"means nothing in pool {profile.pool}, whose nodes the stack does not make"
                yield Problem(
                    id="profile.protected-existing", path=path, what=what, fix="remove it"
                )
            elif pool.capacity == "spot":
                what = f"wants on-demand nodes, and pool {profile.pool} has none (capacity: spot)"
                yield Problem(
                    id="profile.protected-spot",
                    path=path,
                    what=what,
                    fix="write capacity: spot_first, or choose another pool",
                )


def home_names_are_paths(homes: Homes, hubs: Hubs) -> Iterator[Problem]:
    """A home with the user's plain name needs a rule for names: a name with a slash or `..`
    would be another user's directory.
    """
    if not isinstance(homes, DIRECTORY_HOMES):
        return
    for name, hub in hubs.items():
        if "{unescaped_username}" in hub.home_directory and hub.sign_in.username_pattern is None:
            what = "takes names as they are, but sign_in.usernames lets any in"
            yield Problem(
                id="homes.directory-names",
                path=f"hubs.{name}.home_directory",
                what=what,
                fix="write sign_in.usernames: simple, dotted or email; or use {safe_username}",
            )


def shared_directories_have_a_place(homes: Homes, hubs: Hubs) -> Iterator[Problem]:
    """Shared directories need a file system that servers share, and no two volumes have the same
    mount path.
    """
    for name, hub in hubs.items():
        if hub.shared_directories and not isinstance(homes, DIRECTORY_HOMES):
            what = f"needs a file system that servers share, and homes.kind is {homes.kind}"
            yield Problem(
                id="shared-directories.homes",
                path=f"hubs.{name}.shared_directories",
                what=what,
                fix="use volumes with a claim that many can read, or homes of kind efs or nfs",
            )
        taken: dict[str, str] = {}
        places = [
            (f"shared_directories.{key}", shared_mount(key, item))
            for key, item in sorted(hub.shared_directories.items())
        ]
        places += [(f"volumes.{key}", item.mount_path) for key, item in sorted(hub.volumes.items())]
        for path, place in places:
            other = taken.setdefault(place, path)
            if other != path:
                yield Problem(
                    id="shared-directories.mount-path-twice",
                    path=f"hubs.{name}.{path}.mount_path",
                    what=f"is the mount path of {other} too (got {place})",
                    fix="give one of them another",
                )


def certificates_are_near(region: str, hubs: Hubs) -> Iterator[Problem]:
    """A balancer takes certificates of its own region only (ACM user guide, "Supported
    Regions").
    """
    for name, hub in hubs.items():
        tls = getattr(hub.entry, "tls", None)
        if not isinstance(tls, AcmTls) or tls.certificate_arn is None or not region:
            continue
        there = tls.certificate_arn.split(":")[3]
        if there != region:
            what = f"is in {there}, and the hub's balancer in {region}"
            yield Problem(
                id="tls.certificate-region",
                path=f"hubs.{name}.entry.tls.certificate_arn",
                what=what,
                fix=f"request or import one in {region}",
            )


def adopted_homes_have_one_hub(homes: Homes, hubs: Collection[str]) -> Iterator[Problem]:
    """Adopted homes are those of one hub: a second hub would give the same users the same files
    under its own scheme of names.
    """
    if isinstance(homes, EfsHomesSection) and homes.adopted is not None and len(hubs) != 1:
        what = f"are the homes of one hub, and the stack has {len(hubs)}"
        yield Problem(
            id="homes.adopted-several-hubs",
            path="homes.adopted",
            what=what,
            fix="keep one hub in this stack, and move the others to one of their own",
        )


def accounts_are_kept(hubs: Hubs) -> Iterator[Problem]:
    """The hub's own accounts are in its database."""
    for name, hub in hubs.items():
        if isinstance(hub.sign_in, NativeSignIn) and isinstance(hub.database, MemoryDatabase):
            what = "is lost at every restart, and the accounts of sign_in.kind: native are in it"
            yield Problem(
                id="database.accounts-lost",
                path=f"hubs.{name}.database.kind",
                what=what,
                fix="choose sqlite or postgres",
            )


USER_RULES: Rules = (
    (("hubs",), names_follow_the_rule),
    (("hubs",), groups_are_known),
    (("hubs",), launches_are_encrypted),
    (("pools", "hubs"), protected_nodes_exist),
    (("homes", "hubs"), home_names_are_paths),
    (("homes", "hubs"), shared_directories_have_a_place),
    (("hubs",), accounts_are_kept),
    (("homes", "hubs"), adopted_homes_have_one_hub),
    (("region", "hubs"), certificates_are_near),
)

#: All of them, each with the sections that it needs.
RULES: Rules = (
    (("network", "pools", "hubs"), volumes_stay_near),
    (("pools", "hubs"), pools_exist),
    (("pools", "hubs"), profiles_fit),
    (("pools", "hubs"), derived_profiles_fit),
    (("homes", "hubs"), nothing_shared),
    (("homes", "hubs"), directories_mean_something),
    (("hubs",), trial_stays_small),
    *USER_RULES,
)
