"""HTTP of every command: which certificates are trusted, what goes through a proxy, and how long
an answer may take. No command opens a connection of its own.
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

import httpx

_NAME = {"User-Agent": "jupyterhub-aws"}


@cache
def _system() -> ssl.SSLContext:
    """The certificates of the system, or of SSL_CERT_FILE: a company's own authority is among
    them. httpx alone would take those of certifi.
    """
    return ssl.create_default_context()


def http_client(seconds: float, *, follow_redirects: bool = False) -> httpx.Client:
    """A client for any address, through the proxies of the environment. A redirect to another
    host never carries the Authorization header (httpx removes it).
    """
    return httpx.Client(
        timeout=seconds, headers=_NAME, verify=_system(), follow_redirects=follow_redirects
    )


def direct_client(
    seconds: float, *, port: int | None = None, tls: ssl.SSLContext | None = None, **more: Any
) -> httpx.Client:
    """A client that uses no proxy (one with a transport never does). With `port`, each connection
    goes to that port of this machine,
    where a tunnel begins. `tls` judges certificates; without it none is valid.
    """
    verify = tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    transport = httpx.HTTPTransport(verify=verify) if port is None else _Tunnel(port, verify)
    headers = {**_NAME, **more.pop("headers", {})}
    return httpx.Client(timeout=seconds, headers=headers, transport=transport, **more)


class _Tunnel(httpx.HTTPTransport):
    """The name of the address stays in the Host header, and is the one that the certificate must
    have.
    """

    def __init__(self, port: int, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify)
        self._port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it to the tunnel."""
        there = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1", port=self._port),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return super().handle_request(there)


def cause(error: httpx.HTTPError) -> BaseException:
    """The system's own error, which httpx and its transport wrap in theirs; else `error`."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__ or found.__context__
    return found or error
