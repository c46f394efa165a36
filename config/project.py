"""The project: the folder of the nearest Pulumi.yaml, as the Pulumi engine finds it. Stack
files, program, relative paths and environment belong to that folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.errors import ConfigError, refused, shown

#: This library's own namespace of configuration keys, whatever the project is called.
PROJECT = "jupyterhub-aws"
#: Where a virtual environment is when Pulumi.yaml names none (`jhub init` writes the same).
_ENVIRONMENT = ".venv"


@dataclass(frozen=True, kw_only=True)
class Program:
    """What the engine would run, and in which folder. `file` is None where the folder has no
    program: the library has one for stack files.
    """

    folder: Path
    file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Project:
    """What a Pulumi.yaml says (schema: sdk/go/common/workspace/project.go, v3.260).

    `path` is the file, `name` prefixes configuration keys, `defaults` are values for stack files
    that do not say otherwise, `main` is where the program is and `stack_files` where stack files
    are, both from the folder of the file; `runtime` is the program's language.
    """

    path: Path
    name: str = PROJECT
    defaults: Mapping[str, Any] = field(default_factory=dict)
    main: str = ""
    stack_files: str = ""
    runtime: str = "python"
    virtualenv: str = _ENVIRONMENT

    @property
    def folder(self) -> Path:
        """The folder of Pulumi.yaml."""
        return self.path.parent

    @property
    def stack_folder(self) -> Path:
        """Where the engine looks for stack files."""
        return self.folder / self.stack_files

    @property
    def working_folder(self) -> Path:
        """Where the engine runs the program, and where relative paths of stack files start."""
        main = self.folder / self.main
        return main.parent if main.is_file() else main

    @property
    def environment(self) -> Path:
        """The Python of the project's virtual environment, whether it exists or not."""
        return self.folder / self.virtualenv / "bin" / "python"

    def program(self) -> Program:
        """The program. Raises ConfigError for one that is not where Pulumi.yaml says, or in a
        language that cannot be evaluated here.
        """
        if self.runtime != "python":
            what = (
                f"is {shown(self.runtime)}: only Python programs can be evaluated without the"
                " engine"
            )
            fix = (
                "use `pulumi preview` for it; for a plan of a stack file alone, keep it in a folder"
                " with `runtime: python`"
            )
            raise self._refused("project.runtime", "runtime", what, fix)
        main = self.folder / self.main
        file = main if main.is_file() else main / "__main__.py"
        if file.is_file():
            return Program(folder=file.parent, file=file)
        if self.main:
            what = f"names {self.main}, where there is no __main__.py"
            fix = "write the folder of the program, or remove the line"
            raise self._refused("project.no-program", "main", what, fix)
        return Program(folder=self.folder)

    def _refused(self, which: str, path: str, what: str, fix: str) -> ConfigError:
        return refused(self.path.name, which, path, what, fix)


def find_project(folder: Path) -> Project | None:
    """The project that the engine finds from a folder, or None. Raises ConfigError for a
    Pulumi.yaml that is not readable or has no name.
    """
    folder = folder.absolute()
    above = (
        candidate / name
        for candidate in (folder, *folder.parents)
        for name in ("Pulumi.yaml", "Pulumi.yml")
    )
    found = next((path for path in above if path.is_file()), None)
    return None if found is None else _project(found, found.stat().st_mtime_ns)


def project_of(folder: Path) -> Project:
    """The project that the engine finds from a folder. Raises ConfigError where there is none
    too.
    """
    found = find_project(folder)
    if found is None:
        what = (
            f"is neither in {folder.absolute()} nor in a folder above it, so nothing there is a"
            " Pulumi project"
        )
        fix = "make one with `jhub init`, or change into the folder of yours"
        raise refused("Pulumi.yaml", "project.none", "", what, fix)
    return found


def pinned_by_hash(requirements: str) -> bool:
    """Whether a requirements file pins packages by hash (pip, "Secure installs"): then it must
    name all of them.
    """
    return "--hash=" in requirements


def stack_folder(root: Path) -> Path:
    """The folder of the stack files of a project: beside its Pulumi.yaml, unless that names
    another.
    """
    found = find_project(root)
    return found.stack_folder if found is not None and found.folder == root.absolute() else root


def unnamed_project(folder: Path) -> Project:
    """A substitute for the project of a folder without Pulumi.yaml: a stack file is written
    there first.
    """
    return Project(path=folder.absolute() / "Pulumi.yaml")


@lru_cache(maxsize=8)
def _project(path: Path, _changed: int) -> Project:
    from jupyterhub_aws.config.stack_file import parsed

    try:
        document = parsed(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        fix = f"repair {path}: Pulumi reads it too"
        raise refused(path.name, "project.not-yaml", "", "is not readable as YAML", fix) from None
    said = document if isinstance(document, Mapping) else {}
    name = said.get("name")
    if not isinstance(name, str) or not name:
        fix = f"write `name: {PROJECT}` in {path}"
        what = "is missing: unprefixed keys of stack files belong to the project of this name"
        raise refused(path.name, "project.no-name", "name", what, fix)
    config, runtime = said.get("config"), said.get("runtime")
    of_runtime = runtime if isinstance(runtime, Mapping) else {"name": runtime}
    options = of_runtime.get("options")
    return Project(
        path=path,
        name=name,
        defaults=dict(_defaults(config)) if isinstance(config, Mapping) else {},
        main=_text(said, "main"),
        stack_files=_text(said, "stackConfigDir")
        or (config if isinstance(config, str) else ""),  # its former name
        runtime=_text(of_runtime, "name") or "python",
        virtualenv=(_text(options, "virtualenv") if isinstance(options, Mapping) else "")
        or _ENVIRONMENT,
    )


def _text(said: Mapping[Any, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _defaults(config: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Values that Pulumi.yaml has for every stack: a scalar, or a map with `default` or `value`
    (mergeConfig in sdk/go/common/workspace/config.go).
    """
    for key, entry in config.items():
        if not isinstance(entry, Mapping):
            yield str(key), entry
        elif (value := entry.get("default", entry.get("value"))) is not None:
            yield str(key), value
