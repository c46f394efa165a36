"""What holds of the repository itself."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Folders of Python files of ours.
_OF_OURS = (
    "jupyterhub_aws",
    "config",
    "components",
    "policy",
    "tests",
    "benchmarks",
    "scripts",
    "examples",
)


@cache
def tracked() -> tuple[Path, ...]:
    """The repository's files: all but what .gitignore names, which are names of files and folders
    at any depth, with a slash before them at the top alone.
    """
    ignored = [
        line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    ]
    found = []
    for place, folders, files in os.walk(ROOT):
        for names in (folders, files):
            names[:] = [
                name
                for name in names
                if name != ".git"
                and not any(fnmatch(name, pattern) for pattern in ignored)
                and not (Path(place) == ROOT and f"/{name}" in ignored)
            ]
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        found += [Path(place) / name for name in files + links]
    return tuple(path for path in found if path.is_file())


@cache
def imports_and_functions(
    path: Path,
) -> tuple[tuple[ast.Import | ast.ImportFrom, ...], tuple[str, ...]]:
    """The imports of a Python file, and the names of its functions, at any depth; read once, and
    without the expressions, which hold neither and are most of it.
    """
    imports: list[ast.Import | ast.ImportFrom] = []
    functions = []
    waiting: list[Any] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            imports.append(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            functions.append(node.name)
        for inner in ("body", "orelse", "finalbody", "handlers", "cases"):
            found = getattr(node, inner, ())
            waiting += found if isinstance(found, list) else ()
    return tuple(imports), tuple(functions)


@pytest.mark.real
def test_git_has_the_same_list_of_files() -> None:
    try:
        names = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: there is no list of the repository's files")
    assert set(tracked()) == {ROOT / name for name in names if (ROOT / name).is_file()}


def test_no_package_index_is_named() -> None:
    hosts = (
        "pypi." + "org",
        "files.python" + "hosted",
        "proxy.golang" + ".org",
        "registry.npm" + "js",
    )
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="ignore")
        assert not [host for host in hosts if host in text], f"{path} names a package index"


def test_nothing_is_left_to_do() -> None:
    marks = re.compile(
        r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b"
    )
    for path in tracked():
        if path.suffix in (".json", ".sum", ".txt"):
            continue
        found = marks.search(path.read_text(encoding="utf-8", errors="ignore"))
        assert not found, f"{path}: {found}"


def test_pytest_and_this_file_mean_the_same_by_a_test_file() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert (options["testpaths"], options["python_files"], "collect_ignore" in options) == (
        ["tests"],
        ["test_*.py"],
        False,
    )
    assert not [
        path
        for path in tracked()
        if path.name.startswith("test_")
        and path.suffix == ".py"
        and ROOT / "tests" not in path.parents
    ]


def test_test_files_have_tests_of_distinct_names() -> None:
    """Of two functions of one name Python keeps the second, and pytest never sees the first."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        names = re.findall(
            r"^(?:async )?def (test_\w*)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
        assert names, f"{path} holds no test"
        assert len(names) == len(set(names)), path


def test_every_test_file_is_collected() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        if (
            "stand_in" in path.parts
            or "small_program" in path.parts
            or path.name.startswith("test_")
        ):
            continue
        functions = imports_and_functions(path)[1]
        assert not [name for name in functions if name.startswith("test_")], (
            f"pytest does not look into {path}"
        )


def test_requirements_are_pinned_by_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        blocks = path.read_text().replace("\\\n", " ").splitlines()
        pins = [
            line for line in blocks if line.strip() and not line.lstrip().startswith(("#", "--"))
        ]
        assert pins, path
        assert not [line for line in pins if "==" not in line or "--hash=sha256:" not in line], path


def test_every_dependency_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    block = text[text.index("dependencies = [") : text.index("\n]", text.index("dependencies = ["))]
    lines = [line for line in block.splitlines()[1:] if line.strip().startswith('"')]
    assert lines
    assert all("#" in line for line in lines)


