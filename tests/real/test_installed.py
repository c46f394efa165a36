"""Installed by one command into an environment of its own, with its dependencies from the
package index: `jhub` works from any folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterhub_aws.version import __version__
from tests.support.stack_files import ROOT

pytestmark = pytest.mark.real

_SECONDS = 900
_UV = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))


def ran(
    *command: str | Path, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    env.pop("PYTHONPATH", None)
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def installed_by_uv_tool(folder: Path) -> Path:
    done = ran(
        _UV,
        "tool",
        "install",
        "--python",
        sys.executable,
        ROOT,
        UV_TOOL_DIR=str(folder / "tools"),
        UV_TOOL_BIN_DIR=str(folder / "bin"),
    )
    assert done.returncode == 0, done.stderr
    return folder / "bin" / "jhub"


def installed_by_pip(folder: Path) -> Path:
    """As pipx does it."""
    assert ran(sys.executable, "-m", "venv", folder / "env").returncode == 0
    done = ran(
        folder / "env" / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        ROOT,
    )
    assert done.returncode == 0, done.stderr
    return folder / "env" / "bin" / "jhub"


@pytest.fixture(scope="module", params=[installed_by_uv_tool, installed_by_pip])
def jhub(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    if request.param is installed_by_uv_tool and not Path(_UV).is_file():
        pytest.skip("no uv: the library was not installed as a tool")
    folder = tmp_path_factory.mktemp("installed")
    yield request.param(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_new_user_gets_from_an_empty_folder_to_a_plan(jhub: Path, tmp_path: Path) -> None:
    assert ran(jhub, "--version", cwd=tmp_path).stdout.startswith(f"jupyterhub-aws {__version__}\n")
    made = ran(jhub, "init", "lab", "--yes", cwd=tmp_path)
    assert made.returncode == 0 and "✓ No check failed" in made.stdout, made.stderr
    folder = tmp_path / "lab"
    assert f"jupyterhub-aws @ file://{ROOT}" in (folder / "requirements.txt").read_text()
    for name in ("config", "checks", "components"):
        (folder / f"{name}.py").write_text(f"WHOSE = 'mine: {name}'\n")
    with (folder / "__main__.py").open("a") as program:
        program.write(
            "import pulumi\nfrom checks import WHOSE\nimport config,"
            " components\npulumi.export('whose', WHOSE)\n"
        )
    done = ran(jhub, "plan", "dev", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outputs"]["whose"] == "mine: checks"
    assert "Traceback" not in ran(jhub, "plan", "dev", cwd=tmp_path).stderr


def test_nothing_of_ours_is_importable_under_another_name(jhub: Path, tmp_path: Path) -> None:
    python = jhub.resolve().parent / "python"
    for name in ("config", "checks", "components", "ops"):
        done = ran(python, "-c", f"import {name}", cwd=tmp_path)
        assert f"No module named '{name}'" in done.stderr
