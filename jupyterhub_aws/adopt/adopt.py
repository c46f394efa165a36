"""From a scanned account to a stack file with an import map: drafted, evaluated by the program
itself, matched, and evaluated again with the map.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jupyterhub_aws.adopt.draft import StackDraft, by_reference, owning, reasons_against_owning
from jupyterhub_aws.adopt.match import Outcome, matched
from jupyterhub_aws.adopt.matchers.cluster import CONTROL_PLANE
from jupyterhub_aws.adopt.queries import Live
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.cli.options import not_for_data
from jupyterhub_aws.cli.output import to_file, to_target
from jupyterhub_aws.config.errors import ConfigError, Problem, refused
from jupyterhub_aws.config.keys import canonical_key
from jupyterhub_aws.config.project import Project, find_project, unnamed_project
from jupyterhub_aws.config.stack import file_key
from jupyterhub_aws.config.stack_file import IMPORTS, StackFile, read
from jupyterhub_aws.config.stack_text import to_fill_in


@dataclass(kw_only=True)
class Adoption:
    """A stack file for a cluster. `reasons` say why the cluster is used in place; `problems` are
    what the plan still finds wrong with the file.
    """

    text: str
    kind: str
    outcome: Outcome
    reasons: list[str] = field(default_factory=list)
    to_fill_in: list[tuple[str, str]] = field(default_factory=list)
    problems: tuple[Problem, ...] = ()
    resources: int = 0

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do or to look for by hand."""
        return not (
            self.to_fill_in
            or self.problems
            or any(item.is_unreadable for item in self.outcome.missing)
        )


def adopted(live: Live, path: Path) -> Adoption:
    """The file that takes the cluster over, or, where that would replace it, the one that uses
    it in place. It will be `path`, in the project there.
    """
    reasons = reasons_against_owning(live)
    if not reasons:
        found = _tried(owning(live), live, path)
        refused = found.outcome.refusal(CONTROL_PLANE)
        if refused is None:
            return found
        reasons = [
            f"importing it would replace it: {because}"
            for because in (*refused.because, *_blocking_reasons(found.outcome))
        ]
    found = _tried(by_reference(live, reasons), live, path)
    found.reasons = reasons
    return found


def again(live: Live, path: Path) -> Adoption:
    """The same for a stack file that exists already: nothing in it changes but
    `imports`.
    """
    file = read(path, home=_home(path))
    found = Adoption(text="", kind="as written", outcome=Outcome())
    try:
        found.outcome = _outcome(_without_imports(file), live, found)
        found.text = _with_imports(path, found.outcome.imports)
        _confirm(found, path)
    except ConfigError as error:
        found.problems = error.problems
    return found


def _blocking_reasons(outcome: Outcome) -> list[str]:
    """What prevents the import of the cluster itself: its role, its key."""
    return [
        f"{item.subject}: {because}"
        for item in outcome.refused
        if not item.subject.startswith(CONTROL_PLANE)
        and item.subject.endswith(("::cluster-role", "::cluster-key"))
        for because in item.because
    ]


def _home(path: Path) -> Project:
    """The project of a file that is to be written: it may come before its Pulumi.yaml."""
    return find_project(path.absolute().parent) or unnamed_project(path.parent)


def _tried(draft: StackDraft, live: Live, path: Path) -> Adoption:
    """Evaluate a draft with the program, match it, and evaluate it once more with its map: an
    entry that nothing uses would be an error there.
    """
    found = Adoption(
        text=draft.text({}),
        kind=draft.kind,
        outcome=Outcome(),
        to_fill_in=list(to_fill_in(draft.sections)),
    )
    try:
        found.outcome = _outcome(_parsed(found.text, path), live, found)
        found.text = draft.text(found.outcome.imports)
        _confirm(found, path)
    except ConfigError as error:
        found.problems = error.problems
    return found


def _outcome(file: StackFile, live: Live, found: Adoption) -> Outcome:
    resources = evaluated(file)
    found.resources = len(resources)
    return matched(resources, live)


