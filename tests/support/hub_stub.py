"""What stands for a hub's API where the hub itself is not the point: fixed answers by path,
under a token.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def answers(by_path: Mapping[str, Any], *, token: str = "") -> Iterator[int]:
    """A server on this machine; the port. A path without an answer gives 404, a wrong token 403."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.partition("?")[0] in by_path
            allowed = not token or self.headers.get("Authorization") == f"token {token}"
            body = json.dumps(
                by_path[self.path.partition("?")[0]] if known and allowed else {"message": "no"}
            ).encode()
            self.send_response(200 if known and allowed else 404 if allowed else 403)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
