"""The one console that commands print to: a reader may leave early, and a file gets no trailing
blanks.
"""

from __future__ import annotations

import contextlib
import re
import sys
from typing import IO, Any, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

_TRAILING = re.compile(r"[ \t]+(?=\n)")


class _Trimmed:
    """Standard output without the blanks with which tables fill their lines: `grep` and `diff`
    see what is there.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(_TRAILING.sub("", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Terminal(Console):
    """Standard output, 80 columns unless the terminal says otherwise (`COLUMNS`), with colour
    only where a terminal is.
    """

    def __init__(self) -> None:
        """Print to what standard output is now."""
        stream = sys.stdout  # None where it was closed (`jhub plan dev >&-`)
        to_file = stream is not None and not stream.isatty()
        super().__init__(
            highlight=False,
            emoji=False,
            file=cast("IO[str]", _Trimmed(stream)) if to_file else None,
        )

    def on_broken_pipe(self) -> None:
        """A reader that has seen enough (`jhub plan dev | head`) changes nothing about the
        verdict.
        """
        with contextlib.suppress(SystemExit):
            super().on_broken_pipe()


def marked(mark: str, style: str, text: str) -> Table:
    """A text behind a mark; its further lines begin below the text, not below the mark."""
    line = Table.grid(padding=(0, 1))
    line.add_row(Text(mark, style), Text(text))
    return line


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 check`, `2 checks`, `1,024 resources`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
