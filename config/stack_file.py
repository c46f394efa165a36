"""Reading a stack file as the engine does: which strings it would pass to the program, and which
values are encrypted.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.errors import ConfigError, Problem, did_you_mean, dotted, refused, shown
from jupyterhub_aws.config.keys import canonical, canonical_key, misplaced
from jupyterhub_aws.config.project import Project, project_of
from jupyterhub_aws.config.stack import PROJECT, file_key

#: What a stack inside a cluster has in its own file: the outer stack's name, and its imports.
CLOUD_STACK, IMPORTS, FORMAT_KEY = file_key("cloud_stack"), file_key("imports"), file_key("format")
#: What the engine itself writes into a stack file, beside `config`
#: (sdk/go/common/workspace/project.go, ProjectStack).
_OF_THE_ENGINE = {"secretsprovider", "encryptedkey", "encryptionsalt", "environment"}
_INDEX = re.compile(r"\[\d{1,4}\]", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """A stack's name and configuration, by the one spelling of each key (config/keys.py). `path` is
    absolute.

    `sealed` are the keys under `secure:`, each with what tells its ciphertext from another; no
    value is ever read. `home` is the project that the engine would find; `environments` says that
    Pulumi ESC adds values. `outer_settings` are settings for the file of its `cloud_stack`.
    """

    stack: str
    source: str
    values: dict[str, str]
    sealed: dict[str, str]
    path: Path
    home: Project
    environments: bool = False
    outer_settings: tuple[str, ...] = ()

    @property
    def secret(self) -> tuple[str, ...]:
        """The keys under `secure:`."""
        return tuple(sorted(self.sealed))

    @property
    def project(self) -> str:
        """The project's name."""
        return self.home.name

    @property
    def data(self) -> dict[str, Any]:
        """The plain values with maps and lists decoded."""
        return {key: data_of(text) for key, text in self.values.items()}

    @property
    def engine_option(self) -> str:
        """The option of `pulumi` for this file: empty where the engine finds it by default."""
        return (
            ""
            if self.path.parent.resolve() == self.home.stack_folder.resolve()
            else f" --config-file {_told(self.path)}"
        )


