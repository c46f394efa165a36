"""Who may come in, and how a hub knows them. Nobody can, unless a stack says who: no kind here
lets strangers in.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from jupyterhub_aws.config.errors import refuse
from jupyterhub_aws.config.model import option, tag
from jupyterhub_aws.config.people import NEW_KIND, NEW_RULES, AnySignIn
from jupyterhub_aws.config.sign_in_directory import LdapLookup, LdapSignIn
from jupyterhub_aws.config.sign_in_oauth import CognitoSignIn, GitHubSignIn, OidcSignIn

__all__ = [
    "CognitoSignIn",
    "GitHubSignIn",
    "LdapLookup",
    "LdapSignIn",
    "NativeSignIn",
    "OidcSignIn",
    "SharedPasswordSignIn",
    "SignIn",
]


class NativeSignIn(AnySignIn):
    """Accounts of the hub's own, for small groups without any service: people sign up, and an
    administrator lets them in.

    The administrators' accounts are there from the start, with a password that the stack makes:
    nobody can take their names.
    """

    kind: Literal["native"] = tag(
        "native",
        help=(
            "`native`: accounts of the hub's own; an administrator admits people at /hub/authorize."
        ),
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
        help="After so many wrong passwords a name has to wait.",
        unit="attempts",
        changing=NEW_RULES,
        ge=1,
        le=100,
    )
    wait_seconds: int = option(
        600, help="How long it waits.", unit="seconds", changing=NEW_RULES, ge=1, le=86400
    )

    @model_validator(mode="after")
    def _somebody_admits(self) -> Self:
        if not self.administrators:
            raise refuse(
                "has no administrator, and only one can let people in", "list administrators"
            )
        return self


class SharedPasswordSignIn(AnySignIn):
    """One password for everybody, made by the stack: whoever has it comes in under any name. For
    a first try.
    """

    kind: Literal["shared_password"] = tag(
        "shared_password",
        help=(
            "`shared_password`: one password for everybody, shown by `jhub open`. For a first try."
        ),
        changing=NEW_KIND,
    )


SignIn = Annotated[
    GitHubSignIn | OidcSignIn | CognitoSignIn | LdapSignIn | NativeSignIn | SharedPasswordSignIn,
    Field(discriminator="kind"),
]
