"""`auth` of charts before 0.10 and `hub.config` of those after, as `sign_in`.

Sources: zero-to-jupyterhub's changelog (0.10 moved `auth` to `hub.config`), ldapauthenticator 1.3 and 2.0 (use_ssl, tls_strategy), oauthenticator 14 to 17
(whitelists became allowed_*, userdata_params, claim_groups_key), and the endpoints that Google and Microsoft publish in their openid-configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from config.sign_in_directory import PLAIN_TEXT
from ops.adopt.written import fill
from ops.adopt.z2jh.taken import Taking

_OWN = "the stack makes its own, and keeps it"
_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nFILL IN the authority that signed the directory's certificate\n-----END CERTIFICATE-----\n"
#: The last part of an authenticator's class or short name, in lower case without `authenticator`, to the kind here.
_KINDS: Mapping[str, str] = {
    "ldap": "ldap", "github": "github", "githuboauth": "github", "localgithuboauth": "github", "local-github": "github",
    "generic-oauth": "oidc", "genericoauth": "oidc", "awscognito": "oidc", "awscognitooauth": "oidc", "cognito": "oidc",
    "azuread": "azure", "azureadoauth": "azure", "google": "google", "googleoauth": "google", "native": "native", "firstuse": "native",
    "dummy": "shared", "tmp": "shared", "gitlab": "other", "auth0": "other", "globus": "other", "custom": "other", "lti": "other",
}  # fmt: skip
_GOOGLE = {
    "authorize_url": "https://accounts.google.com/o/oauth2/v2/auth",
    "token_url": "https://oauth2.googleapis.com/token",
    "userinfo_url": "https://openidconnect.googleapis.com/v1/userinfo",
}


def sign_in_of(taking: Taking) -> dict[str, Any]:
    """The section. What only the operator knows is marked."""
    kind, sections = _kind(taking)
    makers: Mapping[str, Callable[[Taking, tuple[tuple[str, ...], ...]], dict[str, Any]]] = {
        "ldap": _ldap, "github": _github, "oidc": _oidc, "azure": _azure, "google": _google, "native": _native, "shared": _shared, "other": _other,
    }  # fmt: skip
    people = _people(taking, sections)
    section = {**makers[kind](taking, sections), **{key: value for key, value in people.items() if value}}
    if kind in ("native", "shared", "other"):
        section.pop("allowed_users", None)
        if people["allowed_users"]:
            taking.drop(("allowed_users",), f"an administrator admits people at /hub/authorize: {len(people['allowed_users'])} of them")
    if kind in ("native", "other") and not section.get("administrators"):
        section["administrators"] = fill(["admin"], "who lets people in")
    return _somebody(section)


def _kind(taking: Taking) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """The kind, and the places where its options may stand: new ones first."""
    said = taking.text("hub", "config", "JupyterHub", "authenticator_class")
    old = taking.text("auth", "type")
    custom = taking.text("auth", "custom", "className")
    name = said or (custom if old == "custom" and custom else old) or "dummy"
    short = name.rpartition(".")[2].lower().removesuffix("authenticator")
    kind = _KINDS.get(short, "other")
    config = taking.look("hub", "config")
    classes = [
        key for key in (config if isinstance(config, Mapping) else ()) if isinstance(key, str) and key.lower().endswith(("authenticator", "oauthenticator"))
    ]
    places: list[tuple[str, ...]] = [("hub", "config", key) for key in classes if key != "Authenticator"]
    places += [("hub", "config", "Authenticator"), ("hub", "config", "OAuthenticator"), *([("auth", old)] if old else []), ("auth", "custom", "config")]
    if said is None and old is None:
        taking.notes.append("no authenticator was named: the chart's own (dummy) lets everybody in")
    if kind == "other":
        taking.drop(("hub", "config", "JupyterHub", "authenticator_class"), f"{name[:60]} has no counterpart: choose a kind of sign_in (docs/people.md)")
    return kind, tuple(places)


def _first(taking: Taking, places: tuple[tuple[str, ...], ...], *names: str) -> str | None:
    found = None
    for place in places:
        for name in names:
            item = taking.text(*place, name) if not isinstance(taking.look(*place, name), (list, dict)) else None
            found = found or item
    return found


def _lists(taking: Taking, places: tuple[tuple[str, ...], ...], *names: str) -> list[str]:
    return list(dict.fromkeys(item for place in places for name in names for item in taking.texts(*place, name)))


def _people(taking: Taking, places: tuple[tuple[str, ...], ...]) -> dict[str, list[str]]:
    """Administrators and those who may come in, as JupyterHub knows them: in lower case."""
    admins = [*_lists(taking, places, "admin_users"), *taking.texts("auth", "admin", "users"), *taking.texts("hub", "config", "JupyterHub", "admin_users")]
    allowed = [*_lists(taking, places, "allowed_users", "whitelist")]
    for old in ("whitelist", "allowlist"):
        allowed += taking.texts("auth", old, "users")
        taking.take("auth", old, "enabled")
    for name in ("admin", "state"):
        taking.take("auth", name, "access")
        taking.take("auth", name, "enabled")
    taking.drop_all("auth", "state", "cryptoKey", why=_OWN)
    for place in places:
        for switch in ("enable_auth_state", "allow_all", "allow_existing_users", "auto_login", "delete_invalid_users"):
            found = taking.take(*place, switch)
            if found is True and switch == "allow_all":
                taking.drop((*place, switch), "nobody is let in without being named: list groups or people")
    names = {"administrators": admins, "allowed_users": allowed}
    return {key: list(dict.fromkeys(name.lower() for name in found)) for key, found in names.items()}


def _somebody(section: dict[str, Any]) -> dict[str, Any]:
    """No kind lets strangers in: where the old hub let in whoever could sign in, somebody has to say who may."""
    gates = {"ldap": "allowed_groups", "oidc": "allowed_groups", "github": "allowed_organizations"}
    gate = gates.get(str(section["kind"]))
    if gate and not any(section.get(key) for key in (gate, "allowed_users")):
        example = {"ldap": ["cn=jupyter,ou=groups,dc=example,dc=org"], "oidc": ["jupyter"], "github": ["example-org"]}[str(section["kind"])]
        section[gate] = fill(example, "who may come in: the old hub let in everybody who could sign in")
        if section["kind"] == "oidc":
            section.setdefault("groups_claim", fill("groups", "the claim that lists a person's groups"))
    return section


def _ldap(taking: Taking, places: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    servers = _lists(taking, places, "server_address", "server_hosts")
    server = next(iter(servers), None) or taking.text("auth", "ldap", "server", "address")
    if len(servers) > 1:
        taking.notes.append(f"the directory has {len(servers)} servers, and the first one is asked")
    port = _first(taking, places, "server_port") or taking.text("auth", "ldap", "server", "port")
    host = (server or "").partition("://")[2] or (server or "")
    host, _, inline = host.rstrip("/").partition(":")
    templates = [*_lists(taking, places, "bind_dn_template"), *taking.texts("auth", "ldap", "dn", "templates")]
    section: dict[str, Any] = {"kind": "ldap", "server": host or fill("ldap.example.org", "name of the directory's server, as its certificate has it")}
    number = port or inline
    if number and number.isdigit() and 1 <= int(number) <= 65535:  # noqa: PLR2004 -- TCP
        section["port"] = int(number)
    section["tls"] = _tls(taking, places, server or "", section.get("port"))
    if section["tls"] != PLAIN_TEXT:
        section["ca_certificate"] = _CERTIFICATE
    section |= _who(taking, places, [item for item in templates if "{username}" in item and item.count("{") == 1])
    groups = [*_lists(taking, places, "allowed_groups"), *taking.texts("auth", "ldap", "allowedGroups")]
    admins = _lists(taking, places, "admin_groups")
    return {**section, **({"allowed_groups": groups} if groups else {}), **({"admin_groups": admins} if admins else {})}


def _tls(taking: Taking, places: tuple[tuple[str, ...], ...], server: str, port: int | None) -> str:
    """ldapauthenticator: `use_ssl` is LDAPS, and without it version 1 asked for StartTLS; version 2 has `tls_strategy`."""
    strategy = _first(taking, places, "tls_strategy")
    ssl = any([*(taking.flag(*place, "use_ssl") for place in places), taking.flag("auth", "ldap", "server", "ssl")])
    if strategy == "insecure":
        return PLAIN_TEXT
    return "on_connect" if ssl or strategy == "on_connect" or server.startswith("ldaps") or port == 636 else "start_tls"  # noqa: PLR2004 -- IANA: ldaps


def _who(taking: Taking, places: tuple[tuple[str, ...], ...], templates: list[str]) -> dict[str, Any]:
    old = ("auth", "ldap", "dn")
    lookup = any([*(taking.flag(*place, "lookup_dn") for place in places), taking.flag(*old, "lookup")])
    base = _first(taking, places, "user_search_base") or taking.text(*old, "user", "searchBase")
    attribute = _first(taking, places, "user_attribute") or taking.text(*old, "user", "attribute")
    searcher = _first(taking, places, "lookup_dn_search_user") or taking.text(*old, "search", "user")
    if not (lookup or (base and not templates)):
        for place in (*places, ("auth", "ldap", "dn", "search")):
            taking.drop_all(*place, "lookup_dn_search_password" if place[:3] != old else "password", why="nobody searches: people's DN follows from their name")
        return {"bind_dn_templates": templates or fill(["uid={username},ou=people,dc=example,dc=org"], "how a DN follows from a name; or lookup")}
    for place in places:
        taking.secret("ldap-search-password", *place, "lookup_dn_search_password")
    taking.secret("ldap-search-password", *old, "search", "password")
    if templates:
        taking.notes.append("people were found by searching: bind_dn_template is left out")
    return {
        "lookup": {
            "search_base": base or fill("ou=people,dc=example,dc=org", "where people are"),
            **({"user_attribute": attribute} if attribute else {}),
            "search_user": searcher or fill("cn=search,dc=example,dc=org", "DN of the account that searches"),
        }
    }


def _client(taking: Taking, places: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    client = _first(taking, places, "client_id", "clientId")
    for place in places:
        for name in ("client_secret", "clientSecret"):
            taking.secret("client-secret", *place, name)
        for name in ("oauth_callback_url", "callbackUrl"):
            taking.take(*place, name)  # it follows from the hub's name
    return {"client_id": client or fill("client-id", "client id of the OAuth application")}


def _github(taking: Taking, places: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    organizations = _lists(taking, places, "allowed_organizations", "github_organization_whitelist", "orgWhitelist", "org_whitelist")
    section = {"kind": "github", **_client(taking, places)}
    return {**section, **({"allowed_organizations": organizations} if organizations else {})}


def _oidc(taking: Taking, places: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    section: dict[str, Any] = {"kind": "oidc", **_client(taking, places)}
    for option, names in (
        ("authorize_url", ("authorize_url", "authorizeUrl")),
        ("token_url", ("token_url", "tokenUrl")),
        ("userinfo_url", ("userdata_url", "userdataUrl")),
    ):
        found = _first(taking, places, *names)
        section[option] = (
            found if found and found.startswith("https://") else fill(f"https://login.example.org/{option}", "from the provider's openid-configuration")
        )
    out = _first(taking, places, "logout_redirect_url", "logoutRedirectUrl")
    if out and out.startswith("https://"):
        section["logout_url"] = out
    return {**section, **_claims(taking, places)}


def _claims(taking: Taking, places: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    """What a provider says of a person. A claim that is a function in Python is the operator's to name."""
    claim = _first(taking, places, "username_claim", "username_key", "usernameKey")
    groups = _first(taking, places, "claim_groups_key", "auth_state_groups_key", "groupsKey")
    allowed, admins = _lists(taking, places, "allowed_groups", "allowedGroups"), _lists(taking, places, "admin_groups", "adminGroups")
    scope, service = _lists(taking, places, "scope", "scopes"), _first(taking, places, "login_service", "loginService")
    for place in places:
        for name in ("manage_groups", "userdata_params", "userdata_token_method", "userdata_method", "username_map", "tls_verify"):
            taking.take(*place, name)
    section: dict[str, Any] = {"username_claim": claim if claim and "lambda" not in claim else fill("preferred_username", "the claim that names a person")}
    if groups or allowed or admins:
        named = (groups or "").removeprefix("oauth_user.")
        section["groups_claim"] = named if named and "lambda" not in named else fill("groups", "the claim that lists a person's groups")
    options = {"allowed_groups": allowed, "admin_groups": admins, "scope": scope if "openid" in scope else [], "login_service": service}
    return {**section, **{key: value for key, value in options.items() if value}}


