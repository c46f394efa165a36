"""Sign-in at an institution's own page, by way of CILogon."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.sign_in_common import (
    NEW_KIND,
    NEW_RULES,
    USERS_LIMIT,
    EmailDomain,
    PublicProvider,
    require_a_user,
    user_name,
)

ENTITY = re.compile(r"(https?://|urn:)[^\s,]{1,300}")
SHORT = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_PREFIXED = re.compile(r"(?P<prefix>[a-z0-9-]+):(?P<name>[^\s/:{}]{1,100})")
#: Providers of CILogon's list (https://cilogon.org/idplist) where every user of the internet can
#: have an account: Google, GitHub, ORCID, Microsoft.
PUBLIC = re.compile(
    r"https?://(google\.com/|github\.com/|orcid\.org/|login\.microsoftonline\.com/)"
)
#: Claims with a scope, an @ and a domain. Of these only `eppn` is filtered: another institution
#: cannot assert it for your domain (CILogon, "OpenID Connect", org.cilogon.userinfo).
WITH_DOMAIN, _FILTERED = ("eppn", "email"), "eppn"


def _entity(value: str) -> str:
    if not ENTITY.fullmatch(value):
        what = f"is not an entity id (got {shown(value)})"
        fix = "copy EntityID from https://cilogon.org/idplist, such as urn:mace:incommon:uiuc.edu"
        raise refuse("sign-in.entity-id", what, fix)
    return value


def _short(value: str) -> str:
    if not SHORT.fullmatch(value):
        what = f"is not a short name for an identity provider (got {shown(value)})"
        raise refuse("sign-in.provider-name", what, "use lower-case letters, digits and dashes")
    return value


def _stable(value: Any) -> Any:
    if value in ("name", "given_name", "family_name", "ou", "idp_name"):
        what = f"is {value}, which is not one user's alone"
        raise refuse("sign-in.claim-editable", what, "write eppn, email or preferred_username")
    return value


def _cilogon_name(value: str) -> str:
    prefix, colon, name = value.partition(":")
    if not colon:
        return user_name(value)
    if not _PREFIXED.fullmatch(value):
        what = f"is not a valid user name for signing in (got {shown(value)})"
        raise refuse("user-name.malformed", what, "write prefix:name, such as github:ada")
    return f"{prefix}:{user_name(name)}"


_Name = Annotated[
    str,
    AfterValidator(_cilogon_name),
    Field(json_schema_extra={"examples": ["ada@example.edu", "github:ada"]}),
]


class IdentityProvider(Model):
    """One identity provider of CILogon's list, and what its users are called here."""

    entity_id: Annotated[
        str,
        AfterValidator(_entity),
        Field(json_schema_extra={"examples": ["urn:mace:incommon:uiuc.edu"]}),
    ] = option(help="EntityID of https://cilogon.org/idplist.", changing=NEW_KIND)
    username_claim: Annotated[
        Literal["eppn", "email", "preferred_username"], BeforeValidator(_stable)
    ] = option(
        "eppn",
        help=(
            "The claim with the user name. `eppn` (ada@example.edu) is the one that institutions"
            " assert for their own domain only; `preferred_username` is GitHub's."
        ),
        changing=NEW_KIND,
    )
    prefix: Annotated[str, AfterValidator(_short)] | None = option(
        None,
        help=(
            "Put before the name, with a colon: github:ada. Needed by all providers but one, unless"
            " all of those without use `eppn`."
        ),
        changing=NEW_KIND,
    )
    strip_domain: EmailDomain | None = option(
        None,
        help="Removed from the end of names: ada instead of ada@example.edu. Not with `prefix`.",
        changing=NEW_KIND,
    )
    all_users: bool = option(
        False,
        help="Whether all of its users may sign in. Otherwise the users that another option allows.",
        changing=NEW_RULES,
    )
    allowed_domains: tuple[EmailDomain, ...] = option(
        (),
        help="Its users whose eppn or email is of one of these domains may sign in.",
        changing=NEW_RULES,
        max_length=50,
    )

    @property
    def public(self) -> bool:
        """Whether every user of the internet can have an account there."""
        return bool(PUBLIC.match(self.entity_id))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.all_users and self.public:
            what = "admits all users of a provider where every user of the internet has an account"
            raise refuse("sign-in.public-provider", what, "list users by name, or allowed_domains")
        if self.prefix is not None and self.strip_domain is not None:
            what = "has prefix and strip_domain: the hub's authenticator does one of them"
            raise refuse("sign-in.prefix-and-strip", what, "remove one of them")
        for named in ("strip_domain", "allowed_domains"):
            if getattr(self, named) and self.username_claim not in WITH_DOMAIN:
                what = f"has {named}, but {self.username_claim} holds no domain"
                raise refuse("sign-in.claim-without-domain", what, "write username_claim: eppn")
        return self


