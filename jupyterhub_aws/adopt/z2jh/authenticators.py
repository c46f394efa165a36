"""Which authenticator a hub had, by whatever name: a class with its module, a short name, or none,
where a program chooses.

Sources: the entry points `jupyterhub.authenticators` of jupyterhub 5.5, oauthenticator 17.4,
ldapauthenticator 2.0 and nativeauthenticator 1.3; the classes of charts before 0.10 (`auth.type`);
the projects tmpauthenticator, dummyauthenticator, nullauthenticator, firstuseauthenticator,
ltiauthenticator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jupyterhub_aws.adopt.z2jh.taken import Taking
from jupyterhub_aws.config.tree import Path

#: The kind here, by the name of the class without `Local` and `(O)Authenticator`, in lower case.
_CLASSES: Mapping[str, str] = {
    "ldap": "ldap", "github": "github", "generic": "oidc", "awscognito": "oidc", "azuread": "azure", "google": "google", "gitlab": "gitlab",
    "auth0": "auth0", "native": "native", "firstuse": "native", "dummy": "shared", "sharedpassword": "shared", "tmp": "shared",
}  # fmt: skip
#: Short names (entry points, and `auth.type` of charts before 0.10), and the class that each means.
_SHORT: Mapping[str, str] = {
    "ldap": "LDAPAuthenticator", "ldapauthenticator": "LDAPAuthenticator", "github": "GitHubOAuthenticator", "generic-oauth": "GenericOAuthenticator",
    "generic": "GenericOAuthenticator", "awscognito": "AWSCognitoAuthenticator", "cognito": "AWSCognitoAuthenticator", "azuread": "AzureAdOAuthenticator",
    "google": "GoogleOAuthenticator", "gitlab": "GitLabOAuthenticator", "auth0": "Auth0OAuthenticator", "native": "NativeAuthenticator",
    "firstuse": "FirstUseAuthenticator", "firstuseauthenticator": "FirstUseAuthenticator", "dummy": "DummyAuthenticator", "tmp": "TmpAuthenticator",
    "shared-password": "SharedPasswordAuthenticator", "null": "NullAuthenticator", "pam": "PAMAuthenticator", "default": "PAMAuthenticator",
    "cilogon": "CILogonOAuthenticator", "globus": "GlobusOAuthenticator", "bitbucket": "BitbucketOAuthenticator", "openshift": "OpenShiftOAuthenticator",
    "mediawiki": "MWOAuthenticator", "okpy": "OkpyOAuthenticator", "lti": "LTIAuthenticator", "lti11": "LTI11Authenticator", "lti13": "LTI13Authenticator",
    "hmac": "HMACAuthenticator",
}  # fmt: skip
#: Why what has no counterpart has none, where more can be said than that.
_WHY: Mapping[str, str] = {
    "cilogon": "CILogon: no kind of sign-in here can keep to some of its institutions, and another one could vouch for the same name",
    "globus": "Globus: no kind of sign-in here can keep to one identity provider of it",
    "bitbucket": "Bitbucket is no OpenID Connect provider",
    "openshift": "OpenShift's own accounts are of its cluster",
    "lti": "LTI: users come from a course's page, and no kind of sign-in here knows that", "null": "it let nobody in",
    "pam": "accounts of the hub's own machine",
}  # fmt: skip
#: Sections whose traits every authenticator of a kind reads besides its own class's.
_BASES = ("OAuthenticator", "LocalAuthenticator", "Authenticator")
_CHOSEN_IN_CODE = re.compile(r"(?i)authenticator")
_CLASS_NAME = re.compile(r"[\w.:-]{1,120}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class FoundAuthenticator:
    """What signs users in. `doubt`: why nobody can be sure of it; `why`: why it has no
    counterpart (kind `other`).
    """

    kind: str
    class_name: str
    places: tuple[tuple[str, ...], ...]
    doubt: str | None = None
    why: str | None = None


def class_of(name: str) -> str:
    """The bare class: of `oauthenticator.generic.GenericOAuthenticator`, `module:Class` or a
    short name.
    """
    bare = re.split(r"[.:]", name.strip())[-1]
    short = name.strip().lower().removeprefix("local-")
    return _SHORT.get(short, _SHORT.get(bare.lower(), bare))


def _stems(class_name: str) -> tuple[str, str]:
    """What is left of a class's name, with and without the O of OAuth: `AWSCognitoAuthenticator`
    ends in an o of its own.
    """
    stem = class_name.lower().removeprefix("local").removesuffix("authenticator")
    return stem, stem.removesuffix("o")


def kind_of(class_name: str) -> str:
    """The kind of a class, or `other`."""
    return next((_CLASSES[stem] for stem in _stems(class_name) if stem in _CLASSES), "other")


def authenticator_of(taking: Taking) -> FoundAuthenticator:
    """Look for it. Sections of other classes had no effect, and are settled."""
    said = taking.text("hub", "config", "JupyterHub", "authenticator_class")
    old, custom = taking.text("auth", "type"), taking.text("auth", "custom", "className")
    config = taking.look("hub", "config")
    sections = [
        key
        for key in (config if isinstance(config, Mapping) else ())
        if isinstance(key, str) and key.lower().endswith("authenticator")
    ]
    named = [key for key in sections if key not in _BASES]
    doubt, name = _doubt(taking, said, old), said or (custom if old == "custom" and custom else old)
    if name is None:
        name = named[0] if len(named) == 1 else "dummy" if doubt is None else "unknown"
        if doubt is None or len(named) == 1:
            doubt = doubt or _unnamed(named)
    if not _CLASS_NAME.fullmatch(name):
        name, doubt = "unknown", "the old one's name is no name of a class"
    class_name = class_of(name)
    own = [
        key
        for key in named
        if key.lower() == class_name.lower()
        or key.lower().removeprefix("local") == class_name.lower().removeprefix("local")
    ]
    for key in named:
        if key not in own:
            taking.settle(
                "hub", "config", key, why=f"had no effect: users signed in with {class_name[:60]}"
            )
    places: list[tuple[str, ...]] = [("hub", "config", key) for key in (*own, *reversed(_BASES))]
    places += [*([("auth", old)] if old else []), ("auth", "custom", "config")]
    kind = kind_of(class_name)
    why = None
    if kind == "other":
        reason = next(
            (
                text
                for stem in _stems(class_name)
                for key, text in _WHY.items()
                if stem == key or (key == "lti" and stem.startswith("lti"))
            ),
            None,
        )
        why = f"{class_name[:60]} has no counterpart{f' ({reason})' if reason else ''}"
    return FoundAuthenticator(
        kind=kind, class_name=class_name, places=tuple(places), doubt=doubt, why=why
    )


def _unnamed(named: list[str]) -> str:
    if len(named) == 1:
        return (
            f"no authenticator_class is named, only a section {named[0][:60]}: is there another"
            " values file?"
        )
    return (
        "no authenticator_class is named, and the chart's own (dummy) lets everybody in: is there"
        " another values file?"
    )


def _doubt(taking: Taking, said: str | None, old: str | None) -> str | None:
    """Why the values do not tell: a program runs after them and may choose another, or whatever
    is named is not the whole of it.
    """
    chosen = sorted(name for name in taking.programs if _CHOSEN_IN_CODE.search(name))
    if "JupyterHub.authenticator_class" in chosen:
        return "a program (hub.extraConfig or hub.extraFiles) sets c.JupyterHub.authenticator_class"
    if chosen:
        return (
            f"a program (hub.extraConfig or hub.extraFiles) sets c.{chosen[0]}: read it, it may"
            " decide who comes in"
        )
    if said is None and old is None:
        hidden: list[Path] = [
            ("hub", "extraConfig"),
            ("hub", "extraFiles"),
            ("hub", "existingSecret"),
            ("hub", "extraConfigMap"),
        ]
        found = next((path for path in hidden if taking.look(*path)), None)
        if found is not None:
            return (
                f"no authenticator_class is named, and {'.'.join(map(str, found))} may choose one"
            )
    return None
