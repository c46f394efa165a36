"""`auth` of charts before 0.10 and `hub.config` of those after, as `sign_in`. It may let in fewer
users than the old hub, and never others.

Sources: zero-to-jupyterhub's changelog (0.10 moved `auth` to `hub.config`), ldapauthenticator 1.3
and 2.0 (use_ssl, tls_strategy, use_lookup_dn_username), oauthenticator 14 to 17 (whitelists became
allowed_*, userdata_params, claim_groups_key; from 16 on a user comes in by a list or by a group,
before by both at once), and the endpoints in oauthenticator's google.py, auth0.py and gitlab.py,
and in what Google and Microsoft publish as openid-configuration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from jupyterhub_aws.adopt.z2jh.sign_in_institutions import cilogon, entra, google, lti
from jupyterhub_aws.adopt.z2jh.sign_in_kinds import (
    NEWER,
    FoundAuthenticator,
    Traits,
    auth0,
    authenticator_of,
    github,
    gitlab,
    ldap,
    oidc,
)
from jupyterhub_aws.adopt.z2jh.taken import NARROWING, Taking
from jupyterhub_aws.config.sign_in_common import PATTERNS
from jupyterhub_aws.config.stack_text import fill, plain

_OWN = "the stack makes its own, and keeps it"
#: Traits of the base class that mean the same with every kind of sign-in: they stay, under
#: `hub.config.Authenticator`.
_EVERYWHERE = "blocked_users username_map auto_login auth_refresh_age refresh_pre_spawn".split()
#: Traits that follow from the kind of sign-in here.
_FOLLOWS = (
    "enable_auth_state", "manage_groups", "oauth_callback_url", "callbackUrl", "populate_teams_in_auth_state", "any_allow_config", "userdata_from_id_token",
)  # fmt: skip
#: Traits of one class that stay under it, where the class is the new hub's too: how the provider is
#: spoken to, never who may come in.
_STAYS: Mapping[str, tuple[str, ...]] = {
    "GenericOAuthenticator": (
        "extra_authorize_params", "userdata_params", "userdata_token_method", "basic_auth", "enable_pkce", "custom_403_message", "token_params",
    ),
    "GitHubOAuthenticator": ("github_url", "github_api", "authorize_url", "token_url", "userdata_url", "enable_pkce", "custom_403_message"),
}  # fmt: skip
_CLASSES = {
    "oidc": "GenericOAuthenticator",
    "github": "GitHubOAuthenticator",
    "ldap": "LDAPAuthenticator",
    "google": "GoogleOAuthenticator",
    "entra": "AzureAdOAuthenticator",
    "cilogon": "CILogonOAuthenticator",
    "lti13": "LTI13Authenticator",
}
_GATES = {
    "ldap": "allowed_groups",
    "oidc": "allowed_groups",
    "github": "allowed_organizations",
    "google": "allowed_domains",
    "entra": "allowed_groups",
    "cilogon": "allowed_groups",
    "lti13": "allowed_groups",
}
_EXAMPLES = {
    "ldap": ["cn=jupyter,ou=groups,dc=example,dc=org"],
    "oidc": ["jupyter"],
    "github": ["example-org"],
    "google": ["example.edu"],
    "entra": ["00000000-0000-0000-0000-000000000000"],
    "lti13": ["instructor", "learner"],
}
#: Charts with oauthenticator 16 (3.0), and with ldapauthenticator 2 (4.0), let users in by a list
#: or by a group.
_EITHER_SINCE = {
    "oidc": 3,
    "github": 3,
    "ldap": 4,
    "google": 3,
    "entra": 3,
    "cilogon": 3,
    "lti13": 3,
}


def sign_in_of(taking: Taking) -> dict[str, Any]:
    """The section. What only the operator knows is marked."""
    found = authenticator_of(taking)
    traits = Traits(taking, found.places)
    makers: Mapping[str, Callable[[Traits], dict[str, Any]]] = {
        "ldap": ldap, "github": github, "oidc": oidc, "entra": entra, "google": google, "cilogon": cilogon, "lti13": lti, "gitlab": gitlab, "auth0": auth0,
        "native": _native, "shared": _shared, "other": _other,
    }  # fmt: skip
    users = _users(traits, taking)
    section = makers[found.kind](traits)
    kind = "oidc" if found.kind in ("gitlab", "auth0") else found.kind
    if found.why is not None:
        section["kind"] = fill(
            "native", f"{found.doubt or found.why}: ldap, oidc, github, cognito or native"
        )
        taking.to_fill_in(
            "hub", "config", "JupyterHub", "authenticator_class", where="sign_in.kind"
        )
        taking.to_fill_in("auth", "type", where="sign_in.kind")
    elif found.doubt is not None:
        section["kind"] = fill(section["kind"], found.doubt)
    listed = _named(section, users, kind, traits)
    if (why := section.pop("_no_administrator", None)) and section.get("administrators"):
        section["administrators"] = fill([], why)
        traits.to_fill_in("admin_users", where="sign_in.administrators")
    _rule_for_names(section, traits)
    _rest(traits, taking, found, kind)
    if kind == "shared" and listed:  # one shared password, and yet a list: the list stays
        for trait, value in (
            ("allowed_users", listed),
            ("allow_all", False),
            ("allow_existing_users", False),
        ):
            taking.put(value, "hub", "config", "Authenticator", trait)
    return require_access_rule(section, kind)


def _users(traits: Traits, taking: Taking) -> dict[str, list[str]]:
    """Administrators and those who may come in, as JupyterHub knows them: in lower case."""
    admins = [
        *traits.texts("admin_users"),
        *taking.texts("auth", "admin", "users"),
        *taking.texts("hub", "config", "JupyterHub", "admin_users"),
    ]
    allowed = traits.texts("allowed_users", "whitelist")
    for old in ("whitelist", "allowlist"):
        allowed += taking.texts("auth", old, "users")
        taking.settle("auth", old, "enabled", why="who may come in is always listed")
    enters = "the chart's own: administrators may enter users' servers"
    keeps = "the stack decides whether the hub keeps what a provider said"
    for name in ("admin", "state"):
        taking.settle("auth", name, "access", why=enters)
        taking.settle("auth", name, "enabled", why=keeps)
    taking.drop_all("auth", "state", "cryptoKey", why=_OWN)
    names = {"administrators": admins, "allowed_users": allowed}
    return {
        key: list(dict.fromkeys(name.strip().lower() for name in found))
        for key, found in names.items()
    }


def _named(
    section: dict[str, Any], users: Mapping[str, list[str]], kind: str, traits: Traits
) -> list[str]:
    """Who is listed by name; and the groups beside the list, of which an old hub wanted both at
    once. Returns a list that the section has no option for.
    """
    # Users may get other names than they had: then the old names mean nothing, or another user.
    calls = section.pop("_calls", list)
    for option, names in (
        ("administrators", ("admin_users",)),
        ("allowed_users", ("allowed_users", "whitelist")),
    ):
        found = calls(users[option])
        if users[option] and not found:
            section[option] = fill(
                [],
                f"the old hub knew them by other names ({', '.join(users[option])[:80]}): write the"
                " new ones",
            )
            traits.to_fill_in(*names, where=f"sign_in.{option}")
        elif len(found) < len(users[option]):
            others = ", ".join(name for name in users[option] if name not in found)[:80]
            section[option] = fill(found, f"the old hub also knew {others}: write the new names")
        elif found:
            section[option] = found
    if kind in _GATES:
        _beside_groups(section, kind, traits)
        return []
    allowed: list[str] = section.pop("allowed_users", [])
    if kind == "shared":
        return sorted({*allowed, *section.get("administrators", [])}) if allowed else []
    if allowed:
        why = "an administrator admits users at /hub/authorize"
        traits.drop(("allowed_users", "whitelist"), f"{why}: {len(allowed)} of them", access=False)
        for old in ("whitelist", "allowlist"):
            traits.drop_old(("auth", old, "users"), why)
    if not section.get("administrators"):
        section["administrators"] = fill(["admin"], "who lets users in")
    return []


def _beside_groups(section: dict[str, Any], kind: str, traits: Traits) -> None:
    """A list of users and groups at once: old hubs wanted both, newer ones either."""
    gate, allowed = _GATES[kind], section.get("allowed_users")
    if isinstance(allowed, list) and section.get(gate) and _wanted_both(traits, kind):
        groups = ", ".join(map(str, section.pop(gate)))[:80]
        both = (
            f"charts before {_EITHER_SINCE[kind]}.0 let in who was listed and in {groups}, later"
            f" ones who was either: for that add {gate}"
        )
        section["allowed_users"] = fill(allowed, both)
        traits.to_fill_in(*_GROUP_TRAITS, where="sign_in.allowed_users")


_GROUP_TRAITS = (
    "allowed_groups", "allowedGroups", "allowed_organizations", "github_organization_whitelist", "org_whitelist", "orgWhitelist", "allowed_gitlab_groups",
    "gitlab_group_whitelist",
)  # fmt: skip


def _wanted_both(traits: Traits, kind: str) -> bool:
    """Whether the old hub may have wanted a user to be listed and in a group: unless its chart's
    version, or a trait of a newer one, says otherwise.
    """
    chart = traits.taking.chart
    if chart is not None:
        return int(chart.lstrip("v").split(".")[0]) < _EITHER_SINCE[kind]
    return not any(traits.has(name) for name in NEWER) and not traits.saw_new


def _rule_for_names(section: dict[str, Any], traits: Traits) -> None:
    """`username_pattern` as the narrowest rule here that all who are listed pass; whether it is the
    right one, only the operator can say.
    """
    any_name = section.pop("_any_name", False)
    rules = traits.texts("username_pattern")
    if not rules or "usernames" in section:
        return
    options = ("administrators", "allowed_users")
    listed = [name for option in options for name in plain(section.get(option)) or ()]
    fitting = (
        rule
        for rule, pattern in PATTERNS.items()
        if not any_name and all(re.match(pattern, name) for name in listed)
    )
    note = f"the old rule for names was {rules[0][:60]}: simple, dotted, email or any"
    section["usernames"] = fill(next(fitting, "any"), note)
    traits.to_fill_in("username_pattern", where="sign_in.usernames")


def _rest(traits: Traits, taking: Taking, found: FoundAuthenticator, kind: str) -> None:
    """The other traits of these sections. Those that narrow stay, or are said loudly; those that
    the stack writes by itself never beat it.
    """
    own = _CLASSES.get(kind)
    is_own = own is not None and found.class_name.lower().removeprefix("local") == own.lower()
    for place, name in list(traits.left()):
        path = (*place, name)
        if name in _EVERYWHERE and place[:2] == ("hub", "config"):
            taking.move(path, "hub", "config", "Authenticator", name)
        elif name in _FOLLOWS:
            taking.settle(*path, why="follows from the kind of sign-in")
        elif name in ("allow_all", "allow_existing_users", "open_signup"):
            if taking.flag(*path):
                why = "no user is let in without being named: list groups or users"
                taking.drop(path, why, access=False)
        elif own is not None and is_own and name in _STAYS.get(own, ()):
            taking.move(path, "hub", "config", own, name)
        elif name in NARROWING and taking.look(*path) not in (None, {}, []):
            taking.drop(
                path,
                "kept users out, and no option of this kind of sign-in does: check that all users"
                " who are let in now are meant",
            )
        elif name in ("tls_verify", "validate_server_cert", "disable_ssl_verification"):
            taking.drop_all(*path, why="the provider's certificate is always verified")
        else:
            why = f"is an option of {found.class_name[:60]}, and sign_in says it otherwise or not"
            taking.drop_all(*path, why=f"{why} at all (docs/users-and-sign-in.md)")


def require_access_rule(section: dict[str, Any], kind: str) -> dict[str, Any]:
    """No kind lets unlisted users in: where the old hub let in all who could sign in, the operator
    has to say who may.
    """
    gate = _GATES.get(kind)
    hint, example = section.pop("_who", None), section.pop("_example", "ada@example.org")
    if kind == "cilogon" and hint is None:  # a provider of the section admits its users
        return section
    if gate and not any(plain(section.get(key)) for key in (gate, "allowed_users")):
        if hint is not None:
            section["allowed_users"] = fill([example], hint)
            return section
        who = "who may come in: the old hub let in all users who could sign in"
        section[gate] = fill(_EXAMPLES[kind], who)
        if kind == "oidc":
            claim = fill("groups", "the claim that lists a user's groups")
            section.setdefault("groups_claim", claim)
    return section


def _native(traits: Traits) -> dict[str, Any]:
    names = (
        "check_common_password ask_email_on_signup enable_signup create_users"
        " minimum_password_length allowed_failed_logins seconds_before_next_try"
    )
    why = "the stack has rules of its own for accounts and passwords"
    traits.settle(*names.split(), why=why)
    traits.taking.notes.append(
        "accounts of the old hub's own are in its database: users sign up again, or copy the"
        " database"
    )
    return {"kind": "native"}


def _shared(traits: Traits) -> dict[str, Any]:
    for name in ("password", "user_password", "admin_password"):
        traits.drop_each((name,), _OWN)
    traits.taking.drop_all("auth", "dummy", "password", why=_OWN)
    why = "there is one password, and one server for a name"
    traits.settle("force_new_server", "password_groups", why=why)
    return {"kind": "shared_password"}


def _other(traits: Traits) -> dict[str, Any]:
    del traits
    return {"kind": "native"}
