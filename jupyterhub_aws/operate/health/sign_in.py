"""Signing in as people do: through the real form, or as far as the identity provider's door."""

from __future__ import annotations

import html
import os
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.sign_in import CognitoSignIn, GitHubSignIn, LdapSignIn, OidcSignIn
from jupyterhub_aws.config.specs.hub import public_url
from jupyterhub_aws.operate.health.door import Answer, Browser, Door
from jupyterhub_aws.operate.health.report import FailedError

#: Whose sign-in is tried. Never options: a command line is seen by everybody on the machine, and
#: kept by the shell.
USER, PASSWORD = "JHUB_HEALTH_USER", "JHUB_HEALTH_PASSWORD"
#: A directory may take its own time to say no (sign_in.timeout_seconds is at most 60).
_FORM_SECONDS, _PROVIDER_SECONDS = 75.0, 15.0
_TOKEN = re.compile(r'name="_xsrf" value="([^"]+)"')
_SAID = (
    re.compile(r'class="login_error"[^>]*>(.*?)</p>', re.DOTALL),
    re.compile(r'<div class="error">(.*?)</div>', re.DOTALL),
)
_FOUND, _REFUSED, _SERVER_ERROR = 302, 400, 500


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """How a hub's people sign in: `stack` and `hub` by name, and what the stack file says."""

    stack: str
    hub: str
    config: Hub

    @property
    def elsewhere(self) -> bool:
        """Whether people give their password to an identity provider, not to the hub."""
        return isinstance(self.config.sign_in, (OidcSignIn, CognitoSignIn, GitHubSignIn))

    @property
    def credentials(self) -> tuple[str, str] | None:
        """Name and password of the person to try; None where nobody gave both."""
        person, password = os.environ.get(USER, ""), os.environ.get(PASSWORD, "")
        return (person, password) if person and password else None

    def shown(self, door: Door) -> str:
        """The hub's page for signing in. Raises FailedError where it is none."""
        health = door.ask("GET", "/hub/health")
        if health.status != 200:  # HTTP's number
            raise FailedError(
                f"answers /hub/health with {health.status}{_said(health)}",
                f"jhub logs {self.stack} {self.hub} proxy",
            )
        page = door.ask("GET", "/hub/login")
        wanted = "oauth_login" if self.elsewhere else 'type="password"'
        if wanted not in page.text + page.location:
            what = (
                "no button of the identity provider"
                if self.elsewhere
                else "no field for a password"
            )
            raise FailedError(
                f"its sign-in page has {what} (HTTP {page.status}{_said(page)})", self._log
            )
        return "answers, and shows its sign-in page"

    def through_the_form(self, door: Door, person: str, password: str) -> str:
        """Sign a person in and out again. Raises FailedError with what the page says."""
        browser = Browser(door=door)
        page = browser.visit("GET", "/hub/login")
        token = _TOKEN.search(page.text)
        sent = {
            "username": person,
            "password": password,
            "_xsrf": html.unescape(token[1]) if token else browser.cookies.get("_xsrf", ""),
        }
        done = browser.visit(
            "POST",
            "/hub/login?" + urlencode({"next": "/hub/home"}),
            form=urlencode(sent),
            seconds=_FORM_SECONDS,
        )
        try:
            if done.status != _FOUND:
                raise FailedError(
                    f"{person} is not let in: HTTP {done.status}{_said(done)}",
                    self._advice(person, done.status),
                )
            about: Any = browser.visit("GET", "/hub/api/user").json()
            if not isinstance(about, dict) or not about.get("name"):
                raise FailedError(
                    f"the form took {person}, but the next page knows nobody",
                    f"is entry.hostname what the browser uses? {self._log}",
                )
            return f"{about['name']} signed in through the form, and out again"
        finally:
            if done.status == _FOUND:
                browser.visit("GET", "/hub/logout")

    def to_the_provider(self, door: Door) -> str:
        """Press the button, and look where it leads: no password is given there. Raises
        FailedError.
        """
        leads = Browser(door=door).visit(
            "GET", "/hub/oauth_login?" + urlencode({"next": "/hub/home"})
        )
        parts = urlsplit(leads.location)
        if leads.status != _FOUND or not parts.hostname:
            raise FailedError(
                f"the button leads nowhere (HTTP {leads.status}{_said(leads)})", self._log
            )
        wanted = self._authorize_url
        if wanted and leads.location.partition("?")[0] != wanted:
            raise FailedError(
                f"the button leads to {leads.location.partition('?')[0]}, not to {wanted}",
                "was the stack file changed? pulumi up",
            )
        back = parse_qs(parts.query).get("redirect_uri", [""])[0]
        expected = f"{public_url(self.config)}hub/oauth_callback"
        if back != expected and not door.port:
            raise FailedError(
                f"the provider would send people to {back or 'nowhere'}, not to {expected}",
                "entry.hostname, then pulumi up",
            )
        _provider_answers(leads.location)
        return f"leads to {parts.hostname}, which answers; no password was tried there"

    def _advice(self, person: str, status: int) -> str:
        if isinstance(self.config.sign_in, LdapSignIn):
            return f"jhub probe ldap {self.stack} --hub {self.hub} --user {person}"
        return (
            f"is the password right, and may {person} come in? {self._log}"
            if status < _SERVER_ERROR
            else self._log
        )

    @property
    def _authorize_url(self) -> str:
        """Where the button has to lead; empty where only the hub's image knows (GitHub)."""
        if not isinstance(self.config.sign_in, (OidcSignIn, CognitoSignIn)):
            return ""
        own: Any = (
            self.config.helm_values.get("hub", {})
            .get("config", {})
            .get("GenericOAuthenticator", {})
        )
        return str(own.get("authorize_url") or self.config.sign_in.authorize_url)

    @property
    def _log(self) -> str:
        return f"jhub logs {self.stack} {self.hub} hub"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


def _provider_answers(url: str) -> None:
    """Raise FailedError where the provider does not answer at its address for signing in, or
    refuses this hub there.
    """
    host = urlsplit(url).hostname
    look = "is the client id registered there, with the hub's address /hub/oauth_callback?"
    try:
        with urllib.request.build_opener(_Stay).open(url, timeout=_PROVIDER_SECONDS):
            return
    except urllib.error.HTTPError as error:
        with error:
            location = error.headers.get("Location", "")
            if error.code >= _REFUSED:
                raise FailedError(f"{host} answers with HTTP {error.code}", look) from None
        refused = parse_qs(urlsplit(location).query).get("error", [""])[
            0
        ]  # OAuth 2.0, RFC 6749, section 4.1.2.1
        if refused:
            raise FailedError(f"{host} refuses this hub: {refused}", look) from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise FailedError(
            f"{host} does not answer from here ({reason})",
            "can this machine reach it? Can people's? Is the provider down?",
        ) from None


def _said(answer: Answer) -> str:
    """The page's own words, without its tags."""
    for pattern in _SAID:
        if found := pattern.search(answer.text):
            words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[1])).split())
            if words:
                return f" ({words[:200]})"
    return ""