def _confirm(found: Adoption, path: Path) -> None:
    """Raise ConfigError where the program, given the map, does not use every entry of it."""
    if not found.outcome.imports:
        return
    resources = evaluated(_parsed(found.text, path))
    used = {f"{item.type}::{item.name}" for item in resources if item.import_id}
    unused = sorted(set(found.outcome.imports) - used)
    if unused:
        raise ConfigError(
            path.name,
            [
                Problem(
                    id="imports.unused",
                    path=f"imports.{key}",
                    what="is used by no resource",
                    fix="report this: the scan should not have written it",
                )
                for key in unused
            ],
        )


def evaluated(file: StackFile) -> Resources:
    """What this library registers for a stack file: what the caller's program adds beside it is
    not a scan's to match. Raises ConfigError.
    """
    from jupyterhub_aws.plan.plan import recorded

    return recorded(file)[1].resources.own


def _parsed(text: str, path: Path) -> StackFile:
    """A text as the file that it will be."""
    with tempfile.TemporaryDirectory(prefix="jhub-") as folder:
        draft = Path(folder) / path.name
        draft.write_text(text, encoding="utf-8")
        return read(draft, home=_home(path))


def _without_imports(file: StackFile) -> StackFile:
    values = {key: value for key, value in file.values.items() if key != IMPORTS}
    return replace(file, values=values)


def _with_imports(path: Path, imports: dict[str, str]) -> str:
    """The file with this map and everything else as it is, comments included."""
    import io

    from ruamel.yaml import YAML

    yaml, out = YAML(), io.StringIO()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    document = yaml.load(path.read_text(encoding="utf-8"))
    config, project = document["config"], _home(path).name
    spelled = {canonical_key(str(key), project): str(key) for key in config}
    config.pop(spelled.get(IMPORTS, ""), None)
    if imports:  # as the file spells this key, or its others
        prefix = spelled.get(file_key("name"), "name").removesuffix("name")
        config[spelled.get(IMPORTS) or f"{prefix}imports"] = dict(imports)
    yaml.dump(document, out)
    return out.getvalue()


# --- The three commands of `jhub adopt`, from their options to their exit codes.


_SCAN, _CONFIG = "jhub adopt scan", "jhub adopt config"
_STACK = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)


def scanned(stack: str, options: Mapping[str, Any]) -> int:
    """Scan, write, report. 0: nothing left to do; 1: something is. Raises ConfigError."""
    path = _target(_SCAN, stack, options["out"], again=options["again"])
    _own_data_file(_SCAN, options["json_file"])
    _region(options["region"])
    from jupyterhub_aws.adopt.scan import scan
    from jupyterhub_aws.operate.live.account import connect

    account = connect(_SCAN, options["region"], expected=options["account"], changes=False)
    live = scan(account, options["cluster"], options["file_system"])
    # service models take more memory than the scan does, and the program's evaluation follows
    account.clients.clear()
    from jupyterhub_aws.adopt.show import ScanReport, as_json
    from jupyterhub_aws.cli.console import Terminal

    found = again(live, path) if options["again"] else adopted(live, path)
    if found.text:
        to_file(_SCAN, "--out", str(path), found.text)
    _give_data(_SCAN, options["json_file"], as_json(found, live, stack, _named(path, options)))
    if options["json_file"] != "-":
        ScanReport(Terminal()).show(found, live, path.name)
    return 0 if found.finished and not live.access_gaps else 1


def converted(files: Sequence[Path], stack: str, options: Mapping[str, Any]) -> int:
    """Convert, write, report. 0: nothing left to fill in, and no rule of access lost; 1:
    something is. Raises ConfigError.
    """
    _own_data_file(_CONFIG, options["json_file"], files)
    if not files:
        fix = "name the config.yaml that `helm upgrade --values` is given"
        raise refused(_CONFIG, "adopt.no-file", "FILE", "is missing", fix)
    path = _target(_CONFIG, stack, options["out"], again=False)
    from jupyterhub_aws.adopt.z2jh.convert import convert
    from jupyterhub_aws.adopt.z2jh.read import read_values
    from jupyterhub_aws.adopt.z2jh.show import as_json, show

    source = ", ".join(file.name for file in files)
    values = read_values(files, options["under"])
    found = convert(values, hub=options["hub"], stack=stack, source=source)
    to_file(_CONFIG, "--out", str(path), found.text)
    _give_data(_CONFIG, options["json_file"], as_json(found, _named(path, options)))
    if options["json_file"] != "-":
        show(found, path.name)
    return 0 if found.finished else 1


