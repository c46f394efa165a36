"""A difference as Markdown for one comment of a pull request: short first, details folded, never
larger than the platform takes.

Every word may come from a fork: nothing in it becomes markup, a mention, a link or an image.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.difference import Difference
from jupyterhub_aws.changes.gate import GateVerdict
from jupyterhub_aws.diff.story import (
    BILLS,
    LOUD,
    MARKS,
    Section,
    StoryLine,
    bill,
    clean,
    counts,
    dollars,
    headline,
    sections,
    unified,
    value,
)

#: GitHub refuses comments of more than 65,536 characters ("body is too long"); some are left for
#: what the platform adds.
LIMIT = 60_000
_FIRST = 12  # sentences of a section before the rest is folded
_LINES = 60  # acknowledgements that are written out
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~^$-])")
_ACTIVE = re.compile(r"(?i)(?<=\w)(?=://)|(?<=@)(?=\w)|(?<=www)(?=\.)")
_CLASS_MARKS = {
    "costs more": "💲",
    "endangers data": "🔴",
    "unknown": "❓",
    "widens access": "🔓",
    "replaces": "♻️",
    "interrupts": "🟡",
    "routine": "🟢",
}


def marker(stack: str) -> str:
    """The hidden line by which the comment of a stack is found again."""
    return f"<!-- jupyterhub-aws difference of {re.sub(r'[^A-Za-z0-9_.-]', '', stack)} -->"


def text(words: str) -> str:
    """Words that show as they are: no markup, no mention, no link."""
    return _inert(_SPECIAL.sub(r"\\\1", html.escape(_one_line(words), quote=False)))


def in_html(words: str) -> str:
    """The same inside a summary, which is HTML: there a backslash would show."""
    return _inert(html.escape(_one_line(words)))


def _one_line(words: str) -> str:
    return clean(" ".join(words.split()))


def _inert(words: str) -> str:
    """Text without active mentions and links."""
    return _ACTIVE.sub("\u200b", words).replace("@", "@\u200b")


def markdown(found: Difference, verdict: GateVerdict | None = None, *, limit: int = LIMIT) -> str:
    """The comment. What does not fit is left out from the end, and the comment says so."""
    head = [
        marker(found.stack),
        f"### {text(found.stack)}: {text(headline(found))}",
        "",
        _line_of_counts(found),
        "",
    ]
    head += _gate(verdict) if verdict is not None else []
    parts = ["\n".join(head), *_parts(found)]
    limits = [f"<sub>{text(limit_)}</sub>\n" for limit_ in found.limits]
    sources = f"<sub>{text(found.old.source)} → {text(found.new.source)}</sub>"
    tail = "\n".join(["", *limits, sources, ""])
    kept: list[str] = []
    room = limit - len(tail) - 300
    for index, part in enumerate(parts):
        if len(part) + 2 > room:
            kept.append(_left_out(parts[index:], found))
            break
        kept.append(part)
        room -= len(part) + 2
    # Without an empty line what follows a fold would be HTML.
    return "\n\n".join([*kept, tail])[:limit]


def _left_out(parts: list[str], found: Difference) -> str:
    lines = sum(part.count("\n") for part in parts)
    where = f"the artifact of this run, or `jhub diff`, has all {len(found.changes)} changes"
    return f"\n**Left out, because a comment has no room for it: some {lines} lines** ({where}).\n"


def _line_of_counts(found: Difference) -> str:
    money, same = bill(found), " The bill stays the same." if found.money else ""
    return f"{counts(found)}." + (f" {text(money)}." if money else same)


def _gate(verdict: GateVerdict) -> list[str]:
    if verdict.passes:
        more = f" {len(verdict.acknowledged)} acknowledged." if verdict.acknowledged else ""
        return [f"**Gate: open.**{more}", ""]
    lines = ["**Gate: shut.**"]
    failures = verdict.failures[:_FIRST]
    lines += [f"- a check fails that passed before: {text(failure)}" for failure in failures]
    if verdict.missing:
        number = len(verdict.missing)
        words = [_plain(needed.line) for needed in verdict.missing[:_LINES]]
        limits = [
            f"- {text(limit)}"
            for needed in verdict.missing
            for limit in dict.fromkeys(needed.limits)
        ]
        if verdict.nameable:
            types = text(", ".join(verdict.nameable[:_LINES]))
            limits.append(f"- types of your program's own can be named in `gate.allow`: {types}")
        rest = [f"and {number - _LINES} more: `jhub gate` lists them"] if number > _LINES else []
        said = (
            "A reviewer with write access opens it with a review that contains these lines, or"
            " with labels of `acknowledge` and the digits at their ends."
        )
        title = f"{number} acknowledgement{'s' if number > 1 else ''} missing"
        lines += ["", _folded(title, [said, "", "```", *words, "```", *rest, *limits])]
    return [*lines, ""]


def _parts(found: Difference) -> Iterator[str]:
    """In the order of their worth: what does not fit is cut from the end."""
    shown = sections(found)
    for section in shown:
        if section.class_ in LOUD:
            yield _section(section)
    if found.new_findings:
        checks = [
            f"- {'❌' if item['status'] == 'fail' else '⚠️'} {text(str(item['message']))}"
            for item in found.new_findings
        ]
        yield "\n".join(["**Checks**", *checks, ""])
    for section in shown:
        if section.class_ not in LOUD:
            title = f"{_CLASS_MARKS[section.class_]} {section.title} ({len(section.lines)})"
            yield _folded(title, [f"- {_line(line)}" for line in section.lines])
    yield from _tables(found)
    for change in found.resources:
        yield _change(change)
    if found.configuration:
        lines = [
            line
            for item in found.configuration
            for line in (f"~ {value(item.where)}", *unified(item.old, item.new))
        ]
        yield _folded(f"Configuration ({len(found.configuration)})", _fence(lines))


def _section(section: Section) -> str:
    lines = [f"- {_line(line)}" for line in section.lines]
    shown = [f"**{_CLASS_MARKS[section.class_]} {section.title}**", "", *lines[:_FIRST], ""]
    if len(lines) > _FIRST:
        shown.append(_folded(f"and {len(lines) - _FIRST} more", lines[_FIRST:]))
    return "\n".join(shown)


def _line(line: StoryLine) -> str:
    return f"{text(line.text)} <sub>{text(line.more)}</sub>" if line.more else text(line.text)


def _tables(found: Difference) -> Iterator[str]:
    if found.images:
        rows = [
            f"| {text(row['where'])} | {text(row['old'] or 'none')} |"
            f" {text(row['new'] or 'none')} |"
            for row in found.images
        ]
        yield _folded(
            f"Images and versions ({len(rows)})",
            ["| where | before | after |", "| --- | --- | --- |", *rows],
        )
    money = found.money
    if money and money["lines"]:
        rows = [f"| {text(line['what'])} | {_amounts(line)} |" for line in money["lines"]]
        total = f"| **together** | {_amounts(money)} |"
        yield _folded(
            "Cost, US dollars a month",
            [f"| | {' | '.join(BILLS.values())} |", "| --- | ---: | ---: | ---: |", *rows, total],
        )


def _amounts(sums: Mapping[str, Any]) -> str:
    return " | ".join(f"{dollars(sums[key][0])} → {dollars(sums[key][1])}" for key in BILLS)


def _change(change: Change) -> str:
    because = f", because of {', '.join(change.because[:5])}" if change.because else ""
    if change.op not in ("update", "replace") or not change.properties:
        return f"- {MARKS[change.op]} {text(change.name)} <sub>{text(change.type)}</sub>"
    what = f"<sub>{in_html(change.type)}{in_html(because)}</sub>"
    title = f"{MARKS[change.op]} {in_html(change.name)} {what}"
    lines: list[str] = []
    for item in change.properties:
        if item.hidden:
            lines.append(f"~ {value(item.where)}: a secret changes")
        else:
            lines += [f"~ {value(item.where)}", *unified(item.old, item.new)]
    return _folded(title, _fence(lines))


def _fence(lines: list[str]) -> list[str]:
    return ["```diff", *(_plain(line) for line in lines), "```"]


def _plain(line: str) -> str:
    """A line inside a fence, which nothing in it can close."""
    return clean(line).replace("`", "'").replace("\n", " ")


def _folded(title: str, lines: list[str]) -> str:
    return "\n".join([f"<details><summary>{title}</summary>", "", *lines, "", "</details>"])
