"""Answers on a real terminal are as wide as it is, their further lines indented; in a pipe each is
one line. Colour is where a terminal is, or where it is asked for.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache

import pytest

from tests.support.stack_files import ROOT
from tests.support.terminal_pictures import on_a_terminal

pytestmark = pytest.mark.real

_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@cache
def in_a_pipe(*words: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "jupyterhub_aws.cli.main", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_sites_wrap_with_an_indent_on_a_terminal_and_are_whole_in_a_pipe() -> None:
    whole = in_a_pipe("sites", "dev")
    assert max(map(len, whole.splitlines())) > 60, "else nothing is to be wrapped"
    shown = _CODES.sub("", on_a_terminal(["sites", "dev"], 60)).splitlines()
    assert all(len(line.rstrip()) <= 60 or " " not in line.strip() for line in shown)
    joined: list[str] = []
    for line in shown:
        if line.startswith(" " * 6):
            joined[-1] += " " + line.strip()
        else:
            joined.append(line.rstrip())
    assert joined == [line.rstrip() for line in whole.splitlines()]


def test_questions_of_init_fit_a_narrow_terminal() -> None:
    shown = _CODES.sub("", on_a_terminal(["init", "--list"], 50)).splitlines()
    assert max(len(line) for line in shown if " " in line.strip()) <= 50
    assert in_a_pipe("init", "--list").count("\n") < len(shown)


def test_colour_is_where_a_terminal_is_or_where_it_is_asked_for() -> None:
    assert _COLOUR.search(on_a_terminal(["sites", "dev"], 80))
    assert not _COLOUR.search(in_a_pipe("sites", "dev", NO_COLOR="", FORCE_COLOR=""))
    forced = in_a_pipe("sites", "dev", FORCE_COLOR="1")
    assert _COLOUR.search(forced), "jhub sites dev | less -R"
    assert _CODES.sub("", forced) == in_a_pipe("sites", "dev"), "and lines stay whole"


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["no-color", "dumb"])
def test_no_colour_where_none_is_wanted(more: dict[str, str]) -> None:
    shown = on_a_terminal(["sites", "dev"], 80, **more)
    assert "amazonaws.com" in shown or "ghcr.io" in shown
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown)
    if "TERM" in more:
        assert "\x1b" not in shown
