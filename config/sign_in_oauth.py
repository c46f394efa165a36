"""Sign-in at somebody else's page: GitHub, any OpenID Connect provider, Amazon Cognito."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import option, tag
from jupyterhub_aws.config.people import NEW_KIND, NEW_RULES, Listed
from jupyterhub_aws.config.values import HOST

_CLIENT = re.compile(r"[\w.:@/-]{1,200}", re.ASCII)
_URL = re.compile(r"https://[^\s/]+(/\S*)?")
_ORGANIZATION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,38})(:[A-Za-z0-9_.-]{1,100})?")
_CLAIM = re.compile(r"[\w:/-]+(\.[\w:/-]+)*", re.ASCII)


def _client(value: str) -> str:
    if not _CLIENT.fullmatch(value):
        raise refuse(
            f"is not a client id (got {shown(value)})",
            "copy it from the application that you registered; its secret goes elsewhere",
        )
    return value


def _url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise refuse(
            f"is not an https address (got {shown(value)})",
            "write it whole, such as https://login.example.org/oauth2/authorize",
        )
    return value


def _organization(value: str) -> str:
    if not _ORGANIZATION.fullmatch(value):
        raise refuse(
            f"is neither an organization nor organization:team (got {shown(value)})",
            "write it as in its address at GitHub, such as jupyter:hub",
        )
    return value


def _team(value: str) -> str:
    if ":" not in value:
        raise refuse(
            f"is an organization, not a team (got {shown(value)}): all of its members would be"
            " meant",
            "write organization:team",
        )
    return _organization(value)


def _claim(value: str) -> str:
    if not _CLAIM.fullmatch(value):
        raise refuse(
            f"is not the name of a claim (got {shown(value)})",
            "write it like groups, or realm_access.roles for one inside another",
        )
    return value


def _domain(value: str) -> str:
    if "://" in value or not HOST.fullmatch(value) or "." not in value:
        raise refuse(
            f"is not the domain of a user pool (got {shown(value)})",
            "write its host, such as hub.auth.us-east-1.amazoncognito.com, or your own domain's",
        )
    return value


ClientId = Annotated[str, AfterValidator(_client)]
HttpsUrl = Annotated[str, AfterValidator(_url)]
Organization = Annotated[
    str,
    AfterValidator(_organization),
    Field(json_schema_extra={"examples": ["jupyter", "jupyter:hub"]}),
]
Team = Annotated[str, AfterValidator(_team), Field(json_schema_extra={"examples": ["jupyter:hub"]})]
Claim = Annotated[str, AfterValidator(_claim)]
_CALLBACK = "Its callback address is https://HOSTNAME/hub/oauth_callback."


class GitHubSignIn(Listed):
    """An OAuth application of GitHub. Its client secret is a secret of the stack."""

    kind: Literal["github"] = tag(
        "github", help="`github`: people sign in at GitHub.", changing=NEW_KIND
    )
    client_id: ClientId = option(
        help=f"Client id of the OAuth application. {_CALLBACK}", changing=NEW_RULES
    )
    allowed_organizations: tuple[Organization, ...] = option(
        (),
        help="Organizations, or organization:team, whose members may come in.",
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
    def _somebody(self) -> Self:
        if not (
            self.allowed_organizations
            or self.admin_teams
            or self.allowed_users
            or self.administrators
        ):
            raise refuse(
                "lets nobody in", "list allowed_organizations, allowed_users or administrators"
            )
        return self


class _Provider(Listed):
    """What OpenID Connect providers have in common: claims."""

    client_id: ClientId = option(
        help=f"Client id of the application. {_CALLBACK}", changing=NEW_RULES
    )
    scope: tuple[str, ...] = option(
        ("openid", "profile", "email"),
        help="What the provider is asked for.",
        changing=NEW_RULES,
        min_length=1,
    )
    login_service: str = option(
        "single sign-on",
        help="What the button says: “Sign in with …”.",
        changing=NEW_RULES,
        min_length=1,
        max_length=60,
    )
    allowed_groups: tuple[str, ...] = option(
        (), help="Groups whose members may come in.", changing=NEW_RULES, max_length=100
    )
    admin_groups: tuple[str, ...] = option(
        (),
        help="Groups whose members are administrators. They get in too.",
        changing=NEW_RULES,
        max_length=100,
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (
            self.allowed_groups or self.admin_groups or self.allowed_users or self.administrators
        ):
            raise refuse("lets nobody in", "list allowed_groups, allowed_users or administrators")
        if "openid" not in self.scope:
            raise refuse(
                "scope lacks openid: the provider would not speak OpenID Connect",
                "add openid to scope",
            )
        return self


class OidcSignIn(_Provider):
    """Any OpenID Connect provider: Keycloak, Entra ID, Okta. Its client secret is a secret of
    the stack.
    """

    kind: Literal["oidc"] = tag(
        "oidc", help="`oidc`: people sign in at an OpenID Connect provider.", changing=NEW_KIND
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
            "`end_session_endpoint` of the same document: where people go who sign out. Without it"
            " they stay signed in there."
        ),
        changing=NEW_RULES,
    )
    username_claim: Claim = option(
        "preferred_username",
        help=(
            "The claim that names a person. Choose one that never changes and that people cannot"
            " choose."
        ),
        changing=NEW_KIND,
    )
    groups_claim: Claim | None = option(
        None,
        help=(
            "The claim that lists a person's groups. A dot leads into a claim: realm_access.roles."
        ),
        changing=NEW_RULES,
    )

    @property
    def groups_known(self) -> bool:
        """Only where a claim holds them."""
        return self.groups_claim is not None

    @model_validator(mode="after")
    def _groups_have_a_claim(self) -> Self:
        if (self.allowed_groups or self.admin_groups) and self.groups_claim is None:
            raise refuse(
                "names groups, but not the claim that holds them",
                "add groups_claim, such as groups",
            )
        return self


class CognitoSignIn(_Provider):
    """A user pool of Amazon Cognito. The client secret of its app client is a secret of the
    stack.
    """

    kind: Literal["cognito"] = tag(
        "cognito", help="`cognito`: people sign in at a user pool's own page.", changing=NEW_KIND
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
        help="The claim that names a person. With `email`, let nobody change theirs.",
        changing=NEW_KIND,
    )

    @property
    def groups_known(self) -> bool:
        """Cognito writes a person's groups into the identity token."""
        return True

    @property
    def authorize_url(self) -> str:
        """Amazon Cognito developer guide, "User pool endpoints and managed login reference"."""
        return f"https://{self.domain}/oauth2/authorize"

    @property
    def token_url(self) -> str:
        """The same page of the guide."""
        return f"https://{self.domain}/oauth2/token"
