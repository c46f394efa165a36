"""What the real engine printed (tests/support/record_previews.py), read without it; and what
plans say of the same changes.
"""

from __future__ import annotations

import copy
import json

import pytest

from jupyterhub_aws.changes.compare import compared, from_preview
from jupyterhub_aws.changes.difference import difference, of_preview
from jupyterhub_aws.changes.side import before, side_of
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.diff.show import engine_spoken
from tests.support.differences import plan, told
from tests.support.stack_files import ROOT

FOLDER = ROOT / "tests" / "fixtures" / "previews"
SETTINGS = {
    "update": ("pools.memory.size.max=12", "hubs.main.culling={server_idle_minutes: 30}"),
    "replace": (
        "pools.core.instance_types=[m7i.xlarge]",
        "pools.memory.instance_types=[r5n.4xlarge]",
    ),
}
#: The stand-in for the AWS plugin changes this one in place; the real provider's `ForceNew` is in
#: config/data/replacements.toml.
STAND_IN = {"hub-main-cloud-entry-balancer-attachment"}


def recorded(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def side(name):
    return side_of(recorded(name), f"{name}.json")


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("create", {"create": 153}),
        ("same", {}),
        ("update", {"update": 3}),
        ("replace", {"update": 5, "replace": 3}),
        ("secret", {"update": 2}),
    ],
)
def test_what_the_engine_does_is_counted(name, counts):
    assert dict(of_preview(side(name)).counts) == counts


def test_deletions_and_imports_are_read():
    gone, taken, replaced = (
        of_preview(side("delete")),
        of_preview(side("import")),
        of_preview(side("import-replacement")),
    )
    assert {change.name for change in gone.changes if change.op == "delete"} >= {
        "pools-gpu-spot-group",
        "node-agents-nvidia-device-plugin",
    }
    assert "One GPU can no longer be chosen" in told(gone)
    assert {change.name for change in taken.changes if change.op == "import"} == {
        "network-vpc"
    } and "is imported" in told(taken)
    assert {change.name for change in replaced.changes if change.op == "replace"} >= {
        "network-vpc",
        "network-private-a",
    }


@pytest.mark.parametrize("name", ["failure", "encrypted"])
def test_a_preview_that_failed_is_refused_with_what_the_engine_said(name):
    with pytest.raises(ConfigError) as caught:
        side(name)
    assert (
        "is a preview that did not come to its end: " in str(caught.value)
        and len(str(caught.value)) < 500
    )


def test_a_preview_that_was_cut_off_is_refused():
    data = recorded("update")
    del data["changeSummary"]
    with pytest.raises(ConfigError, match="did not come to its end"):
        side_of(data, "update.json")


def test_a_secret_that_changes_is_seen_and_not_shown():
    found = of_preview(side("secret"))
    assert any(item.secret for change in found.changes for item in change.properties)
    assert "restarts" in told(found) and "client-secret" not in json.dumps(found.as_json())


def test_unknown_fields_are_ignored_and_unknown_operations_are_not():
    data = recorded("update")
    more = copy.deepcopy(data)
    more["newField"] = [1]
    for step in more["steps"]:
        step["anotherField"] = {"x": None}
    assert told(of_preview(side_of(more, "x"))) == told(of_preview(side_of(data, "x")))
    more["steps"][-1]["op"] = "teleport"
    with pytest.raises(ConfigError, match="no step of an engine that this jhub knows"):
        side_of(more, "x")


@pytest.mark.real
@pytest.mark.parametrize("name", SETTINGS)
def test_plans_say_of_a_change_what_the_engine_says(name):
    def ops(changes):
        return {
            change.urn: change.op
            for change in changes
            if (change.new or change.old).custom and change.name not in STAND_IN
        }

    planned = compared(side_of(plan(), "old"), side_of(plan(*SETTINGS[name]), "new"))
    assert ops(planned) == ops(from_preview(side(name)))


def test_an_engine_that_has_spoken_is_right():
    new = engine_spoken(side_of(plan(*SETTINGS["replace"]), "new"), side("replace"))
    found = difference(side_of(plan(), "old"), new)
    (attachment,) = [change for change in found.changes if change.name in STAND_IN]
    assert (attachment.op, attachment.certainty) == ("update", "engine")


def test_a_plan_and_a_preview_are_compared_where_both_know():
    found = difference(side_of(plan(), "plan"), side("update"))
    changed = {
        change.name
        for change in found.changes
        if (change.new or change.old).custom and change.op == "update"
    }
    assert "hub-main-release" in changed and any(
        "ids that only one of them contains" in limit for limit in found.limits
    )


def test_the_old_side_of_a_preview_is_its_state():
    assert len(before(side("update")).resources) >= 3 and len(before(side("create")).resources) == 0
