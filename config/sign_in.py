"""Who may come in, and how a hub knows them. Nobody can, unless a stack says who: no kind here lets strangers in."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.errors import refuse, shown
from config.model import Model, option
from config.values import HOST

_NEW_RULES = "The hub restarts (half a minute; running servers go on). Whoever is no longer allowed is refused at the next sign-in."
_NEW_KIND = "The hub restarts. People may come back under other names, and would find other homes: try it on a second hub first."
_PERSON = re.compile(r"[^\s/:{}]{1,100}")
_CLIENT = re.compile(r"[\w.:@-]{4,200}", re.ASCII)
_URL = re.compile(r"https://[^\s/]+(/\S*)?")
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")


def _person(value: str) -> str:
    if not _PERSON.fullmatch(value):
        raise refuse(f"is not a name that one can sign in with (got {shown(value)})", "write the bare name, such as ada")
    if value != value.lower():
        raise refuse(f"has upper-case letters (got {shown(value)}): JupyterHub knows everybody in lower case", f"write {value.lower()}")
    return value


def _client(value: str) -> str:
    if not _CLIENT.fullmatch(value):
        raise refuse(f"is not a client id (got {shown(value)})", "copy it from the application that you registered; its secret goes elsewhere")
    return value


def _url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise refuse(f"is not an https address (got {shown(value)})", "write it whole, such as https://login.example.org/oauth2/authorize")
    return value


def _server(value: str) -> str:
    if "://" in value or value.count(":"):
        raise refuse(f"has a scheme or a port (got {shown(value)})", "write the bare name, such as ldap.example.org; the port has an option of its own")
    if not HOST.fullmatch(value):
        raise refuse(f"is not the name of a server (got {shown(value)})", "write it like ldap.example.org")
    return value


def _template(value: str) -> str:
    if "{username}" not in value or "{" in value.replace("{username}", "") or "}" in value.replace("{username}", ""):
        raise refuse(f"must hold {{username}} and no other field (got {shown(value)})", "write it like uid={username},ou=people,dc=example,dc=org")
    return value


def _attribute(value: str) -> str:
    if not _ATTRIBUTE.fullmatch(value):
        raise refuse(f"is not the name of an LDAP attribute (got {shown(value)})", "write it like uid or sAMAccountName")
    return value


def _authorities(value: str) -> str:
    if "-----BEGIN CERTIFICATE-----" not in value or "PRIVATE KEY" in value:
        raise refuse("is not a certificate in PEM form", "paste the authority's certificate with its BEGIN and END lines, under `ca_certificate: |`")
    return value.strip() + "\n"


Person = Annotated[str, AfterValidator(_person), Field(json_schema_extra={"examples": ["ada"]})]
ClientId = Annotated[str, AfterValidator(_client)]
HttpsUrl = Annotated[str, AfterValidator(_url)]
_PEOPLE_LIMIT = 2000


class _SignIn(Model):
    """What every kind has."""

    administrators: tuple[Person, ...] = option(
        (), help="Who sees the admin page and may stop other people's servers. They always get in.", changing=_NEW_RULES, max_length=100
    )


class _Listed(_SignIn):
    """Kinds that know people by name."""

    allowed_users: tuple[Person, ...] = option((), help="People who may come in, by name.", changing=_NEW_RULES, max_length=_PEOPLE_LIMIT)


class GitHubSignIn(_Listed):
    """An OAuth application of GitHub. Its client secret is a secret of the stack."""

    kind: Literal["github"] = option(help="`github`: people sign in at GitHub.", changing=_NEW_KIND)
    client_id: ClientId = option(help="Client id of the OAuth application. Its callback address is https://HOSTNAME/hub/oauth_callback.", changing=_NEW_RULES)
    allowed_organizations: tuple[str, ...] = option(
        (), help="Organizations, or organization:team, whose members may come in.", changing=_NEW_RULES, max_length=50
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.allowed_organizations or self.allowed_users or self.administrators):
            raise refuse("lets nobody in", "list allowed_organizations, allowed_users or administrators")
        return self


class OidcSignIn(_Listed):
    """Any OpenID Connect provider: Keycloak, Entra ID, Okta, Cognito. Its client secret is a secret of the stack."""

    kind: Literal["oidc"] = option(help="`oidc`: people sign in at an OpenID Connect provider.", changing=_NEW_KIND)
    client_id: ClientId = option(help="Client id of the application. Its callback address is https://HOSTNAME/hub/oauth_callback.", changing=_NEW_RULES)
    authorize_url: HttpsUrl = option(help="`authorization_endpoint` of the provider's .well-known/openid-configuration.", changing=_NEW_RULES)
    token_url: HttpsUrl = option(help="`token_endpoint` of the same document.", changing=_NEW_RULES)
    userinfo_url: HttpsUrl = option(help="`userinfo_endpoint` of the same document.", changing=_NEW_RULES)
    username_claim: str = option(
        "preferred_username",
        help="The claim that names a person. Choose one that never changes and that people cannot choose.",
        changing=_NEW_KIND,
        min_length=1,
    )
    scope: tuple[str, ...] = option(("openid", "profile", "email"), help="What the provider is asked for.", changing=_NEW_RULES, min_length=1)
    login_service: str = option("single sign-on", help="What the button says: “Sign in with …”.", changing=_NEW_RULES, min_length=1, max_length=60)
    groups_claim: str | None = option(None, help="The claim that lists a person's groups.", changing=_NEW_RULES, min_length=1)
    allowed_groups: tuple[str, ...] = option((), help="Groups whose members may come in.", changing=_NEW_RULES, max_length=100)
    admin_groups: tuple[str, ...] = option((), help="Groups whose members are administrators.", changing=_NEW_RULES, max_length=100)

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.allowed_groups or self.admin_groups or self.allowed_users or self.administrators):
            raise refuse("lets nobody in", "list allowed_groups, allowed_users or administrators")
        if (self.allowed_groups or self.admin_groups) and self.groups_claim is None:
            raise refuse("names groups, but not the claim that holds them", "add groups_claim, such as groups")
        if "openid" not in self.scope:
            raise refuse("scope lacks openid: the provider would not speak OpenID Connect", "add openid to scope")
        return self


class LdapLookup(Model):
    """Find a person's entry first, with an account that may search, and then try the password."""

    search_base: str = option(help="Where people are, such as ou=people,dc=example,dc=org.", changing=_NEW_RULES, min_length=3)
    user_attribute: Annotated[str, AfterValidator(_attribute)] = option(
        "uid", help="The attribute that holds the name which people type: uid, or sAMAccountName with Active Directory.", changing=_NEW_KIND
    )
    search_user: str = option(help="DN of the account that searches. Its password is a secret of the stack.", changing=_NEW_RULES, min_length=3)


