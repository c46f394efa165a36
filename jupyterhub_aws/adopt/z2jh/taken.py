"""Chart values of which one after the other is taken, and a ledger of what became of each: nothing
goes without a line.

Every end of the input (a scalar, a null, an empty map or list) is in the ledger exactly once. What
nothing took is what nothing here knew.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.config.chart import default_values
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.tree import KeyPath

# --- The chart's own values: what is one of them says nothing.


def found_at(here: Any, path: KeyPath) -> tuple[bool, Any]:
    """Whether maps and lists lead to a path, and what is there."""
    for part in path:
        is_item = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if not is_item and not (isinstance(here, Mapping) and part in here):
            return False, None
        here = here[part]
    return True, here


def default_of(path: KeyPath) -> tuple[bool, Any]:
    """Whether the chart has a default at a path, and it."""
    return found_at(default_values(), path)


def says_nothing(path: KeyPath, value: Any) -> bool:
    """Whether a null, an empty map or an empty list leaves the chart's default as it is. An
    empty list instead of a full one does not.
    """
    return value in (None, {}) or (value == [] and default_of(path)[1] in (None, {}, []))


# --- What keeps users out of something: options whose loss would let more of them in, or further.
# They are never dropped without a warning.


#: Traits that narrow. Those that let in by themselves (allowed_groups …) are not among them:
#: without them fewer come in.
NARROWING = frozenset(
    "blocked_users hosted_domain hostedDomain allowed_idps idp_whitelist idp identity_provider"
    " username_pattern valid_username_regex search_filter lookup_dn_search_filter validRegex"
    " allowed_domains allowed_domains_claim allow_unverified_email shown_idps github_url github_api".split()
)
#: A word that makes a key of a profile, or of a choice inside it, a rule of who may have it.
GATE = re.compile(
    r"(?i)(allow|deny|denied|block|restrict|require|permit|only|group|team|user|role|scope|member)"
)
_RANGES = re.compile(
    r"(?i)(whitelist|denylist|blacklist|inbound-cidrs|allow-source|source-range|auth-|oauth|security-groups|wafv?2?-acl)"
)
_EGRESS = frozenset(
    ("cloudMetadataServer", "dnsPortsCloudMetadataServer", "nonPrivateIPs", "privateIPs")
)


def restricts(path: KeyPath, value: Any) -> bool:
    """Whether a value of the chart's keeps users out of something. `value` is not looked at
    where it is None.
    """
    names = [part for part in path if isinstance(part, str)]
    if "annotations" in names:
        return bool(names[-1:] and _RANGES.search(names[-1]))
    if "profileList" in names:
        return _of_a_profile(names[names.index("profileList") + 1 :])
    if names[-1:] and names[-1] in _EGRESS and "singleuser" in names:
        return value is False
    if "loadBalancerSourceRanges" in names or "allowedIngressPorts" in names:
        return True
    if names[:4] == ["auth", "ldap", "dn", "search"] and "filter" in names:
        return True
    return names[:1] in (["hub"], ["auth"]) and any(name in NARROWING for name in names)


def _of_a_profile(below: list[str]) -> bool:
    """A key of a profile, of one of its options, or of a choice there: elsewhere such a word is
    a name that the operator gave.
    """
    if below[:1] != ["profile_options"]:
        return bool(below and below[0] != "kubespawner_override" and GATE.search(below[0]))
    return bool(
        (below[2:3] and below[2] != "choices" and GATE.search(below[2]))
        or (below[2:3] == ["choices"] and below[4:5] and GATE.search(below[4]))
    )


SEALED = "is a secret, or looks like one: nothing like it is copied"
_YES = ("true", "yes", "on", "1")


class LedgerStatus(StrEnum):
    """What became of a value of the chart's."""

    CARRIED = "carried"  # the stack file says it, as it is or in its own words
    SETTLED = "settled"  # the stack decides it by itself, to the same end or for a reason
    FILL_IN = "fill in"  # a line of the stack file is marked for it
    LISTED = "listed"  # not carried over, with the reason


@dataclass(frozen=True)
class LedgerEntry:
    """A line of the ledger. `why`: the reason, or where the stack file says it."""

    status: LedgerStatus
    why: str = ""


@dataclass(frozen=True, order=True)
class Dropped:
    """Something that is not carried over: where it was, and why. `access`: it kept users out of
    something, and the new hub would not.
    """

    path: str
    why: str
    access: bool = False


@dataclass(frozen=True, kw_only=True, order=True)
class SecretCommand:
    """A secret that the stack needs: its key, and where it was."""

    key: str
    path: str


