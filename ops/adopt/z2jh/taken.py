"""Values of which one after the other is taken: what is left at the end is what nothing here knew."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.resources import SECRET
from config.errors import dotted
from config.tree import Path, leaves


@dataclass(frozen=True, kw_only=True, order=True)
class Dropped:
    """Something that is not carried over: where it stood, and why."""

    path: str
    why: str


@dataclass(frozen=True, kw_only=True, order=True)
class SecretCommand:
    """A secret that the stack needs: its key, and where it stood."""

    key: str
    path: str


@dataclass
class Taking:
    """Values, and what became of them. `take` removes what it returns."""

    values: dict[str, Any]
    hub: str = "main"
    dropped: list[Dropped] = field(default_factory=list)
    secrets: list[SecretCommand] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = copy.deepcopy(dict(self.values))

    def take(self, *path: str) -> Any:  # noqa: ANN401 -- any JSON value
        """What stands at a path, removed; None where nothing does. A secret is None too, and is remembered by nobody."""
        holder: Any = self.values
        for part in path[:-1]:
            holder = holder.get(part) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or path[-1] not in holder:
            return None
        found = holder.pop(path[-1])
        return None if found == SECRET else found

    def put(self, value: Any, *path: str) -> None:  # noqa: ANN401 -- any JSON value
        """Write a value of the chart's; whatever stands in the way and is no map gives way."""
        holder = self.values
        for part in path[:-1]:
            if not isinstance(holder.get(part), dict):
                holder[part] = {}
            holder = holder[part]
        holder[path[-1]] = value

    def look(self, *path: str) -> Any:  # noqa: ANN401 -- any JSON value
        """The same, left where it is."""
        here: Any = self.values
        for part in path:
            here = here.get(part) if isinstance(here, Mapping) else None
        return here

    def text(self, *path: str) -> str | None:
        """A text, or a number as text; None for anything else, which is dropped."""
        found = self.take(*path)
        if isinstance(found, (str, int, float)) and not isinstance(found, bool):
            return str(found)
        if found is not None:
            self.drop(path, "is not text")
        return None

    def texts(self, *path: str) -> list[str]:
        """A list of texts, from a list, from one text, or from a set that is written as a map."""
        found = self.take(*path)
        items = list(found) if isinstance(found, (list, dict)) else [] if found is None else [found]
        kept = [str(item) for item in items if isinstance(item, (str, int)) and not isinstance(item, bool) and item != SECRET]
        if len(kept) != len(items):
            self.drop(path, "holds something that is no name")
        return kept

    def flag(self, *path: str) -> bool:
        """A switch."""
        return self.take(*path) in (True, "true", "True", "yes", 1)

    def number(self, *path: str) -> float | None:
        """A number, from one or from text."""
        found = self.take(*path)
        try:
            return None if found is None or isinstance(found, bool) else float(found)
        except (TypeError, ValueError, OverflowError):
            self.drop(path, "is not a number")
            return None

    def drop(self, path: Path, why: str) -> None:
        """Remember what is not carried over."""
        self.dropped.append(Dropped(path=dotted(path), why=why))

    def drop_all(self, *path: str, why: str) -> None:
        """Take and drop, where there is something."""
        found = self.look(*path)
        if found is not None:
            self.take(*path)
        if any(value is not None for _, value in leaves(found)):
            self.drop(path, why)

    def secret(self, ending: str, *path: str) -> None:
        """A secret that the stack needs under a key of its own."""
        if self.look(*path) is not None:
            self.take(*path)
            self.secrets.append(SecretCommand(key=f"hub-{self.hub}-{ending}", path=dotted(path)))

    def left(self) -> Iterator[tuple[Path, Any]]:
        """What nothing took, leaf by leaf; empty maps and nulls say nothing."""
        return ((path, value) for path, value in leaves(self.values) if value is not None)