def _told(path: Path) -> Path:
    """The shortest form of a path from the working directory."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def stack_names(folder: Path) -> set[str]:
    """The names of the stacks whose files are in a folder."""
    return {
        item.name.removeprefix("Pulumi.").removesuffix(".yaml")
        for item in folder.glob("Pulumi.*.yaml")
        if item.is_file()
    }


def find(stack: str, folder: Path) -> Path:
    """The file of a stack, given its name or a path. Raises ConfigError where there is none,
    naming the existing ones.
    """
    path = Path(stack) if stack.endswith((".yaml", ".yml")) else folder / f"Pulumi.{stack}.yaml"
    if path.is_file():
        return path
    there = sorted(stack_names(folder))
    name = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    among = f"name a stack ({', '.join(there) or 'none here yet'}) or the path of a stack file"
    fix = did_you_mean(name, there, among)
    raise refused(path.name, "stack-file.missing", "", "this file does not exist", fix)


def read(path: Path, settings: Sequence[str] = (), home: Project | None = None) -> StackFile:
    """Read a stack file, with `path=value` settings on top. Raises ConfigError for a file that is
    not one, or that is in no project.

    `home` is the project that it is read for, where it is not in that project's folder.
    """
    path = path.absolute()  # now: an evaluation changes the folder
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        document = parsed(text)
    except OSError as error:
        what, fix = f"cannot be read ({error.strerror})", "look at its rights"
        raise refused(path.name, "file.unreadable", "", what, fix) from None
    except ValueError as error:
        raise ConfigError(path.name, [_unreadable(error, text)]) from None
    config = document.get("config") if isinstance(document, dict) else None
    beside = list(misplaced(document)) if isinstance(document, dict) else []
    if (
        config is None
        and isinstance(document, dict)
        and document
        and document.keys() <= _OF_THE_ENGINE
    ):
        raise ConfigError(path.name, [_only_made(path)])
    if not isinstance(config, dict):
        missing = Problem(
            id="stack-file.no-config",
            path="config",
            what="is missing",
            fix="put everything under `config:`; Pulumi.dev.yaml shows how",
        )
        raise ConfigError(path.name, [missing, *beside])
    if beside:
        raise ConfigError(path.name, beside)
    project = home or project_of(path.parent)
    config = canonical({str(key): value for key, value in config.items()}, project.name, path.name)
    for key, value in canonical(project.defaults, project.name, "Pulumi.yaml").items():
        config.setdefault(key, value)
    own, others = _split(settings, config, project.name)
    for setting in own:
        set_option(config, setting, path.name, project.name)
    strings = {key: _handed_over(key, value, path.name) for key, value in config.items()}
    values = {key: text for key, text in strings.items() if text is not None}
    return StackFile(
        stack=path.name.removeprefix("Pulumi.").removesuffix(".yaml").removesuffix(".yml"),
        source=path.name,
        values=values,
        sealed={key: _fingerprint(config[key]) for key in strings.keys() - values.keys()},
        path=path,
        home=project,
        environments=bool(document.get("environment")),
        outer_settings=others,
    )


def _only_made(path: Path) -> Problem:
    """`pulumi stack init` writes a file of its own beside Pulumi.yaml, whatever `--config-file`
    says later: with its key, and without configuration.
    """
    others = (
        sorted(str(item.relative_to(path.parent)) for item in path.parent.glob(f"*/*/{path.name}"))
        if path.parent.is_dir()
        else []
    )
    fix = "copy a stack's configuration into it; Pulumi.dev.yaml shows one"
    if others:
        fix = (
            f"put the configuration into it: cat {others[0]} >> {path.name}; or name the other"
            f" file: jhub plan {others[0]}"
        )
    return Problem(
        id="stack-file.no-config",
        path="config",
        what="is missing: this file holds only what `pulumi stack init` wrote",
        fix=fix,
    )


def _split(
    settings: Sequence[str], config: dict[str, Any], project: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Settings for this file, and those for the file that a stack inside a cluster takes its
    sections from.
    """
    heads = [(_key_of(setting, project), setting) for setting in settings]
    if CLOUD_STACK not in config and all(key != CLOUD_STACK for key, _ in heads):
        return tuple(settings), ()
    mine = [
        key in (CLOUD_STACK, IMPORTS, FORMAT_KEY) or key.startswith(f"{PROJECT}:hub-")
        for key, _ in heads
    ]
    return (
        tuple(setting for own, (_, setting) in zip(mine, heads, strict=True) if own),
        tuple(setting for own, (_, setting) in zip(mine, heads, strict=True) if not own),
    )


def _key_of(setting: str, project: str) -> str:
    """The key that a `path=value` setting is about."""
    head = setting.partition("=")[0].replace("[", ".").partition(".")[0]
    return canonical_key(head, project) if ":" in head else file_key(head)


def parsed(text: str) -> Any:
    """A YAML document as data. Raises ValueError, and nothing else, for text that is not YAML."""
    from ruamel.yaml import YAML

    try:
        return YAML(typ="safe").load(text)
    # besides YAMLError whatever a constructor trips over: a 13th month, `!!bool maybe`, too many
    # brackets
    except Exception as error:
        raise ValueError(str(error)) from error


