"""What a stack costs per month: at rest, paused, and at most. Counted from what was recorded.

Not counted, because nobody knows it beforehand: traffic, logs, and how full homes are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from checks.resources import Resource, Resources
from config.instance_types import instance_type
from config.prices import HOURS_PER_MONTH, REGION, price, prices_of
from config.stack import StackConfig

_CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the bill. `unit_price` per month and unit; None where AWS's price is not known here.

    Quantities: `idle` with every pool at its smallest, `paused` with no node at all, `most` with every pool at its largest.
    """

    what: str
    unit: str
    unit_price: Decimal | None
    idle: int
    paused: int
    most: int
    note: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The line as the plan's data has it."""
        return {
            "what": self.what,
            "unit": self.unit,
            "quantity": self.idle,
            "unit_price": _money(self.unit_price),
            "idle_monthly": self._times(self.idle),
            "paused_monthly": self._times(self.paused),
            "maximum_monthly": self._times(self.most),
            "note": self.note,
        }

    def _times(self, quantity: int) -> float | None:
        return 0.0 if quantity == 0 else _money(None if self.unit_price is None else self.unit_price * quantity)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The bill of a stack."""

    region: str
    lines: tuple[Line, ...]

    def as_json(self) -> dict[str, Any]:
        """The bill as the plan's data has it; a sum is null when a line of it has no price."""
        elsewhere = None if self.region == REGION else f"prices of {REGION}; {self.region} differs"
        sums = {f"{key}_monthly": self._sum(key) for key in ("idle", "paused", "most")}
        sums["maximum_monthly"] = sums.pop("most_monthly")
        return {"currency": "USD", "prices_of": prices_of(), "note": elsewhere, **sums, "lines": [line.as_json() for line in self.lines]}

    def _sum(self, key: str) -> float | None:
        total = Decimal(0)
        for line in self.lines:
            quantity = getattr(line, key)
            if quantity and line.unit_price is None:
                return None
            total += (line.unit_price or Decimal(0)) * quantity
        return _money(total)


def _money(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount.quantize(_CENT, ROUND_HALF_UP))


def cost(stack: StackConfig, resources: Resources) -> Cost:
    """The bill of what was recorded."""
    return Cost(region=stack.region, lines=(*_fixed(resources), *_nodes(resources)))


def _fixed(resources: Resources) -> Iterator[Line]:
    """What costs the same whether anybody works or not."""
    for what, kind, row, hours in (
        ("EKS control plane", "aws:eks/cluster:Cluster", "control_plane_hour", HOURS_PER_MONTH),
        ("NAT gateway", "aws:ec2/natGateway:NatGateway", "nat_gateway_hour", HOURS_PER_MONTH),
        ("public IPv4 address", "aws:ec2/eip:Eip", "public_ipv4_hour", HOURS_PER_MONTH),
        ("KMS key", "aws:kms/key:Key", "kms_key_month", 1),
    ):
        count = len(resources.of(kind))
        if count:
            yield Line(what=what, unit="month", unit_price=price(row) * hours, idle=count, paused=count, most=count)


def _nodes(resources: Resources) -> Iterator[Line]:
    for group in resources.of("aws:eks/nodeGroup:NodeGroup"):
        size = group.inputs["scalingConfig"]
        kinds = group.inputs["instanceTypes"]
        yield _node_line("core nodes", kinds, _volume(group, resources), (int(size["desiredSize"]), int(size["maxSize"])), None)
    for group in resources.of("aws:autoscaling/group:Group"):
        policy = group.inputs["mixedInstancesPolicy"]
        kinds = [item["instanceType"] for item in policy["launchTemplate"]["overrides"]]
        distribution = policy["instancesDistribution"]
        spot = distribution["onDemandPercentageAboveBaseCapacity"] == 0
        limit = distribution.get("spotMaxPrice")
        note = "at the on-demand price; spot is cheaper" if spot and limit is None else (f"at most ${limit} per hour" if spot else None)
        name = group.name.removeprefix("pools-").removesuffix("-group")
        yield _node_line(f"{name} nodes", kinds, _volume(group, resources), (int(group.inputs["minSize"]), int(group.inputs["maxSize"])), note, limit)


def _node_line(what: str, kinds: list[str], volume: Decimal, sizes: tuple[int, int], note: str | None, limit: str | None = None) -> Line:  # noqa: PLR0913, PLR0917 -- one private call
    """Nodes of a group at the dearest of its types: whichever starts, it costs no more."""
    hourly = [instance_type(kind).usd_per_hour for kind in kinds]
    dearest = None if None in hourly else max(Decimal(str(value)) for value in hourly)
    if limit is not None:
        dearest = Decimal(limit) if dearest is None else min(Decimal(limit), dearest)
    monthly = None if dearest is None else dearest * HOURS_PER_MONTH + volume
    unknown = None if dearest is not None else f"no price known for {', '.join(kind for kind, value in zip(kinds, hourly, strict=True) if value is None)}"
    return Line(what=what, unit="node month", unit_price=monthly, idle=sizes[0], paused=0, most=sizes[1], note=unknown or note)


def _volume(group: Resource, resources: Resources) -> Decimal:
    """The root volume of one node per month."""
    mentions = group.inputs.get("launchTemplate") or group.inputs.get("mixedInstancesPolicy")
    total = Decimal(0)
    for template in resources.referred(mentions, "aws:ec2/launchTemplate:LaunchTemplate"):
        for mapping in template.inputs["blockDeviceMappings"]:
            disk = mapping["ebs"]
            total += price("gp3_gib_month") * int(disk["volumeSize"])
            total += price("gp3_iops_month") * max(int(disk["iops"]) - 3000, 0)
            total += price("gp3_throughput_month") * max(int(disk["throughput"]) - 125, 0)
    return total
