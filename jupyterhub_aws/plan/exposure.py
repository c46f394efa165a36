"""What of a plan is open to the world: every resource that the whole internet may reach or read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.resources import READ_ERRORS, Resource, Resources
from jupyterhub_aws.checks.security import ingress_rules, rule_sources
from jupyterhub_aws.checks.user_pods import hub_releases
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.tree import at
from jupyterhub_aws.config.values import is_world

#: Canned lists that let everyone in (Amazon S3 user guide, "Access control list (ACL) overview").
_PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read")
_WORLD = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """One resource that is open to the world: `what` says to which use, `sources` from where."""

    urn: str
    name: str
    what: str
    sources: tuple[str, ...]

    @property
    def words(self) -> str:
        """It in a line."""
        return f"{self.what}, from {', '.join(self.sources)}"


def exposures(resources: Resources) -> tuple[Exposure, ...]:
    """Everything of a plan that is open to the world, what the caller's program adds too."""
    hubs = hub_releases(resources)
    return tuple(
        Exposure(urn=resource.urn, name=resource.name, what=what, sources=tuple(sources))
        for resource in resources
        for what, sources in _of(resource, is_hub=resource in hubs)
    )


_Found = Iterator[tuple[str, list[str]]]


def _of(resource: Resource, *, is_hub: bool) -> list[tuple[str, list[str]]]:
    """What of a resource is open. A caller's resource may be of any shape: what cannot be read as
    AWS and Kubernetes write it says nothing here.
    """
    finder = _FINDERS.get(resource.type)
    found: list[tuple[str, list[str]]] = []
    for ask in (finder, _proxy if is_hub else None):
        try:
            found += [] if ask is None else list(ask(resource))
        except READ_ERRORS:
            continue
    return found


def _wide(sources: object) -> list[str]:
    listed = sources if isinstance(sources, (list, tuple)) else ()
    return [str(source) for source in listed if "/" in str(source) and is_world(str(source))]


def _rules(resource: Resource) -> _Found:
    for rule in ingress_rules(resource):
        if sources := _wide(rule_sources(rule)):
            yield f"ingress of {_ports(rule)}", sources


def _ports(rule: Mapping[str, Any]) -> str:
    protocol = str(rule.get("ipProtocol", rule.get("protocol", "-1")))
    first, last = rule.get("fromPort"), rule.get("toPort")
    if protocol == "-1" or first is None:
        return "all ports" if protocol == "-1" else protocol
    return f"{protocol} {first}" if first == last else f"{protocol} {first}–{last}"


def _cluster(cluster: Resource) -> _Found:
    network = cluster.inputs.get("vpcConfig") or {}
    # Without a list of its own EKS takes 0.0.0.0/0.
    sources = _wide(network.get("publicAccessCidrs") or [_WORLD])
    if network.get("endpointPublicAccess") and sources:
        yield "Kubernetes API", sources


def _service(service: Resource) -> _Found:
    notes = at(service.inputs, "metadata", "annotations")
    yield from _balanced("load balancer of a service", service.inputs.get("spec") or {}, notes)


def _proxy(release: Resource) -> _Found:
    service = at(effective(release.inputs.get("values", {})), "proxy", "service") or {}
    yield from _balanced("load balancer of the hub's proxy", service, service.get("annotations"))


def _balanced(what: str, spec: Mapping[str, Any], notes: object) -> _Found:
    """A service with a load balancer: without a list of its own for all sources (Kubernetes,
    "Service", `loadBalancerSourceRanges`).
    """
    if spec.get("type") == "LoadBalancer" and not _internal(notes):
        sources = _wide(spec.get("loadBalancerSourceRanges") or [_WORLD])
        yield from [(what, sources)] if sources else []


def _internal(annotations: object) -> bool:
    """Whether a service asks for a balancer inside the VPC (AWS Load Balancer Controller and
    the cloud provider for AWS, annotations of services).
    """
    notes = annotations if isinstance(annotations, Mapping) else {}
    name = "service.beta.kubernetes.io/aws-load-balancer-"
    return (
        notes.get(f"{name}scheme") == "internal"
        or str(notes.get(f"{name}internal", "")).lower() == "true"
    )


def _bucket(bucket: Resource) -> _Found:
    if bucket.inputs.get("acl") in _PUBLIC_ACLS:
        yield "bucket, by its access control list", ["everyone"]
    if any(map(_public, _statements(bucket.inputs.get("policy")))):
        yield "bucket, by its policy", ["everyone"]


def _statements(document: object) -> list[Mapping[str, Any]]:
    try:
        found = json.loads(str(document or "{}")).get("Statement") or []
    except READ_ERRORS:
        return []
    listed = found if isinstance(found, list) else [found]
    return [item for item in listed if isinstance(item, Mapping)]


def _public(statement: Mapping[str, Any]) -> bool:
    who = statement.get("Principal")
    named = who.values() if isinstance(who, Mapping) else [who]
    return (
        statement.get("Effect") == "Allow"
        and not statement.get("Condition")
        and any(item == "*" or (isinstance(item, list) and "*" in item) for item in named)
    )


def _database(database: Resource) -> _Found:
    if database.inputs.get("publiclyAccessible") is True:
        yield "database with a public address", ["its security groups' networks"]


_FINDERS: Mapping[str, Callable[[Resource], _Found]] = {
    "aws:ec2/securityGroup:SecurityGroup": _rules,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _rules,
    "aws:ec2/securityGroupRule:SecurityGroupRule": _rules,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rules,
    "aws:eks/cluster:Cluster": _cluster,
    "kubernetes:core/v1:Service": _service,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketAcl:BucketAcl": _bucket,
    "aws:s3/bucketPolicy:BucketPolicy": _bucket,
    "aws:rds/instance:Instance": _database,
}
