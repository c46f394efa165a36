"""Sign-in with Google in the hub: oauthenticator 17.4.0, with Workspace domains as groups.

A file of the hub's own pod, beside the chart's configuration. What is different from the class
below it, and why:

- A user's group is the Workspace domain of the account: the claim `hd`, which Google writes.
- An address proves something only if Google vouches for it: for accounts of a Workspace, and for
  gmail.com (Google Identity, "Verify the Google ID token on your server side"). A private account
  may have an address that its owner lost with the job.
"""

from __future__ import annotations

from oauthenticator.google import GoogleOAuthenticator
from tornado import web

_GOOGLES_OWN = ("@gmail.com", "@googlemail.com")


class GoogleAccountsAuthenticator(GoogleOAuthenticator):
    """Its traits are configured under `GoogleOAuthenticator`."""

    async def get_user_groups(self, auth_state):
        """The Workspace domain of the account, if it has one."""
        domain = auth_state[self.user_auth_state_key].get("hd")
        return {domain.lower()} if domain else set()

    async def check_allowed(self, username, auth_model):
        """As upstream's, for accounts whose address Google vouches for. Raises HTTP 403."""
        if auth_model is not None:
            user = auth_model["auth_state"][self.user_auth_state_key]
            if not user.get("hd") and not user["email"].lower().endswith(_GOOGLES_OWN):
                raise web.HTTPError(
                    403,
                    "This is a private Google account with an address of another provider. Sign in"
                    " with an account of your organization.",
                )
        return await super().check_allowed(username, auth_model)
