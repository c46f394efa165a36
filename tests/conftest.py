"""Stack files that tests write into temporary folders are in a project, as users' are: its
Pulumi.yaml is at the top of pytest's own folder.
"""

from __future__ import annotations

import gc
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support import known_plans, one_process
from tests.support.stack_files import PULUMI_YAML

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
# New examples at each run: HYPOTHESIS_PROFILE=search make test
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


_PLANS = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """The workers of one run leave what they evaluated for each other."""
    one_process.watch()
    if hasattr(config, "workerinput"):
        known_plans.FOLDER = Path(config.workerinput["known_plans"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """One folder for all workers, made by the process that starts them."""
    if node.config.stash.get(_PLANS, None) is None:
        node.config.stash[_PLANS] = tempfile.TemporaryDirectory(prefix="jhub-known-plans-")
    node.workerinput["known_plans"] = node.config.stash[_PLANS].name


def pytest_unconfigure(config: pytest.Config) -> None:
    """And it goes with the run."""
    if config.stash.get(_PLANS, None) is not None:
        config.stash[_PLANS].cleanup()


@pytest.fixture(scope="session", autouse=True)
def a_project_around_temporary_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that project. A test without a project goes elsewhere."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "Pulumi.yaml").write_text(PULUMI_YAML, encoding="utf-8")
    return folder


#: What the fast tests leave to the other command: tests, and files that have no other tests.
_LATER = pytest.StashKey[int]()
_FILES = pytest.StashKey[set[Path]]()
_ALL_REAL = re.compile(
    r"^pytestmark = (?:pytest\.mark\.real$|\[\n(?:    .*\n)*?    pytest\.mark\.real,$)",
    re.MULTILINE,
)


def _all_real(path: Path) -> bool:
    return _ALL_REAL.search(path.read_text(encoding="utf-8")) is not None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A file of real tests alone is read, and not imported, where they do not run; a folder of
    such files with its conftest.py neither.
    """
    if config.option.markexpr != "not real":
        return None
    if collection_path.is_dir():
        files = list(collection_path.rglob("test_*.py"))
    else:
        files = [collection_path] if collection_path.match("test_*.py") else []
    if not files or not all(map(_all_real, files)):
        return None
    config.stash.setdefault(_FILES, set()).update(files)
    return True


def pytest_collection_finish() -> None:
    """What was imported stays, and a plan makes much and drops little: looking for garbage among
    that takes a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Fixtures of fast tests start nothing either."""
    with one_process.one_process(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fast tests run in one process."""
    with one_process.one_process(item):
        return (yield)


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
        told["files"] = [str(path) for path in session.config.stash.get(_FILES, ())]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker left the same tests."""
    told = getattr(node, "workeroutput", {})
    node.config.stash[_LATER] = told.get("later", 0)
    node.config.stash[_FILES] = set(map(Path, told.get("files", ())))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not run, and what runs it."""
    stash = terminalreporter.config.stash
    later, files = stash.get(_LATER, 0), len(stash.get(_FILES, set()))
    if later or files:
        terminalreporter.write_line(
            f"not run here: {later} tests, and {files} whole files of tests, that need servers or"
            " minutes; make test-real runs them"
        )