def test_nothing_of_ours_is_imported_under_another_name() -> None:
    """A module that is loaded as `config.x` and as `jupyterhub_aws.config.x` is two modules,
    with two classes of each name.
    """
    ours = {path.name for path in (ROOT / "jupyterhub_aws").iterdir() if path.is_dir()} | {
        path.stem for path in (ROOT / "jupyterhub_aws").glob("*.py")
    }
    assert {"config", "components", "checks", "plan"} <= ours
    for path in [
        *ROOT.glob("*.py"),
        *(path for folder in _OF_OURS for path in (ROOT / folder).rglob("*.py")),
    ]:
        for node in imports_and_functions(path)[0]:
            plain = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names = (
                [*plain, node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else plain
            )
            assert not {name.partition(".")[0] for name in names} & ours, (
                f"{path.relative_to(ROOT)}:{node.lineno}"
            )


def test_only_one_module_reads_pulumi_config() -> None:
    for folder in ("config", "components", "jupyterhub_aws"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text if "pulumi.Config" in text else "")
            attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
            names = {
                f"{node.value.id}.{node.attr}"
                for node in attributes
                if isinstance(node.value, ast.Name)
            }
            notes = ROOT / "jupyterhub_aws" / "plan" / "sdk.py"  # which keys a program reads
            assert ("pulumi.Config" in names) == (
                path in (ROOT / "components" / "stack_config.py", notes)
            ), path


def test_only_one_module_makes_clients_of_aws_and_none_below_the_command_does() -> None:
    def imported(path: Path) -> set[str]:
        nodes = imports_and_functions(path)[0]
        plain = {
            alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
        }
        return {
            name.partition(".")[0]
            for name in plain
            | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        }

    account = ROOT / "jupyterhub_aws" / "operate" / "live" / "account.py"
    for folder in ("config", "components", "jupyterhub_aws", "scripts"):
        for path in (ROOT / folder).rglob("*.py"):
            found = imported(path)
            assert "boto3" not in found or path == account or folder == "scripts", path
            assert "botocore" not in found or folder in ("jupyterhub_aws", "scripts"), path
    assert "boto3" in imported(account)


def test_no_command_opens_a_connection_of_its_own() -> None:
    """`http_client.py` decides which certificates are trusted, and what goes through a proxy."""
    for path in (ROOT / "jupyterhub_aws").rglob("*.py"):
        text = path.read_text()
        assert not re.search(r"import (urllib\.request|http\.client|requests)\b", text), path
        own = re.search(r"httpx\.(Client|get|post|put|request|stream)\(|HTTPTransport", text)
        assert not own or path.name == "http_client.py", path


def test_private_names_of_the_sdk_are_in_one_module_read_in_the_locked_version() -> None:
    from jupyterhub_aws.components import pulumi_internals as internals

    locked = re.search(r"^pulumi==(\S+)", (ROOT / "requirements/runtime.txt").read_text(), re.M)
    assert locked is not None and internals.READ_IN == locked[1], "read each name anew in this SDK"
    assert hasattr(internals.resource_runtime, internals.REPLACED)
    private = []
    product = (
        path
        for folder in ("config", "components", "jupyterhub_aws")
        for path in (ROOT / folder).rglob("*.py")
    )
    for path in product:
        for node in imports_and_functions(path)[0]:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pulumi"):
                parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
                if any(part.startswith("_") for part in parts):
                    private.append(path.name)
    assert set(private) == {"pulumi_internals.py"}


def test_no_code_makes_an_arn_of_one_partition_alone() -> None:
    """China and GovCloud have others: components/iam.py's `partition_of` knows them."""
    for folder in ("config", "components", "jupyterhub_aws"):
        for path in (ROOT / folder).rglob("*.py"):
            assert 'f"arn:aws:' not in path.read_text(encoding="utf-8"), path
