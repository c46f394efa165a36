"""What users get while their hub is down: the real configurable-http-proxy, with what runs beside it
in its pod.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from jupyterhub_aws.components.hub.values.hub import hub_values
from jupyterhub_aws.components.hub.values.problems import UNKNOWN
from jupyterhub_aws.config.specs import resolve
from tests.support.chart import rendered
from tests.support.directory import free_port
from tests.support.directory_stacks import stack_with
from tests.support.hub_boot import Hub, booted, missing_for_a_hub

_MISSING = missing_for_a_hub() or ("" if shutil.which("node") else "no node on PATH")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(_MISSING), reason=_MISSING),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
_PASSWORD, _TOKEN = "u" * 12, "t" * 64
_PAGE = {"text": 'Back at 9 <soon> $(HOME) & "then"', "contact": "help@example.org"}


def values_of(page: Mapping[str, Any] | None) -> dict[str, Any]:
    more = [] if page is None else [f"hubs.main.maintenance_page={json.dumps(page)}"]
    stack = resolve(stack_with({"kind": "shared_password", "usernames": "simple"}, *more))
    text = json.dumps(hub_values(stack.hubs["main"], UNKNOWN, stack.images))
    values: dict[str, Any] = json.loads(text.replace('"[secret]"', json.dumps("0" * 64)))
    return values


def proxy_pod(values: dict[str, Any]) -> dict[str, Any]:
    (found,) = [
        item
        for item in rendered(values, release="hub-main")
        if item["kind"] == "Deployment" and item["metadata"]["name"] == "proxy"
    ]
    spec: dict[str, Any] = found["spec"]["template"]["spec"]
    return spec


@contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait(until: Callable[[], object]) -> None:
    for _ in range(100):
        with contextlib.suppress(requests.RequestException):
            if until():
                return
        time.sleep(0.1)
    raise AssertionError("not within 10 s")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    passwords = {"SharedPasswordAuthenticator": {"user_password": _PASSWORD}}
    secret = {"hub": {"config": passwords}}
    folder = tmp_path_factory.mktemp("maintenance") / "hub"
    with booted(values_of(None), folder, secret=secret) as found:
        yield found


@pytest.fixture
def proxy(hub: Hub) -> Iterator[str]:
    """A proxy in front of the hub's own port, as its pod has it: the address."""
    spec = proxy_pod(values_of(_PAGE))
    (beside,), (chp,) = spec["initContainers"], spec["containers"]
    assert "--error-target=http://127.0.0.1:8002" in chp["command"]
    text = (hub.folder / "boot_config.py").read_text()
    found = re.search(r'hub_bind_url = "(http://127\.0\.0\.1:[0-9]+)"', text)
    assert found is not None
    hub_url, port, api, error = found[1], free_port(), free_port(), free_port()
    environment = {
        item["name"]: item["value"].replace("$$(", "$(")  # as the kubelet does
        for item in beside["env"]
    }
    assert environment["HUB_ERROR_URL"] == "http://hub:8081/hub/error"
    environment |= {"HUB_ERROR_URL": f"{hub_url}/hub/error", "MAINTENANCE_PORT": str(error)}
    flags = [
        f"--port={port}",
        f"--api-port={api}",
        f"--default-target={hub_url}",
        f"--error-target=http://127.0.0.1:{error}",
    ]
    with (
        running(*beside["command"], **environment) as page,
        running("configurable-http-proxy", "--ip=127.0.0.1", *flags, CONFIGPROXY_AUTH_TOKEN=_TOKEN),
    ):
        wait(lambda: requests.get(f"http://127.0.0.1:{port}/_chp_healthz", timeout=2).ok)
        wait(lambda: requests.get(f"http://127.0.0.1:{error}/404?url=/", timeout=5).status_code)
        requests.post(
            f"http://127.0.0.1:{api}/api/routes/user/ada",
            headers={"Authorization": f"token {_TOKEN}"},
            json={"target": f"http://127.0.0.1:{free_port()}"},
            timeout=5,
        ).raise_for_status()
        yield f"http://127.0.0.1:{port}"
        assert page.poll() is None, "it goes on after every answer"


