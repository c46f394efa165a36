"""What a change means: one sentence, the class that the gate judges, and the heading that it is
shown under.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.side import Side

#: From harmless to irreversible.
Class = Literal[
    "routine", "interrupts", "costs more", "replaces", "widens access", "unknown", "endangers data"
]
CLASSES: tuple[Class, ...] = get_args(Class)
#: In the order in which they are shown.
Topic = Literal[
    "cost",
    "data",
    "users",
    "sign-in",
    "access",
    "network",
    "nodes",
    "images",
    "cluster",
    "logs",
    "your program",
]
TOPICS: tuple[Topic, ...] = get_args(Topic)


@dataclass(frozen=True, kw_only=True)
class Rise:
    """A sum of the bill that rises, in US dollars per month: `key` as the plan's data calls it.
    None is not known.
    """

    key: str
    before: float | None
    after: float | None


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One effect of a change. `subject` is the resource, as `TYPE::NAME`; `about` names, for
    readers, what it concerns: `hub main`.

    `rise` is there where the class is `costs more`. `added` says that the resource is one that the
    caller's program added.
    """

    class_: Class
    topic: Topic
    says: str
    subject: str
    about: str = ""
    rise: Rise | None = None
    added: bool = False

    @property
    def severity(self) -> int:
        """Its place among the classes."""
        return CLASSES.index(self.class_)

    def as_json(self) -> dict[str, Any]:
        """The effect as data."""
        said = {
            "class": self.class_,
            "topic": self.topic,
            "says": self.says,
            "subject": self.subject,
            "about": self.about,
        }
        return {**said, "added": True} if self.added else said


@dataclass(frozen=True, kw_only=True)
class EffectContext:
    """What a rule may look at besides the change itself: both sides."""

    old: Side
    new: Side

    @property
    def fresh(self) -> bool:
        """Whether the stack is new: nothing existed before, so no access is gained or lost."""
        return not self.old.resources.all


@dataclass
class Reading:
    """What a rule said of one change: effects, and which properties it covers (`*`: all of
    them). `whole`: no more is to be said of it.
    """

    change: Change
    effects: list[Effect] = field(default_factory=list)
    explained: set[str] = field(default_factory=set)
    whole: bool = False

    def explains(self, keys: tuple[str, ...]) -> bool:
        """Whether a property is covered."""
        path = ".".join(keys)
        return "*" in self.explained or any(
            path == part or path.startswith(f"{part}.") for part in self.explained
        )

    def say(self, class_: Class, topic: Topic, says: str, about: str = "") -> None:
        """Add an effect of the change: class, heading and sentence."""
        subject = self.change.subject
        self.effects.append(
            Effect(class_=class_, topic=topic, says=says, subject=subject, about=about)
        )


def shown_first(class_: Class) -> tuple[bool, int]:
    """The order in which classes are shown: what costs more before anything else, then the
    gravest.
    """
    return (class_ != "costs more", -CLASSES.index(class_))


def sorted_effects(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """Each once: money first, then the gravest, then by heading and words."""

    def place(item: Effect) -> tuple[object, ...]:
        words = (item.about, item.says, item.subject)
        return (*shown_first(item.class_), TOPICS.index(item.topic), *words)

    return tuple(sorted(set(effects), key=place))
