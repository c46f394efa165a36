"""The plan of an older commit: its own program, evaluated in a process of its own, with the
libraries of this one where it locks the same, else with its own.

There are two kinds of trees. One has this library in it (this repository, or a fork): its own
`jhub` plans it. The other is a user's: the library is what its requirements.txt names.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from jupyterhub_aws.changes.mask import masked
from jupyterhub_aws.changes.side import Side, read_side
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.errors import ConfigError, refused
from jupyterhub_aws.config.project import Project, find_project, pinned_by_hash
from jupyterhub_aws.config.stack_file import StackFile, read
from jupyterhub_aws.progress import ProgressLine

#: The module that is started as `jhub`: today's, and before the packages had one name.
_COMMANDS = ("jupyterhub_aws.cli.main", "ops.main")
_REQUIREMENTS = Path("requirements") / "runtime.txt"
_OF_USERS = Path("requirements.txt")
#: How a requirements file names this library: a version, or an address (PEP 508).
_LIBRARY = re.compile(
    r"(?im)^jupyterhub[-_.]aws\s*(?:==\s*(?P<version>[^\s;#]+)|@\s*(?P<address>\S+))"
)
_INSTALLED = "jupyterhub_aws.cli.main"
_ENVIRONMENT_SECONDS = 900
_PLAN_SECONDS = 300


def cache_folder() -> Path:
    """Where trees and environments of older commits are kept; nothing in it is worth keeping."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "jupyterhub-aws"


def commit_of(folder: Path, ref: str) -> str:
    """The commit that a ref names. Raises ConfigError where there is no such ref, or no
    repository.
    """
    if _git(folder, "rev-parse", "--show-toplevel") is None:
        what = f"names neither a file nor a ref: {folder.name} is in no git repository"
        fix = "name a plan made with `jhub plan --json`"
        raise refused("jhub", "against.no-repository", "--against", what, fix)
    found = _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
    )
    if found is None:
        fix = (
            "look at `git branch -a` and `git log`; a branch of the remote is origin/NAME, after"
            " `git fetch`"
        )
        what = f"names neither a file nor a ref of this repository (got {ref[:100]!r})"
        raise refused("jhub", "against.unknown-ref", "--against", what, fix)
    return found.strip()


def uncommitted(folder: Path) -> list[str]:
    """Files below a folder that differ from the last commit."""
    listed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".") or ""
    return [line[3:] for line in listed.splitlines() if line.strip()]


def side_at(ref: str, file: StackFile, as_of: str) -> Side:
    """The plan of a stack at a ref, as of a day. Raises ConfigError for a ref that is none, or
    at which the stack file was wrong.
    """
    folder = file.path.resolve().parent
    commit = commit_of(folder, ref)
    top = Path((_git(folder, "rev-parse", "--show-toplevel") or "").strip())
    tree = _tree(top, commit)
    there = tree / folder.relative_to(top) / file.path.name
    source = f"{file.path.name} at {ref}"
    if not there.is_file():
        return Side(
            source=f"{source}, where it is not yet", stack=file.stack, resources=Resources([])
        )
    program = _program(tree, there)
    if program is None:
        return _of_user(tree, there, file.home, source, as_of)
    same = _text(program / _REQUIREMENTS) == _text(file.home.folder / _REQUIREMENTS)
    return _planned(
        there, source, as_of, lambda arguments: _in_its_environment(program, arguments, ours=same)
    )


def _of_user(tree: Path, there: Path, home: Project, source: str, as_of: str) -> Side:
    """The plan of a commit without the library: by this one where that commit names the same,
    else by the one that it names.
    """
    then = find_project(there.parent)
    if then is None or not then.folder.is_relative_to(tree):  # a stack file from before its project
        return _configuration(there, source, home)
    wanted = then.folder / _OF_USERS
    if _same_library(_text(wanted), _text(home.folder / _OF_USERS)):
        with _in_todays_format(then.folder, there) as readable:
            return _planned(readable, source, as_of, _by_this_library)
    return _planned(there, source, as_of, lambda arguments: _by_that_library(wanted, arguments))


@contextlib.contextmanager
def _in_todays_format(folder: Path, stack: Path) -> Iterator[Path]:
    """A stack file of an older commit where this library can read it: itself, or a migrated one
    in a copy of its project's folder.
    """
    from jupyterhub_aws.migrate.files import migrated, targets

    changed = []
    for path in targets((), stack.parent):
        with contextlib.suppress(ConfigError):  # the plan says what is wrong with it
            changed += [found for found in [migrated(path)] if found.edits]
    if not changed:
        yield stack
        return
    with tempfile.TemporaryDirectory(prefix="jhub-") as home:
        copy = Path(shutil.copytree(folder, Path(home) / "tree"))
        for found in changed:
            (copy / found.path.relative_to(folder)).write_bytes(found.new.encode())
        yield copy / stack.relative_to(folder)


def _same_library(then: str, now: str) -> bool:
    """Whether an old requirements.txt names the library that runs here. One without a version
    leaves it open.
    """
    named = _LIBRARY.search(then)
    if named is None:
        return True
    if named["version"] is not None:
        from importlib.metadata import version

        return str(named["version"]) == version("jupyterhub-aws")
    today = _LIBRARY.search(now)
    return today is not None and today["address"] == named["address"]


