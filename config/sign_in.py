"""Who may sign in to a hub, and how it identifies them. The default is no access: no kind admits
users that a stack does not allow.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.sign_in_cilogon import CilogonSignIn, IdentityProvider
from jupyterhub_aws.config.sign_in_common import (
    CALLBACK,
    NEW_KIND,
    NEW_RULES,
    AnySignIn,
    Claim,
    ClientId,
    HttpsUrl,
    Listed,
    NameRule,
)
from jupyterhub_aws.config.sign_in_entra import EntraSignIn
from jupyterhub_aws.config.sign_in_google import GoogleSignIn
from jupyterhub_aws.config.sign_in_lti import LtiSignIn
from jupyterhub_aws.config.values import HOST

# --- Sign-in with a directory: LDAP or Active Directory, over TLS that is verified.


#: A value that is not written by mistake.
PLAIN_TEXT = "none_insecure"
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
#: One `attribute=value` of a DN, in which commas may be escaped (RFC 4514).
_DN = re.compile(
    r"\s*[A-Za-z][\w.-]*\s*=(\\.|[^,\\])+(,\s*[A-Za-z][\w.-]*\s*=(\\.|[^,\\])+)*",
    re.ASCII | re.DOTALL,
)
_LDAPS, _LDAP = 636, 389


def _server(value: str) -> str:
    if "://" in value or value.count(":"):
        fix = "write the bare name, such as ldap.example.org; the port has an option of its own"
        raise refuse("sign-in.server-address", f"has a scheme or a port (got {shown(value)})", fix)
    if not HOST.fullmatch(value):
        fix = "write it like ldap.example.org"
        raise refuse("sign-in.server", f"is not the name of a server (got {shown(value)})", fix)
    return value


def _template(value: str) -> str:
    if (
        "{username}" not in value
        or "{" in value.replace("{username}", "")
        or "}" in value.replace("{username}", "")
    ):
        what = f"must hold {{username}} and no other field (got {shown(value)})"
        fix = "write it like uid={username},ou=people,dc=example,dc=org"
        raise refuse("sign-in.template", what, fix)
    return value


def _attribute(value: str) -> str:
    if not _ATTRIBUTE.fullmatch(value):
        what = f"is not the name of an LDAP attribute (got {shown(value)})"
        raise refuse("sign-in.attribute", what, "write it like uid or sAMAccountName")
    return value


def is_dn(value: str) -> bool:
    """Whether a text has the form of a distinguished name."""
    return bool(_DN.fullmatch(value))


def _dn(value: str) -> str:
    if not is_dn(value):
        what = f"is not a distinguished name (got {shown(value)})"
        fix = "write it whole, such as cn=hub,ou=groups,dc=example,dc=org"
        raise refuse("sign-in.distinguished-name", what, fix)
    return value


def _authorities(value: str) -> str:
    if "-----BEGIN CERTIFICATE-----" not in value or "PRIVATE KEY" in value:
        fix = (
            "paste the authority's certificate with its BEGIN and END lines, under"
            " `ca_certificate: |`"
        )
        raise refuse("tls.not-pem", "is not a certificate in PEM form", fix)
    return value.strip() + "\n"


Dn = Annotated[str, AfterValidator(_dn)]


class LdapLookup(Model):
    """Find a user's entry first, with an account that may search, and then try the password."""

    search_base: Dn = option(
        help="Base DN of the users' entries, such as ou=people,dc=example,dc=org.",
        changing=NEW_RULES,
    )
    user_attribute: Annotated[str, AfterValidator(_attribute)] = option(
        "uid",
        help=(
            "The attribute that holds the name which users type: uid, or sAMAccountName with"
            " Active Directory."
        ),
        changing=NEW_KIND,
    )
    search_user: str = option(
        help="DN of the account that searches. Its password is a secret of the stack.",
        changing=NEW_RULES,
        min_length=3,
    )


