"""The hubs section of a cluster that the program (or an operator, with its names) made: what AWS
knows of a hub, and the rest to be filled in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from itertools import permutations
from typing import Any

from jupyterhub_aws.adopt.queries import (
    AwsResource,
    Live,
    managed_names,
    mixed_template_of,
    tags_of,
    template_of,
)
from jupyterhub_aws.config.entry import FIRST_NODE_PORT, LAST_NODE_PORT
from jupyterhub_aws.config.instance_types import instance_type, instance_types
from jupyterhub_aws.config.specs.network import zone_subnets
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
    how = "how users sign in (docs/users-and-sign-in.md); AWS does not know"
    managers = "who manages users"
    return {
        "sign_in": {"kind": fill("native", how), "administrators": fill(["admin"], managers)},
        "entry": _entry(live, name),
        "database": _database(live, name),
    }


def _entry(live: Live, name: str) -> dict[str, Any]:
    balancer = live.first("balancers", LoadBalancerName=f"{live.name}-{name}")
    if balancer is None:
        ways = "how users reach it: load_balancer, node_port or port_forward"
        return {"kind": fill("port_forward", ways)}
    arn = balancer["LoadBalancerArn"]
    listener = live.first("listeners", LoadBalancerArn=arn) or {}
    cidrs, dns_name = _allowed(live, balancer), balancer.get("DNSName", "it")
    targets = live.of("target_groups")
    ports = [item.get("Port") for item in targets if arn in item.get("LoadBalancerArns", ())]
    port = next(iter(ports), None)
    entry: dict[str, Any] = {
        "kind": "load_balancer",
        "hostname": fill("hub.example.org", f"the name that leads to {dns_name}"),
        "allowed_cidrs": cidrs or fill(["203.0.113.0/24"], "networks that users come from"),
        **({"public": Noted(value=True, note="as it is now")} if "0.0.0.0/0" in cidrs else {}),
        **({"internal": True} if balancer.get("Scheme") == "internal" else {}),
    }
    if isinstance(port, int) and FIRST_NODE_PORT <= port <= LAST_NODE_PORT:
        entry["node_port"] = port
    return {**entry, "tls": _tls(listener)}


def _tls(listener: AwsResource) -> dict[str, Any]:
    for item in listener.get("Certificates", ()):
        if str(item.get("CertificateArn", "")).startswith("arn:aws"):
            return {"kind": "acm", "certificate_arn": item["CertificateArn"]}
    return {"kind": fill("none", "acm with certificate_arn, or certificate"), "trial": True}


def _allowed(live: Live, balancer: AwsResource) -> list[str]:
    groups = set(balancer.get("SecurityGroups", ()))
    return sorted(
        {
            str(rule["CidrIpv4"])
            for rule in live.of("rules")
            if rule.get("GroupId") in groups and not rule.get("IsEgress") and rule.get("CidrIpv4")
        }
    )


def _database(live: Live, name: str) -> dict[str, Any]:
    database = f"{live.name}-{name}-database"
    instance = live.first("databases", DBInstanceIdentifier=database)
    if instance is not None:
        return {
            "kind": "postgres",
            "instance_class": instance.get("DBInstanceClass", "db.t4g.small"),
            "version": str(instance.get("EngineVersion", "17")).partition(".")[0],
            "size_gib": max(instance.get("AllocatedStorage", 20), 20),
            "multi_az": bool(instance.get("MultiAZ")),
        }
    volumes = [item for item in live.of("volumes") if tags_of(item).get("Name") == database]
    size = volumes[0].get("Size", 0) if volumes else 0
    # Between the bounds of config/database.py.
    return {"kind": "sqlite", **({"size_gib": size} if 1 <= size <= 100 else {})}


# --- The network section: the program's own, where it would have divided the range in just this
# way, else an existing VPC.


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
        placed = "its subnets are where the program puts them, so it becomes the program's."
        return network, f"VPC {live.vpc_id}: {placed}"
    why = (
        "the program would divide its range in another way, and a subnet cannot change its range"
        if zones is None
        else "it has no internet gateway"
    )
    return _existing(live), f"VPC {live.vpc_id} is used in place, not managed: {why}."


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
    group = live.first("log_groups", logGroupName=f"/{live.name}/vpc/flow-logs") or {}
    days = group.get("retentionInDays")
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
        subnet = {"id": item["SubnetId"], "cidr": item["CidrBlock"]}
        target.setdefault(item["AvailabilityZone"], subnet)
    # Nodes with addresses of their own: the subnets that the cluster is in.
    if len(private) < _FEWEST_ZONES:
        private, public = {**public, **private}, {}
    leads_out = any(live.way_out(item["id"]) != "none" for item in private.values())
    section: dict[str, Any] = {
        "mode": "existing",
        "vpc_id": live.vpc_id,
        "cidr": (live.vpc or {}).get("CidrBlock", "10.0.0.0/16"),
        "private_subnets": (
            private if len(private) >= _FEWEST_ZONES else fill(private, "at least two zones")
        ),
    }
    if public:
        section["public_subnets"] = {zone: public[zone] for zone in sorted(public)}
    section["egress"] = {"kind": "internet" if leads_out else "none"}
    if not leads_out:
        section["manage_endpoints"] = False
    return section


def _size(cidr: str) -> int:
    return IPv4Network(cidr).num_addresses


# --- The pools section: the program's own groups read back from what they are, or the nodes of a
# cluster that is used in place.


#: config/specs/node_groups.py: cluster, pool, what is bought, a zone where each has a group, and
#: six digits of a hash.
_GROUP = r"{}-(?P<pool>[a-z][a-z0-9-]*?)-(?P<bought>spot|on-demand)(-[a-z])?-[0-9a-f]{{6}}"
_EKSCTL = "alpha.eksctl.io/nodegroup-name"
_SHORT = 20
_GIB = 1024


def own_pools(live: Live) -> tuple[dict[str, Any], str]:
    """`core` and the user pools, by the names that the program gives groups; others stay beside."""
    found: dict[str, dict[str, AwsResource]] = {}
    others = []
    managed = managed_names(live)
    for group in live.of("groups"):
        match = re.fullmatch(_GROUP.format(re.escape(live.name)), group["AutoScalingGroupName"])
        if match:
            found.setdefault(match["pool"], {})[match["bought"]] = group
        elif group["AutoScalingGroupName"] not in managed:
            others.append(str(group["AutoScalingGroupName"]))
    core = None
    for group in live.of("node_groups"):
        name = str(group["nodegroupName"])
        if core is None and name.startswith(f"{live.name}-core-"):
            core = group
        else:
            others.append(name)
    pools = {"core": _core(live, core)}
    pools |= {name: _user_pool(live, groups) for name, groups in sorted(found.items())}
    if len(pools) == 1:
        pools["user"] = _first_pool(live)
    note = "Read back from the groups that are there."
    if others:
        note += (
            f"\nLeft alone, with their nodes: {', '.join(sorted(others)[:6])}. New groups come"
            " beside them; empty the old ones and delete them by hand."
        )
    return pools, note


def _core(live: Live, group: AwsResource | None) -> dict[str, Any]:
    if group is None:
        note = "the nodes of the hub: the program makes a group of its own"
        return {"instance_types": fill(["m7i.large", "m6i.large"], note), "size": 2}
    scaling, own = group.get("scalingConfig", {}), group.get("subnets", ())
    zones = {item["AvailabilityZone"] for item in live.of("subnets") if item["SubnetId"] in own}
    return {
        "instance_types": (
            _known(group.get("instanceTypes", ()))
            or fill(["m7i.large"], "types that the program knows")
        ),
        "size": max(scaling.get("desiredSize") or scaling.get("maxSize") or 2, 1),
        **({"zones": sorted(zones)} if len(zones) > 1 else {}),
        **_disk(live, group.get("launchTemplate", {}).get("id")),
    }


def _user_pool(live: Live, groups: Mapping[str, AwsResource]) -> dict[str, Any]:
    twins = len(groups) == 2
    capacity = "spot_first" if twins else "spot" if "spot" in groups else "on_demand"
    some = groups.get("spot") or groups["on-demand"]
    mixed = some.get("MixedInstancesPolicy", {})
    price = mixed.get("InstancesDistribution", {}).get("SpotMaxPrice")
    return {
        "capacity": capacity,
        **({"max_price": str(price)} if price and capacity != "on_demand" else {}),
        "instance_types": (
            _known(_types(some)) or fill(["m7i.2xlarge"], "types that the program knows")
        ),
        "size": {"min": some.get("MinSize", 0), "max": max(some.get("MaxSize", 1), 1)},
        **_disk(live, mixed_template_of(some)),
    }


def _first_pool(live: Live) -> dict[str, Any]:
    groups = live.of("node_groups")
    types = _known(kind for group in groups for kind in group.get("instanceTypes", ()))
    note = "the nodes of users' servers: the program makes groups of its own"
    return {
        "capacity": "on_demand",
        "instance_types": fill(types[:1] or ["m7i.2xlarge"], note),
        "size": {"min": 0, "max": fill(10, "the most nodes")},
    }


def _types(group: AwsResource) -> list[str]:
    overrides = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("Overrides", ())
    return [str(item["InstanceType"]) for item in overrides if item.get("InstanceType")]


def _known(names: Any) -> list[str]:
    return list(dict.fromkeys(name for name in names if name in instance_types()))


def _disk(live: Live, template: str | None) -> dict[str, Any]:
    """The root volume by the latest version of the launch template; nothing where that could not
    be seen.
    """
    for item in _template_data(live, template).get("BlockDeviceMappings", ()):
        ebs = item.get("Ebs", {})
        if ebs.get("VolumeSize"):
            names = {"iops": "Iops", "throughput": "Throughput"}
            more = {option: ebs[key] for option, key in names.items() if ebs.get(key)}
            return {"disk": {"size_gib": ebs["VolumeSize"], **more}}
    return {}


def existing_pools(live: Live) -> tuple[dict[str, Any], str]:
    """The nodes that are there, a pool for each group: servers go to them by labels that they
    have.
    """
    pools: dict[str, Any] = {}
    managed = managed_names(live)
    for group in live.of("node_groups"):
        name, most = str(group["nodegroupName"]), group.get("scalingConfig", {}).get("maxSize", 1)
        template = group.get("launchTemplate", {}).get("id")
        types = list(group.get("instanceTypes") or ()) or _of_template(live, template)
        selector = {"eks.amazonaws.com/nodegroup": name}
        pools[_name(name, pools)] = _given(types, most, selector)
    for group in live.of("groups"):
        if group["AutoScalingGroupName"] in managed:
            continue
        labels = {
            item["Key"].rpartition("node-template/label/")[2]: item["Value"]
            for item in group.get("Tags", ())
            if "node-template/label/" in item["Key"] and item.get("Value")
        }
        names = [item["Value"] for item in group.get("Tags", ()) if item["Key"] == _EKSCTL]
        eksctl = {_EKSCTL: names[-1]} if names else {}
        name = names[-1] if names else str(group["AutoScalingGroupName"])
        note = "labels by which these nodes are found: kubectl get nodes --show-labels"
        found: Any = {**eksctl, **labels} or fill({"example.org/pool": "user"}, note)
        types = _types(group) or _of_template(live, template_of(group))
        pools[_name(name, pools)] = _given(types, group.get("MaxSize", 1), found)
    if not pools:
        pools["user"] = {
            "capacity": "existing",
            "cores": fill(8, "vCPUs of a node"),
            "memory_gib": fill(64, "its memory"),
            "node_selector": {"example.org/pool": fill("user", "a label of these nodes")},
        }
    note = "Existing nodes. Label those of the hub as docs/operations.md says; remove a pool"
    return pools, f"{note} here that is not for users' servers."


def _template_data(live: Live, template: str | None) -> AwsResource:
    version = live.first("template_versions", LaunchTemplateId=template) or {}
    found: AwsResource = version.get("LaunchTemplateData", {})
    return found


def _of_template(live: Live, template: str | None) -> list[str]:
    kind = _template_data(live, template).get("InstanceType")
    return [str(kind)] if kind else []


def _given(types: list[str], most: int, selector: Any) -> dict[str, Any]:
    known = [instance_type(name) for name in _known(types)]
    least = min(known, key=lambda kind: (kind.memory_mib, kind.vcpus), default=None)
    size: dict[str, Any] = {
        "cores": fill(8, "vCPUs of its smallest node"),
        "memory_gib": fill(32, "memory of its smallest node"),
    }
    if least is not None:
        cores, memory = min(kind.vcpus for kind in known), least.memory_mib // _GIB
        size = {"cores": Noted(value=cores, note=", ".join(types)), "memory_gib": max(memory, 2)}
        if all(kind.gpus for kind in known):
            size |= {"gpus": min(kind.gpus for kind in known), "gpu": str(known[0].gpu)}
    return {
        "capacity": "existing",
        **size,
        "nodes": min(max(most, 1), 5000),
        "node_selector": selector,
    }


def _name(text: str, taken: Mapping[str, Any]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "nodes"
    plain = (plain if plain[0].isalpha() else f"x{plain}")[:_SHORT].rstrip("-")
    plain = "nodes" if plain == "core" else plain  # `core` is the program's own
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain[: _SHORT - 3].rstrip('-')}-{number}", number + 1
    return name
