"""Whether the pools can work: types of one shape, priorities that name every group, quotas, and
addresses for all pods.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from jupyterhub_aws.checks.finding import Finding, fail, skip, verdict
from jupyterhub_aws.checks.placement import is_retiring, is_spot
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.instance_types import InstanceType, instance_type
from jupyterhub_aws.config.network import ExistingNetworkSection
from jupyterhub_aws.config.node_size import addresses_of_node, most_pods
from jupyterhub_aws.config.stack import StackConfig

# --- The subnets that groups of nodes start in: the stack's own, and those of a VPC of another
# owner.


_SUBNET = "aws:ec2/subnet:Subnet"


@dataclass(frozen=True, kw_only=True)
class NodeSubnet:
    """`key` is the subnet's URN, or its id where the stack did not make it; then there are no
    `urns`. `path` is the option that gives it its size.
    """

    key: str
    name: str
    zone: str
    cidr: str
    path: str
    urns: tuple[str, ...]


def node_subnets(stack: StackConfig, resources: Resources, group: Resource) -> Iterator[NodeSubnet]:
    """The subnets of an Auto Scaling group or a managed node group, of any owner."""
    named = group.inputs.get("vpcZoneIdentifiers", group.inputs.get("subnetIds"))
    for subnet in resources.referred(named, _SUBNET):
        yield NodeSubnet(
            key=subnet.urn,
            name=subnet.name,
            zone=str(subnet.inputs["availabilityZone"]),
            cidr=str(subnet.inputs["cidrBlock"]),
            path="network.cidr",
            urns=(subnet.urn,),
        )
    if isinstance(stack.network, ExistingNetworkSection):
        for zone, theirs in sorted(stack.network.private_subnets.items()):
            if isinstance(named, (list, tuple)) and theirs.id in named:
                yield NodeSubnet(
                    key=theirs.id,
                    name=theirs.id,
                    zone=zone,
                    cidr=theirs.cidr,
                    path=f"network.private_subnets.{zone}",
                    urns=(),
                )


_GROUP = "aws:autoscaling/group:Group"
_NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
#: EC2 user guide, "Instance type quotas": code and name by family letters, on demand and spot.
#: Counted in vCPUs.
_QUOTAS = {
    "standard": ("L-1216C47A", "L-34B43A08"),
    "g": ("L-DB2E81BA", "L-3819A6DF"),
    "p": ("L-417A185B", "L-7212CCBC"),
}
_STANDARD_FAMILIES = "acdhimrtz"
#: Begin with the letter of a standard family, and have a quota of their own.
_OWN_FAMILIES = ("dl", "hpc", "inf", "mac", "trn")
#: AWS keeps five addresses of each subnet (VPC user guide, "Subnet sizing").
_RESERVED_ADDRESSES = 5
#: Managed groups without an image of their own: EKS sets 110 pods below 30 vCPUs (facts of
#: nodeadm).
_CORE_PODS = 110


def instance_types(stack: StackConfig, _resources: Resources) -> list[Finding]:
    """The types of a pool are alike where the autoscaler takes them for alike, and can do what
    the pool needs.
    """
    core = {} if stack.pools.core is None else {"core": stack.pools.core.types}
    pools = {**core, **{name: pool.types for name, pool in stack.pools.bought.items()}}
    faults = [fault for name, types in pools.items() for fault in _misfits(name, types)]
    for name, pool in stack.pools.bought.items():
        least = min(most_pods(item) for item in pool.types)
        if pool.max_pods > least:
            faults.append(
                _type_fault(
                    f"pools.{name}.max_pods",
                    f"{pool.max_pods} pods do not fit the network interfaces of its smallest type"
                    f" ({least})",
                    f"lower max_pods to {least}",
                )
            )
        faults += [
            _type_fault(
                f"pools.{name}.instance_types",
                f"{item.name} is not sold as spot",
                "choose another type, or capacity: on_demand",
            )
            for item in pool.types
            if pool.capacity != "on_demand" and not item.spot
        ]
    return verdict(
        "instance-types",
        faults,
        otherwise=f"all types exist, and within each of {len(pools)} pools they have one shape",
    )


def _type_fault(path: str, message: str, fix: str) -> Finding:
    return fail("instance-types", message, fix, path=path)


def _misfits(name: str, types: Sequence[InstanceType]) -> Iterator[Finding]:
    first, path = types[0], f"pools.{name}.instance_types"
    for other in types[1:]:
        if other.shape != first.shape:
            yield _type_fault(
                path,
                f"{other.name} ({_shape(other)}) is not of the shape of {first.name}"
                f" ({_shape(first)})",
                "put it into a pool of its own: the autoscaler calculates with the first type",
            )
    for kind in types:
        if not kind.nitro:
            yield _type_fault(
                path,
                f"{kind.name} is not a Nitro type: the CNI's address prefixes do not work there",
                "choose a newer generation",
            )


def _shape(kind: InstanceType) -> str:
    gpus = f", {kind.gpus} GPUs" if kind.gpus else ""
    return f"{kind.vcpus} vCPUs, {kind.memory_mib // 1024} GiB{gpus}, {kind.architecture}"


def priorities(_stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every group has a priority of its own in the autoscaler's configuration, besides the
    catch-all.
    """
    groups = resources.of(_GROUP)
    listed: dict[int, list[str]] = {}
    for release in resources.of("kubernetes:helm.sh/v3:Release"):
        listed |= {
            int(rank): list(names)
            for rank, names in (
                release.inputs.get("values", {}).get("expanderPriorities", {}).items()
            )
        }
    return verdict(
        "autoscaler-priorities",
        _unranked(groups, listed),
        otherwise=f"{_ranked(groups)}: spot first, then on demand",
    )


