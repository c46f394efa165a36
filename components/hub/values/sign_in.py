"""Sign-in: the authenticator's configuration, and which part of it is secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from config.hub import Hub
from config.sign_in import GitHubSignIn, LdapSignIn, OidcSignIn, SharedPasswordSignIn

LDAP_CA_PATH = "/etc/jupyterhub-aws/ldap-ca.crt"
#: A directory that does not answer must hold up its own sign-ins only: the class of ldapauthenticator 2.0.2 has no time-out and
#: binds in the hub's one thread, where 20 s without /hub/health were measured with a silent server.
_LDAP_THREADED = """\
import asyncio
import socket

from ldapauthenticator import LDAPAuthenticator

socket.setdefaulttimeout(10)


class ThreadedLDAPAuthenticator(LDAPAuthenticator):
    async def authenticate(self, handler, data):
        return await asyncio.to_thread(asyncio.run, super().authenticate(handler, data))


c.JupyterHub.authenticator_class = ThreadedLDAPAuthenticator
"""
_LDAPS, _LDAP = 636, 389
#: ssl.CERT_REQUIRED. As a word ldap3 refuses it, and its own default verifies nothing.
_CERTIFICATE_REQUIRED = 2


@dataclass(frozen=True, kw_only=True)
class SignInValues:
    """`config` goes under hub.config, `extra_config` and `extra_files` under hub; `secret_traits` names what a secret fills in: class and trait."""

    config: dict[str, dict[str, Any]]
    extra_config: dict[str, str] = field(default_factory=dict)
    extra_files: dict[str, dict[str, str]] = field(default_factory=dict)
    secret_traits: tuple[tuple[str, str], ...] = ()


def sign_in_values(hub: Hub, public_url: str) -> SignInValues:
    """What a hub's kind of sign-in needs. `public_url` is where people's browsers come back to."""
    kinds: dict[type, Callable[[Any, str], SignInValues]] = {
        GitHubSignIn: _github,
        OidcSignIn: _oidc,
        LdapSignIn: _ldap,
        SharedPasswordSignIn: _shared_password,
    }
    return kinds[type(hub.sign_in)](hub.sign_in, f"{public_url}hub/oauth_callback")


def _people(allowed: tuple[str, ...], administrators: tuple[str, ...]) -> dict[str, Any]:
    """Who may come in by name. Administrators are listed too: being one does not let anybody in.

    JupyterHub takes a non-empty list as leave to keep whoever was in once, groups or not; so that is switched off.
    """
    names = sorted({*allowed, *administrators})
    found: dict[str, Any] = {"admin_users": sorted(administrators)} if administrators else {}
    return {**found, **({"allowed_users": names} if names else {}), "allow_existing_users": False, "allow_all": False}


def _github(sign_in: GitHubSignIn, callback: str) -> SignInValues:
    organizations = {"allowed_organizations": sorted(sign_in.allowed_organizations), "scope": ["read:org"]} if sign_in.allowed_organizations else {}
    return SignInValues(
        config={
            "JupyterHub": {"authenticator_class": "github"},
            "Authenticator": _people(sign_in.allowed_users, sign_in.administrators),
            "GitHubOAuthenticator": {"client_id": sign_in.client_id, "oauth_callback_url": callback, **organizations},
        },
        secret_traits=(("GitHubOAuthenticator", "client_secret"),),
    )


def _oidc(sign_in: OidcSignIn, callback: str) -> SignInValues:
    people = _people(sign_in.allowed_users, sign_in.administrators)
    traits: dict[str, Any] = {
        "client_id": sign_in.client_id,
        "oauth_callback_url": callback,
        "authorize_url": sign_in.authorize_url,
        "token_url": sign_in.token_url,
        "userdata_url": sign_in.userinfo_url,
        "username_claim": sign_in.username_claim,
        "scope": list(sign_in.scope),
        "login_service": sign_in.login_service,
    }
    if sign_in.groups_claim is not None:
        # manage_groups stands with the base class: the traits below it are refused as long as it is off.
        people["manage_groups"] = True
        traits |= {"auth_state_groups_key": f"oauth_user.{sign_in.groups_claim}"}
        traits |= {"allowed_groups": sorted(sign_in.allowed_groups)} if sign_in.allowed_groups else {}
        traits |= {"admin_groups": sorted(sign_in.admin_groups)} if sign_in.admin_groups else {}
    return SignInValues(
        config={"JupyterHub": {"authenticator_class": "generic-oauth"}, "Authenticator": people, "GenericOAuthenticator": traits},
        secret_traits=(("GenericOAuthenticator", "client_secret"),),
    )


def _ldap(sign_in: LdapSignIn, _callback: str) -> SignInValues:
    traits: dict[str, Any] = {
        "server_address": sign_in.server,
        "server_port": sign_in.port or (_LDAPS if sign_in.tls == "on_connect" else _LDAP),
        "tls_strategy": "on_connect" if sign_in.tls == "on_connect" else "before_bind",
        "tls_kwargs": {"validate": _CERTIFICATE_REQUIRED, "ca_certs_file": LDAP_CA_PATH},
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
    return SignInValues(
        config={
            "JupyterHub": {"authenticator_class": "ldap"},
            "Authenticator": _people(sign_in.allowed_users, sign_in.administrators),
            "LDAPAuthenticator": traits,
        },
        extra_config={"10-ldap-in-a-thread": _LDAP_THREADED},
        extra_files={"ldap-ca": {"mountPath": LDAP_CA_PATH, "stringData": sign_in.ca_certificate}},
        secret_traits=secret,
    )


def _shared_password(sign_in: SharedPasswordSignIn, _callback: str) -> SignInValues:
    # Whoever has the password comes in: the password is the list. Administrators have one of their own.
    admins = {"admin_users": sorted(sign_in.administrators)} if sign_in.administrators else {}
    secret = [("SharedPasswordAuthenticator", "user_password")]
    if sign_in.administrators:
        secret.append(("SharedPasswordAuthenticator", "admin_password"))
    return SignInValues(
        config={"JupyterHub": {"authenticator_class": "shared-password"}, "Authenticator": {**admins, "allow_all": True}},
        secret_traits=tuple(secret),
    )
