"""Pictures of every command's `--help`, and of every answer that needs no account, as a terminal of
80 and 120 columns shows them, dark and light. To be looked at; they are kept nowhere.

Write them: python -m tests.support.terminal_pictures FOLDER
"""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME, TerminalTheme
from rich.text import Text

from tests.support.command_pages import leaves
from tests.support.stack_files import ROOT

WIDTHS = (80, 120)
_LIGHT = TerminalTheme(
    (255, 255, 255),
    (40, 40, 40),
    [(0, 0, 0), (170, 0, 0), (0, 130, 0), (150, 110, 0), (0, 0, 190), (140, 0, 140), (0, 120, 130)],
)
THEMES = {"dark": SVG_EXPORT_THEME, "light": _LIGHT}
OUTPUTS = (
    "plan dev",
    "plan dev --brief",
    "plan dev --resources",
    "plan dev --set pools.core.size=no --set network.nat=none",
    "plna",
    "plan dev --jsn",
    "versions dev",
    "upgrade plan dev --to 1.36",
    "destroy plan dev",
    "sites dev",
    "bundle list airgap-hub",
    "can dev main s3:GetObject lectures/week1.csv",
    "explain",
    "explain core-nodes-fit",
    "explain pools.max-below-min",
    "explain pools",
    "explain pools.memory.size.max",
    "init --list",
    "certificate inspect dev",
    "migrate",
)


def on_a_terminal(words: list[str], width: int, **more: str) -> str:
    """What a command writes to a terminal of that width, colours included."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "COLUMNS": str(width),
        "LINES": "50",
        "TERM": "xterm-256color",
        "COLORTERM": "",
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterhub_aws.cli.main", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    said = b""
    while select.select([ours], [], [], 120)[0]:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        said += more
    process.wait()
    os.close(ours)
    return said.decode(errors="replace").replace("\r\n", "\n")


def pictures(folder: Path) -> None:
    """Write an SVG for each command line, width and theme; and say which lines are too wide."""
    lines = ["--help", *(f"{name} --help" for name, _ in leaves()), *OUTPUTS]
    for line in lines:
        for width in WIDTHS:
            text = Text.from_ansi(on_a_terminal(line.split(), width))
            for row in text.plain.splitlines():
                if len(row.rstrip()) > width:
                    print(f"{width}: {line}: {row[:150]!r}")
            for theme, colours in THEMES.items():
                console = Console(record=True, width=width, file=open(os.devnull, "w"))
                console.print(Text.assemble(("$ jhub " + line + "\n", "bold"), text))
                name = f"{line.replace(' ', '_').replace('/', '-')}.{width}.{theme}.svg"
                console.save_svg(str(folder / name), title=f"{width}", theme=colours)


if __name__ == "__main__":
    pictures(Path(sys.argv[1]))