class CilogonSignIn(PublicProvider):
    """A client of CILogon: users choose their institution and sign in there. Its client secret is a
    secret of the stack.

    A user's groups are the short name of the identity provider in `identity_providers`, and the
    values of `groups_claim`.
    """

    kind: Literal["cilogon"] = tag(
        "cilogon",
        help="`cilogon`: users sign in at their own institution's page, by way of CILogon.",
        changing=NEW_KIND,
    )
    administrators: tuple[_Name, ...] = option(
        (),
        help=(
            "Users who see the admin page and may stop other users' servers, with the prefix of"
            " their provider where it has one."
        ),
        changing=NEW_RULES,
        max_length=100,
    )
    allowed_users: tuple[_Name, ...] = option(
        (),
        help="Users who may sign in, by name, with the prefix of their provider where it has one.",
        changing=NEW_RULES,
        max_length=USERS_LIMIT,
    )
    identity_providers: dict[Annotated[str, AfterValidator(_short)], IdentityProvider] = option(
        help=(
            "The only identity providers that users can choose, by a short name of yours, which is"
            " a group of all of its users. No other one is accepted."
        ),
        changing=NEW_RULES,
        min_length=1,
        max_length=50,
    )
    groups_claim: Literal["isMemberOf", "affiliation"] | None = option(
        None,
        help=(
            "The claim that lists further groups: `isMemberOf` (of your COmanage registry) or"
            " `affiliation` (staff@example.edu, of the institution)."
        ),
        changing=NEW_RULES,
    )
    allowed_groups: tuple[str, ...] = option(
        (),
        help="Groups of `groups_claim` whose members may sign in.",
        changing=NEW_RULES,
        max_length=100,
    )
    admin_groups: tuple[str, ...] = option(
        (),
        help="Groups of `groups_claim` whose members are administrators. They may sign in too.",
        changing=NEW_RULES,
        max_length=100,
    )

    @property
    def groups_known(self) -> bool:
        """The identity provider is a group."""
        return True

    def refused_group(self, group: str) -> tuple[str, str, str] | None:
        """Without a claim only the providers are groups."""
        if self.groups_claim is not None or group in self.identity_providers:
            return None
        return (
            "groups.not-a-provider",
            f"is none of identity_providers (got {shown(group)}), and no groups_claim is set",
            "write the short name of a provider, or add groups_claim",
        )

    @property
    def browser_hosts(self) -> tuple[str, ...]:
        """CILogon's own page; the institutions' pages follow from there."""
        return ("cilogon.org",)

    @property
    def hub_hosts(self) -> tuple[str, ...]:
        """Host of oauthenticator 17.4 (cilogon.py, cilogon_host)."""
        return ("cilogon.org",)

    @model_validator(mode="after")
    def _names_are_one_users(self) -> Self:
        providers = self.identity_providers
        require_a_user(
            self.allowed_users,
            self.administrators,
            self.allowed_groups,
            self.admin_groups,
            *(item.all_users or item.allowed_domains for item in providers.values()),
        )
        _each_once(providers)
        bare = {name: item for name, item in providers.items() if item.prefix is None}
        stripped = [name for name, item in bare.items() if item.strip_domain is not None]
        filtered = all(item.username_claim == _FILTERED for item in bare.values())
        if len(bare) > 1 and (not filtered or len(stripped) > 1):
            what = (
                f"gives users of {' and '.join(sorted(bare))} names from one set: a user of one"
                " could get the name, and the home, of a user of another"
            )
            fix = "give all of them but one a prefix; or use eppn, and strip_domain for one at most"
            raise refuse("sign-in.names-clash", what, fix)
        if self.usernames != "any" and len(bare) < len(providers):
            what = f"has a prefix with a colon, which usernames: {self.usernames} does not accept"
            raise refuse("sign-in.prefix-excluded", what, "remove usernames")
        if (self.allowed_groups or self.admin_groups) and self.groups_claim is None:
            what = "names groups, but not the claim that holds them"
            raise refuse("sign-in.no-groups-claim", what, "add groups_claim, such as isMemberOf")
        for option_name in ("allowed_groups", "admin_groups"):
            for group in getattr(self, option_name):
                if group in providers:
                    what = (
                        f"lists {shown(group)} in {option_name}, which is the name of a provider:"
                        " all of its users"
                    )
                    fix = f"write identity_providers.{group}.all_users: true, if they may sign in"
                    raise refuse("sign-in.group-is-provider", what, fix)
        known = {item.prefix for item in providers.values()}
        for name in (*self.administrators, *self.allowed_users):
            prefix = name.partition(":")[0] if ":" in name else None
            if prefix not in known:
                form = "has no prefix" if prefix is None else f"has the prefix {prefix}"
                what = f"lists {shown(name)}, which {form}: no provider gives such a name"
                fix = "write prefix:name, with a prefix of identity_providers"
                raise refuse("sign-in.name-form", what, fix)
        return self


def _each_once(providers: dict[str, IdentityProvider]) -> None:
    for named in ("entity_id", "prefix"):
        seen: dict[str, str] = {}
        for name, item in providers.items():
            value = getattr(item, named)
            if value is not None and value in seen:
                what = f"has the same {named} for {seen[value]} and {name}"
                raise refuse("sign-in.provider-twice", what, "remove one of them")
            if value is not None:
                seen[value] = name
