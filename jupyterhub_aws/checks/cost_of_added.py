"""What the caller's program adds to the bill: the types whose prices this library has, and how
many resources of which types it has no price for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from jupyterhub_aws.checks.bill import BillLine
from jupyterhub_aws.checks.resources import STUMBLES, Resource, Resources
from jupyterhub_aws.config.prices import HOURS_PER_MONTH, Prices

_PROVIDERS = "pulumi:providers:"
_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
#: A price, how many of it at rest, and how many at most.
_Priced = tuple[str, Decimal, int, int]
_Pricer = Callable[[Resource, Resources, Prices], _Priced | None]


def added_lines(
    resources: Resources, prices: Prices
) -> tuple[tuple[BillLine, ...], Mapping[str, int]]:
    """The lines of the added resources that have a price here, those of one kind together; and by
    type the number of those that have none.

    They cost the same while the stack is paused: what a pause stops is the library's own. A
    resource whose size is not known has no price.
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
            what = f"{_kind(resource)} of your program"
            rows = (row,)
            lines.append(
                BillLine(
                    what=what,
                    unit="month",
                    unit_price=price,
                    idle=idle,
                    paused=idle,
                    most=most,
                    rows=rows,
                )
            )
    return tuple(_together(lines)), dict(sorted(unpriced.items()))


def _together(lines: list[BillLine]) -> Iterator[BillLine]:
    by_kind: dict[tuple[str, Decimal | None], list[BillLine]] = {}
    for line in lines:
        by_kind.setdefault((line.what, line.unit_price), []).append(line)
    for (what, price), some in sorted(
        by_kind.items(), key=lambda item: (item[0][0], item[0][1] or 0)
    ):
        idle, most = sum(line.idle for line in some), sum(line.most for line in some)
        yield BillLine(
            what=what,
            unit="month",
            unit_price=price,
            idle=idle,
            paused=idle,
            most=most,
            rows=some[0].rows,
        )


def _kind(resource: Resource) -> str:
    kind = resource.type.rpartition(":")[2]
    size = resource.inputs.get("instanceType") or resource.inputs.get("instanceClass")
    return f"{kind} {size}" if isinstance(size, str) else kind


def _priced(resource: Resource, resources: Resources, prices: Prices) -> _Priced | None:
    pricer = _PRICERS.get(resource.type)
    try:
        return None if pricer is None else pricer(resource, resources, prices)
    except STUMBLES:  # a shape, or an unknown, that no price can be made of
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
    return (
        (row, prices.of(row) * HOURS_PER_MONTH, 1, 1)
        if resource.inputs.get("loadBalancerType") == "network"
        else None
    )


def _volume(resource: Resource, _resources: Resources, prices: Prices) -> _Priced | None:
    row, size = "gp3_gib_month", int(resource.inputs["size"])
    return (row, prices.of(row), size, size) if resource.inputs.get("type") == "gp3" else None


def _database(resource: Resource, _resources: Resources, prices: Prices) -> _Priced | None:
    """An instance of PostgreSQL, without its storage."""
    row = f"rds_hour:{resource.inputs['instanceClass']}"
    hourly = prices.known(row) if resource.inputs.get("engine") == "postgres" else None
    copies = 2 if resource.inputs.get("multiAz") else 1
    return None if hourly is None else (row, hourly * HOURS_PER_MONTH * copies, 1, 1)


def _machine(resource: Resource, resources: Resources, prices: Prices) -> _Priced | None:
    """A machine on demand, without its disks."""
    kind = resource.inputs.get("instanceType") or _type_of_template(resource, resources)
    return _nodes(str(kind), 1, 1, prices)


def _group(resource: Resource, resources: Resources, prices: Prices) -> _Priced | None:
    """A group of machines of one type on demand, without their disks: one that mixes types or
    buys spot has no one price.
    """
    if resource.inputs.get("mixedInstancesPolicy"):
        return None
    least, most = int(resource.inputs["minSize"]), int(resource.inputs["maxSize"])
    return _nodes(
        str(_type_of_template(resource, resources)),
        max(least, int(resource.inputs.get("desiredCapacity") or 0)),
        most,
        prices,
    )


def _node_group(resource: Resource, _resources: Resources, prices: Prices) -> _Priced | None:
    """Managed nodes of one type on demand, without their disks."""
    size, kinds = resource.inputs["scalingConfig"], resource.inputs["instanceTypes"]
    if len(kinds) != 1 or resource.inputs.get("capacityType") == "SPOT":
        return None
    return _nodes(str(kinds[0]), int(size["desiredSize"]), int(size["maxSize"]), prices)


def _type_of_template(resource: Resource, resources: Resources) -> Any:
    return resources.referred(resource.inputs.get("launchTemplate"), _TEMPLATE)[0].inputs[
        "instanceType"
    ]


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
    "aws:rds/instance:Instance": _database,
    "aws:ec2/instance:Instance": _machine,
    "aws:autoscaling/group:Group": _group,
    "aws:eks/nodeGroup:NodeGroup": _node_group,
}
