"""One step between two formats of a stack file: a table of old and new names, and where in a
file they are found.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from jupyterhub_aws.config.errors import Problem, dotted

#: Where something is in a stack file, by the names that the file has now: ("network",
#: "peer_networks", "corporate"). The first is a section.
Place = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Renamed:
    """A renamed option. `path` is its old path from the section on, with
    `*` for names that users choose.
    """

    path: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Revalued:
    """A renamed value of an option. `path` is the option's old path, with
    `*` for names that users choose.
    """

    path: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One word of one file that a step changes: the last name of `place` (`of: name`), or the
    value of the option (`of: value`).
    """

    place: Place
    of: Literal["name", "value"]
    old: str
    new: str

    @property
    def words(self) -> str:
        """The edit as a message says it."""
        return (
            f"{dotted(self.place)} is called {self.new}"
            if self.of == "name"
            else f"{dotted(self.place)}: {self.old} is called {self.new}"
        )


class MigrationStep(ABC):
    """From one format to the next. `sections` are always the options of the program by name,
    without a project's prefix, as plain data.
    """

    source: ClassVar[int]
    target: ClassVar[int]
    changes: ClassVar[Sequence[Renamed | Revalued]]

    @classmethod
    def edits(cls, sections: Mapping[str, Any]) -> list[Edit]:
        """What the step changes in a file. A key with dots in its name (`pulumi config set a.b`
        without `--path`) is read as the path that was meant.
        """
        found = (edit for key, value in sections.items() for edit in cls._edits(key, value))
        return sorted(found, key=lambda edit: (edit.place, edit.of))

    @classmethod
    def _edits(cls, key: str, value: object) -> Iterator[Edit]:
        parts = key.split(".")
        names, nested = list(parts), value
        for part in reversed(parts):
            nested = {part: nested}
        for change in cls.changes:
            for place, found in _places(nested, tuple(change.path.split("."))):
                below = (key, *place[len(parts) :])
                if isinstance(change, Revalued):
                    if found == change.old and len(place) >= len(parts):
                        yield Edit(place=below, of="value", old=change.old, new=change.new)
                elif len(place) > len(parts):
                    yield Edit(place=below, of="name", old=str(place[-1]), new=change.name)
                else:
                    names[len(place) - 1] = change.name
        if names != parts:
            yield Edit(place=(key,), of="name", old=key, new=".".join(names))


def _places(
    value: object, pattern: tuple[str, ...], place: Place = ()
) -> Iterator[tuple[Place, object]]:
    """Every place of a pattern in data, with its value."""
    if not pattern:
        yield place, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, str) and pattern[0] in ("*", key):  # what is no text names nothing
                yield from _places(item, pattern[1:], (*place, key))


def applied(sections: Mapping[str, Any], edits: Sequence[Edit]) -> dict[str, Any]:
    """The data with the edits of one step applied, in the original order."""
    by_place: dict[tuple[Place, str], str] = {(edit.place, edit.of): edit.new for edit in edits}
    return {
        by_place.get(((key,), "name"), key): _changed(value, (key,), by_place)
        for key, value in sections.items()
    }


def _changed(value: Any, place: Place, by_place: Mapping[tuple[Place, str], str]) -> Any:
    if isinstance(value, Mapping):
        return {
            by_place.get(((*place, key), "name"), key): _changed(item, (*place, key), by_place)
            for key, item in value.items()
        }
    return by_place.get((place, "value"), value)


def clashes(sections: Mapping[str, Any], edits: Sequence[Edit]) -> Iterator[Problem]:
    """The options that have both their old and their new name."""
    for edit in edits:
        around: Any = sections
        for part in edit.place[:-1]:
            around = around[part]
        if edit.of == "name" and edit.new in around:
            new = dotted((*edit.place[:-1], edit.new))
            yield Problem(
                id="format.old-and-new",
                path=dotted(edit.place),
                what=f"is the old name of {new}, and both are present",
                fix="keep what is right under the new name",
            )
