"""What a change means: one sentence, the class that a gate judges, and the heading that a person finds it under."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from changes.compare import Change
from changes.side import Side

Class = Literal["routine", "interrupts", "replaces", "widens access", "unknown", "endangers data"]
Topic = Literal["people", "data", "sign-in", "access", "network", "nodes", "images", "cluster", "logs"]
#: From harmless to what nobody can take back.
CLASSES: tuple[Class, ...] = ("routine", "interrupts", "replaces", "widens access", "unknown", "endangers data")
#: In the order in which a person reads them.
TOPICS: tuple[Topic, ...] = ("data", "people", "sign-in", "access", "network", "nodes", "images", "cluster", "logs")


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One thing that a change does. `subject` is the resource, as `TYPE::NAME`; `about` names whom or what, for people: `hub main`."""

    class_: Class
    topic: Topic
    says: str
    subject: str
    about: str = ""

    @property
    def severity(self) -> int:
        """Its place among the classes."""
        return CLASSES.index(self.class_)

    def as_json(self) -> dict[str, Any]:
        """The effect as data."""
        return {"class": self.class_, "topic": self.topic, "says": self.says, "subject": self.subject, "about": self.about}


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a rule may look at besides the change itself: both sides."""

    old: Side
    new: Side

    @property
    def fresh(self) -> bool:
        """Whether the stack is new: nobody had anything yet, so nobody gains or loses."""
        return not self.old.resources.all


@dataclass(kw_only=True)
class Reading:
    """What a rule said of one change: effects, and which properties it spoke about (`*`: all of them). `whole`: no more is to be said of it."""

    effects: list[Effect] = field(default_factory=list)
    explained: set[str] = field(default_factory=set)
    whole: bool = False

    def explains(self, keys: tuple[str, ...]) -> bool:
        """Whether a property was spoken about."""
        path = ".".join(keys)
        return "*" in self.explained or any(path == part or path.startswith(f"{part}.") for part in self.explained)

    def say(self, change: Change, text: tuple[Class, Topic, str], about: str = "") -> None:
        """Add an effect of a change: class, heading and sentence."""
        self.effects.append(Effect(class_=text[0], topic=text[1], says=text[2], subject=change.subject, about=about))


def sorted_effects(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """Each once: the gravest first, then by heading and words."""
    return tuple(sorted(set(effects), key=lambda item: (-item.severity, TOPICS.index(item.topic), item.about, item.says, item.subject)))
