"""What AWS charges for the things that are not instances, from a table with sources."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

TABLE = Path(__file__).parent / "data" / "prices.toml"
REGION = "us-east-1"
#: AWS's own convention for a month.
HOURS_PER_MONTH = 730


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One price in US dollars, and where and when it was read."""

    name: str
    usd: Decimal
    source: str
    date: datetime.date


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def rows() -> Mapping[str, Row]:
    """Every price by name. Read from disk at the first call."""
    found = {name: row for name, row in _table().items() if isinstance(row, dict)}
    return MappingProxyType({name: Row(name=name, usd=Decimal(row["usd"]), source=row["source"], date=row["date"]) for name, row in found.items()})


def price(name: str) -> Decimal:
    """The price of a row in US dollars. Raises KeyError for a name that the table lacks."""
    return rows()[name].usd


def prices_of() -> str:
    """Where and when the prices hold, as a plan says it."""
    return f"{REGION}, {_table()['date']}"
