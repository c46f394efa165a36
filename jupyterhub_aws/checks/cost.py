"""What a stack costs per month: idle, paused, and at most; and what an hour of each profile
costs. Counted from what was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from jupyterhub_aws.checks.cost_lines import (
    OF_BUCKETS,
    BillLine,
    Cost,
    Hourly,
    added_lines,
    closed_lines,
    hub_lines,
    steady,
    user_hours,
    watching_lines,
)
from jupyterhub_aws.checks.placement import is_retiring, is_spot
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.prices import HOURS_PER_MONTH, Prices
from jupyterhub_aws.config.specs.buckets import USER_BUCKET_TAG
from jupyterhub_aws.config.stack import StackConfig

BUCKET = "aws:s3/bucket:Bucket"
_NAT = "NAT gateway"
_DISK = ("gp3_gib_month", "gp3_iops_month", "gp3_throughput_month")


def cost(stack: StackConfig, resources: Resources, prices: Prices | None = None) -> Cost:
    """The bill of what was recorded, at the prices of its region unless others are given."""
    prices = (prices or Prices()).in_region(stack.region)
    added, unpriced = added_lines(resources, prices)
    resources = resources.own
    lines = (
        *_fixed(stack, resources, prices),
        *closed_lines(stack, resources, prices),
        *hub_lines(stack, resources, prices),
        *watching_lines(resources, prices),
        *_nodes(stack, resources, prices),
        *added,
    )
    hours = tuple(user_hours(stack, resources, prices))
    return Cost(
        region=stack.region,
        prices=prices,
        lines=lines,
        user_hours=hours,
        not_priced=unpriced,
        left_out=tuple(_left_out(stack, resources, prices)),
        spot_types=tuple(_spot_types(resources)),
    )


def _left_out(stack: StackConfig, resources: Resources, prices: Prices) -> Iterator[str]:
    """What only this stack has and nothing tells before use, with the price of each GiB."""
    if stack.image_repositories:
        each = _each("ecr_gib_month", prices)
        yield f"storage of image_repositories in ECR, {each} of what is pushed"
    buckets = resources.of(BUCKET)
    if any(USER_BUCKET_TAG in (item.inputs.get("tags") or {}) for item in buckets):
        yield f"{OF_BUCKETS}, {_each('s3_gib_month', prices)} of what users write, and its requests"


def _each(row: str, prices: Prices) -> str:
    """A price by the GiB in words."""
    elsewhere = f" in {prices.region_of(row)}" if prices.is_elsewhere(row) else ""
    return f"${prices.of(row)}{elsewhere} a month for each GiB"


def _spot_types(resources: Resources) -> Iterator[str]:
    """The types that the stack may buy as spot nodes, each once."""
    groups = [group for group in resources.of("aws:autoscaling/group:Group") if is_spot(group)]
    templates = [group.inputs["mixedInstancesPolicy"]["launchTemplate"] for group in groups]
    kinds = [item["instanceType"] for template in templates for item in template["overrides"]]
    yield from dict.fromkeys(kinds)


def _fixed(stack: StackConfig, resources: Resources, prices: Prices) -> Iterator[BillLine]:
    """Fixed costs, independent of use."""
    for what, kind, row, hours in (
        ("EKS control plane", "aws:eks/cluster:Cluster", "control_plane_hour", HOURS_PER_MONTH),
        (_NAT, "aws:ec2/natGateway:NatGateway", "nat_gateway_hour", HOURS_PER_MONTH),
        ("public IPv4 address", "aws:ec2/eip:Eip", "public_ipv4_hour", HOURS_PER_MONTH),
        ("KMS key", "aws:kms/key:Key", "kms_key_month", 1),
    ):
        found = resources.of(kind)
        if found:
            count = len(found)
            paused = 0 if what == _NAT and "nat" in stack.pause.drop else count
            line = steady(what, row, prices.of(row) * hours, count, paused=paused)
            yield replace(line, note=_support(found, prices))


def _support(found: list[Resource], prices: Prices) -> str | None:
    """EKS raises the price of a version that grows old, unless the cluster says that it will not
    stay behind.
    """
    kinds = [item.inputs.get("upgradePolicy", {"supportType": "STANDARD"}) for item in found]
    if all(kind.get("supportType") == "STANDARD" for kind in kinds):
        return None
    usd = prices.of("extended_support_hour")
    return f"${usd} per hour once the version is in extended support"


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Nodes of one kind: the types that may serve, the disk of each per month, how many, and
    what is paid at most for spot.
    """

    what: str
    kinds: list[str]
    disk: Decimal
    least: int
    most: int
    spot: bool = False
    limit: Decimal | None = None


