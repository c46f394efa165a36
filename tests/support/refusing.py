"""An AWS that says no: the same error to every call, or to the first ones, in the form of the
query protocol that STS and the older services speak.
"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.cloud import ACCOUNT

_ERROR = (
    "<ErrorResponse"
    ' xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>'
)
_WHO = (
    "<GetCallerIdentityResponse"
    ' xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:iam::{account}:user/ada</Arn><UserId>AIDA</UserId><Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)


@dataclass
class Refusing:
    """`code` for the first `times` calls, then the caller's identity; whoever asks anything else
    is refused with `code` again.
    """

    code: str
    times: int = 10_000
    account: str = ACCOUNT
    message: str = "no"
    url: str = ""
    calls: list[str] = field(default_factory=list)


@contextmanager
def refusing(what: Refusing) -> Iterator[Refusing]:
    """Such a server on this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            what.calls.append(body)
            identity = "GetCallerIdentity" in body and len(what.calls) > what.times
            text = (
                _WHO.format(account=what.account)
                if identity
                else _ERROR.format(what.code, what.message)
            )
            self.send_response(200 if identity else 400)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 -- the names that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        what.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield what
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
