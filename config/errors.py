"""What a person reads when a stack file is wrong: every problem at once, each with path, fault and remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic_core import PydanticCustomError


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """One thing that is wrong in a stack file.

    `path` is the dotted path as the person wrote it (`pools.memory.size.max`), `what` says what is wrong and what was
    found, `fix` says what to do about it.
    """

    path: str
    what: str
    fix: str

    def line(self, source: str) -> str:
        """The problem as the one line that is printed: `Pulumi.dev.yaml: pools.memory.size.max: …; …`."""
        return f"{source}: {self.path}: {self.what}; {self.fix}" if self.path else f"{source}: {self.what}; {self.fix}"


class ConfigError(Exception):
    """A stack file that cannot be used. Carries all problems that were found, in the order of their paths."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        """Collect the problems of one source (a file name such as `Pulumi.dev.yaml`); duplicates are dropped."""
        self.source = source
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(problem.line(source) for problem in self.problems))


def refuse(what: str, fix: str) -> PydanticCustomError:
    """An error for a validator to raise: `raise refuse("must be …", "write …")`. The path is pydantic's to know."""
    return PydanticCustomError("refused", "{what}", {"what": what, "fix": fix})


def shown(value: object) -> str:
    """A value as it is quoted in a message: short, one line, never an object dump."""
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else str(value)
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, dict):
        text = "a map" if value else "an empty map"
    elif isinstance(value, (list, tuple)):
        text = "a list" if value else "an empty list"
    return text if len(text) <= 60 else f"{text[:57]}…"


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one most probably means, or None."""
    from difflib import get_close_matches

    matches = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None
