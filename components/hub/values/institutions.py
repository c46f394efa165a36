"""Sign-in as institutions have it: the configuration of our own authenticators for Google, Microsoft
Entra ID, CILogon, and courses.
"""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.components.hub.values.hub_files import file_of_hub
from jupyterhub_aws.components.hub.values.sign_in_parts import (
    SignInValues,
    authenticator_traits,
    callback,
)
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.sign_in_cilogon import CilogonSignIn, IdentityProvider
from jupyterhub_aws.config.sign_in_common import Listed
from jupyterhub_aws.config.sign_in_entra import EntraSignIn
from jupyterhub_aws.config.sign_in_google import GoogleSignIn
from jupyterhub_aws.config.sign_in_lti import LtiSignIn


def google(sign_in: GoogleSignIn, _hub: Hub, public_url: str) -> SignInValues:
    """Accounts of Workspace domains, which are groups too. User names are addresses:
    `strip_domain` is always said, because oauthenticator's default depends on the domains.
    """
    traits: dict[str, Any] = {
        "client_id": sign_in.client_id,
        "oauth_callback_url": callback(public_url),
        "scope": ["openid", "email"],
        "strip_domain": sign_in.strip_domain is not None,
        **_listed(allowed_groups=sign_in.allowed_domains),
    }
    if sign_in.strip_domain is not None:
        traits["hosted_domain"] = [sign_in.strip_domain]
    return _values(
        sign_in,
        "jupyterhub_aws_google.GoogleAccountsAuthenticator",
        {"GoogleOAuthenticator": traits},
    )


def entra(sign_in: EntraSignIn, hub: Hub, public_url: str) -> SignInValues:
    """The endpoints of version 2.0, whose identity token has `preferred_username`; oauthenticator's
    own defaults are those of version 1.
    """
    # Microsoft identity platform, "OpenID Connect": send a sign-out request.
    leave = f"{sign_in.base_url}/logout?post_logout_redirect_uri={public_url}"
    groups = bool(sign_in.allowed_groups or sign_in.admin_groups or hub.named_groups)
    traits = {
        "client_id": sign_in.client_id,
        "oauth_callback_url": callback(public_url),
        "tenant_id": sign_in.tenant_id,
        "authorize_url": f"{sign_in.base_url}/authorize",
        "token_url": f"{sign_in.base_url}/token",
        "logout_redirect_url": leave,
        "login_service": "Microsoft",
        "scope": ["openid", "profile", "email"],
        "username_claim": sign_in.username_claim,
        **({"auth_state_groups_key": f"user.{sign_in.groups_claim}"} if groups else {}),
        **_listed(allowed_groups=sign_in.allowed_groups, admin_groups=sign_in.admin_groups),
    }
    return _values(
        sign_in,
        "jupyterhub_aws_entra.EntraAccountsAuthenticator",
        {
            "AzureAdOAuthenticator": traits,
            "EntraAccountsAuthenticator": {"guests": sign_in.guests},
        },
        groups=groups,
    )


def cilogon(sign_in: CilogonSignIn, _hub: Hub, public_url: str) -> SignInValues:
    """The identity providers of the stack file and no other one."""
    providers = sorted(sign_in.identity_providers.items())
    traits = {
        "client_id": sign_in.client_id,
        "oauth_callback_url": callback(public_url),
        # "OpenID Connect" of CILogon: what each scope returns; `idp` and `eppn` are of the last.
        "scope": ["openid", "email", "profile", "org.cilogon.userinfo"],
        # The same page: the address that ends CILogon's own session.
        "logout_redirect_url": "https://cilogon.org/logout",
        "idps": {item.entity_id: _provider(item) for _, item in providers},
        **_listed(allowed_groups=sign_in.allowed_groups, admin_groups=sign_in.admin_groups),
    }
    own: dict[str, Any] = {"provider_names": {item.entity_id: name for name, item in providers}}
    if sign_in.groups_claim is not None:
        own["groups_claim"] = sign_in.groups_claim
    return _values(
        sign_in,
        "jupyterhub_aws_cilogon.InstitutionsAuthenticator",
        {"CILogonOAuthenticator": traits, "InstitutionsAuthenticator": own},
    )


def _provider(item: IdentityProvider) -> dict[str, Any]:
    derivation: dict[str, str] = {"username_claim": item.username_claim}
    if item.prefix is not None:
        derivation |= {"action": "prefix", "prefix": item.prefix}
    if item.strip_domain is not None:
        derivation |= {"action": "strip_idp_domain", "domain": item.strip_domain}
    return {
        "username_derivation": derivation,
        **({"allow_all": True} if item.all_users else {}),
        **(
            {
                "allowed_domains": sorted(item.allowed_domains),
                "allowed_domains_claim": item.username_claim,
            }
            if item.allowed_domains
            else {}
        ),
    }


def lti(sign_in: LtiSignIn, _hub: Hub, _public_url: str) -> SignInValues:
    """A platform whose launches are verified with its public keys: there is no secret."""
    values = _values(
        sign_in,
        "jupyterhub_aws_lti.LaunchAuthenticator",
        {
            "LTI13Authenticator": {
                "issuer": sign_in.issuer,
                "client_id": sorted(sign_in.client_ids),
                "authorize_url": sign_in.authorize_url,
                "jwks_endpoint": sign_in.jwks_url,
                "jwks_algorithms": ["RS256"],
                "username_key": sign_in.username_claim,
                # Behind a balancer the scheme of a request can be wrong.
                "uri_scheme": "https",
            },
            "LaunchAuthenticator": _listed(
                allowed_groups=sign_in.allowed_groups,
                admin_groups=sign_in.admin_groups,
                deployment_ids=sign_in.deployment_ids,
            ),
        },
        secret=False,
    )
    if not values.config["LaunchAuthenticator"]:
        del values.config["LaunchAuthenticator"]
    return values


def _listed(**traits: tuple[str, ...]) -> dict[str, Any]:
    return {name: sorted(value) for name, value in traits.items() if value}


def _values(
    sign_in: Listed,
    authenticator: str,
    sections: dict[str, dict[str, Any]],
    *,
    groups: bool = True,
    secret: bool = True,
) -> SignInValues:
    """`authenticator` is MODULE.CLASS of components/hub/files; the first section is that of the
    class below it.
    """
    module = authenticator.partition(".")[0]
    return SignInValues(
        config={
            "JupyterHub": {"authenticator_class": authenticator},
            "Authenticator": {
                **authenticator_traits(sign_in, sign_in.allowed_users),
                # Set on the base class: without it the traits of groups are refused.
                **({"manage_groups": True} if groups else {}),
            },
            **sections,
        },
        extra_files=file_of_hub(f"{module}.py"),
        secret_traits=((next(iter(sections)), "client_secret"),) if secret else (),
    )
