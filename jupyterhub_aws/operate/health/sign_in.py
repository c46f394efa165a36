"""Signing in as users do: through the real form, or as far as the identity provider's page."""

from __future__ import annotations

import html
import json
import os
import re
import socket
import ssl
from dataclasses import dataclass
from functools import partial
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from httpx import HTTPError

from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.sign_in import (
    CognitoSignIn,
    EntraSignIn,
    GitHubSignIn,
    LdapSignIn,
    LtiSignIn,
    OidcSignIn,
)
from jupyterhub_aws.config.sign_in_common import PublicProvider
from jupyterhub_aws.config.specs.hub import public_url
from jupyterhub_aws.http_client import cause, direct_client, http_client
from jupyterhub_aws.operate.health.report import FailedError

# --- How users reach the hub: its public address, or a tunnel in its place. No
# redirect is followed: where it leads is what is looked at.


_SECONDS = 20.0
#: As many bytes of a page are read.
_MOST = 1_000_000
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered to one request."""

    status: int
    location: str
    text: str

    def json(self) -> Any:
        """The text as data; None where it is none."""
        try:
            return json.loads(self.text) if self.text.strip() else None
        except ValueError:
            return None


@dataclass(frozen=True, kw_only=True)
class HubEndpoint:
    """`url` is what users type. `port` of this machine leads to it instead, where a tunnel
    does; `trust` is a certificate in PEM form besides the system's.
    """

    url: str
    port: int | None = None
    trust: str | None = None

    @property
    def base(self) -> str:
        """The address without a slash at its end: a tunnel to a hub without TLS is called by its
        own name.
        """
        return self.url.rstrip("/")

    @property
    def host(self) -> str:
        """The name that users type."""
        return urlsplit(self.url).hostname or ""

    @property
    def public_port(self) -> int:
        """The port that users' browsers choose."""
        parts = urlsplit(self.url)
        return parts.port or _DEFAULT_PORTS[parts.scheme]

    @property
    def place(self) -> tuple[str, int]:
        """Where a connection goes."""
        return (self.host, self.public_port) if self.port is None else ("127.0.0.1", self.port)

    @property
    def context(self) -> ssl.SSLContext | None:
        """How a certificate is judged: as a browser that knows the stack's own; None without
        TLS.
        """
        if urlsplit(self.url).scheme != "https":
            return None
        context = ssl.create_default_context()
        if self.trust:
            context.load_verify_locations(cadata=self.trust)
        return context

    def ask(
        self,
        method: str,
        path: str,
        *,
        seconds: float = _SECONDS,
        jar: CookieJar | None = None,
        **sent: Any,
    ) -> Answer:
        """One request, with the cookies of `jar`, which takes those that are set. Raises
        FailedError where there is no answer, or with a certificate that browsers refuse.
        """
        try:
            with (
                direct_client(seconds, port=self.port, tls=self.context, cookies=jar) as client,
                client.stream(method, f"{self.base}{path}", **sent) as response,
            ):
                text = next(response.iter_bytes(_MOST), b"").decode(errors="replace")
                location = response.headers.get("Location", "")
                return Answer(status=response.status_code, location=location, text=text)
        except HTTPError as error:
            raise self._unanswered(cause(error)) from None

    def _unanswered(self, error: BaseException) -> FailedError:
        if isinstance(error, ssl.SSLCertVerificationError):
            return FailedError(
                f"its certificate is refused: {error.verify_message}",
                "jhub certificate inspect, and the name in entry.hostname",
            )
        if isinstance(error, socket.gaierror):
            return FailedError(
                f"the name {self.host} leads nowhere",
                "point it to the balancer: jhub open shows it; or give entry.route53_zone",
            )
        look = (
            "may this network come in (entry.allowed_cidrs)? Are the balancer's targets"
            " healthy, and the proxy's pod ready?"
        )
        return FailedError(
            f"there is no answer at {self.place[0]}:{self.place[1]}"
            f" ({str(error) or type(error).__name__})",
            look,
        )


