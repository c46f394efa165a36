"""The way by which people come in: its public address, or a tunnel that stands in for it. No
redirect is followed: where it leads is what is looked at.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from jupyterhub_aws.operate.health.report import FailedError

_SECONDS = 20.0
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
class Door:
    """`url` is what people type. `port` of this machine leads to it instead, where a tunnel
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
        """The name that people type."""
        return urlsplit(self.url).hostname or ""

    @property
    def public_port(self) -> int:
        """The port that people's browsers choose."""
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
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = _SECONDS,
    ) -> Answer:
        """One request. Raises FailedError where nobody answers, or with a certificate that
        browsers refuse.
        """
        return self.exchange(method, path, body, dict(headers or {}), seconds)[0]

    def exchange(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str], seconds: float
    ) -> tuple[Answer, list[str]]:
        """The same, and the cookies that were set."""
        connection = http.client.HTTPConnection(self.host, self.public_port, timeout=seconds)
        try:
            connection.sock = self._connected(seconds)
            connection.request(
                method, path, body=None if body is None else body.encode(), headers=dict(headers)
            )
            response = connection.getresponse()
            text = response.read(1_000_000).decode(errors="replace")
            cookies = [value for key, value in response.getheaders() if key.lower() == "set-cookie"]
            return (
                Answer(
                    status=response.status, location=response.getheader("Location", ""), text=text
                ),
                cookies,
            )
        except ssl.SSLCertVerificationError as error:
            raise FailedError(
                f"its certificate is refused: {error.verify_message}",
                "jhub certificate inspect, and the name in entry.hostname",
            ) from None
        except socket.gaierror:
            raise FailedError(
                f"the name {self.host} leads nowhere",
                "point it to the balancer: jhub open shows it; or give entry.route53_zone",
            ) from None
        except (OSError, http.client.HTTPException) as error:
            look = (
                "may this network come in (entry.allowed_cidrs)? Are the balancer's targets"
                " healthy, and the proxy's pod ready?"
            )
            raise FailedError(
                f"nobody answers at {self.place[0]}:{self.place[1]}"
                f" ({error or type(error).__name__})",
                look,
            ) from None
        finally:
            connection.close()

    def _connected(self, seconds: float) -> socket.socket:
        plain = socket.create_connection(self.place, timeout=seconds)
        context = self.context
        if context is None:
            return plain
        try:
            return context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


@dataclass(kw_only=True)
class Browser:
    """Somebody at the door, with the cookies that the hub gave them. It visits pages of the hub
    only, so that one jar is enough.
    """

    door: Door
    cookies: dict[str, str] = field(default_factory=dict)

    def visit(
        self, method: str, path: str, *, form: str | None = None, seconds: float = _SECONDS
    ) -> Answer:
        """One page."""
        sent = (
            {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
            if self.cookies
            else {}
        )
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        answer, given = self.door.exchange(method, path, form, sent, seconds)
        for line in given:
            self._keep(line)
        return answer

    def _keep(self, line: str) -> None:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(line)
        except CookieError:
            return
        for name, morsel in jar.items():
            if morsel.value:
                self.cookies[name] = morsel.coded_value
            else:
                self.cookies.pop(name, None)
