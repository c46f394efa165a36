"""Regions and availability zones as AWS knows them: config/data/zones.json, which
scripts/refresh_zones.py makes from AWS's own data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "data" / "zones.json"
#: Partitions whose ARNs and endpoints this program writes (components/iam.py).
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
#: Zones where EKS makes no control plane, by id (EKS user guide, "Amazon EKS networking
#: requirements for VPC and subnets", Subnet requirements for
#: clusters), and the letter that they have in most accounts: us-east-1e is use1-az3 in moto's list
#: of described zones (moto 5.2.5, ec2/models/
#: availability_zones_and_regions.py), which has no letter for the other two, because newer accounts
#: do not see those zones.
WITHOUT_EKS: Mapping[str, tuple[str, str]] = {
    "us-east-1": ("use1-az3", "e"),
    "us-west-1": ("usw1-az2", ""),
    "ca-central-1": ("cac1-az3", "c"),
}

_LOCAL = re.compile(r"(?P<region>[a-z]{2}(-[a-z]+)+-[0-9])-(wl[0-9]-)?[a-z]{3}(-wlz)?-[0-9]+[a-z]?")
_ID = re.compile(r"[a-z]{2,5}[0-9]-az[0-9]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Zones:
    """The table: regions by partition, the zone ids of each, and the day on which it was read."""

    read: str
    partitions: Mapping[str, Mapping[str, tuple[str, ...]]]


@cache
def zones() -> Zones:
    """The table, read once."""
    document = json.loads(TABLE.read_bytes())
    partitions = {
        name: {region: tuple(ids) for region, ids in regions.items()}
        for name, regions in document["partitions"].items()
    }
    return Zones(read=document["read"], partitions=partitions)


def partition_named(region: str) -> str | None:
    """The partition that a region is in; None where AWS has no such region."""
    return next((name for name, regions in zones().partitions.items() if region in regions), None)


def regions() -> list[str]:
    """The regions that a stack can be in."""
    return sorted(region for name in PARTITIONS for region in zones().partitions[name])


def letters(region: str) -> str:
    """The letters that zones of a region can have: as many as the highest number of a zone there.
    Empty where the table does not know.

    Letters are mapped to zones by account in the oldest regions, so that only their number is
    known.
    """
    ids = next((found[region] for found in zones().partitions.values() if region in found), ())
    highest = max((int(item.rpartition("az")[2]) for item in ids if item), default=0)
    count = max(highest, len(ids)) if highest else 0
    return "abcdefghijklmnopqrstuvwxyz"[:count]


def no_zone(value: str) -> tuple[str, str] | None:
    """The problem and the fix of a name that is not an availability zone's; None for an unknown
    name.
    """
    if local := _LOCAL.fullmatch(value):
        kind = "a Wavelength Zone" if "-wl" in value else "a Local Zone"
        region = local["region"]
        return (
            f"is {kind}, and EKS wants subnets in availability zones",
            f"write a zone of the region, such as {region}a",
        )
    if _ID.fullmatch(value):
        command = (
            "aws ec2 describe-availability-zones --query 'AvailabilityZones[].[ZoneName,ZoneId]'"
            " --output text"
        )
        return (
            "is a zone's id, and zones are given by their names here",
            f"write its name in your account, as this shows: {command}",
        )
    return None
