"""What a command of the engine printed, and which plugins it called: the evidence that tests
look at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class EngineError(AssertionError):
    """A command of the engine ended otherwise than the test expected; carries what it printed."""


def subject_of(urn: str) -> str:
    """TYPE::NAME of a URN, as `imports:` writes it."""
    *_, types, name = urn.split("::")
    return f"{types.rpartition('$')[2]}::{name}"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the engine to a plugin, or the beginning of one (`phase`). `position` orders
    them.
    """

    position: int
    phase: str
    method: str
    type: str
    name: str
    id: str
    preview: bool
    error: str
    urn: str

    @property
    def succeeded(self) -> bool:
        """Whether it was real, not a preview, and went well."""
        return not self.preview and not self.error

    @property
    def subject(self) -> str:
        """Type and name, as `imports:` writes them."""
        return f"{self.type}::{self.name}"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished command: what it printed, and which plugins it called."""

    command: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float
    calls: tuple[Call, ...] = ()

    @property
    def text(self) -> str:
        """Everything that it printed."""
        return self.stdout + self.stderr

    @property
    def errors(self) -> str:
        """The engine's own error messages, without the traceback that Python prints after any
        failed resource.
        """
        if self.stdout.startswith("{") and "diagnostics" in self.stdout:
            return "".join(
                item["message"]
                for item in json.loads(self.stdout)["diagnostics"]
                if item["severity"] == "error"
            )
        lines = self.text.splitlines()
        starts = [index for index, line in enumerate(lines) if line.strip().startswith("error:")]
        found: list[str] = []
        for start in starts:
            found.append(lines[start])
            found += _until_next(lines[start + 1 :])
        return "\n".join(found)

    def finished(self, method: str, kind: str = "") -> list[Call]:
        """Calls that succeeded and were no preview, in order."""
        return [
            call
            for call in self.calls
            if call.phase == "end"
            and call.method == method
            and call.succeeded
            and kind in ("", call.type)
        ]

    def begun(self, method: str, kind: str = "") -> list[Call]:
        """Beginnings of calls, in order."""
        return [
            call
            for call in self.calls
            if call.phase == "begin" and call.method == method and kind in ("", call.type)
        ]

    def changed(self) -> dict[str, list[str]]:
        """What the run really did to the account: method to sorted TYPE::NAME."""
        return {
            method: sorted(call.subject for call in self.finished(method))
            for method in ("Create", "Update", "Delete")
            if self.finished(method)
        }


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What `pulumi preview --json` said."""

    steps: Sequence[Mapping[str, Any]]
    run: Run

    def of(self, *operations: str) -> dict[str, str]:
        """Steps with one of these operations: TYPE::NAME to operation."""
        found = {}
        for step in self.steps:
            if step["op"] in operations:
                found[subject_of(step["urn"])] = step["op"]
        return found

    @property
    def changes(self) -> dict[str, str]:
        """Every step that does something."""
        return self.of(*({step["op"] for step in self.steps} - {"same", "read"}))


@dataclass(frozen=True, kw_only=True)
class Step:
    """A change of the stack: what the preview announced, and what `up` did."""

    preview: Preview
    up: Run


def read_call(position: int, entry: Mapping[str, Any]) -> Call:
    """A line of the plugins' log."""
    return Call(
        position=position,
        phase="begin" if "begin" in entry else "end",
        method=entry.get("begin") or entry["method"],
        type=entry.get("type", ""),
        name=entry.get("name", ""),
        id=entry.get("id", ""),
        preview=entry.get("preview", False),
        error=entry.get("error", ""),
        urn=entry.get("urn", ""),
    )


def in_flight(calls: Sequence[Call]) -> list[str]:
    """URNs of calls that have begun and not ended."""
    begun = [(call.method, call.urn) for call in calls if call.phase == "begin"]
    for call in calls:
        if call.phase == "end" and not call.preview and (call.method, call.urn) in begun:
            begun.remove((call.method, call.urn))
    return [urn for _, urn in begun]


def _until_next(lines: Sequence[str]) -> list[str]:
    """The further lines of a message: up to an empty one, a new message or a traceback."""
    found: list[str] = []
    for line in lines:
        if not line.strip() or line.strip().startswith(
            ("error:", "warning:", "info:", "Traceback", "pulumi:", "Resources:")
        ):
            break
        found.append(line)
    return found
