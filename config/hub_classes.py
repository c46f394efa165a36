"""The classes that `hub.config` may configure in the hub's image, with the sections that each reads
and its traits; from the packages themselves.

Read by scripts/refresh_hub_classes.py out of the versions that the image of the pinned chart has
(config/data/z2jh/classes-*.json, dated).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.chart import chart_version

_DATA = Path(__file__).parent / "data" / "z2jh"
#: What the hub's process makes of itself, whatever a stack says; the spawner is ours
#: (components/hub/files/50-jupyterhub-aws.py).
SPAWNER = "NoticingKubeSpawner"
_ALWAYS = (
    "JupyterHub",
    SPAWNER,
    "ConfigurableHTTPProxy",
    "CryptKeeper",
    "NewToken",
    "Service",
    "PeriodicMetricsCollector",
    "ResourceReflector",
)


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(
        (_DATA / f"classes-{chart_version()}.json").read_text(encoding="utf-8")
    )
    return table


def known_classes() -> frozenset[str]:
    """The name of every class."""
    return frozenset(_table()["classes"])


@cache
def sections(name: str) -> tuple[str, ...]:
    """The sections that a class reads, its own first: what is said there beats what is said for
    the classes below it. Itself, for one that is not known.
    """
    found = _table()["classes"].get(name)
    return tuple(found["sections"]) if found else (name,)


def own_traits(name: str) -> frozenset[str]:
    """The traits that a class adds to those of its bases."""
    found = _table()["classes"].get(name)
    return frozenset(found["traits"]) if found else frozenset()


@cache
def traits(name: str) -> frozenset[str]:
    """Every trait of a class, those of its bases too."""
    return frozenset().union(*(own_traits(section) for section in sections(name)))


def class_of_authenticator(said: object) -> str | None:
    """The class behind `authenticator_class`: by its short name as the packages register it, in
    any case, or by its full one. None for another.
    """
    text = str(said)
    name = _table()["authenticators"].get(text.lower()) or text.replace(":", ".").rpartition(".")[2]
    return name if name in known_classes() else None


@cache
def used_classes(authenticator: str | None) -> frozenset[str]:
    """The classes that a hub with this class of authenticator makes objects of, and their bases."""
    return frozenset(
        section
        for name in (*_ALWAYS, *([authenticator] if authenticator else []))
        for section in sections(name)
    )


def traits_read_from(section: str, used: frozenset[str]) -> frozenset[str]:
    """Every trait that means something in a section: its class's own, and those of used classes
    that read the section too.
    """
    return traits(section).union(*(traits(name) for name in used if section in sections(name)))
