"""Whether the pools can work: types of one shape, priorities that name every group, quotas, and
addresses for all pods.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network

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
    """`key` is the subnet's URN, or its id where the stack did not make it; `own` is the subnet
    where it did. `path` is the option that gives it its size.
    """

    key: str
    name: str
    zone: str
    cidr: str
    path: str
    own: tuple[Resource, ...] = field(default=(), compare=False)


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
            own=(subnet,),
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
_TYPES, _PRIORITIES = "instance-types", "autoscaler-priorities"


def instance_types(stack: StackConfig, _resources: Resources) -> list[Finding]:
    """The types of a pool are alike where the autoscaler takes them for alike, and can do what
    the pool needs.
    """
    core = {} if stack.pools.core is None else {"core": stack.pools.core.types}
    pools = {**core, **{name: pool.types for name, pool in stack.pools.bought.items()}}
    faults = [fault for name, types in pools.items() for fault in _misfits(name, types)]
    for name, pool in stack.pools.bought.items():
        most, least = pool.max_pods, min(most_pods(item) for item in pool.types)
        if most > least:
            message = (
                f"{most} pods do not fit the network interfaces of its smallest type ({least})"
            )
            fix = f"lower max_pods to {least}"
            faults.append(fail(_TYPES, message, fix, path=f"pools.{name}.max_pods"))
        path, fix = f"pools.{name}.instance_types", "choose another type, or capacity: on_demand"
        faults += [
            fail(_TYPES, f"{item.name} is not sold as spot", fix, path=path)
            for item in pool.types
            if pool.capacity != "on_demand" and not item.spot
        ]
    holds = f"all types exist, and within each of {len(pools)} pools they have one shape"
    return verdict(_TYPES, faults, otherwise=holds)


def _misfits(name: str, types: Sequence[InstanceType]) -> Iterator[Finding]:
    first, path = types[0], f"pools.{name}.instance_types"
    for other in types[1:]:
        if other.shape != first.shape:
            message = (
                f"{other.name} ({_shape(other)}) is not of the shape of {first.name}"
                f" ({_shape(first)})"
            )
            fix = "put it into a pool of its own: the autoscaler calculates with the first type"
            yield fail(_TYPES, message, fix, path=path)
    for kind in types:
        if not kind.nitro:
            message = (
                f"{kind.name} is not a Nitro type: the CNI's address prefixes do not work there"
            )
            yield fail(_TYPES, message, "choose a newer generation", path=path)


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
        priorities = release.inputs.get("values", {}).get("expanderPriorities", {})
        listed |= {int(rank): list(names) for rank, names in priorities.items()}
    retiring = sum(map(is_retiring, groups))
    without = f" ({retiring} retiring ones have none)" if retiring else ""
    holds = f"{len(groups) - retiring} groups have a priority{without}: spot first, then on demand"
    return verdict(_PRIORITIES, _unranked(groups, listed), otherwise=holds)


def _unranked(groups: list[Resource], listed: dict[int, list[str]]) -> Iterator[Finding]:
    def rank(name: str) -> int | None:
        matching = (
            rank
            for rank, names in listed.items()
            if any(pattern != ".*" and re.search(pattern, name) for pattern in names)
        )
        return max(matching, default=None)

    ranks = {str(group.inputs["name"]): rank(str(group.inputs["name"])) for group in groups}
    for group in groups:
        name = str(group.inputs["name"])
        own = ranks[name]
        if is_retiring(group):
            if own is not None:
                message = f"{name} retires, but a priority asks it to grow"
                yield fail(_PRIORITIES, message, None, group)
            continue
        twins = [
            value
            for other, value in ranks.items()
            if other != name and other.replace("-on-demand-", "-spot-") == name
        ]
        if own is None:
            message = f"no priority names the group {name}: it would be tried last"
            yield fail(_PRIORITIES, message, None, group)
        elif any(value is not None and value >= own for value in twins):
            message = f"{name} is not tried before its on-demand twin"
            yield fail(_PRIORITIES, message, None, group)
    if groups and not any(".*" in names for names in listed.values()):
        message = "no catch-all: a group without a priority would never grow"
        yield fail(_PRIORITIES, message, None, *groups)


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
        message = (
            f"at their maximum the pools need {vcpus} vCPUs {market} (EC2 quota {code}); only your"
            " account knows its quota"
        )
        fix = "compare in the console under Service Quotas, and ask some days ahead"
        found.append(skip(f"quota-{family}-{market.replace(' ', '-')}", message, fix))
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
        overrides = group.inputs["mixedInstancesPolicy"]["launchTemplate"]["overrides"]
        types = [instance_type(item["instanceType"]) for item in overrides]
        yield group, types, int(group.inputs["maxSize"])
    for group in resources.of(_NODE_GROUP):
        types = [instance_type(name) for name in group.inputs["instanceTypes"]]
        yield group, types, int(group.inputs["scalingConfig"]["maxSize"])


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
        data = str(template.inputs.get("userData", ""))
        try:
            text = base64.b64decode(data, validate=True).decode()
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
            message = (
                f"{subnet.name} has {room:,} addresses, but the pools may need {wanted:,} there"
                " with one zone down"
            )
            larger = (
                "widen network.cidr (only on a new stack)" if subnet.own else "name a larger subnet"
            )
            fix = f"{larger}, or lower size.max or max_pods of the pools"
            yield fail("addresses", message, fix, *subnet.own, path=subnet.path)


def _room(stack: StackConfig, resources: Resources) -> str:
    left = sorted((room - wanted, subnet.name) for subnet, room, wanted in _sizes(stack, resources))
    if left:
        return (
            f"at every pool's maximum and one zone down, {left[0][0]:,} addresses are left in"
            f" {left[0][1]}"
        )
    return "no node needs an address"
