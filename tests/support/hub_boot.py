"""The real JupyterHub with the real configurable-http-proxy, booted on a rendered hub: the chart's
configuration, our files, a local spawner.

In place of pods a local process answers; in place of the cluster's services there are ports of
loopback. Everything else is the hub's own.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml

from jupyterhub_aws.components.hub.values.hub_files import HUB_FOLDER
from tests.support.chart import chart_folder, missing_for_the_chart, mounted, rendered
from tests.support.directory import free_port

_PROXY = "configurable-http-proxy"
_OVERRIDES = '''
import os, sys
load_subconfig(os.path.join({folder!r}, "jupyterhub_config.py"))
from jupyterhub.spawner import SimpleLocalProcessSpawner
sys.path.insert(0, {folder!r})
from jupyterhub_aws_spawner import EndedByItself

class LocalSpawner(EndedByItself, SimpleLocalProcessSpawner):
    """A process that answers under the server's prefix, in place of a pod."""
    options_form = "<p>Start one</p>"
    poll_interval = 1
    home_dir_template = {folder!r} + "/homes/{{username}}"

c.JupyterHub.spawner_class = LocalSpawner
c.Spawner.cmd = [sys.executable, {server!r}]
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.JupyterHub.hub_connect_url = "http://127.0.0.1:{hub_port}"
c.JupyterHub.db_url = "sqlite:///" + {folder!r} + "/hub.sqlite"
c.JupyterHub.public_url = "http://127.0.0.1:{port}/"
c.JupyterHub.services = [item for item in c.JupyterHub.services if item["name"] != "jupyterhub-idle-culler"]
c.JupyterHub.load_roles = [item for item in c.JupyterHub.load_roles if item["name"] != "jupyterhub-idle-culler"]
c.JupyterHub.cleanup_proxy = True
c.ConfigurableHTTPProxy.should_start = True
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.pid_file = {folder!r} + "/proxy.pid"
for section in ("GitHub", "Generic", "Google", "AzureAd", "CILogon"):
    section += "OAuthenticator"
    if "oauth_callback_url" in c[section]:
        c[section].oauth_callback_url = "http://127.0.0.1:{port}/hub/oauth_callback"
