"""Sign-in at an identity provider's page: what a class of oauthenticator says, as `sign_in.kind`
github or oidc, with the addresses of its provider.

Sources: oauthenticator's auth0.py and gitlab.py, and what GitLab publishes as openid-configuration.
Google, Entra ID, CILogon and LTI: sign_in_institutions.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.adopt.z2jh.taken import Taking
from jupyterhub_aws.config.sign_in import PLAIN_TEXT
from jupyterhub_aws.config.stack_text import fill

# --- Which authenticator a hub had, by whatever name: a class with its module, a short name, or
# none, where a program chooses.


#: The kind here, by the name of the class without `Local` and `(O)Authenticator`, in lower case.
_CLASSES: Mapping[str, str] = {
    "ldap": "ldap", "github": "github", "generic": "oidc", "awscognito": "oidc", "azuread": "entra", "cilogon": "cilogon", "lti13": "lti13", "google": "google", "gitlab": "gitlab",
    "auth0": "auth0", "native": "native", "firstuse": "native", "dummy": "shared", "sharedpassword": "shared", "tmp": "shared",
}  # fmt: skip
#: Short names (entry points, and `auth.type` of charts before 0.10), and the class that each means.
_SHORT: Mapping[str, str] = {
    "ldap": "LDAPAuthenticator", "ldapauthenticator": "LDAPAuthenticator", "github": "GitHubOAuthenticator", "generic-oauth": "GenericOAuthenticator",
    "generic": "GenericOAuthenticator", "awscognito": "AWSCognitoAuthenticator", "cognito": "AWSCognitoAuthenticator", "azuread": "AzureAdOAuthenticator",
    "google": "GoogleOAuthenticator", "gitlab": "GitLabOAuthenticator", "auth0": "Auth0OAuthenticator", "native": "NativeAuthenticator",
    "firstuse": "FirstUseAuthenticator", "firstuseauthenticator": "FirstUseAuthenticator", "dummy": "DummyAuthenticator", "tmp": "TmpAuthenticator",
    "shared-password": "SharedPasswordAuthenticator", "null": "NullAuthenticator", "pam": "PAMAuthenticator", "default": "PAMAuthenticator",
    "cilogon": "CILogonOAuthenticator", "globus": "GlobusOAuthenticator", "bitbucket": "BitbucketOAuthenticator", "openshift": "OpenShiftOAuthenticator",
    "mediawiki": "MWOAuthenticator", "okpy": "OkpyOAuthenticator", "lti": "LTIAuthenticator", "lti11": "LTI11Authenticator", "lti13": "LTI13Authenticator",
    "hmac": "HMACAuthenticator",
}  # fmt: skip
#: Why what has no counterpart has none, where more can be said than that.
_WHY: Mapping[str, str] = {
    "globus": "Globus: no kind of sign-in here can keep to one identity provider of it",
    "bitbucket": "Bitbucket is no OpenID Connect provider",
    "openshift": "OpenShift's own accounts are of its cluster",
    "lti": "LTI 1.1 is no longer secure, and platforms have 1.3: lti13", "null": "it let no user in",
    "pam": "accounts of the hub's own machine",
}  # fmt: skip
#: Sections whose traits every authenticator of a kind reads besides its own class's.
_BASES = ("OAuthenticator", "LocalAuthenticator", "Authenticator")
_CHOSEN_IN_CODE = re.compile(r"(?i)authenticator")
_CLASS_NAME = re.compile(r"[\w.:-]{1,120}", re.ASCII)


@dataclass(frozen=True)
class FoundAuthenticator:
    """What signs users in. `doubt`: why it is uncertain; `why`: why it has no
    counterpart (kind `other`).
    """

    kind: str
    class_name: str
    places: tuple[tuple[str, ...], ...]
    doubt: str | None = None
    why: str | None = None


def class_of(name: str) -> str:
    """The bare class: of `oauthenticator.generic.GenericOAuthenticator`, `module:Class` or a
    short name.
    """
    bare = re.split(r"[.:]", name.strip())[-1]
    short = name.strip().lower().removeprefix("local-")
    return _SHORT.get(short, _SHORT.get(bare.lower(), bare))


def _stems(class_name: str) -> tuple[str, str]:
    """What is left of a class's name, with and without the O of OAuth: `AWSCognitoAuthenticator`
    ends in an o of its own.
    """
    stem = class_name.lower().removeprefix("local").removesuffix("authenticator")
    return stem, stem.removesuffix("o")


def kind_of(class_name: str) -> str:
    """The kind of a class, or `other`."""
    return next((_CLASSES[stem] for stem in _stems(class_name) if stem in _CLASSES), "other")


def authenticator_of(taking: Taking) -> FoundAuthenticator:
    """Look for it. Sections of other classes had no effect, and are settled."""
    said = taking.text("hub", "config", "JupyterHub", "authenticator_class")
    old, custom = taking.text("auth", "type"), taking.text("auth", "custom", "className")
    named = [
        key
        for key in taking.keys("hub", "config")
        if isinstance(key, str) and key.lower().endswith("authenticator") and key not in _BASES
    ]
    doubt, name = _doubt(taking, said, old), said or (custom if old == "custom" and custom else old)
    if name is None:
        name = named[0] if len(named) == 1 else "dummy" if doubt is None else "unknown"
        if doubt is None or len(named) == 1:
            doubt = doubt or _unnamed(named)
    if not _CLASS_NAME.fullmatch(name):
        name, doubt = "unknown", "the old one's name is no name of a class"
    class_name = class_of(name)
    stem = class_name.lower().removeprefix("local")
    own = [key for key in named if key.lower().removeprefix("local") == stem]
    for key in named:
        if key not in own:
            why_not = f"had no effect: users signed in with {class_name[:60]}"
            taking.settle("hub", "config", key, why=why_not)
    places: list[tuple[str, ...]] = [("hub", "config", key) for key in (*own, *reversed(_BASES))]
    places += [*([("auth", old)] if old else []), ("auth", "custom", "config")]
    kind = kind_of(class_name)
    why = None
    if kind == "other":
        reasons = (
            f" ({text})"
            for stem in _stems(class_name)
            for key, text in _WHY.items()
            if stem == key or (key == "lti" and stem.startswith("lti"))
        )
        why = f"{class_name[:60]} has no counterpart{next(reasons, '')}"
    return FoundAuthenticator(kind, class_name, tuple(places), doubt, why)


def _unnamed(named: list[str]) -> str:
    but = (
        f"only a section {named[0][:60]}"
        if len(named) == 1
        else "and the chart's own (dummy) lets every user in"
    )
    return f"no authenticator_class is named, {but}: is there another values file?"


def _doubt(taking: Taking, said: str | None, old: str | None) -> str | None:
    """Why the values do not tell: a program runs after them and may choose another, or whatever
    is named is not the whole of it.
    """
    chosen = sorted(name for name in taking.programs if _CHOSEN_IN_CODE.search(name))
    if "JupyterHub.authenticator_class" in chosen:
        return "a program (hub.extraConfig or hub.extraFiles) sets c.JupyterHub.authenticator_class"
    if chosen:
        return (
            f"a program (hub.extraConfig or hub.extraFiles) sets c.{chosen[0]}: read it, it may"
            " decide who comes in"
        )
    if said is None and old is None:
        for name in ("extraConfig", "extraFiles", "existingSecret", "extraConfigMap"):
            if taking.look("hub", name):
                return f"no authenticator_class is named, and hub.{name} may choose one"
    return None


# --- The sections in which an authenticator's traits may be, read as one: the most special first.


#: Traits that only newer versions of the hub know.
NEWER = "allow_all allow_existing_users manage_groups auth_state_groups_key tls_strategy".split()


class Traits:
    """Traits by their name, wherever they are."""

    def __init__(self, taking: Taking, places: tuple[tuple[str, ...], ...]) -> None:
        """`places`: paths of sections, the most special first."""
        self.taking, self.places = taking, places
        #: Whether one of the newer traits was there.
        self.saw_new = any(self.has(name) for name in NEWER)

    def _paths(self, names: Iterable[str]) -> Iterator[tuple[str, ...]]:
        """Where traits of these names may be, the most special section first."""
        return ((*place, name) for place in self.places for name in names)

    def has(self, name: str) -> bool:
        """Whether a section has it."""
        return any(self.taking.has(*place, name) for place in self.places)

    def first(self, *names: str) -> str | None:
        """The text of the most special section; others had no effect."""
        found = None
        for path in self._paths(names):
            if not self.taking.has(*path):
                continue
            if found is not None:
                self.taking.settle(*path, why="had no effect: a more special section says it")
            elif isinstance(self.taking.look(*path), (list, dict)):
                self.taking.drop(path, "is not text")
            else:
                found = self.taking.text(*path)
        return found

    def texts(self, *names: str) -> list[str]:
        """Every text of every section, each once."""
        found = (item for path in self._paths(names) for item in self.taking.texts(*path))
        return list(dict.fromkeys(found))

    def flag(self, name: str) -> bool:
        """Whether any section switches it on."""
        return any([self.taking.flag(*place, name) for place in self.places])

    def flag_or_none(self, name: str) -> bool | None:
        """The same; None where no section says it."""
        return self.flag(name) if self.has(name) else None

    def secret(self, ending: str, name: str) -> None:
        """A secret that the stack needs under a key of its own."""
        for place in self.places:
            self.taking.secret(ending, *place, name)

    def settle(self, *names: str, why: str) -> None:
        """The stack decides them by itself."""
        for path in self._paths(names):
            self.taking.settle(*path, why=why)

    def to_fill_in(self, *names: str, where: str) -> None:
        """A line of the stack file is marked for them."""
        for path in self._paths(names):
            self.taking.to_fill_in(*path, where=where)

    def drop(self, names: tuple[str, ...], why: str, *, access: bool | None = None) -> None:
        """List what was taken already under one of these names."""
        for path in self._paths(names):
            self.drop_old(path, why, access=access)

    def drop_old(self, path: tuple[str, ...], why: str, *, access: bool | None = False) -> None:
        """List what was taken from a place, such as one of charts before 0.10."""
        if any(end[: len(path)] == path for end in self.taking.ledger):
            self.taking.drop(path, why, access=access)

    def drop_each(self, names: tuple[str, ...], why: str) -> None:
        """List what is still there under one of these names."""
        for path in self._paths(names):
            self.taking.drop_all(*path, why=why)

    def left(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """What nothing took, and nothing wrote."""
        for place in self.places:
            section = self.taking.look(*place)
            if isinstance(section, Mapping):
                yield from (
                    (place, str(name))
                    for name in section
                    if not self.taking.was_put((*place, str(name)))
                )


def client(traits: Traits) -> dict[str, Any]:
    """The client id; its secret is the stack's."""
    found = traits.first("client_id", "clientId", "github_client_id")
    for name in ("client_secret", "clientSecret", "github_client_secret"):
        traits.secret("client-secret", name)
    return {"client_id": found or fill("client-id", "client id of the OAuth application")}


