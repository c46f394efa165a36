"""The sections in which an authenticator's traits may be, read as one: the most special first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jupyterhub_aws.adopt.z2jh.taken import Taking

_OLD_SPELLINGS = frozenset(
    ("allow_all", "allow_existing_users", "manage_groups", "auth_state_groups_key", "tls_strategy")
)


class Traits:
    """Traits by their name, wherever they are."""

    def __init__(self, taking: Taking, places: tuple[tuple[str, ...], ...]) -> None:
        """`places`: paths of sections, the most special first."""
        self.taking, self.places = taking, places
        #: Whether a trait was there that only newer versions of the hub know.
        self.saw_new = any(self.has(name) for name in _OLD_SPELLINGS)

    def has(self, name: str) -> bool:
        """Whether a section has it."""
        return any(self.taking.has(*place, name) for place in self.places)

    def first(self, *names: str) -> str | None:
        """The text of the most special section; others had no effect."""
        found = None
        for place in self.places:
            for name in names:
                if not self.taking.has(*place, name):
                    continue
                if found is not None:
                    self.taking.settle(
                        *place, name, why="had no effect: a more special section says it"
                    )
                elif isinstance(self.taking.look(*place, name), (list, dict)):
                    self.taking.drop((*place, name), "is not text")
                else:
                    found = self.taking.text(*place, name)
        return found

    def texts(self, *names: str) -> list[str]:
        """Every text of every section, each once."""
        return list(
            dict.fromkeys(
                item
                for place in self.places
                for name in names
                for item in self.taking.texts(*place, name)
            )
        )

    def flag(self, name: str) -> bool:
        """Whether any section switches it on."""
        return any([self.taking.flag(*place, name) for place in self.places])

    def flag_or_none(self, name: str) -> bool | None:
        """The same; None where no section says it."""
        return self.flag(name) if self.has(name) else None

    def secret(self, ending: str, name: str) -> None:
        """A secret that the stack needs under a key of its own."""
        for place in self.places:
            self.taking.secret(ending, *place, name)

    def settle(self, *names: str, why: str) -> None:
        """The stack decides them by itself."""
        for place in self.places:
            for name in names:
                self.taking.settle(*place, name, why=why)

    def to_fill_in(self, *names: str, where: str) -> None:
        """A line of the stack file is marked for them."""
        for place in self.places:
            for name in names:
                self.taking.to_fill_in(*place, name, where=where)

    def drop(self, names: tuple[str, ...], why: str, *, access: bool | None = None) -> None:
        """List what was taken already under one of these names."""
        for place in self.places:
            for name in names:
                path = (*place, name)
                if any(end[: len(path)] == path for end in self.taking.ledger):
                    self.taking.drop(path, why, access=access)

    def drop_old(self, path: tuple[str, ...], why: str) -> None:
        """List what was taken from a place of charts before 0.10, where it was there."""
        if any(end[: len(path)] == path for end in self.taking.ledger):
            self.taking.drop(path, why, access=False)

    def drop_each(self, names: tuple[str, ...], why: str) -> None:
        """List what is still there under one of these names."""
        for place in self.places:
            for name in names:
                self.taking.drop_all(*place, name, why=why)

    def left(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """What nothing took, and nothing wrote."""
        for place in self.places:
            section = self.taking.look(*place)
            if isinstance(section, Mapping):
                yield from (
                    (place, str(name))
                    for name in section
                    if not self.taking.was_put((*place, str(name)))
                )
