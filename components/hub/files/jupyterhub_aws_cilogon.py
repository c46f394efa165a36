"""Sign-in by way of CILogon in the hub: oauthenticator 17.4.0, with identity providers as groups.

A file of the hub's own pod, beside the chart's configuration. What is different from the class
below it, and why:

- A user's groups are the short name of the identity provider, and the values of a claim. A value
  that is the name of a provider is left out: an institution cannot assert another one.
- A name with a colon is refused before the prefix is put: it could be that of another provider's
  user.
"""

from __future__ import annotations

from oauthenticator.cilogon import CILogonOAuthenticator
from tornado import web
from traitlets import Dict, Unicode


class InstitutionsAuthenticator(CILogonOAuthenticator):
    """Upstream's traits are configured under `CILogonOAuthenticator`, new ones under this class."""

    provider_names = Dict(config=True, help="Short name of each identity provider, by entity id.")
    groups_claim = Unicode("", config=True, help="The claim that lists further groups.")

    async def get_user_groups(self, auth_state):
        """The provider's short name, and what the claim lists: a list, or a text with semicolons
        (CILogon, "OpenID Connect": affiliation).
        """
        user = auth_state[self.user_auth_state_key]
        said = user.get(self.groups_claim) if self.groups_claim else None
        listed = said.split(";") if isinstance(said, str) else said or []
        claimed = {str(item).strip() for item in listed} - {"", *self.provider_names.values()}
        own = self.provider_names.get(user.get("idp"))
        return claimed | ({own} if own else set())

    def _user_info_to_unprocessed_username(self, user_info):
        name = super()._user_info_to_unprocessed_username(user_info)
        if ":" in name:
            raise web.HTTPError(403, "Your institution gives a user name with a colon.")
        return name
