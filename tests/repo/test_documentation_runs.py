"""The commands of the pages that need no account and no cluster, really run: on the stack files of
this project, in a copy of it.

One that names a stack of the reader's, or a file that another command writes, is run on `dev`, or after
that command.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from jupyterhub_aws.cli.group import jhub
from jupyterhub_aws.version import __version__
from tests.support.in_process import in_process
from tests.support.page_blocks import SHELL, Command, blocks, commands
from tests.support.stack_files import ROOT

pytestmark = pytest.mark.real

#: Commands that read stack files and nothing else. With `needs` (cli/about.py) a command says so itself.
OFFLINE = {
    ("plan",), ("values",), ("sites",), ("versions", "show"), ("versions",), ("gate",), ("diff",), ("schema",), ("docs",), ("can",), ("init",),
    ("bundle", "list"), ("upgrade", "plan"), ("certificate", "new"), ("migrate",), ("report",), ("explain",), ("destroy", "plan"), ("completion",),
}  # fmt: skip
#: Words of a command that cannot be run on this project's files, and why.
NOT_RUN = {
    "jhub init": "asks questions; tests/init answers them",
    "--against": "compares with a commit that the reader has: tests/ops/test_diff_command.py",
    "jhub gate": "judges a change that the reader has: tests/changes/test_gate.py",
    "jhub diff": "the same: tests/ops/test_diff_command.py",
    "jhub report": "the same: tests/ops/test_report.py",
    "before.json": "a file of the reader's",
    "prices.toml": "a file of the reader's",
    "preview.json": "what the engine printed: tests/ops/test_diff_command.py",
    "jhub destroy plan": "asks the account what exists; tests/ops/test_destroy_plan.py",
    "jhub migrate": "rewrites a file of an older format: tests/migrate",
    "jhub certificate": "of a hub of the reader's: tests/ops/test_certificate_command.py",
    "pools.users": "of the project that `jhub init` makes: tests/init",
    "bundle verify": "of a bundle that the reader made: tests/real/test_bundle.py",
    "kubeadm": "its own folder: tests/stacks",
}
#: What a page shows because it is refused, and with which problem.
REFUSED = {"hubs.main.profiles.large.memory=32Gi": "memory.unit"}
#: Stacks of the examples, by the page's folder.
STACKS = ("dev", "airgap", "airgap-hub", "first-try")


def offline(command: Command) -> bool:
    """Whether a command needs a stack file and nothing else."""
    words = [word for word in command.words[1:] if not word.startswith("-")]
    below: click.Command | None = jhub
    context = click.Context(jhub, info_name="jhub")
    path: list[str] = []
    while isinstance(below, click.Group) and words:
        found = below.get_command(context, words[0])
        if found is None:
            break
        path.append(words.pop(0))
        below = found
    needs = getattr(below, "needs", None)
    if needs is not None:
        return str(needs).startswith("no credentials")
    return tuple(path) in OFFLINE


def why_not(command: Command) -> str | None:
    line = " ".join(command.words).removeprefix(".venv/bin/")
    return next((reason for words, reason in NOT_RUN.items() if words in line), None)


def runnable() -> list[Command]:
    found: dict[tuple[str, ...], Command] = {}
    for block in blocks():
        if block.language not in SHELL or block.page.startswith("docs/tutorials/"):
            continue
        if not re.match(r"(\$ )?(\.venv/bin/)?[a-z]", block.text.lstrip()):
            continue
        for command in commands(block):
            if command.program == "jhub" and offline(command) and why_not(command) is None:
                found.setdefault(command.words, command)
    return list(found.values())


RUNNABLE = runnable()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's files in a folder of their own, at a commit."""
    folder = tmp_path_factory.mktemp("copy") / "project"
    folder.mkdir()
    for name in ("Pulumi.yaml", "__main__.py", *(f"Pulumi.{stack}.yaml" for stack in STACKS[:3])):
        shutil.copy(ROOT / name, folder / name)
    shutil.copy(ROOT / "examples/first-try/Pulumi.first-try.yaml", folder)
    (folder / "requirements.txt").write_text(f"jupyterhub-aws=={__version__}\n", encoding="utf-8")
    # The second of the landing page's three commands; the third plans what it wrote.
    done = in_process(["init", "hub", "--yes"], folder)
    assert done.returncode in (0, 1), done.stderr
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(folder)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    return folder


def test_enough_commands_are_run() -> None:
    assert len(RUNNABLE) >= 8
    assert {"plan", "sites"} <= {command.words[1] for command in RUNNABLE}


@pytest.mark.parametrize("command", RUNNABLE, ids=str)
def test_a_command_of_a_page_runs(command: Command, copy: Path) -> None:
    words = ["dev" if word in ("STACK", "lab", "prod") else word for word in command.words[1:]]
    words = ["main" if word == "HUB" else word for word in words]
    done = in_process(words, copy)
    refused = next((problem for part, problem in REFUSED.items() if part in words), None)
    if refused is not None:
        assert done.returncode == 2 and f"[{refused}]" in done.stderr
        return
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout or done.stderr or any("html" in word or "json" in word for word in words)
