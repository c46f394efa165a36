"""Who can use the hubs of a plan: how users sign in, which servers they may start, what these may
read and write, and what a user-hour costs.

All is read from what was recorded: the effective values of each release (chart keys, traits and
code), and what the network policy of servers says of their access to AWS. No secret is among it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from jupyterhub_aws.checks.cost_lines import users_per_node
from jupyterhub_aws.checks.hub_values.fault import items
from jupyterhub_aws.checks.placement import POOL_LABEL, UserNodes, user_nodes
from jupyterhub_aws.checks.resources import READ_ERRORS, Resource
from jupyterhub_aws.checks.user_pods import UserPod, hub_of, hub_releases, user_pods
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.specs.server_access import ACCESS_TABLE
from jupyterhub_aws.config.traits import class_of_authenticator, resolve, sections
from jupyterhub_aws.config.tree import at

if TYPE_CHECKING:
    from jupyterhub_aws.plan.plan import Plan

_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_VOLUME = "kubernetes:core/v1:PersistentVolume"
_GPU = "nvidia.com/gpu"
_GIB = 1024**3
#: The provider behind each class of authenticator, and its host where the class decides it. A
#: class stands before those that it is made of.
_PROVIDERS: Mapping[str, tuple[str, str]] = {
    "GitHubOAuthenticator": ("GitHub", "github.com"),
    "GoogleOAuthenticator": ("Google", "accounts.google.com"),
    "AzureAdOAuthenticator": ("Microsoft Entra ID", "login.microsoftonline.com"),
    "CILogonOAuthenticator": ("CILogon", "cilogon.org"),
    "LTI13Authenticator": ("Course (LTI 1.3)", ""),
    "LDAPAuthenticator": ("LDAP directory", ""),
    "NativeAuthenticator": ("Accounts of the hub", ""),
    "SharedPasswordAuthenticator": ("One shared password", ""),
    "GenericOAuthenticator": ("OpenID Connect", ""),
}
#: Kinds without a provider: the hub itself asks for a name and a password.
_BY_THE_HUB = ("NativeAuthenticator", "SharedPasswordAuthenticator")
#: Where a class keeps the address of its provider.
_ADDRESSES = ("authorize_url", "issuer", "server_address")
#: Lists that admit users, as oauthenticator, ldapauthenticator and JupyterHub name them, by what a
#: reader calls their entries.
_ADMITTED: Mapping[str, str] = {
    "allowed_organizations": "organization",
    "allowed_teams": "team",
    "allowed_groups": "group",
    "allowed_google_groups": "group",
    "allowed_domains": "domain",
    "allowed_scopes": "scope",
    "allowed_users": "user",
}
_ADMINISTRATORS: Mapping[str, str] = {"admin_groups": "group", "admin_users": "user"}

_Use = Literal["read", "read and write"]


@dataclass(frozen=True, kw_only=True)
class SignInFacts:
    """How users of a hub sign in. `admitted` and `administrators` are in words, a phrase for each
    list; `password`: the hub itself asks for one.
    """

    provider: str
    host: str
    admitted: tuple[str, ...]
    administrators: tuple[str, ...]
    password: bool = False


@dataclass(frozen=True, kw_only=True)
class ServerSize:
    """Cores, bytes of memory and GPUs of a server; None where there is no such bound."""

    cores: float | None
    memory: float | None
    gpus: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """Each amount in words, without those that have no bound."""
        found = []
        if self.cores is not None:
            found.append(f"{self.cores:g} core" + ("" if self.cores == 1 else "s"))
        if self.memory is not None:
            found.append(f"{self.memory / _GIB:.4g} GiB")
        if self.gpus:
            found.append(f"{self.gpus} GPU" + ("" if self.gpus == 1 else "s"))
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class ServerOffer:
    """One server that users may start. `groups`: only users in one of them (and administrators);
    empty: every user. `most` is how many of them can run at once when no other server does; None
    where the nodes are not this stack's. Prices are of a user-hour on a full node; `is_elsewhere`:
    reckoned by another region's price of the node, because that of the stack's is not known.
    """

    name: str
    groups: tuple[str, ...]
    guaranteed: ServerSize
    limit: ServerSize
    pool: str
    per_node: int | None
    most: int | None
    spot: Decimal | None
    on_demand: Decimal | None
    is_elsewhere: bool = False


@dataclass(frozen=True, kw_only=True)
class DataAccess:
    """What servers may do in AWS: those of some profiles, of users in a group (empty: of users in
    none of the groups that are named).
    """

    profiles: tuple[str, ...]
    group: str
    allows: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ServerMount:
    """A directory in servers. `groups`: only users in one of them have it; `note` says what holds
    besides.
    """

    path: str
    what: str
    reach: _Use
    groups: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class HubUsers:
    """One hub as its users meet it."""

    name: str
    url: str
    urn: str
    sign_in: SignInFacts
    offers: tuple[ServerOffer, ...]
    access: tuple[DataAccess, ...]
    mounts: tuple[ServerMount, ...]

    @property
    def sentence(self) -> str:
        """The hub in a line, for a terminal."""
        where = self.url or "no address: by a tunnel"
        who = "; ".join(self.sign_in.admitted) or "no user"
        servers = f"{len(self.offers)} server{'' if len(self.offers) == 1 else 's'} to choose from"
        return f"{self.name}: {where}, {self.sign_in.provider} ({who}), {servers}"


def users_of(plan: Plan) -> tuple[HubUsers, ...]:
    """Every hub of a plan, by name."""
    releases = sorted(hub_releases(plan.recording.everything), key=hub_of)
    return tuple(_hub(release, plan) for release in releases)


def _hub(release: Resource, plan: Plan) -> HubUsers:
    values = resolve(effective(release.inputs.get("values", {}))).values
    return HubUsers(
        name=hub_of(release),
        url=str(at(values, "hub", "config", "JupyterHub", "public_url") or ""),
        urn=release.urn,
        sign_in=sign_in_facts(values),
        offers=tuple(_offers(release, values, plan)),
        access=_access(release, values, plan),
        mounts=tuple(_mounts(release, values, plan)),
    )


# --- Sign-in.


def sign_in_facts(values: Mapping[str, Any]) -> SignInFacts:
    """How users sign in, from a hub's effective values."""
    said = at(values, "hub", "config", "JupyterHub", "authenticator_class")
    name = class_of_authenticator(said) or str(said).rpartition(".")[2]
    read = sections(name)
    traits: dict[str, Any] = {}
    for section in reversed(read):
        found = at(values, "hub", "config", section)
        traits |= found if isinstance(found, Mapping) else {}
    kind = next((item for item in (name, *read) if item in _PROVIDERS), "")
    provider, host = _PROVIDERS.get(kind, (name, ""))
    return SignInFacts(
        provider=provider,
        host=host or next(filter(None, (_host(traits.get(key)) for key in _ADDRESSES)), ""),
        admitted=tuple(_admitted(kind, traits)),
        administrators=tuple(_listed(traits, _ADMINISTRATORS)),
        password=kind in _BY_THE_HUB or kind == "LDAPAuthenticator",
    )


