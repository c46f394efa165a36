"""The line of a wait on a real terminal: it changes, it goes at the end and at Ctrl+C, and a
terminal that is closed changes nothing.
"""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import time
from functools import partial

import pytest

pytestmark = pytest.mark.real

_WAIT = """
import sys, time
from jupyterhub_aws.progress import ProgressLine
try:
    with ProgressLine("nodes go", patience=60) as progress:
        progress.now("node-" + "x" * 200 if "long" in sys.argv else "node-1", count=0, total=2)
        time.sleep(float(sys.argv[1]))
except KeyboardInterrupt:
    print("called off", flush=True)
print("data", flush=True)
"""
_COLUMNS = 60


class _Terminal:
    """A program whose standard error is a terminal, and whose standard output is a pipe."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, _COLUMNS))
        known = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WAIT, *arguments],
            stdout=subprocess.PIPE,
            stderr=theirs,
            stdin=theirs,
            env={**known, "TERM": "xterm-256color", **environment},
            text=True,
            start_new_session=True,
            # Tests that run in the background of a script have it ignored.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        os.close(theirs)

    def ended(self) -> tuple[str, str]:
        """All that came to the terminal until the program ended, and what it printed."""
        found = b""
        try:
            while piece := os.read(self.ours, 4096):
                found += piece
        except OSError:  # Linux: the other end is closed
            pass
        os.close(self.ours)
        return found.decode(), self.printed()

    def until(self, text: str) -> str:
        found = b""
        while text.encode() not in found:
            found += os.read(self.ours, 4096)
        return found.decode()

    def printed(self) -> str:
        assert self.process.stdout is not None
        with self.process.stdout as out:
            text = out.read()
        assert self.process.wait(timeout=20) == 0
        return text


def test_one_line_changes_and_is_cleared() -> None:
    terminal = _Terminal("4")
    shown, printed = terminal.ended()
    assert "nodes go: node-1: 0 of 2, 2 s, at most 57 s left" in shown or (
        "nodes go: node-1: 0 of 2, 2 s, at most 58 s left" in shown
    )
    assert "0 of 2, 3 s" in shown, "it changes"
    assert shown.rstrip("\r").endswith("\x1b[2K"), "nothing of it stays"
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is there"
    assert printed == "data\n"


def test_a_line_is_cut_at_the_terminals_width() -> None:
    shown, _ = _Terminal("3", "long").ended()
    assert "…" in shown and "x" * _COLUMNS not in shown


def test_no_color_means_none() -> None:
    shown, _ = _Terminal("3", NO_COLOR="1", FORCE_COLOR="1").ended()
    assert "node-1" in shown and "\x1b[3" not in shown.replace("\x1b[?", "")


def test_a_dumb_terminal_gets_plain_lines() -> None:
    shown, _ = _Terminal("3", TERM="dumb").ended()
    assert "\x1b" not in shown and shown.count("nodes go") == 1


def test_what_is_over_soon_shows_nothing() -> None:
    assert _Terminal("0.5").ended() == ("", "data\n")


def test_ctrl_c_clears_the_line() -> None:
    terminal = _Terminal("60")
    terminal.until("node-1")
    terminal.process.send_signal(signal.SIGINT)
    shown, printed = terminal.ended()
    assert shown.rstrip("\r").endswith("\x1b[2K") and "Traceback" not in shown
    assert printed == "called off\ndata\n"


def test_a_terminal_that_was_closed_changes_nothing() -> None:
    terminal = _Terminal("4")
    terminal.until("node-1")
    os.close(terminal.ours)
    time.sleep(0.1)
    assert terminal.printed() == "data\n"


def test_a_run_that_is_killed_leaves_the_cursor() -> None:
    terminal = _Terminal("60")
    shown = terminal.until("2, 3 s")
    terminal.process.kill()
    terminal.process.communicate()
    os.close(terminal.ours)
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
