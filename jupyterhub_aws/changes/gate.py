"""The gate: which effects a stack allows by its own policy, and which need an acknowledgement that
they have seen them.

A line that acknowledges names the stack, the class, the resource and a digest of what was shown: it
is worth nothing for another change.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.changes.difference import Difference
from jupyterhub_aws.changes.effect import CLASSES, Class, Effect, Rise
from jupyterhub_aws.config.gate import ADDED

FORMAT = "jupyterhub-aws/gate/1"
#: Where the base branch says nothing: the classes without loss.
DEFAULT: tuple[Class, ...] = ("routine", "interrupts")
#: The limits of `gate.cost` for each sum of a bill: of the sum itself, and of its increase. Paused
#: is a kind of idle.
_LIMITS: Mapping[str, tuple[str, str]] = {
    "maximum_monthly": ("maximum", "maximum_increase"),
    "idle_monthly": ("idle", "idle_increase"),
    "paused_monthly": ("idle", "idle_increase"),
}
_LINE = re.compile(
    r"^[\s>*`-]*acknowledge\s+(?P<stack>[\w.-]{1,100})\s+(?P<class>[a-z-]{1,30})\s+(?P<subject>\S{1,400})\s+(?P<digest>[0-9a-f]{24})[\s`]*$",
    re.MULTILINE,
)
#: A label that acknowledges.
LABEL = re.compile(r"^acknowledge (?P<digest>[0-9a-f]{24})$")
_DIGITS = 24


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """One acknowledgement: of all effects of a class that one resource has. `limits` are those of
    `gate.cost` that do not hold, in words.

    `added` says that the caller's program added the resource.
    """

    stack: str
    class_: Class
    subject: str
    says: tuple[str, ...]
    limits: tuple[str, ...] = ()
    added: bool = False

    @property
    def digest(self) -> str:
        """Some digits that stand for exactly these effects."""
        text = json.dumps(
            [self.stack, self.class_, self.subject, sorted(self.says)], ensure_ascii=True
        )
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]

    @property
    def line(self) -> str:
        """The line of a review that satisfies it."""
        return (
            f"acknowledge {self.stack} {self.class_.replace(' ', '-')}"
            f" {self.subject.replace(' ', '_')} {self.digest}"
        )

    @property
    def allowed_as(self) -> str | None:
        """The entry of `gate.allow` that lets such effects of the resource's type through; None
        where there is none.
        """
        if self.added and self.class_ == "unknown":
            return f"{ADDED}{self.subject.rpartition('::')[0]}"
        return None

    @property
    def label(self) -> str:
        """The label that satisfies it (a label has room for 50 characters)."""
        return f"acknowledge {self.digest}"


@dataclass(frozen=True, kw_only=True)
class GateVerdict:
    """What the gate says: what was needed and is acknowledged, what is missing, and what the stack
    allows by itself.

    `within_cost_limits` says that the bill rises and that `gate.cost` lets it.
    """

    allowed: tuple[str, ...]
    acknowledged: tuple[Acknowledgement, ...]
    missing: tuple[Acknowledgement, ...]
    failures: tuple[str, ...] = ()
    within_cost_limits: bool = False

    @property
    def lets_through(self) -> str:
        """What needed no acknowledgement, in words."""
        cost = ["within the limits of gate.cost"] if self.within_cost_limits else []
        return ", ".join([*self.allowed, *cost]) or "nothing"

    @property
    def nameable(self) -> tuple[str, ...]:
        """The entries of `gate.allow` by which a stack would let through what is missing:
        unknown effects of what its program adds.
        """
        found = {item.allowed_as for item in self.missing}
        return tuple(sorted(entry for entry in found if entry is not None))

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
            "within_cost_limits": self.within_cost_limits,
            "acknowledged": [item.line for item in self.acknowledged],
            "missing": [
                {
                    "line": item.line,
                    "label": item.label,
                    "class": item.class_,
                    "subject": item.subject,
                    "says": list(item.says),
                    "limits": list(item.limits),
                }
                for item in self.missing
            ],
            "failures": list(self.failures),
        }


def allowed_by(gate: Mapping[str, Any] | None) -> tuple[Class, ...]:
    """The classes that a stack's own policy lets through: the default where it has none;
    `endangers data` never.
    """
    found = gate.get("allow") if isinstance(gate, Mapping) else None
    if not isinstance(found, (list, tuple)):
        return DEFAULT
    return tuple(item for item in CLASSES if item in found and item != "endangers data")


def names_allowed_by(gate: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The types and resources of the caller's program whose unknown effects a stack's own policy
    lets through: `added:TYPE`, `added:TYPE::NAME`.
    """
    found = gate.get("allow") if isinstance(gate, Mapping) else None
    if isinstance(found, (list, tuple)):
        return tuple(item for item in found if isinstance(item, str) and item.startswith(ADDED))
    return ()


