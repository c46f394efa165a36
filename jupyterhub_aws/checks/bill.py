"""The lines of a bill, and their sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from jupyterhub_aws.config.prices import REGION, Prices

_CENT = Decimal("0.01")
#: Nobody knows these beforehand.
LEFT_OUT = (
    "traffic: NAT, between zones, to the internet, and the balancer's capacity units",
    "storage of homes: EFS by the GiB that people fill, volumes by the size of each person's",
    "backups and snapshots",
    (
        "logs: of the control plane, of pods and nodes, and of flows, by the GiB; metrics of"
        " containers by the observation"
    ),
    "what people start beyond the core pool: see the price of an hour for each profile",
)


@dataclass(frozen=True, kw_only=True)
class Hourly:
    """What one more node of a group adds to the bill for each hour: the type that the autoscaler
    reckons with, without its disk.
    """

    type: str
    on_demand: Decimal | None
    max_price: Decimal | None

    def as_json(self) -> dict[str, Any]:
        """The slope as the plan's data has it, not rounded: a tenth of a cent per hour is a
        dollar per month.
        """
        return {
            "type": self.type,
            "on_demand": exact(self.on_demand),
            "max_price": exact(self.max_price),
        }


@dataclass(frozen=True, kw_only=True)
class BillLine:
    """One line of the bill. `unit_price` per month and unit; None where AWS's price is not known
    here. `rows` are the prices that it was made of, by the names that `Prices.is_elsewhere` knows.

    Quantities: `idle` with every pool at its smallest, `paused` with no node at all, `most` with
    every pool at its largest.
    """

    what: str
    unit: str
    unit_price: Decimal | None
    idle: int
    paused: int
    most: int
    note: str | None = None
    node_hourly: Hourly | None = None
    rows: tuple[str, ...] = ()

    def is_elsewhere(self, prices: Prices) -> bool:
        """Whether a price in it is that of us-east-1, for want of the region's own."""
        return any(prices.is_elsewhere(row) for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """The line as the plan's data has it."""
        return {
            "what": self.what,
            "unit": self.unit,
            "quantity": self.idle,
            "unit_price": money(self.unit_price),
            "idle_monthly": self._times(self.idle),
            "paused_monthly": self._times(self.paused),
            "maximum_monthly": self._times(self.most),
            "note": self.note,
            "node_hourly": None if self.node_hourly is None else self.node_hourly.as_json(),
        }

    def _times(self, quantity: int) -> float | None:
        return (
            0.0
            if quantity == 0
            else money(None if self.unit_price is None else self.unit_price * quantity)
        )


@dataclass(frozen=True, kw_only=True)
class UserHour:
    """What an hour of one person's server costs when its node is full: the node's price, without
    its disk, by those who fit on it.

    `spot` is the share of the on-demand price that `spot_share` states; None where the pool buys no
    spot. `on_demand` is None where the pool buys nothing else, or its price is not known.
    """

    hub: str
    profile: str
    pool: str
    type: str
    users_per_node: int
    on_demand: Decimal | None
    spot: Decimal | None

    def as_json(self) -> dict[str, Any]:
        """The hour as the plan's data has it, in tenths of a cent."""
        tenth = Decimal("0.001")
        rounded = {
            key: None if value is None else float(value.quantize(tenth, ROUND_HALF_UP))
            for key, value in (("on_demand", self.on_demand), ("spot", self.spot))
        }
        return {
            "hub": self.hub,
            "profile": self.profile,
            "pool": self.pool,
            "type": self.type,
            "users_per_node": self.users_per_node,
            **rounded,
        }


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The bill of a stack. `not_priced` counts, by type, the resources of the caller's program
    that no price is known for.
    """

    region: str
    prices: Prices
    lines: tuple[BillLine, ...]
    user_hours: tuple[UserHour, ...] = field(default=())
    not_priced: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The bill as the plan's data has it; a sum is null when a line of it has no price."""
        sums = {f"{key}_monthly": self._sum(key) for key in ("idle", "paused", "most")}
        sums["maximum_monthly"] = sums.pop("most_monthly")
        return {
            "currency": "USD",
            "prices_of": self.prices.described,
            "note": self.note,
            "elsewhere": list(self.elsewhere),
            **sums,
            "lines": [line.as_json() for line in self.lines],
            "user_hours": [hour.as_json() for hour in self.user_hours],
            "spot_share": exact(self.prices.of("spot_share")),
            "left_out": list(LEFT_OUT),
            "not_priced": dict(self.not_priced),
            "sources": [source.as_json() for source in self.prices.sources()],
            "ec2_source": self.prices.ec2_source,
        }

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """The lines and hours that have a price of us-east-1, because the region's is not known,
        by their names.
        """
        lines = [line.what for line in self.lines if line.is_elsewhere(self.prices)]
        hours = [
            f"hours on {hour.type}"
            for hour in self.user_hours
            if self.prices.is_elsewhere(f"ec2:{hour.type}")
        ]
        return tuple(dict.fromkeys([*lines, *hours]))

    @property
    def note(self) -> str | None:
        """What to know before anything else of the bill: which of its lines are not at the
        region's prices. None where all are.
        """
        if not self.elsewhere:
            return None
        if not self.prices.has_data:
            return (
                f"No prices of {self.region} are known here: every line is at the prices of"
                f" {REGION}."
            )
        return (
            f"At the prices of {REGION}, because those of {self.region} are not known here:"
            f" {', '.join(self.elsewhere)}."
        )

    def _sum(self, key: str) -> float | None:
        total = Decimal(0)
        for line in self.lines:
            quantity = getattr(line, key)
            if quantity and line.unit_price is None:
                return None
            total += (line.unit_price or Decimal(0)) * quantity
        return money(total)


def money(amount: Decimal | None) -> float | None:
    """An amount in whole cents."""
    return None if amount is None else float(amount.quantize(_CENT, ROUND_HALF_UP))


def exact(amount: Decimal | None) -> float | None:
    """An amount as it is."""
    return None if amount is None else float(amount)
