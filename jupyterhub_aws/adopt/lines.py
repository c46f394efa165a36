"""Lines of a report: a mark, a text that hangs below itself, and what to do in a line of its
own.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

_NARROWEST = 20


class Lines:
    """Prints to a console, whatever its width."""

    def __init__(self, console: Console) -> None:
        """Print to this console."""
        self._console = console

    def head(self, subject: str, text: str) -> None:
        """The first line."""
        self._wrapped(Text.assemble((f"{subject} ", "bold"), text), "", 0)

    def title(self, text: str) -> None:
        """A section's title, after an empty line."""
        self._console.print()
        self._wrapped(Text(text, style="bold"), "", 0)

    def line(self, mark: str, style: str, text: str, below: str = "") -> None:
        """A line behind its mark; `below` says what it does, or what to do."""
        self._wrapped(Text(text), f"{mark} ", 2, style)
        if below:
            self._wrapped(Text(below, style="dim"), "→ ", 4, "dim")

    def end(self, text: str) -> None:
        """The last line."""
        self._console.print()
        self._wrapped(Text(text), "", 0)

    def _wrapped(self, text: Text, mark: str, indent: int, style: str = "") -> None:
        width = max(self._console.width - indent - len(mark), _NARROWEST)
        for number, line in enumerate(text.wrap(self._console, width)):
            line.rstrip()
            front = Text(mark, style=style) if number == 0 else Text(" " * len(mark))
            self._console.print(Text.assemble(" " * indent, front, line), soft_wrap=True)
