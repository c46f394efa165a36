"""The life of the stack `dev` on the real engine: built, quiet, changed, broken, taken down, built
again.

One long-lived stack, because order matters: the fixtures are the steps of a life, each asks for the
one before it, and the tests look at what a step did. The account, the cluster and what is in it are
stand-ins (stand_in/aws/README.md), so this proves what the program asks for and in which order, not
that AWS would grant it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.engine.account import plaintext_secrets
from tests.engine.harness import ROOT, Engine
from tests.engine.plan_and_state import differences, own
from tests.engine.runs import Call, Preview, Run, Step

pytestmark = pytest.mark.real

GROUP, NODE_GROUP = "aws:autoscaling/group:Group", "aws:eks/nodeGroup:NodeGroup"
CLUSTER = "aws:eks/cluster:Cluster::cluster-control-plane-eksCluster"
KEY = "aws:kms/key:Key::cluster-key"
MEMORY_GROUPS = {f"{GROUP}::pools-memory-spot-group", f"{GROUP}::pools-memory-on-demand-group"}
CORE_GROUP = f"{NODE_GROUP}::pools-core-group"

#: Encrypted options of the stack, each with a value to look for. Every secret key that the program
#: knows belongs here.
SECRET_OPTIONS: dict[str, str] = {"hub-main-client-secret": "planted-client-secret-41ce"}
#: What the engine and the plugins are given besides, and must not write down.
CREDENTIALS = {
    "AWS_SECRET_ACCESS_KEY": "planted-access-key-8c1d4e",
    "AWS_SESSION_TOKEN": "planted-session-token-77f0",
}


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine(environment=CREDENTIALS)
    for key, value in SECRET_OPTIONS.items():
        engine.run("config", "set", "--secret", key, value)
    return engine


@pytest.fixture(scope="module")
def first_preview(engine: Engine) -> Preview:
    return engine.preview()


@pytest.fixture(scope="module")
def failed(engine: Engine, first_preview: Preview) -> Run:
    return engine.up(check=False, FAKE_AWS_FAIL="aws:eks/addon:Addon=cluster-addons-vpc-cni")


@pytest.fixture(scope="module")
def built(engine: Engine, failed: Run) -> Run:
    return engine.up()


@pytest.fixture(scope="module")
def resized(engine: Engine, built: Run) -> Step:
    engine.put(pools__memory__size__max=12)
    return Step(preview=engine.preview(), up=engine.up())


@pytest.fixture(scope="module")
def reshaped(engine: Engine, resized: Step) -> Step:
    engine.put(
        pools__memory__instance_types=["r5.4xlarge", "r5n.4xlarge"],
        pools__core__instance_types=["m7i.xlarge", "m6i.xlarge"],
    )
    return Step(preview=engine.preview(), up=engine.up())


@pytest.fixture(scope="module")
def destroyed(engine: Engine, reshaped: Step) -> Run:
    return engine.destroy("--exclude-protected")


@pytest.fixture(scope="module")
def rebuilt(engine: Engine, destroyed: Run) -> Run:
    return engine.up()


def test_the_first_preview_makes_everything_and_nothing_yet(first_preview: Preview) -> None:
    assert set(first_preview.changes.values()) == {"create"}
    assert {CLUSTER, KEY, CORE_GROUP} | MEMORY_GROUPS <= set(first_preview.changes)
    assert first_preview.run.finished("Create") == []


def test_a_failure_is_reported_and_the_rest_stays(failed: Run, engine: Engine) -> None:
    assert failed.code != 0
    assert "cluster-addons-vpc-cni" in failed.errors
    assert "InsufficientCapacityException" in failed.errors
    assert failed.finished("Create")


def test_the_next_up_completes_what_failed(built: Run, first_preview: Preview, failed: Run) -> None:
    again = {call.subject for call in failed.finished("Create")} & {
        call.subject for call in built.finished("Create")
    }
    assert again == set()
    assert "aws:eks/addon:Addon::cluster-addons-vpc-cni" in {
        call.subject for call in built.finished("Create")
    }


def test_nothing_is_there_twice_and_nothing_is_unknown_to_the_state(
    built: Run, engine: Engine
) -> None:
    assert engine.strays() == []
    assert engine.account.doubles() == {}


def test_a_second_preview_changes_nothing(built: Run, engine: Engine) -> None:
    assert engine.preview("--expect-no-changes").changes == {}


def test_no_secret_is_readable_in_the_state(built: Run, engine: Engine) -> None:
    secrets = [
        *SECRET_OPTIONS.values(),
        *CREDENTIALS.values(),
        *engine.account.secrets(),
        engine.passphrase,
    ]
    assert plaintext_secrets(engine.export(), secrets) == []


def test_the_plan_names_the_resources_of_the_engine(
    built: Run, plan: dict[str, Any], engine: Engine
) -> None:
    planned = {resource["urn"] for resource in plan["resources"]}
    assert planned == set(own(engine.resources()))


def test_the_plan_shows_the_inputs_and_options_of_the_engine(
    built: Run, plan: dict[str, Any], engine: Engine
) -> None:
    assert differences(plan["resources"], engine.resources()) == []


def test_a_pools_size_changes_its_groups_in_place(resized: Step) -> None:
    assert resized.preview.changes == dict.fromkeys(MEMORY_GROUPS, "update")
    assert resized.up.changed() == {"Update": sorted(MEMORY_GROUPS)}


def test_another_shape_makes_the_new_group_before_the_old_one_goes(reshaped: Step) -> None:
    replaced = {*MEMORY_GROUPS, CORE_GROUP}
    assert {
        subject for subject, operation in reshaped.preview.changes.items() if operation == "replace"
    } == replaced
    for subject in sorted(replaced):
        created, deleted = (
            _one(reshaped.up.finished("Create"), subject),
            _one(reshaped.up.begun("Delete"), subject),
        )
        assert created.position < deleted.position, (
            f"{subject}: people's nodes go before the new ones are there"
        )
        assert created.id != _one(reshaped.up.finished("Delete"), subject).id


def test_another_shape_touches_no_other_pool(reshaped: Step) -> None:
    touched = {
        call.subject
        for method in ("Create", "Update", "Delete")
        for call in reshaped.up.finished(method)
    }
    follows = (  # the balancer's targets are the core nodes
        "aws:autoscaling/attachment:Attachment::hub-main-cloud-entry-balancer-attachment"
    )
    assert [
        subject for subject in sorted(touched) if "memory" not in subject and "core" not in subject
    ] == [follows]


def test_an_unused_imports_entry_is_an_error(reshaped: Step, engine: Engine) -> None:
    engine.edit({"imports": {"aws:ec2/vpc:Vpc::network-vpcc": "vpc-0123456789abcdef0"}})
    refusal = engine.refused("preview")
    engine.edit(remove=["imports"])
    assert "aws:ec2/vpc:Vpc::network-vpcc" in refusal
    assert "did you mean aws:ec2/vpc:Vpc::network-vpc?" in refusal


def test_a_plain_destroy_deletes_nothing_while_something_is_protected(
    reshaped: Step, engine: Engine
) -> None:
    run = engine.run("destroy", "--yes", check=False)  # with its preview, which is what refuses
    assert run.code != 0
    assert "protected" in run.errors
    assert any(name in run.errors for name in ("cluster-key", "homes-", "hub-main-cloud-database"))
    assert run.begun("Delete") == []


def test_destroy_keeps_the_protected_parts_with_what_they_need_and_nothing_else(
    destroyed: Run, engine: Engine
) -> None:
    kept = engine.resources()
    protected = [resource["urn"] for resource in kept if resource.get("protect")]
    assert KEY in {urn.rpartition("$")[2] for urn in protected}
    assert [urn for urn in sorted(own(kept)) if urn not in _with_needs(kept, protected)] == []
    assert engine.strays() == []


def test_destroy_takes_the_cluster_before_its_role_and_its_logs(destroyed: Run) -> None:
    cluster = _one(destroyed.finished("Delete"), CLUSTER)
    for after in (
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment::cluster-role-eks",
        "aws:cloudwatch/logGroup:LogGroup::cluster-logs",
    ):
        assert cluster.position < _one(destroyed.begun("Delete"), after).position, (
            f"{after} goes while EKS still needs it"
        )


def test_the_following_up_finds_the_protected_parts_again(rebuilt: Run, engine: Engine) -> None:
    assert KEY not in {call.subject for call in rebuilt.finished("Create")}
    assert engine.strays() == []
    assert engine.account.doubles() == {}
    assert engine.preview("--expect-no-changes").changes == {}


# --- helpers ---


@pytest.fixture(scope="module")
def plan(plugins: Sequence[Path]) -> dict[str, Any]:
    """What `jhub plan` says about the checkout's own stack file."""
    jhub = Path(sys.prefix) / "bin" / "jhub"
    done = subprocess.run(
        [str(jhub), "plan", "dev", "--json"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("{"), done.stderr[-2000:]
    return json.loads(done.stdout)


def _one(calls: Sequence[Call], subject: str) -> Call:
    found = [call for call in calls if call.subject == subject]
    assert len(found) == 1, (
        f"{subject}: {len(found)} calls among {[call.subject for call in calls]}"
    )
    return found[0]


def _with_needs(resources: Sequence[dict[str, Any]], wanted: Sequence[str]) -> set[str]:
    """These resources with everything that they depend on, their parents included."""
    state = {resource["urn"]: resource for resource in resources}
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        urn = waiting.pop()
        if urn in state and urn not in found:
            found.add(urn)
            waiting += [
                *state[urn].get("dependencies", []),
                state[urn].get("parent", ""),
                state[urn].get("provider", "").rpartition("::")[0],
            ]
    return found