class LdapSignIn(Listed):
    """A directory, reached with TLS whose certificate is verified against your authority."""

    kind: Literal["ldap"] = tag(
        "ldap", help="`ldap`: users sign in with their directory password.", changing=NEW_KIND
    )
    server: Annotated[str, AfterValidator(_server)] = option(
        help="Name of the server, as its certificate has it.", changing=NEW_RULES
    )
    port: int | None = option(
        None,
        help="Port; 636 with `on_connect` and 389 otherwise.",
        changing=NEW_RULES,
        ge=1,
        le=65535,
    )
    tls: Literal["on_connect", "start_tls", "none_insecure"] = option(
        "on_connect",
        help=(
            f"`on_connect`: LDAPS. `start_tls`: plain first, then TLS. `{PLAIN_TEXT}`: no TLS, so"
            " passwords can be read on the network path; a warning in every plan."
        ),
        changing=NEW_RULES,
    )
    ca_certificate: Annotated[str, AfterValidator(_authorities)] | None = option(
        None,
        help=(
            "The authority that signed the server's certificate, in PEM form. Not secret. Required"
            " with TLS."
        ),
        changing=NEW_RULES,
    )
    bind_dn_templates: tuple[Annotated[str, AfterValidator(_template)], ...] = option(
        (),
        help=(
            "DNs to try a password with, in order: uid={username},ou=people,dc=example,dc=org. Or"
            " use `lookup`."
        ),
        changing=NEW_RULES,
        max_length=10,
    )
    lookup: LdapLookup | None = option(
        None,
        help="Find users by searching, where their DN cannot be derived from the name.",
        changing=NEW_RULES,
    )
    allowed_groups: tuple[Dn, ...] = option(
        (), help="DNs of groups whose members may sign in.", changing=NEW_RULES, max_length=100
    )
    admin_groups: tuple[Dn, ...] = option(
        (),
        help=(
            "DNs of groups whose members are administrators, for as long as they are members. They"
            " may sign in too."
        ),
        changing=NEW_RULES,
        max_length=20,
    )
    usernames: NameRule = option(
        "dotted",
        help=(
            "Valid user names: `simple`, `dotted`, `email` or `any`, as with other kinds. Input is"
            " escaped in any case."
        ),
        changing=(
            "The hub restarts. Users with a name that is no longer valid are refused at the next"
            " sign-in; homes are retained."
        ),
    )
    timeout_seconds: int = option(
        10,
        help=(
            "How long a sign-in waits for the directory. A directory that does not answer delays"
            " its own sign-ins only, never the hub."
        ),
        unit="seconds",
        changing=NEW_RULES,
        ge=1,
        le=60,
    )

    @property
    def encrypted(self) -> bool:
        """Whether passwords travel over TLS."""
        return self.tls != PLAIN_TEXT

    @property
    def server_port(self) -> int:
        """The port that is asked: what the stack file says, or the well-known one."""
        return self.port or (_LDAPS if self.tls == "on_connect" else _LDAP)

    @property
    def groups_known(self) -> bool:
        """A directory answers for each group that it is asked about."""
        return True

    @model_validator(mode="after")
    def _allows_a_user(self) -> Self:
        if not (
            self.allowed_groups or self.admin_groups or self.allowed_users or self.administrators
        ):
            fix = "list allowed_groups, allowed_users or administrators"
            raise refuse("sign-in.no-user", "allows no user", fix)
        if bool(self.bind_dn_templates) == (self.lookup is not None):
            what = "needs either bind_dn_templates or lookup, not both and not neither"
            raise refuse("sign-in.bind-or-lookup", what, "give one of them")
        if self.encrypted and self.ca_certificate is None:
            what = (
                "has no ca_certificate: the hub could not tell your directory from an attacker on"
                " the network path"
            )
            raise refuse("sign-in.no-ca", what, "paste the authority's certificate")
        if not self.encrypted and self.ca_certificate is not None:
            what = "has a ca_certificate, but without TLS it verifies nothing"
            fix = "write tls: on_connect or start_tls, or remove it"
            raise refuse("sign-in.ca-without-tls", what, fix)
        return self


# --- Sign-in at an identity provider: GitHub, any OpenID Connect provider, Amazon Cognito.


_ORGANIZATION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,38})(:[A-Za-z0-9_.-]{1,100})?")


def _organization(value: str) -> str:
    if not _ORGANIZATION.fullmatch(value):
        what = f"is neither an organization nor organization:team (got {shown(value)})"
        fix = "write it as in its address at GitHub, such as jupyter:hub"
        raise refuse("sign-in.organization", what, fix)
    return value


def _team(value: str) -> str:
    if ":" not in value:
        what = (
            f"is an organization, not a team (got {shown(value)}): it would include all of its"
            " members"
        )
        raise refuse("groups.not-a-team", what, "write organization:team")
    return _organization(value)


