"""Sign-in at somebody else's page: what a class of oauthenticator says, as `sign_in.kind` github or
oidc, with the addresses of its provider.

Sources: oauthenticator's google.py, auth0.py and gitlab.py, and what Google, Microsoft and GitLab
publish as openid-configuration.
"""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.adopt.z2jh.traits import Traits
from jupyterhub_aws.config.stack_text import fill

_GOOGLE = {
    "authorize_url": "https://accounts.google.com/o/oauth2/v2/auth",
    "token_url": "https://oauth2.googleapis.com/token",
    "userinfo_url": "https://openidconnect.googleapis.com/v1/userinfo",
}


def _client(traits: Traits) -> dict[str, Any]:
    client = traits.first("client_id", "clientId", "github_client_id")
    for name in ("client_secret", "clientSecret", "github_client_secret"):
        traits.secret("client-secret", name)
    return {"client_id": client or fill("client-id", "client id of the OAuth application")}


def github(traits: Traits) -> dict[str, Any]:
    """GitHub, of github.com or of a company."""
    organizations = traits.texts(
        "allowed_organizations", "github_organization_whitelist", "orgWhitelist", "org_whitelist"
    )
    teams = traits.texts("admin_groups")
    traits.settle("scope", "scopes", why="the stack asks for read:org where it needs it")
    section = {"kind": "github", **_client(traits)}
    section |= {"allowed_organizations": organizations} if organizations else {}
    return {**section, **({"admin_teams": teams} if teams else {})}


def oidc(traits: Traits) -> dict[str, Any]:
    """Any provider of OAuth that is asked by its addresses."""
    section: dict[str, Any] = {"kind": "oidc", **_client(traits)}
    for option, names in (
        ("authorize_url", ("authorize_url", "authorizeUrl")),
        ("token_url", ("token_url", "tokenUrl")),
        ("userinfo_url", ("userdata_url", "userdataUrl")),
    ):
        found = traits.first(*names)
        if found and found.startswith("https://"):
            section[option] = found
            continue
        section[option] = fill(
            f"https://login.example.org/{option}", "from the provider's openid-configuration"
        )
        traits.to_fill_in(*names, where=f"sign_in.{option}")
    out = traits.first("logout_redirect_url", "logoutRedirectUrl")
    if out and out.startswith("https://"):
        section["logout_url"] = out
    elif out:
        traits.drop(("logout_redirect_url", "logoutRedirectUrl"), "is not an https address")
    return {**section, **_claims(traits)}


def _claims(traits: Traits, default: str | None = None, doubt: str | None = None) -> dict[str, Any]:
    """What a provider says of a user. A claim that is a function in Python is the operator's to
    name.
    """
    claim = traits.first("username_claim", "username_key", "usernameKey")
    groups = traits.first(
        "auth_state_groups_key", "claim_groups_key", "user_groups_claim", "groupsKey"
    )
    allowed, admins = (
        traits.texts("allowed_groups", "allowedGroups"),
        traits.texts("admin_groups", "adminGroups"),
    )
    scope, service = traits.texts("scope", "scopes"), traits.first("login_service", "loginService")
    section: dict[str, Any] = {}
    if claim and "lambda" not in claim:
        section["username_claim"] = claim
    else:
        section["username_claim"] = fill(
            default or "preferred_username",
            doubt or "the claim that names a user: another one shows everybody an empty home",
        )
        traits.to_fill_in(
            "username_claim", "username_key", "usernameKey", where="sign_in.username_claim"
        )
    named = (groups or "").removeprefix("oauth_user.")
    if groups or allowed or admins:
        known = bool(named) and "lambda" not in named
        section["groups_claim"] = (
            named if known else fill("groups", "the claim that lists a user's groups")
        )
        if not known:
            traits.to_fill_in(
                "auth_state_groups_key",
                "claim_groups_key",
                "user_groups_claim",
                "groupsKey",
                where="sign_in.groups_claim",
            )
    if scope and "openid" not in scope:
        traits.drop(
            ("scope", "scopes"),
            "lacks openid, without which a provider speaks no OpenID Connect: openid, profile and"
            " email are asked for",
        )
        scope = []
    options = {
        "allowed_groups": allowed,
        "admin_groups": admins,
        "scope": scope,
        "login_service": service,
    }
    return {**section, **{key: value for key, value in options.items() if value}}


