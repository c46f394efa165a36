"""A folder of a user's own: their program, modules, paths and stack files count, and none of
this repository's.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from jupyterhub_aws.bundle import lock
from jupyterhub_aws.bundle.inventory import Wheels
from jupyterhub_aws.diff import old_tree
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


@pytest.mark.real
def test_without_a_program_the_librarys_is_planned_and_with_the_same_one_the_plan_is_the_same(
    folder: Path,
) -> None:
    without = data(folder)
    (folder / "__main__.py").write_text(CALL)
    assert data(folder) == without and without["project"] == "our-hub"
    assert all(item["urn"].startswith("urn:pulumi:dev::our-hub::") for item in without["resources"])


def test_modules_of_the_users_are_theirs_whatever_they_are_called(folder: Path) -> None:
    (folder / "config.py").write_text('WHOSE = "mine"\n')
    (folder / "checks.py").write_text("from config import WHOSE\n")
    (folder / "components").mkdir()
    (folder / "components" / "__init__.py").write_text("from checks import WHOSE\n")
    (folder / "__main__.py").write_text(
        f"import pulumi\nimport components\n{CALL}pulumi.export('whose', components.WHOSE)\n"
    )
    assert data(folder)["outputs"]["whose"] == "mine"
    (folder / "config.py").write_text('WHOSE = "changed"\n')
    assert data(folder)["outputs"]["whose"] == "changed", "a second evaluation imports them again"
    assert not {"config", "checks", "components"} & set(sys.modules)


@pytest.mark.real
def test_a_program_in_a_sub_folder_runs_there(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text("name: our-hub\nruntime: python\nmain: infra\n")
    (folder / "infra").mkdir()
    (folder / "infra" / "beside.py").write_text(
        "from pathlib import Path\nX = Path('text').read_text()\n"
    )
    (folder / "infra" / "text").write_text("read")
    (folder / "infra" / "__main__.py").write_text(
        f"import pulumi, beside\n{CALL}pulumi.export('x', beside.X)\n"
    )
    assert data(folder)["outputs"]["x"] == "read"
    (folder / "docs").mkdir()
    with quiet_sdks():
        assert in_process(["plan", "dev", *DAY], folder / "docs").returncode == 0, (
            "from a folder below the project too"
        )


@pytest.mark.parametrize("main", ["", "infra"])
def test_paths_of_a_stack_file_start_in_the_programs_folder(
    folder: Path, tmp_path: Path, main: str
) -> None:
    (folder / "Pulumi.yaml").write_text(
        f"name: our-hub\nruntime: python\n{f'main: {main}' if main else ''}\n"
    )
    (folder / main).mkdir(exist_ok=True)
    (folder / main / "__main__.py").write_text(CALL)
    (folder / main / "my.lock.json").write_text(
        '{"format": "jupyterhub-aws/bundle/1", "stack": "dev", "items": {}}'
    )
    registry = '{"kind": "private", "host": "registry.corp.example", "lock": "%s"}'
    for where in (folder, tmp_path):
        with quiet_sdks():
            done = in_process(
                [
                    "plan",
                    str(folder / "Pulumi.dev.yaml"),
                    "--set",
                    f"registry={registry % 'my.lock.json'}",
                ],
                where,
            )
        assert done.returncode == 2 and "[lock.incomplete]" in done.stderr, done.stderr
        with quiet_sdks():
            done = in_process(
                [
                    "plan",
                    str(folder / "Pulumi.dev.yaml"),
                    "--set",
                    f"registry={registry % 'other.json'}",
                ],
                where,
            )
        assert "registry.lock: other.json cannot be read (No such file" in done.stderr


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

    @pytest.mark.real
    def test_one_that_raises(self, folder: Path) -> None:
        said = self.refused(folder, f"{CALL}\nraise ValueError('no bucket')\n")
        assert said.startswith("jhub: the program raises ValueError: no bucket (at __main__.py:4)")

    def test_one_that_makes_nothing(self, folder: Path) -> None:
        said = self.refused(folder, "import pulumi\n")
        assert said.startswith("__main__.py: ") and "[plan.empty]" in said

    @pytest.mark.real
    def test_a_ref_where_there_is_no_repository(self, folder: Path) -> None:
        done = planned(folder, "--against", "HEAD")
        assert done.returncode == 2 and "--against: " in done.stderr
        assert "[against.no-repository]" in done.stderr

    def test_one_that_raises_in_a_module_of_its_own(self, folder: Path) -> None:
        (folder / "buckets.py").write_text("def make():\n    return {}['x']\n")
        said = self.refused(folder, "import buckets\nbuckets.make()\n")
        assert said.startswith("jhub: the program raises KeyError: 'x' (at buckets.py:2)")

    def test_one_that_raises_later(self, folder: Path) -> None:
        said = self.refused(
            folder,
            "import pulumi\npulumi.Output.from_input(1).apply(\n    lambda _: 1 / 0\n)\nimport"
            " pulumi_aws as aws\naws.s3.Bucket('b')\n",
        )
        assert "the program raises ZeroDivisionError: division by zero (at __main__.py:3)" in said

    @pytest.mark.parametrize(
        ("call", "says", "which"),
        [
            (
                "JupyterHubPlatform('x', 5)",
                "JupyterHubPlatform 'x': args: must be JupyterHubPlatformArgs (got int)",
                "argument.kind",
            ),
            ("Network('x', {'cidr': 1})", "Network 'x': args: ", "argument.kind"),
            (
                "Network('x', NetworkArgs(cidr=5, zones=['us-east-1a', 'us-east-1b']))",
                "Network 'x': cidr: ",
                "option.kind",
            ),
        ],
    )
    def test_arguments_of_the_wrong_type(
        self, folder: Path, call: str, says: str, which: str
    ) -> None:
        said = self.refused(
            folder,
            f"from jupyterhub_aws import JupyterHubPlatform, Network, NetworkArgs\n\n{call}\n",
        )
        assert said.startswith(f"__main__.py:3: {says}") and f"[{which}]" in said

    def test_an_argument_that_does_not_exist(self, folder: Path) -> None:
        said = self.refused(
            folder, "from jupyterhub_aws import NetworkArgs\n\nNetworkArgs(cdr='10.0.0.0/16')\n"
        )
        assert "got an unexpected keyword argument 'cdr' (at __main__.py:3)" in said

    def test_a_component_twice_under_one_name(self, folder: Path) -> None:
        make = (
            "Network('net', NetworkArgs(cidr='10.0.0.0/16', zones=['us-east-1a', 'us-east-1b']))\n"
        )
        said = self.refused(
            folder, f"from jupyterhub_aws import Network, NetworkArgs\n{make}{make}"
        )
        assert (
            "jupyterhub-aws:index:Network 'net' is registered twice under one parent (at"
            " __main__.py:2 and __main__.py:3)" in said
        )

    def test_one_that_is_no_python(self, folder: Path) -> None:
        said = self.refused(folder, f"{CALL}\ndef broken(:\n")
        assert "the program raises SyntaxError" in said and "(at __main__.py:4)" in said

    def test_one_that_imports_what_is_not_installed(self, folder: Path) -> None:
        said = self.refused(folder, "import pulumi_gcp_of_nobody\n")
        assert (
            "No module named 'pulumi_gcp_of_nobody' (at __main__.py:1); add its package to"
            " requirements.txt" in said
        )

    @pytest.mark.parametrize("program", ["x = 1\n", "", "import pulumi\npulumi.export('x', 1)\n"])
    def test_one_that_registers_nothing(self, folder: Path, program: str) -> None:
        assert self.refused(folder, program).startswith(
            "__main__.py: registers no resource, so there is nothing to plan; "
        )

    @pytest.mark.real
    @pytest.mark.parametrize(
        ("call", "shown"),
        [
            ("sys.exit()", ""),
            ("sys.exit(0)", "0"),
            ("sys.exit('done')", "'done'"),
            ("exit(3)", "3"),
        ],
    )
    def test_one_that_ends_its_process(self, folder: Path, call: str, shown: str) -> None:
        said = self.refused(folder, f"import sys\n{CALL}{call}\n")
        assert (
            said.startswith(
                f"jhub: the program calls sys.exit({shown}), so the engine would not get what it"
                " registered"
            )
            and "(at __main__.py:4)" in said
        )

    @pytest.mark.real
    def test_two_platforms(self, folder: Path) -> None:
        said = self.refused(folder, f"{CALL}\nfrom_stack_file('other')\n")
        assert said.startswith(
            "__main__.py:4: JupyterHubPlatform: other: is a second platform in one program (the"
            " first one is platform)"
        )

    def test_one_name_twice(self, folder: Path) -> None:
        said = self.refused(
            folder, "import pulumi_aws as aws\naws.s3.Bucket('b')\n\naws.s3.Bucket('b')\n"
        )
        assert (
            "aws:s3/bucket:Bucket 'b' is registered twice under one parent (at __main__.py:2 and"
            " __main__.py:4), which the engine refuses" in said
        )


@pytest.fixture
def history(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The same folder in a repository below whose top it is: a commit with a program of its own,
    which names a library.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    (folder / "__main__.py").write_text(
        f"import pulumi_aws as aws\nimport config\n{CALL}aws.s3.Bucket(config.NAME)\n"
    )
    (folder / "config.py").write_text("NAME = 'before'\n")
    (folder / "requirements.txt").write_text(f"jupyterhub-aws=={version('jupyterhub-aws')}\n")
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


def folder_made(line: list[str], **_: object) -> None:
    """What the first of the two commands does that make an environment."""
    Path(line[-1]).exists() or Path(line[-1]).mkdir(parents=True)


def commit(folder: Path) -> None:
    git(folder, "add", "-A", "mine")
    git(
        folder,
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "one",
    )


class TestAgainstAnOlderCommit:
    """A user's repository has no library in it: requirements.txt says which one."""

    def changes(self, folder: Path) -> dict[str, str]:
        done = planned(folder, "--against", "HEAD", "--json")
        assert done.stdout, done.stderr
        return {
            item["urn"].rpartition("::")[2]: item["op"]
            for item in json.loads(done.stdout)["changes"]
        }

    @pytest.mark.real
    @pytest.mark.parametrize(
        "line",
        [
            "jupyterhub-aws=={now}",
            "jupyterhub_aws == {now}  # ours",
            "pulumi-gcp==9.0.0\n",
            "jupyterhub-aws @ file:///x.whl",
        ],
    )
    def test_the_same_library_plans_the_older_program_with_its_own_modules(
        self, history: Path, tmp_path: Path, line: str
    ) -> None:
        (history / "requirements.txt").write_text(line.format(now=version("jupyterhub-aws")))
        commit(tmp_path)
        assert self.changes(history) == {}
        (history / "config.py").write_text("NAME = 'after'\n")
        with mock.patch.object(
            old_tree, "_environment", side_effect=AssertionError("none is needed")
        ):
            assert self.changes(history) == {"before": "delete", "after": "create"}

    @pytest.mark.real
    @pytest.mark.parametrize(
        "line", ["jupyterhub-aws==0.0.7", "jupyterhub-aws @ https://example.org/other.whl"]
    )
    def test_another_library_plans_it_in_an_environment_made_from_its_requirements(
        self, history: Path, tmp_path: Path, line: str
    ) -> None:
        (history / "requirements.txt").write_text(line)
        commit(tmp_path)
        (history / "requirements.txt").write_text(f"jupyterhub-aws=={version('jupyterhub-aws')}\n")
        (history / "config.py").write_text("NAME = 'after'\n")
        with mock.patch.object(old_tree, "_environment", return_value=Path(sys.executable)) as made:
            assert self.changes(history) == {"before": "delete", "after": "create"}
        (wanted,) = made.call_args.args
        assert wanted.read_text() == line and tmp_path / "cache" in wanted.parents
        with mock.patch.object(old_tree, "_environment", return_value=None):
            done = planned(history, "--against", "HEAD", "--markdown")
        assert "only the configuration was compared" in done.stdout, done.stderr

    @pytest.mark.real
    def test_a_program_that_was_wrong_then_is_said_to_be_so(
        self, history: Path, tmp_path: Path
    ) -> None:
        (history / "config.py").write_text("NAME = 1 / 0\n")
        commit(tmp_path)
        (history / "config.py").write_text("NAME = 'after'\n")
        done = planned(history, "--against", "HEAD")
        assert (
            done.returncode == 2
            and done.stderr.startswith("Pulumi.dev.yaml at HEAD: ")
            and "the program raises ZeroDivisionError" in done.stderr
            and "[against.refused]" in done.stderr
        )

    @pytest.mark.real
    def test_an_environment_is_made_by_the_requirements_as_they_are(
        self, history: Path, tmp_path: Path
    ) -> None:
        wanted = (
            tmp_path
            / "cache"
            / "jupyterhub-aws"
            / "trees"
            / "abcdef0123456789"
            / "mine"
            / "requirements.txt"
        )
        wanted.parent.mkdir(parents=True)
        for text, hashed in (
            ("jupyterhub-aws==0.0.7\n", False),
            ("jupyterhub-aws==0.0.7 --hash=sha256:00\n", True),
        ):
            wanted.write_text(text)
            with mock.patch.object(old_tree.subprocess, "run", side_effect=folder_made) as ran:
                python = old_tree._environment(wanted)
            made, installed = (call.args[0] for call in ran.call_args_list)
            assert (
                made[1:3] == ["-m", "venv"]
                and installed[-2:] == ["-r", str(wanted)]
                and ("--require-hashes" in installed) == hashed
            )
            assert ran.call_args.kwargs["cwd"] == wanted.parent, "paths in it are relative to it"
            with mock.patch.object(
                old_tree.subprocess, "run", side_effect=AssertionError("made already")
            ):
                assert old_tree._environment(wanted) == python


