"""What AWS charges, from tables with sources: one of each region that was brought here
(data/prices/REGION.json), and one of us-east-1 (data/prices.toml) for what they lack; and prices of
your own over them.
"""

from __future__ import annotations

import datetime
import json
import re
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
from jupyterhub_aws.config.zones import partition_named, regions

if TYPE_CHECKING:
    import datetime


# --- What AWS charges in a region, as data: config/data/prices/REGION.json, read when a stack is in
# that region (scripts/refresh_prices.py writes them).


FOLDER = Path(__file__).parent / "data" / "prices"
#: Database instance classes, of which prices.toml has a few.
_DATABASE = re.compile(r"rds_hour:db\.[a-z0-9-]+\.[a-z0-9]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceRow:
    """One price in US dollars, where and when it was read, and where it holds: in its region, and
    in every commercial one where the source says so.
    """

    name: str
    usd: Decimal
    source: str
    date: datetime.date
    region: str
    everywhere: bool = False

    def holds_in(self, region: str) -> bool:
        """Whether it is the price of a region."""
        return region == self.region or (self.everywhere and partition_named(region) == "aws")

    def as_json(self) -> dict[str, object]:
        """The row as a plan's data has it."""
        return {
            "name": self.name,
            "usd": float(self.usd),
            "region": self.region,
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
            name=name,
            usd=Decimal(usd),
            source=sources[index][0],
            date=sources[index][1],
            region=region,
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
                name=name,
                usd=Decimal(row["usd"]),
                source=row["source"],
                date=row["date"],
                region=REGION,
                everywhere=row.get("everywhere", False),
            )
            for name, row in found.items()
        }
    )


def price(name: str) -> Decimal:
    """The price of a row in US dollars. Raises KeyError for a name that the table lacks."""
    return rows()[name].usd


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnPrices:
    """An operator's own prices: `fixed` by the rows' names, `ec2` by type, per hour."""

    fixed: Mapping[str, Decimal] = field(default_factory=dict)
    ec2: Mapping[str, Decimal] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.fixed) + len(self.ec2)


@dataclass(frozen=True, kw_only=True)
class Prices:
    """The prices of a region: an operator's own over the region's table. `own` holds in every
    region, `by_region` in one and goes over `own`; `file` says where they are.

    What the table of the region lacks has the price of us-east-1, and `region_of` says so.
    """

    region: str = REGION
    file: str | None = None
    own: OwnPrices = field(default_factory=OwnPrices)
    by_region: Mapping[str, OwnPrices] = field(default_factory=dict)

    def in_region(self, region: str) -> Prices:
        """The same with the table of a region; us-east-1 where the region is empty (a stack
        without AWS).
        """
        return replace(self, region=region or REGION)

    @property
    def _mine(self) -> OwnPrices:
        here = self.by_region.get(self.region, OwnPrices())
        return OwnPrices(fixed={**self.own.fixed, **here.fixed}, ec2={**self.own.ec2, **here.ec2})

    @property
    def has_data(self) -> bool:
        """Whether any table of the region is here."""
        return self.region == REGION or prices_in(self.region) is not None

    def _row(self, name: str) -> PriceRow | None:
        """The row of a table: the region's own, else one that holds there too, else that of
        us-east-1.
        """
        here, home, row = prices_in(self.region), prices_in(REGION), rows().get(name)
        if here is not None and name in here.rows:
            return here.rows[name]
        if home is not None and name in home.rows and not (row and row.holds_in(self.region)):
            return home.rows[name]
        return row

    def of(self, name: str) -> Decimal:
        """The price of a row in US dollars. Raises KeyError for an unknown name."""
        known = self.known(name)
        if known is None:
            raise KeyError(name)
        return known

    def known(self, name: str) -> Decimal | None:
        """The price of a row, or None."""
        fixed = self._mine.fixed
        if name in fixed:
            return fixed[name]
        row = self._row(name)
        return None if row is None else row.usd

    def node_hour(self, kind: str) -> Decimal | None:
        """An instance type on demand per hour in US dollars, or None where it is not known."""
        mine = self._mine.ec2
        if kind in mine:
            return mine[kind]
        for table in (prices_in(self.region), prices_in(REGION)):
            if table is not None and kind in table.ec2:
                return table.ec2[kind]
        hourly = instance_type(kind).usd_per_hour if kind in instance_types() else None
        return None if hourly is None else Decimal(str(hourly))

    def region_of(self, name: str) -> str:
        """The region that the price of a row, or of a type (`ec2:TYPE`), is of: the stack's own, or us-east-1
        because that one is not known. A share of another price belongs nowhere.
        """
        (kind, _, type_), mine, table = name.partition(":"), self._mine, prices_in(self.region)
        if self.region == REGION or name in _NO_REGION:
            return self.region
        if kind == "ec2":
            is_here = type_ in mine.ec2 or (table is not None and type_ in table.ec2)
            return self.region if is_here else REGION
        row = self._row(name)
        is_here = name in mine.fixed or (row is not None and row.holds_in(self.region))
        return self.region if is_here else REGION

    def is_elsewhere(self, name: str) -> bool:
        """Whether the price of a row, or of a type (`ec2:TYPE`), is us-east-1's because the
        region's is not known.
        """
        return self.region_of(name) != self.region

    def sources(self) -> list[PriceRow]:
        """Where each fixed price was read, an operator's own ones included."""
        mine, region = self._mine, self.region
        own = [
            PriceRow(name=name, usd=usd, source=str(self.file), date=self._date, region=region)
            for name, usd in {**mine.fixed, **mine.ec2}.items()
        ]
        names = dict.fromkeys(rows())
        for table in (prices_in(REGION), prices_in(region)):
            names.update(dict.fromkeys(() if table is None else table.rows))
        found = [row for name in names if (row := self._row(name)) is not None]
        return [*own, *(row for row in found if row.name not in mine.fixed)]

    @property
    def ec2_source(self) -> str:
        """Where most prices of EC2 types were read."""
        table = self._table
        return instance_source() if table is None else f"{table.ec2_source}, {table.date}"

    @property
    def _table(self) -> RegionalPrices | None:
        """The table of the region, else a table of us-east-1 where one was brought here."""
        found = prices_in(self.region)
        return prices_in(REGION) if found is None else found

    @property
    def _date(self) -> datetime.date:
        table = self._table
        found: datetime.date = _table()["date"] if table is None else table.date
        return found

    @property
    def described(self) -> str:
        """Where and when the prices hold, as a plan says it: the date is that of the EC2 prices."""
        count = len(self._mine)
        own = f", {count} of them from {self.file}" if count else ""
        return f"{self.region if self.has_data else REGION}, {self._date}{own}"


