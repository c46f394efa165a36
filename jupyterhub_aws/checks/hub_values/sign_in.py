"""Sign-in: the chart's default admits any user under any name, which is refused here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values
from jupyterhub_aws.config.errors import closest, dotted, shown
from jupyterhub_aws.config.hub_code import code_of
from jupyterhub_aws.config.traits import class_of_authenticator, sections
from jupyterhub_aws.config.tree import at

_ADMIT_ANY_NAME = (
    *("dummy", "jupyterhub.auth.DummyAuthenticator"),
    *("tmp", "tmpauthenticator.TmpAuthenticator"),
)
#: There the password keeps strangers out.
_BY_PASSWORD = ("shared-password", "native", "jupyterhub_aws_accounts.AccountsAuthenticator")
#: native: any user may sign up without approval.
_ACCESS_WITHOUT_SAY = ("open_signup",)
_CLASS = ("hub", "config", "JupyterHub", "authenticator_class")
#: The traits that say who gets in. JupyterHub only logs a warning about others, and then a misspelt
#: one admits no user, or too many.
_ACCESS = (
    "allow_all", "allow_existing_users", "allowed_users", "admin_users", "blocked_users", "allowed_groups", "admin_groups", "allowed_organizations",
    "allowed_teams", "allowed_scopes", "allowed_domains", "manage_groups",
)  # fmt: skip


def _class(values: Values) -> str | None:
    """The authenticator's name; JupyterHub looks it up in lower case."""
    name = at(values, *_CLASS)
    return None if name is None else str(name) if "." in str(name) else str(name).lower()


