"""Sign-in with Microsoft Entra ID in the hub: oauthenticator 17.4.0, for one tenant.

A file of the hub's own pod, beside the chart's configuration. What is different from the class
below it, and why:

- The tenant in the token (`tid`) must be the stack's: upstream takes what the endpoint says.
- Guests are refused unless the stack admits them: their names are given by another tenant
  (Microsoft identity platform, "ID token claims reference": `idp`, `acct`, `tid`).
"""

from __future__ import annotations

from oauthenticator.azuread import AzureAdOAuthenticator
from tornado import web
from traitlets import Bool


class EntraAccountsAuthenticator(AzureAdOAuthenticator):
    """Upstream's traits are configured under `AzureAdOAuthenticator`, new ones under this class."""

    guests = Bool(False, config=True, help="Whether guests of the tenant may sign in.")

    async def check_allowed(self, username, auth_model):
        """As upstream's, for accounts of the tenant. Raises HTTP 403."""
        if auth_model is not None:
            claims = auth_model["auth_state"][self.user_auth_state_key]
            if claims.get("tid") != self.tenant_id:
                raise web.HTTPError(403, "This account is of another organization.")
            if not self.guests and self._is_guest(claims):
                raise web.HTTPError(403, "This account is a guest of the organization.")
        return await super().check_allowed(username, auth_model)

    def _is_guest(self, claims):
        home = claims.get("idp")
        return str(claims.get("acct")) == "1" or bool(home and self.tenant_id not in home)
