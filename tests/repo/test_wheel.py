"""The wheel: everything that the library needs is in it, nothing of it is called as a user's
module may be, and it plans in a folder of a user's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

from jupyterhub_aws.cli.main import projects_command
from jupyterhub_aws.version import __version__
from tests.support.in_process import in_process
from tests.support.stack_files import ROOT
from tests.support.stacks import quiet_sdks

DAY = ("--as-of", "2026-11-23")
#: Neither the repository nor its editable install can be imported: no .pth is read, and there are
#: two folders to import from.
ALONE = (
    "import sys; sys.path[1:1] = [{target!r}, {libraries!r}]; from jupyterhub_aws.cli.main import"
    " main; main()"
)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed by itself into a folder."""
    target = tmp_path_factory.mktemp("installed")
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    by_uv = [uv, "pip", "install", "--python", sys.executable, "--offline", "--compile-bytecode"]
    installer = (
        by_uv if Path(uv).is_file() else [sys.executable, "-m", "pip", "install", "--no-index"]
    )
    subprocess.run(
        [*installer, "--quiet", "--no-deps", "--target", str(target), str(wheel)], check=True
    )
    return target


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of a user's, whose modules have the names of ours at the top of the repository."""
    (tmp_path / "Pulumi.yaml").write_text("name: our-hub\nruntime: python\n")
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    for name in ("config", "checks", "ops", "components"):
        (tmp_path / f"{name}.py").write_text(f"WHOSE = 'mine: {name}'\n")
    names = "config, checks, ops, components"
    (tmp_path / "__main__.py").write_text(
        f"import pulumi, {names}\nfrom jupyterhub_aws import from_stack_file\nfrom_stack_file()\n"
        f"pulumi.export('whose', [module.WHOSE for module in ({names})])\n"
    )
    return tmp_path


def jhub(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = ALONE.format(target=str(installed), libraries=sysconfig.get_path("purelib"))
    command = [sys.executable, "-I", "-S", "-c", code, *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.real
def test_a_users_folder_is_planned_by_the_wheel_alone(installed: Path, folder: Path) -> None:
    done = jhub(installed, folder, "plan", "dev", "--json", "--html", "plan.html", *DAY)
    assert done.returncode == 0, done.stderr
    assert "<html" in (folder / "plan.html").read_text()
    found = json.loads(done.stdout)
    assert found["outputs"].pop("whose") == [
        "mine: config",
        "mine: checks",
        "mine: ops",
        "mine: components",
    ]
    with quiet_sdks():
        ours = json.loads(in_process(["plan", "dev", "--json", *DAY], folder).stdout)
    ours["outputs"].pop("whose")
    assert found == ours, "byte for byte what the repository plans"


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("schema",), '"$defs"'),
        (("docs",), "hubs."),
        (("versions",), "Kubernetes"),
    ],
)
def test_tables_templates_and_chart_travel_in_it(
    installed: Path, folder: Path, arguments: tuple[str, ...], says: str
) -> None:
    done = jhub(installed, folder, *arguments)
    assert done.returncode in (0, 1) and says in done.stdout, done.stderr


def members(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as opened:
        return {name for name in opened.namelist() if not name.endswith("/")}


def test_every_file_of_the_package_is_in_it_and_nothing_else_at_its_top(wheel: Path) -> None:
    names = members(wheel)
    assert {name.partition("/")[0] for name in names} == {
        "jupyterhub_aws",
        f"jupyterhub_aws-{__version__}.dist-info",
    }
    package = ROOT / "jupyterhub_aws"
    expected = set()
    for place, folders, files in os.walk(package, followlinks=True):
        folders[:] = [name for name in folders if name != "__pycache__"]
        expected |= {str((Path(place) / name).relative_to(ROOT)) for name in files}
    assert {name for name in names if name.startswith("jupyterhub_aws/")} == expected
    for name in (
        "py.typed",
        "config/stack.schema.json",
        "config/data/versions.toml",
        "components/hub/files/homes_usage.py",
        "plan/page/templates/page.html",
    ):
        assert f"jupyterhub_aws/{name}" in names


def test_a_wheel_from_the_sdist_is_the_same(wheel: Path, tmp_path: Path) -> None:
    (source,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    shutil.unpack_archive(source, tmp_path, filter="data")
    (rebuilt,) = WheelBuilder(str(Path(source.removesuffix(".tar.gz")))).build(
        directory=str(tmp_path / "wheel"), versions=["standard"]
    )
    assert members(Path(rebuilt)) == members(wheel)


def test_what_is_locked_is_what_a_wheel_may_be_installed_with() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted: Mapping[str, Requirement] = {
        found.name: found for found in map(Requirement, project["dependencies"])
    }
    pins = [
        Requirement(line)
        for line in (ROOT / "requirements" / "runtime.in").read_text().splitlines()
        if "==" in line
    ]
    locked = {pin.name: str(pin.specifier).removeprefix("==") for pin in pins}
    extras = {pin.name: pin.extras for pin in pins}
    assert wanted.keys() <= locked.keys()
    for name, found in wanted.items():
        assert found.specifier.contains(locked[name]), name
        assert found.extras == extras[name], name
        assert {item.operator for item in found.specifier} == {
            ">=",
            "<",
        }, f"{name}: a lower and an upper bound"


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


@pytest.mark.real
def test_the_environment_of_the_project_is_used_where_it_has_a_jhub(
    folder: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(elsewhere)
    stack = str(folder / "Pulumi.dev.yaml")
    assert projects_command(["plan", stack]) is None, "it has none"
    own = folder / ".venv" / "bin" / "jhub"
    own.parent.mkdir(parents=True)
    own.write_text("#!/bin/sh\necho of the project: $*\nexit 7\n")
    own.chmod(0o755)
    assert projects_command(["plan", "dev"]) is None, "one stands in another project"
    assert projects_command(["plan", stack]) == str(own)
    done = subprocess.run(
        [Path(sys.executable).with_name("jhub"), "plan", "dev"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "of the project: plan dev\n")
    here = Path(sys.executable).with_name("jhub")
    own.write_text(f'#!/bin/sh\nexec {here} "$@"\n')  # leads back
    done = subprocess.run(
        [here, "plan", "nothing"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (
        done.returncode == 2 and "Pulumi.nothing.yaml: this file does not exist" in done.stderr
    ), "handed over once"
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "prefix", str(folder / ".venv"))
    assert projects_command(["plan", "dev"]) is None, "it runs already"
    (folder / "Pulumi.yaml").write_text("name: [\n")
    monkeypatch.setattr(sys, "prefix", "/usr")
    assert projects_command(["plan", "dev"]) is None, "the command says what is wrong"
