"""What a stack costs per month: at rest, paused, and at most. Counted from what was recorded.

Not counted, because nobody knows it beforehand: traffic, logs, and how full homes are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from checks.resources import Resource, Resources
from config.instance_types import instance_type, instance_types
from config.prices import HOURS_PER_MONTH, REGION, price, prices_of
from config.stack import StackConfig

_CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Hourly:
    """What one more node of a group adds to the bill for each hour: the type that the autoscaler reckons with, without its disk."""

    type: str
    on_demand: Decimal | None
    max_price: Decimal | None

    def as_json(self) -> dict[str, Any]:
        """The slope as the plan's data has it, not rounded: a tenth of a cent per hour is a dollar per month."""
        return {"type": self.type, "on_demand": _exact(self.on_demand), "max_price": _exact(self.max_price)}


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
    node_hourly: Hourly | None = None

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
            "node_hourly": None if self.node_hourly is None else self.node_hourly.as_json(),
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


def _exact(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


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
        found = resources.of(kind)
        if found:
            count = len(found)
            yield Line(what=what, unit="month", unit_price=price(row) * hours, idle=count, paused=count, most=count, note=_support(found))


def _support(found: list[Resource]) -> str | None:
    """EKS raises the price of a version that grows old, unless the cluster says that it will not stay behind."""
    if any(resource.inputs.get("upgradePolicy", {"supportType": "STANDARD"}).get("supportType") != "STANDARD" for resource in found):
        return f"${price('extended_support_hour')} per hour once the version is in extended support"
    return None


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Nodes of one kind: the types that may serve, the disk of each per month, how many, and what is paid at most for spot."""

    what: str
    kinds: list[str]
    disk: Decimal
    least: int
    most: int
    spot: bool = False
    limit: Decimal | None = None


def _nodes(resources: Resources) -> Iterator[Line]:
    for group in resources.of("aws:eks/nodeGroup:NodeGroup"):
        size = group.inputs["scalingConfig"]
        kinds, least, most = group.inputs["instanceTypes"], int(size["desiredSize"]), int(size["maxSize"])
        yield _node_line(_Group(what="core nodes", kinds=kinds, disk=_volume(group, resources), least=least, most=most))
    for group in resources.of("aws:autoscaling/group:Group"):
        policy = group.inputs["mixedInstancesPolicy"]
        distribution = policy["instancesDistribution"]
        limit = distribution.get("spotMaxPrice")
        name = group.name.removeprefix("pools-").removesuffix("-group")
        described = _Group(
            what=f"{name} nodes",
            kinds=[item["instanceType"] for item in policy["launchTemplate"]["overrides"]],
            disk=_volume(group, resources),
            least=int(group.inputs["minSize"]),
            most=int(group.inputs["maxSize"]),
            spot=distribution["onDemandPercentageAboveBaseCapacity"] == 0,
            limit=None if limit is None else Decimal(limit),
        )
        yield replace(_node_line(described), node_hourly=_slope(described))


def _slope(group: _Group) -> Hourly:
    return Hourly(type=group.kinds[0], on_demand=_on_demand(group.kinds[0]), max_price=group.limit)


def _on_demand(kind: str) -> Decimal | None:
    hourly = instance_type(kind).usd_per_hour if kind in instance_types() else None
    return None if hourly is None else Decimal(str(hourly))


def _node_line(group: _Group) -> Line:
    """Nodes of a group at the dearest of its types: whichever starts, it costs no more."""
    hourly, note = _bound(group)
    monthly = None if hourly is None else hourly * HOURS_PER_MONTH + group.disk
    return Line(what=group.what, unit="node month", unit_price=monthly, idle=group.least, paused=0, most=group.most, note=note)


def _bound(group: _Group) -> tuple[Decimal | None, str | None]:
    """The most that an hour of any node of a group costs, and what to know about that number."""
    known = {kind: usd for kind in group.kinds if (usd := _on_demand(kind)) is not None}
    unknown = [kind for kind in group.kinds if kind not in known]
    if group.limit is not None and (unknown or group.limit < max(known.values())):
        return group.limit, f"at most, by max_price ${group.limit} per hour; spot is cheaper"
    if unknown:
        return None, f"no price known for {', '.join(unknown)}"
    dearest = max(known, key=lambda kind: known[kind])
    of_several = None if len(set(known.values())) == 1 else f"at {dearest}, the dearest of its types"
    return known[dearest], "at most, the on-demand price; spot is cheaper" if group.spot else of_several


def _volume(group: Resource, resources: Resources) -> Decimal:
    """The root volume of one node per month."""
    mentions = group.inputs.get("launchTemplate") or group.inputs.get("mixedInstancesPolicy")
    total = Decimal(0)
    for template in resources.referred(mentions, "aws:ec2/launchTemplate:LaunchTemplate"):
        for mapping in template.inputs["blockDeviceMappings"]:
            disk = mapping["ebs"]
            total += price("gp3_gib_month") * int(disk["volumeSize"])
            total += price("gp3_iops_month") * max(int(disk.get("iops", 3000)) - 3000, 0)
            total += price("gp3_throughput_month") * max(int(disk.get("throughput", 125)) - 125, 0)
    return total
