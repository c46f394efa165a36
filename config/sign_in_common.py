"""Options of every kind of sign-in: allowed users, administrators, valid user names; and the texts
and values that several kinds have in common.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option

NEW_RULES = (
    "The hub restarts (half a minute; running servers are not affected). Users who are no longer"
    " allowed are refused at the next sign-in."
)
NEW_KIND = (
    "The hub restarts. Users may get other names, and with them other homes: try it on a second hub"
    " first."
)
_USER_NAME = re.compile(r"[^\s/:{}]{1,100}")
#: Names that a rule allows, before JupyterHub converts them to lower case. `\Z` and not `$`, which
#: would let a last newline pass.
PATTERNS: dict[str, str] = {
    "simple": r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z",
    "dotted": r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
    "email": r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(@[A-Za-z0-9][A-Za-z0-9.-]{0,127})?\Z",
}
NameRule = Literal["simple", "dotted", "email", "any"]


def user_name(value: str) -> str:
    """The name, if it is one that JupyterHub can give."""
    if not _USER_NAME.fullmatch(value):
        what = f"is not a valid user name for signing in (got {shown(value)})"
        raise refuse("user-name.malformed", what, "write the bare name, such as ada")
    if value != value.lower():
        what = (
            f"has upper-case letters (got {shown(value)}): JupyterHub converts all user names to"
            " lower case"
        )
        raise refuse("user-name.upper-case", what, f"write {value.lower()}")
    return value


UserName = Annotated[str, AfterValidator(user_name), Field(json_schema_extra={"examples": ["ada"]})]
USERS_LIMIT = 2000


class AnySignIn(Model):
    """What every kind has."""

    administrators: tuple[UserName, ...] = option(
        (),
        help=(
            "Users who see the admin page and may stop other users' servers. They can always sign"
            " in, and no other user is an administrator by name."
        ),
        changing=NEW_RULES,
        max_length=100,
    )
    usernames: NameRule = option(
        "any",
        help=(
            "Valid user names. `simple`: letters, digits, - and _. `dotted`: dots too."
            " `email`: also + and an address. `any`: all of them."
        ),
        changing=(
            "The hub restarts. Users with a name that is no longer valid are refused at the next"
            " sign-in; homes are retained."
        ),
    )

    @property
    def username_pattern(self) -> str | None:
        """The rule as a regular expression that is matched from the beginning of a name to its
        end; None where any name is valid.
        """
        return PATTERNS.get(self.usernames)

    @property
    def groups_known(self) -> bool:
        """Whether the hub knows users' groups, so that profiles can be limited to some of them."""
        return False

    def refused_group(self, group: str) -> tuple[str, str, str] | None:
        """Why a profile cannot be for this group: the problem's id, what is wrong, what to do. None
        for a group that this kind of sign-in may know.
        """
        del group
        return None


class Listed(AnySignIn):
    """Kinds that allow users by name."""

    allowed_users: tuple[UserName, ...] = option(
        (), help="Users who may sign in, by name.", changing=NEW_RULES, max_length=USERS_LIMIT
    )


# --- Values of sign-in at an identity provider.


CLIENT = re.compile(r"[\w.:@/-]{1,200}", re.ASCII)
URL = re.compile(r"https://[^\s/]+(/\S*)?")
_CLAIM = re.compile(r"[\w:/-]+(\.[\w:/-]+)*", re.ASCII)


def _client(value: str) -> str:
    if not CLIENT.fullmatch(value):
        fix = (
            "copy it from the application that you registered; its secret is a secret of the stack"
        )
        raise refuse("sign-in.client-id", f"is not a client id (got {shown(value)})", fix)
    return value


def _url(value: str) -> str:
    if not URL.fullmatch(value):
        fix = "write it whole, such as https://login.example.org/oauth2/authorize"
        raise refuse("sign-in.address", f"is not an https address (got {shown(value)})", fix)
    return value


def _claim(value: str) -> str:
    if not _CLAIM.fullmatch(value):
        fix = "write it like groups, or realm_access.roles for one inside another"
        raise refuse("sign-in.claim", f"is not the name of a claim (got {shown(value)})", fix)
    return value


ClientId = Annotated[str, AfterValidator(_client)]
HttpsUrl = Annotated[str, AfterValidator(_url)]
Claim = Annotated[str, AfterValidator(_claim)]
CALLBACK = "Its callback address is https://HOSTNAME/hub/oauth_callback."


def _dns_domain(value: str) -> str:
    if not DOMAIN.fullmatch(value) or value != value.lower():
        what = f"is not a domain (got {shown(value)})"
        raise refuse("sign-in.email-domain", what, "write it like example.edu, in lower case")
    if value in PUBLIC_DOMAINS:
        what = f"is a domain in which every user of the internet can have an address (got {value})"
        raise refuse("sign-in.public-domain", what, "list your own domain, or users by name")
    return value


DOMAIN = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+"
)
#: Domains of the large public mail services.
PUBLIC_DOMAINS = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "proton.me", "protonmail.com", "gmx.de", "qq.com"}
)  # fmt: skip
EmailDomain = Annotated[
    str, AfterValidator(_dns_domain), Field(json_schema_extra={"examples": ["example.edu"]})
]


class PublicProvider(Listed):
    """Kinds whose provider is on the internet, at hosts that the kind decides."""

    client_id: ClientId = option(
        help=f"Client id of the application. {CALLBACK}", changing=NEW_RULES
    )

    @property
    def browser_hosts(self) -> tuple[str, ...]:
        """Hosts of the sign-in page."""
        raise NotImplementedError

    @property
    def hub_hosts(self) -> tuple[str, ...]:
        """Hosts that the hub itself calls."""
        raise NotImplementedError


def require_a_user(*ways: object) -> None:
    """Raises a problem where none of the options admits a user."""
    if not any(ways):
        fix = "list allowed_users, administrators, or who else may sign in"
        raise refuse("sign-in.no-user", "allows no user", fix)
