"""Services of a hub beside the real JupyterHub and proxy, with the variables that their Secret
has: a culler, a page for some users behind the proxy, and a reader of usage.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
import requests

from jupyterhub_aws.components.hub.values.hub import hub_values
from jupyterhub_aws.components.hub.values.problems import UNKNOWN
from jupyterhub_aws.components.hub.values.services import token_key
from jupyterhub_aws.config.chart import merged
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.services import ServiceSpec
from tests.support.directory import free_port
from tests.support.directory_stacks import stack_with
from tests.support.hub_boot import Hub, booted, missing_for_a_hub

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_a_hub()), reason=missing_for_a_hub()),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
PASSWORD, ADMIN_PASSWORD = "u" * 12, "a" * 40
SERVICES = {
    "announcement": {
        "url": "http://announcement:8080",
        "pods": {"labels": {"app": "announcement"}},
        "users": ["ada"],
        "oauth": {"confirm": False},
    },
    "for-all": {
        "url": "http://for-all:8080",
        "pods": {"labels": {"app": "for-all"}},
        "all_users": True,
        "oauth": {"confirm": False},
    },
    "usage": {"scopes": ["list:users", "read:users:activity", "read:servers"]},
    "culler": {
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    },
}
#: A page that asks the hub who its user is, by JupyterHub's own client and the Secret's variables.
PAGE = """
import os
import sys

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado import ioloop, web

class Page(HubOAuthenticated, web.RequestHandler):
    @web.authenticated
    def get(self):
        self.write(f"hello {self.get_current_user()['name']}")

prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
pages = [(prefix, Page), (prefix + "oauth_callback", HubOAuthCallbackHandler)]
web.Application(pages, cookie_secret=os.urandom(32)).listen(int(sys.argv[1]), "127.0.0.1")
ioloop.IOLoop.current().start()
"""


@dataclass(frozen=True)
class Scene:
    """A hub with its services: their specifications, tokens and processes."""

    hub: Hub
    specs: dict[str, ServiceSpec]
    tokens: dict[str, str]

    def variables(self, service: str) -> dict[str, str]:
        """The environment of the service's pod, with the hub's address here."""
        found = {**self.specs[service].variables, "JUPYTERHUB_API_TOKEN": self.tokens[service]}
        return {**found, "JUPYTERHUB_API_URL": f"{self.hub.url}/hub/api"}

    def ask(self, service: str, method: str, path: str) -> requests.Response:
        header = {"Authorization": f"token {self.tokens[service]}"}
        return requests.request(method, f"{self.hub.url}/hub/api{path}", headers=header, timeout=10)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("services")
    sign_in = {"kind": "shared_password", "administrators": ["ops1"], "usernames": "simple"}
    stack = stack_with(sign_in, f"hubs.main.services={json.dumps(SERVICES)}")
    spec = resolve(stack).hubs["main"]
    text = json.dumps(hub_values(spec, UNKNOWN, resolve(stack).images))
    assert "apiToken" not in json.dumps({**json.loads(text)["hub"]["services"], OWN: None})
    ports = {name: free_port() for name in ("announcement", "for-all")}
    here = {name: {"url": f"http://127.0.0.1:{port}"} for name, port in ports.items()}
    values = merged(
        json.loads(text.replace('"[secret]"', json.dumps("0" * 64))), {"hub": {"services": here}}
    )
    tokens = {name: f"{index}" * 64 for index, name in enumerate(SERVICES, start=1)}
    passwords = {"user_password": PASSWORD, "admin_password": ADMIN_PASSWORD}
    (folder / "page.py").write_text(PAGE)
    with booted(
        values,
        folder / "hub",
        secret={"hub": {"config": {"SharedPasswordAuthenticator": passwords}}},
        secret_keys={token_key(name): token for name, token in tokens.items()},
    ) as hub:
        found = Scene(hub, {item.name: item for item in spec.services}, tokens)
        with contextlib.ExitStack() as running:
            for name, port in ports.items():
                page = [sys.executable, str(folder / "page.py"), str(port)]
                running.enter_context(program(page, found.variables(name), folder / f"{name}.log"))
                wait(lambda port=port: answers(port))
            yield found


OWN = "jupyterhub-aws-operator"


@contextmanager
def program(command: list[str], variables: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, env={**os.environ, **variables}, stdout=written, stderr=written
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=10)


def answers(port: int) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"http://127.0.0.1:{port}/", timeout=1).status_code == 404
    return False


def wait(until) -> None:
    for _ in range(150):
        if until():
            return
        time.sleep(0.1)
    raise AssertionError("not within 15 s")


def opened(scene: Scene, user: str, password: str, service: str) -> tuple[int, str]:
    """What a user's browser gets at a service, behind the hub's proxy and after its sign-in."""
    status, session = scene.hub.sign_in(user, password)
    assert status == 302
    page = session.get(f"{scene.hub.url}{scene.specs[service].prefix}", timeout=20)
    return page.status_code, page.text


def test_a_page_behind_the_proxy_is_for_its_users_and_no_others(scene: Scene) -> None:
    assert opened(scene, "ada", PASSWORD, "announcement") == (200, "hello ada")
    status, text = opened(scene, "bob", PASSWORD, "announcement")
    assert status == 403 and "hello" not in text
    assert opened(scene, "ops1", ADMIN_PASSWORD, "announcement") == (200, "hello ops1")
    anonymous = requests.get(f"{scene.hub.url}/services/announcement/", timeout=20)
    assert "/hub/login" in anonymous.url and "hello" not in anonymous.text


def test_a_page_for_all_users_is_open_to_each(scene: Scene) -> None:
    for user in ("ada", "bob"):
        assert opened(scene, user, PASSWORD, "for-all") == (200, f"hello {user}")
    _, session = scene.hub.sign_in("bob", PASSWORD)
    start(scene, session, "bob")  # the role of every user still lets them have servers
    stopped = session.delete(
        f"{scene.hub.url}/hub/api/users/bob/server", headers=xsrf(session), timeout=30
    )
    assert stopped.status_code in (202, 204)


def test_the_reader_of_usage_reads_and_does_nothing_else(scene: Scene) -> None:
    _, session = scene.hub.sign_in("cleo", PASSWORD)
    start(scene, session, "cleo")
    found = scene.ask("usage", "GET", "/users")
    assert found.status_code == 200
    cleo = next(user for user in found.json() if user["name"] == "cleo")
    assert cleo["last_activity"] and cleo["servers"][""]["started"]
    assert not {"groups", "auth_state"} & set(cleo)
    for method, path in (
        ("DELETE", "/users/cleo/server"),
        ("POST", "/users/cleo/server"),
        ("POST", "/users/eve"),
        ("DELETE", "/users/cleo"),
        ("GET", "/users/cleo/tokens"),
        ("POST", "/users/cleo/tokens"),
        ("GET", "/groups"),
        ("GET", "/proxy"),
        ("POST", "/shutdown"),
    ):
        assert scene.ask("usage", method, path).status_code in (403, 404), (method, path)
    own = requests.get(
        f"{scene.hub.url}/user/cleo/", params={"token": scene.tokens["usage"]}, timeout=10
    )
    assert scene.tokens["usage"] not in scene.hub.log and own.status_code in (200, 403)
    assert scene.hub.about(session)["server"], "its server still runs"


def test_a_service_without_scopes_can_only_say_who_it_is(scene: Scene) -> None:
    assert scene.ask("announcement", "GET", "/users").status_code == 403
    assert scene.ask("announcement", "GET", "/user").json()["name"] == "announcement"
    wrong = {"Authorization": f"token {'f' * 64}"}
    assert requests.get(f"{scene.hub.url}/hub/api/users", headers=wrong, timeout=10).ok is False


@pytest.mark.skipif(
    find_spec("jupyterhub_idle_culler") is None, reason="jupyterhub-idle-culler is not installed"
)
def test_the_culler_of_the_field_stops_idle_servers_by_its_own_token(
    scene: Scene, tmp_path: Path
) -> None:
    _, session = scene.hub.sign_in("dora", PASSWORD)
    start(scene, session, "dora")
    command = [
        *(sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=1", "--cull-every=1"),
        f"--url={scene.hub.url}/hub/api",
    ]
    with program(command, scene.variables("culler"), tmp_path / "culler.log"):
        wait(lambda: not scene.hub.about(session)["server"])
    assert "Culling server" in (tmp_path / "culler.log").read_text()


def test_a_culler_stops_servers_and_starts_none(scene: Scene) -> None:
    _, session = scene.hub.sign_in("emil", PASSWORD)
    start(scene, session, "emil")
    assert scene.ask("culler", "POST", "/users/emil/server").status_code == 403
    assert scene.ask("culler", "DELETE", "/users/emil/server").status_code in (202, 204)
    wait(lambda: not scene.hub.about(session)["server"])


def test_a_service_that_is_gone_may_do_nothing_after_the_hubs_restart(scene: Scene) -> None:
    """JupyterHub keeps tokens in its database: it is the configuration that counts."""
    config = scene.hub.folder / "boot_config.py"
    before = config.read_text()
    gone = (
        "\nc.JupyterHub.services = [s for s in c.JupyterHub.services if s['name'] != 'culler']"
        "\nc.JupyterHub.load_roles = [r for r in c.JupyterHub.load_roles if r['name'] !="
        " 'service-culler']\n"
    )
    config.write_text(before + gone)
    try:
        scene.hub.restart()
        assert scene.ask("culler", "GET", "/users").status_code == 403
        assert scene.ask("usage", "GET", "/users").status_code == 200
    finally:
        config.write_text(before)
        scene.hub.restart()
    assert scene.ask("culler", "GET", "/users").status_code == 200


def start(scene: Scene, session: requests.Session, name: str) -> None:
    started = session.post(
        f"{scene.hub.url}/hub/api/users/{name}/server", headers=xsrf(session), timeout=30
    )
    assert started.status_code in (201, 202), started.text
    wait(lambda: scene.hub.about(session)["server"])


def xsrf(session: requests.Session) -> dict[str, str]:
    return {"X-XSRFToken": str(session.cookies.get("_xsrf", path="/hub/"))}
