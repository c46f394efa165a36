"""How far something is that lasts: what, how much of all, since when, and how long still. On
standard error alone, so that data on standard output stay data.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from jupyterhub_aws.units import duration

if TYPE_CHECKING:
    from rich.live import Live

#: What is over sooner says nothing.
QUIET_SECONDS = 2.0
#: How often elsewhere than on a terminal.
EVERY_SECONDS = 30.0
_LOOK_SECONDS = 0.5


@dataclass(kw_only=True)
class ProgressLine:
    """While it is entered: on a terminal one line that changes and goes at the end, elsewhere (a
    pipe, a file, TERM=dumb) a line at the beginning and every 30 seconds.

    Time left is from the speed so far where there is a `total` of which something is done (`now`,
    or `done`, which is asked from another thread), else at most what is left of `patience`, the
    seconds after which the caller gives up. `each`: elsewhere than on a terminal, every change of
    what goes on is a line of its own. `begun`: the caller said a line already.
    """

    what: str = field(kw_only=False)
    total: float = 0
    done: Callable[[], float] | None = None
    patience: float | None = None
    shown: Callable[[float], str] = "{:,.0f}".format
    each: bool = False
    begun: bool = False
    clock: Callable[[], float] = field(default_factory=lambda: time.monotonic)

    def __post_init__(self) -> None:
        """Nothing is shown before it is entered."""
        self._detail, self._count, self._before = "", 0.0, 0.0
        self._began = self.clock()
        self._end = None if self.patience is None else self._began + self.patience
        self._next = EVERY_SECONDS if self.begun else QUIET_SECONDS
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._terminal = on_terminal()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Begin to watch; what is done already does not count for the speed."""
        self._before = self.done() if self.done else 0.0
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the line, also after an error or Ctrl+C."""
        self._stop.set()
        self._thread.join()
        if self._live is not None:
            with contextlib.suppress(OSError):
                self._live.stop()

    def now(self, detail: str, *, count: float | None = None, total: float | None = None) -> None:
        """What goes on from here on, and how much of all is done."""
        with self._lock:
            new = detail != self._detail
            self._detail = detail
            self._count = self._count if count is None else count
            self.total = self.total if total is None else total
        if new and self.each and not self._terminal:
            self._print()

    def limit(self, seconds: float | None) -> None:
        """What goes on now is given up after so many seconds; None: it is not."""
        self._end = None if seconds is None else self.clock() + seconds

    def line(self) -> str:
        """How far it is, such as: pulling: 1.2 GiB of 4.0 GiB, 10 s, about 3 min 20 s left."""
        with self._lock:
            done = self.done() if self.done else self._count
            total, detail = self.total, self._detail
        parts = [f"{self.shown(min(done, total))} of {self.shown(total)}"] if total else []
        parts += [duration(max(self.clock() - self._began, 0.0)), *self._left(done, total)]
        return f"{': '.join(filter(None, (self.what, detail)))}: {', '.join(parts)}"

    def tick(self) -> None:
        """Show it where it is time to."""
        since = self.clock() - self._began
        if self._terminal:
            if since >= QUIET_SECONDS:
                self._draw()
        elif since >= self._next:
            self._next = since + EVERY_SECONDS
            self._print()

    def _left(self, done: float, total: float) -> list[str]:
        now = self.clock()
        since, made = now - self._began, done - self._before
        limit = None if self._end is None else max(self._end - now, 0.0)
        if made > 0 and done < total and since >= 1:
            left = (total - done) * since / made
            if limit is None or left < limit:
                return [f"about {duration(left)} left"]
        return [] if limit is None else [f"at most {duration(limit)} left"]

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            # A reader that left, or a terminal that was closed, changes nothing about the work.
            with contextlib.suppress(OSError, ValueError):
                self.tick()

    def _print(self) -> None:
        if sys.stderr is not None:
            with contextlib.suppress(OSError, ValueError):
                print(self.line(), file=sys.stderr, flush=True)

    def _draw(self) -> None:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live
            from rich.text import Text

            console = Console(stderr=True, highlight=False)
            self._live = Live(
                get_renderable=lambda: Text(self.line(), no_wrap=True, overflow="ellipsis"),
                console=console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
            )
            self._live.start()
            console.show_cursor(True)  # a run that is killed leaves it as it was
        self._live.refresh()


def on_terminal() -> bool:
    """Whether standard error is a terminal on which a line can change."""
    return (
        sys.stderr is not None
        and sys.stderr.isatty()
        and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}
    )
