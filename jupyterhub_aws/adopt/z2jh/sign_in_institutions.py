"""Sign-in as institutions have it: what classes of oauthenticator and ltiauthenticator say, as
`sign_in.kind` google, entra, cilogon or lti13.

Sources: oauthenticator's google.py, azuread.py and cilogon.py (`hosted_domain` alone admitted all of
its users before 16.0, charts before 3.0; `allowed_idps` became `idps` in 17.4), ltiauthenticator
1.6 (lti13/auth.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.z2jh.sign_in_kinds import Traits, client
from jupyterhub_aws.config.sign_in_cilogon import ENTITY, PUBLIC, SHORT, WITH_DOMAIN
from jupyterhub_aws.config.sign_in_common import CLIENT, DOMAIN, PUBLIC_DOMAINS, URL
from jupyterhub_aws.config.sign_in_entra import ANY_TENANT
from jupyterhub_aws.config.sign_in_lti import ISSUER, USERNAME
from jupyterhub_aws.config.stack_text import fill, plain

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NO_TENANT = "00000000-0000-0000-0000-000000000000"
_URLS = ("authorize_url", "token_url", "userdata_url")


def google(traits: Traits) -> dict[str, Any]:
    """Google. With one domain oauthenticator calls users by what is before the @, unless
    `strip_domain` says otherwise.
    """
    named = [name.lower() for name in traits.texts("hosted_domain", "hostedDomain")]
    domains = [name for name in named if is_own_domain(name)]
    if len(domains) < len(named):
        why = "holds what is no domain of yours: list it, or users by name"
        traits.drop(("hosted_domain", "hostedDomain"), why, access=True)
    strip = traits.flag_or_none("strip_domain")
    groups = ("allowed_google_groups", "admin_google_groups", "google_group_whitelist")
    had_groups = any(traits.has(name) for name in groups)
    if had_groups:
        why = "the hub asks Google for no groups: list users by name, or a domain"
        for name in groups:
            traits.drop_each((name,), why)
    for name in ("google_service_account_keys", "gsuite_administrator", "include_nested_groups"):
        traits.drop_each((name,), "the hub asks Google for no groups")
    traits.settle(*_URLS, "google_api_url", why="follows from the provider")
    traits.settle(
        "username_claim", "scope", "login_service", why="users are named by their address"
    )
    section: dict[str, Any] = {"kind": "google", **client(traits)}
    section["_calls"] = lambda names: _addresses(names, section.get("strip_domain"))
    if strip or (strip is None and len(domains) == 1):
        if len(domains) == 1:
            section |= {"strip_domain": domains[0], "_example": "ada"}
        else:
            traits.taking.notes.append(
                "HOMES: users of several domains were called by what is before the @, and two of"
                " them could be one user. Here they are called by their address, and find EMPTY"
                " homes: rename the homes first (jhub homes map)"
            )
    if domains and not had_groups:
        _who_of_domains(traits, section, domains)
    elif not had_groups:
        section["_who"] = "who may come in, by address"
    return section


def _addresses(names: list[str], stripped: str | None) -> list[str]:
    """Names of the old hub as google gives them; others are left out."""
    if stripped is None:
        return [name for name in names if "@" in name]
    own = [name.removesuffix(f"@{stripped}") for name in names]
    return [name for name in own if "@" not in name]


def is_own_domain(name: str) -> bool:
    """Whether a domain can be one of an institution's own."""
    return bool(DOMAIN.fullmatch(name)) and name not in PUBLIC_DOMAINS


def _who_of_domains(traits: Traits, section: dict[str, Any], domains: list[str]) -> None:
    """Every user of a domain came in where the hub said so, or was older than that trait."""
    chart = traits.taking.chart
    old = chart is not None and int(chart.lstrip("v").split(".")[0]) < 3
    if traits.flag("allow_all") or (old and not traits.has("allowed_users")):
        section["allowed_domains"] = domains
        return
    where = ", ".join(domains)[:80]
    if "strip_domain" not in section:
        traits.drop(
            ("hosted_domain", "hostedDomain"),
            f"users of {where} are to be listed by name, or all of them by allowed_domains",
            access=True,
        )
    section["_who"] = f"who may come in; for all users of {where} write allowed_domains instead"