def test_a_hub_that_answers_gives_its_own_pages(hub: Hub, proxy: str) -> None:
    assert 'type="password"' in requests.get(f"{proxy}/hub/login", timeout=10).text
    dead = requests.get(f"{proxy}/user/ada/lab", timeout=10)
    assert dead.status_code == 503 and "Back at 9" not in dead.text
    assert "JupyterHub" in dead.text and "Service Unavailable" in dead.text


def test_a_hub_that_is_down(hub: Hub, proxy: str) -> None:
    hub.stop()
    try:
        for path in ("/", "/hub/login", "/hub/home?next=/x/api/y", "/user/ada/lab", "/x"):
            page = requests.get(f"{proxy}{path}", timeout=10)
            assert page.status_code == 503, path
            assert page.headers["Content-Type"] == "text/html; charset=utf-8"
            assert "Back at 9 &lt;soon&gt; $(HOME) &amp; &quot;then&quot;" in page.text
            assert "help@example.org" in page.text and "<script" not in page.text
            assert '<meta http-equiv="refresh" content="20">' in page.text
        for path in ("/hub/api/users", "/user/ada/api/contents?x=1", "/user/ada/second/api/status"):
            for method in ("get", "post", "delete"):
                answer = requests.request(method, f"{proxy}{path}", timeout=10)
                assert answer.status_code == 503, path
                assert answer.headers["Content-Type"] == "application/json"
                assert answer.json() == {
                    "status": 503,
                    "message": f"{_PAGE['text']} {_PAGE['contact']}",
                }
    finally:
        hub.start()
    wait(lambda: 'type="password"' in requests.get(f"{proxy}/hub/login", timeout=10).text)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


_HANGS = "import socket,time;s=socket.create_server(('127.0.0.1',{port}));time.sleep(600)"
_FAILS = """
import http.server as h
class H(h.BaseHTTPRequestHandler):
    def do_GET(self): self.send_error(500)
h.HTTPServer(('127.0.0.1',{port}),H).serve_forever()
"""


@pytest.mark.parametrize("code", [_HANGS, _FAILS], ids=["hangs", "fails"])
def test_a_hub_that_hangs_or_fails(code: str) -> None:
    """A stand-in that takes the connection and says nothing, or fails at its own page."""
    (beside,) = proxy_pod(values_of(_PAGE))["initContainers"]
    environment = {item["name"]: item["value"] for item in beside["env"]}
    hub, error = free_port(), free_port()
    more = {"HUB_ERROR_URL": f"http://127.0.0.1:{hub}", "MAINTENANCE_PORT": str(error)}
    address = f"http://127.0.0.1:{error}/503?url=/hub/home"
    with (
        running("python3", "-c", code.format(port=hub)),
        running(*beside["command"], **{**environment, **more}),
    ):
        for port in (hub, error):
            wait(lambda port=port: listens(port))
        begun = time.monotonic()
        assert "Back at 9" in requests.get(address, timeout=10).text
        assert time.monotonic() - begun < 4


def test_what_runs_beside_the_proxy_ends_at_once(tmp_path: Path) -> None:
    """The proxy's pod is replaced only when all of it has ended."""
    (beside,) = proxy_pod(values_of(_PAGE))["initContainers"]
    environment = {item["name"]: item["value"] for item in beside["env"]}
    port = free_port()
    with running(*beside["command"], **{**environment, "MAINTENANCE_PORT": str(port)}) as process:
        wait(lambda: requests.get(f"http://127.0.0.1:{port}/503?url=/", timeout=9).status_code)
        process.terminate()
        assert process.wait(timeout=3) == 0


def test_the_pod(tmp_path: Path) -> None:
    plain, spec = proxy_pod(values_of(None)), proxy_pod(values_of(_PAGE))
    assert "initContainers" not in plain
    assert (
        "--error-target=http://hub:$(HUB_SERVICE_PORT)/hub/error"
        in plain["containers"][0]["command"]
    )
    (beside,), (chp,) = spec["initContainers"], spec["containers"]
    assert beside["image"] == chp["image"] and beside["restartPolicy"] == "Always"
    security = beside["securityContext"]
    assert security["runAsNonRoot"] and security["capabilities"] == {"drop": ["ALL"]}
    assert security["allowPrivilegeEscalation"] is False and security["readOnlyRootFilesystem"]
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
