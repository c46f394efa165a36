"""Bad input for every command: unknown stack, unknown hub, no files, no rights, a target that cannot
be written, a closed pipe, Ctrl+C. One line, the right exit code, nothing half-written.

The command lines follow from the commands themselves: a new one is covered as soon as it exists.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.ops.test_command_line import JHUB, LEAVES
from tests.support.data_keys import faults
from tests.support.in_process import Done, in_process
from tests.support.live import NOBODY
from tests.support.stack_files import ROOT

#: What an argument or a required option is called with, by its name.
VALUES = {
    "action": "s3:GetObject",
    "base": "base",
    "cluster": "none",
    "commit": "0" * 40,
    "files": "values.yaml",
    "folder": "bundle",
    "hostname": "hub.example.edu",
    "hub": "main",
    "new": "new",
    "old": "old.json",
    "part": "hub",
    "pool": "memory",
    "region": "us-east-1",
    "registry": "registry.internal",
    "repository": "owner/name",
    "resource": "lectures/x",
    "shell": "bash",
    "stack": "dev",
    "target": "1.36",
    "text": "Maintenance",
    "to": "folder",
    "user": "ada",
    "users": "users.txt",
    "what": "dev",
}
#: Options that a command needs beside its required ones, to come as far as its stack file.
MORE = {
    "announce": ["--until", "in 1h"],
    "restart": ["--show"],
    "rollback": ["--show"],
    "history": ["--show"],
    "logs": ["--show"],
}
#: Commands without a stack in their first argument: what reads another file, or none.
NO_STACK = {
    *("init", "explain", "completion", "schema", "docs", "certificate new"),
    *("diff", "gate", "report", "migrate"),
    *("versions refresh", "bundle verify", "bundle push", "bundle export"),
    *("adopt scan", "adopt config"),
    "open",  # asks the state, not the file: tests/ops/test_open.py
}
#: Needs a tool before it looks at the stack.
TOOLS = {"bundle lock", "bundle pull", "bundle push", "bundle export", "destroy hub"}


def line(name: str, **other: str) -> list[str]:
    """A right command line of a command, with other values for some names."""
    words = [*name.split()]
    command = LEAVES[name]
    given = {**VALUES, **other}
    for param in command.params:
        if isinstance(param, click.Argument):
            wanted = param.required or param.name in other or param.name == "text"
            if not wanted and param.name != "stack":
                continue
            words.append(given[str(param.name)])
        elif param.required or param.name in other:
            words += [max(param.opts, key=len), given[str(param.name)]]
    return [*words, *MORE.get(name, [])]


def has(name: str, parameter: str) -> bool:
    return any(param.name == parameter for param in LEAVES[name].params)


WITH_STACK = sorted(set(LEAVES) - NO_STACK)
WITH_HUB = sorted(name for name in set(LEAVES) - NO_STACK - TOOLS if has(name, "hub"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "users.txt").write_text("ada\n")
    (tmp_path / "requirements.txt").write_text("jupyterhub-aws==0.2.0\n")
    (tmp_path / "bundle").mkdir()
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def refused(words: list[str], folder: Path) -> Done:
    """The answer to a command that is refused: one line, exit code 2, and nothing written."""
    before = contents(folder)
    done = in_process(words, folder, {**NOBODY, "AWS_ACCESS_KEY_ID": "", "COLUMNS": "80"})
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == "" and "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.rstrip().endswith("]"), "an id at its end"
    assert contents(folder) == before
    return done


def test_every_command_is_tried_with_a_stack_or_has_none() -> None:
    for name in WITH_STACK:
        assert has(name, "stack") or has(name, "what"), f"{name}: add it to NO_STACK"


@pytest.mark.parametrize("name", WITH_STACK)
def test_an_unknown_stack(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program, **_: f"/usr/bin/{program}")
    done = refused(line(name, stack="dvv", what="dvv"), folder)
    assert "did you mean dev? [stack-file.missing]" in done.stderr


WITH_DATA = [
    name
    for name in WITH_STACK
    if any("--json" in param.opts for param in LEAVES[name].params) and name not in TOOLS
]


@pytest.mark.parametrize("name", WITH_DATA)
def test_an_unknown_stack_as_data(name: str, folder: Path) -> None:
    """One document on standard output, whatever the command does otherwise."""
    words = [word for word in line(name, stack="dvv", what="dvv") if word != "--show"]
    done = in_process([*words, "--json"], folder, {**NOBODY, "AWS_ACCESS_KEY_ID": ""})
    found = json.loads(done.stdout)
    assert done.returncode == 2 and faults("problems", found) == []
    assert [problem["id"] for problem in found["problems"]] == ["stack-file.missing"]


@pytest.mark.parametrize("words", [["plan"], ["diff"], ["gate"]])
@pytest.mark.parametrize("option", ["--json", "--markdown"])
def test_data_are_not_written_over_a_stack_file(
    words: list[str], option: str, folder: Path
) -> None:
    """`jhub plan --json Pulumi.dev.yaml prod`: the option takes the next word."""
    if not any(option in param.opts for param in LEAVES[words[0]].params):
        pytest.skip("has no such option")
    done = refused([*words, option, "Pulumi.dev.yaml", "prod"], folder)
    assert "would write over Pulumi.dev.yaml" in done.stderr and "[file.not-data]" in done.stderr


@pytest.mark.parametrize("name", WITH_HUB)
def test_an_unknown_hub(name: str, folder: Path) -> None:
    """Before AWS and the cluster are asked."""
    done = refused(line(name, hub="mian"), folder)
    assert "mian" in done.stderr or "no hub" in done.stderr
    assert "[credentials" not in done.stderr, done.stderr


@pytest.mark.parametrize("name", sorted(LEAVES.keys() - {"init", "explain", "completion", "open"}))
def test_an_empty_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program, **_: f"/usr/bin/{program}")
    if name in ("schema", "docs", "certificate new"):
        pytest.skip("needs no files")
    if name in ("versions refresh", "adopt scan", "report"):
        pytest.skip("asks AWS or GitHub: tests/ops/test_bad_days.py, tests/ops/test_report.py")
    if name in ("adopt config", "bundle verify", "bundle export", "bundle push", "migrate"):
        done = in_process(line(name), tmp_path)
        assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
        return
    refused(line(name), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", WITH_STACK)
def test_a_stack_file_that_may_not_be_read(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """root reads every file, and tests may run as root."""
    monkeypatch.setattr(shutil, "which", lambda program, **_: f"/usr/bin/{program}")
    real = Path.read_text

    def read_text(self: Path, *arguments: object, **named: object) -> str:
        if self.name == "Pulumi.dev.yaml":
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *arguments, **named)  # type: ignore[arg-type]

    words = line(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_text", read_text)
        done = in_process(words, folder, {**NOBODY, "AWS_ACCESS_KEY_ID": ""})
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert (
        "cannot be read (Permission denied)" in done.stderr and "[file.unreadable]" in done.stderr
    )


#: Options that write a file, of commands that need no account.
WRITES = [
    (name, max(param.opts, key=len))
    for name, command in LEAVES.items()
    for param in command.params
    if isinstance(param, click.Option)
    and param.name in ("html_file", "json_file", "markdown_file", "output")
    and name in ("plan", "schema", "docs")
    and (name, param.name) != ("plan", "markdown_file")
]


@pytest.mark.real
@pytest.mark.parametrize(("name", "option"), WRITES)
def test_a_target_that_cannot_be_written(name: str, option: str, folder: Path) -> None:
    # `jhub docs` makes the folders that it writes to: not below a file.
    below = folder / "Pulumi.dev.yaml" if name == "docs" else folder / "nowhere"
    done = refused([*line(name), option, str(below / "file")], folder)
    assert "[file.not-written]" in done.stderr


# --- Of a process of its own.

#: Commands that answer offline.
OFFLINE = {
    "plan": ["plan", "dev"],
    "plan --json": ["plan", "dev", "--json"],
    "plan --resources": ["plan", "dev", "--resources"],
    "plan --brief": ["plan", "dev", "--brief"],
    "values": ["values", "dev"],
    "sites": ["sites", "dev"],
    "versions": ["versions", "dev"],
    "destroy plan": ["destroy", "plan", "dev"],
    "upgrade plan": ["upgrade", "plan", "dev", "--to", "1.36"],
    "can": ["can", "dev", "main", "s3:GetObject", "lectures/week1"],
    "bundle list": ["bundle", "list", "dev"],
    "explain": ["explain"],
    "schema": ["schema", "--output", "-"],
    "docs": ["docs", "--output", "-"],
    "completion": ["completion", "bash"],
    "init --list": ["init", "--list"],
    "help": ["--help"],
    "homes map": ["homes", "map", "dev", "--users", "users.txt"],
    "migrate": ["migrate", "dev"],
}


@contextlib.contextmanager
def started(words: list[str], folder: Path, **how: object) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": "", "COLUMNS": "80"}
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterhub_aws.cli.main", *words],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        **how,  # type: ignore[call-overload]
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.real
@pytest.mark.parametrize("name", OFFLINE)
def test_a_reader_that_leaves_changes_nothing(name: str, folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with started(OFFLINE[name], folder, stdout=write) as process:
        os.close(write)
        said = process.communicate(timeout=120)[1]
    assert process.returncode in (0, 1), said
    assert "Traceback" not in said and "Broken" not in said and "Exception" not in said


@pytest.mark.real
@pytest.mark.parametrize("pause", [0.3, 0.6, 1.0])
@pytest.mark.parametrize(
    "words", [["plan", "dev", "--html", "plan.html"], ["init", "lab", "--yes"]], ids=" ".join
)
def test_interrupted(words: list[str], pause: float, folder: Path) -> None:
    with started(words, folder, stdout=subprocess.PIPE) as process:
        time.sleep(pause)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=120)[1]
    if process.returncode == 0:
        pytest.skip("it was done before")
    assert process.returncode == 130, said
    assert said.split() == ["jhub:", "interrupted"]
    if words[0] == "plan":
        assert not [path for path in folder.iterdir() if "plan.html" in path.name]


def test_the_command_is_there() -> None:
    assert JHUB.is_file()
