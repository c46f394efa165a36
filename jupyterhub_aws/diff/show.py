"""Where a difference goes: a terminal, or files of Markdown, HTML and data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jupyterhub_aws.changes.difference import Difference
from jupyterhub_aws.changes.gate import GateVerdict
from jupyterhub_aws.changes.side import Side, read_side, side_of
from jupyterhub_aws.cli.output import to_file, to_standard_output
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.diff.story import (
    BILLS,
    DONE,
    LOUD,
    bill,
    clean,
    counts,
    dollars,
    headline,
    sections,
    unified,
    value,
)
from jupyterhub_aws.plan.page.parts import content_policy, environment, trusted

if TYPE_CHECKING:
    from jupyterhub_aws.config.stack_file import StackFile
    from jupyterhub_aws.plan.plan import Plan


def show(found: Difference, verdict: GateVerdict | None, files: Mapping[str, str | None]) -> None:
    """Write what was asked for (`json`, `html`, `markdown`, each to a file or `-`), or print it
    where nothing was.
    """
    wanted = {kind: target for kind, target in files.items() if target is not None}
    if not wanted:
        from jupyterhub_aws.diff.terminal import render

        render(found, verdict)
    for kind, target in wanted.items():
        text = _text(kind, found, verdict)
        if target == "-":
            to_standard_output(text)
        else:
            to_file("jhub", f"--{kind}", target, text)


def _text(kind: str, found: Difference, verdict: GateVerdict | None) -> str:
    if kind == "html":
        return page(found, verdict)
    if kind == "markdown":
        from jupyterhub_aws.diff.markdown import markdown

        return markdown(found, verdict)
    data = found.as_json() | ({"gate": verdict.as_json()} if verdict is not None else {})
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


# --- A difference as one self-contained page: no network, no script, light and dark, from a phone's
# width up.


_TEMPLATES = Path(__file__).parent / "templates"
_PLAN_STYLE = Path(__file__).resolve().parents[1] / "plan" / "page" / "templates" / "page.css"


def page(found: Difference, verdict: GateVerdict | None = None) -> str:
    """The page as HTML. Whatever comes from the sides is escaped by the template."""
    style = _PLAN_STYLE.read_text(encoding="utf-8") + (_TEMPLATES / "difference.css").read_text(
        encoding="utf-8"
    )
    templates = environment(_TEMPLATES, {"value": value, "clean": clean, "dollars": dollars})
    return templates.get_template("difference.html").render(
        found=found,
        verdict=verdict,
        headline=headline(found),
        counts=counts(found),
        bill=bill(found),
        sections=sections(found),
        loud=LOUD,
        done=DONE,
        bills=BILLS,
        unified=unified,
        style=trusted(style),
        policy=content_policy(style),
    )


# --- The sides of a comparison, as commands name them.


def older(against: str, file: StackFile, as_of: str) -> Side:
    """What `--against` names: a file with a plan or a preview, or else a ref of git. Raises
    ConfigError.
    """
    if Path(against).is_file():
        return read_side(against)
    from jupyterhub_aws.diff.old_tree import side_at

    return side_at(against, file, as_of)


def of_plan(plan: Plan) -> Side:
    """A plan that was just made, as its data says it."""
    return side_of(plan.as_json(), plan.source)


def engine_spoken(plan: Side, preview: Side) -> Side:
    """A plan with an engine's steps for it. Raises ConfigError where the second is no preview,
    or of another stack.
    """
    if preview.steps is None:
        fix = "name what `pulumi preview --json` printed"
        raise refused(preview.source, "preview.malformed", "--preview", "is no preview", fix)
    if preview.stack != plan.stack:
        what = f"is of the stack {preview.stack}, and the plan of {plan.stack}"
        fix = "preview the same stack"
        raise refused(preview.source, "preview.other-stack", "--preview", what, fix)
    return replace(plan, steps=preview.steps, source=f"{plan.source} and {preview.source}")
