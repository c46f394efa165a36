"""The pools section: the program's own groups read back from what they are, or the nodes of a
cluster that is used in place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.asks import auto_scaling_names
from jupyterhub_aws.adopt.live import Live, Thing
from jupyterhub_aws.config.instance_types import instance_type, instance_types
from jupyterhub_aws.config.stack_text import Noted, fill

#: config/specs/node_groups.py: cluster, pool, what is bought, a zone where each has a group, and
#: six digits of a hash.
_GROUP = r"{}-(?P<pool>[a-z][a-z0-9-]*?)-(?P<bought>spot|on-demand)(-[a-z])?-[0-9a-f]{{6}}"
_SHORT = 20
_GIB = 1024


def own_pools(live: Live) -> tuple[dict[str, Any], str]:
    """`core` and the user pools, by the names that the program gives groups; others stay beside."""
    found: dict[str, dict[str, Thing]] = {}
    strangers = []
    managed = {name for group in live.of("node_groups") for name in auto_scaling_names(group)}
    for group in live.of("groups"):
        match = re.fullmatch(_GROUP.format(re.escape(live.name)), group["AutoScalingGroupName"])
        if match:
            found.setdefault(match["pool"], {})[match["bought"]] = group
        elif group["AutoScalingGroupName"] not in managed:
            strangers.append(str(group["AutoScalingGroupName"]))
    core = next(
        (
            group
            for group in live.of("node_groups")
            if str(group["nodegroupName"]).startswith(f"{live.name}-core-")
        ),
        None,
    )
    strangers += [
        str(group["nodegroupName"]) for group in live.of("node_groups") if group is not core
    ]
    pools = {
        "core": _core(live, core),
        **{name: _user_pool(live, groups) for name, groups in sorted(found.items())},
    }
    if len(pools) == 1:
        pools["user"] = _first_pool(live)
    note = "Read back from the groups that are there."
    if strangers:
        note += (
            f"\nLeft alone, with their nodes: {', '.join(sorted(strangers)[:6])}. New groups come"
            " beside them; empty the old ones and delete them by hand."
        )
    return pools, note


def _core(live: Live, group: Thing | None) -> dict[str, Any]:
    if group is None:
        return {
            "instance_types": fill(
                ["m7i.large", "m6i.large"],
                "the nodes of the hub: the program makes a group of its own",
            ),
            "size": 2,
        }
    size = (
        group.get("scalingConfig", {}).get("desiredSize")
        or group.get("scalingConfig", {}).get("maxSize")
        or 2
    )
    zones = sorted(
        {
            item["AvailabilityZone"]
            for item in live.of("subnets")
            if item["SubnetId"] in group.get("subnets", ())
        }
    )
    return {
        "instance_types": (
            _known(group.get("instanceTypes", ()))
            or fill(["m7i.large"], "types that the program knows")
        ),
        "size": max(size, 1),
        **({"zones": zones} if len(zones) > 1 else {}),
        **_disk(live, group.get("launchTemplate", {}).get("id")),
    }


def _user_pool(live: Live, groups: Mapping[str, Thing]) -> dict[str, Any]:
    capacity = (
        "spot_first"
        if len(groups) == 2
        else {"spot": "spot", "on-demand": "on_demand"}[next(iter(groups))]
    )  # the twins
    some = groups.get("spot") or groups["on-demand"]
    mixed = some.get("MixedInstancesPolicy", {})
    price = mixed.get("InstancesDistribution", {}).get("SpotMaxPrice")
    template = (
        mixed.get("LaunchTemplate", {})
        .get("LaunchTemplateSpecification", {})
        .get("LaunchTemplateId")
    )
    return {
        "capacity": capacity,
        **({"max_price": str(price)} if price and capacity != "on_demand" else {}),
        "instance_types": (
            _known(_types(some)) or fill(["m7i.2xlarge"], "types that the program knows")
        ),
        "size": {"min": some.get("MinSize", 0), "max": max(some.get("MaxSize", 1), 1)},
        **_disk(live, template),
    }


def _first_pool(live: Live) -> dict[str, Any]:
    types = _known(
        [kind for group in live.of("node_groups") for kind in group.get("instanceTypes", ())]
    )
    return {
        "capacity": "on_demand",
        "instance_types": fill(
            types[:1] or ["m7i.2xlarge"],
            "the nodes of people's servers: the program makes groups of its own",
        ),
        "size": {"min": 0, "max": fill(10, "the most nodes")},
    }


def _types(group: Thing) -> list[str]:
    overrides = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("Overrides", ())
    return [str(item["InstanceType"]) for item in overrides if item.get("InstanceType")]


def _known(names: Any) -> list[str]:
    return list(dict.fromkeys(name for name in names if name in instance_types()))


def _disk(live: Live, template: str | None) -> dict[str, Any]:
    """The root volume by the latest version of the launch template; nothing where that could not
    be seen.
    """
    version = next(
        (item for item in live.of("template_versions") if item.get("LaunchTemplateId") == template),
        None,
    )
    for item in (version or {}).get("LaunchTemplateData", {}).get("BlockDeviceMappings", ()):
        ebs = item.get("Ebs", {})
        if ebs.get("VolumeSize"):
            more = {
                option: ebs[key]
                for option, key in (("iops", "Iops"), ("throughput", "Throughput"))
                if ebs.get(key)
            }
            return {"disk": {"size_gib": ebs["VolumeSize"], **more}}
    return {}


def given_pools(live: Live) -> tuple[dict[str, Any], str]:
    """The nodes that are there, a pool for each group: servers go to them by labels that they
    have.
    """
    pools: dict[str, Any] = {}
    managed = {name for group in live.of("node_groups") for name in auto_scaling_names(group)}
    for group in live.of("node_groups"):
        selector = {"eks.amazonaws.com/nodegroup": str(group["nodegroupName"])}
        types, most = (
            list(group.get("instanceTypes") or ()),
            group.get("scalingConfig", {}).get("maxSize", 1),
        )
        pools[_name(str(group["nodegroupName"]), pools)] = _given(
            types or _of_template(live, group.get("launchTemplate", {}).get("id")), most, selector
        )
    for group in live.of("groups"):
        if group["AutoScalingGroupName"] in managed:
            continue
        labels = {
            item["Key"].rpartition("node-template/label/")[2]: item["Value"]
            for item in group.get("Tags", ())
            if "node-template/label/" in item["Key"] and item.get("Value")
        }
        eksctl = {
            item["Key"]: item["Value"]
            for item in group.get("Tags", ())
            if item["Key"] == "alpha.eksctl.io/nodegroup-name"
        }
        name = next(iter(eksctl.values()), str(group["AutoScalingGroupName"]))
        found: Any = {**eksctl, **labels} or fill(
            {"example.org/pool": "user"},
            "labels by which these nodes are found: kubectl get nodes --show-labels",
        )
        mixed = (
            group.get("MixedInstancesPolicy", {})
            .get("LaunchTemplate", {})
            .get("LaunchTemplateSpecification", {})
        )
        template = mixed.get("LaunchTemplateId") or group.get("LaunchTemplate", {}).get(
            "LaunchTemplateId"
        )
        pools[_name(name, pools)] = _given(
            _types(group) or _of_template(live, template), group.get("MaxSize", 1), found
        )
    if not pools:
        pools["user"] = {
            "capacity": "existing",
            "cores": fill(8, "vCPUs of a node"),
            "memory_gib": fill(64, "its memory"),
            "node_selector": {"example.org/pool": fill("user", "a label of these nodes")},
        }
    return (
        pools,
        (
            "Nodes that are there. Label those of the hub as docs/operations.md says; remove a pool"
            " here that is not for people's servers."
        ),
    )


def _of_template(live: Live, template: str | None) -> list[str]:
    version = next(
        (item for item in live.of("template_versions") if item.get("LaunchTemplateId") == template),
        None,
    )
    kind = (version or {}).get("LaunchTemplateData", {}).get("InstanceType")
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
