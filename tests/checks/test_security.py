"""Each security check passes on the stack `dev`, and says so when one resource of it is spoilt."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from checks import security
from checks.finding import Finding
from checks.resources import Resource, Resources
from checks.secrets import secrets
from tests.checks.doctored import dev, doctored, the

CLUSTER = "aws:eks/cluster:Cluster"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP = "aws:autoscaling/group:Group"


@pytest.mark.parametrize("check", [security.tags, security.encryption, security.open_doors, security.metadata, secrets])
def test_dev_passes(check: Callable[..., list[Finding]]) -> None:
    stack, resources = dev()
    assert [finding.status for finding in check(stack, resources)] == ["pass"]


def _spoilt(kind: str, change: Callable[[dict[str, Any]], object]) -> tuple[Resource, Resources]:
    _, resources = dev()
    return doctored(resources, kind, change)


CASES = [
    ("a VPC without tags", security.tags, "aws:ec2/vpc:Vpc", lambda i: i.pop("tags"), "lacks"),
    ("a tag with another value", security.tags, "aws:ec2/vpc:Vpc", lambda i: i["tags"].update(owner="x"), "lacks owner"),
    ("a group whose tags stay behind", security.tags, GROUP, lambda i: [t.update(propagateAtLaunch=False) for t in i["tags"]], "lacks"),
    ("a template that launches untagged volumes", security.tags, TEMPLATE, lambda i: i["tagSpecifications"].pop(1), "lacks"),
    ("a volume in clear text", security.encryption, TEMPLATE, lambda i: i["blockDeviceMappings"][0]["ebs"].update(encrypted="false"), "not encrypted"),
    ("a template without volumes of its own", security.encryption, TEMPLATE, lambda i: i.pop("blockDeviceMappings"), "not encrypted"),
    ("secrets without a key", security.encryption, CLUSTER, lambda i: i.pop("encryptionConfig"), "secrets are not encrypted"),
    ("a default group that lets in", security.open_doors, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
     lambda i: i.update(ingress=[{"cidrBlocks": ["0.0.0.0/0"]}]), "whole internet"),
    ("IPv6 counts too", security.open_doors, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
     lambda i: i.update(ingress=[{"ipv6CidrBlocks": ["::/0"]}]), "whole internet"),
    ("no private endpoint", security.open_doors, CLUSTER, lambda i: i["vpcConfig"].update(endpointPrivateAccess=False), "no private endpoint"),
    ("a public API without a list", security.open_doors, CLUSTER, lambda i: i["vpcConfig"].pop("publicAccessCidrs"), "answers to the whole internet"),
    ("IMDSv1", security.metadata, TEMPLATE, lambda i: i["metadataOptions"].update(httpTokens="optional"), "node's credentials"),
    ("two hops", security.metadata, TEMPLATE, lambda i: i["metadataOptions"].update(httpPutResponseHopLimit=2), "node's credentials"),
    ("a password in clear text", secrets, GROUP, lambda i: i.update(masterPassword="hunter2hunter2"), "masterPassword is in clear text"),
    ("a private key anywhere", secrets, GROUP, lambda i: i.update(notes=["-----BEGIN RSA PRIVATE KEY-----\nMII"]), "notes[0] is in clear text"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "kind", "change", "says"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_spoilt_resource_fails_and_is_named(check: Callable[..., list[Finding]], kind: str, change: Callable[..., object], says: str) -> None:
    resource, resources = _spoilt(kind, change)
    findings = check(dev()[0], resources)
    assert [finding.status for finding in findings] == ["fail"]
    assert says in findings[0].message
    assert findings[0].subjects == (resource.urn,)


@pytest.mark.parametrize("sealed", ["[secret]", "[unknown]", "", "${random.result}"])
def test_a_sealed_secret_is_no_finding(sealed: str) -> None:
    _, resources = _spoilt(GROUP, lambda i: i.update(masterPassword=sealed))
    assert [finding.status for finding in secrets(dev()[0], resources)] == ["pass"]


def test_new_kinds_of_stateful_resources_are_watched() -> None:
    template = the(dev()[1], TEMPLATE)
    efs = replace(template, type="aws:efs/fileSystem:FileSystem", inputs={"encrypted": False})
    found = security.encryption(dev()[0], Resources([efs])) + security.protected(dev("cluster.protected=true")[0], Resources([efs]))
    assert [finding.status for finding in found] == ["fail", "fail"]
    kept = replace(efs, inputs={"encrypted": True}, protect=True, retain_on_delete=True)
    found = security.encryption(dev()[0], Resources([kept])) + security.protected(dev("cluster.protected=true")[0], Resources([kept]))
    assert [finding.status for finding in found] == ["pass", "pass"]


def test_a_key_that_can_be_deleted_fails() -> None:
    stack, resources = dev("cluster.protected=true")
    assert [finding.status for finding in security.protected(stack, resources)] == ["pass"]
    bare = Resources(replace(resource, protect=False) if resource.type == "aws:kms/key:Key" else resource for resource in resources)
    assert [(finding.status, "cluster-key" in finding.message) for finding in security.protected(stack, bare)] == [("fail", True)]


def test_a_cluster_that_may_go_is_a_warning() -> None:
    assert [finding.status for finding in security.protected(*dev())] == ["warn"]


def test_a_public_api_is_a_warning_where_the_stack_says_so() -> None:
    stack, resources = dev('cluster.api={"public": true, "public_access_cidrs": ["0.0.0.0/0"]}')
    assert [(finding.status, finding.path) for finding in security.open_doors(stack, resources)] == [("warn", "cluster.api.public_access_cidrs")]


def test_documentation_ranges_are_a_warning_and_real_ones_are_not() -> None:
    assert [finding.status for finding in security.placeholders(*dev())] == ["warn"]
    real = dev("cluster.api.public_access_cidrs=[192.0.3.0/24]")
    assert [finding.status for finding in security.placeholders(*real)] == ["pass"]
