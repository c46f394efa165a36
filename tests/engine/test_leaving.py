"""What `jhub destroy plan` says, beside what the real engine does: the same stays, and the next
`up` finds the homes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.harness import Engine
from tests.engine.plan_and_state import own
from tests.engine.runs import Run
from tests.support.in_process import in_process

pytestmark = pytest.mark.real
#: A second hub whose database is no volume: it stays with its network.
SECOND = {
    "sign_in": {"kind": "shared_password"},
    "entry": {"kind": "port_forward"},
    "database": {"kind": "postgres"},
}
FILES = "aws:efs/fileSystem:FileSystem"


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine()
    engine.run("config", "set", "--secret", "hub-main-client-secret", "planted-client-secret-55ad")
    engine.put(hubs__second=SECOND)
    return engine


@pytest.fixture(scope="module")
def homes(engine: Engine) -> list[str]:
    """The built stack: the ids of its file systems."""
    engine.up()
    return [record["id"] for record in engine.account.of_type(FILES)]


@pytest.fixture(scope="module")
def plan(engine: Engine, homes: list[str]) -> dict[str, Any]:
    done = in_process(["destroy", "plan", "dev", "--json"], engine.project)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def destroyed(engine: Engine, plan: dict[str, Any]) -> Run:
    (step,) = plan["steps"]
    assert step["run"] == "pulumi destroy -s dev --exclude-protected"
    return engine.destroy("--exclude-protected")


def test_what_stays_is_what_the_plan_says(
    destroyed: Run, plan: dict[str, Any], engine: Engine
) -> None:
    (step,) = plan["steps"]
    assert sorted(own(engine.resources())) == sorted(item["urn"] for item in step["stays"])
    for words in (
        FILES,
        "aws:rds/instance:Instance",
        "aws:ebs/volume:Volume",
        "aws:kms/key:Key",
        "aws:ec2/vpc:Vpc",
    ):
        assert any(item["type"] == words for item in step["stays"]), words


def test_what_is_forgotten_is_there_still_and_what_is_in_the_cluster_went_with_it(
    destroyed: Run, plan: dict[str, Any], engine: Engine
) -> None:
    (step,) = plan["steps"]
    forgotten, ends = (
        {f"{item['type']}::{item['name']}" for item in step[key]}
        for key in ("forgotten", "ends_with_the_cluster")
    )
    assert (
        ends
        and (forgotten | ends) & {call.subject for call in destroyed.finished("Delete")} == set()
    ), "the engine deletes none of them by itself"
    assert [subject for subject in sorted(forgotten) if not engine.account.made_as(subject)] == []
    assert [subject for subject in sorted(ends) if engine.account.made_as(subject)] == []


def test_the_engine_takes_parts_down_in_the_order_of_the_plan(
    destroyed: Run, plan: dict[str, Any]
) -> None:
    (step,) = plan["steps"]
    order = [item["part"] for item in step["order"]]
    begun = [
        (call.subject.rpartition("::")[2], call.position) for call in destroyed.begun("Delete")
    ]
    first = {
        name: next(
            (position for subject, position in begun if subject.startswith(f"{name}-")), None
        )
        for name in order
    }
    for before, after in (("hub-main", "cluster"), ("autoscaler", "cluster"), ("pools", "cluster")):
        assert order.index(before) < order.index(after)
        assert (
            first[before] is not None and first[after] is not None and first[before] < first[after]
        ), (before, after)


def test_up_again_finds_the_kept_homes(destroyed: Run, homes: list[str], engine: Engine) -> None:
    engine.up()
    assert [record["id"] for record in engine.account.of_type(FILES)] == homes, (
        "no second file system"
    )
    assert engine.preview("--expect-no-changes").changes == {}
