"""`jhub probe ldap` without a directory: what it refuses, and that a password is neither echoed
nor shown. With a directory: tests/real.
"""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time

import pytest

from jupyterhub_aws.cli.group import run
from tests.support.data_examples import described
from tests.support.stack_files import CERTIFICATE, ROOT

_LDAP = {
    "kind": "ldap",
    "server": "127.0.0.1",
    "port": 1,
    "ca_certificate": CERTIFICATE,
    "bind_dn_templates": ["uid={username},ou=people,dc=example,dc=org"],
    "allowed_users": ["alice"],
    "timeout_seconds": 1,
}
SETTING = f"hubs.main.sign_in={json.dumps(_LDAP)}"


@pytest.fixture(autouse=True)
def at_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


@pytest.mark.parametrize(
    ("arguments", "says", "which"),
    [
        (["dev"], "dev: has no hub whose sign_in.kind is ldap", "hub.none"),
        (["dev", "--hub", "main"], "dev: hub main ", "probe.no-directory"),
        (["dev", "--hub", "mian"], "dev: has no hub 'mian'; did you mean main?", "hub.unknown"),
        (["nothing"], "nothing", "stack-file.missing"),
        (
            [
                "dev",
                "--set",
                (
                    f"hubs.a={json.dumps({'sign_in': _LDAP, 'entry': {'kind': 'port_forward', 'local_port': 8001}})}"
                ),
                "--set",
                SETTING,
            ],
            "name one with --hub",
            "hub.several",
        ),
    ],
)
def test_what_cannot_be_probed_is_said(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str, which: str
) -> None:
    assert run(["probe", "ldap", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error and f"[{which}]" in error and "Traceback" not in error


def test_a_closed_port_ends_it_with_the_option_to_change(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JHUB_LDAP_PASSWORD", "a password of alice's")
    assert run(["probe", "ldap", "dev", "--set", SETTING, "--user", "alice"]) == 1
    said = capsys.readouterr().out
    assert (
        "port 1 is closed" in said and "hubs.main.sign_in.port" in said and "a password" not in said
    )


def test_the_steps_as_data(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JHUB_LDAP_PASSWORD", "a password of alice's")
    arguments = ["dev", "--set", SETTING, "--user", "alice", "--json"]
    assert run(["probe", "ldap", *arguments]) == 1
    said = capsys.readouterr().out
    found = described("probe ldap", said)
    assert (found["hub"], found["user"], found["ok"]) == ("main", "alice", False)
    assert found["steps"][-1]["state"] == "failed" and "a password" not in said
    assert found["steps"][-1]["path"] == "hubs.main.sign_in.port"


@pytest.mark.real
def test_a_password_is_asked_for_without_echo() -> None:
    """At a real terminal: what is typed never comes back."""
    master, slave = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "jupyterhub_aws.cli.main",
        "probe",
        "ldap",
        "dev",
        "--set",
        SETTING,
        "--user",
        "alice",
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "PATH": "/usr/bin:/bin"},
        start_new_session=True,
    )
    os.close(slave)
    said, typed, end = b"", False, time.monotonic() + 40
    while time.monotonic() < end:
        ready, _, _ = select.select([master], [], [], 0.2)
        if ready:
            try:
                said += os.read(master, 4096)
            except OSError:
                break
        if not typed and b"Password of alice" in said:
            time.sleep(0.3)  # until the echo is off
            os.write(master, b"typed-by-alice-7c1d\n")
            typed = True
    process.wait(timeout=20)
    os.close(master)
    assert typed and process.returncode == 1
    assert b"typed-by-alice" not in said and b"is closed" in said