def checked(stack: str, preview_file: str | None, *, as_json: bool = False) -> int:
    """Judge a preview. 0: it adopts and nothing else, or changes nothing; 1: it does more.
    Raises ConfigError.
    """
    from jupyterhub_aws.adopt.check import as_data, judged, previewed, show
    from jupyterhub_aws.cli.arguments import stack_file
    from jupyterhub_aws.cli.output import data_to_standard_output

    file = stack_file(stack)
    verdict = judged(file, previewed(file, preview_file))
    if as_json:
        data_to_standard_output(as_data(verdict, file.stack))
    else:
        show(verdict, file.stack)
    return 0 if verdict.good else 1


def _target(command: str, stack: str, out: Path | None, *, again: bool) -> Path:
    """Where the file goes. Raises ConfigError for a name that is none, a folder that is not
    there, and a file that exists already.
    """
    if not _STACK.fullmatch(stack):
        what = f"is not the name of a stack (got {stack[:40]!r})"
        fix = "use letters, digits, dots and dashes"
        raise refused(command, "adopt.stack-name", "--name", what, fix)
    folder = out or Path.cwd()
    if not folder.is_dir():
        fix = "make it, or name another"
        raise refused(command, "adopt.no-folder", "--out", f"there is no folder {folder}", fix)
    path = folder / f"Pulumi.{stack}.yaml"
    if path.exists() and not again:
        fix = (
            "--again keeps it and looks for its imports; or choose another --name or --out"
            if command == _SCAN
            else "choose another --name or --out"
        )
        what = "is there already, and stays as it is"
        raise refused(command, "adopt.file-exists", path.name, what, fix)
    if again and not path.is_file():
        fix = "leave --again out: the scan writes one"
        raise refused(command, "adopt.no-file", "--again", f"there is no {path}", fix)
    return path


def _named(path: Path, options: Mapping[str, Any]) -> str:
    """The file as the command line names it: in --out, or in the current folder."""
    return str(path) if options["out"] else path.name


def _own_data_file(command: str, target: str | None, inputs: Iterable[Path] = ()) -> None:
    """Raise ConfigError where `--json` names a file that is not for data: it took the name of a
    file with values, as in `--json common.yaml prod.yaml`, or its folder is not there.
    """
    if target in (None, "-"):
        return
    file = Path(str(target))
    if file.resolve() in [item.resolve() for item in inputs] or (
        file.is_file() and not _is_data(file)
    ):
        raise not_for_data(command, "--json", file)
    if not file.parent.is_dir():
        fix = "name a file in a folder that exists"
        what = f"cannot write {file} (there is no folder {file.parent})"
        raise refused(command, "file.not-written", "--json", what, fix)


def _is_data(file: Path) -> bool:
    """Whether a file holds data of ours, or nothing yet (`mktemp`)."""
    try:
        held = file.read_bytes()
        data = json.loads(held) if held else {"format": "jupyterhub-aws/"}
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and str(data.get("format")).startswith("jupyterhub-aws/")


def _give_data(command: str, target: str | None, data: Mapping[str, Any]) -> None:
    """Print data, or write them where `--json` says."""
    if target is None:
        return
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n"
    to_target(command, "--json", target, text)


def _region(region: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from jupyterhub_aws.config.values import Region

    try:
        TypeAdapter(Region).validate_python(region)
    except ValidationError:
        what = f"is not a region (got {region[:40]!r})"
        fix = "write a region's name, such as us-east-1"
        raise refused(_SCAN, "region.malformed", "--region", what, fix) from None
