"""The longest chain of things that wait for each other, in the seconds that AWS usually takes.
Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from jupyterhub_aws.checks.resources import Resource, Resources

#: Usual creation times in seconds, as the stand-in plugin has them
#: (tests/engine/stand_in/aws/types.go; a test compares).
SECONDS = {
    "aws:eks/cluster:Cluster": 540,
    "aws:eks/nodeGroup:NodeGroup": 110,
    "aws:eks/addon:Addon": 35,
    "aws:ec2/natGateway:NatGateway": 100,
    "aws:ec2/vpcEndpoint:VpcEndpoint": 60,
    "aws:efs/mountTarget:MountTarget": 85,
    "aws:efs/fileSystem:FileSystem": 6,
    "aws:rds/instance:Instance": 420,
    "aws:ec2/vpc:Vpc": 12,
    "aws:ec2/subnet:Subnet": 11,
    "aws:kms/key:Key": 20,
    "aws:lb/loadBalancer:LoadBalancer": 150,
    "aws:acm/certificateValidation:CertificateValidation": 60,
}
#: Charts are not awaited by AWS but by pods; from a run on the real API server.
_RELEASE = ("kubernetes:helm.sh/v3:Release", 10)
#: Everything else answers at once: roles, routes, tags, log groups.
_OTHER = 2
#: Nothing can be quicker than this: a cluster needs subnets, nodes need the cluster and its first
#: add-ons, the last add-ons
#: need a node, and a hub needs the drivers of its volumes, which are among them.
UNAVOIDABLE = (
    "aws:ec2/vpc:Vpc",
    "aws:ec2/subnet:Subnet",
    "aws:eks/cluster:Cluster",
    "aws:eks/addon:Addon",
    "aws:eks/nodeGroup:NodeGroup",
    "aws:eks/addon:Addon",
    _RELEASE[0],
)


def seconds(token: str) -> int:
    """The usual time that a resource of this type takes."""
    return {**SECONDS, _RELEASE[0]: _RELEASE[1]}.get(token, _OTHER)


def longest_chain(resources: Resources) -> list[Resource]:
    """What AWS or the cluster makes along the slowest chain of dependencies, first to last."""
    children: dict[str, list[str]] = {}
    for resource in resources:
        children.setdefault(resource.parent or "", []).append(resource.urn)

    @cache
    def chain(urn: str) -> tuple[int, tuple[str, ...]]:
        resource = resources.by_urn[urn]
        best = max(
            (chain(other) for other in _before(resource, resources, children)), default=(0, ())
        )
        return (best[0] + seconds(resource.type), (*best[1], urn)) if _made(resource) else best

    slowest = max(chain(resource.urn) for resource in resources)
    return [resources.by_urn[urn] for urn in slowest[1]]


def _made(resource: Resource) -> bool:
    """Whether something is made: components are names, and a provider is a process on the
    machine that runs `pulumi`.
    """
    return resource.custom and not resource.type.startswith("pulumi:providers:")


def _before(
    resource: Resource, resources: Resources, children: dict[str, list[str]]
) -> Iterator[str]:
    """What a resource waits for: its dependencies, whole components with everything inside them,
    and its parent.
    """
    above = set(_above(resource, resources))
    for urn in (*resource.depends_on, *([] if resource.parent is None else [resource.parent])):
        if urn not in resources.by_urn:
            continue
        yield urn
        if not resources.by_urn[urn].custom and urn not in above:
            yield from _inside(urn, children)


def _above(resource: Resource, resources: Resources) -> Iterator[str]:
    """The components that a resource stands in: it cannot wait for what stands beside it there."""
    parent = resource.parent
    while parent is not None:
        yield parent
        parent = resources.by_urn[parent].parent


def _inside(urn: str, children: dict[str, list[str]]) -> Iterator[str]:
    for child in children.get(urn, []):
        yield child
        yield from _inside(child, children)


def total(chain: list[Resource]) -> int:
    """Seconds of a chain."""
    return sum(seconds(resource.type) for resource in chain)


def unavoidable() -> int:
    """Seconds of the chain that no ordering can shorten."""
    return sum(seconds(token) for token in UNAVOIDABLE)
