"""The network section: the program's own, where it would have divided the range in just this
way, else a VPC that somebody else made.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import permutations
from typing import Any

from jupyterhub_aws.adopt.live import Live
from jupyterhub_aws.config.specs.network import zone_subnets
from jupyterhub_aws.config.stack_text import fill

_MOST_ZONES, _FEWEST_ZONES = 3, 2


def network_of(live: Live) -> tuple[dict[str, Any], str]:
    """The section, and the comment that says why it is this one."""
    zones = own_zones(live)
    if zones is not None and live.of("internet_gateways"):
        nats = len(live.of("nats"))
        network = {
            "mode": "open",
            "cidr": (live.vpc or {})["CidrBlock"],
            "zones": list(zones),
            "nat": "per_zone" if nats >= len(zones) else "single",
        }
        if live.of("flow_logs"):
            network["flow_logs"] = _flow_logs(live)
        return (
            network,
            (
                f"VPC {live.vpc_id}: its subnets are where the program puts them, so it becomes the"
                " program's."
            ),
        )
    why = (
        "the program would divide its range in another way, and a subnet cannot change its range"
        if zones is None
        else "it has no internet gateway"
    )
    return _existing(live), f"VPC {live.vpc_id} stays somebody else's: {why}."


def own_zones(live: Live) -> tuple[str, ...] | None:
    """The zones in the order in which the program's plan gives exactly the subnets that are
    there; None where no order does.
    """
    if live.vpc is None:
        return None
    there = {(item["AvailabilityZone"], item["CidrBlock"]) for item in live.of("subnets")}
    zones = sorted({zone for zone, _ in there})
    for count in range(min(_MOST_ZONES, len(zones)), _FEWEST_ZONES - 1, -1):
        for order in permutations(zones, count):
            wanted = {
                (item.zone, str(cidr))
                for item in zone_subnets(live.vpc["CidrBlock"], order)
                for cidr in (item.private, item.public)
            }
            if wanted <= there:
                return order
    return None


def _flow_logs(live: Live) -> dict[str, Any]:
    log = live.of("flow_logs")[0]
    groups = [
        item
        for item in live.of("log_groups")
        if item["logGroupName"] == f"/{live.name}/vpc/flow-logs"
    ]
    days = groups[0].get("retentionInDays") if groups else None
    return {
        "traffic": log.get("TrafficType", "REJECT"),
        **({"retention_days": days} if days in (1, 3, 7, 14, 30, 60, 90, 180, 365) else {}),
    }


def _existing(live: Live) -> dict[str, Any]:
    used = set(live.cluster.get("resourcesVpcConfig", {}).get("subnetIds", ()))
    used |= {subnet for group in live.of("node_groups") for subnet in group.get("subnets", ())}
    private: dict[str, Any] = {}
    public: dict[str, Any] = {}
    for item in sorted(
        live.of("subnets"),
        key=lambda one: (one["SubnetId"] not in used, -_size(one["CidrBlock"]), one["SubnetId"]),
    ):
        target = public if live.way_out(item["SubnetId"]) == "public" else private
        target.setdefault(
            item["AvailabilityZone"], {"id": item["SubnetId"], "cidr": item["CidrBlock"]}
        )
    if (
        len(private) < _FEWEST_ZONES
    ):  # nodes with addresses of their own: the subnets that the cluster is in
        private, public = {**public, **private}, {}
    leads_out = any(live.way_out(item["id"]) != "none" for item in private.values())
    section: dict[str, Any] = {
        "mode": "existing",
        "vpc_id": live.vpc_id,
        "cidr": (live.vpc or {}).get("CidrBlock", "10.0.0.0/16"),
    }
    section["private_subnets"] = (
        private if len(private) >= _FEWEST_ZONES else fill(private, "at least two zones")
    )
    if public:
        section["public_subnets"] = {zone: public[zone] for zone in sorted(public)}
    section["egress"] = {"kind": "internet" if leads_out else "none"}
    if not leads_out:
        section["manage_endpoints"] = False
    return section


def _size(cidr: str) -> int:
    return IPv4Network(cidr).num_addresses
