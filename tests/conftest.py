"""Stack files that tests write into temporary folders are in a project, as users' are: its
Pulumi.yaml is at the top of pytest's own folder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.stack_files import PULUMI_YAML

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
# New examples at each run: HYPOTHESIS_PROFILE=search make test
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session", autouse=True)
def a_project_around_temporary_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that project. A test without a project goes elsewhere."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "Pulumi.yaml").write_text(PULUMI_YAML, encoding="utf-8")
    return folder


_LATER = pytest.StashKey[int]()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count what the fast tests leave to the other command."""
    for item in items:
        if item.get_closest_marker("real") is not None:
            item.config.stash[_LATER] = item.config.stash.get(_LATER, 0) + 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells it to the process that speaks."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["later"] = session.config.stash.get(_LATER, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker left the same tests."""
    node.config.stash[_LATER] = getattr(node, "workeroutput", {}).get("later", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not run, and what runs it."""
    later = terminalreporter.config.stash.get(_LATER, 0)
    if later:
        terminalreporter.write_line(
            f"not run here: {later} tests that need servers or minutes; make test-real runs them"
        )
