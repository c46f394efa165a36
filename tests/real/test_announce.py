"""`jhub announce` with a real JupyterHub: what users read on its pages, when, and after a restart."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from jupyterhub_aws.components.hub.values.hub import OPERATOR, hub_values
from jupyterhub_aws.components.hub.values.problems import UNKNOWN
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.operate.live.hub_api import HubApi
from tests.support.cluster_tools import Tools
from tests.support.data_examples import described
from tests.support.directory_stacks import stack_with
from tests.support.hub_boot import Hub, booted, missing_for_a_hub
from tests.support.in_process import Done, in_process
from tests.support.stack_files import ROOT

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_a_hub()), reason=missing_for_a_hub()),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
_TOKEN, _PASSWORD = "0" * 64, "u" * 12
_PAGES = ("/hub/login", "/hub/home", "/hub/spawn/ada", "/hub/token", "/hub/nowhere")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    stack = resolve(stack_with({"kind": "shared_password", "usernames": "simple"}))
    text = json.dumps(hub_values(stack.hubs["main"], UNKNOWN, stack.images))
    values = json.loads(text.replace('"[secret]"', json.dumps(_TOKEN)))
    passwords = {"SharedPasswordAuthenticator": {"user_password": _PASSWORD}}
    secret = {"hub": {"config": passwords}}
    with booted(values, tmp_path_factory.mktemp("announce") / "hub", secret=secret) as found:
        yield found


@pytest.fixture
def api(hub: Hub) -> Iterator[HubApi]:
    found = HubApi("main", f"{hub.url}/hub/api", _TOKEN)
    yield found
    found.clear_announcements(None)
    found.clear_notice()


@pytest.fixture
def tools(tmp_path: Path, hub: Hub) -> Tools:
    """A cluster whose hub is the real one."""
    text = (ROOT / "examples/kubeadm/Pulumi.kubeadm.yaml").read_text()
    (tmp_path / "Pulumi.kubeadm.yaml").write_text(
        text.replace("    kind: existing\n", "    kind: existing\n    context: admin@closed\n")
    )
    found = Tools(tmp_path / "bin")
    key, token = f"hub.services.{OPERATOR}.apiToken", base64.b64encode(_TOKEN.encode()).decode()
    secret = json.dumps({"data": {key: token}})
    found.answer("kubectl", "get", "secret", "hub", stdout=secret)
    found.leads("service/hub", int(hub.url.rpartition(":")[2]))
    return found


def jhub(tools: Tools, *arguments: str) -> Done:
    words = ("announce", "kubeadm", "main", *arguments)
    return in_process(words, tools.folder.parent, {**tools.environment, "COLUMNS": "80"})


def pages(hub: Hub) -> dict[str, str]:
    """Pages as a user sees them who is signed in, and the sign-in page."""
    _, ada = hub.sign_in("ada", _PASSWORD)
    login = requests.get(f"{hub.url}/hub/login", timeout=10).text
    return {page: hub.page(ada, page).text for page in _PAGES[1:]} | {_PAGES[0]: login}


def wait(until: Callable[[], object]) -> None:
    for _ in range(100):
        if until():
            return
        time.sleep(0.1)
    raise AssertionError("not within 10 s")


def test_users_read_it_on_every_page_and_after_a_restart(
    hub: Hub, api: HubApi, tools: Tools
) -> None:
    done = jhub(tools, "Maintenance <b>on Monday</b> & after", "--until", "in 2h")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Users of main read from now until 20") and (
        " UTC: Maintenance <b>on Monday</b> & after\n" in done.stdout
    )
    read = "Maintenance &lt;b&gt;on Monday&lt;/b&gt; &amp; after"
    for page, text in pages(hub).items():
        assert read in text and "<b>on Monday" not in text, page
    assert jhub(tools, "A second one", "--until", "tomorrow 08:00").returncode == 0
    hub.restart()
    for page, text in pages(hub).items():
        assert f"{read}<br>A second one" in text, page
    assert not [call for call in tools.asked if {"apply", "patch", "create", "scale"} & {*call}], (
        "nothing of the cluster changes, so no pod restarts"
    )
    listed = described("announce", jhub(tools, "--list", "--json").stdout)["announcements"]
    assert [item["text"] for item in listed] == [
        "Maintenance <b>on Monday</b> & after",
        "A second one",
    ]
    assert jhub(tools, "--clear", str(listed[0]["number"])).returncode == 0
    assert read not in pages(hub)["/hub/home"] and "A second one" in pages(hub)["/hub/home"]
    assert jhub(tools, "--clear").stdout == "main: 1 announcement removed\n"
    assert jhub(tools, "--list").stdout == "main: no announcement\n"
    assert "A second one" not in pages(hub)["/hub/home"]
    third = json.loads(_said(jhub(tools, "A third one", "--until", "in 1h"), tools))
    assert third["number"] > listed[1]["number"], "a number is not given twice"


def _said(done: Done, tools: Tools) -> str:
    assert done.returncode == 0, done.stderr
    (item,) = json.loads(jhub(tools, "--list", "--json").stdout)["announcements"]
    return json.dumps(item)


def test_it_appears_and_vanishes_at_its_times(hub: Hub, api: HubApi) -> None:
    now = int(time.time())
    api.announce("Soon and briefly", now + 3, now + 6)
    home = pages(hub)["/hub/home"]
    assert "Soon and briefly" not in home and time.time() < now + 3
    session = hub.sign_in("ada", _PASSWORD)[1]
    wait(lambda: "Soon and briefly" in hub.page(session, "/hub/home").text)
    assert now + 3 <= time.time()
    wait(lambda: "Soon and briefly" not in hub.page(session, "/hub/home").text)
    assert now + 6 <= time.time() and api.announcements() == []


def test_the_notice_of_a_pause_wins(hub: Hub, api: HubApi) -> None:
    now = int(time.time())
    api.announce("Cake at noon", now, now + 60)
    api.set_notice("This hub will be paused", 60, closed=False)
    home = pages(hub)["/hub/home"]
    assert "This hub will be paused" in home and "Cake at noon" not in home
    api.clear_notice()
    assert "Cake at noon" in pages(hub)["/hub/home"]


def test_what_a_hub_refuses(hub: Hub, api: HubApi, tools: Tools) -> None:
    now = int(time.time())
    for text, starts, ends in (
        ("", now, now + 9),
        (" \t", now, now + 9),
        ("x" * 501, now, now + 9),
        ("x", now + 9, now + 9),
        ("x", now - 9, now - 1),
        ("x", -5, now + 9),
        ("x", now, now + 401 * 86400),
        ("x", now, 10**30),
        ("x", now + 0.5, now + 9),
        ("x", True, now + 9),
        (5, now, now + 9),
    ):
        with pytest.raises(ConfigError, match="with 400"):
            api.announce(text, starts, ends)  # type: ignore[arg-type]
    assert api.announcements() == []
    with pytest.raises(ConfigError, match="with 403"):
        HubApi("main", f"{hub.url}/hub/api", "1" * 64).announce("x", now, now + 9)
    _, ada = hub.sign_in("ada", _PASSWORD)
    token = {"X-XSRFToken": ada.cookies.get("_xsrf", path="/hub/")}
    place, said = f"{hub.url}/hub/api/jupyterhub-aws/announcements", {"text": "x"}
    for method in ("get", "post", "delete"):
        answer = ada.request(method, place, headers=token, json=said, timeout=10)
        assert answer.status_code == 403, "users announce nothing to each other"
    for number in range(20):
        api.announce(f"No. {number}", now, now + 60)
    with pytest.raises(ConfigError, match="with 409"):
        api.announce("one more", now, now + 60)
    done = jhub(tools, "one more", "--until", "in 1h")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "jhub announce: hub main: has 20 announcements already; clear those that are not needed:"
        " --list, then --clear NUMBER [announce.too-many]\n"
    )


def test_a_hub_that_cannot(hub: Hub, api: HubApi, tools: Tools) -> None:
    del api
    done = jhub(tools, "--clear", "77")
    assert done.returncode == 2 and "has no announcement 77 (it has: none)" in done.stderr
    assert "[announce.unknown]" in done.stderr
    tools.shut("service/hub")
    done = jhub(tools, "x", "--until", "in 1h")
    assert done.returncode == 2 and "pod is not running" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr
