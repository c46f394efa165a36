"""The gate: which effects a stack lets through by itself, and which need somebody to say that they have seen them.

A line that acknowledges names the stack, the class, the resource and a digest of what was shown: it is worth nothing for another change.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from changes.difference import Difference
from changes.effect import CLASSES, Class, Effect

FORMAT = "jupyterhub-aws/gate/1"
#: Where the base branch says nothing: what nobody loses anything by.
DEFAULT: tuple[Class, ...] = ("routine", "interrupts")
_LINE = re.compile(
    r"^[\s>*`-]*acknowledge\s+(?P<stack>[\w.-]{1,100})\s+(?P<class>[a-z-]{1,30})\s+(?P<subject>\S{1,400})\s+(?P<digest>[0-9a-f]{24})[\s`]*$", re.MULTILINE
)
#: A label that acknowledges.
LABEL = re.compile(r"^acknowledge (?P<digest>[0-9a-f]{24})$")
_DIGITS = 24


@dataclass(frozen=True, kw_only=True)
class Needed:
    """One acknowledgement: of all effects of a class that one resource has."""

    stack: str
    class_: Class
    subject: str
    says: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Some digits that stand for exactly these effects."""
        text = json.dumps([self.stack, self.class_, self.subject, sorted(self.says)], ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]

    @property
    def line(self) -> str:
        """The line of a review that satisfies it."""
        return f"acknowledge {self.stack} {self.class_.replace(' ', '-')} {self.subject.replace(' ', '_')} {self.digest}"

    @property
    def label(self) -> str:
        """The label that satisfies it (a label has room for 50 characters)."""
        return f"acknowledge {self.digest}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the gate says: what was needed and is acknowledged, what is missing, and what the stack allows by itself."""

    allowed: tuple[Class, ...]
    acknowledged: tuple[Needed, ...]
    missing: tuple[Needed, ...]
    failures: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether nothing is missing and no check fails."""
        return not self.missing and not self.failures

    def as_json(self) -> dict[str, Any]:
        """The verdict as data."""
        return {
            "format": FORMAT,
            "passes": self.passes,
            "allowed": list(self.allowed),
            "acknowledged": [item.line for item in self.acknowledged],
            "missing": [
                {"line": item.line, "label": item.label, "class": item.class_, "subject": item.subject, "says": list(item.says)} for item in self.missing
            ],
            "failures": list(self.failures),
        }


def allowed_by(gate: Mapping[str, Any] | None) -> tuple[Class, ...]:
    """The classes that a stack's own policy lets through: the default where it has none; `endangers data` never."""
    found = gate.get("allow") if isinstance(gate, Mapping) else None
    known = [item for item in CLASSES if isinstance(found, (list, tuple)) and item in found and item != "endangers data"]
    return tuple(known) if isinstance(found, (list, tuple)) else DEFAULT


def judged(found: Difference, acknowledgements: Iterable[str] = ()) -> Verdict:
    """Judge a difference by the policy of its OLD side (the base branch's), with acknowledgements as texts of reviews or names of labels."""
    allowed = allowed_by(found.old.gate)
    needed = _needed(found, allowed)
    given = _given(acknowledgements, found.stack)
    acknowledged = tuple(item for item in needed if item.digest in given)
    missing = tuple(item for item in needed if item.digest not in given)
    failures = tuple(str(item["message"]) for item in found.new_findings if item["status"] == "fail")
    return Verdict(allowed=allowed, acknowledged=acknowledged, missing=missing, failures=failures)


def _needed(found: Difference, allowed: tuple[Class, ...]) -> list[Needed]:
    groups: dict[tuple[Class, str], list[Effect]] = defaultdict(list)
    for effect in found.effects:
        if effect.class_ not in allowed:
            groups[effect.class_, effect.subject].append(effect)
    return [
        Needed(stack=found.stack, class_=class_, subject=subject, says=tuple(effect.says for effect in effects))
        for (class_, subject), effects in groups.items()
    ]


def _given(texts: Iterable[str], stack: str) -> set[str]:
    """Digests of lines about this stack, and of labels; the digest alone says which resource, class and effects were meant."""
    found: set[str] = set()
    for text in texts:
        label = LABEL.match(text.strip())
        if label is not None:
            found.add(label["digest"])
        found.update(match["digest"] for match in _LINE.finditer(text) if match["stack"] == stack)
    return found
