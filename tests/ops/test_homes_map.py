"""`jhub homes map`: old and new directory of each person, and a loud no where two people would
meet.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupyterhub_aws.cli.group import run
from tests.support.stack_files import ROOT

LIST = "# people of 2021\nada\nAda\n\nfirst.last\nalice@corp.example\n"


@pytest.fixture(autouse=True)
def at_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")


def listed(tmp_path: Path, text: str = LIST, *, encoding: str = "utf-8") -> str:
    file = tmp_path / "users.txt"
    file.write_bytes(text.encode(encoding))
    return str(file)


def mapped(*arguments: str) -> int:
    return run(["homes", "map", *arguments])


def test_each_person_has_an_old_and_a_new_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mapped("--users", listed(tmp_path)) == 0
    said = capsys.readouterr().out
    assert (
        "first-2elast" in said
        and "first-last---23e1b5a0" in said
        and "alice-40corp-2eexample" in said
        and "alice-corp-example---169009fb" in said
    )
    assert "ada, Ada are one user to JupyterHub: ada" in said and "the same" in said
    assert "3 users: 2 would find an empty home, 1 theirs" in said


def test_windows_lines_and_a_mark_at_the_beginning_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mapped("--users", listed(tmp_path)) == 0
    plain = capsys.readouterr().out
    assert (
        mapped("--users", listed(tmp_path, LIST.replace("\n", "\r\n"), encoding="utf-8-sig")) == 0
    )
    assert capsys.readouterr().out == plain


def test_the_scheme_of_a_stack_is_the_new_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        mapped("dev", "--users", listed(tmp_path), "--from", "home/{escaped_username}", "--json")
        == 0
    )
    data = {item["user"]: item for item in json.loads(capsys.readouterr().out)["users"]}
    assert data["first.last"] == {
        "user": "first.last",
        "old": "home/first-2elast",
        "new": "first-last---23e1b5a0",
        "stays": False,
    }
    assert mapped("--users", listed(tmp_path), "--to", "homes/{safe_username}", "--json") == 0
    data = {item["user"]: item for item in json.loads(capsys.readouterr().out)["users"]}
    assert (
        data["ada"]["old"] == "homes/ada" and data["first.last"]["old"] == "homes/first-2elast"
    ), "the folder stays, the scheme changes"


def test_a_directory_that_changes_hands_is_the_loudest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`first-2elast` is a name that nobody has to escape, and the old directory of `first.last`."""
    assert mapped("--users", listed(tmp_path, "first.last\nfirst-2elast\n")) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "first-2elast would find the files of first.last: first-2elast is theirs until it is moved"
        in said
    )


def test_two_in_one_directory_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mapped("--users", listed(tmp_path, "ada\nADA\n"), "--to", "{safe_username}") == 0, (
        "one person"
    )
    capsys.readouterr()
    assert (
        mapped(
            "--users",
            listed(tmp_path, "a.b\nx\n"),
            "--from",
            "{unescaped_username}",
            "--to",
            "{escaped_username}",
        )
        == 0
    )
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "text", "says"),
    [
        (
            (),
            "a/b\n ada\n",
            [
                "users.txt:1: has a slash",
                "users.txt:2: begins or ends with a space",
                "[user.malformed]",
            ],
        ),
        ((), "# nobody\n\n", ["[homes.no-names]"]),
        (("--to", "{username}"), "ada", ["--to: does not say how names become directories"]),
        (
            ("--from", "{userid}", "--to", "/x"),
            "ada",
            ["--from: has a field", "--to: is the same directory for all users"],
        ),
        (("nostack",), "ada", ["this file does not exist"]),
        (("--root", "/nowhere/at/all"), "ada", ["No such file", "[homes.folder]"]),
    ],
)
def test_what_is_wrong_is_said_at_once(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    text: str,
    says: list[str],
) -> None:
    assert mapped(*arguments, "--users", listed(tmp_path, text)) == 2
    error = capsys.readouterr().err
    assert all(words in error for words in says), error


def test_a_list_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mapped("--users", str(tmp_path / "no")) == 2
    assert "[file.unreadable]" in capsys.readouterr().err
    assert mapped("--users", listed(tmp_path, "müller", encoding="latin-1")) == 2
    said = capsys.readouterr().err
    assert "(byte 1)" in said and "[file.not-utf8]" in said


def test_what_is_really_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "homes"
    for place in ("ada/work", "first-2elast", "left-long-ago"):
        (root / place).mkdir(parents=True)
    assert mapped("--users", listed(tmp_path), "--root", str(root), "--json") == 0
    data = json.loads(capsys.readouterr().out)
    there = {
        item["user"]: (item["old_holds_files"], item["new_holds_files"]) for item in data["users"]
    }
    assert there == {
        "ada": (True, True),
        "first.last": (False, None),
        "alice@corp.example": (None, None),
    }
    assert data["unowned"] == ["left-long-ago"]
    assert mapped("--users", listed(tmp_path), "--root", str(root)) == 0
    assert "left-long-ago belongs to no user in the list" in capsys.readouterr().out


@pytest.mark.real
def test_the_script_moves_once_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = ["first.last", "it's", "first-2elast", "ada"]
    root = tmp_path / "homes"
    for name, place in (("first.last", "first-2elast"), ("it's", "it-27s"), ("ada", "ada")):
        (root / place).mkdir(parents=True)
        (root / place / "whose").write_text(name)
    assert mapped("--users", listed(tmp_path, "\n".join(people)), "--script") == 1, (
        "first-2elast must not sign in before"
    )
    script = capsys.readouterr().out
    for _ in range(2):
        subprocess.run(["sh", "-c", script], cwd=root, check=True)
        assert {place.name: (place / "whose").read_text() for place in root.iterdir()} == {
            "first-last---23e1b5a0": "first.last",
            next(place.name for place in root.iterdir() if place.name.startswith("it-s")): "it's",
            "ada": "ada",
        }
    (root / "first-2elast").mkdir()
    done = subprocess.run(
        ["sh", "-c", script], cwd=root, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1 and "both are there" in done.stderr


def test_ten_thousand_users_take_no_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = listed(tmp_path, "".join(f"person.{number}@corp.example\n" for number in range(10_000)))
    began = time.process_time()
    assert mapped("--users", file, "--json") == 0
    assert time.process_time() - began < 10
    assert len(json.loads(capsys.readouterr().out)["users"]) == 10_000


def test_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"ada\n")))
    assert mapped("--users", "-") == 0
    assert "1 user: 0 would" in capsys.readouterr().out


def test_homes_that_are_no_directories_have_no_map(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    text = (ROOT / "Pulumi.dev.yaml").read_text()
    file = tmp_path / "Pulumi.mine.yaml"
    file.write_text(re.sub(r"  homes:.*\n(    .*\n)*", "  homes: { kind: ebs }\n", text, count=1))
    assert mapped(str(file), "--users", listed(tmp_path)) == 2
    said = capsys.readouterr().err
    assert "homes of kind ebs" in said and "[homes.no-directories]" in said
