"""Sign-in with a real directory: the hub's own class, configured from what the program renders,
against slapd with TLS of every quality.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.web import HTTPError

from jupyterhub_aws.operate.probe.directory import ProbeRequest, directory_authenticator, probe
from tests.support.certificates import Authority
from tests.support.directory import (
    SEARCH_PASSWORD,
    STAFF,
    Directory,
    directory,
    missing_for_the_directory,
)
from tests.support.directory_stacks import settings_of, sign_in, stack_with
from tests.support.stack_files import ROOT

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_the_directory()), reason=missing_for_the_directory()),
    # ldap3 2.9.1 and pyasn1 talk about each other.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
CA = Authority()
WAYS = [(tls, lookup) for tls in ("on_connect", "start_tls") for lookup in (False, True)]
IDS = [f"{tls}, {'lookup' if lookup else 'template'}" for tls, lookup in WAYS]


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    with directory(
        tmp_path_factory.mktemp("slapd") / "d", CA.issue("localhost", "127.0.0.1"), CA
    ) as found:
        yield found


def made(section: dict[str, Any], folder: Path, *more: str) -> Any:
    return directory_authenticator(
        stack_with(section, *more), "main", SEARCH_PASSWORD if "lookup" in section else None, folder
    )


def enter(authenticator: Any, name: str, password: str | None = None) -> dict[str, Any] | None:
    sent = {"username": name, "password": STAFF[name]["password"] if password is None else password}
    return asyncio.run(authenticator.get_authenticated_user(None, sent))


@pytest.mark.parametrize(("tls", "lookup"), WAYS, ids=IDS)
def test_the_right_password_and_no_other(
    slapd: Directory, tmp_path: Path, tls: str, lookup: bool
) -> None:
    authenticator = made(sign_in(slapd, CA.pem, tls=tls, lookup=lookup), tmp_path)
    found = enter(authenticator, "alice")
    assert found is not None
    assert (found["name"], found["admin"], found["groups"]) == (
        "alice",
        False,
        [slapd.group("hub")],
    )
    for password in ("wrong", "", " ", "\0", "alice's password ", "bob's password"):
        assert enter(authenticator, "alice", password) is None, repr(password)
    assert enter(authenticator, "bob") is None, "known, and in no group"
    for name in (
        "*",
        "a*",
        "alice)(uid=*",
        "alice,ou=people",
        "al\\69ce",
        "(alice)",
        "alice\n",
        "alice\0",
        "",
        "nobody",
    ):
        assert enter(authenticator, name, "alice's password") is None, repr(name)
    upper = enter(authenticator, "ALICE", "alice's password")
    assert upper is not None and upper["name"] == "alice", "as JupyterHub knows her"


def test_names_that_only_escaping_keeps_out(slapd: Directory, tmp_path: Path) -> None:
    """With no rule for names at all, what people type is still data."""
    for lookup in (False, True):
        authenticator = made(sign_in(slapd, CA.pem, lookup=lookup, usernames="any"), tmp_path)
        for name in (
            "*",
            "a*",
            "alice)(uid=*",
            "alice,ou=people",
            "al\\69ce",
            "\\61lice",
            "alice\0",
        ):
            assert enter(authenticator, name, "alice's password") is None, repr(name)


@pytest.mark.parametrize("person", ["odd", "curly"])
def test_a_dn_with_everything_that_needs_escaping(
    slapd: Directory, tmp_path: Path, person: str
) -> None:
    found = enter(made(sign_in(slapd, CA.pem, lookup=True), tmp_path), person)
    assert found is not None
    assert found["groups"] == [slapd.group("hub")]
    assert enter(made(sign_in(slapd, CA.pem, lookup=True), tmp_path), person, "wrong") is None


def test_administrators_by_group_and_by_name_always_get_in_and_stop_being_it(
    slapd: Directory, tmp_path: Path
) -> None:
    section = sign_in(slapd, CA.pem, admin_groups=[slapd.group("ops")], administrators=["ops1"])
    authenticator = made(section, tmp_path)
    for name in ("boss", "ops1"):  # neither is in the group of those who may come in
        found = enter(authenticator, name)
        assert found is not None and found["admin"] is True, name
    alice = enter(authenticator, "alice")
    assert alice is not None and alice["admin"] is False, "no, not: as before"
    slapd.join("alice", "ops")
    try:
        promoted = enter(authenticator, "alice")
        assert promoted is not None and promoted["admin"] is True
    finally:
        slapd.leave("alice", "ops")
    again = enter(authenticator, "alice")
    assert again is not None and again["admin"] is False


def test_who_leaves_the_group_stays_out_also_where_others_are_listed_by_name(
    slapd: Directory, tmp_path: Path
) -> None:
    authenticator = made(
        sign_in(slapd, CA.pem, allowed_users=["bob"], administrators=["ops1"]), tmp_path
    )
    assert enter(authenticator, "alice") is not None
    assert enter(authenticator, "bob") is not None
    slapd.leave("alice", "hub")
    try:
        assert enter(authenticator, "alice") is None
    finally:
        slapd.join("alice", "hub")


def test_groups_of_profiles_are_known_to_the_hub(slapd: Directory, tmp_path: Path) -> None:
    profile = {
        "pool": "gpu",
        "cpu": 11,
        "memory": "40G",
        "guarantee": 1,
        "gpus": 1,
        "groups": [slapd.group("gpu")],
    }
    found = enter(
        made(sign_in(slapd, CA.pem), tmp_path, f"hubs.main.profiles.gpu={json.dumps(profile)}"),
        "alice",
    )
    assert found is not None
    assert slapd.group("gpu") in found["groups"]


BAD_TLS = {
    "expired": (lambda: CA.issue("localhost", valid_from=-30, valid_to=-1), CA, "expired"),
    "not yet valid": (lambda: CA.issue("localhost", valid_from=2), CA, "not valid yet"),
    "another host": (lambda: CA.issue("ldap.example.org"), CA, "not for localhost"),
    "unknown authority": (
        lambda: Authority("Somebody else").issue("localhost"),
        CA,
        "another authority",
    ),
}


# ldap3 keeps the socket whose certificate it refuses in the exception, and closes it with that.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("tls", ["on_connect", "start_tls"])
@pytest.mark.parametrize("case", BAD_TLS)
def test_a_certificate_that_is_not_right_ends_the_sign_in_before_a_password_is_sent(
    tmp_path: Path, case: str, tls: str
) -> None:
    certificate, authority, said = BAD_TLS[case]
    with directory(tmp_path / "d", certificate(), authority) as found:
        section = sign_in(found, CA.pem, tls=tls)
        with pytest.raises(HTTPError) as caught:
            enter(made(section, tmp_path), "alice")
        assert caught.value.status_code == 503
        steps = list(
            probe(
                ProbeRequest(
                    stack=stack_with(section), hub="main", user="alice", password="alice's password"
                )
            )
        )
    assert (steps[-1].what, steps[-1].state) == ("certificate", "failed")
    assert said in steps[-1].said
    assert steps[-1].fix and steps[-1].path and steps[-1].path.startswith("hubs.main.sign_in.")
    del caught
    gc.collect()  # here, and not in whatever test comes when Python next looks


def test_starttls_that_is_refused_is_no_leave_for_clear_text(tmp_path: Path) -> None:
    with directory(tmp_path / "d", None) as found:
        section = sign_in(found, CA.pem, tls="start_tls")
        with pytest.raises(HTTPError):
            enter(made(section, tmp_path), "alice")
        *_, last = probe(
            ProbeRequest(
                stack=stack_with(section), hub="main", user="alice", password="alice's password"
            )
        )
        assert (last.what, last.state) == ("certificate", "failed")
        assert "StartTLS" in last.said
        plain = sign_in(found, CA.pem, tls="none_insecure")
        assert enter(made(plain, tmp_path), "alice") is not None
        steps = list(
            probe(
                ProbeRequest(
                    stack=stack_with(plain), hub="main", user="alice", password="alice's password"
                )
            )
        )
        assert [(step.what, step.state) for step in steps if step.what == "encryption"] == [
            ("encryption", "no")
        ]


def test_a_look_up_account_that_is_locked(slapd: Directory, tmp_path: Path) -> None:
    section = sign_in(slapd, CA.pem, lookup=True)
    slapd.lock_the_search_account()
    try:
        assert enter(made(section, tmp_path), "alice") is None
        question = ProbeRequest(
            stack=stack_with(section),
            hub="main",
            user="alice",
            password="alice's password",
            search_password=SEARCH_PASSWORD,
        )
        *_, last = probe(question)
        assert (last.what, last.state) == ("look-up account", "failed")
        assert "hub-main-ldap-search-password" in str(last.fix)
    finally:
        slapd.lock_the_search_account(locked=False)
    assert enter(made(section, tmp_path), "alice") is not None


def test_a_silent_directory_holds_up_its_own_sign_ins_only(
    slapd: Directory, tmp_path: Path
) -> None:
    """Everything else in the hub's only thread goes on: here, a clock that ticks."""
    authenticator = made(sign_in(slapd, CA.pem), tmp_path)

    async def both() -> tuple[float, float]:
        sent = {"username": "alice", "password": "alice's password"}
        waiting = [
            asyncio.ensure_future(authenticator.get_authenticated_user(None, sent))
            for _ in range(20)
        ]
        longest, last = 0.0, time.monotonic()
        while not all(task.done() for task in waiting):
            await asyncio.sleep(0.02)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(
            isinstance(result, HTTPError) and result.status_code == 503 for result in results
        )
        return longest, last

    began = time.monotonic()
    with slapd.silent():
        longest, ended = asyncio.run(both())
    assert longest < 1, "the hub would not have answered meanwhile"
    assert ended - began < 30, "20 sign-ins, 16 at a time, 2 s each way"
    assert enter(authenticator, "alice") is not None


