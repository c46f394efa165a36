"""A sign-in with a directory, step by step, with the hub's own class. No password is ever part
of what a step says.
"""

from __future__ import annotations

import asyncio
import copy
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub_aws.cli.arguments import chosen_hub
from jupyterhub_aws.components.hub.values.hub import hub_values
from jupyterhub_aws.components.hub.values.hub_files import FOLDER, LDAP_CA
from jupyterhub_aws.components.hub.values.problems import UNKNOWN
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.secrets import search_password_key
from jupyterhub_aws.config.sign_in import LdapSignIn
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.probe.connection import ProbeStep, connection_steps

# --- The hub's own authenticator, made here: from the values that the program renders, with the
# class that the hub imports.


_MODULE = "jupyterhub_aws_ldap"


def directory_authenticator(
    stack: StackConfig, hub: str, search_password: str | None, folder: Path
) -> Any:
    """The authenticator of a hub whose sign-in is a directory. `folder` takes the authority's
    certificate, which the hub's pod has elsewhere.

    `helm_values` of the stack are in it; `search_password` is that of the look-up account, None
    without one.
    """
    from traitlets.config import Config

    values = hub_values(resolve(stack).hubs[hub], UNKNOWN, resolve(stack).images)["hub"]
    sections = values["config"]
    wanted = {name: sections[name] for name in sections if name.endswith("Authenticator")}
    config = copy.deepcopy(wanted)
    traits = config["LDAPAuthenticator"]
    file = (values.get("extraFiles") or {}).get(LDAP_CA.key)
    if (
        file is not None
        and (traits.get("tls_kwargs") or {}).get("ca_certs_file") == LDAP_CA.mount_path
    ):
        place = folder / "ldap-ca.crt"
        place.write_text(file["stringData"], encoding="utf-8")
        traits["tls_kwargs"]["ca_certs_file"] = str(place)
    if search_password is not None:
        traits["lookup_dn_search_password"] = search_password
    return _class()(config=Config(config))


def _class() -> Any:
    """The class in the file that the hub's pod gets."""
    if _MODULE not in sys.modules:
        spec = importlib.util.spec_from_file_location(_MODULE, FOLDER / f"{_MODULE}.py")
        assert spec is not None and spec.loader is not None  # noqa: S101 -- for the type checker: a file has both
        module = importlib.util.module_from_spec(spec)
        sys.modules[_MODULE] = module
        spec.loader.exec_module(module)
    return sys.modules[_MODULE].DirectoryAuthenticator


@dataclass(frozen=True, kw_only=True)
class ProbeRequest:
    """What is probed: a hub of a stack; a user and their password (both None: only the connection
    to the directory); the look-up account's password.
    """

    stack: StackConfig
    hub: str
    user: str | None = None
    password: str | None = None
    search_password: str | None = None

    @property
    def section(self) -> Hub:
        """The hub's part of the stack file."""
        return self.stack.hubs[self.hub]

    @property
    def sign_in(self) -> LdapSignIn:
        """Its directory. Raises TypeError for another kind of sign-in."""
        if not isinstance(self.section.sign_in, LdapSignIn):
            raise TypeError(self.section.sign_in.kind)
        return self.section.sign_in

    @property
    def path(self) -> str:
        """Where its sign-in is in the stack file."""
        return f"hubs.{self.hub}.sign_in"


def probe(question: ProbeRequest) -> Iterator[ProbeStep]:
    """Every step in turn, until one fails."""
    for step in connection_steps(question.sign_in, question.path):
        yield step
        if step.state == "failed":
            return
    with tempfile.TemporaryDirectory() as folder:
        authenticator = directory_authenticator(
            question.stack, question.hub, question.search_password, Path(folder)
        )
        for step in _signed_in(question, authenticator):
            yield step
            if step.state == "failed":
                return


def _signed_in(question: ProbeRequest, authenticator: Any) -> Iterator[ProbeStep]:
    asker = authenticator.asker()
    try:
        yield from _steps(question, authenticator, asker)
    finally:
        asker.close()


def _steps(question: ProbeRequest, authenticator: Any, asker: Any) -> Iterator[ProbeStep]:
    if question.sign_in.lookup is not None:
        if question.search_password is None:
            said, fix = "its password is not known here", "see `jhub probe ldap --help`"
            yield ProbeStep("look-up account", "failed", said, fix)
            return
        yield _search_account(question, asker)
    if question.user is None or question.password is None:
        yield ProbeStep("user", "skipped", "no user was named", "add --user NAME to try a sign-in")
        return
    if question.sign_in.lookup is not None:
        yield _found(question, asker)
    yield from _let_in(question, authenticator)


def _tried(what: str, ask: Callable[[], Any]) -> tuple[Any, ProbeStep | None]:
    """The answer, or the step that failed because the directory gave none."""
    from ldap3.core.exceptions import LDAPException

    try:
        return ask(), None
    except (LDAPException, OSError) as error:
        said = f"the directory gives no answer: {type(error).__name__}: {error}"
        return None, ProbeStep(
            what, "failed", said, "look at the directory's own log at this minute"
        )