def _is_named(effect: Effect, names: Iterable[str]) -> bool:
    """Whether `gate.allow` names the added resource of an unknown effect."""
    type_ = effect.subject.partition("::")[0]
    patterns = [re.escape(name.removeprefix(ADDED)).replace(r"\*", ".*") for name in names]
    return (
        effect.added
        and effect.class_ == "unknown"
        and any(re.fullmatch(item, text) for item in patterns for text in (effect.subject, type_))
    )


def above(rise: Rise, gate: Mapping[str, Any] | None) -> tuple[str, ...] | None:
    """The limits of `gate.cost` that a rise of the bill does not hold, in words; none where it
    holds all; None where no limit is set for it.

    A sum that is not known holds no limit, and a limit that is no number is 0.
    """
    cost = gate.get("cost") if isinstance(gate, Mapping) else None
    given = cost if isinstance(cost, Mapping) else {}
    total, increase = _LIMITS[rise.key]
    limits = {
        name: _limit(given[name]) for name in (total, increase) if given.get(name) is not None
    }
    if not limits:
        return None
    more = None if rise.after is None or rise.before is None else round(rise.after - rise.before, 2)
    amounts = {total: rise.after, increase: more}
    return tuple(
        f"gate.cost.{name} is {limit:,.0f}"
        for name, limit in limits.items()
        if (amount := amounts[name]) is None or amount > limit
    )


def _limit(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    return 0.0


def judged(found: Difference, acknowledgements: Iterable[str] = ()) -> GateVerdict:
    """Judge a difference by the policy of its OLD side (the base branch's), with
    acknowledgements as texts of reviews or names of labels.
    """
    allowed, names = allowed_by(found.old.gate), names_allowed_by(found.old.gate)
    needed = _needed(found, allowed, names)
    given = _given(acknowledgements, found.stack)
    acknowledged = tuple(item for item in needed if item.digest in given)
    missing = tuple(item for item in needed if item.digest not in given)
    failed = [item for item in found.new_findings if item["status"] == "fail"]
    within = any(
        effect.rise is not None and above(effect.rise, found.old.gate) == ()
        for effect in found.effects
    )
    return GateVerdict(
        allowed=(*allowed, *names),
        acknowledged=acknowledged,
        missing=missing,
        failures=tuple(str(item["message"]) for item in failed),
        within_cost_limits=within,
    )


def _needed(
    found: Difference, allowed: tuple[Class, ...], names: tuple[str, ...]
) -> list[Acknowledgement]:
    groups: dict[tuple[Class, str], list[Effect]] = defaultdict(list)
    limits: dict[tuple[Class, str], list[str]] = defaultdict(list)
    for effect in found.effects:
        if _is_named(effect, names):
            continue
        broken = None if effect.rise is None else above(effect.rise, found.old.gate)
        if effect.class_ not in allowed if broken is None else broken:
            groups[effect.class_, effect.subject].append(effect)
            limits[effect.class_, effect.subject] += broken or ()
    return [
        Acknowledgement(
            stack=found.stack,
            class_=class_,
            subject=subject,
            says=tuple(effect.says for effect in effects),
            limits=tuple(limits[class_, subject]),
            added=all(effect.added for effect in effects),
        )
        for (class_, subject), effects in groups.items()
    ]


def _given(texts: Iterable[str], stack: str) -> set[str]:
    """Digests of lines about this stack, and of labels; the digest alone says which resource,
    class and effects were meant.
    """
    found: set[str] = set()
    for text in texts:
        label = LABEL.match(text.strip())
        if label is not None:
            found.add(label["digest"])
        found.update(match["digest"] for match in _LINE.finditer(text) if match["stack"] == stack)
    return found