def _traits(values: Values) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every section of an authenticator's traits: its own class's, and those above it."""
    for section, traits in (at(values, "hub", "config") or {}).items():
        if isinstance(traits, Mapping) and section.endswith("Authenticator"):
            yield section, traits


def nobody_uninvited(values: Values) -> Iterator[ValueFault]:
    """No authenticator that admits all users, and no rule that allows all users with an account
    somewhere.
    """
    name = _class(values)
    if name is None or name in _ADMIT_ANY_NAME:
        what = f"admits any user under any name (got {shown(name)})"
        fix = "choose a kind of sign-in, which sets this itself"
        yield ValueFault("helm-values.any-user", _CLASS, what, fix)
    if name == "null":
        what, fix = "admits no user", "choose a kind of sign-in, which sets this itself"
        yield ValueFault("helm-values.no-user", _CLASS, what, fix)
    for section, traits in _traits(values):
        for trait in _ACCESS_WITHOUT_SAY:
            if traits.get(trait):
                what = "lets strangers create an account and sign in"
                fix = "remove it: an administrator admits users"
                yield ValueFault(
                    "helm-values.open-sign-up", ("hub", "config", section, trait), what, fix
                )
    if name in _BY_PASSWORD:
        return
    for section, traits in _traits(values):
        if traits.get("allow_all"):
            what = "admits every user with an account there"
            fix = "list groups, organizations or users"
            yield ValueFault(
                "helm-values.allow-all", ("hub", "config", section, "allow_all"), what, fix
            )


def leavers_stay_out(values: Values) -> Iterator[ValueFault]:
    """Users who leave a group are refused, although some users are listed by name."""
    for section, traits in _traits(values):
        if traits.get("allow_existing_users"):
            what = "admits every user who signed in once, also after they left the group"
            fix = "remove it, or write false"
            yield ValueFault(
                "helm-values.existing-users",
                ("hub", "config", section, "allow_existing_users"),
                what,
                fix,
            )
    said = any(traits.get("allow_existing_users") is not None for _, traits in _traits(values))
    listed = [section for section, traits in _traits(values) if traits.get("allowed_users")]
    if listed and not said:
        what = (
            "is left to JupyterHub, which switches it on beside allowed_users: users who leave"
            " a group would still be admitted"
        )
        fix = "write false"
        yield ValueFault(
            "helm-values.existing-users",
            ("hub", "config", listed[0], "allow_existing_users"),
            what,
            fix,
        )


def access_is_spelt(values: Values) -> Iterator[ValueFault]:
    """A trait that says who gets in has its right name."""
    for section, traits in _traits(values):
        for name in traits:
            meant = closest(name, _ACCESS, cutoff=0.88)
            if meant and name not in _ACCESS:
                what = "is not a trait: the hub would only log a warning"
                fix = f"did you mean {meant}?"
                yield ValueFault(
                    "helm-values.trait-unknown", ("hub", "config", section, name), what, fix
                )


def _directory(values: Values) -> Mapping[str, Any]:
    """The traits of a directory's authenticator as it reads them: those of its own section over
    those of the class below it.
    """
    name = _class(values) or ""
    found: dict[str, Any] = {}
    for section in reversed(
        sections(class_of_authenticator(name) or "LDAPAuthenticator")[:-1] or ("LDAPAuthenticator",)
    ):
        traits = at(values, "hub", "config", section)
        found |= traits if isinstance(traits, Mapping) else {}
    return found if "ldap" in name.lower() else {}


def _in_clear_text(traits: Mapping[str, Any]) -> bool:
    return traits.get("tls_strategy") == "insecure" or traits.get("use_ssl") is False


def clear_text(values: Values) -> Iterator[ValueFault]:
    """Passwords travel to a directory in clear text only where the stack says so, by an option
    with an ugly name.
    """
    if _in_clear_text(_directory(values)):
        fix = "write on_connect or before_bind"
        what = "sends passwords in clear text"
        yield ValueFault(
            "helm-values.clear-text",
            ("hub", "config", "LDAPAuthenticator", "tls_strategy"),
            what,
            fix,
        )


def directory_is_verified(values: Values) -> Iterator[ValueFault]:
    """LDAP verifies the server's certificate: its class does not, unless it is told to."""
    traits = _directory(values)
    if not traits or _in_clear_text(traits):  # another rule covers that
        return
    if at(traits, "tls_kwargs", "validate") != 2:  # ssl.CERT_REQUIRED
        what = (
            "does not verify the directory's certificate: an attacker on the network could read"
            " passwords"
        )
        fix = "write the number 2 (as a word it fails at the first sign-in)"
        yield ValueFault(
            "helm-values.directory-unverified",
            ("hub", "config", "LDAPAuthenticator", "tls_kwargs", "validate"),
            what,
            fix,
        )


def configuration_is_python(values: Values) -> Iterator[ValueFault]:
    """Code that the hub executes can be read by it; otherwise the hub ends at its start."""
    code = {
        ("hub", "extraConfig", str(name)): text
        for name, text in (at(values, "hub", "extraConfig") or {}).items()
    }
    for path, text in ({found.path: found.text for found in code_of(values)} | code).items():
        name = path[-1]
        if not isinstance(text, str):
            what = f"is not text (got {shown(text)}): the hub would not start"
            fix = f"write Python under `{dotted((name,))}: |`"
            yield ValueFault("helm-values.not-python", path, what, fix)
            continue
        try:
            with warnings.catch_warnings(action="ignore"):  # what Python warns of is no fault
                # More than a tree: `return` outside of a function is no Python.
                compile(text, str(name), "exec", dont_inherit=True)
        except SyntaxError as error:
            what = f"is not Python (line {error.lineno or 1}: {error.msg}): the hub would not start"
            yield ValueFault("helm-values.not-python", path, what, "correct that line")
        # Half a character, or a nesting that Python's own parser gives up on.
        except (ValueError, RecursionError, MemoryError):
            what = "is not Python: the hub would not start"
            yield ValueFault("helm-values.not-python", path, what, "correct it")


RULES = (
    nobody_uninvited,
    leavers_stay_out,
    access_is_spelt,
    directory_is_verified,
    configuration_is_python,
)
