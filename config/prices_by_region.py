"""What AWS charges in a region, as data: config/data/prices/REGION.json, read when a stack is in
that region (scripts/refresh_prices.py writes them).
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "prices"


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceRow:
    """One price in US dollars, and where and when it was read."""

    name: str
    usd: Decimal
    source: str
    date: datetime.date

    def as_json(self) -> dict[str, object]:
        """The row as a plan's data has it."""
        return {
            "name": self.name,
            "usd": float(self.usd),
            "source": self.source,
            "date": self.date.isoformat(),
        }


@dataclass(frozen=True, kw_only=True)
class RegionalPrices:
    """The prices of one region: `rows` by the names of prices.toml, `ec2` on demand per hour by
    type. `ec2_source` and `date` are those of most types.
    """

    region: str
    rows: Mapping[str, PriceRow]
    ec2: Mapping[str, Decimal]
    ec2_source: str
    date: datetime.date


@cache
def regions_with_prices() -> frozenset[str]:
    """The regions that there are files of."""
    return frozenset(path.stem for path in FOLDER.glob("*.json"))


@cache
def prices_in(region: str) -> RegionalPrices | None:
    """The prices of a region, or None where there is no data. Each file is read once."""
    if region not in regions_with_prices():
        return None
    document = json.loads((FOLDER / f"{region}.json").read_bytes())
    sources = [(source, datetime.date.fromisoformat(date)) for source, date in document["sources"]]
    rows = {
        name: PriceRow(
            name=name, usd=Decimal(usd), source=sources[index][0], date=sources[index][1]
        )
        for name, (usd, index) in document["rows"].items()
    }
    types: dict[str, tuple[str, int]] = document["ec2"]
    ((most, _),) = Counter(index for _, index in types.values()).most_common(1) or ((0, 0),)
    source, date = sources[most]
    return RegionalPrices(
        region=region,
        rows=rows,
        ec2={name: Decimal(usd) for name, (usd, _) in types.items()},
        ec2_source=source,
        date=date,
    )
