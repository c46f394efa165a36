"""What AWS charges for the things that are not instances, from a table with sources."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "data" / "prices.toml"
REGION = "us-east-1"
#: AWS's own convention for a month.
HOURS_PER_MONTH = 730


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def price(name: str) -> Decimal:
    """The price of a row in US dollars. Raises KeyError for a name that the table lacks."""
    return Decimal(_table()[name]["usd"])


def prices_of() -> str:
    """Where and when the prices hold, as a plan says it."""
    return f"{REGION}, {_table()['date']}"
