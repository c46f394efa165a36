"""Sign-in: the authenticator's configuration, and which part of it is secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyterhub_aws.components.hub.values.hub_files import LDAP_CA, file_of_hub
from jupyterhub_aws.components.hub.values.institutions import cilogon, entra, google, lti
from jupyterhub_aws.components.hub.values.sign_in_parts import (
    SignInValues,
    authenticator_traits,
    callback,
    name_rule,
)
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.sign_in import (
    CilogonSignIn,
    CognitoSignIn,
    EntraSignIn,
    GitHubSignIn,
    GoogleSignIn,
    LdapSignIn,
    LtiSignIn,
    NativeSignIn,
    OidcSignIn,
    SharedPasswordSignIn,
)

#: ssl.CERT_REQUIRED. As a word ldap3 refuses it, and its own default verifies nothing.
_CERTIFICATE_REQUIRED = 2
_STRATEGY = {"on_connect": "on_connect", "start_tls": "before_bind"}


def sign_in_values(hub: Hub, public_url: str) -> SignInValues:
    """What a hub's kind of sign-in needs. `public_url` is the address to which users' browsers
    are redirected.
    """
    kinds: dict[type, Callable[[Any, Hub, str], SignInValues]] = {
        GitHubSignIn: _github,
        OidcSignIn: _oidc,
        CognitoSignIn: _cognito,
        GoogleSignIn: google,
        EntraSignIn: entra,
        CilogonSignIn: cilogon,
        LtiSignIn: lti,
        LdapSignIn: _ldap,
        NativeSignIn: _native,
        SharedPasswordSignIn: _shared_password,
    }
    return kinds[type(hub.sign_in)](hub.sign_in, hub, public_url)


def _github(sign_in: GitHubSignIn, hub: Hub, public_url: str) -> SignInValues:
    authenticator, traits = (
        authenticator_traits(sign_in, sign_in.allowed_users),
        {
            "client_id": sign_in.client_id,
            "oauth_callback_url": callback(public_url),
        },
    )
    organizations: dict[str, Any] = (
        {"allowed_organizations": sorted(sign_in.allowed_organizations)}
        if sign_in.allowed_organizations
        else {}
    )
    teams = bool(sign_in.admin_teams or hub.named_groups)
    if teams:
        authenticator["manage_groups"] = True
        organizations |= {"populate_teams_in_auth_state": True}
        # Administrators may sign in (oauth2.py, check_allowed); the traits are those of the base
        # class, for any kind of group.
        organizations |= (
            {"admin_groups": sorted(sign_in.admin_teams)} if sign_in.admin_teams else {}
        )
    if organizations:
        organizations["scope"] = ["read:org"]
    return SignInValues(
        config={
            "JupyterHub": {"authenticator_class": "github"},
            "Authenticator": authenticator,
            "GitHubOAuthenticator": {**traits, **organizations},
        },
        settings={"githubTeams": True} if teams else {},
        secret_traits=(("GitHubOAuthenticator", "client_secret"),),
    )


def _provider(
    sign_in: OidcSignIn | CognitoSignIn,
    public_url: str,
    groups_claim: str | None,
    traits: dict[str, Any],
) -> SignInValues:
    authenticator = authenticator_traits(sign_in, sign_in.allowed_users)
    traits = {
        "client_id": sign_in.client_id,
        "oauth_callback_url": callback(public_url),
        "authorize_url": sign_in.authorize_url,
        "token_url": sign_in.token_url,
        "username_claim": sign_in.username_claim,
        "scope": list(sign_in.scope),
        "login_service": sign_in.login_service,
        **traits,
    }
    if groups_claim is not None:
        # manage_groups is set on the base class: without it the traits of groups are refused.
        authenticator["manage_groups"] = True
        traits |= {"auth_state_groups_key": f"oauth_user.{groups_claim}"}
        traits |= (
            {"allowed_groups": sorted(sign_in.allowed_groups)} if sign_in.allowed_groups else {}
        )
        traits |= {"admin_groups": sorted(sign_in.admin_groups)} if sign_in.admin_groups else {}
    return SignInValues(
        config={
            "JupyterHub": {"authenticator_class": "generic-oauth"},
            "Authenticator": authenticator,
            "GenericOAuthenticator": traits,
        },
        secret_traits=(("GenericOAuthenticator", "client_secret"),),
    )


def _oidc(sign_in: OidcSignIn, _hub: Hub, public_url: str) -> SignInValues:
    leave = {} if sign_in.logout_url is None else {"logout_redirect_url": sign_in.logout_url}
    return _provider(
        sign_in, public_url, sign_in.groups_claim, {"userdata_url": sign_in.userinfo_url, **leave}
    )


def _cognito(sign_in: CognitoSignIn, _hub: Hub, public_url: str) -> SignInValues:
    # Groups are in the identity token only, not in what the userInfo endpoint says (Amazon Cognito
    # developer guide, "Understanding
    # the identity (ID) token"); the sign-out address is that of its "Logout endpoint".
    leave = f"https://{sign_in.domain}/logout?client_id={sign_in.client_id}&logout_uri={public_url}"
    return _provider(
        sign_in,
        public_url,
        "cognito:groups",
        {"userdata_from_id_token": True, "logout_redirect_url": leave},
    )


def _ldap(sign_in: LdapSignIn, hub: Hub, _public_url: str) -> SignInValues:
    traits: dict[str, Any] = {
        "server_address": sign_in.server,
        "server_port": sign_in.server_port,
        "tls_strategy": _STRATEGY.get(sign_in.tls, "insecure"),
        "tls_kwargs": (
            {"validate": _CERTIFICATE_REQUIRED, "ca_certs_file": LDAP_CA.mount_path}
            if sign_in.encrypted
            else {}
        ),
        # JupyterHub matches the rule after making names lower case; this one before, and before the
        # directory is asked.
        "valid_username_regex": sign_in.username_pattern or ".+",
    }
    secret: tuple[tuple[str, str], ...] = ()
    if sign_in.lookup is None:
        traits["bind_dn_template"] = list(sign_in.bind_dn_templates)
    else:
        traits |= {
            "lookup_dn": True,
            "user_search_base": sign_in.lookup.search_base,
            "user_attribute": sign_in.lookup.user_attribute,
            "lookup_dn_search_user": sign_in.lookup.search_user,
            # With `cn` here, groups that list members by name (memberUid) would never match.
            "lookup_dn_user_dn_attribute": sign_in.lookup.user_attribute,
        }
        secret = (("LDAPAuthenticator", "lookup_dn_search_password"),)
    if sign_in.allowed_groups:
        traits["allowed_groups"] = list(sign_in.allowed_groups)
    own: dict[str, Any] = {
        "timeout_seconds": sign_in.timeout_seconds,
        "admin_groups": list(sign_in.admin_groups),
    }
    own["known_groups"] = list(hub.named_groups)
    files = (
        {}
        if sign_in.ca_certificate is None
        else {LDAP_CA.key: {"mountPath": LDAP_CA.mount_path, "stringData": sign_in.ca_certificate}}
    )
    return SignInValues(
        config={
            "JupyterHub": {"authenticator_class": "jupyterhub_aws_ldap.DirectoryAuthenticator"},
            "Authenticator": {
                **authenticator_traits(sign_in, sign_in.allowed_users),
                "manage_groups": True,
            },
            "LDAPAuthenticator": traits,
            "DirectoryAuthenticator": own,
        },
        extra_files={**files, **file_of_hub("jupyterhub_aws_ldap.py")},
        secret_traits=secret,
    )


def _native(sign_in: NativeSignIn, _hub: Hub, _public_url: str) -> SignInValues:
    traits = {
        "check_common_password": True,
        "minimum_password_length": sign_in.minimum_password_length,
        "allowed_failed_logins": sign_in.failed_logins,
        "seconds_before_next_try": sign_in.wait_seconds,
    }
    # All users with an account that an administrator approved may sign in: the accounts are the
    # list.
    authenticator = {
        "admin_users": sorted(sign_in.administrators),
        **name_rule(sign_in),
        "allow_all": True,
    }
    return SignInValues(
        config={
            "JupyterHub": {"authenticator_class": "jupyterhub_aws_accounts.AccountsAuthenticator"},
            "Authenticator": authenticator,
            "NativeAuthenticator": traits,
        },
        extra_files=file_of_hub("jupyterhub_aws_accounts.py"),
        settings={"accountPages": True},
        secret_traits=(("AccountsAuthenticator", "admin_password"),),
    )


def _shared_password(sign_in: SharedPasswordSignIn, _hub: Hub, _public_url: str) -> SignInValues:
    # All users with the password may sign in: the password is the only check. Administrators have
    # one of their own.
    admins = {"admin_users": sorted(sign_in.administrators)} if sign_in.administrators else {}
    secret = [("SharedPasswordAuthenticator", "user_password")]
    if sign_in.administrators:
        secret.append(("SharedPasswordAuthenticator", "admin_password"))
    return SignInValues(
        config={
            "JupyterHub": {"authenticator_class": "shared-password"},
            "Authenticator": {**admins, **name_rule(sign_in), "allow_all": True},
        },
        secret_traits=tuple(secret),
    )
