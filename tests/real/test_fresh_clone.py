"""What a newcomer does: clone, `make plan`, change a pool, look again, break something, read the
message.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parents[2]


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("MAKE", "MFLAGS", "VIRTUAL_ENV"))
    }
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**environment, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is nothing to clone")
    folder = tmp_path_factory.mktemp("newcomer") / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def test_one_command_after_cloning_shows_the_plan(clone: Path) -> None:
    done = make(clone, "plan")
    assert done.returncode == 0, done.stderr
    assert "Pulumi.dev.yaml becomes jhub-dev" in done.stdout
    assert "No check failed" in done.stdout


def test_the_environment_has_what_the_engine_asks_for(clone: Path) -> None:
    """The engine's Python host runs `pip list`, and uncompiled SDKs would take seconds at each
    start.
    """
    python = clone / ".venv" / "bin" / "python"
    assert (
        subprocess.run([python, "-m", "pip", "list"], capture_output=True, check=False).returncode
        == 0
    )
    (package,) = (clone / ".venv" / "lib").glob("python3*/site-packages/pulumi_aws")
    assert any(package.rglob("__pycache__/*.pyc"))


def test_a_changed_pool_shows_in_the_next_plan(clone: Path) -> None:
    stack = clone / "Pulumi.dev.yaml"
    text = stack.read_text()
    assert text.count("max: 10 }") == 1
    stack.write_text(text.replace("max: 10 }", "max: 12 }"))
    done = make(clone, "plan")
    assert done.returncode == 0, done.stderr
    row = "memory-on-demand nodes 0.00 0.00 6,204.52"
    assert row in " ".join(done.stdout.split()), "twelve nodes"


def test_a_mistake_is_answered_with_its_path_and_what_to_do(clone: Path) -> None:
    stack = clone / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("max: 12 }", "max: twelve }"))
    done = make(clone, "plan")
    assert done.returncode != 0
    assert (
        "Pulumi.dev.yaml: pools.memory.size.max: must be a whole number (got 'twelve'); write"
        " digits only" in done.stderr
    )
    assert "Traceback" not in done.stderr
