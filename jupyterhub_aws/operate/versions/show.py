"""The rows of `jhub versions`, in a terminal of 80 columns and as data."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

from jupyterhub_aws.checks.versions import (
    FAILING,
    STANDINGS,
    VersionRow,
    hub_rows,
    kubernetes,
    standing,
)
from jupyterhub_aws.config.chart import chart_version
from jupyterhub_aws.config.versions import calendar

if TYPE_CHECKING:
    from rich.table import Table

FORMAT = "jupyterhub-aws/versions/1"
#: Mark, colour and word of each standing.
_LOOKS = {
    "insecure": ("✗", "red", "insecure"),
    "ended": ("✗", "red", "ended"),
    "ending": ("!", "yellow", "ends soon"),
    "newer": ("·", "cyan", "old"),
    "unverified": ("!", "yellow", "unproven"),
    "current": ("✓", "green", "current"),
}


def rows_of(stack: str | None, as_of: datetime.date) -> tuple[list[VersionRow], bool]:
    """The rows of a stack, or of the table, and whether one of them fails. The table by itself
    fails only by what the program would build.
    """
    if stack is None:
        minors = [kubernetes(minor, as_of) for minor in calendar()]
        pinned = list(hub_rows(None, chart_version()))
        return [*minors, *pinned], any(row.standing in FAILING for row in pinned)
    from jupyterhub_aws.checks.versions import used
    from jupyterhub_aws.cli.arguments import stack_file
    from jupyterhub_aws.plan.plan import recorded

    found, recording = recorded(stack_file(stack))
    rows = standing(found, used(found, recording.everything.own), as_of)
    return rows, any(row.standing in FAILING for row in rows)


def as_data(stack: str | None, rows: list[VersionRow], as_of: datetime.date) -> str:
    """The rows as JSON text with a newline at its end."""
    data = {
        "format": FORMAT,
        "stack": stack,
        "as_of": as_of.isoformat(),
        "parts": [row.as_json(as_of) for row in rows],
    }
    return json.dumps(data, indent=2) + "\n"


def render(stack: str | None, rows: list[VersionRow], as_of: datetime.date) -> None:
    """Print them: a table, then what is to be done, the gravest first."""
    from rich.text import Text

    from jupyterhub_aws.cli.console import Terminal, marked

    console = Terminal()
    console.print(Text(f"{stack or 'Every row of the table'}, as of {as_of}", "bold"))
    console.print(_table(rows, as_of))
    for row in sorted(
        (row for row in rows if row.standing != "current" and (stack or row.fix)),
        key=lambda row: STANDINGS.index(row.standing),
    ):
        if stack is None and row.part == "Kubernetes":
            continue
        mark, colour, _ = _LOOKS[row.standing]
        console.print(marked(mark, colour, f"{row.part} {row.in_use}: {row.says}"))
        if row.fix:
            console.print(Text(f"  → {row.fix.replace('STACK', stack or 'STACK')}", "dim"))


def _table(rows: list[VersionRow], as_of: datetime.date) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for name in ("part", "in use", "newest", "until", "status"):
        table.add_column(name, no_wrap=name != "part", overflow="fold")
    for row in rows:
        left = "" if row.until is None else f"{row.until} {(row.until - as_of).days}d"
        newest = "" if row.newest in (None, row.in_use) else str(row.newest)
        _, colour, word = _LOOKS[row.standing]
        table.add_row(_short(row.part), row.in_use, newest, left, Text(word, colour))
    return table


def _short(part: str) -> str:
    """A part's name that leaves room for the rest of its line."""
    kind, _, name = part.partition(" ")
    return (
        {
            "addon": name,
            "ami": name.replace("al2023-", ""),
            "image": f"{name} image",
            "chart": f"{name} chart",
        }.get(kind, part)
        if name
        else part
    )
