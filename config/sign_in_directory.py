"""Sign-in with a directory: LDAP or Active Directory, over TLS that is verified."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.people import NEW_KIND, NEW_RULES, Listed, NameRule
from jupyterhub_aws.config.values import HOST

#: The option that nobody writes by mistake.
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
        raise refuse(
            f"has a scheme or a port (got {shown(value)})",
            "write the bare name, such as ldap.example.org; the port has an option of its own",
        )
    if not HOST.fullmatch(value):
        raise refuse(
            f"is not the name of a server (got {shown(value)})", "write it like ldap.example.org"
        )
    return value


def _template(value: str) -> str:
    if (
        "{username}" not in value
        or "{" in value.replace("{username}", "")
        or "}" in value.replace("{username}", "")
    ):
        raise refuse(
            f"must hold {{username}} and no other field (got {shown(value)})",
            "write it like uid={username},ou=people,dc=example,dc=org",
        )
    return value


def _attribute(value: str) -> str:
    if not _ATTRIBUTE.fullmatch(value):
        raise refuse(
            f"is not the name of an LDAP attribute (got {shown(value)})",
            "write it like uid or sAMAccountName",
        )
    return value


def is_dn(value: str) -> bool:
    """Whether a text has the form of a distinguished name."""
    return bool(_DN.fullmatch(value))


def _dn(value: str) -> str:
    if not is_dn(value):
        raise refuse(
            f"is not a distinguished name (got {shown(value)})",
            "write it whole, such as cn=hub,ou=groups,dc=example,dc=org",
        )
    return value


def _authorities(value: str) -> str:
    if "-----BEGIN CERTIFICATE-----" not in value or "PRIVATE KEY" in value:
        raise refuse(
            "is not a certificate in PEM form",
            "paste the authority's certificate with its BEGIN and END lines, under"
            " `ca_certificate: |`",
        )
    return value.strip() + "\n"


Dn = Annotated[str, AfterValidator(_dn)]


class LdapLookup(Model):
    """Find a person's entry first, with an account that may search, and then try the password."""

    search_base: Dn = option(
        help="Where people are, such as ou=people,dc=example,dc=org.", changing=NEW_RULES
    )
    user_attribute: Annotated[str, AfterValidator(_attribute)] = option(
        "uid",
        help=(
            "The attribute that holds the name which people type: uid, or sAMAccountName with"
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
        "ldap", help="`ldap`: people sign in with their directory password.", changing=NEW_KIND
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
            " everybody on the network path can read passwords; a warning in every plan."
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
        help="Find people by searching, where their DN does not follow from the name.",
        changing=NEW_RULES,
    )
    allowed_groups: tuple[Dn, ...] = option(
        (), help="DNs of groups whose members may come in.", changing=NEW_RULES, max_length=100
    )
    admin_groups: tuple[Dn, ...] = option(
        (),
        help=(
            "DNs of groups whose members are administrators, for as long as they are members. They"
            " get in too."
        ),
        changing=NEW_RULES,
        max_length=20,
    )
    usernames: NameRule = option(
        "dotted",
        help=(
            "Names that may come in: `simple`, `dotted`, `email` or `any`, as with other kinds."
            " What people type is escaped in any case."
        ),
        changing=(
            "The hub restarts. Whoever has another name is refused at the next sign-in; homes stay."
        ),
    )
    timeout_seconds: int = option(
        10,
        help=(
            "How long a sign-in waits for the directory. One that is silent delays its own sign-ins"
            " only, never the hub."
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
    def _somebody(self) -> Self:
        if not (
            self.allowed_groups or self.admin_groups or self.allowed_users or self.administrators
        ):
            raise refuse("lets nobody in", "list allowed_groups, allowed_users or administrators")
        if bool(self.bind_dn_templates) == (self.lookup is not None):
            raise refuse(
                "needs either bind_dn_templates or lookup, not both and not neither",
                "give one of them",
            )
        if self.encrypted and self.ca_certificate is None:
            raise refuse(
                "has no ca_certificate: nobody could tell your directory from somebody on the way",
                "paste the authority's certificate",
            )
        if not self.encrypted and self.ca_certificate is not None:
            raise refuse(
                "has a ca_certificate, but nothing that it would verify",
                "write tls: on_connect or start_tls, or remove it",
            )
        return self
