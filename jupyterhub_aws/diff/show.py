"""Where a difference goes: a terminal, or files of Markdown, HTML and data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jupyterhub_aws.changes.difference import Difference
from jupyterhub_aws.changes.gate import GateVerdict
from jupyterhub_aws.changes.side import Side, read_side, side_of
from jupyterhub_aws.cli.output import to_target
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.diff.story import (
    BILLS,
    DONE,
    LOUD,
    clean,
    counts,
    dollars,
    headline,
    sections,
    unified,
    value,
)
from jupyterhub_aws.plan.page.marks import explanation, marked
from jupyterhub_aws.plan.page.parts import as_sent, content_policy, environment, shared, trusted

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
    # Standard output last: a file that cannot be written leaves nothing there.
    for kind, target in sorted(wanted.items(), key=lambda item: item[1] == "-"):
        to_target("jhub", f"--{kind}", target, _text(kind, found, verdict))


def _text(kind: str, found: Difference, verdict: GateVerdict | None) -> str:
    if kind == "html":
        return page(found, verdict)
    if kind == "markdown":
        from jupyterhub_aws.diff.markdown import markdown

        return markdown(found, verdict)
    data = found.as_json() | ({"gate": verdict.as_json()} if verdict is not None else {})
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


# --- A difference as one self-contained page: no network, light and dark, from a phone's width up;
# a script adds the buttons that copy, and nothing else depends on it.


_TEMPLATES = Path(__file__).parent / "templates"


def page(found: Difference, verdict: GateVerdict | None = None) -> str:
    """The page as HTML. Whatever comes from the sides is escaped by the template."""
    own = (_TEMPLATES / "difference.css").read_text(encoding="utf-8")
    style, script = shared("base.css") + as_sent("difference.css", own), shared("base.js")
    filters = {"value": value, "clean": clean, "dollars": dollars, "marked": marked}
    of_money = [section for section in sections(found) if section.class_ == "costs more"]
    effects = [section for section in sections(found) if section.class_ != "costs more"]
    told = {
        "money": bool(found.money) or bool(of_money),
        "effects": bool(effects),
        "checks": bool(found.new_findings),
        "images": bool(found.images),
        "resources": bool(found.resources or found.configuration),
    }
    return (
        environment(_TEMPLATES, filters)
        .get_template("difference.html")
        .render(
            found=found,
            verdict=verdict,
            headline=headline(found),
            counts=counts(found),
            sums=tuple(_sums(found)),
            of_money=of_money,
            effects=effects,
            told=told,
            contents=[(target, _CONTENTS[target]) for target, there in told.items() if there],
            worst=_worst(found),
            loud=LOUD,
            done=DONE,
            bills=BILLS,
            unified=unified,
            explained={item["id"]: explanation(item["id"]) for item in found.new_findings},
            style=trusted(style),
            script=trusted(script),
            policy=content_policy(style, script),
        )
    )


_CONTENTS = {
    "money": "Cost",
    "effects": "Users",
    "checks": "Checks",
    "images": "Images and versions",
    "resources": "Resources",
}
_SUMS = {
    "idle_monthly": "Idle",
    "maximum_monthly": "At most",
    "paused_monthly": "Paused",
}


def _sums(found: Difference) -> Iterator[dict[str, str]]:
    """What a month costs, before and after, and how much more or less that is."""
    money = found.money or {}
    for key, name in _SUMS.items() if money else ():
        before, after = money[key]
        if before is None or after is None:
            word, kind = "not known", "warn"
        elif after > before:
            word, kind = f"{after - before:,.2f} more", "warn"
        else:
            word = f"{before - after:,.2f} less" if after < before else "the same"
            kind = "pass"
        yield {
            "name": name,
            "before": dollars(before),
            "after": dollars(after),
            "word": word,
            "kind": kind,
        }


def _worst(found: Difference) -> str:
    """How bad it is, as the colours of a page say it."""
    if found.worst in ("endangers data", "unknown", "widens access"):
        return "fail"
    return "pass" if found.worst == "routine" else "warn"


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
