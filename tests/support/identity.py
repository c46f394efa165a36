"""An identity provider on loopback, with TLS: OpenID Connect as Keycloak, Cognito, Google, Entra ID
and CILogon speak it, and GitHub's dialect of OAuth.

What a client must do is checked: client id and secret, a code that is used once, the redirect
address that was announced, PKCE where it is asked for.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

from tests.support.certificates import Authority

CLIENT_ID, CLIENT_SECRET = "hub-client", "client-secret-of-the-test"


#: Pages for signing in: Keycloak, GitHub, Cognito, Google, Entra ID's second version.
_AUTHORIZE = (
    *("/authorize", "/login/oauth/authorize", "/oauth2/authorize", "/o/oauth2/v2/auth"),
    "/tenant/oauth2/v2.0/authorize",
)
#: What the provider says of a user: Keycloak, Google, CILogon.
_USERINFO = ("/userinfo", "/oauth2/v1/userinfo", "/oauth2/userinfo")


@dataclass
class Identity:
    """The provider. `person` is whoever signs in next; `claims` and `teams` are what is known of
    people.
    """

    url: str
    claims: Mapping[str, Mapping[str, Any]]
    teams: Mapping[str, list[str]]
    person: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    identity: Identity

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path in _AUTHORIZE:
            self._authorize(query)
        elif parts.path in ("/logout", "/oauth2/logout"):
            self._send(200, b"signed out", "text/plain")
        else:
            self._about(parts.path)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        sent = {key: values[0] for key, values in parse_qs(body).items()}
        given = self.headers.get("Authorization", "")
        if given.startswith("Basic "):
            name, _, secret = base64.b64decode(given[6:]).decode().partition(":")
            sent |= {"client_id": name, "client_secret": secret}
        self._token(sent)

    def _authorize(self, query: dict[str, str]) -> None:
        me = self.identity
        if query.get("client_id") != CLIENT_ID or query.get("response_type") != "code":
            self._fault("authorize", query)
            return
        code = secrets.token_urlsafe(16)
        me.codes[code] = {
            "person": me.person,
            "redirect_uri": query["redirect_uri"],
            "challenge": query.get("code_challenge", ""),
        }
        self.send_response(302)
        self.send_header(
            "Location",
            f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}",
        )
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _token(self, sent: dict[str, str]) -> None:
        me, known = self.identity, self.identity.codes.pop(sent.get("code", ""), None)
        right = known is not None and (sent.get("client_id"), sent.get("client_secret")) == (
            CLIENT_ID,
            CLIENT_SECRET,
        )
        if (
            known is None
            or not right
            or known["redirect_uri"] != sent.get("redirect_uri", known["redirect_uri"])
            or not _proves(known, sent)
        ):
            self._fault("token", {"code": "unknown" if known is None else "known"})
            return
        token = secrets.token_urlsafe(16)
        me.tokens[token] = known["person"]
        claims = {
            "iss": me.url,
            "aud": CLIENT_ID,
            "sub": known["person"],
            **me.claims.get(known["person"], {}),
        }
        identity = jwt.encode(
            claims,
            "a key that nobody checks, for the client had it from us directly",
            algorithm="HS256",
        )
        self._json(
            {
                "access_token": token,
                "token_type": "Bearer",
                "id_token": identity,
                "scope": "openid read:org",
                "expires_in": 3600,
            }
        )

    def _about(self, path: str) -> None:
        me, given = self.identity, self.headers.get("Authorization", "")
        person = me.tokens.get(given.rpartition(" ")[2])
        if person is None:
            self._send(401, b"{}", "application/json")
            return
        teams = me.teams.get(person, [])
        if path in _USERINFO:
            known = {
                key: value
                for key, value in me.claims.get(person, {}).items()
                if not key.startswith("cognito:")
            }
            self._json({"sub": person, **known})
        elif path == "/api/v3/user":
            self._json({"login": person, "id": 1, "email": f"{person}@example.org", "name": person})
        elif path == "/api/v3/user/teams":
            self._json(
                [
                    {
                        "slug": team.partition(":")[2],
                        "organization": {"login": team.partition(":")[0]},
                    }
                    for team in teams
                ]
            )
        elif path.startswith("/api/v3/orgs/"):
            organization = path.split("/")[4]
            self._send(
                204 if any(team.startswith(f"{organization}:") for team in teams) else 404,
                b"",
                "application/json",
            )
        else:
            self._fault("path", {"path": path})

    def _fault(self, where: str, what: Mapping[str, str]) -> None:
        self.identity.faults.append(f"{where}: {dict(what)}")
        self._send(400, b'{"error": "invalid_request"}', "application/json")

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _proves(known: Mapping[str, str], sent: Mapping[str, str]) -> bool:
    if not known["challenge"]:
        return True
    digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == known["challenge"]


@contextmanager
def identity_provider(
    folder: Path,
    authority: Authority,
    claims: Mapping[str, Mapping[str, Any]],
    teams: Mapping[str, list[str]] | None = None,
) -> Iterator[Identity]:
    """The provider at https://localhost:PORT, with a certificate of this authority."""
    certificate, key = authority.issue("localhost").write(folder, "identity")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found = Identity(
        url=f"https://localhost:{server.server_address[1]}", claims=claims, teams=teams or {}
    )
    server.RequestHandlerClass = type("_Bound", (_Handler,), {"identity": found})
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
