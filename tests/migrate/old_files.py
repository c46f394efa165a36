"""Stack files of format 1 as people write them: hypothesis draws what is in them and how it
stands there. Their names of today are listed here by hand.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

#: Every word of format 1 that is another one in format 2. Not read from the product: this is what
#: the tests hold it to.
WORDS = {
    "watch": "monitoring",
    "neighbours": "peer_networks",
    "inside_hosts": "internal_hosts",
    "further_endpoints": "additional_endpoints",
    "endpoints_made": "manage_endpoints",
    "machines": "instances",
    "at_rest": "idle",
    "at_most": "maximum",
    "increase_at_rest": "idle_increase",
    "increase_at_most": "maximum_increase",
    "people_per_node": "users_per_node",
    "written_by": "writable_by",
    "everybody": "users",
    "nobody": "none",
    "none_so_that_anybody_on_the_way_reads_passwords": "none_insecure",
    "sqlite_memory_that_loses_sessions": "sqlite_memory",
    "people": "users",
    "given": "existing",
}


def today(config: dict[str, Any]) -> dict[str, Any]:
    """Sections of format 1 in format 2."""
    found = copy.deepcopy(config)
    _move(found, "watch")
    _move(found.get("network"), "neighbours", "inside_hosts", "further_endpoints", "endpoints_made")
    _move(found.get("pause"), "machines")
    _move(
        found.get("gate", {}).get("cost"),
        "at_rest",
        "at_most",
        "increase_at_rest",
        "increase_at_most",
    )
    _say(found.get("homes", {}).get("adopted"), "owner", "people")
    for pool in found.get("pools", {}).values():
        _say(pool, "capacity", "given")
    for hub in found.get("hubs", {}).values():
        _say(hub.get("sign_in"), "tls", "none_so_that_anybody_on_the_way_reads_passwords")
        _say(hub.get("database"), "kind", "sqlite_memory_that_loses_sessions")
        for profile in hub.get("profiles", {}).values():
            _move(profile, "people_per_node")
        for directory in hub.get("shared_directories", {}).values():
            _say(directory, "written_by", "everybody", "nobody")
            _move(directory, "written_by")
    return found


def _move(section: dict[str, Any] | None, *names: str) -> None:
    before = dict(section or {})
    if section:
        section.clear()
        section.update(
            {WORDS[key] if key in names else key: value for key, value in before.items()}
        )


def _say(section: dict[str, Any] | None, key: str, *values: str) -> None:
    if section and section.get(key) in values:
        section[key] = WORDS[section[key]]


_DECOYS = st.sampled_from(sorted(WORDS))
_NAME = st.sampled_from(["main", "b", "watch", "given", "people", "neighbours"])


def _some(**options: Any) -> Any:
    return st.fixed_dictionaries({}, optional=options)


_HUB = _some(
    sign_in=_some(
        kind=st.just("ldap"),
        tls=st.sampled_from(["on_connect", "none_so_that_anybody_on_the_way_reads_passwords"]),
    ),
    database=_some(kind=st.sampled_from(["sqlite", "sqlite_memory_that_loses_sessions"])),
    profiles=st.dictionaries(
        _NAME, _some(people_per_node=st.integers(1, 9), pool=_NAME, description=_DECOYS), max_size=2
    ),
    shared_directories=st.dictionaries(
        _NAME,
        _some(
            written_by=st.sampled_from(["administrators", "everybody", "nobody"]),
            mount_path=st.just("/x"),
        ),
        max_size=2,
    ),
    helm_values=st.dictionaries(_DECOYS, _DECOYS, max_size=2),
)
#: Sections in the words of format 1, with the same words where they mean something else.
SECTIONS = st.fixed_dictionaries(
    {"name": _NAME, "hubs": st.dictionaries(_NAME, _HUB, max_size=2)},
    optional={
        "network": _some(
            mode=st.just("airgap"),
            neighbours=st.dictionaries(
                _NAME, _some(cidrs=st.just(["10.0.0.0/8"]), servers=st.booleans()), max_size=2
            ),
            inside_hosts=st.lists(_DECOYS, max_size=2),
            further_endpoints=st.lists(_DECOYS, max_size=2),
            endpoints_made=st.booleans(),
        ),
        "watch": _some(
            kind=st.sampled_from(["cloudwatch", "none"]), notify=st.lists(_DECOYS, max_size=2)
        ),
        "pause": _some(machines=_some(nodes=_DECOYS)),
        "gate": _some(
            cost=_some(
                at_rest=st.integers(0, 9),
                at_most=st.integers(0, 9),
                increase_at_rest=st.just(0),
                increase_at_most=st.just(1),
            )
        ),
        "homes": _some(
            kind=st.just("efs"),
            adopted=_some(owner=st.sampled_from(["people", "root"]), path=st.just("/people")),
        ),
        "pools": st.dictionaries(
            _NAME,
            _some(
                capacity=st.sampled_from(["spot", "given"]),
                labels=st.dictionaries(_DECOYS, _DECOYS, max_size=1),
            ),
            max_size=2,
        ),
        "tags": _some(owner=_DECOYS, extra=st.dictionaries(_DECOYS, _DECOYS, max_size=2)),
    },
)


@dataclass(frozen=True)
class Written:
    """A stack file's text and what it says, section by section."""

    text: str
    sections: dict[str, Any]


