"""A folder of a user's own: their program, modules, paths and stack files count, and none of this repository's."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.in_process import Done, in_process
from tests.support.stack_files import ROOT
from tests.support.stacks import quiet_sdks

CALL = "from jupyterhub_aws import from_stack_file\nfrom_stack_file()\n"
DAY = ("--as-of", "2026-11-23")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with the stack dev, and no program yet."""
    place = tmp_path / "mine"
    place.mkdir()
    (place / "Pulumi.yaml").write_text("name: our-hub\nruntime: python\n")
    shutil.copy(ROOT / "Pulumi.dev.yaml", place)
    return place


def planned(folder: Path, *arguments: str) -> Done:
    with quiet_sdks():
        return in_process(["plan", "dev", *DAY, *arguments], folder)


def data(folder: Path) -> dict[str, Any]:
    done = planned(folder, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_without_a_program_the_librarys_is_planned_and_with_the_same_one_the_plan_is_the_same(folder: Path) -> None:
    without = data(folder)
    (folder / "__main__.py").write_text(CALL)
    assert data(folder) == without and without["project"] == "our-hub"
    assert all(item["urn"].startswith("urn:pulumi:dev::our-hub::") for item in without["resources"])


def test_modules_of_the_users_are_theirs_whatever_they_are_called(folder: Path) -> None:
    (folder / "config.py").write_text('WHOSE = "mine"\n')
    (folder / "checks.py").write_text("from config import WHOSE\n")
    (folder / "components").mkdir()
    (folder / "components" / "__init__.py").write_text("from checks import WHOSE\n")
    (folder / "__main__.py").write_text(f"import pulumi\nimport components\n{CALL}pulumi.export('whose', components.WHOSE)\n")
    assert data(folder)["outputs"]["whose"] == "mine"
    (folder / "config.py").write_text('WHOSE = "changed"\n')
    assert data(folder)["outputs"]["whose"] == "changed", "a second evaluation imports them again"
    assert not {"config", "checks", "components"} & set(sys.modules)


def test_a_program_in_a_sub_folder_runs_there(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text("name: our-hub\nruntime: python\nmain: infra\n")
    (folder / "infra").mkdir()
    (folder / "infra" / "beside.py").write_text("from pathlib import Path\nX = Path('text').read_text()\n")
    (folder / "infra" / "text").write_text("read")
    (folder / "infra" / "__main__.py").write_text(f"import pulumi, beside\n{CALL}pulumi.export('x', beside.X)\n")
    assert data(folder)["outputs"]["x"] == "read"
    (folder / "docs").mkdir()
    with quiet_sdks():
        assert in_process(["plan", "dev", *DAY], folder / "docs").returncode == 0, "from a folder below the project too"


@pytest.mark.parametrize("main", ["", "infra"])
def test_paths_of_a_stack_file_start_in_the_programs_folder(folder: Path, tmp_path: Path, main: str) -> None:
    (folder / "Pulumi.yaml").write_text(f"name: our-hub\nruntime: python\n{f'main: {main}' if main else ''}\n")
    (folder / main).mkdir(exist_ok=True)
    (folder / main / "__main__.py").write_text(CALL)
    (folder / main / "my.lock.json").write_text('{"format": "jupyterhub-aws/bundle/1", "stack": "dev", "items": {}}')
    registry = '{"kind": "private", "host": "registry.corp.example", "lock": "%s"}'
    for where in (folder, tmp_path):
        with quiet_sdks():
            done = in_process(["plan", str(folder / "Pulumi.dev.yaml"), "--set", f"registry={registry % 'my.lock.json'}"], where)
        assert done.returncode == 2 and "registry.lock: lacks" in done.stderr, done.stderr
        with quiet_sdks():
            done = in_process(["plan", str(folder / "Pulumi.dev.yaml"), "--set", f"registry={registry % 'other.json'}"], where)
        assert "registry.lock: other.json cannot be read (No such file or directory)" in done.stderr


def test_what_a_program_prints_is_a_message_and_no_data(folder: Path) -> None:
    (folder / "__main__.py").write_text(f"print('hello')\n{CALL}")
    done = planned(folder, "--json")
    assert json.loads(done.stdout)["stack"] == "dev" and done.stderr == "hello\n"


def test_a_program_in_the_place_of_stack_files_does_not_see_this_repositorys(folder: Path) -> None:
    (folder / "__main__.py").write_text("import pulumi_aws as aws\naws.s3.Bucket('b')\n")
    found = json.loads(planned(folder, "--json").stdout)["resources"]
    assert [item["type"] for item in found] == ["aws:s3/bucket:Bucket"]


class TestBadPrograms:
    """One clear message, exit 2, with the line of the user's file."""

    def refused(self, folder: Path, program: str) -> str:
        (folder / "__main__.py").write_text(program)
        done = planned(folder)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr, done.stderr
        return done.stderr

    def test_one_that_raises(self, folder: Path) -> None:
        said = self.refused(folder, f"{CALL}\nraise ValueError('no bucket')\n")
        assert said.startswith("jhub: the program raises ValueError: no bucket (at __main__.py:4)")

    def test_one_that_raises_in_a_module_of_its_own(self, folder: Path) -> None:
        (folder / "buckets.py").write_text("def make():\n    return {}['x']\n")
        said = self.refused(folder, "import buckets\nbuckets.make()\n")
        assert said.startswith("jhub: the program raises KeyError: 'x' (at buckets.py:2)")

    def test_one_that_raises_later(self, folder: Path) -> None:
        said = self.refused(folder, "import pulumi\npulumi.Output.from_input(1).apply(\n    lambda _: 1 / 0\n)\nimport pulumi_aws as aws\naws.s3.Bucket('b')\n")
        assert "the program raises ZeroDivisionError: division by zero (at __main__.py:3)" in said

    def test_one_that_raises_where_the_library_is_called(self, folder: Path) -> None:
        said = self.refused(folder, "from jupyterhub_aws import JupyterHubPlatform\n\nJupyterHubPlatform('x', 5)\n")
        assert "(at __main__.py:3)" in said

    def test_one_that_is_no_python(self, folder: Path) -> None:
        said = self.refused(folder, f"{CALL}\ndef broken(:\n")
        assert "the program raises SyntaxError" in said and "(at __main__.py:4)" in said

    def test_one_that_imports_what_is_not_installed(self, folder: Path) -> None:
        said = self.refused(folder, "import pulumi_gcp_of_nobody\n")
        assert "No module named 'pulumi_gcp_of_nobody' (at __main__.py:1); add its package to requirements.txt" in said

    @pytest.mark.parametrize("program", ["x = 1\n", "", "import pulumi\npulumi.export('x', 1)\n"])
    def test_one_that_registers_nothing(self, folder: Path, program: str) -> None:
        assert self.refused(folder, program).startswith("__main__.py: registers no resource, so there is nothing to plan; ")

    @pytest.mark.parametrize(("call", "shown"), [("sys.exit()", ""), ("sys.exit(0)", "0"), ("sys.exit('done')", "'done'"), ("exit(3)", "3")])
    def test_one_that_ends_its_process(self, folder: Path, call: str, shown: str) -> None:
        said = self.refused(folder, f"import sys\n{CALL}{call}\n")
        assert said.startswith(f"jhub: the program calls sys.exit({shown}), so the engine would not get what it registered") and "(at __main__.py:4)" in said

    def test_two_platforms(self, folder: Path) -> None:
        said = self.refused(folder, f"{CALL}\nfrom_stack_file('other')\n")
        assert said.startswith("__main__.py:4: JupyterHubPlatform: other: is a second platform in one program (the first one is platform)")

    def test_one_name_twice(self, folder: Path) -> None:
        said = self.refused(folder, "import pulumi_aws as aws\naws.s3.Bucket('b')\n\naws.s3.Bucket('b')\n")
        assert "aws:s3/bucket:Bucket 'b' is registered twice under one parent (at __main__.py:2 and __main__.py:4), which the engine refuses" in said
