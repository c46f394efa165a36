"""Allocatable resources of a node: EC2's nominal size less the hypervisor, the kubelet and the
eviction threshold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from jupyterhub_aws.config.instance_types import InstanceType

#: Karpenter's VM_MEMORY_OVERHEAD_PERCENT: the share of the nominal memory that the hypervisor uses,
#: as estimated before a real node exists.
HYPERVISOR_SHARE = 0.075
#: AL2023 nodeadm, internal/kubelet: 11 MiB for each possible pod and 255 MiB; hard eviction below
#: 100 MiB.
_PER_POD_MIB, _BASE_MIB, _EVICTION_MIB = 11, 255, 100
_ADDRESSES_OF_A_PREFIX = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeSize:
    """What the scheduler can hand out on a node, pessimistically."""

    cpu_millicores: int
    memory_mib: int


def node_size(kind: InstanceType, max_pods: int) -> NodeSize:
    """Allocatable CPU and memory of a node of this type whose kubelet allows `max_pods` pods."""
    memory = (
        math.floor(kind.memory_mib * (1 - HYPERVISOR_SHARE))
        - _PER_POD_MIB * max_pods
        - _BASE_MIB
        - _EVICTION_MIB
    )
    return NodeSize(
        cpu_millicores=1000 * kind.vcpus - _reserved_millicores(kind.vcpus), memory_mib=memory
    )


def _reserved_millicores(vcpus: int) -> int:
    """6 % of the first core, 1 % of the second, 0.5 % of the third and fourth, 0.25 % of every
    further one (nodeadm).
    """
    return math.ceil(
        10
        * (
            6 * min(vcpus, 1)
            + 1 * min(max(vcpus - 1, 0), 1)
            + 0.5 * min(max(vcpus - 2, 0), 2)
            + 0.25 * max(vcpus - 4, 0)
        )
    )


def addresses_of_node(max_pods: int) -> int:
    """VPC addresses that a full node takes with prefix delegation: its own, its pods' /28
    prefixes, and one warm prefix.
    """
    prefixes = math.ceil(max_pods / _ADDRESSES_OF_A_PREFIX) + 1
    return 1 + prefixes * _ADDRESSES_OF_A_PREFIX


def most_pods(kind: InstanceType) -> int:
    """Return the most pods that a type's interfaces can address with prefixes, at most 110
    (EKS's cap below 30 vCPUs).
    """
    with_prefixes = (
        kind.network_interfaces * (kind.addresses_per_interface - 1) * _ADDRESSES_OF_A_PREFIX + 2
    )
    return min(110, with_prefixes)


#: What runs on every user node besides servers, by the requests of their own manifests: CPU in
#: millicores, memory in MiB. aws-node 25m and its network-policy agent 25m (amazon-vpc-cni-k8s,
#: charts/aws-vpc-cni/values.yaml); kube-proxy 100m (EKS's manifest); EBS node plugin, three
#: containers of 10m and 40Mi (aws-ebs-csi-driver, charts/…/values.yaml); EFS node plugin and Pod
#: Identity agent: no requests, taken as 64Mi each; node monitoring 10m/30Mi
#: (eks-node-monitoring-agent, values.yaml); termination handler 10m/64Mi and, with GPUs, device
#: plugin 10m/64Mi: our own values (config/specs/node_agents.py); Fluent Bit 50m/25Mi and CloudWatch
#: agent 20m/128Mi: our own too (config/specs/monitoring.py), counted with and without monitoring.
_DAEMONS_MILLICORES, _DAEMONS_MIB = (
    50 + 100 + 30 + 10 + 10 + 10 + 50 + 20,
    120 + 64 + 64 + 30 + 64 + 64 + 25 + 128,
)


def server_room(kinds: Sequence[InstanceType], max_pods: int) -> NodeSize:
    """What users' servers can share on an empty node: of the smallest of its types, less the
    pods that run on every node.
    """
    sizes = [node_size(kind, max_pods) for kind in kinds]
    return NodeSize(
        cpu_millicores=min(size.cpu_millicores for size in sizes) - _DAEMONS_MILLICORES,
        memory_mib=min(size.memory_mib for size in sizes) - _DAEMONS_MIB,
    )


#: EKS user guide, "Choosing an instance type", maximum pods of managed groups without an image of
#: their own: 110 below 30 vCPUs, 250 from there on.
_MANY_VCPUS, _MOST_PODS = 30, 250


def core_pods_of(kind: InstanceType) -> int:
    """The most pods on a core node of a type: what its interfaces can address with prefixes, and
    what EKS sets for a managed group.
    """
    if kind.vcpus < _MANY_VCPUS:
        return most_pods(kind)
    with_prefixes = (
        kind.network_interfaces * (kind.addresses_per_interface - 1) * _ADDRESSES_OF_A_PREFIX + 2
    )
    return min(_MOST_PODS, with_prefixes)


# --- Quantities of the Kubernetes API as numbers: `500m` cores, `2Gi` bytes.


_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([eE][+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)"
)
#: apimachinery, pkg/api/resource/quantity.go: suffixes of powers of 10 and of 1024.
_FACTOR = {
    "": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


def quantity(value: object) -> float:
    """The number that a quantity means. Raises ValueError for what the API would refuse."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = _QUANTITY.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(value)
    return float(match[1] + (match[2] or "")) * _FACTOR[match[3] or ""]
