"""A difference as sections of sentences: what every way of showing it has in common."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.changes.difference import Difference
from jupyterhub_aws.changes.effect import TOPICS, Class, Effect, Topic, shown_first
from jupyterhub_aws.changes.effects.all import MADE
from jupyterhub_aws.changes.effects.cost import MEASURES
from jupyterhub_aws.changes.side import Op

# --- Values as words: short, one line, and harmless wherever they are shown.


_LONGEST = 100
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def value(item: Any, longest: int = _LONGEST) -> str:
    """A value on one line, cut where it is long."""
    text = (
        "(none)"
        if item is None
        else item
        if isinstance(item, str)
        else json.dumps(item, sort_keys=True, ensure_ascii=False)
    )
    text = clean(" ".join(text.split())) or '""'
    return clipped(text, longest)


def clipped(text: str, longest: int) -> str:
    """Text, cut where it is long."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def clean(text: str) -> str:
    """Text without control characters and without what turns or hides other text: it may come
    from an attacker.
    """
    text = _INVISIBLE.sub("", text)
    return "".join(
        char if char in "\n\t" or unicodedata.category(char)[0] != "C" else "�" for char in text
    )


def unified(old: Any, new: Any, most: int = 40) -> list[str]:
    """Two values as lines of a diff: texts of several lines by line, other values as a whole."""
    if isinstance(old, str) and isinstance(new, str) and "\n" in f"{old}{new}":
        lines = [
            clean(line)
            for line in list(
                difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1)
            )[2:]
        ]
    else:
        lines = [
            f"{sign} {value(side, 300)}"
            for sign, side in (("-", old), ("+", new))
            if side is not None
        ]
    return lines if len(lines) <= most else [*lines[:most], f"  … {len(lines) - most} lines more"]


#: The heading of each class.
TITLES: dict[Class, str] = {
    "costs more": "Costs more",
    "endangers data": "Endangers data",
    "unknown": "Unknown effect",
    "widens access": "Widens access",
    "replaces": "Replaces",
    "interrupts": "Interrupts",
    "routine": "No user impact",
}
#: What happens to a resource, in a word and as a mark.
DONE: dict[Op, str] = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "import": "imported",
}
MARKS: dict[Op, str] = {
    "create": "+",
    "update": "~",
    "replace": "±",
    "delete": "-",
    "import": "=",
    "same": " ",
}
#: The measures of a bill that are shown, by what they are called.
BILLS = {"idle_monthly": "idle", "maximum_monthly": "at most", "paused_monthly": "paused"}
#: How the headline says which sum rises, the first of these that does.
_COSTS = {
    "maximum_monthly": "it can cost",
    "idle_monthly": "while idle it costs",
    "paused_monthly": "while paused it costs",
}
#: Classes that are shown unfolded.
LOUD: tuple[Class, ...] = (
    "costs more",
    "endangers data",
    "unknown",
    "widens access",
    "replaces",
    "interrupts",
)


@dataclass(frozen=True, kw_only=True)
class StoryLine:
    """One sentence, and the resources that it is about."""

    topic: Topic
    about: str
    says: str
    subjects: tuple[str, ...]

    @property
    def names(self) -> str:
        """The resources' own names, the first few of them."""
        names = [subject.rpartition("::")[2] for subject in self.subjects]
        return ", ".join(names[:4]) + (
            f" and {len(names) - 4} more" if len(names) > 4 else ""
        )  # as many as fit a line

    @property
    def more(self) -> str:
        """The resources' names where the sentence does not say them."""
        return (
            ""
            if self.says == MADE or self.topic == "cost" or self.names in self.text
            else self.names
        )

    @property
    def text(self) -> str:
        """The sentence with what it is about."""
        about = f"{self.about}: " if self.about else ""
        made = f"{self.names}: " if self.says == MADE else ""
        return f"{about}{made}{self.says}"


@dataclass(frozen=True, kw_only=True)
class Section:
    """Every sentence of a class."""

    class_: Class
    lines: tuple[StoryLine, ...]

    @property
    def title(self) -> str:
        """Its heading."""
        return TITLES[self.class_]


