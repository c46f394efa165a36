"""Each security check passes on the stack `dev`, and says so when one resource of it is spoilt."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jupyterhub_aws.checks import security
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resource, Resources
from tests.checks.doctored import dev, doctored, the

CLUSTER = "aws:eks/cluster:Cluster"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP = "aws:autoscaling/group:Group"


@pytest.mark.parametrize(
    "check", [security.tags, security.encryption, security.open_ingress, security.metadata]
)
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
    ("a default group that lets in", security.open_ingress, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
     lambda i: i.update(ingress=[{"cidrBlocks": ["0.0.0.0/0"]}]), "whole internet"),
    ("IPv6 counts too", security.open_ingress, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
     lambda i: i.update(ingress=[{"ipv6CidrBlocks": ["::/0"]}]), "whole internet"),
    ("no private endpoint", security.open_ingress, CLUSTER, lambda i: i["vpcConfig"].update(endpointPrivateAccess=False), "no private endpoint"),
    ("a public API without a list", security.open_ingress, CLUSTER, lambda i: i["vpcConfig"].pop("publicAccessCidrs"), "is open to the whole internet"),
    ("IMDSv1", security.metadata, TEMPLATE, lambda i: i["metadataOptions"].update(httpTokens="optional"), "node's credentials"),
    ("two hops", security.metadata, TEMPLATE, lambda i: i["metadataOptions"].update(httpPutResponseHopLimit=2), "node's credentials"),
    ("no metadata options at all", security.metadata, TEMPLATE, lambda i: i.pop("metadataOptions"), "node's credentials"),
    ("a key for something else", security.encryption, CLUSTER, lambda i: i["encryptionConfig"].update(resources=["pods"]), "secrets are not encrypted"),
    ("a second volume in clear text", security.encryption, TEMPLATE, lambda i: i["blockDeviceMappings"].append({"ebs": {}}), "not encrypted"),
    ("a template that tags nothing it launches", security.tags, TEMPLATE, lambda i: [t.pop("tags") for t in i["tagSpecifications"]], "lacks"),
    ("a group without tags", security.tags, GROUP, lambda i: i.pop("tags"), "lacks cost-center, environment, managed-by, owner, stack"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "kind", "change", "says"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_spoilt_resource_fails_and_is_named(
    check: Callable[..., list[Finding]], kind: str, change: Callable[..., object], says: str
) -> None:
    resource, resources = _spoilt(kind, change)
    findings = check(dev()[0], resources)
    assert [finding.status for finding in findings] == ["fail"]
    assert says in findings[0].message
    assert findings[0].subjects == (resource.urn,)


def _a(kind: str, inputs: dict[str, Any], **fields: Any) -> Resource:
    """A resource of a type that `dev` does not have."""
    return replace(the(dev()[1], TEMPLATE), type=kind, inputs=inputs, **fields)


RULE, INGRESS_RULE, GROUP_OF_RULES = (
    "aws:ec2/securityGroupRule:SecurityGroupRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:ec2/securityGroup:SecurityGroup",
)


@pytest.mark.parametrize(
    ("kind", "inputs", "status"),
    [
        (RULE, {"type": "ingress", "cidrBlocks": ["10.0.0.0/8", "0.0.0.0/0"]}, "fail"),
        (RULE, {"type": "ingress", "ipv6CidrBlocks": ["::/0"]}, "fail"),
        (RULE, {"type": "egress", "cidrBlocks": ["0.0.0.0/0"]}, "pass"),
        (RULE, {"type": "ingress", "sourceSecurityGroupId": "${x.id}"}, "pass"),
        (INGRESS_RULE, {"cidrIpv4": "0.0.0.0/0"}, "fail"),
        (INGRESS_RULE, {"cidrIpv6": "::/0"}, "fail"),
        (INGRESS_RULE, {"cidrIpv4": "128.0.0.0/1"}, "fail"),
        (INGRESS_RULE, {"cidrIpv4": "10.0.0.0/8"}, "pass"),
        (
            GROUP_OF_RULES,
            {"ingress": [{"cidrBlocks": ["192.0.3.0/24"]}, {"cidrBlocks": ["0.0.0.0/0"]}]},
            "fail",
        ),
        (GROUP_OF_RULES, {"egress": [{"cidrBlocks": ["0.0.0.0/0"]}]}, "pass"),
    ],
)
def test_every_kind_of_rule_is_read(kind: str, inputs: dict[str, Any], status: str) -> None:
    resource = _a(kind, inputs)
    (finding,) = security.open_ingress(dev()[0], Resources([resource]))
    assert finding.status == status
    if status == "fail":
        assert (finding.message, finding.subjects) == (
            f"{resource.label} is open to the whole internet",
            (resource.urn,),
        )


@pytest.mark.parametrize(
    ("kind", "key", "says"),
    [
        ("aws:ebs/volume:Volume", "encrypted", "is not encrypted"),
        ("aws:efs/fileSystem:FileSystem", "encrypted", "is not encrypted"),
        ("aws:rds/instance:Instance", "storageEncrypted", "its storage is not encrypted"),
    ],
)
@pytest.mark.parametrize(
    ("value", "status"), [(True, "pass"), (False, "fail"), (None, "fail"), ("[unknown]", "fail")]
)
def test_whatever_stores_data_is_encrypted(
    kind: str, key: str, says: str, value: object, status: str
) -> None:
    resource = _a(kind, {} if value is None else {key: value})
    (finding,) = security.encryption(dev()[0], Resources([resource]))
    assert finding.status == status
    assert status == "pass" or (says in finding.message and finding.subjects == (resource.urn,))


@pytest.mark.real
@pytest.mark.parametrize("kind", security.STATEFUL)
@pytest.mark.parametrize(
    ("protect", "kept"), [(True, False), (False, True), (False, False), (True, True)]
)
def test_data_needs_both_locks(kind: str, protect: bool, kept: bool) -> None:
    resource = _a(kind, {}, protect=protect, retain_on_delete=kept)
    (finding,) = security.protected(dev("cluster.protected=true")[0], Resources([resource]))
    expected = ("pass", ()) if protect and kept else ("fail", (resource.urn,))
    assert (finding.status, finding.subjects) == expected
    assert ("can be deleted" in finding.message) == (finding.status == "fail")


def test_a_cluster_that_has_to_stay_needs_its_locks() -> None:
    stack, resources = dev("cluster.protected=true")
    cluster = the(resources, CLUSTER)
    loose = Resources(
        replace(item, retain_on_delete=False) if item is cluster else item for item in resources
    )
    assert [(finding.status, finding.subjects) for finding in security.protected(stack, loose)] == [
        ("fail", (cluster.urn,))
    ]


def test_what_has_no_tags_in_aws_needs_none() -> None:
    stack, resources = dev()
    bare = [item for item in resources if not item.taggable and "tags" not in item.inputs]
    assert bare, "nothing to try it on"
    assert [finding.status for finding in security.tags(stack, Resources(bare))] == ["pass"]


def test_new_kinds_of_stateful_resources_are_watched() -> None:
    template = the(dev()[1], TEMPLATE)
    efs = replace(template, type="aws:efs/fileSystem:FileSystem", inputs={"encrypted": False})
    found = security.encryption(dev()[0], Resources([efs])) + security.protected(
        dev("cluster.protected=true")[0], Resources([efs])
    )
    assert [finding.status for finding in found] == ["fail", "fail"]
    kept = replace(efs, inputs={"encrypted": True}, protect=True, retain_on_delete=True)
    found = security.encryption(dev()[0], Resources([kept])) + security.protected(
        dev("cluster.protected=true")[0], Resources([kept])
    )
    assert [finding.status for finding in found] == ["pass", "pass"]


def test_a_key_that_can_be_deleted_fails() -> None:
    stack, resources = dev("cluster.protected=true")
    assert [finding.status for finding in security.protected(stack, resources)] == ["pass"]
    bare = Resources(
        replace(resource, protect=False) if resource.name == "cluster-key" else resource
        for resource in resources
    )
    assert [
        (finding.status, "cluster-key" in finding.message)
        for finding in security.protected(stack, bare)
    ] == [("fail", True)]


def test_a_cluster_that_may_go_is_a_warning() -> None:
    stack, resources = dev()
    (finding,) = security.protected(stack, resources)
    assert (finding.status, finding.path, finding.subjects) == (
        "warn",
        "cluster.protected",
        (the(resources, CLUSTER).urn,),
    )
    assert "may be deleted by `pulumi destroy`" in finding.message


@pytest.mark.real
def test_a_public_api_is_a_warning_where_the_stack_says_so() -> None:
    stack, resources = dev('cluster.api={"public": true, "public_access_cidrs": ["0.0.0.0/0"]}')
    assert [
        (finding.status, finding.path) for finding in security.open_ingress(stack, resources)
    ] == [("warn", "cluster.api.public_access_cidrs")]


@pytest.mark.parametrize("ranges", [None, [], ["0.0.0.0/0"], ["0.0.0.0/1", "128.0.0.0/1"]])
def test_a_public_api_that_the_stack_does_not_name_fails(ranges: list[str] | None) -> None:
    def change(inputs: dict[str, Any]) -> None:
        inputs["vpcConfig"].pop("publicAccessCidrs")
        inputs["vpcConfig"].update({} if ranges is None else {"publicAccessCidrs": ranges})

    cluster, resources = _spoilt(CLUSTER, change)
    (finding,) = security.open_ingress(dev()[0], resources)
    assert (finding.status, finding.path, finding.subjects) == (
        "fail",
        "cluster.api.public_access_cidrs",
        (cluster.urn,),
    )


def test_a_private_api_needs_no_list() -> None:
    stack, resources = dev("cluster.api={}")
    assert not the(resources, CLUSTER).inputs["vpcConfig"]["endpointPublicAccess"]
    assert [finding.status for finding in security.open_ingress(stack, resources)] == ["pass"]


@pytest.mark.real
def test_documentation_ranges_are_a_warning_and_real_ones_are_not() -> None:
    three = '["192.0.2.7/32", "198.51.100.0/25", "203.0.113.0/24", "192.0.3.0/24"]'
    hub = (
        "aws:allowedAccountIds=['998877665544']",
        "hubs.main.entry.hostname=hub.uni.edu",
        "hubs.main.entry.allowed_cidrs=[131.107.0.0/16]",
    )
    found = security.placeholders(*dev(f"cluster.api.public_access_cidrs={three}", *hub))
    assert [(finding.status, finding.message.split()[0], finding.path) for finding in found] == [
        ("warn", cidr, "cluster.api.public_access_cidrs")
        for cidr in ("192.0.2.7/32", "198.51.100.0/25", "203.0.113.0/24")
    ]
    real = dev("cluster.api.public_access_cidrs=[192.0.3.0/24]", *hub)
    assert [finding.status for finding in security.placeholders(*real)] == ["pass"]
