"""What a scan found, in a terminal of 80 columns: what is imported, what will differ, what
will be made, what stays, what was not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from jupyterhub_aws.adopt.adopt import Adoption
from jupyterhub_aws.adopt.match import ImportDifference, by_type
from jupyterhub_aws.adopt.queries import Live
from jupyterhub_aws.config.errors import some

FORMAT = "jupyterhub-aws/adoption/1"
_NARROWEST = 20
_MOST_NAMES = 3
_SHOWN = 60


class Lines:
    """Lines of a report: a mark, a text that hangs below itself, and what to do in a line of its
    own. Prints to a console, whatever its width.
    """

    def __init__(self, console: Console) -> None:
        """Print to this console."""
        self._console = console

    def head(self, subject: str, text: str) -> None:
        """The first line."""
        self._wrapped(Text.assemble((f"{subject} ", "bold"), text), "", 0)

    def title(self, text: str) -> None:
        """A section's title, after an empty line."""
        self._console.print()
        self._wrapped(Text(text, style="bold"), "", 0)

    def line(self, mark: str, style: str, text: str, below: str = "") -> None:
        """A line behind its mark; `below` says what it does, or what to do."""
        self._wrapped(Text(text), f"{mark} ", 2, style)
        if below:
            self._wrapped(Text(below, style="dim"), "→ ", 4, "dim")

    def end(self, text: str) -> None:
        """The last line."""
        self._console.print()
        self._wrapped(Text(text), "", 0)

    def _wrapped(self, text: Text, mark: str, indent: int, style: str = "") -> None:
        width = max(self._console.width - indent - len(mark), _NARROWEST)
        for number, line in enumerate(text.wrap(self._console, width)):
            line.rstrip()
            front = Text(mark, style=style) if number == 0 else Text(" " * len(mark))
            self._console.print(Text.assemble(" " * indent, front, line), soft_wrap=True)


def as_json(adoption: Adoption, live: Live, stack: str, file: str) -> dict[str, Any]:
    """Everything as data."""
    outcome = adoption.outcome
    return {
        "format": FORMAT,
        "stack": stack,
        "file": file,
        "finished": adoption.finished and not live.access_gaps,
        "account": live.account,
        "region": live.region,
        "cluster": live.name,
        "resources_seen": live.count,
        "kind": adoption.kind,
        "reasons": adoption.reasons,
        "imports": outcome.imports,
        "protected": list(outcome.protected),
        "differences": [
            {
                "subject": item.subject,
                "path": item.where,
                "old": item.live,
                "new": item.ours,
                "how": item.how,
                "because": item.because or None,
                "effect": item.effect or None,
            }
            for item in outcome.differences
        ],
        "missing": [
            {"subject": item.subject, "why": item.why, "unreadable": item.is_unreadable}
            for item in outcome.missing
        ],
        "refused": [
            {"subject": item.subject, "id": item.id, "because": list(item.because)}
            for item in outcome.refused
        ],
        "unreadable": [
            {"topic": item.topic, "operation": item.operation, "why": item.why}
            for item in live.access_gaps
        ],
        "to_fill_in": [{"path": path, "what": note} for path, note in adoption.to_fill_in],
        "problems": [problem.as_json() for problem in adoption.problems],
    }


