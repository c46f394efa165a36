"""Suggestions by meaning: other programs' names for options, sizes near one that does not exist,
valid forms of names.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from jupyterhub_aws.config.errors import closest
from jupyterhub_aws.config.instance_types import InstanceType, instance_type, instance_types

#: Providers that are OpenID Connect, by the words that JupyterHub's authenticators and their own
#: pages use (oauthenticator 17, docs/source/reference),
#: and where the document with their addresses is (each provider's documentation of its discovery
#: document).
_OIDC = {
    "auth0": ("Auth0", "https://TENANT.auth0.com"),
    "gitlab": ("GitLab", "https://gitlab.com"),
    "globus": ("Globus", "https://auth.globus.org"),
    "keycloak": ("Keycloak", "https://HOST/realms/REALM"),
    "okta": ("Okta", "https://YOURS.okta.com"),
    "shibboleth": ("Shibboleth with its OIDC plugin", "https://HOST"),
}
_GENERIC = ("generic", "genericoauth", "oauth", "oauth2", "openid", "openidconnect", "sso")
#: Words of JupyterHub's authenticators for other kinds of sign-in.
_KINDS = {
    "activedirectory": "ldap", "ad": "ldap", "dummy": "shared_password", "firstuse": "native", "local": "native", "password": "shared_password",
    "nativeauthenticator": "native", "ldapauthenticator": "ldap", "cognitoauth": "cognito",
    "azuread": "entra", "azure": "entra", "entraid": "entra", "microsoft": "entra", "lti": "lti13",
    "gsuite": "google", "workspace": "google", "incommon": "cilogon", "canvas": "lti13", "moodle": "lti13",
}  # fmt: skip
#: Other programs' names of options, with the names and the syntax here. Used only where the model
#: has the option.
_OPTIONS = {
    "admin_users": ("administrators", ""),
    "admins": ("administrators", ""),
    "allowed_teams": ("allowed_organizations", "as organization:team"),
    "teams": ("allowed_organizations", "as organization:team"),
    "organizations": ("allowed_organizations", ""),
    "github_organizations": ("allowed_organizations", ""),
    "users": ("allowed_users", ""),
    "cpu_limit": ("cpu", "the limit; `guarantee` is the share of it that is reserved"),
    "cpu_guarantee": ("guarantee", "the share of `cpu` and `memory` that is reserved"),
    "mem_limit": ("memory", "the limit; `guarantee` is the share of it that is reserved"),
    "memory_limit": ("memory", "the limit; `guarantee` is the share of it that is reserved"),
    "mem_guarantee": ("guarantee", "the share of `cpu` and `memory` that is reserved"),
    "gpu": ("gpus", ""),
    "instance_type": ("instance_types", "a list"),
    "min_size": ("size", "as size: { min: …, max: … }"),
    "max_size": ("size", "as size: { min: …, max: … }"),
    "spot_price": ("max_price", ""),
    "availability_zones": ("zones", ""),
    "azs": ("zones", ""),
    "oauth_redirect_uri": ("oauth", "with redirect_uri"),
    "oauth_no_confirm": ("oauth", "with confirm: false"),
}
_SIZE = re.compile(
    r"(?P<family>[a-z][a-z0-9-]*)\.(?:metal-)?(?P<count>[0-9]*)(?P<word>xlarge|large|medium|small|micro|nano|metal)"
)
_WORDS = {
    "nano": 0.25,
    "micro": 0.5,
    "small": 1.0,
    "medium": 1.0,
    "large": 2.0,
    "xlarge": 4.0,
    "metal": 64.0,
}
_PLACES = 2


def sign_in_kind(value: str, kinds: Collection[str]) -> str | None:
    """What to write for a word that is no kind of sign-in; None for an unknown word, or where
    `kinds` are not those of sign-in.
    """
    if "ldap" not in kinds:
        return None
    word = (
        re.sub(r"[^a-z0-9]", "", value.lower().rpartition(".")[2])
        .removesuffix("oauthenticator")
        .removesuffix("authenticator")
    )
    if found := _OIDC.get(word):
        return (
            f"write kind: oidc: {found[0]} speaks OpenID Connect, its addresses are in"
            f" {found[1]}/.well-known/openid-configuration (docs/users-and-sign-in.md)"
        )
    if word in _GENERIC:
        return (
            "write kind: oidc, with the addresses of your provider's"
            " /.well-known/openid-configuration (docs/users-and-sign-in.md)"
        )
    kind = _KINDS.get(word, word)
    return f"write kind: {kind}" if kind in kinds else None


def several_ways_in(value: object, kinds: Collection[object]) -> tuple[str, str] | None:
    """What to say about a list of sign-ins; None for another value, or where `kinds` are not those
    of sign-in.
    """
    if "ldap" not in kinds or not isinstance(value, list) or not value:
        return None
    return (
        f"lists {len(value)} ways to sign in: the hub's image has no authenticator for several, and"
        " users of two ways could get one name, and one home",
        "choose one kind that joins them: cilogon, or oidc with a provider that does (Keycloak); or"
        " make two hubs",
    )


def option(key: str, known: Collection[str]) -> str | None:
    """The fix for an option that has another name here; None for an unknown word."""
    name, how = _OPTIONS.get(key.lower(), ("", ""))
    return f"write {name}{f', {how}' if how else ''}" if name in known else None


def types(value: str) -> str | None:
    """Instance types near one that does not exist: other sizes of its family, or, for a retired
    family, similar current types.
    """
    match = _SIZE.fullmatch(value.lower())
    known = instance_types()
    guess = closest(value, known, cutoff=0.85)
    if match is None:
        return f"did you mean {guess}?" if guess else None
    wanted = float(match["count"] or 1) * _WORDS[match["word"]]
    family = [
        instance_type(name)
        for name in known
        if name.startswith(f"{match['family']}.") and ".metal" not in name
    ]
    if family:
        if value.lower() in known:
            return f"did you mean {value.lower()}?"
        return f"{match['family']} has no such size; near it: {_listed(_around(family, wanted))}"
    if (
        guess
        and guess.partition(".")[2] == value.lower().partition(".")[2]
        and len(match["family"]) >= 3
        and guess[0] == value.lower()[0]
    ):  # letter, generation, attribute: a slip in one
        return f"did you mean {guess}?"
    letter = match["family"][0]
    like = [
        kind
        for name in known
        if ".metal" not in name and (kind := instance_type(name)).architecture == "x86_64"
    ]
    like = [
        kind
        for kind in like
        if (kind.gpus and letter in "pg")
        or (letter not in "pg" and kind.family == letter and not kind.gpus)
    ]
    cheap = sorted(
        like,
        key=lambda kind: (abs(kind.vcpus - wanted), kind.usd_per_hour or float("inf"), kind.name),
    )[:_PLACES]
    gone = f"the family {match['family']} is not in the table (AWS retired its older ones)"
    return f"{gone}; like it today: {_listed(cheap)}" if cheap else None


def _around(family: list[InstanceType], wanted: float) -> list[InstanceType]:
    """The largest that is smaller, and the smallest that is larger."""
    below = [kind for kind in family if kind.vcpus <= wanted]
    above = [kind for kind in family if kind.vcpus > wanted]
    return [
        *sorted(below, key=lambda kind: kind.vcpus)[-1:],
        *sorted(above, key=lambda kind: kind.vcpus)[:1],
    ]


def _listed(kinds: list[InstanceType]) -> str:
    return " or ".join(
        f"{kind.name} ({kind.vcpus} vCPUs{f', {kind.gpus} GPU' if kind.gpus else ''})"
        for kind in kinds
    )


def valid_name(value: str, limit: int) -> str | None:
    """A valid form of a name: lower-case letters, digits and single dashes; None where none of
    its characters is valid.
    """
    words = re.findall(r"[a-z0-9]+", value.lower()) if value.isascii() else []
    name = "-".join(words)[:limit].rstrip("-")
    return name if name[:1].isalpha() else None