def ends(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every scalar, null, empty map and empty list in a value, with its path."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from ends(inner, (*path, key))
    elif isinstance(value, (list, tuple)) and value:
        for index, inner in enumerate(value):
            yield from ends(inner, (*path, index))
    else:
        yield path, value


def is_text(value: Any) -> bool:
    """Whether a value is a text with something in it, or a number."""
    plain = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    return plain and bool(str(value).strip())


@dataclass
class Taking:
    """Values, and what became of them. `take` removes what it returns."""

    values: dict[str, Any]
    hub: str = "main"
    programs: frozenset[str] = frozenset()
    chart: str | None = None
    dropped: list[Dropped] = field(default_factory=list)
    secrets: list[SecretCommand] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ledger: dict[KeyPath, LedgerEntry] = field(default_factory=dict)
    _moved: dict[KeyPath, KeyPath] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._original = self.values
        self._ends = frozenset(path for path, _ in ends(self.values) if path)
        self.values = copy.deepcopy(dict(self.values))

    def was(self, path: KeyPath) -> Any:
        """What the input has at a path."""
        return found_at(self._original, path)[1]

    def is_end(self, path: KeyPath) -> bool:
        """Whether the input has a value there that the ledger has to account for."""
        return path in self._ends

    def _holder(self, path: KeyPath) -> Any:
        return found_at(self.values, path)[1]

    def look(self, *path: str | int) -> Any:
        """What is at a path, left where it is; None where nothing is."""
        return self._holder(path)

    def keys(self, *path: str | int) -> list[Any]:
        """The keys of the map at a path; none where there is no map."""
        found = self.look(*path)
        return list(found) if isinstance(found, Mapping) else []

    def has(self, *path: str | int) -> bool:
        """Whether a key is there, be it with a null."""
        holder = self._holder(path[:-1])
        return isinstance(holder, dict) and path[-1] in holder

    def take(self, *path: str | int, to: str = "") -> Any:
        """What is at a path, removed and carried; None where nothing is. A secret is None too,
        and is listed.
        """
        holder = self._holder(path[:-1])
        if not isinstance(holder, dict) or path[-1] not in holder:
            return None
        found = holder.pop(path[-1])
        for end, value in ends(found, path):
            if end not in self._ends:
                continue  # emptied by taking, or put there by us
            if value == SECRET:
                self.mark(end, LedgerStatus.LISTED, SEALED)
                self.dropped.append(Dropped(dotted(end), SEALED, restricts(end, value)))
            else:
                self.mark(end, LedgerStatus.CARRIED, to)
        return None if found == SECRET else found

    def put(self, value: Any, *path: str | int, origin: KeyPath | None = None) -> None:
        """Write a value of the chart's; whatever is in the way and is no map gives way.
        `origin`: where it was before.
        """
        holder: dict[Any, Any] = self.values
        for part in path[:-1]:
            if not isinstance(holder.get(part), dict):
                holder[part] = {}
            holder = holder[part]
        holder[path[-1]] = value
        self._moved[path] = path if origin is None else origin

    def was_put(self, path: KeyPath) -> bool:
        """Whether something is there that `put` or `move` wrote: it is decided."""
        return path in self._moved

    def move(self, source: KeyPath, *target: str) -> None:
        """Say a value of the chart's at another place of the chart's."""
        value = self.take(*source)
        if value is None:
            self.settle(*source, why="says nothing")
        else:
            self.put(value, *target, origin=source)

    def text(self, *path: str | int) -> str | None:
        """A text, or a number as text; None for anything else, which is listed."""
        found = self.take(*path)
        if is_text(found):
            return str(found)
        if found is not None:
            self.drop(path, "is not text")
        return None

    def texts(self, *path: str | int) -> list[str]:
        """A list of texts, from a list, from one text, or from a set that is written as a map."""
        found = self.take(*path)
        if isinstance(found, dict):
            pairs: list[tuple[KeyPath, Any]] = [((*path, key), key) for key in found]
        elif isinstance(found, list):
            pairs = [((*path, index), item) for index, item in enumerate(found)]
        else:
            pairs = [] if found is None else [(path, found)]
        kept = []
        for place, item in pairs:
            if is_text(item) and not isinstance(item, float) and item != SECRET:
                kept.append(str(item))
            elif item != SECRET:
                self.drop(place, "is not text")
        return kept

    def flag(self, *path: str | int) -> bool:
        """A switch."""
        found = self.take(*path)
        if found is None or isinstance(found, bool):
            return bool(found)
        if str(found).lower() in _YES:
            return True
        if str(found).lower() not in ("false", "no", "off", "0"):
            self.drop(path, "is neither true nor false")
        return False

    def number(self, *path: str | int) -> float | None:
        """A number, from one or from text."""
        found = self.take(*path)
        try:
            number = None if found is None or isinstance(found, bool) else float(found)
        except (TypeError, ValueError, OverflowError):
            number = None
        if number is not None and number == number and abs(number) < 1e15:  # noqa: PLR0124 -- not NaN; the least that no setting here means
            return number
        if found is not None:
            self.drop(path, "is not a number")
        return None

    def settle(self, *path: str | int, why: str) -> None:
        """The stack decides this by itself."""
        self._take_quietly(path)
        self.mark_below(path, LedgerStatus.SETTLED, why)

    def to_fill_in(self, *path: str | int, where: str) -> None:
        """A line of the stack file is marked for this."""
        self._take_quietly(path)
        self.mark_below(path, LedgerStatus.FILL_IN, where)

    def drop(self, path: KeyPath, why: str, *, access: bool | None = None) -> None:
        """List what is not carried over. What kept users out of something is said apart, unless
        `access` says that it did not.
        """
        self._take_quietly(path)
        below = self.mark_below(path, LedgerStatus.LISTED, why)
        if access is None:
            access = any(restricts(end, self.was(end)) for end in below or [path])
        self.dropped = [item for item in self.dropped if item.path != dotted(path)]
        self.dropped.append(Dropped(dotted(path), why, access))

    def drop_all(self, *path: str | int, why: str) -> None:
        """List what is at a path, where something is; what says nothing is settled."""
        if not self.has(*path):
            return
        found = ends(self.look(*path), path)
        held = [(end, value) for end, value in found if not says_nothing(end, value)]
        if not held:
            self.settle(*path, why="says nothing")
        elif all(default_of(end) == (True, value) for end, value in held):
            self.settle(*path, why="is the chart's own default")
        else:
            self.drop(path, why)

    def secret(self, ending: str, *path: str) -> None:
        """A secret that the stack needs under a key of its own."""
        if self.look(*path) is not None:
            key = f"hub-{self.hub}-{ending}"
            self.settle(*path, why=f"a secret of the stack: {key}")
            self.secrets.append(SecretCommand(key=key, path=dotted(path)))

    def left(self) -> Iterator[tuple[KeyPath, Any]]:
        """What nothing took, end by end. A map that was emptied by taking is no end of the
        input.
        """
        return (
            (path, value)
            for path, value in ends(self.values)
            if value not in (None, {}, []) or not self._emptied(path)
        )

    def _emptied(self, path: KeyPath) -> bool:
        return any(end[: len(path)] == path for end in self.ledger) or not path

    def gone(self, path: KeyPath, why: str) -> None:
        """List something that is still there, be it an item of a list: that leaves a null
        behind, so that the others keep their numbers.
        """
        holder = self._holder(path[:-1])
        found = holder[path[-1]] if holder is not None else None
        loud = False
        for end, value in list(ends(found, path)):
            self.mark(self.origin(end), LedgerStatus.LISTED, why)
            loud = loud or restricts(self.origin(end), value)
        self.dropped.append(Dropped(dotted(self.origin(path)), why, loud))
        if isinstance(holder, list) and isinstance(path[-1], int):
            holder[path[-1]] = None
        elif isinstance(holder, dict):
            del holder[path[-1]]

    def origin(self, path: KeyPath) -> KeyPath:
        """Where a value of the result was in the input."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._moved:
                return (*self._moved[path[:length]], *path[length:])
        return path

    def mark(self, end: KeyPath, status: LedgerStatus, why: str) -> None:
        """The ledger's line of one value."""
        self.ledger[end] = LedgerEntry(status, why)

    def mark_below(self, path: KeyPath, status: LedgerStatus, why: str) -> list[KeyPath]:
        """The lines of all that is at a path and is not listed yet; returns their paths."""
        found = [
            end
            for end, entry in self.ledger.items()
            if end[: len(path)] == path and entry.status is not LedgerStatus.LISTED
        ]
        for end in found:
            self.mark(end, status, why)
        return found

    def _take_quietly(self, path: KeyPath) -> None:
        holder = self._holder(path[:-1])
        if isinstance(holder, dict) and path[-1] in holder:
            for end, _ in ends(holder.pop(path[-1]), path):
                if end in self._ends:
                    self.ledger.setdefault(end, LedgerEntry(LedgerStatus.CARRIED))
