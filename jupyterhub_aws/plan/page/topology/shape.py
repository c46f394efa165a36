"""What the picture is made of, before anything has a place."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Element:
    """One box. `zones` are the columns that it spans; `parts` are smaller boxes inside it."""

    kind: str
    title: str
    lines: tuple[str, ...] = ()
    urn: str | None = None
    zones: tuple[int, ...] = ()
    parts: tuple[Element, ...] = ()

    @property
    def words(self) -> str:
        """The box in one line of text."""
        inside = "; ".join(part.words for part in self.parts)
        return ": ".join(filter(None, (self.title, ", ".join(self.lines)))) + (
            f" ({inside})" if inside else ""
        )


Row = tuple[Element, ...]


@dataclass(frozen=True, kw_only=True)
class Topology:
    """Everything in the picture: rows of boxes by place, from the outside in."""

    region: str
    vpc: Element
    zones: tuple[str, ...]
    public: tuple[str, ...]
    private: tuple[str, ...]
    people: Element
    operators: Element | None = None
    control: Element | None = None
    gateway: Element | None = None
    nats: Row = ()
    exits: tuple[tuple[int, int], ...] = ()
    entries: Row = ()
    entries_inside: Row = ()
    core: Row = ()
    databases: Row = ()
    pools: tuple[Row, ...] = ()
    mounts: Row = ()
    homes: Row = ()
    endpoints: Row = ()
    numbers: dict[str, int] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
