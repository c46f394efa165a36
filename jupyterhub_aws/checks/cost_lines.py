"""The lines of a bill, and their sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from jupyterhub_aws.checks.placement import POOL_LABEL, UserNodes, user_nodes
from jupyterhub_aws.checks.resources import READ_ERRORS, Resource, Resources
from jupyterhub_aws.checks.user_pods import UserPod, hub_releases, user_pods
from jupyterhub_aws.config.entry import LoadBalancerEntry
from jupyterhub_aws.config.maintenance import subnets_of
from jupyterhub_aws.config.prices import HOURS_PER_MONTH, REGION, Prices
from jupyterhub_aws.config.specs.network import endpoint_reasons
from jupyterhub_aws.config.stack import StackConfig

_CENT = Decimal("0.01")
_BRING = "scripts/refresh_prices.py brings them from AWS's public list, --prices FILE has yours."
#: Prices as a reader calls them, by the beginning of the rows' names, where a row's own name does not
#: say it.
_CALLED = {
    "ec2:": "{}",
    "rds_hour:": "{}",
    "rds_": "storage of database instances",
    "gp3_": "EBS disks",
    "efs_": "storage on EFS",
    "kms_": "KMS keys",
    "nat_": "NAT gateway",
    "public_ipv4_": "public IPv4 address",
    "private_endpoint_": "interface endpoint",
    "alarm_metric_": "alarms",
    "own_metric_": "metrics",
}
#: Unknown before use.
LEFT_OUT = (
    "traffic: NAT, between zones, to the internet, and the load balancer's capacity units",
    "storage of homes: EFS by the GiB that users fill, volumes by the size of each user's",
    "backups and snapshots",
    "logs: of the control plane, of pods and nodes, and of flows, by the GiB; metrics of"
    " containers by the observation",
    "what users start beyond the core pool: see the price of a user-hour for each profile",
)
#: Of stacks with buckets for users' data.
OF_BUCKETS = "storage of buckets"
#: What no table can have.
ONLY_ACCOUNT = (
    "discounts, credits, Savings Plans and Reserved Instances, the free tier, support and taxes"
    " (docs/costs.md says where it shows them); prices that you know go into a file for --prices"
)


def _called(row: str) -> str:
    """What a reader calls the price of a row (`nat_gateway_hour`) or of a type (`ec2:TYPE`)."""
    for start, called in _CALLED.items():
        if row.startswith(start):
            return called.format(row.removeprefix(start))
    return row.removesuffix("_hour").removesuffix("_month").replace("_", " ")


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
    unit: str = "month"
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
        if quantity == 0:
            return 0.0
        return money(None if self.unit_price is None else self.unit_price * quantity)


@dataclass(frozen=True, kw_only=True)
class UserHour:
    """What a user-hour costs when the node is full: the node's price, without its disk, divided by
    the users who fit on it.

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
    #: What only this stack has, and no price is known for before use.
    left_out: tuple[str, ...] = ()
    #: Types that may be bought as spot nodes.
    spot_types: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The bill as the plan's data has it; a sum is null when a line of it has no price."""
        sums = {f"{key}_monthly": self._sum(key) for key in ("idle", "paused", "most")}
        sums["maximum_monthly"] = sums.pop("most_monthly")
        return {
            "currency": "USD",
            "prices_of": self.prices.described,
            "note": self.note,
            "region": self.prices.region,
            "elsewhere": list(self.elsewhere),
            "is_elsewhere": any(line.is_elsewhere(self.prices) for line in self.lines),
            **sums,
            "lines": [
                {**line.as_json(), "priced_in": self._priced_in(line.rows)} for line in self.lines
            ],
            "user_hours": [
                {**hour.as_json(), "priced_in": self._priced_in((f"ec2:{hour.type}",))}
                for hour in self.user_hours
            ],
            "only_account": ONLY_ACCOUNT,
            "spot_now": self.spot_now,
            "spot_share": exact(self.prices.of("spot_share")),
            "left_out": [*LEFT_OUT, *self.left_out],
            "not_priced": dict(self.not_priced),
            "sources": [source.as_json() for source in self.prices.sources()],
            "ec2_source": self.prices.ec2_source,
        }

    def _priced_in(self, rows: tuple[str, ...]) -> str:
        """The region that a number has its prices of: us-east-1 where one of them is."""
        is_elsewhere = any(self.prices.is_elsewhere(row) for row in rows)
        return REGION if is_elsewhere else self.prices.region

    @property
    def spot_now(self) -> str | None:
        """The command that lists what spot nodes cost now, in each zone (EC2 API,
        DescribeSpotPriceHistory: a start time of now has the price of now); None where the stack
        buys none.
        """
        if not self.spot_types:
            return None
        return (
            f"aws ec2 describe-spot-price-history --region {self.region} --instance-types"
            f" {' '.join(self.spot_types)} --product-descriptions Linux/UNIX --start-time"
            ' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --output text'
        )

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
                f"No table of prices of {self.region} is here: what is marked ≈ has the prices of"
                f" {REGION}. {_BRING}"
            )
        return (
            f"At the prices of {REGION} (≈), because those of {self.region} are not known here:"
            f" {', '.join(self._missing)}. {_BRING}"
        )

    @property
    def _missing(self) -> tuple[str, ...]:
        """The prices of the region that are not known and that some number was made of, as a
        reader calls them.
        """
        rows = [row for line in self.lines for row in line.rows]
        rows += [f"ec2:{hour.type}" for hour in self.user_hours]
        return tuple(dict.fromkeys(_called(row) for row in rows if self.prices.is_elsewhere(row)))

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