@st.composite
def old_files(draw: Callable[..., Any], project: str = "jupyterhub-aws") -> Written:
    """A readable stack file of format 1, in any form that a person or `pulumi config set` gives
    it.
    """
    sections = draw(SECTIONS)
    writer = _Writer(draw, draw(st.sampled_from(["", f"{project}:", f"{project}:config:"])))
    config = writer.config(sections)
    text = f"{writer.comment()}{config}encryptionsalt: v1:people:given\n"
    if draw(st.booleans()):
        text = text.rstrip("\n")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return Written(("\ufeff" if draw(st.booleans()) else "") + text, sections)


class _Writer:
    """YAML as nobody's library writes it: each value in a style of its own, with comments that
    say the same words.
    """

    def __init__(self, draw: Callable[..., Any], prefix: str) -> None:
        self._draw, self._prefix = draw, prefix

    def config(self, sections: dict[str, Any]) -> str:
        lines = ["config:" + self.note()]
        if self._draw(st.booleans()):
            lines.append("  # the watch of the neighbours: people_per_node")
        lines += [
            "  aws:region: us-east-1" + self.note(),
            "  hub-main-client-secret: {secure: 'v1:given:people='}",
            "  other:watch: given",
        ]
        for name, value in sections.items():
            key = self.quoted(self._prefix + name)
            if isinstance(value, dict) and self._draw(st.integers(0, 4)) == 0:
                lines += self.as_json(key, value)
            else:
                lines += self.entry(key, value, 2)
        return "".join(f"{line}\n" for line in lines)

    def as_json(self, key: str, value: Any) -> list[str]:
        """As `pulumi config set pools '{…}'` leaves it: text that holds JSON."""
        text = json.dumps(value)
        style = self._draw(st.sampled_from(["'", '"', "|", "|-"]))
        if style.startswith("|"):
            return [
                f"  {key}: {style}",
                *(f"    {line}" for line in json.dumps(value, indent=1).split("\n")),
            ]
        return (
            [f"  {key}: '" + text.replace("'", "''") + "'" + self.note()]
            if style == "'"
            else [f"  {key}: {json.dumps(text)}{self.note()}"]
        )

    def entry(self, key: str, value: Any, indent: int) -> list[str]:
        pad = " " * indent
        if not isinstance(value, (dict, list)) or not value or self._draw(st.integers(0, 3)) == 0:
            return [f"{pad}{key}: {self.flow(value)}{self.note()}"]
        if isinstance(value, list):
            return [
                f"{pad}{key}:{self.note()}",
                *(f"{pad}- {self.flow(item)}{self.note()}" for item in value),
            ]
        lines = [f"{pad}{key}:{self.note()}"]
        for name, item in value.items():
            lines += self.entry(self.quoted(name), item, indent + 2)
        return lines

    def flow(self, value: Any) -> str:
        if isinstance(value, dict):
            return (
                "{"
                + ", ".join(f"{self.quoted(key)}: {self.flow(item)}" for key, item in value.items())
                + "}"
            )
        if isinstance(value, list):
            return "[" + ", ".join(map(self.flow, value)) + "]"
        return self.quoted(value) if isinstance(value, str) else json.dumps(value)

    def quoted(self, text: str) -> str:
        style = self._draw(st.sampled_from(["", "", "'", '"']))
        return f"{style}{text}{style}"

    def note(self) -> str:
        return self._draw(
            st.sampled_from(["", "", "  # given ① to people, 𝒳", " # watch: {neighbours: 1}"])
        )

    def comment(self) -> str:
        return self._draw(st.sampled_from(["", "# watch: given\n\n"]))
