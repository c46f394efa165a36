"""The page of a paused hub on the real engine: its record is changed in place, after the balancer
that it then points to exists, and before the one that it pointed to is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.engine.harness import Engine
from tests.engine.plan_and_state import own
from tests.engine.runs import Run, Step
from tests.engine.test_hubs import SECRETS

pytestmark = pytest.mark.real

_BALANCER, _RECORD = "aws:lb/loadBalancer:LoadBalancer", "aws:route53/record:Record"
_PREFIX = "hub-main-cloud-entry-balancer"


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine()
    key = "hub-main-client-secret"
    engine.run("config", "set", "--secret", key, SECRETS[key])
    engine.put(hubs__main__entry__route53_zone="Z0123456789ABCDEFGHIJ")
    engine.put(hubs__main__maintenance_page={"paused_text": "Back in January."})
    engine.put(pause={"drop": ["balancers"]})
    return engine


@pytest.fixture(scope="module")
def awake(engine: Engine) -> Mapping[str, Any]:
    engine.up()
    return own(engine.resources())


@pytest.fixture(scope="module")
def paused(engine: Engine, awake: Mapping[str, Any]) -> Step:
    engine.put(paused=True)
    return Step(preview=engine.preview(), up=engine.up())


@pytest.fixture(scope="module")
def resumed(engine: Engine, paused: Step) -> Step:
    engine.edit(remove=["paused"])
    return Step(preview=engine.preview(), up=engine.up())


def position(run: Run, method: str, kind: str, name: str) -> int:
    (call,) = [call for call in run.finished(method, kind) if call.name == name]
    return call.position


@pytest.mark.parametrize("step", ["paused", "resumed"])
def test_the_record_is_changed_between_the_two_balancers(
    step: str, request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(step).up
    comes, goes = f"{_PREFIX}-paused", f"{_PREFIX}-balancer"
    if step == "resumed":
        comes, goes = goes, comes
    made = position(run, "Create", _BALANCER, comes)
    changed = position(run, "Update", _RECORD, f"{_PREFIX}-record")
    gone = position(run, "Delete", _BALANCER, goes)
    assert made < changed < gone
    assert not run.finished("Delete", _RECORD) and not run.finished("Create", _RECORD)


def test_a_paused_stack_stays_as_it_is(paused: Step, engine: Engine) -> None:
    del paused
    assert engine.preview("--expect-no-changes").changes == {}


def test_resumed_it_has_what_it_had(
    awake: Mapping[str, Any], resumed: Step, engine: Engine
) -> None:
    del resumed
    assert set(own(engine.resources())) == set(awake)
    assert engine.preview("--expect-no-changes").changes == {} and engine.strays() == []