def _domain(value: str) -> str:
    if "://" in value or not HOST.fullmatch(value) or "." not in value:
        what = f"is not the domain of a user pool (got {shown(value)})"
        fix = "write its host, such as hub.auth.us-east-1.amazoncognito.com, or your own domain's"
        raise refuse("sign-in.domain", what, fix)
    return value


Organization = Annotated[
    str,
    AfterValidator(_organization),
    Field(json_schema_extra={"examples": ["jupyter", "jupyter:hub"]}),
]
Team = Annotated[str, AfterValidator(_team), Field(json_schema_extra={"examples": ["jupyter:hub"]})]


class GitHubSignIn(Listed):
    """An OAuth application of GitHub. Its client secret is a secret of the stack."""

    kind: Literal["github"] = tag(
        "github", help="`github`: users sign in at GitHub.", changing=NEW_KIND
    )
    client_id: ClientId = option(
        help=f"Client id of the OAuth application. {CALLBACK}", changing=NEW_RULES
    )
    allowed_organizations: tuple[Organization, ...] = option(
        (),
        help="Organizations, or organization:team, whose members may sign in.",
        changing=NEW_RULES,
        max_length=50,
    )
    admin_teams: tuple[Team, ...] = option(
        (),
        help=(
            "Teams (organization:team) whose members are administrators, for as long as they are"
            " members."
        ),
        changing=NEW_RULES,
        max_length=20,
    )

    @property
    def groups_known(self) -> bool:
        """Groups are teams, as organization:team."""
        return True

    @model_validator(mode="after")
    def _allows_a_user(self) -> Self:
        if not (
            self.allowed_organizations
            or self.admin_teams
            or self.allowed_users
            or self.administrators
        ):
            fix = "list allowed_organizations, allowed_users or administrators"
            raise refuse("sign-in.no-user", "allows no user", fix)
        return self


class _Provider(Listed):
    """What OpenID Connect providers have in common: claims."""

    client_id: ClientId = option(
        help=f"Client id of the application. {CALLBACK}", changing=NEW_RULES
    )
    scope: tuple[str, ...] = option(
        ("openid", "profile", "email"),
        help="The OAuth scopes that the hub requests.",
        changing=NEW_RULES,
        min_length=1,
    )
    login_service: str = option(
        "single sign-on",
        help="Text of the button: “Sign in with …”.",
        changing=NEW_RULES,
        min_length=1,
        max_length=60,
    )
    allowed_groups: tuple[str, ...] = option(
        (), help="Groups whose members may sign in.", changing=NEW_RULES, max_length=100
    )
    admin_groups: tuple[str, ...] = option(
        (),
        help="Groups whose members are administrators. They may sign in too.",
        changing=NEW_RULES,
        max_length=100,
    )

    @model_validator(mode="after")
    def _allows_a_user(self) -> Self:
        if not (
            self.allowed_groups or self.admin_groups or self.allowed_users or self.administrators
        ):
            fix = "list allowed_groups, allowed_users or administrators"
            raise refuse("sign-in.no-user", "allows no user", fix)
        if "openid" not in self.scope:
            what = "scope lacks openid: the provider would not speak OpenID Connect"
            raise refuse("sign-in.no-openid", what, "add openid to scope")
        return self


class OidcSignIn(_Provider):
    """Any OpenID Connect provider: Keycloak, Okta, Shibboleth. Its client secret is a secret of
    the stack.
    """

    kind: Literal["oidc"] = tag(
        "oidc", help="`oidc`: users sign in at an OpenID Connect provider.", changing=NEW_KIND
    )
    authorize_url: HttpsUrl = option(
        help="`authorization_endpoint` of the provider's .well-known/openid-configuration.",
        changing=NEW_RULES,
    )
    token_url: HttpsUrl = option(help="`token_endpoint` of the same document.", changing=NEW_RULES)
    userinfo_url: HttpsUrl = option(
        help="`userinfo_endpoint` of the same document.", changing=NEW_RULES
    )
    logout_url: HttpsUrl | None = option(
        None,
        help=(
            "`end_session_endpoint` of the same document: where the hub sends users who sign out."
            " Without it they remain signed in there."
        ),
        changing=NEW_RULES,
    )
    username_claim: Claim = option(
        "preferred_username",
        help=(
            "The claim with the user name. Choose one that never changes and that users cannot"
            " edit."
        ),
        changing=NEW_KIND,
    )
    groups_claim: Claim | None = option(
        None,
        help=(
            "The claim that lists a user's groups. A dot separates nested claims:"
            " realm_access.roles."
        ),
        changing=NEW_RULES,
    )

    @property
    def groups_known(self) -> bool:
        """True where a claim lists them."""
        return self.groups_claim is not None

    @model_validator(mode="after")
    def _groups_have_a_claim(self) -> Self:
        if (self.allowed_groups or self.admin_groups) and self.groups_claim is None:
            what = "names groups, but not the claim that holds them"
            raise refuse("sign-in.no-groups-claim", what, "add groups_claim, such as groups")
        return self


