"""Whether a preview adopts and nothing else: every entry of the map is an import, protected, and
nothing is replaced or deleted.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from jupyterhub_aws.changes.mask import masked_text
from jupyterhub_aws.changes.side import EngineStep, Side, read_side
from jupyterhub_aws.checks.resources import made_here
from jupyterhub_aws.config.errors import refused, some
from jupyterhub_aws.config.stack import file_key
from jupyterhub_aws.config.stack_file import StackFile

COMMAND = "jhub adopt check"
FORMAT = "jupyterhub-aws/adopt-check/1"
_LONGEST = 300
_REPLACED = (
    "make these properties in the stack file what they are in AWS, or take the entry out of imports"
    " and use the resource in place (docs/adopting.md)"
)


@dataclass(frozen=True, order=True)
class ImportFault:
    """Something that the `up` must not do: which resource, what, and what to change."""

    subject: str
    what: str
    fix: str


@dataclass(kw_only=True)
class PreviewVerdict:
    """`stage`: `adopts` (the next up imports), `done` (nothing changes any more), `nothing` (there
    is no map, and nothing is lost), `more` (it still changes what was adopted), `wrong` (see
    `faults`). The lists hold TYPE::NAME; `added` has what changes among the resources that the
    caller's program added.
    """

    stage: Literal["adopts", "done", "nothing", "more", "wrong"]
    imported: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    faults: list[ImportFault] = field(default_factory=list)

    def fault(self, subject: str, what: str, fix: str) -> None:
        """Note what the `up` must not do."""
        self.faults.append(ImportFault(subject, what, fix))

    @property
    def good(self) -> bool:
        """Whether the next `up` may run, or none is needed."""
        return self.stage in ("adopts", "done", "nothing")


def previewed(file: StackFile, preview_file: str | None) -> Side:
    """The preview of a file, or of the engine. Raises ConfigError where it is none, or failed,
    or is of another stack.
    """
    side = read_side(preview_file) if preview_file is not None else _engine(file)
    if side.kind != "preview":
        what = "is a plan, which knows nothing of AWS and of the state"
        fix = "give it what `pulumi preview --json` printed"
        raise refused(COMMAND, "preview.is-a-plan", "--preview", what, fix)
    if side.stack and side.stack != file.stack:
        what = f"is of stack {side.stack}, not of {file.stack}"
        fix = f"pulumi preview --json -s {file.stack} > FILE"
        raise refused(COMMAND, "preview.other-stack", "--preview", what, fix)
    return side


def _engine(file: StackFile) -> Side:
    """Run `pulumi preview --json`, which changes nothing."""
    from jupyterhub_aws.changes.side import side_of
    from jupyterhub_aws.operate.live.steps import there

    if not there():
        fix = (
            "install it, or run `pulumi preview --json > FILE` where it is and give --preview FILE"
        )
        raise refused(COMMAND, "tool.missing", "pulumi", "is not on PATH", fix)
    line = ["pulumi", "preview", "--json", "--non-interactive", "--stack", file.stack]
    line += ["--config-file", str(file.path)] if file.engine_option else []
    print(f"  $ {shlex.join(line)}", file=sys.stderr, flush=True)
    done = subprocess.run(  # noqa: S603
        line, cwd=file.home.folder, env=os.environ, capture_output=True, text=True, check=False
    )
    data = _data(done.stdout)
    if data is None:
        said = (
            " ".join(masked_text(done.stderr or done.stdout).split())[-_LONGEST:]
            or f"it ended with {done.returncode}"
        )
        fix = "fix what it complains about and run it again"
        raise refused(COMMAND, "preview.failed", "pulumi preview", f"came to no end: {said}", fix)
    return side_of(data, "pulumi preview")


def _data(text: str) -> Mapping[str, Any] | None:
    """The preview in an output: the engine prints lines of its own before it at times."""
    start = text.find("{")
    try:
        data = json.loads(text[start:]) if start >= 0 else None
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def judged(file: StackFile, side: Side) -> PreviewVerdict:
    """What the preview is, by the map of the stack file."""
    entries = _entries(file)
    steps = {_subject(urn): step for urn, step in (side.steps or {}).items() if made_here(urn)}
    found = PreviewVerdict(stage="wrong")
    for urn, step in sorted((side.steps or {}).items()):
        if not made_here(urn):
            _of_added(found, _subject(urn), step)
    for subject in sorted(steps):
        _of_step(found, subject, steps[subject])
        if steps[subject].op == "import" and subject not in entries:
            found.fault(
                subject,
                "would be imported, and no entry of the stack file says so",
                "preview again: this one is of another stack file",
            )
    for subject, identity in sorted(entries.items()):
        _of_entry(found, subject, identity, steps.get(subject))
    found.faults.sort()
    if not found.faults:
        found.stage = _stage(found, entries)
    return found


def _stage(
    found: PreviewVerdict, entries: Mapping[str, str]
) -> Literal["adopts", "done", "nothing", "more"]:
    if found.imported:
        return "adopts"
    if not (found.created or found.updated or found.added):
        return "done"
    return "more" if entries else "nothing"


def _entries(file: StackFile) -> dict[str, str]:
    imports = file.data.get(file_key("imports"))
    items = imports.items() if isinstance(imports, Mapping) else ()
    return {str(key): str(value) for key, value in items}


def _subject(urn: str) -> str:
    _, _, types, name = urn.split("::", 3)
    return f"{types.rpartition('$')[2]}::{name}"


def _because(step: EngineStep) -> str:
    return f", because of {', '.join(step.because)}" if step.because else ""


def _is_change(step: EngineStep) -> bool:
    """Whether the step makes, changes or imports something in AWS or the cluster."""
    is_custom = step.new is None or step.new.custom
    return step.op in ("create", "update", "import") and is_custom


def _of_step(found: PreviewVerdict, subject: str, step: EngineStep) -> None:
    if step.op == "replace":
        found.fault(subject, f"would be replaced{_because(step)}", _REPLACED)
    elif step.op == "delete":
        found.fault(
            subject,
            "would be deleted",
            "the state has it and the stack file does not: write back what made it, or find out who"
            " took it out",
        )
    elif _is_change(step):
        lists = {"create": found.created, "update": found.updated, "import": found.imported}
        lists[step.op].append(subject)


def _of_added(found: PreviewVerdict, subject: str, step: EngineStep) -> None:
    """What becomes of a resource that the caller's program added. Its import needs no entry in
    the stack file: the program says it.
    """
    if step.op in ("replace", "delete"):
        found.fault(
            subject,
            f"would be {step.op}d{_because(step)}",
            "it is your program's own: make it there what it is in AWS, or take it out in a change"
            " of its own, once the stack is adopted",
        )
    elif _is_change(step):
        found.added.append(subject)


def _of_entry(found: PreviewVerdict, subject: str, identity: str, step: EngineStep | None) -> None:
    """An entry is imported, or is there already; anything else would make a second one.

    The engine leaves out steps of what stays the same at times; the program itself checks that
    every entry belongs to a resource: it fails otherwise.
    """
    if step is not None and step.op == "create":
        found.fault(
            subject,
            "is in imports, and would be recreated",
            "is the preview older than the stack file? Preview again",
        )
    elif step is not None and step.op == "import":
        _imported(found, subject, identity, step)
    elif step is None or step.op in ("same", "update"):
        found.there.append(subject)


def _imported(found: PreviewVerdict, subject: str, identity: str, step: EngineStep) -> None:
    if step.new is not None and not step.new.protect:
        found.fault(
            subject,
            "would be imported without protection",
            "is the program older than this command? Its transform protects what it imports"
            " (components/imports.py)",
        )
    if step.new is not None and step.new.import_id not in (None, identity):
        found.fault(
            subject,
            f"would be imported from {step.new.import_id}, and the stack file says {identity}",
            "preview again",
        )


# --- The verdict on a preview, in a terminal of 80 columns.


_MOST = 6


def as_data(found: PreviewVerdict, stack: str) -> dict[str, Any]:
    """The verdict as data."""
    return {
        "format": FORMAT,
        "stack": stack,
        "verdict": found.stage,
        "imported": found.imported,
        "in_state": found.there,
        "created": found.created,
        "updated": found.updated,
        "added": found.added,
        "faults": [asdict(fault) for fault in found.faults],
    }


def show(found: PreviewVerdict, stack: str) -> None:
    """Print it: what is wrong first; success only where it is one."""
    from jupyterhub_aws.adopt.show import Lines
    from jupyterhub_aws.cli.console import Terminal

    lines = Lines(Terminal())
    lines.head(stack, _SAID[found.stage])
    for fault in found.faults:
        lines.line("✗", "red", f"{fault.subject} {fault.what}", fault.fix)
    for title, subjects, mark in (
        ("imported, protected", found.imported, "✓"),
        ("in the state already", found.there, "✓"),
        ("made", found.created, "+"),
        ("changed in place", found.updated, "~"),
        ("made, imported or changed that your program added", found.added, "~"),
    ):
        if subjects:
            names = some([subject.partition("::")[2] for subject in subjects], _MOST)
            style = "green" if mark == "✓" else "yellow"
            lines.line(mark, style, f"{len(subjects)} {title}: {names}")
    lines.end(_NEXT[found.stage].format(stack=stack))


_SAID = {
    "adopts": "would be adopted: nothing is replaced, nothing is deleted",
    "done": "is adopted: a preview has no change at all",
    "nothing": "has nothing to adopt, and nothing is replaced or deleted",
    "more": "is adopted, and the preview still changes something",
    "wrong": "would NOT be adopted as it is",
}
_NEXT = {
    "adopts": "Next: pulumi up -s {stack}, then jhub adopt check {stack} again",
    "done": "Next: the entries of imports may go; data, keys and the cluster stay protected",
    "nothing": "Next: pulumi up -s {stack}",
    "more": "Next: pulumi up -s {stack}, then jhub adopt check {stack} again",
    "wrong": "Do not run pulumi up. Change what is said above, then jhub adopt check {stack} again",
}