# --- What hubs add to the bill: load balancers and their addresses, databases; and what an hour of
# each profile costs.


_MIB = 1024**2
#: aws-node, kube-proxy, two CSI node plugins, Pod Identity agent, node monitoring, termination
#: handler, device plugin, Fluent Bit, CloudWatch agent.
_SYSTEM_PODS = 10


def hub_lines(stack: StackConfig, resources: Resources, prices: Prices) -> Iterator[BillLine]:
    """Fixed costs of each hub, independent of use; load balancers may be removed and databases
    stopped while paused.
    """
    balancers = [
        balancer
        for balancer in resources.of("aws:lb/loadBalancer:LoadBalancer")
        if balancer.inputs.get("loadBalancerType") == "network"
    ]
    # An internet-facing load balancer has a public address in each of its subnets.
    addresses = sum(
        len(balancer.inputs.get("subnets", ()))
        for balancer in balancers
        if not balancer.inputs.get("internal")
    )
    for what, row, count in (
        ("network load balancer", "network_load_balancer_hour", len(balancers)),
        ("public IPv4 address of a load balancer", "public_ipv4_hour", addresses),
    ):
        if count:
            paused = 0 if "balancers" in stack.pause.drop else count
            yield steady(what, row, prices.of(row) * HOURS_PER_MONTH, count, paused=paused)
    yield from _paused_pages(stack, prices)
    volumes = sum(int(volume.inputs["size"]) for volume in resources.of("aws:ebs/volume:Volume"))
    if volumes:
        price = prices.of("gp3_gib_month")
        yield steady("GiB of hub databases on volumes", "gp3_gib_month", price, volumes)
    for database in resources.of("aws:rds/instance:Instance"):
        yield from _database(stack, database, prices)


def _paused_pages(stack: StackConfig, prices: Prices) -> Iterator[BillLine]:
    """The load balancers that answer for hubs while the stack is paused, and their addresses."""
    entries = [
        hub.entry
        for hub in stack.hubs.values()
        if hub.maintenance_page is not None
        and hub.maintenance_page.paused_text
        and isinstance(hub.entry, LoadBalancerEntry)
    ]
    if not entries or stack.parts == "cluster":
        return
    row, count = "application_load_balancer_hour", len(entries)
    hourly, now = prices.known(row), bool(stack.paused)
    yield BillLine(
        what="application load balancer, with the page of a paused hub",
        unit_price=None if hourly is None else hourly * HOURS_PER_MONTH,
        idle=count * now,
        paused=count,
        most=count * now,
        note="no price known" if hourly is None else None,
        rows=() if hourly is None else (row,),
    )
    addresses = sum(subnets_of(stack.network, entry) for entry in entries if not entry.internal)
    if addresses:
        row = "public_ipv4_hour"
        yield BillLine(
            what="public IPv4 address of a paused hub's page",
            unit_price=prices.of(row) * HOURS_PER_MONTH,
            idle=addresses * now,
            paused=addresses,
            most=addresses * now,
            rows=(row,),
        )