def read_prices(path: Path) -> Prices:
    """Prices of your own: a TOML file with `name = "usd"` lines, and types under `[ec2]`; those of
    one region under `[regions.NAME]` and `[regions.NAME.ec2]`. Raises ConfigError with every
    problem.
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
    problems: list[Problem] = []
    sections = _section(document, "regions", (), problems)
    by_region: dict[str, OwnPrices] = {}
    for region in sections:
        where = ("regions", region)
        if region not in regions():
            fix = did_you_mean(region, regions(), "write a region, such as eu-central-1")
            problems.append(
                Problem(
                    id="prices.region",
                    path=dotted(where),
                    what="is not a region of AWS",
                    fix=fix,
                )
            )
        elif section := _section(sections, region, where[:1], problems):
            by_region[region] = _own_prices(section, where, problems)
    own = _own_prices(document, (), problems)
    if problems:
        raise ConfigError(path.name, problems)
    return Prices(file=path.name, own=own, by_region=by_region)


def _section(
    given: Mapping[str, Any], name: str, where: tuple[str, ...], problems: list[Problem]
) -> dict[str, Any]:
    found = given.get(name, {})
    if isinstance(found, dict):
        return found
    path = dotted((*where, name))
    problems.append(
        Problem(
            id="prices.not-section",
            path=path,
            what=f"must be a section of prices (got {shown(found)})",
            fix=f'write [{path}], and below it lines such as nat_gateway_hour = "0.045"',
        )
    )
    return {}


def _own_prices(
    given: Mapping[str, Any], where: tuple[str, ...], problems: list[Problem]
) -> OwnPrices:
    types = _section(given, "ec2", where, problems)
    sections = ("ec2",) if where else ("ec2", "regions")
    fixed = {name: value for name, value in given.items() if name not in sections}
    return OwnPrices(
        fixed=_own(fixed, where, list(rows()), problems),
        ec2=_own(types, (*where, "ec2"), list(instance_types()), problems),
    )


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
        if name not in known and not (where[-1:] != ("ec2",) and _DATABASE.fullmatch(name)):
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