class LdapSignIn(_Listed):
    """A directory, reached with TLS whose certificate is verified against your authority."""

    kind: Literal["ldap"] = option(help="`ldap`: people sign in with their directory password.", changing=_NEW_KIND)
    server: Annotated[str, AfterValidator(_server)] = option(help="Name of the server, as its certificate has it.", changing=_NEW_RULES)
    port: int | None = option(None, help="Port; 636 with `on_connect` and 389 with `start_tls` by default.", changing=_NEW_RULES, ge=1, le=65535)
    tls: Literal["on_connect", "start_tls"] = option("on_connect", help="`on_connect`: LDAPS. `start_tls`: plain first, then TLS.", changing=_NEW_RULES)
    ca_certificate: Annotated[str, AfterValidator(_authorities)] = option(
        help="The authority that signed the server's certificate, in PEM form. Not secret.", changing=_NEW_RULES
    )
    bind_dn_templates: tuple[Annotated[str, AfterValidator(_template)], ...] = option(
        (), help="DNs to try a password with, in order: uid={username},ou=people,dc=example,dc=org. Or use `lookup`.", changing=_NEW_RULES, max_length=10
    )
    lookup: LdapLookup | None = option(None, help="Find people by searching, where their DN does not follow from the name.", changing=_NEW_RULES)
    allowed_groups: tuple[str, ...] = option((), help="DNs of groups whose members may come in.", changing=_NEW_RULES, max_length=100)

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.allowed_groups or self.allowed_users or self.administrators):
            raise refuse("lets nobody in", "list allowed_groups, allowed_users or administrators")
        if bool(self.bind_dn_templates) == (self.lookup is not None):
            raise refuse("needs either bind_dn_templates or lookup, not both and not neither", "give one of them")
        return self


class SharedPasswordSignIn(_SignIn):
    """One password for everybody, made by the stack: whoever has it comes in under any name. For a first try."""

    kind: Literal["shared_password"] = option(help="`shared_password`: one password for everybody, shown by `jhub open`. For a first try.", changing=_NEW_KIND)


SignIn = Annotated[GitHubSignIn | OidcSignIn | LdapSignIn | SharedPasswordSignIn, Field(discriminator="kind")]
