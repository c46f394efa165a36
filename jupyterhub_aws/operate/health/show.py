"""The reports of a stack's hubs in a terminal of 80 columns, or as data."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from jupyterhub_aws.cli.console import Terminal
from jupyterhub_aws.operate.health.report import FORMAT, HealthReport, StageStatus

_MARKS = {
    StageStatus.OK: ("✓", "green"),
    StageStatus.FAILED: ("✗", "bold red"),
    StageStatus.SKIPPED: ("·", "dim"),
}


def as_text(stack: str, reports: Sequence[HealthReport]) -> str:
    """The reports as JSON text, with a newline at its end."""
    data = {
        "format": FORMAT,
        "stack": stack,
        "healthy": all(report.healthy for report in reports),
        "hubs": [report.as_json() for report in reports],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def show(stack: str, reports: Sequence[HealthReport]) -> None:
    """Print them to standard output."""
    console = Terminal()
    for report in reports:
        console.print(Text.assemble((f"{stack}: {report.hub}", "bold"), f" at {report.url}"))
        console.print(_table(report))
        for line in report.stays:
            console.print(Text(f"stays: {line}", "dim"))
        console.print()
    failed = [
        f"{report.hub}: {stage.name}"
        for report in reports
        for stage in report.stages
        if stage.status == StageStatus.FAILED
    ]
    if failed:
        console.print(Text(f"✗ {len(failed)} failed: {', '.join(failed)}", "bold red"))
    else:
        skipped = sum(
            stage.status == StageStatus.SKIPPED for report in reports for stage in report.stages
        )
        console.print(
            Text(f"✓ Users can work{f'; {skipped} not tried' if skipped else ''}.", "bold green")
        )


def _table(report: HealthReport) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(ratio=1)
    for stage in report.stages:
        mark, style = _MARKS[stage.status]
        said = Text(stage.said, "dim" if stage.status == StageStatus.SKIPPED else "")
        if stage.look:
            said.append(f"\n→ {stage.look}", "dim")
        table.add_row(
            Text(mark, style),
            stage.name,
            "" if stage.status == StageStatus.SKIPPED else f"{stage.seconds:.1f} s",
            said,
        )
    return table