def github(traits: Traits) -> dict[str, Any]:
    """GitHub, of github.com or of a company."""
    organizations = traits.texts(
        "allowed_organizations", "github_organization_whitelist", "orgWhitelist", "org_whitelist"
    )
    teams = traits.texts("admin_groups")
    traits.settle("scope", "scopes", why="the stack asks for read:org where it needs it")
    section = {"kind": "github", **client(traits)}
    section |= {"allowed_organizations": organizations} if organizations else {}
    return {**section, **({"admin_teams": teams} if teams else {})}


def oidc(traits: Traits) -> dict[str, Any]:
    """Any provider of OAuth that is asked by its addresses."""
    section: dict[str, Any] = {"kind": "oidc", **client(traits)}
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
    allowed = traits.texts("allowed_groups", "allowedGroups")
    admins = traits.texts("admin_groups", "adminGroups")
    scope, service = traits.texts("scope", "scopes"), traits.first("login_service", "loginService")
    section: dict[str, Any] = {}
    if claim and "lambda" not in claim:
        section["username_claim"] = claim
    else:
        section["username_claim"] = fill(
            default or "preferred_username",
            doubt or "the claim that names a user: another one shows every user an empty home",
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


def gitlab(traits: Traits) -> dict[str, Any]:
    """GitLab, which is a provider of OpenID Connect."""
    url = (traits.first("gitlab_url") or "https://gitlab.com").rstrip("/")
    groups = traits.texts("allowed_gitlab_groups", "gitlab_group_whitelist")
    doubt = "GitLab's user name is the claim nickname: compare it with the names of homes"
    claims = _claims(traits, "nickname", doubt)
    names = "authorize_url token_url userdata_url gitlab_api gitlab_api_version"
    traits.settle(*names.split(), why="follows from GitLab's address")
    section = {
        "kind": "oidc",
        **client(traits),
        "authorize_url": f"{url}/oauth/authorize",
        "token_url": f"{url}/oauth/token",
        "userinfo_url": f"{url}/oauth/userinfo",
        **claims,
    }
    if groups:
        section["allowed_groups"] = [*section.get("allowed_groups", []), *groups]
        section["groups_claim"] = "groups"
    return section


def auth0(traits: Traits) -> dict[str, Any]:
    """Auth0, by its domain."""
    domain, subdomain = traits.first("auth0_domain"), traits.first("auth0_subdomain")
    host = domain or (f"{subdomain}.auth0.com" if subdomain else None)
    base, note = f"https://{host or 'DOMAIN'}", "with the domain of your Auth0 tenant"
    urls: dict[str, Any] = {
        "authorize_url": f"{base}/authorize",
        "token_url": f"{base}/oauth/token",
        "userinfo_url": f"{base}/userinfo",
    }
    if host is None:
        urls = {key: fill(value, note) for key, value in urls.items()}
    traits.settle("authorize_url", "token_url", "userdata_url", why="follows from the domain")
    claims = _claims(
        traits,
        "email",
        "the old hub called users by email; users who sign up there must prove the address, or"
        " could take another user's name",
    )
    return {"kind": "oidc", **client(traits), **urls, **claims}


# --- LDAP of ldapauthenticator 1.x and 2.x as `sign_in.kind: ldap`: the server, who searches, and
# what users are called.


_CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\nFILL IN the authority that signed the directory's"
    " certificate\n-----END CERTIFICATE-----\n"
)
_SEARCH = ("auth", "ldap", "dn", "search")
#: ldapauthenticator's own defaults: to write them down changes nothing.
_DEFAULT_FILTER, _DEFAULT_PATTERNS = (
    "({login_attr}={login})",
    (r"^[a-z][.a-z0-9_-]*$", r"^[a-z][.a-zA-Z0-9_-]*$"),
)
#: Traits that the class here takes from the one below it, and that ours do not write: they narrow,
#: or say how groups are asked for.
_STAYS = (
    "search_filter attributes auth_state_attributes group_search_filter group_attributes".split()
)


