"""The longest chain of things that wait for each other, in the seconds that AWS usually takes. A pure function."""

from __future__ import annotations

from functools import cache

from checks.resources import Resource, Resources

#: Usual creation times in seconds, as the stand-in plugin has them (tests/engine/stand_in/aws/types.go). The rest: 2.
SECONDS = {
    "aws:eks/cluster:Cluster": 540,
    "aws:eks/nodeGroup:NodeGroup": 110,
    "aws:eks/addon:Addon": 30,
    "aws:ec2/natGateway:NatGateway": 110,
    "aws:ec2/vpc:Vpc": 12,
    "aws:ec2/internetGateway:InternetGateway": 3,
    "aws:iam/role:Role": 3,
    "aws:kms/key:Key": 10,
    "kubernetes:helm.sh/v3:Release": 10,
}
_OTHER = 2
#: Nothing can be quicker than this: a cluster needs subnets, nodes need the cluster and its first add-ons, and the last
#: add-ons need a node.
UNAVOIDABLE = (
    "aws:ec2/vpc:Vpc",
    "aws:ec2/subnet:Subnet",
    "aws:eks/cluster:Cluster",
    "aws:eks/addon:Addon",
    "aws:eks/nodeGroup:NodeGroup",
    "aws:eks/addon:Addon",
)


def seconds(token: str) -> int:
    """The usual time that a resource of this type takes."""
    return SECONDS.get(token, _OTHER)


def longest_chain(resources: Resources) -> list[Resource]:
    """The custom resources of the slowest chain of dependencies, first to last."""

    @cache
    def chain(urn: str) -> tuple[int, tuple[str, ...]]:
        resource = resources.by_urn[urn]
        best = max((chain(other) for other in _before(resource, resources)), default=(0, ()))
        return (best[0] + seconds(resource.type), (*best[1], urn)) if resource.custom else best

    slowest = max(chain(resource.urn) for resource in resources)
    return [resources.by_urn[urn] for urn in slowest[1]]


def _before(resource: Resource, resources: Resources) -> list[str]:
    """What a resource waits for; waiting for a component means waiting for what is inside it."""
    found = []
    for urn in resource.depends_on:
        target = resources.by_urn.get(urn)
        if target is None:
            continue
        inside = [] if target.custom else [other.urn for other in resources if other.parent == urn and other.urn != resource.urn]
        found += [urn, *inside] if target.custom else inside
    return [urn for urn in found if not _contains(urn, resource, resources)]


def _contains(urn: str, resource: Resource, resources: Resources) -> bool:
    """Whether a resource stands inside another one: it cannot wait for its own parent's other children here."""
    parent = resource.parent
    while parent is not None:
        if parent == urn:
            return True
        parent = resources.by_urn[parent].parent
    return False


def total(chain: list[Resource]) -> int:
    """Seconds of a chain."""
    return sum(seconds(resource.type) for resource in chain)


def unavoidable() -> int:
    """Seconds of the chain that no ordering can shorten."""
    return sum(seconds(token) for token in UNAVOIDABLE)
