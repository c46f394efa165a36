"""Whose folder a stack file belongs to: the nearest Pulumi.yaml upwards, as the engine finds it,
and nothing of where this package lies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.project import find_project, project_of, stack_folder
from jupyterhub_aws.config.stack_file import read
from tests.support.in_process import in_process
from tests.support.stack_files import ROOT


@pytest.fixture
def nowhere() -> Iterator[Path]:
    """A folder without a project around it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_where_there_is_no_project_it_is_said_in_one_line(nowhere: Path) -> None:
    assert find_project(nowhere) is None
    (nowhere / "Pulumi.dev.yaml").write_bytes((ROOT / "Pulumi.dev.yaml").read_bytes())
    for stack, folder in (("dev", nowhere), (str(nowhere / "Pulumi.dev.yaml"), ROOT)):
        for command in (["plan", stack], ["values", stack, "main"], ["open", stack]):
            done = in_process(
                command,
                folder if command[0] != "open" else nowhere,
                {"PATH": "/nothing"} if command[0] != "open" else {},
            )
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (
                2,
                "",
                1,
            ), done.stderr
            if command[0] != "open" or "not on PATH" not in done.stderr:
                assert done.stderr.startswith(
                    f"Pulumi.yaml: is neither in {nowhere} nor in a folder above it"
                ), done.stderr
                assert "jhub init" in done.stderr and "[project.none]" in done.stderr


@pytest.mark.real
@settings(deadline=None)  # files on a busy disk
@given(
    depth=st.integers(0, 4),
    where=st.sets(st.integers(0, 4), min_size=1),
    kind=st.sampled_from(["Pulumi.yaml", "Pulumi.yml"]),
)
def test_the_nearest_one_upwards_counts(depth: int, where: set[int], kind: str) -> None:
    with tempfile.TemporaryDirectory() as top:
        folders = [Path(top, *(f"f{number}" for number in range(level))) for level in range(5)]
        folders[-1].mkdir(parents=True)
        for level in where:
            (folders[level] / kind).write_text(f"name: p{level}\nruntime: python\n")
        found = find_project(folders[depth])
        nearest = max((level for level in where if level <= depth), default=None)
        assert (found and found.name) == (None if nearest is None else f"p{nearest}")


@pytest.mark.parametrize(
    ("text", "working", "program", "stacks", "python"),
    [
        ("name: a\nruntime: python\n", "", "__main__.py", "", ".venv/bin/python"),
        (
            (
                "name: a\nruntime: {name: python, options: {toolchain: uv, virtualenv: env}}\nmain:"
                " infra\n"
            ),
            "infra",
            "infra/__main__.py",
            "",
            "env/bin/python",
        ),
        (
            "name: a\nruntime: python\nmain: infra/\nstackConfigDir: stacks\n",
            "infra",
            "infra/__main__.py",
            "stacks",
            ".venv/bin/python",
        ),
        (
            "name: a\nruntime: python\nmain: infra/build.py\nconfig: stacks\n",
            "infra",
            "infra/build.py",
            "stacks",
            ".venv/bin/python",
        ),
    ],
)
def test_what_a_project_says(
    tmp_path: Path, text: str, working: str, program: str, stacks: str, python: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(text)
    (tmp_path / "infra").mkdir()
    for name in ("__main__.py", "infra/__main__.py", "infra/build.py"):
        (tmp_path / name).write_text("")
    found = project_of(tmp_path)
    assert found.working_folder == tmp_path / working
    assert (found.program().folder, found.program().file) == (
        tmp_path / working,
        tmp_path / program,
    )
    assert found.stack_folder == stack_folder(tmp_path) == tmp_path / stacks
    assert found.environment == tmp_path / python


@pytest.mark.parametrize(
    ("text", "says", "which"),
    [
        ("runtime: python\n", "Pulumi.yaml: name: ", "project.no-name"),
        ("name: [\n", "Pulumi.yaml: ", "project.not-yaml"),
        (
            "name: a\nruntime: python\nmain: elsewhere\n",
            "Pulumi.yaml: main: names elsewhere",
            "project.no-program",
        ),
        ("name: a\nruntime: nodejs\n", "Pulumi.yaml: runtime: is 'nodejs'", "project.runtime"),
        (
            "name: a\nruntime: {name: yaml}\n",
            "Pulumi.yaml: runtime: is 'yaml'",
            "project.runtime",
        ),
    ],
)
def test_a_project_that_cannot_be_planned_is_refused_in_one_line(
    tmp_path: Path, text: str, says: str, which: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(text)
    (tmp_path / "Pulumi.dev.yaml").write_bytes((ROOT / "Pulumi.dev.yaml").read_bytes())
    done = in_process(["plan", "dev"], tmp_path)
    assert done.returncode == 2 and done.stderr.startswith(says) and done.stderr.count("\n") == 1, (
        done.stderr
    )
    assert f"[{which}]" in done.stderr


def test_a_stack_file_knows_whether_the_engine_finds_it(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: python\nstackConfigDir: stacks\n")
    (tmp_path / "stacks").mkdir()
    for folder, told in (
        (tmp_path / "stacks", ""),
        (tmp_path, f" --config-file {tmp_path / 'Pulumi.x.yaml'}"),
    ):
        (folder / "Pulumi.x.yaml").write_text("config: {a:name: b}\n")
        assert read(folder / "Pulumi.x.yaml").engine_option == told


def test_a_file_for_another_project_is_read_as_that_ones(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: ours\nruntime: python\n")
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "Pulumi.x.yaml"
        draft.write_text("config: {ours:name: b}\n")
        assert read(draft, home=project_of(tmp_path)).values == {"jupyterhub-aws:name": "b"}
        with pytest.raises(ConfigError, match=r"\[project.none\]"):
            read(draft)