def ldap(traits: Traits) -> dict[str, Any]:
    """The section, apart from users' names. `_calls`: how names of the old hub read here, if
    they do.
    """
    taking = traits.taking
    servers = [
        *traits.texts("server_address", "server_hosts"),
        *taking.texts("auth", "ldap", "server", "address"),
    ]
    if len(servers) > 1:
        taking.notes.append(
            f"the directory has {len(servers)} servers ({', '.join(servers)[:100]}), and the first"
            " one is asked"
        )
    server = next(iter(servers), "")
    port = traits.first("server_port") or taking.text("auth", "ldap", "server", "port")
    host = server.partition("://")[2] or server
    host, _, inline = host.rstrip("/").partition(":")
    templates = [
        *traits.texts("bind_dn_template"),
        *taking.texts("auth", "ldap", "dn", "templates"),
    ]
    section: dict[str, Any] = {
        "kind": "ldap",
        "server": (
            host
            or fill("ldap.example.org", "name of the directory's server, as its certificate has it")
        ),
    }
    number = port or inline
    if number and number.isdigit() and 1 <= int(number) <= 65535:  # TCP
        section["port"] = int(number)
    elif number:
        traits.drop(("server_port",), "is not a port")
    section["tls"] = _tls(traits, server, section.get("port"))
    if section["tls"] != PLAIN_TEXT:
        section["ca_certificate"] = _CERTIFICATE
    section |= _found_by(traits, templates)
    groups = [*traits.texts("allowed_groups"), *taking.texts("auth", "ldap", "allowedGroups")]
    admins = traits.texts("admin_groups")
    _others(traits, section)
    return {
        **section,
        **({"allowed_groups": groups} if groups else {}),
        **({"admin_groups": admins} if admins else {}),
    }


