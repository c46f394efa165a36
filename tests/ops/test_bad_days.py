"""Every command that looks into the account, on a bad day: a clear message, exit code 2, no
traceback, and nothing changed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jupyterhub_aws.cli.group import _COMMANDS
from tests.support.in_process import Done, in_process
from tests.support.live import NOBODY, environment
from tests.support.refusing import Refusing, refusing
from tests.support.stack_files import ROOT

pytestmark = pytest.mark.real

#: What each command that looks into the account is called with on the stack `dev`.
COMMANDS = {
    "pause": ["pause", "dev", "--now", "--no-up"],
    "resume": ["resume", "dev", "--no-up"],
    "health": ["health", "dev"],
    "announce": ["announce", "dev", "main", "x", "--until", "in 1h"],
    "who": ["who", "dev"],
    "nodes": ["nodes", "dev"],
    "logs": ["logs", "dev", "main"],
    "restart": ["restart", "dev", "main", "proxy", "--yes"],
    "history": ["history", "dev", "main"],
    "rollback": ["rollback", "dev", "main", "--yes"],
    "kubeconfig": ["kubeconfig", "dev"],
    "doctor": ["doctor", "dev"],
    "orphans": ["orphans", "dev"],
    "backup list": ["backup", "list", "dev"],
    "backup now": ["backup", "now", "dev"],
    "restore plan": ["restore", "plan", "dev"],
    "restore run": ["restore", "run", "dev", "--user", "ada"],
    "restore drill": ["restore", "drill", "dev", "--user", "ada"],
    "drain": ["drain", "dev", "memory", "--old"],
}
#: Those that do not, or that have no stack yet: they say in their own tests what they need.
ELSEWHERE = {
    *(
        "plan",
        "versions",
        "upgrade",
        "adopt",
        "destroy",
        "diff",
        "gate",
        "report",
        "values",
        "open",
    ),
    *(
        "can",
        "sites",
        "bundle",
        "probe",
        "certificate",
        "homes",
        "schema",
        "docs",
        "init",
        "migrate",
        "explain",
        "completion",
    ),
}
_SECRET = "a-secret-key-of-nobody"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyterhub_aws.operate.live.account._ATTEMPTS", 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    return tmp_path


def refused(command: str, folder: Path, env: dict[str, str]) -> str:
    before = (folder / "Pulumi.dev.yaml").read_text()
    done: Done = in_process(COMMANDS[command], folder, env)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and _SECRET not in done.stderr + done.stdout
    assert (folder / "Pulumi.dev.yaml").read_text() == before
    return done.stderr


def test_every_command_is_one_or_the_other() -> None:
    assert {words[0] for words in COMMANDS.values()} | ELSEWHERE == set(_COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_user(command: str, folder: Path) -> None:
    said = refused(
        command,
        folder,
        {**NOBODY, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""},
    )
    assert (
        "credentials: there are none, or only a part of them; sign in: aws sso login, or set"
        " AWS_PROFILE [credentials.missing]" in said
    )


@pytest.mark.parametrize(
    ("code", "says", "which"),
    [
        ("ExpiredToken", "credentials: have expired; sign in again", "credentials.refused"),
        ("InvalidClientTokenId", "credentials: are not known to AWS", "credentials.refused"),
        ("SignatureDoesNotMatch", "compare the clock", "credentials.refused"),
        ("AccessDenied", "GetCallerIdentity: is not allowed for you (no)", "aws.not-allowed"),
        ("InternalFailure", "GetCallerIdentity: AWS answers InternalFailure (no)", "aws.failed"),
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_refused_by_aws(command: str, code: str, says: str, which: str, folder: Path) -> None:
    with refusing(Refusing(code)) as server:
        said = refused(command, folder, environment(server.url))
    assert says in said and f"[{which}]" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_too_many_calls(command: str, folder: Path) -> None:
    with refusing(Refusing("Throttling")) as server:
        said = refused(command, folder, environment(server.url))
        assert "GetCallerIdentity: was refused 2 times" in said and "[aws.throttled]" in said
        assert len(server.calls) == 2, "it was tried again"


@pytest.mark.parametrize("command", COMMANDS)
def test_another_account(command: str, folder: Path) -> None:
    with refusing(Refusing("AccessDenied", times=0, account="999999999999")) as server:
        said = refused(command, folder, environment(server.url))
        assert (
            "credentials: the stack is in account 123456789012, and your credentials are of"
            " 999999999999"
            in said
            and "[account.other]" in said
        )
        assert len(server.calls) == 1, "nothing else is asked of another account"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_call_was_throttled_and_goes_through(command: str, folder: Path) -> None:
    with refusing(Refusing("Throttling", times=1, account="999999999999")) as server:
        assert "999999999999" in refused(command, folder, environment(server.url)), (
            "the second try was answered"
        )


@pytest.mark.parametrize("command", COMMANDS)
def test_no_way_to_aws(command: str, folder: Path) -> None:
    said = refused(command, folder, environment("http://127.0.0.1:9"))
    assert "AWS: " in said and "[aws.unreachable]" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_a_long_refusal_is_cut(command: str, folder: Path) -> None:
    with refusing(
        Refusing(
            "AccessDenied", message="not you Encoded authorization failure message: " + "x" * 5000
        )
    ) as server:
        assert "(not you)" in refused(command, folder, environment(server.url))


def test_a_sign_in_that_has_ended_says_so() -> None:
    from botocore.exceptions import UnauthorizedSSOTokenError

    from jupyterhub_aws.operate.live.account import problem_of

    problem = problem_of(UnauthorizedSSOTokenError())
    assert (problem.path, problem.id) == ("credentials", "credentials.expired")
