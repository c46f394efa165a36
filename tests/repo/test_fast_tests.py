"""What `make test` runs: one process for each worker, and no file that has nothing for it."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.one_process import one_process
from tests.support.stack_files import ROOT

FAST: Any = SimpleNamespace(get_closest_marker=lambda _name: None)


def _bound() -> None:
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))


def _in_a_thread() -> None:
    def run() -> None:
        with suppress(BaseException):
            _bound()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def _caught() -> None:
    with suppress(BaseException):
        subprocess.run(["true"], check=False)


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (lambda: subprocess.run(["true"], check=False), r"starts a process \(true\)"),
        (_caught, "starts a process"),
        (_bound, r"listens on a port \(\('127.0.0.1', 0\)\)"),
        (_in_a_thread, "listens on a port"),
    ],
    ids=["process", "process, caught", "port", "port, in a thread"],
)
def test_a_fast_test_that_starts_something_fails_and_is_told_what_to_do(does, says) -> None:
    with pytest.raises(pytest.fail.Exception, match=f"{says}.*: mark it `@pytest.mark.real`"):
        with one_process(FAST):
            does()


def test_a_file_of_real_tests_alone_says_so_at_its_top() -> None:
    """So it is not even imported where they do not run."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        tests = re.findall(r"^ *(?:async )?def test_", text, re.MULTILINE)
        real = re.findall(r"^ *@pytest\.mark\.real$", text, re.MULTILINE)
        marks = re.findall(r"^pytestmark = ", text, re.MULTILINE)
        assert len(marks) < 2, f"{path}: the second `pytestmark` takes the place of the first"
        assert len(real) < len(tests), f"{path}: write `pytestmark = pytest.mark.real` once"