class TestBundle:
    """What an isolated network needs, asked in a folder whose requirements.txt names the
    library.
    """

    def items(self, folder: Path) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for item in json.loads(in_process(["bundle", "list", "dev", "--json"], folder).stdout)[
            "items"
        ]:
            found.setdefault(item["kind"], []).append(item["key"])
        return found

    def test_the_engine_and_its_plugins_are_those_that_are_installed(self, folder: Path) -> None:
        (folder / "requirements.txt").write_text("jupyterhub-aws==0.1.0\n")
        found = self.items(folder)
        assert found["wheels"] == [
            "wheels of requirements.txt for Python 3.11 on manylinux_2_28_x86_64"
        ]
        assert f"pulumi-v{version('pulumi')}-linux-x64.tar.gz" in found["file"]
        for name in ("aws", "eks", "kubernetes", "random"):
            assert (
                f"pulumi-resource-{name}-v{version(f'pulumi-{name}')}-linux-amd64.tar.gz"
                in found["file"]
            )
        assert not [name for name in found["file"] if "policy" in name], (
            "its SDK says that there is none"
        )
        (folder / "requirements.txt").write_text(
            "jupyterhub-aws==0.1.0\npulumi==3.1.4\npulumi-aws==7.8.9\n"
        )
        assert "pulumi-v3.1.4-linux-x64.tar.gz" in self.items(folder)["file"], (
            "what the file pins goes first"
        )

    def test_without_requirements_it_is_said(self, folder: Path) -> None:
        done = in_process(["bundle", "list", "dev"], folder)
        assert done.returncode == 2 and done.stderr.startswith(
            f"requirements.txt: is not in {folder}"
        )
        assert "[bundle.no-requirements]" in done.stderr

    def test_wheels_are_resolved_for_the_lock_and_are_the_locked_ones_afterwards(
        self, folder: Path
    ) -> None:
        wheels = Wheels(
            requirements="requirements.txt",
            folder=folder,
            python="3.11",
            platform="x",
            needed_by=(),
        )
        for text, locked, expected in (
            ("a==1\n", (), [f"--requirement={folder / 'requirements.txt'}"]),
            (
                "a==1\n",
                ("a-1-py3-none-any.whl", "b_c-2.0-cp311-cp311-manylinux_2_28_x86_64.whl"),
                ["--no-deps", "a==1", "b_c==2.0"],
            ),
            (
                "a==1 --hash=sha256:0\n",
                ("a-1-py3-none-any.whl",),
                ["--require-hashes", "--no-deps", f"--requirement={folder / 'requirements.txt'}"],
            ),
        ):
            (folder / "requirements.txt").write_text(text)
            with mock.patch.object(lock, "pip") as called:
                lock.fetch_wheels(wheels, folder / "to", locked)
            always = ("--python", "--platform", "--dest", "--only", "--quiet", "download")
            assert [
                word for word in called.call_args.args if not word.startswith(always)
            ] == expected
