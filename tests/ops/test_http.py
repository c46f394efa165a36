"""HTTP of the commands against servers of this machine: tokens, tunnels, proxies, and downloads
that break.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.bundle.registry import CopyError, download
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.diff.github import GitHub
from jupyterhub_aws.http_client import http_client
from jupyterhub_aws.operate.health.report import FailedError
from jupyterhub_aws.operate.health.sign_in import HubEndpoint
from jupyterhub_aws.operate.live.hub_api import HubApi
from tests.support.certificates import Authority

pytestmark = pytest.mark.real
Answer = Callable[[BaseHTTPRequestHandler], tuple[int, dict[str, str], bytes]]
TOKEN = "token-of-the-test"


@contextmanager
def server(
    answer: Answer, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[tuple[str, dict[str, str]]]]]:
    """Its port, and the path and headers of each request. A body may be shorter than its
    Content-Length.
    """
    seen: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, dict(self.headers)))
            status, headers, body = answer(self)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield http.server_port, seen
    finally:
        http.shutdown()
        http.server_close()


def says(body: bytes, status: int = 200, **headers: str) -> Answer:
    return lambda _request: (
        status,
        {name.replace("_", "-"): headers[name] for name in headers},
        body,
    )


def test_a_redirect_to_another_host_carries_no_token() -> None:
    with server(says(b'{"permission": "admin"}')) as (port, elsewhere):
        moved = says(b"", 301, Location=f"http://localhost:{port}/moved")
        with server(moved) as (first, here):
            github = GitHub(repository="o/r", token=TOKEN, url=f"http://127.0.0.1:{first}")
            assert github.may_write("bot[x]/y")
            api = HubApi("main", f"http://127.0.0.1:{first}/hub/api", TOKEN)
            with pytest.raises(ConfigError, match="answers GET /users with 301"):
                api.servers()
    assert here[0][0] == "/repos/o/r/collaborators/bot%5Bx%5D%2Fy/permission"
    assert [headers["Authorization"] for _, headers in here] == [
        f"Bearer {TOKEN}",
        f"token {TOKEN}",
    ]
    assert [path for path, _ in elsewhere] == ["/moved"]
    assert "Authorization" not in elsewhere[0][1]


def test_proxies_are_for_other_hosts_and_never_see_a_token_of_a_hub(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with server(says(b"[]")) as (hub, _), server(says(b"of the proxy")) as (proxy, asked):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        assert HubApi("main", f"http://127.0.0.1:{hub}/hub/api", TOKEN).servers() == []
        assert HubEndpoint(url=f"http://127.0.0.1:{hub}/").ask("GET", "/").text == "[]"
        assert asked == []
        with http_client(5) as client:
            assert client.get("http://pypi.example/x").text == "of the proxy"
    assert asked[0][0] == "http://pypi.example/x"


def test_a_socks_proxy_of_the_environment_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    http_client(5).close()


def test_certificates_are_those_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A company's own authority is among them, and in no package of Python."""

    def refused() -> str:
        raise AssertionError

    monkeypatch.setattr("certifi.where", refused)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    http_client(5).close()
    with pytest.raises(FailedError):
        HubEndpoint(url="https://127.0.0.1:9/").ask("GET", "/")


def test_through_a_tunnel_the_certificate_must_have_the_name_that_users_type(
    tmp_path: Path,
) -> None:
    authority = Authority()
    issued = authority.issue("hub.example.org")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*issued.write(tmp_path, "hub"))
    shown = says(b"x" * 1_500_000, Set_Cookie="_xsrf=kept; Path=/hub/; Secure")
    with server(shown, tls) as (port, seen):
        jar = CookieJar()
        hub = HubEndpoint(url="https://hub.example.org/", port=port, trust=authority.pem)
        for _ in range(2):
            assert len(hub.ask("GET", "/hub/login", jar=jar).text) == 1_000_000
        hub.ask("GET", "/elsewhere", jar=jar)
        other = HubEndpoint(url="https://other.example.org/", port=port, trust=authority.pem)
        with pytest.raises(FailedError, match="its certificate is refused: Hostname mismatch"):
            other.ask("GET", "/")
        with pytest.raises(FailedError, match=r"its certificate is refused: .*issuer"):
            HubEndpoint(url="https://hub.example.org/", port=port).ask("GET", "/")
    assert [headers["Host"] for _, headers in seen] == ["hub.example.org"] * 3
    assert [headers.get("Cookie") for _, headers in seen] == [None, "_xsrf=kept", None]


def test_what_does_not_answer_is_named_with_the_systems_own_reason() -> None:
    with server(says(b"")) as (port, _):
        pass
    with pytest.raises(ConfigError, match=r"hub main: does not answer \(.*Connection refused\)"):
        HubApi("main", f"http://127.0.0.1:{port}/hub/api", TOKEN).servers()
    assert list(HubApi("main", f"http://127.0.0.1:{port}/hub/api", TOKEN).progress("ada")) == []
    with pytest.raises(FailedError, match=rf"no answer at 127.0.0.1:{port} \(.*Connection refused"):
        HubEndpoint(url="http://hub.example.org/", port=port).ask("GET", "/")
    with pytest.raises(FailedError, match=r"the name hub\.invalid leads nowhere"):
        HubEndpoint(url="http://hub.invalid/").ask("GET", "/")


def test_a_download_that_breaks_goes_on_where_it_stopped(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        if request.path == "/latest":
            return 302, {"Location": "/tool.tgz"}, b""
        begin = int((request.headers["Range"] or "bytes=0-")[6:-1])
        if begin >= len(content):
            return 416, {}, b""
        rest = content[begin:]
        # At first half of what was promised.
        return (206 if begin else 200), {"Content-Length": str(len(rest))}, rest[:512]

    target = tmp_path / "tool.tgz"
    with server(answer) as (port, seen):
        url = f"http://127.0.0.1:{port}/tool.tgz"
        with pytest.raises(CopyError, match=r"tool.tgz: .*received 512 bytes, expected 1024"):
            download(url, target)
        assert not target.exists()
        latest = f"http://127.0.0.1:{port}/latest"
        assert download(latest, target).read_bytes() == content
        target.rename(tmp_path / "tool.tgz.part")  # whole, and killed before it got its name
        assert download(url, target).read_bytes() == content
    ranges = [headers.get("Range") for path, headers in seen if path == "/tool.tgz"]
    assert ranges == [None, "bytes=512-", "bytes=1024-"]
    assert {headers["Accept-Encoding"] for _, headers in seen} == {"identity"}
    with server(says(b"", 404)) as (port, _), pytest.raises(CopyError, match="404 Not Found"):
        download(f"http://127.0.0.1:{port}/x", tmp_path / "x")
