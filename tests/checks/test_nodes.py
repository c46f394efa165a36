"""Whether the pools can work: each check passes on `dev` and fails for what it names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyterhub_aws.checks import nodes
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.instance_types import instance_type

from tests.support.stacks import IN_AN_OPEN_VPC, NO_HUB  # isort: skip
from tests.checks.doctored import dev, doctored, stack_of, the

GROUP = "aws:autoscaling/group:Group"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
SUBNET = "aws:ec2/subnet:Subnet"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
NOTHING = Resources([])
SMALLEST = ("pools.memory.instance_types=[t3.nano]", "pools.memory.max_price=null")
RELEASE = "kubernetes:helm.sh/v3:Release"


def statuses(findings: list) -> list[str]:
    return [finding.status for finding in findings]


@pytest.mark.parametrize("check", [nodes.instance_types, nodes.priorities, nodes.addresses])
def test_dev_passes(check) -> None:
    assert statuses(check(*dev())) == ["pass"]


@pytest.mark.parametrize(
    ("setting", "says", "path"),
    [
        (
            'pools.memory.instance_types=["r5n.2xlarge","m5.large"]',
            "m5.large (2 vCPUs, 8 GiB, x86_64) is not of the shape",
            "pools.memory.instance_types",
        ),
        (
            'pools.memory.instance_types=["r5n.2xlarge","r6g.2xlarge"]',
            "arm64",
            "pools.memory.instance_types",
        ),
        (
            'pools.memory.instance_types=["r4.2xlarge"]',
            "not a Nitro type",
            "pools.memory.instance_types",
        ),
        (
            'pools.core.instance_types=["m7i.large","m7i.xlarge"]',
            "m7i.xlarge",
            "pools.core.instance_types",
        ),
        (
            'pools.gpu.instance_types=["g4dn.12xlarge","m5.12xlarge"]',
            "of g4dn.12xlarge (48 vCPUs, 192 GiB, 4 GPUs, x86_64)",
            "pools.gpu.instance_types",
        ),
        (
            'pools.memory.instance_types=["hpc7g.4xlarge"]',
            "hpc7g.4xlarge is not sold as spot",
            "pools.memory.instance_types",
        ),
    ],
)
def test_types_that_do_not_fit_each_other_fail(setting: str, says: str, path: str) -> None:
    findings = nodes.instance_types(stack_of(setting, NO_HUB), NOTHING)
    assert set(statuses(findings)) == {"fail"}
    assert all(finding.id == "instance-types" and finding.fix for finding in findings)
    assert any(says in finding.message and finding.path == path for finding in findings)


def test_more_pods_than_the_interfaces_carry_fail() -> None:
    stack = stack_of("pools.memory.max_pods=35", *SMALLEST, NO_HUB)
    (finding,) = nodes.instance_types(stack, NOTHING)
    assert (finding.status, finding.path, finding.fix) == (
        "fail",
        "pools.memory.max_pods",
        "lower max_pods to 34",
    )
    assert finding.message == "35 pods do not fit the network interfaces of its smallest type (34)"
    assert statuses(
        nodes.instance_types(stack_of("pools.memory.max_pods=34", *SMALLEST, NO_HUB), NOTHING)
    ) == ["pass"]


def test_a_type_without_spot_serves_on_demand() -> None:
    pool = (
        'pools.memory={"capacity": "on_demand", "instance_types": ["hpc7g.4xlarge"], "size":'
        ' {"max": 1}}'
    )
    assert statuses(nodes.instance_types(stack_of(pool), NOTHING)) == ["pass"]


def test_every_fault_of_a_pool_is_named() -> None:
    findings = nodes.instance_types(
        stack_of('pools.memory.instance_types=["r5n.2xlarge","m5.large","r4.2xlarge"]', NO_HUB),
        NOTHING,
    )
    assert [finding.message.split()[0] for finding in findings] == [
        "m5.large",
        "r4.2xlarge",
        "r4.2xlarge",
    ]


def _with_priorities(change) -> Resources:
    _, resources = dev()
    autoscaler = next(
        resource for resource in resources.of(RELEASE) if resource.name == "autoscaler-release"
    )
    others = [resource for resource in resources if resource.type != RELEASE]
    return doctored(
        Resources([*others, autoscaler]),
        RELEASE,
        lambda inputs: change(inputs["values"]["expanderPriorities"]),
    )[1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda ranks: ranks["50"].pop(), "no priority names the group jhub-dev-memory-spot-"),
        (lambda ranks: ranks.pop("20"), "no priority names the group"),
        (lambda ranks: ranks.pop("1"), "no catch-all"),
        (
            lambda ranks: ranks.update({"90": ranks.pop("20")}),
            "is not tried before its on-demand twin",
        ),
        (
            lambda ranks: ranks.update({"50": [*ranks["50"], *ranks.pop("20")]}),
            "is not tried before its on-demand twin",
        ),
        (lambda ranks: ranks.clear(), "no catch-all"),
    ],
    ids=[
        "a group forgotten",
        "all on-demand groups forgotten",
        "no catch-all",
        "on demand first",
        "both at once",
        "nothing listed",
    ],
)
def test_priorities_that_miss_a_group_fail(change, says: str) -> None:
    findings = nodes.priorities(dev()[0], _with_priorities(change))
    assert set(statuses(findings)) == {"fail"}
    assert any(says in finding.message for finding in findings), [
        finding.message for finding in findings
    ]
    groups = {resource.urn for resource in dev()[1].of(GROUP)}
    assert all(finding.subjects and set(finding.subjects) <= groups for finding in findings)


def test_the_group_that_is_forgotten_is_the_subject() -> None:
    (finding,) = nodes.priorities(dev()[0], _with_priorities(lambda ranks: ranks["50"].pop()))
    (group,) = [
        item
        for item in dev()[1].of(GROUP)
        if item.inputs["name"].startswith("jhub-dev-memory-spot-")
    ]
    assert finding.subjects == (group.urn,)


def test_without_an_autoscaler_no_group_has_a_priority() -> None:
    findings = nodes.priorities(dev()[0], Resources(dev()[1].of(GROUP)))
    assert len(findings) == 5, "four groups, and no catch-all"


def test_a_stack_without_user_pools_needs_neither_priorities_nor_quotas_of_spot() -> None:
    resources = Resources(item for item in dev()[1] if item.type not in (GROUP, RELEASE))
    assert statuses(nodes.priorities(dev()[0], resources)) == ["pass"]
    assert [finding.id for finding in nodes.quotas(dev()[0], resources)] == [
        "quota-standard-on-demand"
    ]


def test_a_small_vpc_has_no_room_for_large_pools() -> None:
    stack, resources = dev("network.cidr=10.0.0.0/20", "pools.memory.size.max=40")
    findings = nodes.addresses(stack, resources)
    assert set(statuses(findings)) == {"fail"}
    assert {finding.path for finding in findings} == {"network.cidr"}
    assert len(findings) == 3, "every private subnet is too small"
    subnets = {item.name: item for item in resources.of(SUBNET)}
    for finding in findings:
        name = finding.message.split()[0]
        assert finding.subjects == (subnets[name].urn,)
        assert "has 1,019 addresses, but the pools may need " in finding.message


def test_one_small_subnet_is_enough_to_fail() -> None:
    _, resources = dev()
    private, *_ = [
        item for item in resources.of(SUBNET) if item.name.startswith("network-private-")
    ]
    small = Resources(
        (
            replace(item, inputs={**item.inputs, "cidrBlock": "10.0.0.0/28"})
            if item is private
            else item
        )
        for item in resources
    )
    (finding,) = nodes.addresses(dev()[0], small)
    assert (finding.status, finding.subjects) == ("fail", (private.urn,))
    assert "has 11 addresses" in finding.message


def test_subnets_without_nodes_need_no_addresses() -> None:
    (finding,) = nodes.addresses(dev()[0], Resources(dev()[1].of(SUBNET)))
    assert (finding.status, finding.message) == ("pass", "no node needs an address")


@pytest.mark.parametrize(
    "user_data",
    ["", "no base64!", "/////w==", "aGVsbG8="],
    ids=["none", "not base64", "not text", "no maxPods"],
)
def test_user_data_that_cannot_be_read_counts_as_the_most_pods(user_data: str) -> None:
    _, resources = dev()
    group = the(resources, GROUP)
    unread = Resources(
        (
            replace(item, inputs={**item.inputs, "userData": user_data})
            if item.type == TEMPLATE
            else item
        )
        for item in resources
    )
    assert (nodes._max_pods(group, resources), nodes._max_pods(group, unread)) == (40, 110)


@pytest.mark.real
def test_fewer_pods_on_a_node_leave_more_addresses() -> None:
    """The count reads maxPods from the user data that was recorded, not from the configuration."""
    many, few = (nodes._demand(*dev(f"pools.memory.max_pods={pods}")) for pods in (110, 20))
    assert many
    assert all(few[subnet] < many[subnet] for subnet in many)


def test_an_existing_subnet_is_counted_by_what_the_stack_says_of_it() -> None:
    """Such a subnet is no resource of the plan: without this, no node would seem to need an
    address.
    """
    (found,) = nodes.addresses(*dev(IN_AN_OPEN_VPC))
    assert found.status == "pass"
    assert "addresses are left in subnet-" in found.message
    small = IN_AN_OPEN_VPC.replace("10.64.64.0/18", "10.64.64.0/27")
    (found,) = nodes.addresses(*dev(small))
    assert (found.status, found.path, found.subjects) == (
        "fail",
        "network.private_subnets.us-east-1b",
        (),
    )
    assert found.fix == "name a larger subnet, or lower size.max or max_pods of the pools"


def test_quotas_are_counted_by_family_and_market() -> None:
    found = {finding.id: finding for finding in nodes.quotas(*dev())}
    assert set(statuses(list(found.values()))) == {"skip"}
    assert "96 vCPUs spot (EC2 quota L-3819A6DF)" in found["quota-g-spot"].message
    assert (
        "84 vCPUs on demand (EC2 quota L-1216C47A)" in found["quota-standard-on-demand"].message
    ), "10 x 8 of the pool and 2 x 2 of core"


@pytest.mark.parametrize(
    ("kind", "quota"),
    [
        ("g4dn.xlarge", "quota-g-on-demand"), ("gr6.4xlarge", "quota-g-on-demand"), ("vt1.3xlarge", "quota-g-on-demand"), ("p4d.24xlarge", "quota-p-on-demand"),
        ("trn1.2xlarge", "quota-trn-on-demand"), ("inf2.xlarge", "quota-inf-on-demand"), ("dl2q.24xlarge", "quota-dl-on-demand"),
        ("hpc7g.4xlarge", "quota-hpc-on-demand"), ("mac1.metal", "quota-mac-on-demand"), ("f2.6xlarge", "quota-f-on-demand"),
        ("x2iedn.xlarge", "quota-x-on-demand"), ("u7i-6tb.112xlarge", "quota-u-on-demand"),
        ("is4gen.xlarge", "quota-standard-on-demand"), ("im4gn.large", "quota-standard-on-demand"), ("t3.large", "quota-standard-on-demand"),
    ],
)  # fmt: skip
def test_each_family_has_its_quota(kind: str, quota: str) -> None:
    _, resources = doctored(
        Resources(dev()[1].of(NODE_GROUP)),
        NODE_GROUP,
        lambda inputs: inputs.update(instanceTypes=[kind]),
    )
    (finding,) = nodes.quotas(dev()[0], resources)
    assert (finding.id, finding.status, finding.path) == (quota, "skip", None)
    assert f"need {2 * instance_type(kind).vcpus} vCPUs on demand" in finding.message


@pytest.mark.real
def test_p_types_have_a_quota_of_their_own() -> None:
    found = nodes.quotas(*dev('pools.gpu.instance_types=["p5.48xlarge"]'))
    assert any("L-417A185B" in finding.message for finding in found)
