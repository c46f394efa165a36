"""Sign-in with a Google account, of a Google Workspace or listed by name."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import option, tag
from jupyterhub_aws.config.sign_in_common import (
    NEW_KIND,
    NEW_RULES,
    EmailDomain,
    PublicProvider,
    require_a_user,
)


class GoogleSignIn(PublicProvider):
    """An OAuth client of Google. Its client secret is a secret of the stack.

    A user's group is the Workspace domain of the account. Google's own groups are not known to the
    hub: to read them it would need a key of a service account that may read the whole directory.
    """

    kind: Literal["google"] = tag(
        "google", help="`google`: users sign in with a Google account.", changing=NEW_KIND
    )
    allowed_domains: tuple[EmailDomain, ...] = option(
        (),
        help=(
            "Google Workspace domains whose accounts may all sign in, by the claim `hd`, which"
            " Google writes; not by the text of an address."
        ),
        changing=NEW_RULES,
        max_length=50,
    )
    strip_domain: EmailDomain | None = option(
        None,
        help=(
            "Removed from the end of user names: ada instead of ada@example.edu. Then only accounts"
            " of this Workspace domain can sign in."
        ),
        changing=NEW_KIND,
    )

    @property
    def groups_known(self) -> bool:
        """The domain of the account."""
        return True

    def refused_group(self, group: str) -> tuple[str, str, str] | None:
        """Only domains are groups; a domain that is not allowed has a member by name only."""
        if "." in group and "@" not in group:
            return None
        return (
            "groups.not-a-domain",
            f"is not a Workspace domain (got {shown(group)}): the hub asks Google for no groups",
            "write the domain, such as example.edu",
        )

    @property
    def browser_hosts(self) -> tuple[str, ...]:
        """Host of oauthenticator 17.4 (google.py, authorize_url)."""
        return ("accounts.google.com",)

    @property
    def hub_hosts(self) -> tuple[str, ...]:
        """Host of oauthenticator 17.4 (google.py, token_url and userdata_url)."""
        return ("www.googleapis.com",)

    @model_validator(mode="after")
    def _names_are_one_users(self) -> Self:
        require_a_user(self.allowed_domains, self.allowed_users, self.administrators)
        others = [domain for domain in self.allowed_domains if domain != self.strip_domain]
        if self.strip_domain is not None and others:
            what = (
                f"strips {self.strip_domain} from user names, and admits {', '.join(others)}: only"
                " one domain can be without, or two users could have one name"
            )
            raise refuse("sign-in.names-clash", what, "remove strip_domain, or the other domains")
        for name in (*self.administrators, *self.allowed_users):
            if self.strip_domain is not None and "@" in name:
                what = f"lists {shown(name)}, but strip_domain removes the domain from names"
                raise refuse("sign-in.name-form", what, f"write {name.partition('@')[0]}")
            if self.strip_domain is None and "@" not in name:
                what = f"lists {shown(name)}, which is no address: Google names users by theirs"
                raise refuse(
                    "sign-in.name-form", what, f"write it whole, such as {name}@example.edu"
                )
        return self