def _azure(taking: Taking, places: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    tenant = _first(taking, places, "tenant_id", "tenantId")
    base = f"https://login.microsoftonline.com/{tenant or 'TENANT'}/oauth2/v2.0"
    urls: dict[str, Any] = {"authorize_url": f"{base}/authorize", "token_url": f"{base}/token"}
    if not tenant:
        urls = {key: fill(value, "with your tenant's id") for key, value in urls.items()}
    return {"kind": "oidc", **_client(taking, places), **urls, "userinfo_url": "https://graph.microsoft.com/oidc/userinfo", **_claims(taking, places)}


def _google(taking: Taking, places: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    domains = _lists(taking, places, "hosted_domain", "hostedDomain")
    if domains:
        taking.drop((*places[0], "hosted_domain"), f"people of {', '.join(domains)[:80]}: list them by name, or use a provider with groups")
    claims = _claims(taking, places)
    return {"kind": "oidc", **_client(taking, places), **_GOOGLE, **claims, "username_claim": "email", "usernames": "email"}


def _native(taking: Taking, places: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    for place in places:
        for name in ("open_signup", "check_common_password", "ask_email_on_signup", "enable_signup", "create_users"):
            taking.take(*place, name)
    taking.notes.append("accounts of the old hub's own are in its database: people sign up again, or copy the database")
    return {"kind": "native"}


def _shared(taking: Taking, places: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    for place in places:
        taking.drop_all(*place, "password", why=_OWN)
    taking.drop_all("auth", "dummy", "password", why=_OWN)
    return {"kind": "shared_password"}


def _other(taking: Taking, places: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    del places
    return {"kind": fill("native", "the old authenticator has no counterpart: ldap, oidc, github, cognito or native")}