class ScanReport:
    """Sections of lines, each with what it means for the operator."""

    def __init__(self, console: Console) -> None:
        """Print to a console."""
        self._lines = Lines(console)

    def show(self, adoption: Adoption, live: Live, file: str) -> None:
        """The whole report."""
        self._head(adoption, live, file)
        self._taken(adoption)
        self._differences(adoption.outcome.differences)
        self._refused(adoption)
        self._missing(adoption)
        self._left(adoption, live)

    def _head(self, adoption: Adoption, live: Live, file: str) -> None:
        what = {
            "eks": "is adopted",
            "existing": "is used in place",
            "as written": "as the stack file says",
        }[adoption.kind]
        if adoption.problems:
            what += ", once the lines below are fixed (then the same with --again)"
        self._lines.head(live.name, f"{what}: {file}")
        for reason in adoption.reasons:
            self._lines.line("·", "yellow", reason)

    def _taken(self, adoption: Adoption) -> None:
        imports = adoption.outcome.imports
        if not imports:
            return
        self._lines.title(
            f"Imported: {len(imports)} resources, each protected while its entry is in the file"
        )
        kinds = Counter(key.partition("::")[0].rpartition(":")[2] for key in imports)
        counted = (
            f"{count} {kind}" if count > 1 else kind for kind, count in sorted(kinds.items())
        )
        self._lines.line("✓", "green", ", ".join(counted))
        if adoption.outcome.protected:
            names = ", ".join(key.partition("::")[2] for key in adoption.outcome.protected)
            self._lines.line("✓", "green", f"protected for good, by the program: {names}")

    def _differences(self, differences: list[ImportDifference]) -> None:
        if not differences:
            return
        self._lines.title("Will differ after the `up` that adopts")
        tagged = {item.subject for item in differences if _own_tag(item)}
        grouped: dict[tuple[str, ...], list[ImportDifference]] = {}
        for item in differences:
            if not _own_tag(item):
                type_ = item.subject.partition("::")[0]
                key = (type_, item.where, repr(item.live), repr(item.ours))
                grouped.setdefault(key, []).append(item)
        for items in grouped.values():
            item, names = items[0], [one.subject.partition("::")[2] for one in items]
            how = f"{item.how}; {item.because}" if item.because else item.how
            change = f"{item.where}: {_short(item.live)} → {_short(item.ours)} ({how})"
            self._lines.line("~", "yellow", f"{_first(names)}: {change}", item.effect)
        if tagged:
            text = f"the stack's tags on {len(tagged)} resources (in place)"
            self._lines.line("~", "yellow", text)

    def _refused(self, adoption: Adoption) -> None:
        if not adoption.outcome.refused:
            return
        self._lines.title("Cannot be imported: importing would replace it")
        for item in adoption.outcome.refused:
            text = f"{item.id} as {item.subject.partition('::')[2]}"
            self._lines.line("✗", "red", text, "; ".join(item.because))

    def _missing(self, adoption: Adoption) -> None:
        if not adoption.outcome.missing:
            return
        self._lines.title("Has no counterpart, and would be made")
        unreadable = {item.subject for item in adoption.outcome.missing if item.is_unreadable}
        for (type_, why), names in sorted(by_type(adoption.outcome.missing).items()):
            mark, style = ("+", "green")
            if not unreadable.isdisjoint(f"{type_}::{name}" for name in names):
                mark, style = ("?", "red")
            self._lines.line(mark, style, f"{type_.rpartition(':')[2]}: {_first(names)}", why)

    def _left(self, adoption: Adoption, live: Live) -> None:
        if live.access_gaps:
            self._lines.title("Could not be seen: nothing follows from its absence")
            for item in live.access_gaps:
                topic = item.topic.replace("_", " ")
                self._lines.line("?", "red", f"{topic} ({item.operation})", item.why)
        if adoption.to_fill_in:
            self._lines.title("Yours to fill in")
            for path, note in adoption.to_fill_in:
                self._lines.line("!", "yellow", path, note)
        if adoption.problems:
            self._lines.title("`jhub plan` says")
            for problem in adoption.problems:
                self._lines.line("✗", "red", f"{problem.path}: {problem.what}", problem.fix)


def _own_tag(item: ImportDifference) -> bool:
    """A tag that the stack adds or changes, which has no effect. One that is removed is shown by
    itself.
    """
    return item.where.startswith("tags") and item.ours is not None


def _first(names: Sequence[str]) -> str:
    return some(names, _MOST_NAMES)


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
