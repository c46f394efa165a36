"""The hubs section of a cluster that the program (or somebody by its names) made: what AWS knows
of a hub, and the rest to be filled in.
"""

from __future__ import annotations

import re
from typing import Any

from jupyterhub_aws.adopt.live import Live, Thing, tags_of
from jupyterhub_aws.config.stack_text import Noted, fill

_HUB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def hubs_of(live: Live) -> dict[str, Any]:
    """Each hub that has a directory of homes or a database under the program's names; one of
    which nothing is known where there is none.
    """
    names = [name for name in sorted(_names(live)) if _HUB.fullmatch(name)]
    return {name: _hub(live, name) for name in names or ["main"]}


def _names(live: Live) -> set[str]:
    names = {
        path.removeprefix("/hubs/")
        for point in live.of("access_points")
        if point["FileSystemId"] == live.file_system_id
        and (path := str(point.get("RootDirectory", {}).get("Path", "/"))).startswith("/hubs/")
    }
    database = re.compile(rf"{re.escape(live.name)}-(.+)-database")
    for text in (
        *(tags_of(item).get("Name", "") for item in live.of("volumes")),
        *(str(item["DBInstanceIdentifier"]) for item in live.of("databases")),
    ):
        match = database.fullmatch(text)
        names |= {match[1]} if match else set()
    return names


def _hub(live: Live, name: str) -> dict[str, Any]:
    return {
        "sign_in": {
            "kind": fill("native", "how people sign in (docs/people.md); AWS does not know"),
            "administrators": fill(["admin"], "who manages people"),
        },
        "entry": _entry(live, name),
        "database": _database(live, name),
    }


def _entry(live: Live, name: str) -> dict[str, Any]:
    balancer = next(
        (
            item
            for item in live.of("balancers")
            if item["LoadBalancerName"] == f"{live.name}-{name}"
        ),
        None,
    )
    if balancer is None:
        return {
            "kind": fill(
                "port_forward", "how people reach it: load_balancer, node_port or port_forward"
            )
        }
    listener = next(
        (
            item
            for item in live.of("listeners")
            if item["LoadBalancerArn"] == balancer["LoadBalancerArn"]
        ),
        {},
    )
    cidrs = _allowed(live, balancer)
    port = next(
        (
            item.get("Port")
            for item in live.of("target_groups")
            if balancer["LoadBalancerArn"] in item.get("LoadBalancerArns", ())
        ),
        None,
    )
    entry: dict[str, Any] = {
        "kind": "load_balancer",
        "hostname": fill(
            "hub.example.org", f"the name that leads to {balancer.get('DNSName', 'it')}"
        ),
        "allowed_cidrs": cidrs or fill(["203.0.113.0/24"], "networks that people come from"),
        **({"public": Noted(value=True, note="as it is now")} if "0.0.0.0/0" in cidrs else {}),
        **({"internal": True} if balancer.get("Scheme") == "internal" else {}),
        **(
            {"node_port": port} if isinstance(port, int) and 30000 <= port <= 32767 else {}
        ),  # the range of node ports (config/entry.py)
    }
    return {**entry, "tls": _tls(listener)}


def _tls(listener: Thing) -> dict[str, Any]:
    arns = [
        item["CertificateArn"]
        for item in listener.get("Certificates", ())
        if str(item.get("CertificateArn", "")).startswith("arn:aws")
    ]
    if arns:
        return {"kind": "acm", "certificate_arn": arns[0]}
    return {"kind": fill("none", "acm with certificate_arn, or certificate"), "trial": True}


def _allowed(live: Live, balancer: Thing) -> list[str]:
    groups = set(balancer.get("SecurityGroups", ()))
    return sorted(
        {
            str(rule["CidrIpv4"])
            for rule in live.of("rules")
            if rule.get("GroupId") in groups and not rule.get("IsEgress") and rule.get("CidrIpv4")
        }
    )


def _database(live: Live, name: str) -> dict[str, Any]:
    instance = next(
        (
            item
            for item in live.of("databases")
            if item["DBInstanceIdentifier"] == f"{live.name}-{name}-database"
        ),
        None,
    )
    if instance is not None:
        return {
            "kind": "postgres",
            "instance_class": instance.get("DBInstanceClass", "db.t4g.small"),
            "version": str(instance.get("EngineVersion", "17")).partition(".")[0],
            "size_gib": max(instance.get("AllocatedStorage", 20), 20),
            "multi_az": bool(instance.get("MultiAZ")),
        }
    volume = next(
        (
            item
            for item in live.of("volumes")
            if tags_of(item).get("Name") == f"{live.name}-{name}-database"
        ),
        None,
    )
    return {
        "kind": "sqlite",
        **({"size_gib": volume["Size"]} if volume and 1 <= volume.get("Size", 0) <= 100 else {}),
    }  # config/database.py's own bounds