def azure(traits: Traits) -> dict[str, Any]:
    """Microsoft Entra ID, by its tenant."""
    tenant = traits.first("tenant_id", "tenantId")
    base = f"https://login.microsoftonline.com/{tenant or 'TENANT'}/oauth2/v2.0"
    urls: dict[str, Any] = {"authorize_url": f"{base}/authorize", "token_url": f"{base}/token"}
    if not tenant:
        urls = {
            key: fill(value, "with your tenant's id: without it accounts of any tenant would do")
            for key, value in urls.items()
        }
    claims = _claims(
        traits,
        "name",
        "the old hub called users by `name`, which they may change; homes are named so",
    )
    traits.settle("authorize_url", "token_url", "userdata_url", why="follows from the tenant")
    return {
        "kind": "oidc",
        **_client(traits),
        **urls,
        "userinfo_url": "https://graph.microsoft.com/oidc/userinfo",
        **claims,
    }


def google(traits: Traits) -> dict[str, Any]:
    """Google. With one domain oauthenticator calls users by what is before the @, unless
    `strip_domain` says otherwise.
    """
    domains = traits.texts("hosted_domain", "hostedDomain")
    strip = traits.flag_or_none("strip_domain")
    groups = traits.texts("allowed_google_groups", "admin_google_groups", "google_group_whitelist")
    if groups:
        traits.drop(
            ("allowed_google_groups", "admin_google_groups", "google_group_whitelist"),
            "the hub asks Google for no groups: list users by name",
            access=False,
        )
    traits.settle("authorize_url", "token_url", "userdata_url", why="follows from the provider")
    section = {
        "kind": "oidc",
        **_client(traits),
        **_GOOGLE,
        **_claims(traits, "email", "Google's name for a user"),
        "usernames": "email",
    }
    if domains:
        where = ", ".join(domains)[:80]
        traits.drop(
            ("hosted_domain", "hostedDomain"),
            f"no kind of sign-in here is for a domain: users of {where} are to be listed by name",
            access=True,
        )
        section["_who"] = f"who may come in, by address: the old hub let in everybody of {where}"
    if strip or (strip is None and len(domains) == 1):
        doubt = (
            f"the old hub called users by what is before the @{domains[0] if domains else ''}: with"
            " email they find empty homes (jhub homes map)"
        )
        section["username_claim"] = fill("email", doubt[:200])
        if len(domains) == 1:
            section["_calls"] = lambda names: [
                name if "@" in name else f"{name}@{domains[0]}" for name in names
            ]
    else:
        section["username_claim"] = "email"
    return section


def gitlab(traits: Traits) -> dict[str, Any]:
    """GitLab, which is a provider of OpenID Connect."""
    url = (traits.first("gitlab_url") or "https://gitlab.com").rstrip("/")
    groups = traits.texts("allowed_gitlab_groups", "gitlab_group_whitelist")
    claims = _claims(
        traits,
        "nickname",
        "GitLab's user name is the claim nickname: compare it with the names of homes",
    )
    traits.settle(
        "authorize_url",
        "token_url",
        "userdata_url",
        "gitlab_api",
        "gitlab_api_version",
        why="follows from GitLab's address",
    )
    section = {
        "kind": "oidc",
        **_client(traits),
        "authorize_url": f"{url}/oauth/authorize",
        "token_url": f"{url}/oauth/token",
    }
    section |= {"userinfo_url": f"{url}/oauth/userinfo", **claims}
    if groups:
        section["allowed_groups"] = [*section.get("allowed_groups", []), *groups]
        section["groups_claim"] = "groups"
    return section


def auth0(traits: Traits) -> dict[str, Any]:
    """Auth0, by its domain."""
    domain, subdomain = traits.first("auth0_domain"), traits.first("auth0_subdomain")
    host = domain or (f"{subdomain}.auth0.com" if subdomain else None)
    urls: dict[str, Any] = {
        option: f"https://{host or 'DOMAIN'}/{path}"
        for option, path in (
            ("authorize_url", "authorize"),
            ("token_url", "oauth/token"),
            ("userinfo_url", "userinfo"),
        )
    }
    if host is None:
        urls = {
            key: fill(value, "with the domain of your Auth0 tenant") for key, value in urls.items()
        }
    traits.settle("authorize_url", "token_url", "userdata_url", why="follows from the domain")
    claims = _claims(
        traits,
        "email",
        "the old hub called users by email; whoever signs up there must prove the address, or could"
        " take another's name",
    )
    return {"kind": "oidc", **_client(traits), **urls, **claims}