#: Whose sign-in is tried. Never options: a command line is seen by all users of the machine, and
#: kept by the shell.
USER, PASSWORD = "JHUB_HEALTH_USER", "JHUB_HEALTH_PASSWORD"
#: A directory may take its own time to say no (sign_in.timeout_seconds is at most 60).
_FORM_SECONDS, _PROVIDER_SECONDS = 75.0, 15.0
_TOKEN = re.compile(r'name="_xsrf" value="([^"]+)"')
_SAID = (
    re.compile(r'class="login_error"[^>]*>(.*?)</p>', re.DOTALL),
    re.compile(r'<div class="error">(.*?)</div>', re.DOTALL),
)
_HOME = {"next": "/hub/home"}
_FOUND, _REFUSED, _SERVER_ERROR = 302, 400, 500


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """How a hub's users sign in: `stack` and `hub` by name, and what the stack file says."""

    stack: str
    hub: str
    config: Hub

    @property
    def elsewhere(self) -> bool:
        """Whether users give their password to an identity provider, not to the hub."""
        kinds = (OidcSignIn, CognitoSignIn, GitHubSignIn, PublicProvider)
        return isinstance(self.config.sign_in, kinds)

    @property
    def launched(self) -> bool:
        """Whether users come from a course's page: the hub's own has neither form nor button."""
        return isinstance(self.config.sign_in, LtiSignIn)

    @property
    def credentials(self) -> tuple[str, str] | None:
        """Name and password of the user to test; None unless both are given."""
        user, password = os.environ.get(USER, ""), os.environ.get(PASSWORD, "")
        return (user, password) if user and password else None

    def shown(self, endpoint: HubEndpoint) -> str:
        """The hub's page for signing in. Raises FailedError where it is none."""
        health = endpoint.ask("GET", "/hub/health")
        if health.status != 200:  # HTTP's number
            raise FailedError(
                f"answers /hub/health with {health.status}{_said(health)}",
                f"jhub logs {self.stack} {self.hub} proxy",
            )
        page = endpoint.ask("GET", "/hub/login")
        wanted, what = 'type="password"', "no field for a password"
        if self.elsewhere:
            wanted, what = "oauth_login", "no button of the identity provider"
        if self.launched:
            wanted, what = "from your course", "no word that users open it from their course"
        if wanted not in page.text + page.location:
            raise FailedError(
                f"its sign-in page has {what} (HTTP {page.status}{_said(page)})", self._log
            )
        return "answers, and shows its sign-in page"

    def through_the_form(self, endpoint: HubEndpoint, user: str, password: str) -> str:
        """Sign a user in and out again. Raises FailedError with what the page says."""
        jar = CookieJar()
        visit = partial(endpoint.ask, jar=jar)
        page = visit("GET", "/hub/login")
        token = _TOKEN.search(page.text)
        xsrf = next((cookie.value for cookie in jar if cookie.name == "_xsrf"), "")
        sent = {
            "username": user,
            "password": password,
            "_xsrf": html.unescape(token[1]) if token else xsrf,
        }
        done = visit("POST", "/hub/login", params=_HOME, data=sent, seconds=_FORM_SECONDS)
        try:
            if done.status != _FOUND:
                raise FailedError(
                    f"{user} is not let in: HTTP {done.status}{_said(done)}",
                    self._advice(user, done.status),
                )
            about: Any = visit("GET", "/hub/api/user").json()
            if not isinstance(about, dict) or not about.get("name"):
                raise FailedError(
                    f"the form took {user}, but the next page shows no signed-in user",
                    f"is entry.hostname what the browser uses? {self._log}",
                )
            return f"{about['name']} signed in through the form, and out again"
        finally:
            if done.status == _FOUND:
                visit("GET", "/hub/logout")

    def to_the_provider(self, endpoint: HubEndpoint) -> str:
        """Press the button, and look where it leads: no password is given there. Raises
        FailedError.
        """
        leads = endpoint.ask("GET", self._start)
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
        path = "lti13/oauth_callback" if self.launched else "oauth_callback"
        expected = f"{public_url(self.config)}hub/{path}"
        if back != expected and not endpoint.port:
            raise FailedError(
                f"the provider would send users to {back or 'nowhere'}, not to {expected}",
                "entry.hostname, then pulumi up",
            )
        if self.launched:  # without a user's session there, a platform answers with an error
            return f"a course's launch leads to {parts.hostname}; no user was tried there"
        _provider_answers(leads.location)
        return f"leads to {parts.hostname}, which answers; no password was tried there"

    @property
    def _start(self) -> str:
        """Where the button, or a course's page, sends the browser first."""
        sign_in = self.config.sign_in
        if not isinstance(sign_in, LtiSignIn):
            return f"/hub/oauth_login?{urlencode(_HOME)}"
        # LTI Security Framework 1.0, 5.1.1: third-party initiated login.
        sent = {
            "iss": sign_in.issuer,
            "login_hint": "jhub-health",
            "target_link_uri": f"{public_url(self.config)}hub/",
            "client_id": sign_in.client_ids[0],
        }
        return f"/hub/lti13/oauth_login?{urlencode(sent)}"

    def _advice(self, user: str, status: int) -> str:
        if isinstance(self.config.sign_in, LdapSignIn):
            return f"jhub probe ldap {self.stack} --hub {self.hub} --user {user}"
        return (
            f"is the password right, and may {user} come in? {self._log}"
            if status < _SERVER_ERROR
            else self._log
        )

    @property
    def _authorize_url(self) -> str:
        """Where the button has to lead; empty where only the hub's image knows."""
        if isinstance(self.config.sign_in, EntraSignIn):
            return f"{self.config.sign_in.base_url}/authorize"
        if isinstance(self.config.sign_in, LtiSignIn):
            return self.config.sign_in.authorize_url
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


def _provider_answers(url: str) -> None:
    """Raise FailedError where the provider does not answer at its address for signing in, or
    refuses this hub there.
    """
    host = urlsplit(url).hostname
    look = "is the client id registered there, with the hub's address /hub/oauth_callback?"
    try:
        with http_client(_PROVIDER_SECONDS) as client, client.stream("GET", url) as answer:
            status, location = answer.status_code, answer.headers.get("Location", "")
    except HTTPError as error:
        raise FailedError(
            f"{host} does not answer from here ({cause(error)})",
            "can this machine reach it? Can users' browsers? Is the provider down?",
        ) from None
    if status >= _REFUSED:
        raise FailedError(f"{host} answers with HTTP {status}", look)
    # OAuth 2.0, RFC 6749, section 4.1.2.1
    if refused := parse_qs(urlsplit(location).query).get("error", [""])[0]:
        raise FailedError(f"{host} refuses this hub: {refused}", look)


def _said(answer: Answer) -> str:
    """The page's own words, without its tags."""
    for pattern in _SAID:
        if found := pattern.search(answer.text):
            words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[1])).split())
            if words:
                return f" ({words[:200]})"
    return ""