def _ranked(groups: list[Resource]) -> str:
    retiring = sum(map(is_retiring, groups))
    return f"{len(groups) - retiring} groups have a priority" + (
        f" ({retiring} retiring ones have none)" if retiring else ""
    )


def _unranked(groups: list[Resource], listed: dict[int, list[str]]) -> Iterator[Finding]:
    def rank(name: str) -> int | None:
        return max(
            (
                rank
                for rank, names in listed.items()
                if any(pattern != ".*" and re.search(pattern, name) for pattern in names)
            ),
            default=None,
        )

    ranks = {str(group.inputs["name"]): rank(str(group.inputs["name"])) for group in groups}
    for group in groups:
        name = str(group.inputs["name"])
        if is_retiring(group):
            if ranks[name] is not None:
                yield fail(
                    "autoscaler-priorities",
                    f"{name} retires, but a priority asks it to grow",
                    None,
                    group,
                )
            continue
        twin = {
            other: value
            for other, value in ranks.items()
            if other != name and other.replace("-on-demand-", "-spot-") == name
        }
        if ranks[name] is None:
            yield fail(
                "autoscaler-priorities",
                f"no priority names the group {name}: it would be tried last",
                None,
                group,
            )
        elif any(value is not None and value >= (ranks[name] or 0) for value in twin.values()):
            yield fail(
                "autoscaler-priorities",
                f"{name} is not tried before its on-demand twin",
                None,
                group,
            )
    if groups and not any(".*" in names for names in listed.values()):
        yield fail(
            "autoscaler-priorities",
            "no catch-all: a group without a priority would never grow",
            None,
            *groups,
        )


def quotas(stack: StackConfig, resources: Resources) -> list[Finding]:
    """How many vCPUs the pools may ask for at their maximum, by the quota that counts them. Only
    AWS knows what you have; a paused stack asks for none.
    """
    if stack.paused:
        return []
    wanted: dict[tuple[str, str], int] = defaultdict(int)
    for group, types, most in _groups(resources):
        market = "spot" if is_spot(group) else "on demand"
        wanted[(_quota_family(types[0]), market)] += most * max(kind.vcpus for kind in types)
    found = []
    for (family, market), vcpus in sorted(wanted.items()):
        code = _QUOTAS[family][market == "spot"] if family in _QUOTAS else f"of family {family}"
        found.append(
            skip(
                f"quota-{family}-{market.replace(' ', '-')}",
                (
                    f"at their maximum the pools need {vcpus} vCPUs {market} (EC2 quota {code});"
                    " only your account knows its quota"
                ),
                "compare in the console under Service Quotas, and ask some days ahead",
            )
        )
    return found