def entra(traits: Traits) -> dict[str, Any]:
    """Microsoft Entra ID, by its tenant."""
    tenant = traits.first("tenant_id", "tenantId") or ""
    known = _GUID.fullmatch(tenant) and tenant.lower() not in ANY_TENANT
    claim = traits.first("username_claim", "username_key", "usernameKey")
    claims = traits.texts("auth_state_groups_key", "claim_groups_key", "user_groups_claim")
    named = {item.rpartition(".")[2] for item in claims}
    allowed = traits.texts("allowed_groups", "allowedGroups")
    admins = traits.texts("admin_groups", "adminGroups")
    traits.settle(*_URLS, "graph_url", "scope", "login_service", why="follows from the tenant")
    section: dict[str, Any] = {
        "kind": "entra",
        **client(traits),
        "tenant_id": (
            tenant.lower()
            if known
            else fill(_NO_TENANT, "your tenant's id: without it accounts of any tenant would do")
        ),
    }
    if not known:
        traits.to_fill_in("tenant_id", "tenantId", where="sign_in.tenant_id")
    if claim in ("preferred_username", "upn", "oid"):
        section["username_claim"] = claim
    else:
        doubt = (
            f"the old hub called users by `{claim or 'name'}`, which they may change; homes are"
            " named so: with another claim users find EMPTY homes (jhub homes map)"
        )
        section["username_claim"] = fill("preferred_username", doubt)
        section["_calls"] = lambda names: [name for name in names if "@" in name]
        traits.to_fill_in(
            "username_claim", "username_key", "usernameKey", where="sign_in.username_claim"
        )
    if named == {"roles"}:
        section["groups_claim"] = "roles"
    elif named - {"groups"}:
        why = "groups are read from groups (object ids) or roles (app roles)"
        names = ("auth_state_groups_key", "claim_groups_key", "user_groups_claim")
        traits.drop(names, why, access=True)
    for option, groups in (("allowed_groups", allowed), ("admin_groups", admins)):
        if groups:
            section[option] = groups if named == {"roles"} else _object_ids(groups)
    return section


def _object_ids(groups: list[str]) -> Any:
    known = [name.lower() for name in groups if _GUID.fullmatch(name)]
    if len(known) == len(groups):
        return known
    others = ", ".join(name for name in groups if not _GUID.fullmatch(name))[:80]
    return fill(known or [_NO_TENANT], f"the object ids of {others}")


def cilogon(traits: Traits) -> dict[str, Any]:
    """CILogon, with its identity providers as the stack file has them."""
    taking = traits.taking
    providers: dict[str, Any] = {}
    for place in traits.places:
        for name in ("idps", "allowed_idps"):
            said = taking.look(*place, name)
            if not isinstance(said, Mapping) or not said:
                continue
            for entity, found in said.items():
                if all(item["_entity"] != entity for item in providers.values()):
                    providers[_short(str(entity), providers)] = _provider(str(entity), found)
            taking.settle(*place, name, why="identity_providers says the same")
    traits.settle(*_URLS, "cilogon_host", "scope", "login_service", why="follows from the provider")
    names = (
        "shown_idps idp idp_whitelist strip_idp_domain additional_username_claims username_claim"
    )
    for name in names.split():
        traits.drop_each((name,), "identity_providers says who may vouch for which names")
    section: dict[str, Any] = {"kind": "cilogon", **client(traits)}
    if providers:
        _names_apart(providers)
        section["identity_providers"] = providers
        section["_any_name"] = any("prefix" in item for item in providers.values())
    else:
        example = {"home": {"entity_id": "urn:mace:incommon:example.edu", "all_users": True}}
        note = "the providers that may vouch for users: the old hub accepted every one of CILogon's"
        section["identity_providers"] = fill(example, note)
    prefixes = {plain(item.get("prefix")) for item in providers.values()} or {None}
    section["_calls"] = lambda names: [
        name
        for name in names
        if name.count(":") < 2 and (name.rpartition(":")[0] or None) in prefixes
    ]
    open_to = any(
        plain(item.get("all_users")) or item.get("allowed_domains") for item in providers.values()
    )
    if providers and not open_to:
        section["_who"] = "who may come in, by name, with the prefix of their provider"
        prefix = plain(next(iter(providers.values())).get("prefix"))
        section["_example"] = f"{prefix}:ada" if prefix else "ada@example.org"
    return section


def _short(entity: str, taken: Mapping[str, Any]) -> str:
    """A short name for a provider: the host or the last word of its entity id."""
    words = re.sub(r"\Ahttps?://|\Aurn:(mace:incommon:)?", "", entity).partition("/")[0].lower()
    name = re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:28].strip("-") or "provider"
    count = 2
    found = name
    while found in taken:
        found, count = f"{name}-{count}", count + 1
    return found