def _tls(traits: Traits, server: str, port: int | None) -> str:
    """ldapauthenticator: `use_ssl` is LDAPS, and without it version 1 asked for StartTLS;
    version 2 has `tls_strategy`.
    """
    strategy = traits.first("tls_strategy")
    ssl = any([traits.flag("use_ssl"), traits.taking.flag("auth", "ldap", "server", "ssl")])
    if strategy == "insecure":
        return PLAIN_TEXT
    ldaps = server.startswith("ldaps") or port == 636  # IANA
    return "on_connect" if ssl or strategy == "on_connect" or ldaps else "start_tls"


def _found_by(traits: Traits, templates: list[str]) -> dict[str, Any]:
    taking, old = traits.taking, ("auth", "ldap", "dn")
    lookup = any([traits.flag("lookup_dn"), taking.flag(*old, "lookup")])
    base = traits.first("user_search_base") or taking.text(*old, "user", "searchBase")
    attribute = traits.first("user_attribute") or taking.text(*old, "user", "attribute")
    searcher = traits.first("lookup_dn_search_user") or taking.text(*_SEARCH, "user")
    called = traits.first("lookup_dn_user_dn_attribute") or taking.text(*old, "user", "dnAttribute")
    by_lookup = traits.flag_or_none("use_lookup_dn_username")
    taking.settle(*old, "user", "escape", why="names are escaped in any case")
    if not (lookup or (base and not templates)):
        why = "no search is made: a user's DN follows from the name"
        traits.drop_each(("lookup_dn_search_password",), why)
        taking.drop_all(*_SEARCH, "password", why=why)
        names = (
            "user_search_base user_attribute lookup_dn_search_user lookup_dn_user_dn_attribute"
            " use_lookup_dn_username"
        )
        for name in names.split():
            traits.settle(name, why=why)
        plain = [item for item in templates if "{username}" in item and item.count("{") == 1]
        if len(plain) < len(templates):
            traits.drop(
                ("bind_dn_template",),
                "holds a template with other fields than {username}, which stays out",
            )
        example = ["uid={username},ou=people,dc=example,dc=org"]
        some = fill(example, "how a DN follows from a name; or lookup")
        return {"bind_dn_templates": plain or some}
    traits.secret("ldap-search-password", "lookup_dn_search_password")
    taking.secret("ldap-search-password", *_SEARCH, "password")
    if templates:
        taking.notes.append(
            "users are found by searching: the DN that is found is tried, and bind_dn_template is"
            " left out"
        )
        traits.settle("bind_dn_template", why="the DN that searching finds is tried")
    found: dict[str, Any] = {
        "search_base": base or fill("ou=people,dc=example,dc=org", "where users are"),
        **({"user_attribute": attribute} if attribute else {}),
        "search_user": (
            searcher or fill("cn=search,dc=example,dc=org", "DN of the account that searches")
        ),
    }
    return {"lookup": found, **_called(traits, found, called, by_lookup=by_lookup)}