def _host(address: object) -> str:
    text = ", ".join(map(str, address)) if isinstance(address, list) else str(address or "")
    return urlsplit(text).hostname or text if "://" in text else text


def _admitted(kind: str, traits: Mapping[str, Any]) -> Iterator[str]:
    if traits.get("allow_all"):
        yield {
            "SharedPasswordAuthenticator": "every user with the password, under any name",
            "NativeAuthenticator": "users with an account that an administrator approved",
        }.get(kind, "every user with an account there")
    institutions = traits.get("idps")
    if isinstance(institutions, Mapping):
        names = at(traits, "provider_names") or {}
        for entity, rules in sorted(institutions.items()):
            who = str(names.get(entity, entity))
            domains = items(at(rules, "allowed_domains"))
            if at(rules, "allow_all"):
                yield f"every user of {who}"
            elif domains:
                yield f"{_counted('domain', domains)} of {who}"
    elif kind == "LTI13Authenticator" and not any(traits.get(key) for key in _ADMITTED):
        yield "users of the course"
    administrators = set(map(str, items(traits.get("admin_users"))))
    shown = {**traits}
    if administrators:  # they are listed among the users too
        listed = map(str, items(traits.get("allowed_users")))
        shown["allowed_users"] = [user for user in listed if user not in administrators]
    yield from _listed(shown, _ADMITTED)