def _database(stack: StackConfig, database: Resource, prices: Prices) -> Iterator[BillLine]:
    """An instance, which may be stopped, and its storage, which is paid for either way."""
    kind, copies = str(database.inputs["instanceClass"]), 2 if database.inputs.get("multiAz") else 1
    name, hourly = database.inputs["identifier"], prices.known(f"rds_hour:{kind}")
    monthly = None if hourly is None else copies * hourly * HOURS_PER_MONTH
    note = "with a standby" if copies > 1 else None
    stopped = stack.pause.stop_databases
    runs = 0 if stack.paused and stopped else 1
    yield BillLine(
        what=f"PostgreSQL {name}",
        unit_price=monthly,
        idle=runs,
        paused=0 if stopped else 1,
        most=runs,
        note=f"no price known for {kind}" if hourly is None else note,
        rows=() if hourly is None else (f"rds_hour:{kind}",),
    )
    row, size = "rds_gp3_gib_month", int(database.inputs["allocatedStorage"])
    yield steady(f"GiB of PostgreSQL {name}", row, copies * prices.of(row), size)


def steady(
    what: str, row: str, monthly: Decimal, count: int, *, paused: int | None = None
) -> BillLine:
    """A line that costs the same idle and at most, with one price; `paused` is how many are paid
    for while the stack is paused: all of them, where it does not say.
    """
    return BillLine(
        what=what,
        unit_price=monthly,
        idle=count,
        paused=count if paused is None else paused,
        most=count,
        rows=(row,),
    )


def user_hours(stack: StackConfig, resources: Resources, prices: Prices) -> Iterator[UserHour]:
    """An hour of each profile of each hub."""
    bought = [
        node
        for node in user_nodes(stack, resources)
        if node.group is not None and not node.retiring
    ]
    for release in hub_releases(resources):
        for pod in user_pods(release):
            mine = [node for node in bought if node.pool == pod.node_selector.get(POOL_LABEL, "")]
            if mine:
                yield _hour(pod, mine, prices)


def _hour(pod: UserPod, nodes: list[UserNodes], prices: Prices) -> UserHour:
    """`nodes` are the groups of its pool; a server that must not run on spot nodes has no price
    there.
    """
    node = nodes[0]
    markets = {item.spot for item in nodes if pod.may_run_on(item.labels)}
    users, hourly = users_per_node(pod, node), prices.node_hour(node.types[0].name)
    each = None if hourly is None or not users else hourly / users
    return UserHour(
        hub=pod.hub,
        profile=pod.profile,
        pool=node.pool,
        type=node.types[0].name,
        users_per_node=users,
        on_demand=each if False in markets else None,
        spot=each * prices.of("spot_share") if True in markets and each is not None else None,
    )


