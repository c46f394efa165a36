"""`up` killed in the middle, on the real engine: AWS finishes what it was asked for, and the
state does not know it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from tests.engine.harness import Engine
from tests.engine.runs import Call, Run

pytestmark = pytest.mark.real

CLUSTER = "aws:eks/cluster:Cluster::cluster-control-plane-eksCluster"
CORE_ROLE = "aws:iam/role:Role::pools-core-node"
KEY = "aws:kms/key:Key::cluster-key"


@pytest.fixture(scope="module")
def killed(new_engine: Callable[..., Engine]) -> Engine:
    """A stack whose first `up` was killed while AWS was making the cluster and the core nodes'
    role.
    """
    engine = new_engine()
    engine.run("config", "set", "--secret", "hub-main-client-secret", "planted-client-secret-77aa")
    slow = f"{CLUSTER.partition('::')[0]}=3000,{CORE_ROLE.replace('::', '=12000=')}"
    engine.up_killed(lambda calls: {CLUSTER, CORE_ROLE} <= _being_made(calls), FAKE_AWS_SLOW=slow)
    return engine


@pytest.fixture(scope="module")
def refused(killed: Engine) -> Run:
    """The `up` after it, once the lock is gone."""
    killed.run("cancel", "--yes")
    return killed.up(check=False)


@pytest.fixture(scope="module")
def repaired(killed: Engine, refused: Run) -> Run:
    """The `up` with an `imports:` entry for each creation that was under way and did succeed."""
    killed.edit({"imports": _entries(killed)})
    return killed.up()


def test_a_killed_up_leaves_a_lock_and_says_how_to_lift_it(killed: Engine) -> None:
    assert "pulumi cancel" in killed.refused("up", "--yes", "--skip-preview")


def test_the_state_names_what_was_under_way_when_the_engine_was_killed(killed: Engine) -> None:
    assert {CLUSTER, CORE_ROLE} <= set(killed.strays()) <= set(killed.interrupted())


def test_the_next_up_names_what_exists_already_and_makes_nothing_twice(
    refused: Run, killed: Engine
) -> None:
    assert refused.code != 0
    conflicts = re.findall(r"(?m)^.*already exists.*$", refused.errors)
    assert conflicts
    assert [line for line in conflicts if "jhub-dev" not in line] == [], (
        "each conflict names what is in the way"
    )
    assert killed.account.doubles() == {}


def test_imports_entries_repair_it(repaired: Run, killed: Engine) -> None:
    assert killed.strays() == []
    assert killed.account.doubles() == {}
    assert killed.preview("--expect-no-changes").changes == {}


def test_the_entries_can_go_afterwards(repaired: Run, killed: Engine) -> None:
    killed.edit(remove=["imports"])
    assert killed.preview("--expect-no-changes").changes == {}


def test_a_refresh_forgets_the_interrupted_creations(repaired: Run, killed: Engine) -> None:
    assert killed.interrupted() != []
    killed.refresh("--clear-pending-creates")
    assert killed.interrupted() == []


def test_entries_for_all_interrupted_creations_repair_even_what_has_no_name(
    new_engine: Callable[..., Engine],
) -> None:
    """A key, a VPC or an address has no name that could conflict: a plain `up` would make a
    second one without a word.
    """
    engine = new_engine()
    engine.run("config", "set", "--secret", "hub-main-client-secret", "planted-client-secret-77aa")
    engine.up_killed(
        lambda calls: KEY in _being_made(calls) and len(_being_made(calls)) > 2,
        FAKE_AWS_SLOW_MS="2000",
    )
    engine.run("cancel", "--yes")
    assert KEY in engine.interrupted()
    engine.edit({"imports": _entries(engine)})
    engine.up()
    assert engine.strays() == []
    assert engine.account.doubles() == {}


def _being_made(calls: Sequence[Call]) -> set[str]:
    begun = {call.subject for call in calls if call.phase == "begin" and call.method == "Create"}
    return begun - {
        call.subject
        for call in calls
        if call.phase == "end" and call.method == "Create" and not call.preview
    }


def _entries(engine: Engine) -> dict[str, str]:
    """The `imports:` entries that repair a killed `up`: what was under way and is there, with
    the id that AWS's console shows.
    """
    made = {subject: engine.account.made_as(subject) for subject in engine.interrupted()}
    return {subject: ids[0] for subject, ids in made.items() if ids}
