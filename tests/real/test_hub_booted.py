"""The hub that people log in to: the real JupyterHub and proxy, booted on what the program
renders, for each kind of sign-in.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from jupyterhub_aws.components.hub.values.hub import HEALTH_USER, hub_values
from jupyterhub_aws.components.hub.values.problems import UNKNOWN
from jupyterhub_aws.config.chart import merged
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.operate.live.hub_api import HubApi, Server
from tests.support.certificates import Authority
from tests.support.directory import (
    SEARCH_PASSWORD,
    STAFF,
    Directory,
    directory,
    missing_for_the_directory,
)
from tests.support.directory_stacks import sign_in, stack_with
from tests.support.hub_boot import Hub, booted, missing_for_a_hub
from tests.support.identity import CLIENT_ID, CLIENT_SECRET, Identity, identity_provider

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_a_hub()), reason=missing_for_a_hub()),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
CA = Authority()
USER_PASSWORD, ADMIN_PASSWORD = "u" * 12, "a" * 40


def values_with(section: dict[str, Any], *more: str) -> dict[str, Any]:
    """The values of the hub `main` of `dev` with this sign-in; what chance makes is all zeros."""
    stack = stack_with(section, *more)
    text = json.dumps(
        hub_values(resolve(stack).hubs["main"], UNKNOWN, resolve(stack).images)
    ).replace('"[secret]"', json.dumps("0" * 64))
    found: dict[str, Any] = json.loads(text)
    return found


def secret(section: str, **traits: str) -> dict[str, Any]:
    return {"hub": {"config": {section: traits}}}


# --- one password ---


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    values = values_with(
        {"kind": "shared_password", "administrators": ["ops1"], "usernames": "simple"}
    )
    passwords = secret(
        "SharedPasswordAuthenticator", user_password=USER_PASSWORD, admin_password=ADMIN_PASSWORD
    )
    with booted(values, tmp_path_factory.mktemp("shared") / "hub", secret=passwords) as hub:
        yield hub


def test_a_person_is_let_in_and_another_is_not(shared: Hub) -> None:
    page = requests.get(f"{shared.url}/hub/login", timeout=10)
    assert page.status_code == 200 and 'type="password"' in page.text
    status, session = shared.sign_in("ada", USER_PASSWORD)
    assert (status, shared.about(session)["name"], shared.about(session)["admin"]) == (
        302,
        "ada",
        False,
    )
    for name, password in (
        ("ada", "wrong"),
        ("ada", ""),
        ("ops1", USER_PASSWORD),
        ("no spaces please", USER_PASSWORD),
        ("../up", USER_PASSWORD),
    ):
        status, session = shared.sign_in(name, password)
        assert (status, shared.about(session)) == (403, {}), name


def test_an_administrator_sees_what_others_do_not(shared: Hub) -> None:
    _, ada = shared.sign_in("ada", USER_PASSWORD)
    status, ops = shared.sign_in("ops1", ADMIN_PASSWORD)
    assert status == 302 and shared.about(ops)["admin"] is True
    assert [shared.page(session, "/hub/admin").status_code for session in (ops, ada)] == [200, 403]


def test_a_restart_keeps_sessions_and_a_server_starts(shared: Hub) -> None:
    _, ada = shared.sign_in("ada", USER_PASSWORD)
    shared.restart()
    assert shared.about(ada)["name"] == "ada"
    start(shared, ada, "ada")
    assert requests.get(f"{shared.url}/user/ada/", timeout=10).text == "server of ada", (
        "through the proxy"
    )


def start(hub: Hub, session: requests.Session, name: str) -> None:
    token = {"X-XSRFToken": session.cookies.get("_xsrf", path="/hub/")}
    started = session.post(f"{hub.url}/hub/api/users/{name}/server", headers=token, timeout=30)
    assert started.status_code in (201, 202), started.text
    wait(lambda: hub.about(session)["server"])


def wait(until: Callable[[], object]) -> None:
    for _ in range(150):
        if until():
            return
        time.sleep(0.1)
    raise AssertionError("not within 15 s")


def test_a_server_that_ended_by_itself_says_so_where_the_next_one_starts(shared: Hub) -> None:
    _, bob = shared.sign_in("bob", USER_PASSWORD)
    start(shared, bob, "bob")
    killed = [
        pid
        for pid in shared.servers()
        if b"JUPYTERHUB_USER=bob" in Path(f"/proc/{pid}/environ").read_bytes()
    ]
    assert len(killed) == 1
    os.kill(killed[0], signal.SIGKILL)
    wait(lambda: not shared.about(bob)["server"])
    page = shared.page(bob, "/hub/spawn/bob").text
    assert "Your last server is gone." in page and "Start one" in page
    start(shared, bob, "bob")
    bob.delete(
        f"{shared.url}/hub/api/users/bob/server",
        headers={"X-XSRFToken": bob.cookies.get("_xsrf", path="/hub/")},
        timeout=30,
    )
    wait(lambda: not shared.about(bob)["server"])
    assert "Your last server is gone." not in shared.page(bob, "/hub/spawn/bob").text, (
        "its person stopped it"
    )


# --- a directory ---


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    if missing_for_the_directory():
        pytest.skip(missing_for_the_directory())
    with directory(tmp_path_factory.mktemp("slapd") / "d", CA.issue("localhost"), CA) as found:
        yield found


@pytest.fixture(scope="module")
def with_directory(slapd: Directory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    section = sign_in(
        slapd,
        CA.pem,
        lookup=True,
        admin_groups=[slapd.group("ops")],
        administrators=["ops1"],
        timeout_seconds=5,
    )
    passwords = secret("LDAPAuthenticator", lookup_dn_search_password=SEARCH_PASSWORD)
    with booted(
        values_with(section), tmp_path_factory.mktemp("ldap") / "hub", secret=passwords
    ) as hub:
        yield hub


def test_users_of_a_directory(with_directory: Hub, slapd: Directory) -> None:
    for name, admin in (("alice", False), ("odd", False), ("boss", True), ("ops1", True)):
        status, session = with_directory.sign_in(name, STAFF[name]["password"])
        assert (status, with_directory.about(session).get("admin")) == (302, admin), name
        assert with_directory.page(session, "/hub/admin").status_code == (200 if admin else 403)
    assert (
        slapd.group("hub")
        in with_directory.about(with_directory.sign_in("alice", STAFF["alice"]["password"])[1])[
            "groups"
        ]
    )
    for name, password in (
        ("alice", "wrong"),
        ("alice", ""),
        ("bob", STAFF["bob"]["password"]),
        ("*", STAFF["alice"]["password"]),
    ):
        assert with_directory.sign_in(name, password)[0] == 403, name


def test_who_left_the_group_is_refused_after_a_first_sign_in_and_an_administrator_is_one_no_more(
    with_directory: Hub, slapd: Directory
) -> None:
    assert with_directory.sign_in("alice", STAFF["alice"]["password"])[0] == 302
    slapd.leave("alice", "hub")
    try:
        assert with_directory.sign_in("alice", STAFF["alice"]["password"])[0] == 403
    finally:
        slapd.join("alice", "hub")
    slapd.join("alice", "ops")
    try:
        assert (
            with_directory.about(with_directory.sign_in("alice", STAFF["alice"]["password"])[1])[
                "admin"
            ]
            is True
        )
    finally:
        slapd.leave("alice", "ops")
    assert (
        with_directory.about(with_directory.sign_in("alice", STAFF["alice"]["password"])[1])[
            "admin"
        ]
        is False
    )


def test_the_hub_answers_while_the_directory_does_not(
    with_directory: Hub, slapd: Directory
) -> None:
    _, session = with_directory.sign_in("alice", STAFF["alice"]["password"])
    found: list[tuple[int, float]] = []

    def knock() -> None:
        began = time.monotonic()
        found.append(
            (
                with_directory.sign_in("alice", STAFF["alice"]["password"])[0],
                time.monotonic() - began,
            )
        )

    with slapd.silent():
        waiting = [threading.Thread(target=knock) for _ in range(3)]
        for thread in waiting:
            thread.start()
        time.sleep(0.5)
        for _ in range(10):
            began = time.monotonic()
            assert with_directory.answers(timeout=3)
            assert time.monotonic() - began < 1
        assert with_directory.about(session)["name"] == "alice", "whoever is in stays in"
        for thread in waiting:
            thread.join()
    assert [status for status, _ in found] == [503] * 3
    assert all(4 < seconds < 30 for _, seconds in found)
    assert with_directory.sign_in("alice", STAFF["alice"]["password"])[0] == 302
    assert not any(item["password"] in with_directory.log for item in STAFF.values())
    assert SEARCH_PASSWORD not in with_directory.log


# --- somebody else's page ---

CLAIMS = {
    "ada": {
        "preferred_username": "ada",
        "groups": ["staff"],
        "cognito:username": "ada",
        "cognito:groups": ["staff"],
    },
    "boss": {
        "preferred_username": "Boss",
        "groups": ["ops"],
        "cognito:username": "boss",
        "cognito:groups": ["ops"],
    },
    "eve": {"preferred_username": "eve", "groups": ["others"], "cognito:username": "eve"},
}
TEAMS = {
    "ada": ["example-org:people"],
    "boss": ["other-org:x", "example-org:ops"],
    "eve": ["other-org:y"],
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Identity]:
    folder = tmp_path_factory.mktemp("identity")
    (folder / "ca.crt").write_text(CA.pem)
    with identity_provider(folder, CA, CLAIMS, TEAMS) as found:
        yield found


def kinds(url: str) -> dict[str, tuple[dict[str, Any], dict[str, Any], str]]:
    """Sign-in, values over those of the stack, and the section of its secret."""
    oidc = {
        "kind": "oidc",
        "client_id": CLIENT_ID,
        "authorize_url": f"{url}/authorize",
        "token_url": f"{url}/token",
        "userinfo_url": f"{url}/userinfo",
        "logout_url": f"{url}/logout",
        "groups_claim": "groups",
        "allowed_groups": ["staff"],
        "admin_groups": ["ops"],
    }
    cognito = {
        "kind": "cognito",
        "client_id": CLIENT_ID,
        "domain": "pool.example.org",
        "allowed_groups": ["staff"],
        "admin_groups": ["ops"],
    }
    there = {
        "authorize_url": f"{url}/oauth2/authorize",
        "token_url": f"{url}/oauth2/token",
        "logout_redirect_url": f"{url}/logout",
    }
    moved = {
        "hub": {"config": {"GenericOAuthenticator": there}}
    }  # a stack file may not say so: its domain decides
    github = {
        "kind": "github",
        "client_id": CLIENT_ID,
        "allowed_organizations": ["example-org:people", "example-org"],
        "admin_teams": ["example-org:ops"],
    }
    return {
        "oidc": (oidc, {}, "GenericOAuthenticator"),
        "cognito": (cognito, moved, "GenericOAuthenticator"),
        "github": (github, {}, "GitHubOAuthenticator"),
    }


@pytest.mark.parametrize("kind", ["oidc", "cognito", "github"])
def test_users_of_an_identity_provider(provider: Identity, tmp_path: Path, kind: str) -> None:
    section, over, owner = kinds(provider.url)[kind]
    (tmp_path / "ca.crt").write_text(CA.pem)
    environment = {"SSL_CERT_FILE": str(tmp_path / "ca.crt"), "GITHUB_URL": provider.url}
    with booted(
        merged(values_with(section), over),
        tmp_path / "hub",
        secret=secret(owner, client_secret=CLIENT_SECRET),
        **environment,
    ) as hub:
        found: dict[str, Mapping[str, Any]] = {}
        for person in CLAIMS:
            provider.person = person
            status, session = hub.sign_in_elsewhere()
            found[person] = {"status": status, **hub.about(session)}
            if person == "ada":
                leaving = hub.page(session, "/hub/logout")
                assert hub.about(session) == {}
                if kind != "github":
                    assert leaving.status_code == 302 and leaving.headers["Location"].startswith(
                        f"{provider.url}/logout"
                    )
        assert provider.faults == []
        assert (found["ada"]["name"], found["ada"]["admin"]) == ("ada", False)
        assert (found["boss"]["name"], found["boss"]["admin"]) == (
            "boss",
            True,
        ), "in lower case, and an administrator by group"
        assert found["eve"]["status"] == 403 and "name" not in found["eve"]
        assert found["ada"]["groups"] == (["example-org:people"] if kind == "github" else ["staff"])
        assert CLIENT_SECRET not in hub.log


# --- accounts of the hub's own ---


def test_accounts_of_the_hubs_own(tmp_path: Path) -> None:
    values = values_with({"kind": "native", "administrators": ["ops1"], "failed_logins": 3})
    with booted(
        values,
        tmp_path / "hub",
        secret=secret("AccountsAuthenticator", admin_password=ADMIN_PASSWORD),
    ) as hub:
        taken = signed_up(hub, "ops1", "a password of eve's")
        assert "ops1" not in taken or "already" in taken or "went wrong" in taken.lower()
        assert hub.sign_in("ops1", "a password of eve's")[0] != 302, (
            "nobody takes an administrator's name"
        )
        status, ops = hub.sign_in("ops1", ADMIN_PASSWORD)
        assert status == 302 and hub.about(ops)["admin"] is True
        for weak in ("short", "password1234"):
            signed_up(hub, "weak", weak)
            assert hub.sign_in("weak", weak)[0] != 302
        signed_up(hub, "ada", "a long password of ada's")
        assert hub.sign_in("ada", "a long password of ada's")[0] != 302, (
            "not before an administrator says so"
        )
        admitted = ops.get(f"{hub.url}/hub/authorize/ada", timeout=10)
        assert admitted.status_code == 200
        status, ada = hub.sign_in("ada", "a long password of ada's")
        assert status == 302 and hub.about(ada)["admin"] is False
        hub.restart()
        assert hub.about(ada)["name"] == "ada" and hub.sign_in("ops1", ADMIN_PASSWORD)[0] == 302
        for _ in range(4):
            hub.sign_in("ada", "guess")
        assert hub.sign_in("ada", "a long password of ada's")[0] != 302, (
            "it waits after three wrong passwords"
        )
        assert ADMIN_PASSWORD not in hub.log


def signed_up(hub: Hub, name: str, password: str) -> str:
    """What the page says after somebody tried to make an account."""
    session = requests.Session()
    page = session.get(f"{hub.url}/hub/signup", timeout=10)
    assert page.status_code == 200, page.text[:500]
    found = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
    token = found[1] if found else session.cookies.get("_xsrf", path="/hub/")
    sent = {
        "username": name,
        "signup_password": password,
        "signup_password_confirmation": password,
        "_xsrf": token,
    }
    return session.post(f"{hub.url}/hub/signup", data=sent, timeout=10).text


# --- what an operator does ---


def operator(hub: Hub, token: str = "0" * 64) -> HubApi:
    return HubApi("main", f"{hub.url}/hub/api", token)


def test_an_operator_sees_and_stops_servers_and_notifies_users(shared: Hub) -> None:
    api = operator(shared)
    _, cleo = shared.sign_in("cleo", USER_PASSWORD)
    start(shared, cleo, "cleo")
    assert "cleo" in [server.user for server in api.servers()]
    api.set_notice("Back on Monday <b>8:00</b>", 60, closed=True)
    assert (
        api.get_notice()["text"] == "Back on Monday <b>8:00</b>"
        and 0 < api.get_notice()["seconds"] <= 60
    )
    for page in ("/hub/home", "/hub/spawn/dora"):
        assert (
            "Back on Monday &lt;b&gt;8:00&lt;/b&gt;"
            in shared.page(shared.sign_in("dora", USER_PASSWORD)[1], page).text
        )
    for server in api.servers():
        api.stop(server)
    wait(lambda: api.servers() == [])
    _, dora = shared.sign_in("dora", USER_PASSWORD)
    dora.post(
        f"{shared.url}/hub/api/users/dora/server",
        headers={"X-XSRFToken": dora.cookies.get("_xsrf", path="/hub/")},
        timeout=30,
    )
    wait(lambda: not shared.about(dora)["server"])
    assert shared.servers() == [], "no server starts while the hub is closed"
    api.clear_notice()
    assert (
        api.get_notice() == {"text": "", "closed": False, "seconds": 0}
        and "Back on Monday" not in shared.page(dora, "/hub/home").text
    )
    start(shared, dora, "dora")
    api.stop(api.servers()[0])
    wait(lambda: api.servers() == [])
    api.stop(
        Server(
            user="dora", name="", ready=True, pending="", started="", last_activity="", profile=""
        )
    )  # twice is no error


def test_the_operators_token_opens_nothing_else(shared: Hub) -> None:
    api = operator(shared)
    for method, path in (
        ("POST", "/users/eve"),
        ("POST", "/users/ada/server"),
        ("DELETE", "/users/ada"),
        ("GET", "/users/ada/tokens"),
        ("POST", "/shutdown"),
    ):
        with pytest.raises(ConfigError, match=r"with 40[34]"):
            api.ask(method, path, {} if method == "POST" else None)
    with pytest.raises(ConfigError, match="with 403"):
        operator(shared, "1" * 64).set_notice("x", 1, closed=False)
    _, ada = shared.sign_in("ada", USER_PASSWORD)
    token = {"X-XSRFToken": ada.cookies.get("_xsrf", path="/hub/")}
    said = {"text": "hello", "seconds": 5, "closed": False}
    assert (
        ada.put(
            f"{shared.url}/hub/api/jupyterhub-aws/notice", headers=token, json=said, timeout=10
        ).status_code
        == 403
    ), "a person says nothing to all"
    with pytest.raises(ConfigError, match="with 400"):
        api.set_notice("x" * 501, 1, closed=False)


def test_the_test_user_is_the_operators(shared: Hub) -> None:
    api = operator(shared)
    api.ask("POST", f"/users/{HEALTH_USER}", {}, fine=(201, 409))
    api.ask("POST", f"/users/{HEALTH_USER}/server", {})
    wait(lambda: [server.ready for server in api.servers() if server.user == HEALTH_USER] == [True])
    done = requests.get(
        f"{shared.url}/user/{HEALTH_USER}/",
        headers={"Authorization": "token " + "0" * 64},
        timeout=10,
    )
    assert done.text == f"server of {HEALTH_USER}"
    api.ask("DELETE", f"/users/{HEALTH_USER}/server", fine=(202, 204))
    wait(lambda: api.servers() == [])
    api.ask("DELETE", f"/users/{HEALTH_USER}", fine=(204,))
