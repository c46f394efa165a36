"""Sign-in with a work or school account of one tenant of Microsoft Entra ID."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import option, tag
from jupyterhub_aws.config.sign_in_common import (
    NEW_KIND,
    NEW_RULES,
    PublicProvider,
    require_a_user,
)

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Microsoft identity platform, "OAuth 2.0 authorization code flow": values of {tenant} that let in
#: accounts of any tenant; the last one is that of personal accounts ("ID token claims reference").
ANY_TENANT = (
    "common",
    "organizations",
    "consumers",
    "9188040d-6c67-4c5b-b112-36a304b66dad",
)
#: Microsoft Entra, "National clouds", authentication endpoints.
_HOSTS = {
    "public": "login.microsoftonline.com",
    "us_government": "login.microsoftonline.us",
    "china": "login.partner.microsoftonline.cn",
}


def _tenant(value: str) -> str:
    if value.lower() in ANY_TENANT:
        what = f"is every tenant of Microsoft (got {value}): any account in the world could sign in"
        raise refuse("sign-in.any-tenant", what, "write the directory (tenant) id of your own")
    if not _GUID.fullmatch(value.lower()):
        what = f"is not the id of a tenant (got {shown(value)})"
        fix = "copy the directory (tenant) id from the overview page of Microsoft Entra ID"
        raise refuse("sign-in.tenant", what, fix)
    return value.lower()


def _stable(value: Any) -> Any:
    if value in ("email", "name", "unique_name", "given_name", "nickname"):
        what = f"is {value}, which users or the administrators of another tenant can change"
        fix = "write preferred_username, upn or oid"
        raise refuse("sign-in.claim-editable", what, fix)
    return value


#: What the documentation and the drafts of `jhub init` say until they are replaced.
DOCUMENTATION_TENANT = "8d7c6f3e-2b14-4f0a-9c55-1e2f3a4b5c6d"
DOCUMENTATION_CLIENT = "5f6e7d8c-1111-4222-8333-944455556666"


class EntraSignIn(PublicProvider):
    """An application of Microsoft Entra ID. Its client secret is a secret of the stack."""

    kind: Literal["entra"] = tag(
        "entra",
        help="`entra`: users sign in with a work or school account of one Microsoft tenant.",
        changing=NEW_KIND,
    )
    tenant_id: Annotated[
        str,
        AfterValidator(_tenant),
        Field(json_schema_extra={"examples": [DOCUMENTATION_TENANT]}),
    ] = option(
        help="Directory (tenant) id. Accounts of other tenants are refused.", changing=NEW_KIND
    )
    cloud: Literal["public", "us_government", "china"] = option(
        "public", help="The cloud that the tenant is in.", changing=NEW_KIND
    )
    username_claim: Annotated[
        Literal["preferred_username", "upn", "oid"], BeforeValidator(_stable)
    ] = option(
        "preferred_username",
        help=(
            "The claim with the user name. `preferred_username` and `upn` (an optional claim of the"
            " application) are set by administrators of the tenant; `oid` never changes."
        ),
        changing=NEW_KIND,
    )
    guests: bool = option(
        False,
        help=(
            "Whether guests of the tenant may sign in, where they are allowed. Needs"
            " `username_claim: oid`: a guest's name is given by another tenant."
        ),
        changing=NEW_RULES,
    )
    groups_claim: Literal["groups", "roles"] = option(
        "groups",
        help=(
            "`groups`: object ids of groups (Token configuration, groups claim). `roles`: values of"
            " the application's own app roles, also where a user is in more than 200 groups."
        ),
        changing=NEW_RULES,
    )
    allowed_groups: tuple[str, ...] = option(
        (),
        help="Groups (object ids) or app roles whose members may sign in.",
        changing=NEW_RULES,
        max_length=100,
    )
    admin_groups: tuple[str, ...] = option(
        (),
        help=(
            "Groups (object ids) or app roles whose members are administrators. They may sign in"
            " too."
        ),
        changing=NEW_RULES,
        max_length=100,
    )

    @property
    def groups_known(self) -> bool:
        """Groups by object id, or app roles."""
        return True

    def refused_group(self, group: str) -> tuple[str, str, str] | None:
        """The claim `groups` holds object ids, never names."""
        if self.groups_claim == "roles" or _GUID.fullmatch(group):
            return None
        return (
            "groups.not-an-object-id",
            f"is not the object id of a group (got {shown(group)})",
            "write its object id, in lower case; or groups_claim: roles for app roles",
        )

    @property
    def base_url(self) -> str:
        """Microsoft identity platform, "OpenID Connect on the Microsoft identity platform"."""
        return f"https://{_HOSTS[self.cloud]}/{self.tenant_id}/oauth2/v2.0"

    @property
    def browser_hosts(self) -> tuple[str, ...]:
        """The cloud's sign-in page."""
        return (_HOSTS[self.cloud],)

    @property
    def hub_hosts(self) -> tuple[str, ...]:
        """The token endpoint: its identity token says who a user is."""
        return (_HOSTS[self.cloud],)

    @model_validator(mode="after")
    def _names_are_one_users(self) -> Self:
        require_a_user(
            self.allowed_groups, self.admin_groups, self.allowed_users, self.administrators
        )
        for option_name in ("allowed_groups", "admin_groups"):
            for group in getattr(self, option_name):
                if refused := self.refused_group(group):
                    which, what, fix = refused
                    raise refuse(which, f"lists in {option_name} what {what}", fix)
        if self.guests and self.username_claim != "oid":
            what = (
                f"admits guests by {self.username_claim}, a name that another tenant gives: it"
                " could be a name of yours"
            )
            raise refuse("sign-in.guests-by-name", what, "write username_claim: oid")
        return self
