"""A difference in a terminal of 80 columns: the effect on users first, then what changes, what
it costs, and what is not known.
"""

from __future__ import annotations

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.difference import Difference
from jupyterhub_aws.changes.gate import GateVerdict
from jupyterhub_aws.changes.properties import PropertyChange
from jupyterhub_aws.cli.console import Terminal
from jupyterhub_aws.diff.story import MARKS, Section, bill, counts, headline, sections, value

_STYLES = {
    "costs more": "bold yellow",
    "endangers data": "bold red",
    "unknown": "bold magenta",
    "widens access": "red",
    "replaces": "yellow",
    "interrupts": "yellow",
    "routine": "green",
}
_CLASS_MARKS = {
    "costs more": "$",
    "endangers data": "✗",
    "unknown": "?",
    "widens access": "!",
    "replaces": "±",
    "interrupts": "~",
    "routine": "✓",
}
_COLOURS = {
    "create": "green",
    "update": "yellow",
    "replace": "red",
    "delete": "red",
    "import": "magenta",
    "same": "dim",
}
_DETAILS = 12


def render(found: Difference, verdict: GateVerdict | None = None) -> None:
    """Print it to standard output."""
    console = Terminal()
    sources = f": {found.old.source} → {found.new.source}"
    console.print(Text.assemble((found.stack, "bold"), sources))
    console.print(Text(headline(found), _STYLES[found.worst]))
    if bill(found):
        console.print(Text(bill(found)))
    console.print()
    for section in sections(found):
        console.print(_section(section))
        console.print()
    _resources(console, found)
    for label, lines in (("Images and versions", _images(found)), ("Checks", _checks(found))):
        if lines:
            console.print(Group(Text(label, "bold"), *lines))
            console.print()
    for limit in found.limits:
        console.print(Text(limit, "dim"))
    if verdict is not None:
        render_verdict(console, verdict)


def render_verdict(console: Console, verdict: GateVerdict) -> None:
    """Print what the gate says."""
    console.print()
    if verdict.passes:
        words = f"✓ The gate is open: all effects are {verdict.lets_through} or acknowledged."
        console.print(Text(words, "bold green"))
        return
    for failure in verdict.failures:
        console.print(Text(f"✗ a check fails that passed before: {failure}", "bold red"))
    if verdict.missing:
        number = len(verdict.missing)
        title = (
            f"✗ The gate is shut: {number} acknowledgement{'s' if number > 1 else ''} missing. A"
            " review by another user with write access has to contain:"
        )
        console.print(Text(title, "bold red"))
        for needed in verdict.missing:
            console.print(needed.line, soft_wrap=True, markup=False)
            why = Text("; ".join([*needed.says[:3], *needed.limits]), "dim")
            console.print(Padding(why, (0, 0, 0, 2)))
    if verdict.nameable:
        words = (
            "→ your program's own types that need no acknowledgement can be named in gate.allow:"
        )
        console.print(Text(f"{words} {', '.join(verdict.nameable)}", "dim"))


def _section(section: Section) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    style = _STYLES[section.class_]
    table.add_row("", Text(section.title, style))
    for line in section.lines:
        table.add_row(
            Text(_CLASS_MARKS[section.class_], style),
            Text.assemble(line.text, (f"  [{line.more}]" if line.more else "", "dim")),
        )
    return table


def _resources(console: Console, found: Difference) -> None:
    if not found.resources and not found.configuration:
        return
    console.print(Text(f"Resources: {counts(found)}", "bold"))
    for change in found.resources:
        mark, kind = (MARKS[change.op], _COLOURS[change.op]), change.type.rpartition(":")[2]
        label = Text.assemble(mark, " ", change.name, " ", (kind, "cyan"))
        if change.op == "replace" and change.because:
            label.append(f"  because of {', '.join(change.because)}", "dim")
        console.print(label)
        if change.op in ("update", "replace"):
            for line in _shown(change):
                console.print(Padding(line, (0, 0, 0, 4)))
    for item in found.configuration:
        console.print(Padding(_property(item), (0, 0, 0, 2)))
    console.print()


def _shown(change: Change) -> list[Text]:
    lines = [_property(item) for item in change.properties[:_DETAILS]]
    left = len(change.properties) - _DETAILS
    more = [Text(f"and {left} more (--json FILE has them all)", "dim")] if left > 0 else []
    return [*lines, *more]


def _property(item: PropertyChange) -> Text:
    if item.hidden:
        return Text.assemble((item.where, "dim"), " a secret changes")
    return Text.assemble(
        (f"{item.where} ", "dim"), (value(item.old), "red"), " → ", (value(item.new), "green")
    )


def _images(found: Difference) -> list[Text]:
    return [
        Text(f"  {row['where']}: {row['old'] or 'none'} → {row['new'] or 'none'}")
        for row in found.images
    ]


def _checks(found: Difference) -> list[Text]:
    return [
        Text(
            f"  {'✗' if item['status'] == 'fail' else '!'} {item['message']}",
            "red" if item["status"] == "fail" else "yellow",
        )
        for item in found.new_findings
    ]
