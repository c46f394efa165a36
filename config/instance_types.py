"""EC2 instance types: what each one has, from a committed table (source and date in the file
itself).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = Path(__file__).parent / "data" / "ec2_types.json"
REGIONS = Path(__file__).parent / "data" / "region_types.json"

Architecture = Literal["x86_64", "arm64"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceType:
    """One EC2 type as DescribeInstanceTypes reports it. Memory is nominal: the hypervisor keeps
    a part of it.
    """

    name: str
    vcpus: int
    memory_mib: int
    architecture: Architecture
    network_interfaces: int
    addresses_per_interface: int
    nitro: bool
    gpus: int
    gpu: str | None
    local_disk_gb: int
    spot: bool
    usd_per_hour: float | None

    @property
    def shape(self) -> tuple[int, int, int, str]:
        """What the autoscaler calculates with: vCPUs, memory in MiB, GPUs, architecture."""
        return (self.vcpus, self.memory_mib, self.gpus, self.architecture)

    @property
    def family(self) -> str:
        """The letters in front of the generation (`r` of r5n.2xlarge), by which AWS counts
        service quotas.
        """
        head = self.name.split(".")[0]
        return head[: next((i for i, char in enumerate(head) if char.isdigit()), len(head))].split(
            "-"
        )[0]


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(TABLE.read_bytes())
    return table


def _rows() -> dict[str, dict[str, object]]:
    rows: dict[str, dict[str, object]] = _table()["types"]
    return rows


def instance_source() -> str:
    """Where the table was read, prices of us-east-1 among it."""
    return str(_table()["source"])


@cache
def instance_types() -> Mapping[str, object]:
    """Every known type by name, for membership and suggestions. Read from disk at the first
    call.
    """
    return MappingProxyType(_rows())


@cache
def instance_type(name: str) -> InstanceType:
    """Return the type of that name. Raises KeyError for one that is not in the table."""
    row = _rows()[name]
    return InstanceType(
        name=name,
        vcpus=int(str(row["vcpus"])),
        memory_mib=int(str(row["memory_mib"])),
        architecture="x86_64" if "x86_64" in str(row["arch"]) else "arm64",
        network_interfaces=int(str(row["enis"])),
        addresses_per_interface=int(str(row["ipv4_per_eni"])),
        nitro=row["hypervisor"] == "nitro" or name.endswith(".metal"),
        gpus=int(str(row["gpus"])),
        gpu=None if row["gpu"] is None else str(row["gpu"]),
        local_disk_gb=int(str(row["local_disk_gb"])),
        spot=bool(row["spot"]),
        usd_per_hour=(
            None
            if row["usd_per_hour_us_east_1"] is None
            else float(str(row["usd_per_hour_us_east_1"]))
        ),
    )


# --- Which types a region has: config/data/region_types.json (scripts/refresh_region_types.py).


@cache
def _regions() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(REGIONS.read_bytes())
    return table


def region_source() -> str:
    """Where the table of regions was read."""
    return str(_regions()["source"])


@cache
def regions_with(name: str) -> frozenset[str] | None:
    """The regions that have a type, of those that the table knows; None for a type that it lacks."""
    mask = _regions()["types"].get(name)
    if mask is None:
        return None
    bits = int(mask, 16)
    return frozenset(
        region for place, region in enumerate(_regions()["regions"]) if bits >> place & 1
    )


def is_missing_in(name: str, region: str) -> bool:
    """Whether a region lacked a type when the table was made. False for a region or a type that the
    table does not know.
    """
    having = regions_with(name)
    return having is not None and region in _regions()["regions"] and region not in having
