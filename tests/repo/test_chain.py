"""`pulumi up` waits for nothing that it could do meanwhile."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.chain import SECONDS, UNAVOIDABLE, longest_chain, total, unavoidable
from jupyterhub_aws.checks.resources import Resource, Resources
from tests.checks.doctored import dev
from tests.support.stacks import FULL, INSTEAD, record

STAND_IN = Path(__file__).resolve().parents[1] / "engine" / "stand_in" / "aws" / "types.go"


@pytest.mark.parametrize("settings", [(), FULL, INSTEAD], ids=["dev", "full", "instead"])
def test_the_longest_chain_is_the_unavoidable_one(settings: tuple[str, ...]) -> None:
    # What tells the proxy of a renewed certificate comes after the proxy by its nature.
    chain = longest_chain(
        Resources(
            found
            for found in record(*settings).resources
            if found.type != "kubernetes:apps/v1:DeploymentPatch"
        )
    )
    assert total(chain) <= unavoidable(), " → ".join(resource.name for resource in chain)
    assert [resource.type for resource in chain] == list(UNAVOIDABLE)


def test_a_needless_wait_is_seen() -> None:
    """The cluster does not wait for the NAT gateway. If it did, this would be longer."""
    resources = dev()[1]
    (nat,) = resources.of("aws:ec2/natGateway:NatGateway")
    waiting = [
        (
            replace(resource, depends_on=(*resource.depends_on, nat.urn))
            if resource.type == "aws:eks/cluster:Cluster"
            else resource
        )
        for resource in resources
    ]
    chain = longest_chain(Resources(waiting))
    assert nat.urn in {resource.urn for resource in chain}
    assert total(chain) > unavoidable()


def test_a_database_that_waits_for_the_cluster_is_seen() -> None:
    """Both take ten minutes. The rule that lets nodes in needs the cluster's security group, and
    so the database must not need the rule.
    """
    recording = record(*FULL)
    rule = recording.one(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "hub-ldap-cloud-database-from-nodes",
    )
    database = recording.one("aws:rds/instance:Instance")
    waiting = replace(database, depends_on=(*database.depends_on, rule.urn))
    chain = longest_chain(
        Resources(waiting if resource is database else resource for resource in recording.resources)
    )
    assert [resource.name for resource in chain][-3:] == [
        rule.name,
        database.name,
        "hub-ldap-release",
    ]
    assert total(chain) > unavoidable()


def _made(
    name: str, kind: str, *, parent: Resource | None = None, after: tuple[Resource, ...] = ()
) -> Resource:
    return Resource(
        urn=f"urn:{name}",
        type=kind,
        name=name,
        parent=None if parent is None else parent.urn,
        custom=not kind.startswith("jupyterhub-aws:"),
        protect=False,
        retain_on_delete=False,
        ignore_changes=(),
        import_id=None,
        provider=None,
        depends_on=tuple(item.urn for item in after),
        inputs={},
        taggable=False,
    )


def test_waiting_for_a_component_is_waiting_for_everything_inside() -> None:
    outer = _made("outer", "jupyterhub-aws:x:Outer")
    inner = _made("inner", "jupyterhub-aws:x:Inner", parent=outer)
    slow = _made("slow", "aws:eks/cluster:Cluster", parent=inner)
    last = _made("last", "aws:eks/addon:Addon", after=(outer,))
    assert [resource.name for resource in longest_chain(Resources([outer, inner, slow, last]))] == [
        "slow",
        "last",
    ]


def test_what_a_component_waits_for_its_children_wait_for_too() -> None:
    slow = _made("slow", "aws:eks/cluster:Cluster")
    component = _made("component", "jupyterhub-aws:x:Component", after=(slow,))
    child = _made("child", "aws:eks/addon:Addon", parent=component)
    assert [resource.name for resource in longest_chain(Resources([slow, component, child]))] == [
        "slow",
        "child",
    ]


def test_a_provider_takes_no_time() -> None:
    cluster = _made("cluster", "aws:eks/cluster:Cluster")
    provider = _made("provider", "pulumi:providers:kubernetes", after=(cluster,))
    release = _made("release", "kubernetes:helm.sh/v3:Release", after=(provider,))
    chain = longest_chain(Resources([cluster, provider, release]))
    assert ([resource.name for resource in chain], total(chain)) == (["cluster", "release"], 550)


def test_the_times_are_those_of_the_stand_in() -> None:
    text = STAND_IN.read_text()
    table = text[text.index("var seconds = ") :]
    there = {
        kind: int(value)
        for kind, value in re.findall(r'"(aws:[^"]+)": (\d+)', table[: table.index("\n}")])
    }
    assert there == SECONDS
