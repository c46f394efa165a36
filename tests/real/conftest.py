"""What was not run says so in one line, whatever -r options are in force: a run that skipped looks like one that passed."""

from __future__ import annotations

import pytest

#: How a reason ends when a part of this folder was skipped as a whole.
_NOT_RUN = "the page was not looked at in a browser"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if _NOT_RUN in str(report.longrepr)]
    if skipped and "s" not in terminalreporter.reportchars and "a" not in terminalreporter.reportchars:
        terminalreporter.write_line(f"SKIPPED tests/real: no chromium on PATH: {_NOT_RUN}")
