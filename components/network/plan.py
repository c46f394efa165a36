"""How a VPC's range is divided over its zones. Pure arithmetic: the same range and zones always give the same plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

#: A quarter of the VPC for each zone's nodes and pods; the fourth quarter holds the public subnets and stays free.
_PRIVATE_BITS = 2
#: A 256th of the VPC for each public subnet: balancer interfaces and NAT (at least 8 free addresses: ELB user guide).
_PUBLIC_BITS = 8
_QUARTERS = 4


@dataclass(frozen=True, kw_only=True)
class ZonePlan:
    """The ranges of one zone.

    `pods` is the upper half of `private`, reserved for the /28 prefixes that the CNI takes, so that single addresses of
    balancers, mount targets and nodes do not fragment it (VPC user guide, "Subnet CIDR reservations").
    """

    zone: str
    private: IPv4Network
    pods: IPv4Network
    public: IPv4Network


def plan(cidr: str, zones: Sequence[str]) -> tuple[ZonePlan, ...]:
    """Divide a VPC's range: zone N gets the N-th quarter, and the N-th slice of the last quarter as public subnet.

    A zone's ranges depend on its place in the list only, so that a zone added at the end moves nothing.
    Raises ValueError for more zones than quarters are free.
    """
    vpc = IPv4Network(cidr)
    if len(zones) >= _QUARTERS:
        raise ValueError(f"a plan has room for {_QUARTERS - 1} zones, not {len(zones)}")
    quarters = list(vpc.subnets(prefixlen_diff=_PRIVATE_BITS))
    slices = list(quarters[-1].subnets(prefixlen_diff=_PUBLIC_BITS - _PRIVATE_BITS))
    return tuple(
        ZonePlan(zone=zone, private=quarters[index], pods=list(quarters[index].subnets())[1], public=slices[index]) for index, zone in enumerate(zones)
    )