# --- the probe ---


def probed(
    *arguments: str, settings: tuple[str, ...], **environment: str
) -> subprocess.CompletedProcess[str]:
    options = [part for setting in settings for part in ("--set", setting)]
    command = [
        sys.executable,
        "-m",
        "jupyterhub_aws.cli.main",
        "probe",
        "ldap",
        "dev",
        *arguments,
        *options,
    ]
    env = {**os.environ, "COLUMNS": "100", "PATH": "/usr/bin:/bin", **environment}
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=env,
        stdin=subprocess.DEVNULL,
    )


def test_the_probe_says_step_by_step_that_a_person_would_be_let_in(slapd: Directory) -> None:
    section = sign_in(slapd, CA.pem, lookup=True, admin_groups=[slapd.group("ops")])
    passwords = {
        "JHUB_LDAP_PASSWORD": "alice's password",
        "JHUB_LDAP_SEARCH_PASSWORD": SEARCH_PASSWORD,
    }
    done = probed("--user", "alice", settings=settings_of(section), **passwords)
    assert done.returncode == 0, done.stdout + done.stderr
    text = " ".join(done.stdout.split())
    for said in (
        "localhost is",
        "is open",
        "verified against your authority",
        "may come in",
        "uid=alice",
        "takes it for alice",
    ):
        assert said in text
    assert "member of cn=hub" in text and "not a member of cn=ops" in text
    assert "alice would be let in as alice, administrator: no, profiles: gpu, large, small" in text
    for password in passwords.values():
        assert password not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("user", "password", "code", "said"),
    [
        ("bob", "bob's password", 1, "bob would not be let in"),
        ("alice", "not-hers", 1, "refuses name and password"),
        ("boss", "boss's password", 0, "administrator: yes"),
    ],
)
def test_the_probe_says_why_not(
    slapd: Directory, user: str, password: str, code: int, said: str
) -> None:
    section = sign_in(slapd, CA.pem, admin_groups=[slapd.group("ops")])
    done = probed("--user", user, settings=settings_of(section), JHUB_LDAP_PASSWORD=password)
    assert (done.returncode, said in " ".join(done.stdout.split())) == (code, True), (
        done.stdout + done.stderr
    )
    assert password not in done.stdout + done.stderr


def test_a_probe_without_a_user_tries_the_connection(slapd: Directory) -> None:
    done = probed(settings=settings_of(sign_in(slapd, CA.pem)))
    assert done.returncode == 0 and "no user was named" in done.stdout
    closed = {**sign_in(slapd, CA.pem), "port": 1}
    done = probed(settings=settings_of(closed))
    assert (
        done.returncode == 1
        and "is closed" in done.stdout
        and "hubs.main.sign_in.port" in done.stdout
    )
    unknown = sign_in(slapd, CA.pem, server="no-such-host.invalid")
    done = probed(settings=settings_of(unknown))
    assert done.returncode == 1 and "has no address here" in done.stdout