def _nodes(stack: StackConfig, resources: Resources, prices: Prices) -> Iterator[BillLine]:
    for group in resources.of("aws:eks/nodeGroup:NodeGroup"):
        size = group.inputs["scalingConfig"]
        described = _Group(
            what="core nodes",
            kinds=group.inputs["instanceTypes"],
            disk=_volume(group, resources, prices),
            least=int(size["desiredSize"]),
            # EKS takes no maximum of 0: the desired size of a paused group is never raised, so its
            # maximum is never reached.
            most=0 if stack.paused else int(size["maxSize"]),
        )
        yield _node_line(described, prices)
    for group in resources.of("aws:autoscaling/group:Group"):
        policy = group.inputs["mixedInstancesPolicy"]
        distribution = policy["instancesDistribution"]
        limit = distribution.get("spotMaxPrice")
        name = group.name.removeprefix("pools-").removesuffix("-group")
        described = _Group(
            what=f"{name} nodes",
            kinds=[item["instanceType"] for item in policy["launchTemplate"]["overrides"]],
            disk=_volume(group, resources, prices),
            least=int(group.inputs["minSize"]),
            most=int(group.inputs["maxSize"]),
            spot=is_spot(group),
            limit=None if limit is None else Decimal(limit),
        )
        first = described.kinds[0]
        hourly = Hourly(type=first, on_demand=prices.node_hour(first), max_price=described.limit)
        line = replace(_node_line(described, prices), node_hourly=hourly)
        yield replace(line, note="retires: it only shrinks") if is_retiring(group) else line


def _node_line(group: _Group, prices: Prices) -> BillLine:
    """Nodes of a group at the most expensive of its types: an upper bound."""
    hourly, note, used = _bound(group, prices)
    monthly = None if hourly is None else hourly * HOURS_PER_MONTH + group.disk
    rows = () if monthly is None else (*used, *_DISK)
    return BillLine(
        what=group.what,
        unit="node month",
        unit_price=monthly,
        idle=group.least,
        paused=0,
        most=group.most,
        note=note,
        rows=rows,
    )


def _bound(group: _Group, prices: Prices) -> tuple[Decimal | None, str | None, tuple[str, ...]]:
    """The most that an hour of any node of a group costs, what to know about that number, and
    the prices that it comes from.
    """
    known = {kind: usd for kind in group.kinds if (usd := prices.node_hour(kind)) is not None}
    unknown = [kind for kind in group.kinds if kind not in known]
    if group.limit is not None and (unknown or group.limit < max(known.values())):
        return group.limit, f"at most, by max_price ${group.limit} per hour; spot is cheaper", ()
    if unknown:
        return None, f"no price known for {', '.join(unknown)}", ()
    dearest = max(known, key=lambda kind: known[kind])
    note = None
    if group.spot:
        note = "at most, the on-demand price; spot is cheaper"
    elif len(set(known.values())) > 1:
        note = f"at {dearest}, the most expensive of its types"
    return known[dearest], note, tuple(f"ec2:{kind}" for kind in known)


def _volume(group: Resource, resources: Resources, prices: Prices) -> Decimal:
    """The root volume of one node per month."""
    mentions = group.inputs.get("launchTemplate") or group.inputs.get("mixedInstancesPolicy")
    total = Decimal(0)
    for template in resources.referred(mentions, "aws:ec2/launchTemplate:LaunchTemplate"):
        for mapping in template.inputs["blockDeviceMappings"]:
            disk = mapping["ebs"]
            total += prices.of("gp3_gib_month") * int(disk["volumeSize"])
            total += prices.of("gp3_iops_month") * max(int(disk.get("iops", 3000)) - 3000, 0)
            throughput = max(int(disk.get("throughput", 125)) - 125, 0)
            total += prices.of("gp3_throughput_month") * throughput
    return total
