"""A learning management system on loopback, with TLS: the platform of LTI 1.3, which signs launches
with a key of its own.

What a tool must do is checked: the client id, the redirect address, a nonce and a state of its own.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.certificates import Authority
from tests.support.hub_boot import Hub

CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership"
CLIENT_ID, DEPLOYMENT = "10000000000001", "deployment-1"


@dataclass
class Platform:
    """The platform at `url`. `delay_seconds` is how long its keys take."""

    url: str
    key: rsa.RSAPrivateKey
    delay_seconds: float = 0.0
    asked: list[str] = field(default_factory=list)

    def launch(
        self,
        hub: Hub,
        claims: Mapping[str, Any],
        *,
        key: rsa.RSAPrivateKey | None = None,
        nonce: str | None = None,
        state: str | None = None,
        with_cookies: bool = True,
        algorithm: str = "RS256",
    ) -> tuple[requests.Response, requests.Session]:
        """Open the hub from a course, as a browser does: the hub's answer to the launch, and the
        browser's session. The rest says what a forged launch has otherwise.
        """
        session = requests.Session()
        sent = {
            "iss": self.url,
            "login_hint": "7",
            "target_link_uri": f"{hub.url}/hub/",
            "client_id": CLIENT_ID,
        }
        first = session.get(
            f"{hub.url}/hub/lti13/oauth_login",
            params=sent,
            allow_redirects=False,
            timeout=20,
        )
        assert first.status_code == 302, first.text
        asked = {
            key: value[0]
            for key, value in parse_qs(urlsplit(first.headers["Location"]).query).items()
        }
        assert first.headers["Location"].startswith(f"{self.url}/authorize?")
        assert (asked["client_id"], asked["response_mode"], asked["prompt"]) == (
            CLIENT_ID,
            "form_post",
            "none",
        )
        assert asked["redirect_uri"] == f"{hub.url}/hub/lti13/oauth_callback"
        now = int(time.time())
        token = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce or asked["nonce"],
            f"{CLAIM}/version": "1.3.0",
            f"{CLAIM}/message_type": "LtiResourceLinkRequest",
            f"{CLAIM}/deployment_id": DEPLOYMENT,
            f"{CLAIM}/target_link_uri": f"{hub.url}/hub/",
            f"{CLAIM}/resource_link": {"id": "link-1"},
            f"{CLAIM}/roles": [],
            **claims,
        }
        signed = jwt.encode(
            {name: value for name, value in token.items() if value is not None},
            "a secret" * 8 if algorithm == "HS256" else key or self.key,
            algorithm=algorithm,
            headers={"kid": "key-1"},
        )
        #: Secure cookies, which `requests` keeps from an address without TLS: a browser would send
        #: them, for the hub of a stack has TLS.
        cookies = "; ".join(f"{item.name}={item.value}" for item in session.cookies)
        done = session.post(
            asked["redirect_uri"],
            data={"id_token": signed, "state": state or asked["state"]},
            headers={"Cookie": cookies} if with_cookies else {},
            allow_redirects=False,
            timeout=40,
        )
        return done, session


class _Handler(BaseHTTPRequestHandler):
    platform: Platform

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self.platform.asked.append(self.path)
        time.sleep(self.platform.delay_seconds)
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.platform.key.public_key()))
        body = json.dumps(
            {"keys": [{**key, "kid": "key-1", "alg": "RS256", "use": "sig"}]}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@contextmanager
def lti_platform(folder: Path, authority: Authority) -> Iterator[Platform]:
    """The platform at https://localhost:PORT, with a certificate of this authority."""
    certificate, key = authority.issue("localhost").write(folder, "platform")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found = Platform(url=f"https://localhost:{server.server_address[1]}", key=new_key())
    server.RequestHandlerClass = type("_Bound", (_Handler,), {"platform": found})
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
