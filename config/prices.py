"""What AWS charges, from a table with sources; and prices of your own over it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from config.errors import ConfigError, Problem, closest, dotted, shown
from config.instance_types import instance_type, instance_types

if TYPE_CHECKING:
    import datetime

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

    def as_json(self) -> dict[str, Any]:
        """The row as a plan's data has it."""
        return {"name": self.name, "usd": float(self.usd), "source": self.source, "date": self.date.isoformat()}


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


@dataclass(frozen=True, kw_only=True)
class Prices:
    """The tables, and a person's own prices over them: `fixed` by the rows' names, `ec2` by instance type. `file` says where those came from."""

    file: str | None = None
    fixed: Mapping[str, Decimal] = field(default_factory=dict)
    ec2: Mapping[str, Decimal] = field(default_factory=dict)

    def of(self, name: str) -> Decimal:
        """The price of a row. Raises KeyError for a name that there is not."""
        return self.fixed[name] if name in self.fixed else price(name)

    def known(self, name: str) -> Decimal | None:
        """The price of a row, or None."""
        return self.of(name) if name in self.fixed or name in rows() else None

    def node_hour(self, kind: str) -> Decimal | None:
        """An instance type on demand per hour, or None where nobody knows."""
        if kind in self.ec2:
            return self.ec2[kind]
        hourly = instance_type(kind).usd_per_hour if kind in instance_types() else None
        return None if hourly is None else Decimal(str(hourly))

    def sources(self) -> list[Row]:
        """Where each fixed price was read, a person's own ones included; EC2's stand with the types (config/data/ec2_types.json)."""
        today = _table()["date"]
        own = [Row(name=name, usd=usd, source=str(self.file), date=today) for name, usd in {**self.fixed, **self.ec2}.items()]
        return [*own, *(row for name, row in rows().items() if name not in self.fixed)]

    @property
    def described(self) -> str:
        """Where and when the prices hold, as a plan says it."""
        own = f", {len(self.fixed) + len(self.ec2)} of them from {self.file}" if self.file else ""
        return f"{REGION}, {_table()['date']}{own}"


def read_prices(path: Path) -> Prices:
    """Prices of your own: a TOML file with `name = "usd"` lines, and types under `[ec2]`. Raises ConfigError with every problem."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(path.name, [Problem(path="", what=f"cannot be read ({error.strerror})", fix="name a TOML file of prices")]) from None
    except ValueError as error:
        what = f"is not TOML ({error})"
        raise ConfigError(path.name, [Problem(path="", what=what, fix='write lines such as spot_share = "0.35"')]) from None
    types = document.pop("ec2", {})
    problems: list[Problem] = []
    fixed = _own(document, (), list(rows()), problems)
    ec2 = _own(types if isinstance(types, dict) else {}, ("ec2",), list(instance_types()), problems)
    if problems:
        raise ConfigError(path.name, problems)
    return Prices(file=path.name, fixed=fixed, ec2=ec2)


def _own(given: Mapping[str, Any], where: tuple[str, ...], known: list[str], problems: list[Problem]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for name, value in given.items():
        path = dotted((*where, name))
        try:
            amount = Decimal(value) if isinstance(value, str) else None
        except InvalidOperation:
            amount = None
        if name not in known:
            guess = closest(name, known)
            fix = f"did you mean {guess}?" if guess else f"the names are {', '.join(known[:30])}"
            problems.append(Problem(path=path, what="is not a price that a bill has", fix=fix))
        elif amount is None or not amount.is_finite() or amount < 0:
            problems.append(Problem(path=path, what=f"is not a price (got {shown(value)})", fix='write US dollars in quotes, such as "0.40"'))
        else:
            found[name] = amount
    return found
