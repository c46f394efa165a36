"""Sign-in: the chart's default lets anybody in under any name, and that cannot be had here."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from checks.hub_values.fault import Fault, Values, at
from config.errors import shown

_LETS_ANYBODY_IN = ("dummy", "jupyterhub.auth.DummyAuthenticator", "tmp", "tmpauthenticator.TmpAuthenticator", "null")
#: The password is what keeps strangers out there.
_BY_PASSWORD = ("shared-password", "native", "firstuse")


def nobody_uninvited(values: Values) -> Iterator[Fault]:
    """No authenticator that takes everybody, and no rule that allows everybody with an account somewhere."""
    name = at(values, "hub", "config", "JupyterHub", "authenticator_class")
    if name is None or name in _LETS_ANYBODY_IN:
        yield Fault(
            path=("hub", "config", "JupyterHub", "authenticator_class"),
            what=f"lets anybody in under any name (got {shown(name)})",
            fix="choose a kind of sign-in, and leave this to it",
        )
    if name in _BY_PASSWORD:
        return
    for section, traits in (at(values, "hub", "config") or {}).items():
        if isinstance(traits, Mapping) and traits.get("allow_all"):
            yield Fault(
                path=("hub", "config", section, "allow_all"),
                what="lets in everybody who has an account there",
                fix="list groups, organizations or people",
            )


def leavers_stay_out(values: Values) -> Iterator[Fault]:
    """Whoever leaves a group is refused, although some people are listed by name."""
    for section, traits in (at(values, "hub", "config") or {}).items():
        if isinstance(traits, Mapping) and traits.get("allow_existing_users"):
            yield Fault(
                path=("hub", "config", section, "allow_existing_users"),
                what="lets in whoever was in once, also after they left the group",
                fix="remove it, or write false",
            )


def directory_is_verified(values: Values) -> Iterator[Fault]:
    """LDAP verifies the server's certificate: its class does not, unless it is told to."""
    traits = at(values, "hub", "config", "LDAPAuthenticator")
    if not isinstance(traits, Mapping) or at(values, "hub", "config", "JupyterHub", "authenticator_class") != "ldap":
        return
    if traits.get("tls_strategy") == "insecure" or traits.get("use_ssl") is False:
        yield Fault(path=("hub", "config", "LDAPAuthenticator", "tls_strategy"), what="sends passwords in clear text", fix="write on_connect or before_bind")
    if at(traits, "tls_kwargs", "validate") != 2:  # noqa: PLR2004 -- ssl.CERT_REQUIRED
        yield Fault(
            path=("hub", "config", "LDAPAuthenticator", "tls_kwargs", "validate"),
            what="does not verify the directory's certificate: anybody on the way could read passwords",
            fix="write the number 2 (as a word it fails at the first sign-in)",
        )


def configuration_is_python(values: Values) -> Iterator[Fault]:
    """What stands in hub.extraConfig can be read by the hub, which otherwise ends at its start."""
    for name, text in (at(values, "hub", "extraConfig") or {}).items():
        try:
            ast.parse(text if isinstance(text, str) else "")
        except SyntaxError as error:
            yield Fault(
                path=("hub", "extraConfig", name), what=f"is not Python (line {error.lineno}: {error.msg}): the hub would not start", fix="correct that line"
            )


RULES = (nobody_uninvited, leavers_stay_out, directory_is_verified, configuration_is_python)