def _called(
    traits: Traits, found: dict[str, Any], called: str | None, *, by_lookup: bool | None
) -> dict[str, Any]:
    """What users were called: what they typed, or an attribute of theirs."""
    typed = found.get("user_attribute") or "uid"
    same = called is None or called.lower() == typed.lower()
    if same or by_lookup is False:
        traits.settle(
            "lookup_dn_user_dn_attribute",
            "use_lookup_dn_username",
            why="users are called what they type",
        )
        return {}
    newer = traits.saw_new or (traits.taking.chart or "").lstrip("v").split(".")[0] in ("4", "5")
    # Version 2: users are called what they type unless it says otherwise.
    if by_lookup is None and newer:
        traits.settle("lookup_dn_user_dn_attribute", why="users are called what they type")
        return {}
    found["user_attribute"] = fill(
        typed,
        f"homes are named by {called}, users will be called what they type: EMPTY homes. Rename"
        f" them first, or write {called}",
    )
    traits.to_fill_in(
        "lookup_dn_user_dn_attribute",
        "use_lookup_dn_username",
        where="sign_in.lookup.user_attribute",
    )
    traits.taking.to_fill_in(
        "auth", "ldap", "dn", "user", "dnAttribute", where="sign_in.lookup.user_attribute"
    )
    traits.taking.notes.append(
        f"HOMES: users typed their {typed} and were called by their {called}, as their homes are."
        " As it is they are called what they type, and find EMPTY homes: rename the homes first"
        f" (jhub homes map), or write {called} as user_attribute, and users type that"
    )
    return {"_calls": lambda _names: []}


def _others(traits: Traits, section: dict[str, Any]) -> None:
    """Traits of the class that are neither the section's nor gone."""
    taking = traits.taking
    for place in traits.places:
        for name in _STAYS:
            if taking.look(*place, name) is not None:
                taking.move((*place, name), "hub", "config", "LDAPAuthenticator", name)
    traits.settle("escape_userdn", why="names are escaped in any case")
    traits.drop_each(
        ("tls_kwargs",), "the stack writes them: the directory's certificate is verified"
    )
    for path in [
        *((*place, "lookup_dn_search_filter") for place in traits.places),
        (*_SEARCH, "filter"),
    ]:
        if taking.look(*path) == _DEFAULT_FILTER:
            taking.settle(*path, why="is what the class has by itself")
        elif taking.look(*path) is not None:
            taking.move(path, "hub", "config", "LDAPAuthenticator", "lookup_dn_search_filter")
    rules = [
        *traits.texts("valid_username_regex", "username_pattern"),
        *taking.texts("auth", "ldap", "dn", "user", "validRegex"),
    ]
    others = [rule for rule in rules if rule not in _DEFAULT_PATTERNS]
    if others:
        section["usernames"] = fill(
            "dotted", f"the old rule for names was {others[0][:60]}: simple, dotted, email or any"
        )
        traits.to_fill_in("valid_username_regex", "username_pattern", where="sign_in.usernames")
        taking.to_fill_in("auth", "ldap", "dn", "user", "validRegex", where="sign_in.usernames")
