"""Which files `jhub migrate` looks at, and what becomes of each: computed whole and compared
with its meaning before anything is written.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.config.errors import ConfigError, Problem, dotted, names_secret, refused
from jupyterhub_aws.config.formats import FORMAT, STEPS, Edit, applied, clashes, declared, newer
from jupyterhub_aws.config.keys import canonical_key
from jupyterhub_aws.config.project import Project, find_project, unnamed_project
from jupyterhub_aws.config.stack import PROJECT, file_key
from jupyterhub_aws.config.stack_file import find, parsed, read
from jupyterhub_aws.migrate.text import UnsafeError, YamlText, sections

if TYPE_CHECKING:
    from rich.console import Console


_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml")
#: Sections of which every stack file of this library has one: others are other programs'
#: (examples/backend).
_OURS = frozenset({"cloud_stack", "cluster", "hubs", "network", "pools"})


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One file in its old and in its new form. `source` is the format that it had; `edits` are
    the words that change, besides the line `format`.
    """

    path: Path
    old: str
    new: str
    source: int
    edits: tuple[Edit, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return self.old != self.new


def targets(named: Sequence[str], folder: Path) -> list[Path]:
    """The stack files of these names or paths, or else all of a folder; then each Pulumi.yaml whose
    values for all stacks they take.

    Raises ConfigError with every name for which there is no file, and for a folder without stack
    files.
    """
    problems: list[Problem] = []
    found: list[Path] = []
    for name in named:
        try:
            found.append(find(name, folder))
        except ConfigError as error:
            problems += [replace(problem, path=error.source) for problem in error.problems]
    if not named:
        found = [
            path for path in sorted(folder.glob("Pulumi.*.yaml")) if not _of_another_program(path)
        ]
        if not found:
            what = f"finds no stack file in {folder}"
            fix = "run it where Pulumi.yaml is, or name the files"
            problems.append(Problem(id="migrate.no-file", path="", what=what, fix=fix))
    if problems:
        raise ConfigError("jhub migrate", problems)
    of_projects = [
        path
        for file in found
        if file.name not in _PROJECT_FILES and (path := _project_file(file.absolute().parent))
    ]
    every = {path.resolve(): path for path in (*found, *of_projects)}
    return list(every.values())


def _project_file(folder: Path) -> Path | None:
    """The Pulumi.yaml upwards from a folder; not the library's own, which is used where a folder
    has none.
    """
    found = find_project(folder)
    path = None if found is None else found.path
    return path if path is not None and folder.is_relative_to(path.parent) else None


def _of_another_program(path: Path) -> bool:
    """Whether a file is readable, and none of its options is this library's."""
    try:
        return not _OURS & sections(parsed(_text(path)), _project_of(path).name).keys()
    except (ConfigError, ValueError, AttributeError):
        return False  # what is wrong with it is said later


def migrated(path: Path) -> Migration:
    """What becomes of a file. Raises ConfigError, with every problem, for one that is not
    readable, is of a newer format or cannot be changed safely.
    """
    if path.name in _PROJECT_FILES:
        return _of_project(path)
    read(path)  # whatever makes a file unreadable to every command
    text = _text(path)
    project = _project_of(path)
    document = parsed(text)
    own = sections(document, project.name)
    if not _OURS & own.keys():
        fix = f"name a stack file of JupyterHub, which has one of {', '.join(sorted(_OURS))}"
        what = "has no section of this library"
        raise refused(path.name, "migrate.no-section", "config", what, fix)
    usual = project.defaults.get("format", project.defaults.get(file_key("format")))
    raw = own.get("format", usual)
    number = _format(path, raw)
    found = _stepped(path, text, project, number)
    if "format" in own or raw is None:
        found = _stamped(path, found, project)
    return found


def _of_project(path: Path) -> Migration:
    """A Pulumi.yaml: no line `format` is written there, where it would speak for every stack
    file.
    """
    project = _project_of(path)
    text = _text(path)
    config = parsed(text).get("config")
    if not isinstance(config, Mapping):
        return Migration(path=path, old=text, new=text, source=FORMAT)
    raw = sections({"config": config}, project.name, wrapped=True).get("format")
    return _stepped(path, text, project, _format(path, raw), wrapped=True)


def _text(path: Path) -> str:
    """The file as it is, line ends included. Raises ConfigError."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        fix = "look at its owner and mode"
        raise refused(path.name, "file.unreadable", "", what, fix) from None


def _format(path: Path, raw: object) -> int:
    number = declared(raw)
    if later := newer(raw):
        raise ConfigError(path.name, [later])
    if number is None or number < 1:
        what, fix = "is no format of a stack file", f"write 1 to {FORMAT}, or remove the line"
        raise refused(path.name, "format.malformed", "format", what, fix)
    return number


def _project_of(path: Path) -> Project:
    folder = path.absolute().parent
    return find_project(folder) or unnamed_project(folder)


def _stepped(
    path: Path, text: str, project: Project, number: int, *, wrapped: bool = False
) -> Migration:
    """All steps from a format on, each on the text that the one before left."""
    new = text
    edits: list[Edit] = []
    for step in STEPS:
        if step.source < number:
            continue
        before = parsed(new)
        found = step.edits(sections(before, project.name, wrapped=wrapped))
        if problems := list(clashes(sections(before, project.name, wrapped=wrapped), found)):
            raise ConfigError(path.name, problems)
        if not found:
            continue
        after = _edited(path, new, project.name, found, wrapped=wrapped)
        expected = applied(sections(before, project.name, wrapped=wrapped), found)
        if not _means(after, before, expected, project.name, wrapped=wrapped):
            raise ConfigError(path.name, [_by_hand(edit.words, edit) for edit in found])
        new, edits = after, [*edits, *found]
    return Migration(path=path, old=text, new=new, source=number, edits=tuple(edits))


def _edited(path: Path, text: str, project: str, edits: Sequence[Edit], *, wrapped: bool) -> str:
    try:
        return YamlText(text, project, wrapped=wrapped).edited(edits)
    except UnsafeError as error:
        concerned = [edit for edit in edits if edit.words == str(error)] or list(edits)
        raise ConfigError(path.name, [_by_hand(str(error), edit) for edit in concerned]) from None


def _by_hand(words: str, edit: Edit) -> Problem:
    what = (
        "has a form in which no word can be replaced alone (an anchor, or text over several lines)"
    )
    return Problem(
        id="migrate.by-hand",
        path=dotted(edit.place),
        what=what,
        fix=f"write it yourself: {words}; then run jhub migrate again",
    )


def _stamped(path: Path, found: Migration, project: Project) -> Migration:
    """The same with the line that says today's format."""
    if _declares(found.new, project.name):
        return found
    before = parsed(found.new)
    try:
        new = YamlText(found.new, project.name).stamped(FORMAT)
        right = _declares(new, project.name) and _means(
            new, before, sections(before, project.name), project.name
        )
    except (UnsafeError, ValueError):  # a line there would be no YAML any more
        right = False
    if not right:
        what = "is not there, and the file has a form in which no line can be added safely"
        fix = f"add the line yourself, below `config:`: format: {FORMAT}"
        raise refused(path.name, "migrate.by-hand", "format", what, fix)
    return Migration(
        path=found.path, old=found.old, new=new, source=found.source, edits=found.edits
    )


def _declares(text: str, project: str) -> bool:
    raw = sections(parsed(text), project).get("format")
    return raw is not None and declared(raw) == FORMAT


def _means(
    text: str, before: Any, expected: Mapping[str, Any], project: str, *, wrapped: bool = False
) -> bool:
    """Whether a text says these sections, and of everything else what a document said before.
    The line `format` is compared elsewhere.
    """
    try:
        after = parsed(text)
        found = sections(after, project, wrapped=wrapped)
    except (ValueError, AttributeError):
        return False
    return _as_text(found) == _as_text(expected) and _as_text(
        dict(_others(after, project))
    ) == _as_text(dict(_others(before, project)))


def _others(document: Mapping[Any, Any], project: str) -> Iterator[tuple[str, Any]]:
    """What is no option of the program: keys of providers, and what is beside `config`."""
    yield from ((f"/{key}", value) for key, value in document.items() if key != "config")
    yield from (
        (str(key), value)
        for key, value in document["config"].items()
        if not canonical_key(str(key), project).startswith(f"{PROJECT}:")
    )


def _as_text(data: Mapping[str, Any]) -> str:
    """Data in a form that compares by value, whatever is in it (no number is not equal to
    itself, dates have no JSON).
    """
    return repr({key: value for key, value in data.items() if key != "format"})


def write(found: Sequence[Migration]) -> None:
    """Write the files that change, each at once. Raises ConfigError, with all of them as they
    were, where one of them cannot be written.
    """
    from jupyterhub_aws.cli.output import to_file

    changed = [item for item in found if item.changes]
    problems = [
        Problem(
            id="file.read-only",
            path=item.path.name,
            what="is read-only",
            fix=f"make it writable (chmod u+w {item.path}), and run jhub migrate again",
        )
        for item in changed
        if not item.path.stat().st_mode & 0o222 or not os.access(item.path, os.W_OK)
    ]
    if problems:
        raise ConfigError("jhub migrate", problems)
    for item in changed:
        to_file("jhub migrate", "--write", str(item.path), item.new)


# --- A migration as the operator reads it: a unified diff, coloured in a terminal, without what may
# be secret.


_STYLES = {"+": "green", "-": "red", "@": "cyan"}
#: A key and what follows it in its line.
_PAIR = re.compile(
    r"""(?P<key>["']?(?P<name>[\w.:/-]+)["']?\s*:\s+)(?P<value>[^\s#{[&*][^,}\]]*)"""
)
_HIDDEN = "…"
DATA = "jupyterhub-aws/migrate/1"


def as_data(found: Sequence[Migration], *, written: bool) -> dict[str, Any]:
    """What changes in each file, as data. Like the text it shows no value that may be a secret."""
    files = [
        {
            "path": str(item.path),
            "from": item.source,
            "to": FORMAT,
            "changes": item.changes,
            "edits": [
                {"path": dotted(edit.place), "of": edit.of, "old": edit.old, "new": edit.new}
                for edit in item.edits
            ],
            "difference": list(difference(item)),
        }
        for item in found
    ]
    written = written and any(item.changes for item in found)
    return {"format": DATA, "written": written, "files": files}


def show(console: Console, found: Migration) -> None:
    """Print what changes in one file."""
    from rich.text import Text

    name = found.path.name
    if not found.changes:
        console.print(Text(f"{name}: nothing to change, format {found.source}"), soft_wrap=True)
        return
    count = len(found.edits)
    words = f"{count} {'name' if count == 1 else 'names'}" if count else "no name changes"
    console.print(
        Text(f"{name}: format {found.source} → {FORMAT}, {words}", style="bold"), soft_wrap=True
    )
    for line in difference(found):
        console.print(
            Text(
                line, style="bold" if line.startswith(("---", "+++")) else _STYLES.get(line[:1], "")
            ),
            soft_wrap=True,
        )


def difference(found: Migration) -> Iterator[str]:
    """The lines of the diff. Values under names that may hold a secret are not shown."""
    name = found.path.name
    old, new = (text.replace("\r\n", "\n").split("\n") for text in (found.old, found.new))
    yield from (
        _masked(line) for line in difflib.unified_diff(old, new, name, name, n=2, lineterm="")
    )


def _masked(line: str) -> str:
    def shown(match: re.Match[str]) -> str:
        hidden = match["name"] == "secure" or names_secret(match["name"])
        return match["key"] + (_HIDDEN if hidden else match["value"])

    return _PAIR.sub(shown, line)
