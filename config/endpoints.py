"""Which AWS APIs a stack's software calls, from a table with sources; so which private endpoints
a network without the internet needs.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "data" / "aws_apis.toml"
#: The services whose endpoint is a gateway: free, and reached by routes instead of an address.
GATEWAYS = ("s3",)
#: What every cluster of this program runs, besides the CSI driver of its homes (components/addons,
#: components/pools).
_ALWAYS = (
    "nodes", "vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent", "eks-node-monitoring-agent", "aws-ebs-csi-driver", "cluster-autoscaler",
    "aws-node-termination-handler", "nvidia-device-plugin", "jupyterhub",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Software:
    """One piece of software: the APIs that it calls, why, and where that was read."""

    name: str
    apis: tuple[str, ...]
    why: str
    source: str


class UnknownSoftwareError(LookupError):
    """Software that has no row in the table: the APIs that it calls are unknown."""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def software(name: str) -> Software:
    """What the table knows of a piece of software. Raises UnknownSoftwareError."""
    for row in _table()["software"]:
        if row["name"] == name:
            return Software(
                name=name, apis=tuple(row["apis"]), why=row["why"], source=row["source"]
            )
    raise UnknownSoftwareError(
        f"{name} is not in config/data/aws_apis.toml: add what it calls, with its source"
    )


def running(homes: str, *, runner: bool, watched: bool) -> tuple[str, ...]:
    """What a cluster of this program runs, by the kind of its homes."""
    further = (
        ("aws-efs-csi-driver", homes == "efs"),
        ("runner", runner),
        ("amazon-cloudwatch-observability", watched),
    )
    return (*_ALWAYS, *(name for name, there in further if there))


def solved(names: Iterable[str]) -> Mapping[str, tuple[Software, ...]]:
    """The services for which software needs an endpoint, each with the software that needs it.
    Raises UnknownSoftwareError.
    """
    found: dict[str, list[Software]] = {}
    for name in names:
        known = software(name)
        for api in known.apis:
            found.setdefault(api, []).append(known)
    return {service: tuple(found[service]) for service in sorted(found)}


def wanted_services(homes: str, *, runner: bool, watched: bool) -> Mapping[str, str]:
    """The same for a stack, with the software that needs each."""
    return {
        service: " and ".join(item.name for item in who)
        for service, who in solved(running(homes, runner=runner, watched=watched)).items()
    }


def reasons(names: Iterable[str], further: Iterable[str] = ()) -> dict[str, str]:
    """Why there is an endpoint of each service: what the software does with it, or that the
    stack file asks for it. Raises UnknownSoftwareError.
    """
    found = {service: "; ".join(item.why for item in who) for service, who in solved(names).items()}
    for service in further:
        found.setdefault(service, "users call it from their servers (network.additional_endpoints)")
    return dict(sorted(found.items()))


def not_offered(region: str, service: str) -> str | None:
    """The source that says that a region has no endpoint of a service; None where no source says
    so.
    """
    for row in _table()["not_offered"]:
        if region in row["regions"] and service in row["services"]:
            return str(row["source"])
    return None


def addon_account(region: str) -> str:
    """The account from whose registry EKS serves the images of its add-ons in a region."""
    accounts: dict[str, str] = _table()["addon_registries"]
    return accounts.get(region, accounts["default"])


# --- Which AWS services have a VPC endpoint: the list that AWS keeps in its CDK
# (scripts/refresh_endpoint_services.py), read only where a stack names one.


FILE = Path(__file__).parent / "data" / "endpoint_services.json"


@cache
def endpoint_services() -> frozenset[str]:
    """Names as they end com.amazonaws.REGION.NAME."""
    return frozenset(json.loads(FILE.read_text(encoding="utf-8"))["names"])


@cache
def source() -> str:
    """Where the list was read, and when."""
    table = json.loads(FILE.read_text(encoding="utf-8"))
    return f"{table['source']}, {table['read']}"
