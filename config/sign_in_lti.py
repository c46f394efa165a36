"""Sign-in from a course: the launch of a learning management system, by LTI 1.3."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import option, tag
from jupyterhub_aws.config.sign_in_common import (
    NEW_KIND,
    NEW_RULES,
    ClientId,
    HttpsUrl,
    Listed,
    require_a_user,
)

#: The context roles of LTI 1.3 (Core specification, A.2.2) as components/hub/files writes them;
#: `teaching_assistant` is the sub-role of Instructor.
ROLES = (
    "administrator",
    "content_developer",
    "instructor",
    "learner",
    "mentor",
    "teaching_assistant",
)
_GROUP = re.compile(rf"({'|'.join(ROLES)})|course:[^\s:]{{1,300}}(:({'|'.join(ROLES)}))?")
USERNAME = re.compile(r"sub|email|custom_[A-Za-z0-9_]{1,60}")
ISSUER = re.compile(r"https://[^\s?#]+")
_DEPLOYMENT = re.compile(r"\S{1,255}")


def _username(value: str) -> str:
    if value in ("name", "given_name", "family_name", "middle_name", "preferred_username"):
        what = f"is {value}, which users can change, and two users can have"
        raise refuse("sign-in.claim-editable", what, "write sub, or custom_NAME")
    if not USERNAME.fullmatch(value):
        what = f"is not a claim with a user's name (got {shown(value)})"
        raise refuse("sign-in.launch-claim", what, "write sub, email or custom_NAME")
    return value


def _issuer(value: str) -> str:
    if not ISSUER.fullmatch(value):
        what = f"is not an issuer (got {shown(value)})"
        fix = "copy it from the platform, such as https://canvas.instructure.com"
        raise refuse("sign-in.issuer", what, fix)
    return value


def _deployment(value: str) -> str:
    if not _DEPLOYMENT.fullmatch(value):
        what = f"is not a deployment id (got {shown(value)})"
        raise refuse("sign-in.deployment-id", what, "copy it from the platform")
    return value


def _group(value: str) -> str:
    if not _GROUP.fullmatch(value):
        what = f"is neither a role nor a course (got {shown(value)})"
        fix = f"write one of {', '.join(ROLES)}; course:ID; or course:ID:ROLE"
        raise refuse("groups.not-of-a-course", what, fix)
    return value


def _admin_group(value: str) -> str:
    role = _group(value).rpartition(":")[2]
    if not value.startswith("course:"):
        what = f"is the role {value} in any course of the platform (got {value})"
        raise refuse("sign-in.admin-any-course", what, f"name the course: course:ID:{value}")
    if value.count(":") == 1 or role == "learner":
        what = f"makes every learner of a course an administrator (got {shown(value)})"
        raise refuse("sign-in.admin-learners", what, "name the role: course:ID:instructor")
    return value


Group = Annotated[
    str,
    AfterValidator(_group),
    Field(json_schema_extra={"examples": ["learner", "course:101", "course:101:instructor"]}),
]


class LtiSignIn(Listed):
    """A tool of a learning management system (Canvas, Moodle, Open edX, Blackboard): users open the
    hub from their course. There is no client secret: launches are signed with the platform's keys.

    A user's groups are those of the last launch: the roles in the course, course:ID, and
    course:ID:ROLE.
    """

    kind: Literal["lti13"] = tag(
        "lti13",
        help="`lti13`: users open the hub from a course of a learning management system.",
        changing=NEW_KIND,
    )
    issuer: Annotated[str, AfterValidator(_issuer)] = option(
        help="The platform's issuer, exactly as it writes it.", changing=NEW_KIND
    )
    client_ids: tuple[ClientId, ...] = option(
        help=(
            "Client ids that the platform gave to this hub. Its login address is"
            " https://HOSTNAME/hub/lti13/oauth_login, its redirect address"
            " https://HOSTNAME/hub/lti13/oauth_callback."
        ),
        changing=NEW_RULES,
        min_length=1,
        max_length=20,
    )
    deployment_ids: tuple[Annotated[str, AfterValidator(_deployment)], ...] = option(
        (),
        help=(
            "Deployments of the tool from which users may come. Empty: all of these client ids, also"
            " one that a teacher adds to a course."
        ),
        changing=NEW_RULES,
        max_length=100,
    )
    authorize_url: HttpsUrl = option(
        help="The platform's authentication request address (OIDC).", changing=NEW_RULES
    )
    jwks_url: HttpsUrl = option(
        help="The address of the platform's public keys (JWKS). The hub reads it at each launch.",
        changing=NEW_RULES,
    )
    username_claim: Annotated[str, AfterValidator(_username)] = option(
        "sub",
        help=(
            "The claim with the user name. `sub` never changes; `custom_NAME` is a custom parameter"
            " of the tool, such as the login name; `email` only if users cannot edit it there."
        ),
        changing=NEW_KIND,
    )
    allowed_groups: tuple[Group, ...] = option(
        (),
        help=(
            "Who may sign in: roles (`learner`, `instructor` …, in any course), course:ID, or"
            " course:ID:ROLE. ID is the context's id, percent-encoded."
        ),
        changing=NEW_RULES,
        max_length=500,
    )
    admin_groups: tuple[
        Annotated[
            str,
            AfterValidator(_admin_group),
            Field(json_schema_extra={"examples": ["course:101:instructor"]}),
        ],
        ...,
    ] = option(
        (),
        help="Administrators, as course:ID:ROLE, for as long as the last launch said so.",
        changing=NEW_RULES,
        max_length=100,
    )

    @property
    def groups_known(self) -> bool:
        """Roles and courses."""
        return True

    def refused_group(self, group: str) -> tuple[str, str, str] | None:
        """Groups have a fixed form."""
        if _GROUP.fullmatch(group):
            return None
        return (
            "groups.not-of-a-course",
            f"is neither a role nor a course (got {shown(group)})",
            f"write one of {', '.join(ROLES)}; course:ID; or course:ID:ROLE",
        )

    @model_validator(mode="after")
    def _allows_a_user(self) -> Self:
        require_a_user(
            self.allowed_groups, self.admin_groups, self.allowed_users, self.administrators
        )
        if self.administrators and self.username_claim == "email":
            what = (
                "lists administrators by an address that users of many platforms can edit: a learner"
                " could become one"
            )
            fix = "use admin_groups (course:ID:instructor), or username_claim: sub"
            raise refuse("sign-in.admin-by-email", what, fix)
        return self
