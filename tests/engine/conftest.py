"""The engine's tests are skipped as a whole, with one line that says why, where the engine is
not on the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.harness import NOT_RUN, Engine
from tests.engine.stand_in.install import install, missing_tools


def _reason() -> str:
    missing = missing_tools()
    return f"{' and '.join(missing)}: {NOT_RUN}" if missing else ""


@pytest.fixture(scope="session")
def plugins() -> list[Path]:
    """The folders of the stand-in plugins, built once per machine."""
    if _reason():
        pytest.skip(_reason())
    return install()


@pytest.fixture(scope="module")
def new_engine(
    plugins: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Engine]]:
    """A factory of engines, each with a copy of the program, a state and an account of its own."""

    made: list[Engine] = []

    def make(**options: object) -> Engine:
        made.append(
            Engine(home=tmp_path_factory.mktemp("engine") / "home", plugins=plugins, **options)
        )  # type: ignore[arg-type] -- Engine's own options
        return made[-1]

    yield make
    for engine in made:
        engine.api.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it once, whatever -r options are in force: a run that skipped this looks like one that
    passed it.
    """
    if "s" in terminalreporter.reportchars or "a" in terminalreporter.reportchars:
        return
    why = [
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if NOT_RUN in str(report.longrepr)
    ]
    for reason in dict.fromkeys(why):
        terminalreporter.write_line(f"SKIPPED tests/engine: {reason}")
