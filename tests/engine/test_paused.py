"""A stack at rest on the real engine: nothing grows, nothing is waited for, nothing is lost, and
the same file without `paused` gives back what was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from jupyterhub_aws.checks.resources import SIGNATURE
from tests.engine.harness import Engine
from tests.engine.plan_and_state import own
from tests.engine.runs import Run, Step, subject_of
from tests.engine.test_hubs import SECOND, SECRETS

pytestmark = pytest.mark.real

GROUP, CORE = "aws:autoscaling/group:Group", "aws:eks/nodeGroup:NodeGroup::pools-core-group"
KEPT = (
    "aws:efs/fileSystem:FileSystem",
    "aws:ebs/volume:Volume",
    "aws:rds/instance:Instance",
    "aws:kms/key:Key",
    "aws:ec2/eip:Eip",
)


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine()
    for key, value in SECRETS.items():
        engine.run("config", "set", "--secret", key, value)
    engine.put(hubs__second=SECOND)
    engine.put(hubs__main__entry__route53_zone="Z0123456789ABCDEFGHIJ")
    engine.put(pause={"drop": ["nat", "balancers"]})
    return engine


@pytest.fixture(scope="module")
def awake(engine: Engine) -> Mapping[str, Any]:
    engine.up()
    return inputs(engine)


@pytest.fixture(scope="module")
def paused(engine: Engine, awake: Mapping[str, Any]) -> Step:
    engine.put(paused=True)
    return Step(preview=engine.preview(), up=engine.up())


@pytest.fixture(scope="module")
def refreshed(engine: Engine, paused: Step) -> Run:
    return engine.refresh()


@pytest.fixture(scope="module")
def resumed(engine: Engine, refreshed: Run) -> Step:
    engine.edit(remove=["paused"])
    return Step(preview=engine.preview(), up=engine.up())


def inputs(engine: Engine) -> dict[str, Any]:
    """What every resource of the program was asked to be."""
    return {urn: resource.get("inputs") for urn, resource in own(engine.resources()).items()}


def test_no_group_can_grow(paused: Step, engine: Engine) -> None:
    state = own(engine.resources())
    groups = [resource["inputs"] for resource in state.values() if resource["type"] == GROUP]
    assert len(groups) == 4 and {(group["minSize"], group["maxSize"]) for group in groups} == {
        (0, 0)
    }
    core = next(resource["inputs"] for urn, resource in state.items() if subject_of(urn) == CORE)
    assert core["scalingConfig"] == {"minSize": 0, "maxSize": 1, "desiredSize": 0}


def test_only_what_may_go_goes_and_nothing_is_replaced(paused: Step) -> None:
    operations = paused.preview.changes
    assert set(operations.values()) == {"update", "delete"}
    gone = {
        subject.partition("::")[0]
        for subject, operation in operations.items()
        if operation == "delete"
    }
    assert "aws:ec2/natGateway:NatGateway" in gone and "aws:lb/loadBalancer:LoadBalancer" in gone
    assert gone.isdisjoint(KEPT) and not any(kind.startswith("kubernetes:") for kind in gone)
    assert paused.up.changed().get("Delete") == sorted(
        subject for subject, operation in operations.items() if operation == "delete"
    )


def test_it_stays_so(paused: Step, refreshed: Run, engine: Engine) -> None:
    assert refreshed.code == 0
    assert engine.preview("--expect-no-changes").changes == {}, (
        "an `up` of a paused stack leaves it paused"
    )


def test_homes_databases_keys_and_addresses_are_the_same_ones(
    awake: Mapping[str, Any], resumed: Step
) -> None:
    touched = {
        call.type
        for method in ("Create", "Delete")
        for step in (resumed.up,)
        for call in step.finished(method)
    }
    assert touched.isdisjoint(KEPT)


def test_resumed_it_is_exactly_what_it_was(
    awake: Mapping[str, Any], resumed: Step, engine: Engine
) -> None:
    assert set(resumed.preview.changes.values()) == {"create", "update"}
    again = inputs(engine)
    assert set(again) == set(awake)
    assert {urn for urn in awake if _settled(again[urn]) != _settled(awake[urn])} == set()
    assert engine.preview("--expect-no-changes").changes == {} and engine.strays() == []


#: What names a thing that AWS makes anew: a gateway and a balancer that come back have other ids.
_IDS = {
    *(
        "natGatewayId",
        "loadBalancerArn",
        "targetGroupArn",
        "targetGroupArns",
        "lbTargetGroupArn",
        "aliases",
    ),
    *("sourceSecurityGroupId", "LoadBalancer", "TargetGroup"),
}


def _settled(value: Any) -> Any:
    """Without ids that AWS makes, and secrets, which are encrypted anew each time."""
    if isinstance(value, dict):
        return (
            "[secret]"
            if SIGNATURE in value
            else {key: _settled(item) for key, item in value.items() if key not in _IDS}
        )
    return [_settled(item) for item in value] if isinstance(value, list) else value
