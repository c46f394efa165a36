"""A difference as sections of sentences: what every way of showing it has in common."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from changes.difference import Difference
from changes.effect import CLASSES, TOPICS, Class, Effect, Topic
from changes.side import Op
from ops.diff.words import clipped

#: What a person reads instead of the class.
TITLES: dict[Class, str] = {
    "endangers data": "Endangers data",
    "unknown": "Unknown effect",
    "widens access": "Widens access",
    "replaces": "Replaces",
    "interrupts": "Interrupts",
    "routine": "Nobody notices",
}
#: What happens to a resource, in a word and as a mark.
DONE: dict[Op, str] = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "import": "imported"}
MARKS: dict[Op, str] = {"create": "+", "update": "~", "replace": "±", "delete": "-", "import": "=", "same": " "}
#: The measures of a bill that are shown, by what they are called.
BILLS = {"idle_monthly": "at rest", "maximum_monthly": "at most", "paused_monthly": "paused"}
#: Classes that a person is shown unfolded.
LOUD: tuple[Class, ...] = ("endangers data", "unknown", "widens access", "replaces", "interrupts")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One sentence, and the resources that it is about."""

    topic: Topic
    about: str
    says: str
    subjects: tuple[str, ...]

    @property
    def names(self) -> str:
        """The resources' own names, the first few of them."""
        names = [subject.rpartition("::")[2] for subject in self.subjects]
        return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")  # noqa: PLR2004 -- as many as fit a line

    @property
    def more(self) -> str:
        """The resources' names where the sentence does not say them."""
        return "" if self.says == "made" or self.names in self.text else self.names

    @property
    def text(self) -> str:
        """The sentence with what it is about."""
        about = f"{self.about}: " if self.about else ""
        made = f"{self.names}: " if self.says == "made" else ""
        return f"{about}{made}{self.says}"


@dataclass(frozen=True, kw_only=True)
class Section:
    """Every sentence of a class."""

    class_: Class
    lines: tuple[Line, ...]

    @property
    def title(self) -> str:
        """Its heading."""
        return TITLES[self.class_]


def sections(found: Difference) -> tuple[Section, ...]:
    """The gravest first; what several resources have in common once."""
    groups: dict[tuple[Class, Topic, str, str], list[Effect]] = defaultdict(list)
    for effect in found.effects:
        groups[effect.class_, effect.topic, effect.about, effect.says].append(effect)
    by_class: dict[Class, list[tuple[int, Line]]] = defaultdict(list)
    for (class_, topic, about, says), effects in groups.items():
        line = Line(topic=topic, about=about, says=says, subjects=tuple(sorted({effect.subject for effect in effects})))
        by_class[class_].append((TOPICS.index(topic), line))
    ordered = sorted(by_class, key=CLASSES.index, reverse=True)
    return tuple(
        Section(class_=class_, lines=tuple(line for _, line in sorted(by_class[class_], key=lambda item: (item[0], item[1].text)))) for class_ in ordered
    )


def headline(found: Difference) -> str:
    """The whole in a sentence: what it does to people first."""
    if found.empty:
        return "Nothing changes."
    if found.configuration:
        return "The configuration changes; what that does could not be found out."
    loud = [section for section in sections(found) if section.class_ in LOUD]
    if not loud:
        return "Nobody notices anything."
    parts = []
    hubs = sorted({effect.about for effect in found.effects if effect.says.startswith("the hub restarts")})
    proxies = sorted({effect.about for effect in found.effects if effect.says.startswith("the proxy restarts")})
    if hubs:
        parts.append(f"{_names(hubs)} restarts" if len(hubs) == 1 else f"{len(hubs)} hubs restart")
    if proxies:
        parts.append("all connections drop once")
    pools = sorted({effect.about for effect in found.effects if effect.class_ == "replaces" and effect.topic == "nodes"})
    if pools:
        parts.append(f"nodes end, with the servers on them ({'; '.join(pools[:3])})")
    if any("hub and proxy move" in effect.says for effect in found.effects):
        parts.append("hub and proxy move to other nodes")
    counted = {"endangers data": "data is in danger", "unknown": "some effects are unknown", "widens access": "somebody may do or reach more than before"}
    parts += [words for class_, words in counted.items() if any(section.class_ == class_ for section in loud)]
    lines = [line for section in loud for line in section.lines]
    some = clipped(lines[0].text, 160) if len(lines) == 1 else "something is cut off or interrupted"
    text = "; ".join(parts) or some
    return f"{text[0].upper()}{text[1:]}."


def _names(hubs: list[str]) -> str:
    name = hubs[0] or "the hub"
    return name if name.startswith("the ") else f"the {name}" if name.startswith("hub ") else name


def counts(found: Difference) -> str:
    """How many resources, in a line."""
    parts = [f"{number} {DONE[op]}" for op, number in found.counts.items()]
    return ", ".join(parts) or "no resource changes"


def dollars(amount: float | None) -> str:
    """An amount of money, or that it is not known."""
    return "?" if amount is None else f"{amount:,.2f}"


def bill(found: Difference) -> str:
    """What a month costs, before and after, in a line; empty where it is the same or not known."""
    money = found.money
    if money is None:
        return ""
    parts = [f"{name} {dollars(money[key][0])} → {dollars(money[key][1])}" for key, name in BILLS.items() if money[key][0] != money[key][1]]
    return f"US dollars a month: {', '.join(parts)}" if parts else ""
