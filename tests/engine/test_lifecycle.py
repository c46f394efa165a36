"""The life of the stack `dev` on the real engine: built, quiet, changed, broken, killed, repaired, taken down, built again.

Two long-lived stacks, because order matters: the fixtures are the steps of a life, each asks for the one before it, and
the tests look at what a step did. The account, the cluster and what is in it are stand-ins (stand_in/aws/README.md), so
this proves what the program asks for and in which order, not that AWS would grant it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine.harness import ROOT, Call, Engine, Preview, Run, plaintext_secrets

pytestmark = pytest.mark.real

GROUP, NODE_GROUP = "aws:autoscaling/group:Group", "aws:eks/nodeGroup:NodeGroup"
CLUSTER = "aws:eks/cluster:Cluster::cluster-control-plane-eksCluster"
CORE_ROLE = "aws:iam/role:Role::pools-core-node"
KEY = "aws:kms/key:Key::cluster-key"
MEMORY_GROUPS = {f"{GROUP}::pools-memory-spot-group", f"{GROUP}::pools-memory-on-demand-group"}
CORE_GROUP = f"{NODE_GROUP}::pools-core-group"

#: Encrypted options of the stack, each with a value to look for. Every secret key that the program knows belongs here.
SECRET_OPTIONS: dict[str, str] = {}
#: What the engine and the plugins are given besides, and must not write down.
CREDENTIALS = {"AWS_SECRET_ACCESS_KEY": "planted-access-key-8c1d4e", "AWS_SESSION_TOKEN": "planted-session-token-77f0"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """A change of the stack: what the preview announced, and what `up` did."""

    preview: Preview
    up: Run


# --- one life: build, change, take down ---


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
    return engine.up(check=False, FAKE_AWS_FAIL="aws:eks/addon:Addon=node-addons-vpc-cni")


@pytest.fixture(scope="module")
def built(engine: Engine, failed: Run) -> Run:
    return engine.up()


@pytest.fixture(scope="module")
def resized(engine: Engine, built: Run) -> Step:
    engine.put(pools__memory__size__max=12)
    return Step(preview=engine.preview(), up=engine.up())


@pytest.fixture(scope="module")
def reshaped(engine: Engine, resized: Step) -> Step:
    engine.put(pools__memory__instance_types=["r5.4xlarge", "r5n.4xlarge"], pools__core__instance_types=["m7i.xlarge", "m6i.xlarge"])
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


def test_a_failure_says_what_and_leaves_the_rest_standing(failed: Run, engine: Engine) -> None:
    assert failed.code != 0
    assert "node-addons-vpc-cni" in failed.errors
    assert "InsufficientCapacityException" in failed.errors
    assert failed.finished("Create")


def test_the_next_up_completes_what_failed(built: Run, first_preview: Preview, failed: Run) -> None:
    again = {call.subject for call in failed.finished("Create")} & {call.subject for call in built.finished("Create")}
    assert again == set()
    assert "aws:eks/addon:Addon::node-addons-vpc-cni" in {call.subject for call in built.finished("Create")}


def test_nothing_is_there_twice_and_nothing_is_unknown_to_the_state(built: Run, engine: Engine) -> None:
    assert engine.strays() == []
    assert engine.account.doubles() == {}


def test_a_second_preview_changes_nothing(built: Run, engine: Engine) -> None:
    assert engine.preview("--expect-no-changes").changes == {}


def test_no_secret_stands_readable_in_the_state(built: Run, engine: Engine) -> None:
    secrets = [*SECRET_OPTIONS.values(), *CREDENTIALS.values(), *engine.account.secrets(), engine.passphrase]
    assert plaintext_secrets(engine.export(), secrets) == []


def test_the_plan_names_the_resources_of_the_engine(built: Run, plan: dict[str, Any], engine: Engine) -> None:
    planned = {resource["urn"] for resource in plan["resources"]}
    assert planned == set(_own(engine.resources()))


def test_the_plan_shows_the_inputs_and_options_of_the_engine(built: Run, plan: dict[str, Any], engine: Engine) -> None:
    state = _own(engine.resources())
    differences = [
        f"{resource['type']}::{resource['name']} {difference}"
        for resource in plan["resources"]
        if resource["urn"] in state
        for difference in [*_inputs_differ(resource["inputs"], state[resource["urn"]].get("inputs", {})), *_options_differ(resource, state[resource["urn"]])]
    ]
    assert differences == []


def test_a_pools_size_changes_its_groups_in_place(resized: Step) -> None:
    assert resized.preview.changes == dict.fromkeys(MEMORY_GROUPS, "update")
    assert resized.up.changed() == {"Update": sorted(MEMORY_GROUPS)}


def test_another_shape_makes_the_new_group_before_the_old_one_goes(reshaped: Step) -> None:
    replaced = {*MEMORY_GROUPS, CORE_GROUP}
    assert {subject for subject, operation in reshaped.preview.changes.items() if operation == "replace"} == replaced
    for subject in sorted(replaced):
        created, deleted = _one(reshaped.up.finished("Create"), subject), _one(reshaped.up.begun("Delete"), subject)
        assert created.position < deleted.position, f"{subject}: people's nodes go before the new ones are there"
        assert created.id != _one(reshaped.up.finished("Delete"), subject).id


def test_another_shape_touches_no_other_pool(reshaped: Step) -> None:
    touched = {call.subject for method in ("Create", "Update", "Delete") for call in reshaped.up.finished(method)}
    assert [subject for subject in sorted(touched) if "memory" not in subject and "core" not in subject] == []


def test_an_unused_imports_entry_is_an_error(reshaped: Step, engine: Engine) -> None:
    engine.edit({"imports": {"aws:ec2/vpc:Vpc::network-vpcc": "vpc-0123456789abcdef0"}})
    refusal = engine.refused("preview")
    engine.edit(remove=["imports"])
    assert "aws:ec2/vpc:Vpc::network-vpcc" in refusal
    assert "did you mean aws:ec2/vpc:Vpc::network-vpc?" in refusal


def test_a_plain_destroy_deletes_nothing_while_something_is_protected(reshaped: Step, engine: Engine) -> None:
    run = engine.run("destroy", "--yes", check=False)  # with its preview, which is what refuses
    assert run.code != 0
    assert "cluster-key" in run.errors
    assert run.begun("Delete") == []


def test_destroy_keeps_the_protected_parts_and_nothing_else(destroyed: Run, reshaped: Step, engine: Engine) -> None:
    assert {resource["urn"].rpartition("::")[2] for resource in engine.resources() if resource.get("protect")} >= {"cluster-key"}
    kept = {resource["id"] for resource in engine.resources() if resource.get("protect")}
    assert {record["id"] for record in engine.account.records if not record.get("owner")} == kept


def test_destroy_takes_the_cluster_before_its_role_and_its_logs(destroyed: Run) -> None:
    cluster = _one(destroyed.finished("Delete"), CLUSTER)
    for after in ("aws:iam/rolePolicyAttachment:RolePolicyAttachment::cluster-role-eks", "aws:cloudwatch/logGroup:LogGroup::cluster-logs"):
        assert cluster.position < _one(destroyed.begun("Delete"), after).position, f"{after} goes while EKS still needs it"


def test_the_following_up_finds_the_protected_parts_again(rebuilt: Run, engine: Engine) -> None:
    assert KEY not in {call.subject for call in rebuilt.finished("Create")}
    assert engine.strays() == []
    assert engine.account.doubles() == {}
    assert engine.preview("--expect-no-changes").changes == {}


# --- another life: killed in the middle ---


@pytest.fixture(scope="module")
def killed(new_engine: Callable[..., Engine]) -> Engine:
    """A stack whose first `up` was killed while AWS was making the cluster and the core nodes' role."""
    engine = new_engine()
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