def users_per_node(pod: UserPod, node: UserNodes) -> int:
    """How many such servers an empty node takes, by what each is guaranteed."""
    rooms = {
        "cpu": node.room.cpu_millicores / 1000,
        "memory": node.room.memory_mib * _MIB,
        "nvidia.com/gpu": node.gpus,
    }
    seats = max(node.most_pods - _SYSTEM_PODS, 0)  # no node takes more pods than its kubelet allows
    asked = [(room, wanted) for what, room in rooms.items() if (wanted := pod.requests.get(what))]
    return min([seats, *(int(room // wanted) for room, wanted in asked)])


# --- What an isolated network adds to the bill: an address of each private endpoint in each zone,
# attachments, and the runner.


_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"


def closed_lines(stack: StackConfig, resources: Resources, prices: Prices) -> Iterator[BillLine]:
    """Lines that only an isolated network has. They cost the same, independent of use; endpoints
    may be removed while paused.
    """
    found = {
        str(item.inputs["serviceName"]): len(item.inputs.get("subnetIds") or [])
        for item in resources.of("aws:ec2/vpcEndpoint:VpcEndpoint")
    }
    addresses, kept = sum(found.values()), _kept(stack, found)
    attachments = len(resources.of("aws:ec2transitgateway/vpcAttachment:VpcAttachment"))
    for what, row, count, paused in (
        ("private endpoint in one zone", "private_endpoint_hour", addresses, kept),
        ("transit gateway attachment", "transit_gateway_attachment_hour", attachments, attachments),
    ):
        if count:
            yield steady(what, row, prices.of(row) * HOURS_PER_MONTH, count, paused=paused)
    for instance in resources.of("aws:ec2/instance:Instance"):
        for template in resources.referred(instance.inputs.get("launchTemplate"), _TEMPLATE):
            yield _machine(instance, template, prices)


def _kept(stack: StackConfig, addresses: Mapping[str, int]) -> int:
    """How many of the endpoints' addresses stay while the stack is paused. `addresses` is by the
    service's whole name.
    """
    services = endpoint_reasons(stack.model_copy(update={"paused": True}))
    return sum(
        count
        for service, count in addresses.items()
        if service.removeprefix(f"com.amazonaws.{stack.region}.") in services
    )


def _machine(instance: Resource, template: Resource, prices: Prices) -> BillLine:
    kind = str(instance.inputs["instanceType"])
    disks = template.inputs["blockDeviceMappings"]
    size = sum(int(mapping["ebs"]["volumeSize"]) for mapping in disks)
    hourly = prices.node_hour(kind)
    note = "running; stopped it costs its disk only"
    line = BillLine(what=f"runner ({kind})", unit_price=None, idle=1, paused=1, most=1, note=note)
    if hourly is None:
        return replace(line, note=f"no price known for {kind}")
    monthly = hourly * HOURS_PER_MONTH + size * prices.of("gp3_gib_month")
    return replace(line, unit_price=monthly, rows=(f"ec2:{kind}", "gp3_gib_month"))


# --- What monitoring adds to the bill: metrics that alarms monitor, and metrics made of log lines.
# Logs are paid for by the GiB, which is not known in advance.


_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
_FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
_FREE = "at most: each account has ten free"


def watching_lines(resources: Resources, prices: Prices) -> Iterator[BillLine]:
    """Alarms cost the same whether they fire or not. A metric of log lines costs in the hours
    in which there are lines, so that it costs nothing while idle.
    """
    alarms = resources.of(_ALARM)
    looked_at = sum(_metrics(alarm) for alarm in alarms)
    if looked_at:
        what, row = "metric that an alarm monitors", "alarm_metric_month"
        yield replace(steady(what, row, prices.of(row), looked_at), note=_FREE)
    hubs = {
        dimensions["Hub"]
        for alarm in alarms
        if "Hub" in (dimensions := alarm.inputs.get("dimensions") or {})
    }
    made = sum(
        len(hubs) if item.inputs["metricTransformation"].get("dimensions") else 1
        for item in resources.of(_FILTER)
    )
    if made:
        what, row = "metric of log lines", "own_metric_month"
        yield replace(steady(what, row, prices.of(row), made, paused=0), note=_FREE)


def _metrics(alarm: Resource) -> int:
    """How many metrics an alarm monitors; an expression is none."""
    queries = alarm.inputs.get("metricQueries")
    return 1 if queries is None else sum("metric" in query for query in queries)


# --- What the caller's program adds to the bill: the types whose prices this library has, and how
# many resources of which types it has no price for.


_PROVIDERS = "pulumi:providers:"

#: A price, its quantity idle, and its quantity at most.
_Priced = tuple[str, Decimal, int, int]
_Pricer = Callable[[Resource, Resources, Prices], _Priced | None]


def added_lines(
    resources: Resources, prices: Prices
) -> tuple[tuple[BillLine, ...], Mapping[str, int]]:
    """The lines of the added resources that have a price here, those of one kind together; and by
    type the number of those that have none.

    They cost the same while the stack is paused: what a pause stops is the library's own. A
    resource of unknown size has no price.
    """
    lines: list[BillLine] = []
    unpriced: Counter[str] = Counter()
    for resource in resources.added:
        if not resource.custom or resource.external or resource.type.startswith(_PROVIDERS):
            continue
        found = _priced(resource, resources, prices)
        if found is None:
            unpriced[resource.type] += 1
        else:
            row, price, idle, most = found
            line = steady(f"{_kind(resource)} of your program", row, price, idle)
            lines.append(replace(line, most=most))
    return tuple(_together(lines)), dict(sorted(unpriced.items()))


def _together(lines: list[BillLine]) -> Iterator[BillLine]:
    by_kind: dict[tuple[str, Decimal], list[BillLine]] = {}
    for line in lines:
        by_kind.setdefault((line.what, line.unit_price or Decimal(0)), []).append(line)
    for _, some in sorted(by_kind.items(), key=lambda item: item[0]):
        idle, most = sum(line.idle for line in some), sum(line.most for line in some)
        yield replace(some[0], idle=idle, paused=idle, most=most)


def _kind(resource: Resource) -> str:
    kind = resource.type.rpartition(":")[2]
    size = resource.inputs.get("instanceType") or resource.inputs.get("instanceClass")
    return f"{kind} {size}" if isinstance(size, str) else kind


def _priced(resource: Resource, resources: Resources, prices: Prices) -> _Priced | None:
    pricer = _PRICERS.get(resource.type)
    try:
        return None if pricer is None else pricer(resource, resources, prices)
    except READ_ERRORS:  # a shape, or an unknown, that no price can be made of
        return None


def _hourly(row: str) -> _Pricer:
    return lambda _resource, _resources, prices: (row, prices.of(row) * HOURS_PER_MONTH, 1, 1)


def _monthly(row: str) -> _Pricer:
    return lambda _resource, _resources, prices: (row, prices.of(row), 1, 1)


def _endpoint(resource: Resource, _resources: Resources, prices: Prices) -> _Priced | None:
    """An interface endpoint is paid for in each of its subnets; a gateway is free."""
    if resource.inputs.get("vpcEndpointType") != "Interface":
        return None
    row, count = "private_endpoint_hour", len(resource.inputs["subnetIds"])
    return row, prices.of(row) * HOURS_PER_MONTH, count, count


def _balancer(resource: Resource, _resources: Resources, prices: Prices) -> _Priced | None:
    row = "network_load_balancer_hour"
    if resource.inputs.get("loadBalancerType") == "network":
        return (row, prices.of(row) * HOURS_PER_MONTH, 1, 1)
    return None


def _volume(resource: Resource, _resources: Resources, prices: Prices) -> _Priced | None:
    row, size = "gp3_gib_month", int(resource.inputs["size"])
    return (row, prices.of(row), size, size) if resource.inputs.get("type") == "gp3" else None


def _added_database(resource: Resource, _resources: Resources, prices: Prices) -> _Priced | None:
    """An instance of PostgreSQL, without its storage."""
    row = f"rds_hour:{resource.inputs['instanceClass']}"
    hourly = prices.known(row) if resource.inputs.get("engine") == "postgres" else None
    copies = 2 if resource.inputs.get("multiAz") else 1
    return None if hourly is None else (row, hourly * HOURS_PER_MONTH * copies, 1, 1)


def _added_machine(resource: Resource, resources: Resources, prices: Prices) -> _Priced | None:
    """An instance on demand, without its disks."""
    kind = resource.inputs.get("instanceType") or _type_of_template(resource, resources)
    return _nodes(str(kind), 1, 1, prices)


def _group(resource: Resource, resources: Resources, prices: Prices) -> _Priced | None:
    """A group of instances of one type on demand, without their disks: one that mixes types or
    buys spot has no one price.
    """
    if resource.inputs.get("mixedInstancesPolicy"):
        return None
    kind = str(_type_of_template(resource, resources))
    least, most = int(resource.inputs["minSize"]), int(resource.inputs["maxSize"])
    return _nodes(kind, max(least, int(resource.inputs.get("desiredCapacity") or 0)), most, prices)


def _node_group(resource: Resource, _resources: Resources, prices: Prices) -> _Priced | None:
    """Managed nodes of one type on demand, without their disks."""
    size, kinds = resource.inputs["scalingConfig"], resource.inputs["instanceTypes"]
    if len(kinds) != 1 or resource.inputs.get("capacityType") == "SPOT":
        return None
    return _nodes(str(kinds[0]), int(size["desiredSize"]), int(size["maxSize"]), prices)


def _type_of_template(resource: Resource, resources: Resources) -> Any:
    templates = resources.referred(resource.inputs.get("launchTemplate"), _TEMPLATE)
    return templates[0].inputs["instanceType"]


def _nodes(kind: str, idle: int, most: int, prices: Prices) -> _Priced | None:
    hourly = prices.node_hour(kind)
    return None if hourly is None else (f"ec2:{kind}", hourly * HOURS_PER_MONTH, idle, most)


_PRICERS: Mapping[str, _Pricer] = {
    "aws:eks/cluster:Cluster": _hourly("control_plane_hour"),
    "aws:ec2/natGateway:NatGateway": _hourly("nat_gateway_hour"),
    "aws:ec2/eip:Eip": _hourly("public_ipv4_hour"),
    "aws:ec2transitgateway/vpcAttachment:VpcAttachment": _hourly("transit_gateway_attachment_hour"),
    "aws:kms/key:Key": _monthly("kms_key_month"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:lb/loadBalancer:LoadBalancer": _balancer,
    "aws:ebs/volume:Volume": _volume,
    "aws:rds/instance:Instance": _added_database,
    "aws:ec2/instance:Instance": _added_machine,
    "aws:autoscaling/group:Group": _group,
    "aws:eks/nodeGroup:NodeGroup": _node_group,
}
