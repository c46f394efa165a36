"""New nodes before old ones on the real engine: a second generation beside the first, Kubernetes
1.36 under both, then the first one gone.

The account is a stand-in (stand_in/aws/README.md): this proves what is asked for and in which
order, not that people's nodes stay on AWS.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.harness import Engine
from tests.engine.runs import Run, Step

pytestmark = pytest.mark.real

GROUP, TEMPLATE, COMPONENT = (
    "aws:autoscaling/group:Group",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "jupyterhub-aws:pools:UserGroup",
)
CORE = "aws:eks/nodeGroup:NodeGroup::pools-core-group"
CLUSTER = "aws:eks/cluster:Cluster::cluster-control-plane-eksCluster"
MARKETS = ("on-demand", "spot")
OLD = {f"{GROUP}::pools-memory-{market}-group" for market in MARKETS}
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
OLD_ALARMS = {f"{ALARM}::watch-alarms-group-stuck-memory-{market}" for market in MARKETS}
NEW = {f"{GROUP}::pools-memory-{market}-g2-group" for market in MARKETS}


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine()
    engine.run("config", "set", "--secret", "hub-main-client-secret", "some-secret")
    return engine


@pytest.fixture(scope="module")
def built(engine: Engine) -> Run:
    return engine.up()


@pytest.fixture(scope="module")
def second(engine: Engine, built: Run) -> Step:
    engine.put(pools__memory__generation=2, pools__memory__retiring=[{"generation": 1}])
    return Step(preview=engine.preview(), up=engine.up())


@pytest.fixture(scope="module")
def upgraded(engine: Engine, second: Step) -> Step:
    engine.put(cluster__version="1.36")
    return Step(preview=engine.preview(), up=engine.up())


@pytest.fixture(scope="module")
def gone(engine: Engine, upgraded: Step) -> Step:
    engine.edit(remove=["pools.memory.retiring"])
    return Step(preview=engine.preview(), up=engine.up())


@pytest.fixture(scope="module")
def core_anew(engine: Engine, gone: Step) -> Step:
    engine.put(pools__core__generation=2)
    return Step(preview=engine.preview(), up=engine.up())


def ids(engine: Engine, subjects: set[str]) -> dict[str, str]:
    found = {
        f"{resource['type']}::{resource['urn'].rpartition('::')[2]}": resource.get("id", "")
        for resource in engine.resources()
    }
    return {subject: found[subject] for subject in subjects if subject in found}


def test_the_new_groups_are_made_and_the_old_ones_stay(second: Step, engine: Engine) -> None:
    assert {
        subject
        for subject, done in second.preview.changes.items()
        if done == "create" and subject.startswith(GROUP)
    } == NEW
    gone = {
        subject
        for subject, done in second.preview.changes.items()
        if done in ("delete", "replace", "create-replacement", "delete-replaced")
    }
    assert gone == OLD_ALARMS
    done = second.up.changed()
    alarms = {f"{ALARM}::watch-alarms-group-stuck-memory-{market}-g2" for market in MARKETS}
    assert set(done["Create"]) == NEW | alarms | {
        f"{TEMPLATE}::pools-memory-{market}-g2-template" for market in MARKETS
    }
    assert set(done["Delete"]) == OLD_ALARMS, (
        "a group that retires is short of nodes, and nobody is to be called for it"
    )
    assert {subject for subject in done["Update"] if subject.startswith("aws:")} == OLD, (
        "nothing else of AWS's is touched"
    )


def test_old_groups_keep_their_name_and_can_launch_nothing(second: Step, engine: Engine) -> None:
    inputs = {
        resource["urn"].rpartition("::")[2]: resource["inputs"]
        for resource in engine.resources()
        if resource["type"] == GROUP
    }
    for market in MARKETS:
        old, new = inputs[f"pools-memory-{market}-group"], inputs[f"pools-memory-{market}-g2-group"]
        assert sorted(old["suspendedProcesses"]) == ["AZRebalance", "Launch"] and new[
            "suspendedProcesses"
        ] == ["AZRebalance"]
        assert old["name"] != new["name"] and "-g2-" in new["name"] and "-g2" not in old["name"]
        assert old["maxSize"] == new["maxSize"], "a lower maximum ends nodes"


def test_nothing_is_left_to_do_after_either_step(engine: Engine, second: Step) -> None:
    assert engine.preview("--expect-no-changes").changes == {}


def test_the_control_plane_moves_before_templates_and_core_nodes(upgraded: Step) -> None:
    finished = [call.subject for call in upgraded.up.finished("Update")]
    begun = [call.subject for call in upgraded.up.begun("Update")]
    assert set(upgraded.preview.changes.values()) == {"update"}, "nothing is replaced by an upgrade"
    for subject in (
        CORE,
        f"{TEMPLATE}::pools-memory-spot-g2-template",
        "aws:eks/addon:Addon::cluster-addons-kube-proxy",
    ):
        at = next(call.position for call in upgraded.up.begun("Update") if call.subject == subject)
        moved = next(
            call.position for call in upgraded.up.finished("Update") if call.subject == CLUSTER
        )
        assert moved < at, f"{subject} would be newer than the API server"
    assert CLUSTER in finished and CLUSTER in begun


def test_only_the_old_generation_goes(gone: Step, engine: Engine) -> None:
    deleted = OLD | {f"{TEMPLATE}::pools-memory-{market}-template" for market in MARKETS}
    assert {
        subject
        for subject, done in gone.preview.changes.items()
        if done == "delete" and subject.startswith("aws:")
    } == deleted
    done = gone.up.changed()
    assert set(done["Delete"]) == deleted and "Create" not in done and "Update" not in done
    assert set(ids(engine, NEW)) == NEW
    assert engine.preview("--expect-no-changes").changes == {}


def test_new_core_nodes_are_there_before_the_old_ones_go(core_anew: Step) -> None:
    assert core_anew.preview.changes[CORE] == "replace"
    (created,) = [call for call in core_anew.up.finished("Create") if call.subject == CORE]
    (deleted,) = [call for call in core_anew.up.begun("Delete") if call.subject == CORE]
    assert created.position < deleted.position
    assert not [
        call
        for call in core_anew.up.calls
        if call.subject in OLD | NEW
        and call.method != "Read"
        and call.method not in ("Check", "Diff")
    ]
