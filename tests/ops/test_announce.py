"""`jhub announce`: what is refused before a hub is asked, and what an older hub answers."""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.cli.arguments import validated_stack
from jupyterhub_aws.components.hub.values.hub import OPERATOR
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.operate.daily.announce import announcement, lines, moment_of
from jupyterhub_aws.operate.daily.context import Inside
from tests.support.cluster_tools import Tools
from tests.support.data_keys import faults
from tests.support.hub_stub import answers
from tests.support.in_process import in_process
from tests.support.stack_files import ROOT

NOW = datetime.datetime(2026, 11, 30, 12, 30, 15, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", "2026-11-30T12:30:15"),
        ("in 2h", "2026-11-30T14:30:15"),
        ("90m", "2026-11-30T14:00:15"),
        ("in 3d", "2026-12-03T12:30:15"),
        ("tomorrow 08:00", "2026-12-01T08:00:00"),
        ("  tomorrow   8:05 ", "2026-12-01T08:05:00"),
        ("today 23:59", "2026-11-30T23:59:00"),
        ("18:00", "2026-11-30T18:00:00"),
        ("08:00", "2026-12-01T08:00:00"),
        ("2026-12-24", "2026-12-24T00:00:00"),
        ("2026-12-24T08:00", "2026-12-24T08:00:00"),
        ("2026-12-24 08:00", "2026-12-24T08:00:00"),
        ("2026-12-24T08:00Z", "2026-12-24T08:00:00"),
        ("2026-12-24T08:00+01:00", "2026-12-24T07:00:00"),
    ],
)
def test_times(text: str, moment: str) -> None:
    assert moment_of("--until", text, NOW).isoformat() == f"{moment}+00:00"


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2h30m", "in -2h", "in 2 weeks", "25:00", "8:60", "2026-13-01", "0001-01-01T00:00+23:00",
     "in 99999d", "yesterday 08:00", "tomorrow", "1767225600", "٨:٠٠"],
)  # fmt: skip
def test_no_times(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        moment_of("--until", text, NOW)
    (problem,) = refused.value.problems
    assert (problem.id, problem.path) == ("announce.time", "--until")


@pytest.mark.parametrize(
    ("text", "starts", "ends", "which", "path"),
    [
        ("", None, "in 1h", "announce.length", "text"),
        ("  ", None, "in 1h", "announce.length", "text"),
        ("x" * 501, None, "in 1h", "announce.length", "text"),
        ("two\nlines", None, "in 1h", "announce.not-printable", "text"),
        ("a\u202eb", None, "in 1h", "announce.not-printable", "text"),
        ("x", None, None, "announce.no-end", "--until"),
        ("x", None, "2026-11-30T12:30", "announce.past", "--until"),
        ("x", None, "now", "announce.past", "--until"),
        ("x", "in 2h", "in 1h", "announce.ends-before-start", "--until"),
        ("x", "in 1h", "in 1h", "announce.ends-before-start", "--until"),
        ("x", "soon", "in 1h", "announce.time", "--from"),
        ("x", None, "2028-03-01", "announce.too-far", "--until"),
    ],
)
def test_what_is_refused(
    text: str, starts: str | None, ends: str | None, which: str, path: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        announcement(text, starts, ends, NOW)
    (problem,) = refused.value.problems
    assert (problem.id, problem.path) == (which, path)


def test_what_users_will_read() -> None:
    longest = announcement("x" * 500, "2026-11-30T09:00", "in 1h", NOW)
    assert longest.says(NOW) == f"from now until 2026-11-30 13:30 UTC: {'x' * 500}"
    later = announcement(" Lab is closed ", "2026-12-24T08:00+01:00", "2026-12-27", NOW)
    says = "from 2026-12-24 07:00 UTC until 2026-12-27 00:00 UTC: Lab is closed"
    assert later.says(NOW) == says
    assert lines("main", [later], NOW) == [f"0  {says}"]
    assert lines("main", [], NOW) == ["main: no announcement"]


@pytest.mark.parametrize(
    ("words", "which"),
    [
        ([], "announce.one-task"),
        (["x", "--until", "in 1h", "--list"], "announce.one-task"),
        (["x", "--clear"], "announce.one-task"),
        (["--list", "--clear"], "announce.one-task"),
        (["--list", "--until", "in 1h"], "announce.no-text"),
        (["--clear", "--from", "in 1h"], "announce.no-text"),
        (["--clear", "first"], "announce.number"),
        (["--clear", "9999999999"], "announce.number"),
        (["x"], "announce.no-end"),
        (["x", "--until", "now"], "announce.past"),
    ],
)
def test_a_command_line_is_judged_before_the_stack_is_read(
    words: list[str], which: str, tmp_path: Path
) -> None:
    done = in_process(["announce", "dev", "main", *words], tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("jhub announce: ") and line.endswith(f"[{which}]")


@pytest.fixture
def older(tmp_path: Path) -> Iterator[Tools]:
    """A cluster whose hub is of a version without announcements."""
    text = (ROOT / "examples/kubeadm/Pulumi.kubeadm.yaml").read_text()
    (tmp_path / "Pulumi.kubeadm.yaml").write_text(
        text.replace("    kind: existing\n", "    kind: existing\n    context: admin@closed\n")
    )
    found = Tools(tmp_path / "bin")
    token = base64.b64encode(b"t" * 64).decode()
    secret = json.dumps({"data": {f"hub.services.{OPERATOR}.apiToken": token}})
    found.answer("kubectl", "get", "secret", "hub", stdout=secret)
    with answers({"/hub/api/users": []}, token="t" * 64) as port:
        found.leads("service/hub", port)
        yield found


class Announcing:
    """The announcements of a hub, in memory."""

    def __init__(self) -> None:
        self.hub, self.shown = "main", list[dict[str, Any]]()

    def announcements(self) -> list[dict[str, Any]]:
        return list(self.shown)

    def announce(self, text: str, starts: int, ends: int) -> dict[str, Any]:
        number = len(self.shown) + 1
        self.shown.append({"number": number, "text": text, "starts": starts, "ends": ends})
        return self.shown[-1]

    def clear_announcements(self, number: int | None) -> None:
        self.shown = [item for item in self.shown if number not in (None, item["number"])]


def test_whatever_was_asked_for_data_are_what_users_read_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub, place = Announcing(), "examples/kubeadm/Pulumi.kubeadm.yaml"
    stack, name = validated_stack(str(ROOT / place))

    @contextlib.contextmanager
    def inside(*_: object, **__: object) -> Iterator[Inside]:
        yield Inside(name=name, stack=stack, account=None, cluster=None)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def api(*_: object) -> Iterator[tuple[Announcing, None]]:
        yield hub, None

    monkeypatch.setattr("jupyterhub_aws.operate.daily.context.inside", inside)
    monkeypatch.setattr("jupyterhub_aws.operate.live.hub_api.hub_api", api)

    def asked(*words: str) -> dict[str, Any]:
        done = in_process(["announce", place, "main", *words, "--json"], ROOT)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        assert faults("announce", found) == []
        assert bool(done.stderr) is ("added" in found or "removed" in found)
        return found

    for number in (1, 2):
        found = asked("Maintenance", "--until", "in 1h")
        assert (found["added"], len(found["announcements"])) == (number, number)
    assert asked("--list")["announcements"] == found["announcements"]
    found = asked("--clear", "1")
    assert found["removed"] == 1 and [item["number"] for item in found["announcements"]] == [2]
    done = in_process(["announce", place, "main", "--clear"], ROOT)
    assert done.stdout == "main: 1 announcement removed\n" and hub.shown == []


@pytest.mark.real
def test_an_older_hub_and_an_unknown_one(older: Tools) -> None:
    def said(hub: str) -> str:
        words = ["announce", "kubeadm", hub, "x", "--until", "in 1h"]
        done = in_process(words, older.folder.parent, older.environment)
        assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr
        (line,) = done.stderr.splitlines()
        return line

    assert "the hub is of a version that does not know this: pulumi up, then try again" in said(
        "main"
    )
    assert "has no hub 'mian'; did you mean main? [hub.unknown]" in said("mian")