def _planned(there: Path, source: str, as_of: str, run: Callable[[list[str]], str | None]) -> Side:
    """What a run of `jhub plan` for a stack file writes. `run` takes its arguments, and returns
    what it complained about.
    """
    with tempfile.TemporaryDirectory() as home:
        target = Path(home) / "plan.json"
        said = run(["plan", str(there), "--json", str(target), "--as-of", as_of])
        if not target.is_file():
            return _refused(said, there, source)
        return replace(read_side(str(target)), source=source)


def _refused(said: str | None, stack: Path, source: str) -> Side:
    """No plan came out: the stack file was wrong then, or its program could not be run here."""
    if said:
        line = next((line for line in said.splitlines() if line.strip()), "")[:300]
        fix = "compare with a commit whose plan is valid"
        raise refused(source, "against.refused", "", f"was refused by its own program: {line}", fix)
    return _configuration(stack, source)


def _configuration(stack: Path, source: str, home: Project | None = None) -> Side:
    """The stack file alone, where its program cannot be evaluated. `home` is its project, where
    it lies in none.
    """
    file = read(stack, home=home)
    side = Side(
        source=source,
        stack=file.stack,
        resources=Resources([]),
        kind="configuration",
        configuration=masked(file.data),
        sealed=file.sealed,
    )
    return side.in_todays_words()


def _program(tree: Path, stack: Path) -> Path | None:
    """The folder of `__main__.py` and of the library at that commit: beside the stack file, or
    the top of the tree.
    """
    return next(
        (
            folder
            for folder in (stack.parent, tree)
            if _command(folder) and (folder / "__main__.py").is_file()
        ),
        None,
    )


def _command(folder: Path) -> str:
    """The module that is started as `jhub` there; empty where there is none."""
    return next(
        (name for name in _COMMANDS if (folder / f"{name.replace('.', '/')}.py").is_file()), ""
    )


def _tree(top: Path, commit: str) -> Path:
    """The files of a commit, unpacked once."""
    target = cache_folder() / "trees" / commit
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(  # noqa: S603
        ["git", "-C", str(top), "archive", "--format=tar", commit],  # noqa: S607
        capture_output=True,
        check=True,
        timeout=_PLAN_SECONDS,
    ).stdout
    with tempfile.TemporaryDirectory(dir=target.parent) as home:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(Path(home) / "tree", filter="data")
        with contextlib.suppress(OSError):  # another process was faster
            (Path(home) / "tree").rename(target)
    return target


def _by_this_library(arguments: list[str]) -> str:
    """Run this `jhub` for that commit's files. Returns what it complained about."""
    from jupyterhub_aws.cli.group import run

    complaints, printed = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(complaints), contextlib.redirect_stdout(printed):
        run(arguments)
    return complaints.getvalue()


def _in_its_environment(program: Path, arguments: list[str], *, ours: bool) -> str | None:
    """Run that commit's `jhub` in a process of its own, with its own locked libraries: `ours`
    where they are the same as ours, else installed once. None where they cannot be.
    """
    python = Path(sys.executable) if ours else _environment(program / _REQUIREMENTS)
    if python is None:
        return None
    command = [str(python), "-m", _command(program), *arguments]
    own = {**os.environ, "PYTHONPATH": str(program)}
    done = subprocess.run(  # noqa: S603
        command,
        cwd=program,
        capture_output=True,
        text=True,
        timeout=_PLAN_SECONDS,
        check=False,
        env=own,
    )
    return done.stderr


def _by_that_library(wanted: Path, arguments: list[str]) -> str | None:
    """Run the `jhub` of the library that a requirements.txt names. None where it cannot be
    installed here.
    """
    python = _environment(wanted)
    if python is None:
        return None
    # -P: a module of the user's beside the stack file is no module of the library's.
    command = [str(python), "-P", "-m", _INSTALLED, *arguments]
    done = subprocess.run(  # noqa: S603
        command,
        cwd=wanted.parent,
        capture_output=True,
        text=True,
        timeout=_PLAN_SECONDS,
        check=False,
    )
    return done.stderr


def _environment(wanted: Path) -> Path | None:
    """A Python with the libraries of a requirements file, made once for each set of them; None
    where that fails (no network).
    """
    import hashlib

    if not wanted.is_file():
        return None
    folder = cache_folder() / "environments" / hashlib.sha256(wanted.read_bytes()).hexdigest()[:16]
    python, ready = folder / "bin" / "python", folder / ".ready"
    if ready.is_file():
        return python
    print(
        f"jhub: installing what {wanted.relative_to(cache_folder() / 'trees').parts[0][:12]} needs,"
        " once (some minutes) …",
        file=sys.stderr,
    )
    uv = next(
        (
            found
            for found in (shutil.which("uv"), str(Path(sys.prefix) / "bin" / "uv"))
            if found and Path(found).is_file()
        ),
        None,
    )
    pip = (
        [uv, "pip", "install", "--python", str(python)]
        if uv
        else [str(python), "-m", "pip", "install"]
    )
    hashes = ["--require-hashes"] if pinned_by_hash(_text(wanted)) else []
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [*pip, "--quiet", *hashes, "-r", str(wanted)],
    )
    limit = len(steps) * _ENVIRONMENT_SECONDS
    with ProgressLine("installing", patience=limit, begun=True):
        for step in steps:
            try:
                subprocess.run(  # noqa: S603
                    step,
                    cwd=wanted.parent,
                    check=True,
                    capture_output=True,
                    timeout=_ENVIRONMENT_SECONDS,
                )
            except (OSError, subprocess.SubprocessError):
                return None
    ready.touch()
    return python


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
