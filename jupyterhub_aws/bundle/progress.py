"""How far a copy is: bytes of bytes and time left, on a terminal as a bar, elsewhere as a line
now and then.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

_EVERY_SECONDS = 5.0
_LOOK_SECONDS = 0.5
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def amount(size: float) -> str:
    """Bytes in words: 1.4 GiB."""
    value, unit = float(size), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def duration(seconds: float) -> str:
    """Seconds in words: 3 min 20 s."""
    whole = int(seconds)
    if whole < 60:  # a minute
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"


class CopyProgress:
    """Watches a copy of so many bytes. `done` is asked how many are there, from another thread,
    while the copy goes on.
    """

    def __init__(self, verb: str, total: int, done: Callable[[], int]) -> None:
        """`verb` says what is going on (`pulling`); what was there before it began counts as
        done, and not for the speed.
        """
        self._verb, self._total, self._done = verb, total, done
        self._what = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._tty = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._began, self._before = time.monotonic(), self._done()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Say the last word."""
        self._stop.set()
        self._thread.join()
        if kind is None:
            self._say(last=True)
        elif self._tty:
            print(file=sys.stderr)

    def now(self, what: str) -> None:
        """What is copied from here on."""
        self._what = what
        if not self._tty:
            self._say()

    def line(self, done: int) -> str:
        """The state in a line, such as: pulling 1.2 GiB of 4.0 GiB (30%), 3 min 20 s left."""
        share = 100 * done // self._total if self._total else 100
        copied, seconds = done - self._before, time.monotonic() - self._began
        left = (
            f", {duration((self._total - done) * seconds / copied)} left"
            if copied > 0 and done < self._total and seconds > 1
            else ""
        )
        return (
            f"{self._verb} {amount(done)} of {amount(self._total)}"
            f" ({share}%){left}{f': {self._what}' if self._what and done < self._total else ''}"
        )

    def _watch(self) -> None:
        said = time.monotonic()
        while not self._stop.wait(_LOOK_SECONDS):
            if self._tty or time.monotonic() - said >= _EVERY_SECONDS:
                said = time.monotonic()
                self._say()

    def _say(self, *, last: bool = False) -> None:
        text = self.line(min(self._done(), self._total) if not last else self._done())
        if self._tty:
            print(f"\r\033[K{text[:120]}", end="\n" if last else "", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)
