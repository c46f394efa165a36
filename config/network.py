"""What a stack may say about its network. A mode is a type of its own; `airgap` and `existing` join the union here."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from config.errors import refuse
from config.model import Model, option
from config.values import Cidr, Zone

_REPLACES = "Replaces the network and everything in it. Never change it on a stack that people use."
_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
#: VPC sizes: AWS takes /16 to /28; below /20 three zones have no room for pods and the /28 prefixes of the CNI.
_LARGEST, _SMALLEST = 16, 20


def _vpc_cidr(value: str) -> str:
    network = IPv4Network(value)
    if not any(network.subnet_of(private) for private in _PRIVATE):
        raise refuse(f"is not a private range (got {value})", "choose one inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10")
    if not _LARGEST <= network.prefixlen <= _SMALLEST:
        around = IPv4Network((network.network_address, _LARGEST), strict=False)
        raise refuse(f"must be between /{_LARGEST} and /{_SMALLEST} (got /{network.prefixlen})", f"write {around}")
    return value


def _nat(value: object) -> object:
    if value == "none":
        raise refuse("cannot be none in an open network: nodes would never reach the cluster and never join", "choose single or per_zone")
    return value


class FlowLogs(Model):
    """Who talked to whom, written to CloudWatch Logs."""

    retention_days: Literal[1, 3, 7, 14, 30, 60, 90, 180, 365] = option(
        30, help="How long the records are kept.", unit="days", changing="In place: older records are deleted."
    )
    traffic: Literal["ALL", "ACCEPT", "REJECT"] = option("REJECT", help="Which connections are recorded.", changing="Replaces the flow log (not its records).")


class OpenNetwork(Model):
    """A VPC of its own with a way out: public subnets for balancer and NAT, large private ones for nodes and pods."""

    mode: Literal["open"] = option(help="`open`: private subnets reach the internet through NAT.", changing=_REPLACES)
    cidr: Annotated[Cidr, AfterValidator(_vpc_cidr)] = option(
        "10.0.0.0/16", help="The VPC's range. Each zone gets a quarter for nodes and pods.", changing=_REPLACES
    )
    zones: tuple[Zone, ...] = option(
        help="Two or three availability zones of the region. More zones find more spot capacity.",
        changing="Adding a third zone at the end is in place. Removing or reordering replaces subnets that nodes live in.",
        min_length=2,
        max_length=3,
    )
    nat: Annotated[Literal["single", "per_zone"], BeforeValidator(_nat)] = option(
        "single",
        help="`single`: one NAT gateway (cheaper; its zone's failure cuts every node off). `per_zone`: one in each.",
        changing="In place; open connections to the internet break once.",
    )
    flow_logs: FlowLogs | None = option(None, help="Record connections. Off unless this section is there.", changing="In place.")


#: Discriminated by `mode`. One member today, so an alias: components dispatch with `match`, and gain a case with a member.
Network = OpenNetwork
