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
from jupyterhub_aws.config.stack_text import fill

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NO_TENANT = "00000000-0000-0000-0000-000000000000"
_URLS = ("authorize_url", "token_url", "userdata_url")


def google(traits: Traits) -> dict[str, Any]:
    """Google. With one domain oauthenticator calls users by what is before the @, unless
    `strip_domain` says otherwise.
    """
    domains = [name.lower() for name in traits.texts("hosted_domain", "hostedDomain")]
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
    if strip or (strip is None and len(domains) == 1):
        if len(domains) == 1:
            section |= {"strip_domain": domains[0], "_example": "ada"}
        else:
            traits.taking.notes.append(
                "HOMES: users of several domains were called by what is before the @, and two of"
                " them could be one user. Here they are called by their address, and find EMPTY"
                " homes: rename the homes first (jhub homes map)"
            )
            section["_calls"] = lambda names: [name for name in names if "@" in name]
    if domains and not had_groups:
        _who_of_domains(traits, section, domains)
    elif not had_groups:
        section["_who"] = "who may come in, by address"
    return section


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
    known = _GUID.fullmatch(tenant)
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
    section |= {"groups_claim": "roles"} if named == {"roles"} else {}
    section |= {"allowed_groups": allowed} if allowed else {}
    return {**section, **({"admin_groups": admins} if admins else {})}


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
        section["identity_providers"] = providers
    else:
        example = {"home": {"entity_id": "urn:mace:incommon:example.edu", "all_users": True}}
        note = "the providers that may vouch for users: the old hub accepted every one of CILogon's"
        section["identity_providers"] = fill(example, note)
    open_to = any(
        item.get("all_users") or item.get("allowed_domains") for item in providers.values()
    )
    if providers and not open_to:
        section["_who"] = "who may come in, by name, with the prefix of their provider"
        prefix = next(iter(providers.values())).get("prefix")
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
    found: dict[str, Any] = {"entity_id": entity}
    found["username_claim"] = (
        claim
        if claim in ("eppn", "email", "preferred_username")
        else fill("eppn", f"the old hub called users by {claim[:40]}: they find EMPTY homes")
    )
    action = derived.get("action")
    if action == "prefix":
        found["prefix"] = str(derived.get("prefix", "")).lower()
    if action == "strip_idp_domain":
        found["strip_domain"] = str(derived.get("domain", "")).lower().lstrip("@")
    if said.get("allow_all"):
        found["all_users"] = True
    domains = [str(item).lower() for item in said.get("allowed_domains") or ()]
    plain = [item for item in domains if not re.search(r"[*?\[]", item)]
    if domains and not said.get("allow_all"):
        note = "patterns are left out: list each domain"
        found["allowed_domains"] = (
            plain if plain == domains else fill(plain or ["example.edu"], note)
        )
    return found


def lti(traits: Traits) -> dict[str, Any]:
    """LTI 1.3. Roles and courses are new: the old hub admitted every user of the platform."""
    section: dict[str, Any] = {"kind": "lti13"}
    for option, trait, example in (
        ("issuer", "issuer", "https://lms.example.edu"),
        ("authorize_url", "authorize_url", "https://lms.example.edu/authorize"),
        ("jwks_url", "jwks_endpoint", "https://lms.example.edu/jwks"),
    ):
        found = traits.first(trait)
        good = found is not None and found.startswith("https://")
        section[option] = found if good else fill(example, "from the platform's page of the tool")
        if not good:
            traits.to_fill_in(trait, where=f"sign_in.{option}")
    ids = traits.texts("client_id")
    section["client_ids"] = ids or fill(["client-id"], "client ids that the platform gave")
    claim = traits.first("username_key", "username_claim") or "email"
    if claim in ("sub", "email") or claim.startswith("custom_"):
        section["username_claim"] = claim
    else:
        note = f"the old hub called users by {claim[:40]}, which they can change: EMPTY homes"
        section["username_claim"] = fill("sub", note)
    why = "the stack says it, or shows it nowhere"
    traits.settle("uri_scheme", "tool_name", "tool_description", "jwks_algorithms", why=why)
    return section