def _listed(traits: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    for trait, noun in names.items():
        found = traits.get(trait)
        entries = sorted(map(str, found)) if isinstance(found, (list, tuple, set)) else []
        if entries:
            yield _counted(noun, entries)


def _counted(noun: str, entries: list[Any]) -> str:
    return f"{noun}{'s' if len(entries) > 1 else ''} {', '.join(map(str, entries))}"


# --- Servers.


def _offers(release: Resource, values: Mapping[str, Any], plan: Plan) -> Iterator[ServerOffer]:
    nodes = list(user_nodes(plan.stack, plan.recording.everything.own))
    groups = _groups_of_profiles(values)
    hours = {
        (hour.profile, hour.pool): hour
        for hour in plan.cost.user_hours
        if hour.hub == hub_of(release)
    }
    for pod in user_pods(release):
        pool = pod.node_selector.get(POOL_LABEL, "")
        mine = [node for node in nodes if node.pool == pool and not node.retiring]
        hour = hours.get((pod.profile, pool))
        yield ServerOffer(
            name=pod.display_name,
            groups=groups.get(pod.profile.partition("/")[0], ()),
            guaranteed=_amounts(pod.requests),
            limit=_amounts(pod.limits),
            pool=pool or "any",
            per_node=users_per_node(pod, mine[0]) if mine else None,
            most=_most(pod, mine),
            spot=None if hour is None else hour.spot,
            on_demand=None if hour is None else hour.on_demand,
            is_elsewhere=hour is not None and plan.prices.is_elsewhere(f"ec2:{hour.type}"),
        )


def _groups_of_profiles(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found = at(values, "custom", "jupyterhubAws", "profileGroups")
    listed = found if isinstance(found, Mapping) else {}
    return {str(slug): tuple(map(str, items(names))) for slug, names in listed.items()}


def _amounts(amounts: Mapping[str, float]) -> ServerSize:
    return ServerSize(
        cores=amounts.get("cpu"),
        memory=amounts.get("memory"),
        gpus=int(amounts.get(_GPU, 0)),
    )


def _most(pod: UserPod, nodes: list[UserNodes]) -> int | None:
    """How many such servers fit on all nodes of the pool together, at its largest."""
    if not nodes or any(node.group is None for node in nodes):
        return None
    return sum(
        users_per_node(pod, node) * int(node.group.inputs.get("maxSize", 0))
        for node in nodes
        if node.group is not None and pod.may_run_on(node.labels)
    )


# --- Data.


def _access(release: Resource, values: Mapping[str, Any], plan: Plan) -> tuple[DataAccess, ...]:
    """What the policy of servers records, with profiles together that allow the same."""
    names = {
        str(at(entry, "slug")): str(at(entry, "display_name") or at(entry, "slug"))
        for entry in items(at(values, "singleuser", "profileList"))
    }
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for profile, rows in _access_table(release, plan).items():
        for group, words in rows.items():
            allows = _joined(list(map(str, words))) or ("nothing",)
            found.setdefault((str(group), allows), []).append(names.get(profile, profile))
    return tuple(
        DataAccess(profiles=tuple(profiles), group=group, allows=allows)
        for (group, allows), profiles in sorted(found.items(), key=lambda item: item[0][0])
    )


def _joined(words: list[str]) -> tuple[str, ...]:
    """Reading and writing of one place in one phrase."""
    found = []
    for phrase in words:
        verb, _, place = phrase.partition(" ")
        if verb == "read" and f"write {place}" in words:
            found.append(f"read and write {place}")
        elif not (verb == "write" and f"read {place}" in words):
            found.append(phrase)
    return tuple(found)


def _access_table(release: Resource, plan: Plan) -> Mapping[str, Mapping[str, list[str]]]:
    for policy in plan.recording.everything.own.of(_POLICY):
        metadata = policy.inputs.get("metadata", {})
        text = at(metadata, "annotations", ACCESS_TABLE)
        if text and metadata.get("namespace") == release.inputs.get("namespace"):
            try:
                table: Mapping[str, Mapping[str, list[str]]] = json.loads(text)
            except READ_ERRORS:
                continue
            return table
    return {}


def _mounts(release: Resource, values: Mapping[str, Any], plan: Plan) -> Iterator[ServerMount]:
    storage = at(values, "singleuser", "storage") or {}
    kind = at(storage, "type")
    home = str(at(storage, "homeMountPath") or "/home/jovyan")
    if kind == "none":
        note = "lost when the server stops"
        yield ServerMount(path=home, what="home", reach="read and write", note=note)
    else:
        what = {
            "static": f"home: {at(storage, 'static', 'subPath') or ''} of the file system of homes",
            "dynamic": f"home: a volume of its own, {at(storage, 'capacity')}",
        }.get(str(kind), "home")
        yield ServerMount(path=home, what=what, reach="read and write")
    written = items(at(values, "custom", "jupyterhubAws", "writtenByAdministrators"))
    volumes = at(storage, "extraVolumes") or {}
    for mount in _named(at(storage, "extraVolumeMounts")):
        path = str(mount.get("mountPath"))
        volume = next(
            (item for item in _named(volumes) if item.get("name") == mount.get("name")), {}
        )
        if path == "/dev/shm":  # noqa: S108 -- shared memory, which is no data of users
            continue
        yield ServerMount(
            path=path,
            what=_volume(volume, mount, release, plan),
            reach="read" if mount.get("readOnly") else "read and write",
            note="administrators write" if path in written else "",
        )
    for entry in items(at(values, "custom", "jupyterhubAws", "groupDirectories")):
        path, what = str(entry.get("mountPath")), "shared directory"
        readers, writers = items(entry.get("readers")), items(entry.get("writers"))
        note = "administrators write" if entry.get("administratorsWrite") else ""
        if writers:
            yield ServerMount(
                path=path,
                what=what,
                reach="read and write",
                groups=tuple(map(str, writers)),
                note=note,
            )
        if readers:
            yield ServerMount(
                path=path, what=what, reach="read", groups=tuple(map(str, readers)), note=note
            )


def _named(listed: object) -> list[Mapping[str, Any]]:
    """The entries of a list, or of a map of the chart's, that are maps."""
    found = listed.values() if isinstance(listed, Mapping) else items(listed)
    return [item for item in found if isinstance(item, Mapping)]


def _volume(
    volume: Mapping[str, Any], mount: Mapping[str, Any], release: Resource, plan: Plan
) -> str:
    if "emptyDir" in volume:
        return "disk of the node, lost when the server stops"
    claim = at(volume, "persistentVolumeClaim", "claimName")
    if claim is None:
        return "shared directory" if mount.get("subPath") else str(mount.get("name"))
    for item in plan.recording.everything.own.of(_VOLUME):
        spec = item.inputs.get("spec", {})
        bound = at(spec, "claimRef") or {}
        if (bound.get("name"), bound.get("namespace")) != (claim, release.inputs.get("namespace")):
            continue
        bucket = at(spec, "csi", "volumeAttributes", "bucketName")
        if bucket:
            options = [str(option) for option in at(spec, "mountOptions") or ()]
            prefix = next((item[7:] for item in options if item.startswith("prefix ")), "")
            return f"s3://{bucket}/{prefix}"
    return f"volume claim {claim}"
