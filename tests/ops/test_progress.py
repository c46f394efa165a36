"""How far something is that lasts: what is said, when, and where, by a clock that the test turns."""

from __future__ import annotations

import io
import sys
import time

import pytest

from jupyterhub_aws.operate.live.steps import CommandStep, run
from jupyterhub_aws.progress import EVERY_SECONDS, ProgressLine
from jupyterhub_aws.units import amount


class _Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


class _ClosedPipe(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


def _passes(clock: _Clock, progress: ProgressLine, seconds: int) -> None:
    for _ in range(seconds):
        clock.seconds += 1
        progress.tick()


def test_counted_work_says_the_time_left_from_its_speed() -> None:
    clock = _Clock()
    progress = ProgressLine("asking", clock=clock)
    progress.now("queries", count=0, total=40)
    assert progress.line() == "asking: queries: 0 of 40, 0 s", "no speed yet, so no time left"
    clock.seconds += 10
    progress.now("queries", count=10, total=40)
    assert progress.line() == "asking: queries: 10 of 40, 10 s, about 30 s left"
    progress.now("queries", count=40)
    assert progress.line() == "asking: queries: 40 of 40, 10 s"


def test_what_was_there_before_does_not_count_for_the_speed() -> None:
    clock, there = _Clock(), [3 << 30]
    progress = ProgressLine(
        "pulling", total=5 << 30, done=lambda: there[0], shown=amount, clock=clock
    )
    with progress:
        clock.seconds += 60
        there[0] = 4 << 30
        assert progress.line() == "pulling: 4.0 GiB of 5.0 GiB, 1 min 0 s, about 1 min 0 s left"


def test_a_wait_says_when_it_gives_up() -> None:
    clock = _Clock()
    progress = ProgressLine("nodes go", patience=900, clock=clock)
    clock.seconds += 60
    assert progress.line() == "nodes go: 1 min 0 s, at most 14 min 0 s left"
    progress.now("2 left", count=1, total=3)
    assert progress.line() == "nodes go: 2 left: 1 of 3, 1 min 0 s, about 2 min 0 s left"
    clock.seconds += 800
    assert progress.line().endswith("at most 40 s left"), "the speed promises more than the wait"
    clock.seconds += 100
    assert progress.line().endswith("at most 0 s left")
    progress.limit(30)
    assert progress.line().endswith("at most 30 s left"), "another wait has begun"


def test_a_pipe_gets_a_line_at_the_beginning_and_every_thirty_seconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = _Clock()
    progress = ProgressLine("looking", clock=clock)
    _passes(clock, progress, 1)
    assert capsys.readouterr() == ("", ""), "what is over in two seconds says nothing"
    _passes(clock, progress, 70)
    out, err = capsys.readouterr()
    assert out == "" and err == "looking: 2 s\nlooking: 32 s\nlooking: 1 min 2 s\n"


def test_a_beginning_that_was_said_is_not_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    clock = _Clock()
    _passes(clock, ProgressLine("looking", begun=True, clock=clock), int(EVERY_SECONDS) - 1)
    assert capsys.readouterr().err == ""


def test_each_item_is_a_line_in_a_pipe_and_not_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = ProgressLine("pulling", each=True, clock=_Clock())
    for item in ("hub", "hub", "proxy"):
        progress.now(item)
    assert capsys.readouterr().err == "pulling: hub: 0 s\npulling: proxy: 0 s\n"
    screen = _Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    ProgressLine("pulling", each=True, clock=_Clock()).now("hub")
    assert screen.getvalue() == ""


@pytest.mark.parametrize("kind", ["dumb", "unknown", "DUMB"])
def test_a_terminal_that_cannot_change_a_line_gets_plain_ones(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen, clock = _Screen(), _Clock()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", kind)
    _passes(clock, ProgressLine("looking", clock=clock), 10)
    assert screen.getvalue() == "looking: 2 s\n"


@pytest.mark.parametrize("stream", [None, _ClosedPipe()], ids=["closed", "reader-left"])
def test_without_a_reader_the_work_goes_on(
    stream: _ClosedPipe | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    clock = _Clock()
    with ProgressLine("looking", each=True, clock=clock) as progress:
        progress.now("here")
        _passes(clock, progress, 40)


def test_steps_say_how_many_are_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, left = _Clock(), ["a", "b", "c"]
    monkeypatch.setattr(time, "monotonic", clock)
    seen: list[str] = []
    now = ProgressLine.now

    def heard(self: ProgressLine, *what: str, **of: float) -> None:
        now(self, *what, **of)
        seen.append(self.line())

    def rests(_: float) -> None:
        clock.seconds += 10
        left.pop()

    monkeypatch.setattr(ProgressLine, "now", heard)
    monkeypatch.setattr(time, "sleep", rests)
    steps = [CommandStep("nodes go", lambda: list(left), lambda: None, 100)]
    (taken,) = run("jhub drain", steps)
    (again,) = run("jhub drain", steps)
    assert seen == [
        "[1/1] nodes go: a, b, c: 0 of 3, 0 s, at most 1 min 40 s left",
        "[1/1] nodes go: a, b: 1 of 3, 10 s, about 20 s left",
        "[1/1] nodes go: a: 2 of 3, 20 s, about 10 s left",
    ]
    told = "[1/1] nodes go: a, b, c\n[1/1] nodes go: done\n[1/1] nodes go: already so\n"
    assert capsys.readouterr().err == told
    assert taken.as_json() == {"what": "nodes go", "state": "done", "subjects": ["a", "b", "c"]}
    assert again.as_json() == {"what": "nodes go", "state": "already so", "subjects": []}