'''
#: Jupyter Server itself, as the image of a server starts it, for those who run cells in it.
REAL_SERVER = """
import sys
from jupyterhub.singleuser import main
sys.argv.append("--allow-root")
main()
"""
_SERVER = """
import http.server, os
from urllib.parse import urlsplit

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(("server of " + os.environ["JUPYTERHUB_USER"]).encode())
    def log_message(self, *_):
        pass

at = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
http.server.ThreadingHTTPServer((at.hostname, at.port), Handler).serve_forever()
"""
#: The image of the hub has pycurl; here the pure Python client does the same.
_CURL = 'AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient")'


def missing_for_a_hub() -> str:
    """Why no hub was booted; empty where all of it is there."""
    missing = (
        missing_for_the_chart().partition(":")[0].split(" and ") if missing_for_the_chart() else []
    )
    missing += [] if shutil.which(_PROXY) else [f"no {_PROXY} on PATH"]
    return f"{' and '.join(missing)}: no hub was booted" if missing else ""


class Hub:
    """A running hub. Sessions are those of `requests`, one for each browser."""

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str]) -> None:
        self.folder, self.url, self._environment = folder, f"http://127.0.0.1:{port}", environment
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What hub and proxy wrote."""
        return (self.folder / "hub.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it and wait until it answers. Raises AssertionError with the end of its log."""
        with (self.folder / "hub.log").open("ab") as log:
            command = [
                sys.executable,
                "-m",
                "jupyterhub",
                "--config",
                str(self.folder / "boot_config.py"),
            ]
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env=dict(self._environment),
                start_new_session=True,
            )
        for _ in range(300):
            if self.process.poll() is not None:
                break
            if self.answers():
                return
            time.sleep(0.1)
        raise AssertionError(self.log[-4000:])

    def answers(self, timeout: float = 2) -> bool:
        """Whether /hub/health answers in time."""
        try:
            return requests.get(f"{self.url}/hub/health", timeout=timeout).status_code == 200
        except requests.RequestException:
            return False

    def stop(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):  # it may have ended: its log says why
                os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def servers(self) -> list[int]:
        """The processes that stand for people's pods."""
        found = []
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if str(self.folder / "server.py") in place.read_bytes().decode(
                    errors="replace"
                ).split("\0"):
                    found.append(int(place.parent.name))
        return found

    def restart(self) -> None:
        """As a changed value does: the database and the cookie secret stay."""
        self.stop()
        self.start()

    def sign_in(self, name: str, password: str) -> tuple[int, requests.Session]:
        """What the sign-in page says to a name and password, and the browser's session after it."""
        session = requests.Session()
        page = session.get(f"{self.url}/hub/login", timeout=20)
        found = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        token = found[1] if found else session.cookies.get("_xsrf", path="/hub/")
        sent = {"username": name, "password": password, "_xsrf": token}
        done = session.post(
            f"{self.url}/hub/login",
            data=sent,
            params={"next": "/hub/home"},
            timeout=40,
            allow_redirects=False,
        )
        return done.status_code, session

    def sign_in_elsewhere(self) -> tuple[int, requests.Session]:
        """Follow the button of an identity provider to its end."""
        session = requests.Session()
        session.trust_env, session.verify = False, self._environment["SSL_CERT_FILE"]
        done = session.get(f"{self.url}/hub/oauth_login", params={"next": "/hub/home"}, timeout=20)
        return done.status_code, session

    def about(self, session: requests.Session) -> dict[str, Any]:
        """What the hub knows of whoever is signed in; empty for nobody."""
        done = session.get(f"{self.url}/hub/api/user", timeout=10)
        return dict(done.json()) if done.status_code == 200 else {}

    def page(self, session: requests.Session, path: str) -> requests.Response:
        return session.get(f"{self.url}{path}", timeout=20, allow_redirects=False)


@contextmanager
def booted(
    values: Mapping[str, Any],
    folder: Path,
    *,
    secret: Mapping[str, Any] | None = None,
    secret_keys: Mapping[str, str] | None = None,
    server_text: str = _SERVER,
    more: str = "",
    **environment: str,
) -> Iterator[Hub]:
    """A hub of these values, and `secret` as the `values.yaml` of its own Secret, beside
    `secret_keys`. Raises AssertionError for an unknown trait.

    `server_text` is the program that stands for a pod, `more` configuration after all other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _files(values, folder, secret or {}, secret_keys or {})
    port, hub_port, api_port = free_port(), free_port(), free_port()
    server = folder / "server.py"
    server.write_text(server_text)
    text = _OVERRIDES.format(
        folder=str(folder), server=str(server), port=port, hub_port=hub_port, api_port=api_port
    )
    (folder / "boot_config.py").write_text(text + more)
    names = (
        "HUB_SERVICE_PORT",
        "PROXY_API_SERVICE_PORT",
        "PROXY_PUBLIC_SERVICE_PORT",
        "PROXY_HTTP_SERVICE_PORT",
    )
    env = {
        **os.environ,
        **dict.fromkeys(names, "8081"),
        "HUB_SERVICE_HOST": "127.0.0.1",
        "POD_NAMESPACE": "hub-main",
        **environment,
    }
    hub = Hub(folder, port, env)
    try:
        hub.start()
        yield hub
        unknown = [line for line in hub.log.splitlines() if "not recognized" in line]
        assert not unknown, unknown
    finally:
        hub.stop()
        for server in hub.servers():  # they outlive their hub, as pods do; here they end with it
            with contextlib.suppress(ProcessLookupError):
                os.kill(server, signal.SIGKILL)


def _files(
    values: Mapping[str, Any],
    folder: Path,
    secret: Mapping[str, Any],
    secret_keys: Mapping[str, str],
) -> None:
    """What the hub's pod has, under `folder` instead of /usr/local/etc/jupyterhub and
    /etc/jupyterhub-aws.
    """

    def here(text: str) -> str:
        return text.replace("/etc/jupyterhub-aws", str(folder / "etc")).replace(
            HUB_FOLDER, str(folder)
        )

    files = mounted(rendered(values, release="hub-main"))
    files["existing-secret"] = {"values.yaml": yaml.safe_dump(dict(secret))} if secret else {}
    files["existing-secret"] |= secret_keys
    for name, content in files.items():
        (folder / name).mkdir(exist_ok=True)
        for key, text in content.items():
            (folder / name / key).write_text(here(text))
    for name in ("jupyterhub_config.py", "z2jh.py"):
        text = (chart_folder() / "files" / "hub" / name).read_text()
        assert name == "z2jh.py" or _CURL in text, "the chart's configuration changed"
        (folder / name).write_text(here(text.replace(_CURL, "")))
    for item in (values.get("hub", {}).get("extraFiles") or {}).values():
        place = Path(here(item["mountPath"]))
        place.parent.mkdir(parents=True, exist_ok=True)
        if "binaryData" in item:
            place.write_bytes(base64.b64decode(item["binaryData"]))
        else:
            place.write_text(item["stringData"])
