"""What a plan cannot know of the program that it recorded: answers that only AWS has, and what
other components make inside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from jupyterhub_aws.checks.finding import Finding, skip, warn
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.stack import StackConfig

NoteKind = Literal[
    "clear text", "look-up", "prompt look-up", "component", "computed", "configuration"
]
#: What is not known, by kind: a word for one of it, what that means, and what a reader can do.
_TEXTS: Mapping[NoteKind, tuple[str, str, str | None]] = {
    "clear text": (
        "resource",
        "with a secret in clear text, which the state would hold in clear text too",
        "read it with require_secret, or wrap it with pulumi.Output.secret",
    ),
    "look-up": (
        "look-up",
        "that only the provider can answer: values that depend on {them} are shown as [unknown]",
        None,
    ),
    "prompt look-up": (
        "look-up",
        "that only the provider can answer, and the program uses the answer at once: the plan"
        " continues with placeholders, one item in each list",
        "use the form that returns an Output (get_…_output): then the plan shows what depends on it"
        " as [unknown]",
    ),
    "component": (
        "component",
        "with contents that only its own package knows: the plan shows it without its children",
        None,
    ),
    "computed": (
        "computed value",
        "that fails on a placeholder: values that depend on {them} are shown as [unknown]",
        "nothing, if the function expects a real value; else mend it",
    ),
    "configuration": (
        "setting",
        "that reads an encrypted value as data: what follows from {them} is shown as [unknown]",
        None,
    ),
}
#: So many places are named in one message.
_SHOWN = 5


@dataclass(frozen=True, kw_only=True, order=True)
class Note:
    """One item that the recording could not know: `what` names it, `source` is the line of the
    caller's program.
    """

    kind: NoteKind
    what: str
    source: str

    @property
    def text(self) -> str:
        """What and where."""
        return f"{self.what} at {self.source}" if self.source else self.what


def beyond_the_recording(notes: Sequence[Note]) -> list[Finding]:
    """One finding for each kind of item that the recording could not know or would not show,
    with the lines of the program.
    """
    by_kind: dict[NoteKind, list[Note]] = defaultdict(list)
    used_at_once = {
        (note.what, note.source) for note in notes if note.kind in ("prompt look-up", "component")
    }
    for note in sorted(set(notes)):
        if note.kind != "look-up" or (note.what, note.source) not in used_at_once:
            by_kind[note.kind].append(note)
    found = []
    for kind, some in by_kind.items():
        noun, text, fix = _TEXTS[kind]
        count, them = (f"1 {noun}", "it") if len(some) == 1 else (f"{len(some)} {noun}s", "them")
        named = "; ".join(note.text for note in some[:_SHOWN]) + (
            f"; and {len(some) - _SHOWN} more" if len(some) > _SHOWN else ""
        )
        message = f"{count} of your program {text.format(them=them)} ({named})"
        found.append(
            warn("secrets", message, fix)
            if kind == "clear text"
            else skip("program-unknowns", message, fix)
        )
    return found


# --- What a plan of a paused stack says first: that it is paused, and what that means.


def paused(stack: StackConfig, _resources: Resources) -> list[Finding]:
    """A warning in every plan of a paused stack: users cannot work, and the checks are about
    the paused state. No finding for any other stack.
    """
    if not stack.paused:
        return []
    message = "the stack is paused: no node, no server, no sign-in; homes and databases stay"
    fix = "jhub resume; what that would build: jhub plan --set paused=false"
    return [warn("paused", message, fix, path="paused")]