def _fingerprint(value: object) -> str:
    """A short digest of a ciphertext, which is salted: it tells that a secret was encrypted
    anew, and nothing about it.
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _handed_over(key: str, value: object, source: str) -> str | None:
    """A value as the engine hands it over, or None where it is encrypted."""
    try:
        return None if _has_secure(value) else engine_string(value)
    except (TypeError, ValueError, RecursionError):
        what = "cannot become JSON: a key in it is not text, or it contains itself"
        fix = "write plain text as keys, and no `&` and `*`"
        raise refused(source, "stack-file.not-json", dotted((key,)), what, fix) from None


def _unreadable(error: ValueError, text: str) -> Problem:
    cause = error.__cause__ or error
    mark = getattr(cause, "problem_mark", None)
    where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    # ruamel quotes the values of a duplicate key: one of them may be a secret's
    # ciphertext.
    reason = (
        str(getattr(cause, "problem", None) or cause or type(cause).__name__)
        .partition(" with value ")[0]
        .splitlines()[0]
    )
    line = _line_of(text, mark.line if mark is not None else -1)
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return Problem(
            id="stack-file.tab",
            path="",
            what=(
                f"is not readable as YAML{where}: the line begins with a tab, and YAML is indented"
                " with spaces"
            ),
            fix="replace the tab by spaces",
        )
    if "{{" in line:
        what = (
            f"is not readable as YAML{where}: braces begin a map there, and two of them begin a map"
            " as a key"
        )
        return Problem(
            id="stack-file.braces",
            path="",
            what=what,
            fix="write the value itself (nothing fills in a template here), or put it in quotes",
        )
    if mark is not None and reason.startswith("expected ',' or"):
        reason = f"a list or map in brackets does not end before this line ({reason})"
    return Problem(
        id="stack-file.not-yaml",
        path="",
        what=f"is not readable as YAML{where}: {reason}",
        fix="correct the indentation, the brackets or the quotes there",
    )


def _line_of(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number] if 0 <= number < len(lines) else ""


def _has_secure(value: object) -> bool:
    """One `secure:` anywhere inside makes the whole key secret (measured on the engine)."""
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(_has_secure(item) for item in value.values())
    return isinstance(value, list) and any(_has_secure(item) for item in value)


def engine_string(value: object) -> str:
    """A configuration value as the engine hands it over: maps and lists as JSON, scalars as
    text.
    """
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=_dated)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def data_of(text: str) -> Any:
    """The inverse: the map or list that a value from the engine encodes, or the value itself."""
    try:
        return json.loads(text) if text[:1] in ("{", "[") else text
    except ValueError:  # text that only begins like one
        return text


def _dated(value: object) -> str:
    return (
        value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else str(value)
    )


def _line(text: str) -> str:
    """Text as a message quotes it: a message is one line."""
    return text if text.isprintable() else shown(text)


def set_option(config: dict[str, Any], setting: str, source: str, project: str = PROJECT) -> None:
    """Apply one `path=value` to a configuration by its keys; paths are as in messages
    (`pools.core.size`, `network.zones[0]`), values YAML or JSON.

    Raises ConfigError, in the name of `source`, for a malformed setting or a path that does not
    exist.
    """
    path, equals, text = setting.partition("=")
    parts = [part for part in path.replace("[", ".[").split(".") if part]
    option = f"--set {_line(path)}"
    if not equals or not parts:
        fix = "write for example --set pools.core.size=3"
        raise refused(source, "set.form", option, "is not of the form path=value", fix)
    try:
        value = parsed(text)
    except ValueError:
        what = f"has a value that is neither YAML nor JSON (got {shown(text)})"
        raise refused(source, "set.value", option, what, "quote it for your shell") from None
    head, *rest = parts
    key = canonical_key(head, project) if ":" in head else file_key(head)
    if not rest:
        config[key] = value
        return
    here: Any = config.setdefault(key, {})
    for index, part in enumerate(rest):
        last = index == len(rest) - 1
        where: Any = int(part[1:-1]) if _INDEX.fullmatch(part) else part
        fits = (isinstance(here, list) and isinstance(where, int) and where < len(here)) or (
            isinstance(here, dict) and isinstance(where, str)
        )
        if not fits:
            fix = "compare the path with the stack file"
            raise refused(source, "set.no-place", option, f"does not exist at {_line(part)}", fix)
        if last:
            here[where] = value
        elif isinstance(here, dict):
            here = here.setdefault(where, {})
        else:
            here = here[where]