def _search_account(question: ProbeRequest, asker: Any) -> ProbeStep:
    lookup = question.sign_in.lookup
    assert lookup is not None  # noqa: S101 -- for the type checker: asked with one only
    connection, silent = _tried(
        "look-up account",
        lambda: asker.get_connection(lookup.search_user, question.search_password),
    )
    if silent is not None:
        return silent
    if connection is None:
        said = f"{lookup.search_user} is refused: wrong password, or the account is locked"
        fix = (
            f"set it again: pulumi config set --secret hub-{question.hub}-ldap-search-password -s"
            f" {question.stack.name}; or unlock the account"
        )
        return ProbeStep(
            "look-up account", "failed", said, fix, f"{question.path}.lookup.search_user"
        )
    return ProbeStep("look-up account", "ok", f"{lookup.search_user} may come in")


def _found(question: ProbeRequest, asker: Any) -> ProbeStep:
    lookup = question.sign_in.lookup
    assert lookup is not None  # noqa: S101 -- for the type checker: asked with one only
    answer, silent = _tried("entry", lambda: asker.resolve_username(question.user))
    if silent is not None:
        return silent
    dn = answer[1]
    if dn is None:
        said = (
            f"no single entry below {lookup.search_base} has"
            f" {lookup.user_attribute}={question.user}"
        )
        fix = (
            "correct search_base or user_attribute; with Active Directory names are in"
            " sAMAccountName. Or the look-up account may not see it"
        )
        return ProbeStep("entry", "failed", said, fix, f"{question.path}.lookup")
    return ProbeStep("entry", "ok", dn.replace("{{", "{").replace("}}", "}"))


def _let_in(question: ProbeRequest, authenticator: Any) -> Iterator[ProbeStep]:
    sent = {"username": question.user, "password": question.password}
    known, silent = _answer(lambda: authenticator.authenticate(None, sent))
    if silent is not None:
        yield silent
        return
    if known is None:
        yield ProbeStep(
            "password", "failed", _why_not(question), _what_then(question), question.path
        )
        return
    yield ProbeStep("password", "ok", f"the directory takes it for {question.user}")
    for group in authenticator.asked_groups:
        member = group in known["groups"]
        said = f"{'member' if member else 'not a member'} of {group}"
        hint = None if member else "or there is no such group, or this user may not read it"
        yield ProbeStep("group", "ok" if member else "no", said, hint)
    allowed, _ = _answer(lambda: authenticator.get_authenticated_user(None, sent))
    yield _verdict(question, allowed)


def _answer(ask: Callable[[], Any]) -> tuple[Any, ProbeStep | None]:
    """What a coroutine of the authenticator says; it tells a browser of a silent directory by an
    HTTP error.
    """
    from tornado.web import HTTPError

    try:
        return asyncio.run(ask()), None
    except HTTPError as error:
        return None, ProbeStep(
            "password",
            "failed",
            str(error.log_message or error.reason),
            "look at the directory's own log at this minute",
        )


def _why_not(question: ProbeRequest) -> str:
    import re

    if not (question.password or "").strip():
        return "an empty password is refused before the directory is asked"
    pattern = question.sign_in.username_pattern
    if pattern is not None and not re.match(pattern, question.user or ""):
        return f"usernames: {question.sign_in.usernames} does not let this name in"
    return "the directory refuses name and password"


def _what_then(question: ProbeRequest) -> str:
    if question.sign_in.lookup is None:
        return (
            "a wrong password; or the user's entry is elsewhere: compare bind_dn_templates with a"
            " real DN"
        )
    return "a wrong password, or an account that is locked or has expired"


def _verdict(question: ProbeRequest, allowed: Any) -> ProbeStep:
    if allowed is None:
        why = "in none of allowed_groups, and not listed by name"
        said = f"{question.user} would not be let in: {why}"
        fix = "add the user to a group, or to allowed_users"
        return ProbeStep("verdict", "no", said, fix, f"{question.path}.allowed_groups")
    groups, admin = set(allowed["groups"]), bool(allowed["admin"])
    open_to = [
        name
        for name, profile in sorted(question.section.profiles.items())
        if admin or not profile.groups or groups & set(profile.groups)
    ]
    if not question.section.profiles:
        profiles = "one for each pool"
    else:
        profiles = ", ".join(open_to) or "none"
    who = f"{question.user} would be let in as {allowed['name']}"
    said = f"{who}, administrator: {'yes' if admin else 'no'}, profiles: {profiles}"
    return ProbeStep("verdict", "ok", said)


# --- Which hub is meant, and the look-up account's password that the stack keeps.


_SECONDS = 60


def ldap_hub(stack: StackConfig, hub: str | None, name: str) -> str:
    """The hub that is named, or the only one that signs users in with a directory. Raises
    ConfigError.
    """
    hubs = sorted(stack.hubs.items())
    having = [key for key, section in hubs if isinstance(section.sign_in, LdapSignIn)]
    if hub is not None and chosen_hub("jhub probe", name, stack.hubs, hub) not in having:
        what = f"hub {hub} signs users in by {stack.hubs[hub].sign_in.kind}"
        fix = "name one whose sign_in.kind is ldap"
        raise refused("jhub probe", "probe.no-directory", name, what, fix)
    return chosen_hub(
        "jhub probe",
        name,
        having,
        hub,
        kind=" whose sign_in.kind is ldap",
        none="nothing is to be probed: other kinds sign users in without a directory of yours",
    )


def search_password(stack: str, hub: str, folder: Path) -> str | None:
    """The look-up account's password as the stack of a project keeps it; None where the Pulumi
    CLI is not there or does not say.
    """
    if shutil.which("pulumi") is None:
        return None
    key = search_password_key(hub)
    command = ["pulumi", "config", "get", key, "--stack", stack, "--non-interactive"]
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    return done.stdout.rstrip("\n") or None if done.returncode == 0 else None
