"""Whether the pools can work: each check passes on `dev` and fails for what it names."""

from __future__ import annotations

import pytest

from checks import nodes
from checks.resources import Resources
from tests.checks.doctored import dev, doctored

RELEASE = "kubernetes:helm.sh/v3:Release"


def statuses(findings: list) -> list[str]:
    return [finding.status for finding in findings]


@pytest.mark.parametrize("check", [nodes.instance_types, nodes.priorities, nodes.addresses])
def test_dev_passes(check) -> None:
    assert statuses(check(*dev())) == ["pass"]


@pytest.mark.parametrize(
    ("setting", "says", "path"),
    [
        ('pools.memory.instance_types=["r5n.2xlarge","m5.large"]', "m5.large (2 vCPUs, 8 GiB, x86_64) is not of the shape", "pools.memory.instance_types"),
        ('pools.memory.instance_types=["r5n.2xlarge","r6g.2xlarge"]', "arm64", "pools.memory.instance_types"),
        ('pools.memory.instance_types=["r4.2xlarge"]', "not a Nitro type", "pools.memory.instance_types"),
        ('pools.core.instance_types=["m7i.large","m7i.xlarge"]', "m7i.xlarge", "pools.core.instance_types"),
    ],
)
def test_types_that_do_not_fit_each_other_fail(setting: str, says: str, path: str) -> None:
    findings = nodes.instance_types(*dev(setting))
    assert "fail" in statuses(findings)
    assert any(says in finding.message and finding.path == path for finding in findings)


def test_more_pods_than_the_interfaces_carry_fail() -> None:
    stack, resources = dev("pools.memory.max_pods=110", "pools.memory.instance_types=[t3.nano]")
    assert any("do not fit the network interfaces" in finding.message for finding in nodes.instance_types(stack, resources))


def _with_priorities(change) -> Resources:
    _, resources = dev()
    autoscaler = next(resource for resource in resources.of(RELEASE) if resource.name == "autoscaler-release")
    others = [resource for resource in resources if resource.type != RELEASE]
    return doctored(Resources([*others, autoscaler]), RELEASE, lambda inputs: change(inputs["values"]["expanderPriorities"]))[1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda ranks: ranks["50"].pop(), "no priority names the group jhub-dev-memory-spot-"),
        (lambda ranks: ranks.pop("20"), "no priority names the group"),
        (lambda ranks: ranks.pop("1"), "no catch-all"),
        (lambda ranks: ranks.update({"90": ranks.pop("20")}), "is not tried before its on-demand twin"),
    ],
    ids=["a group forgotten", "all on-demand groups forgotten", "no catch-all", "on demand first"],
)
def test_priorities_that_miss_a_group_fail(change, says: str) -> None:
    findings = nodes.priorities(dev()[0], _with_priorities(change))
    assert set(statuses(findings)) == {"fail"}
    assert any(says in finding.message for finding in findings), [finding.message for finding in findings]


def test_a_small_vpc_has_no_room_for_large_pools() -> None:
    stack, resources = dev("network.cidr=10.0.0.0/20", "pools.memory.size.max=40")
    findings = nodes.addresses(stack, resources)
    assert set(statuses(findings)) == {"fail"}
    assert {finding.path for finding in findings} == {"network.cidr"}
    assert len(findings) == 3, "every private subnet is too small"


def test_fewer_pods_on_a_node_leave_more_addresses() -> None:
    """The count reads maxPods from the user data that was recorded, not from the configuration."""
    many, few = (nodes._demand(dev(f"pools.memory.max_pods={pods}")[1]) for pods in (110, 20))
    assert all(few[urn] < many[urn] for urn in many)


def test_quotas_are_counted_by_family_and_market() -> None:
    found = {finding.id: finding for finding in nodes.quotas(*dev())}
    assert set(statuses(list(found.values()))) == {"skip"}
    assert "96 vCPUs spot (EC2 quota L-3819A6DF)" in found["quota-g-spot"].message
    assert "84 vCPUs on demand (EC2 quota L-1216C47A)" in found["quota-standard-on-demand"].message, "10 x 8 of the pool and 2 x 2 of core"


def test_p_types_have_a_quota_of_their_own() -> None:
    found = nodes.quotas(*dev('pools.gpu.instance_types=["p5.48xlarge"]'))
    assert any("L-417A185B" in finding.message for finding in found)
