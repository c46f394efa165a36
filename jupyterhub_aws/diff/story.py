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
from jupyterhub_aws.config.errors import some

# --- Values as words: short, one line, and harmless wherever they are shown.


_LONGEST = 100
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def value(item: Any, longest: int = _LONGEST) -> str:
    """A value on one line, cut where it is long."""
    text = "(none)" if item is None else item
    if not isinstance(text, str):
        text = json.dumps(item, sort_keys=True, ensure_ascii=False)
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
        changed = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1)
        lines = [clean(line) for line in list(changed)[2:]]
    else:
        sides = (("-", old), ("+", new))
        lines = [f"{sign} {value(side, 300)}" for sign, side in sides if side is not None]
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
#: How the headline says what is worse than an interruption.
_GRAVE: dict[Class, str] = {
    "endangers data": "data is in danger",
    "unknown": "some effects are unknown",
    "widens access": "access is wider than before",
}
#: Classes that are shown unfolded.
LOUD: tuple[Class, ...] = tuple(class_ for class_ in TITLES if class_ != "routine")


@dataclass(frozen=True)
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
        return some(names)

    @property
    def more(self) -> str:
        """The resources' names where the sentence does not say them."""
        known = self.says == MADE or self.topic == "cost" or self.names in self.text
        return "" if known else self.names

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
    by_class: dict[Class, list[StoryLine]] = defaultdict(list)
    for (class_, topic, about, says), effects in groups.items():
        subjects = tuple(sorted({effect.subject for effect in effects}))
        by_class[class_].append(StoryLine(topic, about, says, subjects))
    return tuple(
        Section(class_=class_, lines=tuple(sorted(by_class[class_], key=_order)))
        for class_ in sorted(by_class, key=shown_first)
    )


def _order(line: StoryLine) -> tuple[int, int, str]:
    """By topic; where it is about money, what costs most first."""
    measure = 0
    if line.topic == "cost":
        words = list(MEASURES.values())
        measure = next((words.index(word) for word in words if line.says.startswith(f"{word}:")), 0)
    return TOPICS.index(line.topic), measure, line.text


def costs(found: Difference) -> str:
    """What the change costs, in a few words; empty where it costs no more."""
    rises = {effect.rise.key: effect.rise for effect in found.effects if effect.rise is not None}
    for key, words in _COSTS.items():
        rise = rises.get(key)
        if rise is not None:
            more = None if rise.before is None or rise.after is None else rise.after - rise.before
            if more is None:
                return f"what it costs {MEASURES[key]} is not known"
            return f"{words} {more:,.2f} US dollars a month more"
    return ""


def headline(found: Difference) -> str:
    """The whole in a sentence: what it costs, and how it affects users."""
    if found.empty:
        return "Nothing changes."
    if found.configuration:
        return "The configuration changes; its effects could not be determined."
    quiet: tuple[Class, ...] = ("routine", "costs more")
    loud = [section for section in sections(found) if section.class_ not in quiet]
    money = costs(found)
    if not loud:
        return f"{_capital(money)}; no other user impact." if money else "No user impact."
    said = [effect.says for effect in found.effects]
    restarts = {item.about for item in found.effects if item.says.startswith("the hub restarts")}
    hubs, parts = sorted(restarts), []
    if hubs:
        parts.append(f"{_names(hubs)} restarts" if len(hubs) == 1 else f"{len(hubs)} hubs restart")
    if any(says.startswith("the proxy restarts") for says in said):
        parts.append("all connections drop once")
    replaced = (item for item in found.effects if item.class_ == "replaces")
    pools = sorted({item.about for item in replaced if item.topic == "nodes"})
    if pools:
        parts.append(f"nodes stop, with the servers on them ({'; '.join(pools[:3])})")
    if any("hub and proxy move" in says for says in said):
        parts.append("hub and proxy move to other nodes")
    classes = {section.class_ for section in loud}
    parts += [words for class_, words in _GRAVE.items() if class_ in classes]
    if not parts:
        lines = [line for section in loud for line in section.lines]
        only = clipped(lines[0].text, 160) if len(lines) == 1 else ""
        parts.append(only or "connections or services are interrupted")
    return f"{_capital('; '.join([money, *parts] if money else parts))}."


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
