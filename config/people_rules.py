"""Rules between sign-in, profiles and homes: what would lock people out, let others in, or show
somebody an empty home.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from jupyterhub_aws.config.database import MemoryDatabase
from jupyterhub_aws.config.entry import AcmTls
from jupyterhub_aws.config.errors import Problem, shown
from jupyterhub_aws.config.homes import DIRECTORY_HOMES, EfsHomesSection, Homes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.pools import ExistingNodePool, Pools
from jupyterhub_aws.config.sign_in import GitHubSignIn, LdapSignIn, NativeSignIn
from jupyterhub_aws.config.sign_in_directory import is_dn
from jupyterhub_aws.config.volumes import shared_mount

Hubs = Mapping[str, Hub]


def names_follow_the_rule(hubs: Hubs) -> Iterator[Problem]:
    """Whoever is listed by name has a name that may come in."""
    for name, hub in hubs.items():
        pattern = hub.sign_in.username_pattern
        if pattern is None:
            continue
        for option in ("administrators", "allowed_users"):
            for index, person in enumerate(getattr(hub.sign_in, option, ())):
                if not re.match(pattern, person):
                    what = (
                        f"is no name that usernames: {hub.sign_in.usernames} lets in (got"
                        f" {shown(person)})"
                    )
                    yield Problem(
                        path=f"hubs.{name}.sign_in.{option}[{index}]",
                        what=what,
                        fix="widen usernames (dotted, email, any), or correct the name",
                    )


def groups_are_known(hubs: Hubs) -> Iterator[Problem]:
    """A profile for some groups stands with a sign-in that knows groups, and names them as it
    does.
    """
    for name, hub in hubs.items():
        for profile_name, profile in hub.profiles.items():
            path = f"hubs.{name}.profiles.{profile_name}.groups"
            if profile.groups and not hub.sign_in.groups_known:
                fix = (
                    "add sign_in.groups_claim, the claim that lists them"
                    if hub.sign_in.kind == "oidc"
                    else "choose ldap, oidc, cognito or github"
                )
                yield Problem(
                    path=path,
                    what=(
                        f"is for groups, but sign_in.kind {hub.sign_in.kind} knows of none: nobody"
                        " would get it"
                    ),
                    fix=fix,
                )
                continue
            for index, group in enumerate(profile.groups):
                if isinstance(hub.sign_in, LdapSignIn) and not is_dn(group):
                    what, fix = (
                        f"is not a distinguished name (got {shown(group)})",
                        "write it whole, such as cn=gpu,ou=groups,dc=example,dc=org",
                    )
                    yield Problem(path=f"{path}[{index}]", what=what, fix=fix)
                if isinstance(hub.sign_in, GitHubSignIn) and ":" not in group:
                    what = f"is not a team (got {shown(group)})"
                    yield Problem(path=f"{path}[{index}]", what=what, fix="write organization:team")


def protected_nodes_exist(pools: Pools, hubs: Hubs) -> Iterator[Problem]:
    """A protected profile is of a pool that has on-demand nodes, which the stack buys."""
    for name, hub in hubs.items():
        for profile_name, profile in hub.profiles.items():
            pool = pools.user.get(profile.pool)
            path = f"hubs.{name}.profiles.{profile_name}.protected"
            if not profile.protected or pool is None:
                continue
            if isinstance(pool, ExistingNodePool):
                what = f"means nothing in pool {profile.pool}, whose nodes the stack does not buy"
                yield Problem(path=path, what=what, fix="remove it")
            elif pool.capacity == "spot":
                what = f"wants on-demand nodes, and pool {profile.pool} has none (capacity: spot)"
                yield Problem(
                    path=path, what=what, fix="write capacity: spot_first, or choose another pool"
                )


def home_names_are_paths(homes: Homes, hubs: Hubs) -> Iterator[Problem]:
    """A home that is called like its person needs a rule for names: one with a slash or `..`
    would be somebody else's directory.
    """
    if not isinstance(homes, DIRECTORY_HOMES):
        return
    for name, hub in hubs.items():
        if "{unescaped_username}" in hub.home_directory and hub.sign_in.username_pattern is None:
            what = "takes names as they are, but sign_in.usernames lets any in"
            yield Problem(
                path=f"hubs.{name}.home_directory",
                what=what,
                fix="write sign_in.usernames: simple, dotted or email; or use {safe_username}",
            )


def shared_directories_have_a_place(homes: Homes, hubs: Hubs) -> Iterator[Problem]:
    """What people share lies on a file system that they share, and no two volumes are at one
    place.
    """
    for name, hub in hubs.items():
        if hub.shared_directories and not isinstance(homes, DIRECTORY_HOMES):
            what = f"needs a file system that servers share, and homes.kind is {homes.kind}"
            yield Problem(
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
                    path=f"hubs.{name}.{path}.mount_path",
                    what=f"is the place of {other} too (got {place})",
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
                path=f"hubs.{name}.entry.tls.certificate_arn",
                what=what,
                fix=f"request or import one in {region}",
            )


def adopted_homes_have_one_hub(homes: Homes, hubs: Collection[str]) -> Iterator[Problem]:
    """Homes that were there are those of one hub: another would show the same people the same
    files under its own scheme.
    """
    if isinstance(homes, EfsHomesSection) and homes.adopted is not None and len(hubs) != 1:
        what = f"are the homes of one hub, and the stack has {len(hubs)}"
        yield Problem(
            path="homes.adopted",
            what=what,
            fix="keep one hub in this stack, and move the others to one of their own",
        )


def accounts_are_kept(hubs: Hubs) -> Iterator[Problem]:
    """Accounts of the hub's own are in its database."""
    for name, hub in hubs.items():
        if isinstance(hub.sign_in, NativeSignIn) and isinstance(hub.database, MemoryDatabase):
            what = "forgets at every restart, and the accounts of sign_in.kind: native are in it"
            yield Problem(
                path=f"hubs.{name}.database.kind", what=what, fix="choose sqlite or postgres"
            )


RULES: tuple[tuple[tuple[str, ...], Callable[..., Iterator[Problem]]], ...] = (
    (("hubs",), names_follow_the_rule),
    (("hubs",), groups_are_known),
    (("pools", "hubs"), protected_nodes_exist),
    (("homes", "hubs"), home_names_are_paths),
    (("homes", "hubs"), shared_directories_have_a_place),
    (("hubs",), accounts_are_kept),
    (("homes", "hubs"), adopted_homes_have_one_hub),
    (("region", "hubs"), certificates_are_near),
)