class CognitoSignIn(_Provider):
    """A user pool of Amazon Cognito. The client secret of its app client is a secret of the
    stack.
    """

    kind: Literal["cognito"] = tag(
        "cognito", help="`cognito`: users sign in at a user pool's own page.", changing=NEW_KIND
    )
    domain: Annotated[str, AfterValidator(_domain)] = option(
        help=(
            "Host of the user pool's domain, such as hub.auth.us-east-1.amazoncognito.com. The"
            " sign-out address of the app client is https://HOSTNAME/."
        ),
        changing=NEW_RULES,
    )
    username_claim: Literal["cognito:username", "email", "sub"] = option(
        "cognito:username",
        help="The claim with the user name. With `email`, do not let users change it.",
        changing=NEW_KIND,
    )

    @property
    def groups_known(self) -> bool:
        """Cognito writes a user's groups into the identity token."""
        return True

    @property
    def authorize_url(self) -> str:
        """Amazon Cognito developer guide, "User pool endpoints and managed login reference"."""
        return f"https://{self.domain}/oauth2/authorize"

    @property
    def token_url(self) -> str:
        """The same page of the guide."""
        return f"https://{self.domain}/oauth2/token"


__all__ = [
    "CilogonSignIn",
    "CognitoSignIn",
    "EntraSignIn",
    "GitHubSignIn",
    "GoogleSignIn",
    "IdentityProvider",
    "LdapLookup",
    "LdapSignIn",
    "LtiSignIn",
    "NativeSignIn",
    "OidcSignIn",
    "SharedPasswordSignIn",
    "SignIn",
]


class NativeSignIn(AnySignIn):
    """The hub's own accounts, for small groups without an identity provider: users sign up, and an
    administrator approves them.

    The administrators' accounts exist from the start, with a password that the stack generates:
    their names cannot be claimed by sign-up.
    """

    kind: Literal["native"] = tag(
        "native",
        help="`native`: the hub's own accounts; an administrator approves users at /hub/authorize.",
        changing=NEW_KIND,
    )
    minimum_password_length: int = option(
        12,
        help="Shorter passwords are refused.",
        unit="characters",
        changing="For new passwords.",
        ge=8,
        le=128,
    )
    failed_logins: int = option(
        5,
        help="After so many wrong passwords sign-in is blocked for that name.",
        unit="attempts",
        changing=NEW_RULES,
        ge=1,
        le=100,
    )
    wait_seconds: int = option(
        600, help="How long sign-in is blocked.", unit="seconds", changing=NEW_RULES, ge=1, le=86400
    )

    @model_validator(mode="after")
    def _has_an_administrator(self) -> Self:
        if not self.administrators:
            what = "has no administrator, and only an administrator can approve users"
            raise refuse("sign-in.no-administrator", what, "list administrators")
        return self


class SharedPasswordSignIn(AnySignIn):
    """One shared password, generated by the stack: with it a user can sign in under any name.
    For a first try.
    """

    kind: Literal["shared_password"] = tag(
        "shared_password",
        help=(
            "`shared_password`: one password for all users, shown by `jhub open`. For a first try."
        ),
        changing=NEW_KIND,
    )


SignIn = Annotated[
    GitHubSignIn
    | OidcSignIn
    | CognitoSignIn
    | GoogleSignIn
    | EntraSignIn
    | CilogonSignIn
    | LtiSignIn
    | LdapSignIn
    | NativeSignIn
    | SharedPasswordSignIn,
    Field(discriminator="kind"),
]
