"""LDAP of ldapauthenticator 1.x and 2.x as `sign_in.kind: ldap`: the server, who searches, and what
users are called.

Version 1 (charts before 4.0) called users by `lookup_dn_user_dn_attribute` where `lookup_dn` was on
(`use_lookup_dn_username`, true by itself there); version 2, and the hub here, call them what they
type. Homes are named by it.
"""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.adopt.z2jh.traits import Traits
from jupyterhub_aws.config.sign_in_directory import PLAIN_TEXT
from jupyterhub_aws.config.stack_text import fill

_CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\nFILL IN the authority that signed the directory's"
    " certificate\n-----END CERTIFICATE-----\n"
)
_SEARCH = ("auth", "ldap", "dn", "search")
#: ldapauthenticator's own values: whoever wrote them down wrote nothing.
_DEFAULT_FILTER, _DEFAULT_PATTERNS = (
    "({login_attr}={login})",
    (
        r"^[a-z][.a-z0-9_-]*$",
        r"^[a-z][.a-zA-Z0-9_-]*$",
    ),
)
#: Traits that the class here takes from the one below it, and that ours do not write: they narrow,
#: or say how groups are asked for.
_STAYS = (
    "search_filter",
    "attributes",
    "auth_state_attributes",
    "group_search_filter",
    "group_attributes",
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
    return (
        "on_connect"
        if ssl or strategy == "on_connect" or server.startswith("ldaps") or port == 636
        else "start_tls"
    )  # IANA: ldaps


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
        why = "nobody searches: a user's DN follows from the name"
        traits.drop_each(("lookup_dn_search_password",), why)
        taking.drop_all(*_SEARCH, "password", why=why)
        for name in (
            "user_search_base",
            "user_attribute",
            "lookup_dn_search_user",
            "lookup_dn_user_dn_attribute",
            "use_lookup_dn_username",
        ):
            traits.settle(name, why=why)
        plain = [item for item in templates if "{username}" in item and item.count("{") == 1]
        if len(plain) < len(templates):
            traits.drop(
                ("bind_dn_template",),
                "holds a template with other fields than {username}, which stays out",
            )
        return {
            "bind_dn_templates": (
                plain
                or fill(
                    ["uid={username},ou=people,dc=example,dc=org"],
                    "how a DN follows from a name; or lookup",
                )
            )
        }
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
    if (
        by_lookup is None and newer
    ):  # version 2: users are called what they type unless it says otherwise
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
