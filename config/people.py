"""What every kind of sign-in says of people: who they are, who manages the others, and which
names exist.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option

NEW_RULES = (
    "The hub restarts (half a minute; running servers go on). Whoever is no longer allowed is"
    " refused at the next sign-in."
)
NEW_KIND = (
    "The hub restarts. People may come back under other names, and would find other homes: try it"
    " on a second hub first."
)
_PERSON = re.compile(r"[^\s/:{}]{1,100}")
#: What a rule lets through, before JupyterHub makes it lower case. `\Z` and not `$`, which would
#: let a last newline pass.
PATTERNS: dict[str, str] = {
    "simple": r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z",
    "dotted": r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
    "email": r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(@[A-Za-z0-9][A-Za-z0-9.-]{0,127})?\Z",
}
NameRule = Literal["simple", "dotted", "email", "any"]


def _person(value: str) -> str:
    if not _PERSON.fullmatch(value):
        raise refuse(
            f"is not a name that one can sign in with (got {shown(value)})",
            "write the bare name, such as ada",
        )
    if value != value.lower():
        raise refuse(
            f"has upper-case letters (got {shown(value)}): JupyterHub knows everybody in lower"
            " case",
            f"write {value.lower()}",
        )
    return value


Person = Annotated[str, AfterValidator(_person), Field(json_schema_extra={"examples": ["ada"]})]
_PEOPLE_LIMIT = 2000


class AnySignIn(Model):
    """What every kind has."""

    administrators: tuple[Person, ...] = option(
        (),
        help=(
            "Who sees the admin page and may stop other people's servers. They always get in, and"
            " nobody else is an administrator by name."
        ),
        changing=NEW_RULES,
        max_length=100,
    )
    usernames: NameRule = option(
        "any",
        help=(
            "Names that may come in. `simple`: letters, digits, - and _. `dotted`: dots too."
            " `email`: also + and an address. `any`: all of them."
        ),
        changing=(
            "The hub restarts. Whoever has another name is refused at the next sign-in; homes stay."
        ),
    )

    @property
    def username_pattern(self) -> str | None:
        """The rule as a regular expression that is matched from the beginning of a name to its
        end; None where any name may come in.
        """
        return PATTERNS.get(self.usernames)

    @property
    def groups_known(self) -> bool:
        """Whether the hub learns of people's groups, so that profiles can be for some of them."""
        return False


class Listed(AnySignIn):
    """Kinds that know people by name."""

    allowed_users: tuple[Person, ...] = option(
        (), help="People who may come in, by name.", changing=NEW_RULES, max_length=_PEOPLE_LIMIT
    )