def _provider(entity: str, said: Any) -> dict[str, Any]:
    said = said if isinstance(said, Mapping) else {}
    derived = said.get("username_derivation")
    derived = derived if isinstance(derived, Mapping) else {}
    claim = str(derived.get("username_claim") or "an unnamed claim")
    known = claim in ("eppn", "email", "preferred_username")
    found: dict[str, Any] = {"_entity": entity, "entity_id": entity}
    if not ENTITY.fullmatch(entity):
        found["entity_id"] = fill(
            "urn:mace:incommon:example.edu", f"EntityID of the provider: it was {entity[:60]}"
        )
    found["username_claim"] = (
        claim
        if known
        else fill("eppn", f"the old hub called users by {claim[:40]}: they find EMPTY homes")
    )
    action, with_domain = derived.get("action"), plain(found["username_claim"]) in WITH_DOMAIN
    if action == "prefix":
        prefix = str(derived.get("prefix", ""))
        note = f"letters, digits and dashes; it was {prefix[:40]}: users find EMPTY homes"
        found["prefix"] = prefix if SHORT.fullmatch(prefix) else fill("prefix", note)
    domain = str(derived.get("domain", "")).lower().lstrip("@")
    if action == "strip_idp_domain" and with_domain and is_own_domain(domain):
        found["strip_domain"] = domain
    if said.get("allow_all"):
        note = "every user of the internet has an account there: list users or domains"
        found["all_users"] = fill(False, note) if PUBLIC.match(entity) else True
    domains = [str(item).lower() for item in said.get("allowed_domains") or ()]
    plain_ones = [item for item in domains if is_own_domain(item)]
    if domains and not said.get("allow_all") and with_domain:
        note = "patterns are left out: list each domain"
        found["allowed_domains"] = (
            plain_ones if plain_ones == domains else fill(plain_ones or ["example.edu"], note)
        )
    return found


def _names_apart(providers: dict[str, Any]) -> None:
    """Two providers that could give one name get prefixes, all but the first: the old hub did not
    tell their users apart.
    """
    for item in providers.values():
        del item["_entity"]
    bare = [name for name, item in providers.items() if "prefix" not in item]
    stripped = [name for name in bare if "strip_domain" in providers[name]]
    all_eppn = all(plain(providers[name]["username_claim"]) == "eppn" for name in bare)
    if len(bare) > 1 and (not all_eppn or len(stripped) > 1):
        for name in bare[1:]:
            providers[name].pop("strip_domain", None)
            note = f"users of {name} and {bare[0]} could get one name: with it EMPTY homes"
            providers[name]["prefix"] = fill(name, note)
    taken: set[str] = set()
    for name, item in providers.items():
        prefix = plain(item.get("prefix"))
        if prefix in taken:
            item["prefix"] = fill(
                name, f"another provider has the prefix {prefix} too: EMPTY homes"
            )
        if prefix is not None:
            taken.add(plain(item["prefix"]))


def lti(traits: Traits) -> dict[str, Any]:
    """LTI 1.3. Roles and courses are new: the old hub admitted every user of the platform."""
    section: dict[str, Any] = {"kind": "lti13"}
    for option, trait, example in (
        ("issuer", "issuer", "https://lms.example.edu"),
        ("authorize_url", "authorize_url", "https://lms.example.edu/authorize"),
        ("jwks_url", "jwks_endpoint", "https://lms.example.edu/jwks"),
    ):
        found = traits.first(trait)
        good = found is not None and (ISSUER if option == "issuer" else URL).fullmatch(found)
        section[option] = found if good else fill(example, "from the platform's page of the tool")
        if not good:
            traits.to_fill_in(trait, where=f"sign_in.{option}")
    ids = traits.texts("client_id")
    known = [item for item in ids if CLIENT.fullmatch(item)]
    section["client_ids"] = (
        known
        if known and len(known) == len(ids)
        else fill(known or ["client-id"], "client ids that the platform gave")
    )
    claim = traits.first("username_key", "username_claim") or "email"
    if USERNAME.fullmatch(claim):
        section["username_claim"] = claim
        if claim == "email":
            section["_no_administrator"] = (
                "users of many platforms can edit their address: write admin_groups, such as"
                " course:ID:instructor"
            )
    else:
        note = f"the old hub called users by {claim[:40]}, which they can change: EMPTY homes"
        section["username_claim"] = fill("sub", note)
    why = "the stack says it, or shows it nowhere"
    traits.settle("uri_scheme", "tool_name", "tool_description", "jwks_algorithms", why=why)
    return section
