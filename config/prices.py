"""What AWS charges, from tables with sources (us-east-1's here, other regions' in
prices_by_region); and prices of your own over them.
"""

from __future__ import annotations

import datetime
import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.config.errors import ConfigError, Problem, did_you_mean, dotted, refused, shown
from jupyterhub_aws.config.instance_types import instance_source, instance_type, instance_types

if TYPE_CHECKING:
    import datetime


# --- What AWS charges in a region, as data: config/data/prices/REGION.json, read when a stack is in
# that region (scripts/refresh_prices.py writes them).


FOLDER = Path(__file__).parent / "data" / "prices"
#: What a bill has a line for and the tables have no price of, for want of a source: a file of prices
#: of your own may.
WITHOUT_PRICE = ("application_load_balancer_hour",)


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
    """The regions with a file of prices."""
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


TABLE = Path(__file__).parent / "data" / "prices.toml"
REGION = "us-east-1"
#: AWS's own convention for a month.
HOURS_PER_MONTH = 730
#: Rows that are no price of AWS's.
_NO_REGION = ("spot_share",)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def rows() -> Mapping[str, PriceRow]:
    """Every price by name. Read from disk at the first call."""
    found = {name: row for name, row in _table().items() if isinstance(row, dict)}
    return MappingProxyType(
        {
            name: PriceRow(
                name=name, usd=Decimal(row["usd"]), source=row["source"], date=row["date"]
            )
            for name, row in found.items()
        }
    )


def price(name: str) -> Decimal:
    """The price of a row in US dollars. Raises KeyError for a name that the table lacks."""
    return rows()[name].usd


@dataclass(frozen=True, kw_only=True)
class Prices:
    """The prices of a region: an operator's own (`fixed` by the rows' names, `ec2` by type, `file`
    says whose) over the region's table.

    What the table of the region lacks has the price of us-east-1, and `is_elsewhere` says so.
    """

    region: str = REGION
    file: str | None = None
    fixed: Mapping[str, Decimal] = field(default_factory=dict)
    ec2: Mapping[str, Decimal] = field(default_factory=dict)

    def in_region(self, region: str) -> Prices:
        """The same with the table of a region; us-east-1 where the region is empty (a stack
        without AWS).
        """
        return replace(self, region=region or REGION)

    @property
    def _regional(self) -> RegionalPrices | None:
        return None if self.region == REGION else prices_in(self.region)

    @property
    def has_data(self) -> bool:
        """Whether any price of the region is known."""
        return self.region == REGION or self._regional is not None

    def of(self, name: str) -> Decimal:
        """The price of a row in US dollars. Raises KeyError for an unknown name."""
        if name in self.fixed:
            return self.fixed[name]
        regional = self._regional
        return (
            regional.rows[name].usd
            if regional is not None and name in regional.rows
            else price(name)
        )

    def known(self, name: str) -> Decimal | None:
        """The price of a row, or None."""
        regional = self._regional
        is_known = (
            name in self.fixed or name in rows() or (regional is not None and name in regional.rows)
        )
        return self.of(name) if is_known else None

    def node_hour(self, kind: str) -> Decimal | None:
        """An instance type on demand per hour in US dollars, or None where it is not known."""
        if kind in self.ec2:
            return self.ec2[kind]
        regional = self._regional
        if regional is not None and kind in regional.ec2:
            return regional.ec2[kind]
        hourly = instance_type(kind).usd_per_hour if kind in instance_types() else None
        return None if hourly is None else Decimal(str(hourly))

    def is_elsewhere(self, name: str) -> bool:
        """Whether the price of a row, or of a type (`ec2:TYPE`), is us-east-1's because the
        region's is not known. A share of another price never is.
        """
        regional, (kind, _, type_) = self._regional, name.partition(":")
        if self.region == REGION or name in _NO_REGION:
            return False
        if kind == "ec2":
            return type_ not in self.ec2 and (regional is None or type_ not in regional.ec2)
        return name not in self.fixed and (regional is None or name not in regional.rows)

    def sources(self) -> list[PriceRow]:
        """Where each fixed price was read, an operator's own ones included."""
        own = [
            PriceRow(name=name, usd=usd, source=str(self.file), date=self._date)
            for name, usd in {**self.fixed, **self.ec2}.items()
        ]
        regional = self._regional
        table = {**rows(), **({} if regional is None else regional.rows)}
        return [*own, *(row for name, row in table.items() if name not in self.fixed)]

    @property
    def ec2_source(self) -> str:
        """Where most prices of EC2 types were read."""
        regional = self._regional
        return instance_source() if regional is None else f"{regional.ec2_source}, {regional.date}"

    @property
    def _date(self) -> datetime.date:
        regional = self._regional
        found: datetime.date = _table()["date"] if regional is None else regional.date
        return found

    @property
    def described(self) -> str:
        """Where and when the prices hold, as a plan says it: the date is that of the EC2 prices."""
        own = f", {len(self.fixed) + len(self.ec2)} of them from {self.file}" if self.file else ""
        return f"{self.region if self.has_data else REGION}, {self._date}{own}"


def read_prices(path: Path) -> Prices:
    """Prices of your own: a TOML file with `name = "usd"` lines, and types under `[ec2]`. Raises
    ConfigError with every problem.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        fix = "name a TOML file of prices"
        raise refused(path.name, "file.unreadable", "", what, fix) from None
    except ValueError as error:
        what = f"is not TOML ({error})"
        fix = 'write lines such as spot_share = "0.35"'
        raise refused(path.name, "prices.not-toml", "", what, fix) from None
    types = document.pop("ec2", {})
    problems: list[Problem] = []
    fixed = _own(document, (), [*rows(), *WITHOUT_PRICE], problems)
    ec2 = _own(types if isinstance(types, dict) else {}, ("ec2",), list(instance_types()), problems)
    if problems:
        raise ConfigError(path.name, problems)
    return Prices(file=path.name, fixed=fixed, ec2=ec2)


def _own(
    given: Mapping[str, Any], where: tuple[str, ...], known: list[str], problems: list[Problem]
) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for name, value in given.items():
        path = dotted((*where, name))
        try:
            amount = Decimal(value) if isinstance(value, str) else None
        except InvalidOperation:
            amount = None
        if name not in known:
            fix = did_you_mean(name, known, f"the names are {', '.join(known[:30])}")
            problems.append(
                Problem(
                    id="prices.unknown", path=path, what="is not a price that a bill has", fix=fix
                )
            )
        elif amount is None or not amount.is_finite() or amount < 0:
            problems.append(
                Problem(
                    id="prices.malformed",
                    path=path,
                    what=f"is not a price (got {shown(value)})",
                    fix='write US dollars in quotes, such as "0.40"',
                )
            )
        else:
            found[name] = amount
    return found