def _quota_family(kind: InstanceType) -> str:
    if kind.family in ("g", "vt", "gr"):
        return "g"
    if kind.family[:1] in _STANDARD_FAMILIES and not kind.gpus and kind.family not in _OWN_FAMILIES:
        return "standard"
    return kind.family


def _groups(resources: Resources) -> Iterator[tuple[Resource, list[InstanceType], int]]:
    """Every group with its types and its largest size."""
    for group in resources.of(_GROUP):
        names = [
            item["instanceType"]
            for item in group.inputs["mixedInstancesPolicy"]["launchTemplate"]["overrides"]
        ]
        yield group, [instance_type(name) for name in names], int(group.inputs["maxSize"])
    for group in resources.of(_NODE_GROUP):
        yield (
            group,
            [instance_type(name) for name in group.inputs["instanceTypes"]],
            int(group.inputs["scalingConfig"]["maxSize"]),
        )


def addresses(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Each subnet has addresses for all its nodes and their pods when every pool is at its
    maximum, wherever they start.
    """
    return verdict("addresses", _crowded(stack, resources), otherwise=_room(stack, resources))


def _demand(stack: StackConfig, resources: Resources) -> dict[NodeSubnet, int]:
    """The most addresses that may be taken in each subnet: a group may put all its nodes into any
    one of its subnets, but spreads them evenly while every zone has capacity; the even spread and
    one zone's failure are what is planned for.
    """
    demand: dict[NodeSubnet, int] = defaultdict(int)
    for group, _types, most in _groups(resources):
        subnets = list(node_subnets(stack, resources, group))
        share = -(-most // max(len(subnets) - 1, 1))  # one zone less than there are
        for subnet in subnets:
            demand[subnet] += share * addresses_of_node(_max_pods(group, resources))
    return demand


def _max_pods(group: Resource, resources: Resources) -> int:
    """What the node's own configuration says; managed groups leave it to EKS."""
    for template in resources.referred(group.inputs.get("mixedInstancesPolicy"), _TEMPLATE):
        try:
            text = base64.b64decode(
                str(template.inputs.get("userData", "")), validate=True
            ).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
        if match := re.search(r'"maxPods": (\d+)', text):
            return int(match[1])
    return _CORE_PODS


def _sizes(stack: StackConfig, resources: Resources) -> Iterable[tuple[NodeSubnet, int, int]]:
    for subnet, wanted in sorted(_demand(stack, resources).items(), key=lambda item: item[0].key):
        yield subnet, IPv4Network(subnet.cidr).num_addresses - _RESERVED_ADDRESSES, wanted


def _crowded(stack: StackConfig, resources: Resources) -> Iterator[Finding]:
    for subnet, room, wanted in _sizes(stack, resources):
        if wanted > room:
            yield Finding(
                id="addresses",
                status="fail",
                message=(
                    f"{subnet.name} has {room:,} addresses, but the pools may need {wanted:,} there"
                    " with one zone down"
                ),
                path=subnet.path,
                fix=(
                    f"{'widen network.cidr (only on a new stack)' if subnet.urns else 'name a larger subnet'},"
                    " or lower size.max or max_pods of the pools"
                ),
                subjects=subnet.urns,
            )


def _room(stack: StackConfig, resources: Resources) -> str:
    left: list[Any] = sorted(
        (room - wanted, subnet.name) for subnet, room, wanted in _sizes(stack, resources)
    )
    if left:
        return (
            f"at every pool's maximum and one zone down, {left[0][0]:,} addresses are left in"
            f" {left[0][1]}"
        )
    return "no node needs an address"