def test_the_next_up_names_what_exists_already_and_makes_nothing_twice(refused: Run, killed: Engine) -> None:
    assert refused.code != 0
    conflicts = re.findall(r"(?m)^.*already exists.*$", refused.errors)
    assert conflicts
    assert [line for line in conflicts if "jhub-dev" not in line] == [], "each conflict names what is in the way"
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


def test_entries_for_all_interrupted_creations_repair_even_what_has_no_name(new_engine: Callable[..., Engine]) -> None:
    """A key, a VPC or an address has no name that could conflict: a plain `up` would make a second one without a word."""
    engine = new_engine()
    engine.up_killed(lambda calls: KEY in _being_made(calls) and len(_being_made(calls)) > 2, FAKE_AWS_SLOW_MS="2000")
    engine.run("cancel", "--yes")
    assert KEY in engine.interrupted()
    engine.edit({"imports": _entries(engine)})
    engine.up()
    assert engine.strays() == []
    assert engine.account.doubles() == {}


# --- helpers ---


@pytest.fixture(scope="module")
def plan(plugins: Sequence[Path]) -> dict[str, Any]:
    """What `jhub plan` says about the checkout's own stack file."""
    jhub = Path(sys.prefix) / "bin" / "jhub"
    done = subprocess.run([str(jhub), "plan", "dev", "--json"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("{"), done.stderr[-2000:]
    return json.loads(done.stdout)


def _own(resources: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The program's resources by URN: without the stack, and without the providers that the engine makes by itself."""
    return {
        resource["urn"]: resource
        for resource in resources
        if resource["type"] != "pulumi:pulumi:Stack" and not re.search(r"::pulumi:providers:\w+::default(_[\d_]+)?$", resource["urn"])
    }


def _one(calls: Sequence[Call], subject: str) -> Call:
    found = [call for call in calls if call.subject == subject]
    assert len(found) == 1, f"{subject}: {len(found)} calls among {[call.subject for call in calls]}"
    return found[0]


def _being_made(calls: Sequence[Call]) -> set[str]:
    begun = {call.subject for call in calls if call.phase == "begin" and call.method == "Create"}
    return begun - {call.subject for call in calls if call.phase == "end" and call.method == "Create" and not call.preview}


def _entries(engine: Engine) -> dict[str, str]:
    """The `imports:` entries that repair a killed `up`: what was under way and is there, with the id that AWS's console shows."""
    made = {subject: engine.account.made_as(subject) for subject in engine.interrupted()}
    return {subject: ids[0] for subject, ids in made.items() if ids}


def _options_differ(planned: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    pairs = {
        "protect": (planned["protect"], stored.get("protect", False)),
        "retain_on_delete": (planned["retain_on_delete"], stored.get("retainOnDelete", False)),
        "ignore_changes": (sorted(planned["ignore_changes"]), sorted(stored.get("ignoreChanges", []))),
        "parent": (planned["parent"], None if "::pulumi:pulumi:Stack::" in stored.get("parent", "") else stored.get("parent")),
    }
    return [f"{name}: plan {plan!r}, engine {engine!r}" for name, (plan, engine) in pairs.items() if plan != engine]


def _inputs_differ(planned: Any, stored: Any, path: str = "") -> list[str]:
    """Where the engine's inputs are not the plan's. A placeholder of the plan stands for any text."""
    if isinstance(planned, dict) and isinstance(stored, dict):
        keys = {key for side in (planned, stored) for key, value in side.items() if value is not None and not key.startswith("__")}
        keys -= {"version"} if path == "" and "kubeconfig" in stored else set()  # of a provider: the engine notes its plugin's
        return [found for key in sorted(keys) for found in _inputs_differ(planned.get(key), stored.get(key), f"{path}.{key}")]
    if isinstance(planned, list) and isinstance(stored, list) and len(planned) == len(stored):
        return [found for index, (plan, engine) in enumerate(zip(planned, stored, strict=True)) for found in _inputs_differ(plan, engine, f"{path}[{index}]")]
    return [] if _same(planned, stored) else [f"{path}: plan {planned!r:.120}, engine {stored!r:.120}"]


def _same(planned: Any, stored: Any) -> bool:
    if planned == stored or planned in ("[secret]", "[unknown]"):
        return True
    if isinstance(stored, dict) and "urn" in stored:  # a resource as an input
        return planned == stored["urn"]
    if not isinstance(planned, str) or not isinstance(stored, str):
        return False
    return any(_fits(plan, engine) for plan, engine in ((planned, stored), (_decoded(planned), _decoded(stored))))


def _fits(planned: str, stored: str) -> bool:
    """Whether the text fits, with anything in the place of `${...}`."""
    return re.fullmatch(".*".join(re.escape(part) for part in re.split(r"\$\{[^}]*\}", planned)), stored, re.DOTALL) is not None


def _decoded(text: str) -> str:
    """User data is base64; what is in it has placeholders too."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
