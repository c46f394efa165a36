"""What was not run says so in one line, whatever -r options are in force: a run that skipped
looks like one that passed.
"""

from __future__ import annotations

import pytest

from tests.support.chart import missing_for_the_chart
from tests.support.directory import missing_for_the_directory
from tests.support.hub_boot import missing_for_a_hub
from tests.support.registries import missing_for_bundles

#: How a reason ends when a part of this folder was skipped as a whole, and what the summary says of
#: it.
_NOT_RUN = {
    "the page was not looked at in a browser": (
        "no chromium on PATH: the page was not looked at in a browser"
    ),
    "no bundle was carried between real registries": missing_for_bundles(),
    "the values were not rendered by the real chart": missing_for_the_chart(),
    "no hub was booted": missing_for_a_hub(),
    "no one signed in with a directory": missing_for_the_directory(),
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if "s" in terminalreporter.reportchars or "a" in terminalreporter.reportchars:
        return
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for ending, said in _NOT_RUN.items():
        if any(ending in reason for reason in skipped):
            terminalreporter.write_line(f"SKIPPED tests/real: {said}")
