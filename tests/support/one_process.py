"""Fast tests run in one process: a test that starts another, listens on a port or loads moto is
made `real`, or calls the same function here.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.stack_files import ROOT

_STARTS = {
    "subprocess.Popen": "starts a process",
    "os.system": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "socket.bind": "listens on a port",
}
_TO_DO = (
    "a fast test {}: mark it `@pytest.mark.real`, or call the same in this process"
    " (tests/support/in_process.py)"
)
_OURS, _LIBRARIES = f"{ROOT}/", f"{ROOT}/.venv/"
#: Of the test that runs now; None: it may do all of it.
_found: list[str] | None = None


def watch() -> None:
    """From now on. What a library does while it is imported is its own matter."""
    if not getattr(sys, "_jhub_tests_are_watched", False):
        sys._jhub_tests_are_watched = True  # type: ignore[attr-defined] -- a hook stays for ever
        sys.addaudithook(_hook)


@contextmanager
def one_process(item: pytest.Item) -> Iterator[None]:
    """While a fast test, or a fixture for it, runs."""
    global _found
    if item.get_closest_marker("real") is not None:
        yield
        return
    _found = found = []
    without_moto = "moto" not in sys.modules
    try:
        yield
    finally:
        _found = None
    if without_moto and "moto" in sys.modules:
        found.append(_TO_DO.format("loads moto"))
    if found:  # in another thread, or caught by the test
        pytest.fail(found[0])


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _STARTS or _found is None or not _by_us():
        return
    name = arguments[1] if event == "socket.bind" else next(filter(None, arguments), "")
    said = _TO_DO.format(f"{_STARTS[event]} ({str(name)[:80]})")
    _found.append(said)
    if threading.current_thread() is threading.main_thread():
        pytest.fail(said)


def _by_us() -> bool:
    """Whether our code comes before an import, looked at from what happens."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib"):
            return False
        if name.startswith(_OURS) and not name.startswith(_LIBRARIES):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return True
