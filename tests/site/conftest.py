"""The site, built once for all tests that look at it. What was not run says so in one line."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
        if (found := shutil.which(name))
    ),
    None,
)
NO_MKDOCS = "mkdocs is not installed (make .venv/.site): the site was not built"
NO_BROWSER = "no chromium on PATH: the site was not looked at in a browser"


@dataclass(frozen=True, kw_only=True)
class Site:
    """A built site: its folder, its pages by path, and what the build said."""

    folder: Path
    said: str

    @property
    def pages(self) -> list[str]:
        """Every page, by its path in the site."""
        return sorted(
            path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.html")
        )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip(NO_MKDOCS)
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Site(folder=folder, said=done.stdout + done.stderr)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture(scope="session")
def address(site: Site) -> Iterator[str]:
    """The site on a server, below a path of it, as an institution would put it there."""
    handler = functools.partial(_Quiet, directory=str(site.folder.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{site.folder.name}/"
        server.shutdown()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if "s" in terminalreporter.reportchars or "a" in terminalreporter.reportchars:
        return
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for said in (NO_MKDOCS, NO_BROWSER):
        if any(said in reason for reason in skipped):
            terminalreporter.write_line(f"SKIPPED tests/site: {said}")