def sections(found: Difference) -> tuple[Section, ...]:
    """Money first, then the gravest; an effect shared by several resources once."""
    groups: dict[tuple[Class, Topic, str, str], list[Effect]] = defaultdict(list)
    for effect in found.effects:
        groups[effect.class_, effect.topic, effect.about, effect.says].append(effect)
    by_class: dict[Class, list[tuple[int, StoryLine]]] = defaultdict(list)
    for (class_, topic, about, says), effects in groups.items():
        line = StoryLine(
            topic=topic,
            about=about,
            says=says,
            subjects=tuple(sorted({effect.subject for effect in effects})),
        )
        by_class[class_].append((TOPICS.index(topic), line))
    ordered = sorted(by_class, key=shown_first)
    return tuple(
        Section(
            class_=class_,
            lines=tuple(
                line
                for _, line in sorted(
                    by_class[class_],
                    key=lambda item: (item[0], _money_order(item[1]), item[1].text),
                )
            ),
        )
        for class_ in ordered
    )


def _money_order(line: StoryLine) -> int:
    """What costs most first, where it is about money."""
    return next(
        (
            index
            for index, word in enumerate(MEASURES.values())
            if line.topic == "cost" and line.says.startswith(f"{word}:")
        ),
        0,
    )


def costs(found: Difference) -> str:
    """What the change costs, in a few words; empty where it costs no more."""
    rises = {effect.rise.key: effect.rise for effect in found.effects if effect.rise is not None}
    for key, words in _COSTS.items():
        rise = rises.get(key)
        if rise is not None:
            more = None if rise.before is None or rise.after is None else rise.after - rise.before
            return (
                f"what it costs {MEASURES[key]} is not known"
                if more is None
                else f"{words} {more:,.2f} US dollars a month more"
            )
    return ""


def headline(found: Difference) -> str:
    """The whole in a sentence: what it costs, and how it affects users."""
    if found.empty:
        return "Nothing changes."
    if found.configuration:
        return "The configuration changes; its effects could not be determined."
    loud = [
        section
        for section in sections(found)
        if section.class_ in LOUD and section.class_ != "costs more"
    ]
    if not loud:
        return (
            f"{_capital(costs(found))}; no other user impact."
            if costs(found)
            else "No user impact."
        )
    parts = [costs(found)] if costs(found) else []
    money = len(parts)
    hubs = sorted(
        {effect.about for effect in found.effects if effect.says.startswith("the hub restarts")}
    )
    proxies = sorted(
        {effect.about for effect in found.effects if effect.says.startswith("the proxy restarts")}
    )
    if hubs:
        parts.append(f"{_names(hubs)} restarts" if len(hubs) == 1 else f"{len(hubs)} hubs restart")
    if proxies:
        parts.append("all connections drop once")
    pools = sorted(
        {
            effect.about
            for effect in found.effects
            if effect.class_ == "replaces" and effect.topic == "nodes"
        }
    )
    if pools:
        parts.append(f"nodes stop, with the servers on them ({'; '.join(pools[:3])})")
    if any("hub and proxy move" in effect.says for effect in found.effects):
        parts.append("hub and proxy move to other nodes")
    counted = {
        "endangers data": "data is in danger",
        "unknown": "some effects are unknown",
        "widens access": "access is wider than before",
    }
    parts += [
        words
        for class_, words in counted.items()
        if any(section.class_ == class_ for section in loud)
    ]
    lines = [line for section in loud for line in section.lines]
    some = (
        clipped(lines[0].text, 160)
        if len(lines) == 1
        else "connections or services are interrupted"
    )
    return f"{_capital('; '.join(parts if len(parts) > money else [*parts, some]))}."


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


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
    parts = [
        f"{name} {dollars(money[key][0])} → {dollars(money[key][1])}"
        for key, name in BILLS.items()
        if money[key][0] != money[key][1]
    ]
    return f"US dollars a month: {', '.join(parts)}" if parts else ""
