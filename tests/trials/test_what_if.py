"""The closed pair answers what-if questions from both files (G12): a setting goes to the file
that holds its section, and both halves are judged.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.config.cloud_config import given_by, what_if, whole
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.stack_file import read
from tests.support.in_process import in_process
from tests.support.known_plans import known_plans
from tests.support.stack_files import ROOT

HOSTNAME = "hubs.main.entry.hostname=other.corp.example"
TOO_LARGE = "hubs.main.profiles.large.memory=900G"


def plan(stack: str, *settings: str) -> tuple[int, dict[str, Any], str]:
    with known_plans():
        done = in_process(
            [
                *("plan", stack, "--json"),
                *(part for setting in settings for part in ("--set", setting)),
            ],
            ROOT,
        )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def test_the_inner_stack_takes_a_setting_of_the_outer_file() -> None:
    code, found, said = plan("airgap-hub", HOSTNAME, "pools.core.size=3")
    assert code == 0, said
    assert "other.corp.example" in json.dumps(found["resources"])
    (group,) = [item for item in found["outer"] if item["type"] == "aws:eks/nodeGroup:NodeGroup"]
    assert group["inputs"]["scalingConfig"]["desiredSize"] == 3, (
        "the half in AWS is asked the same question"
    )


@pytest.mark.real
def test_the_outer_stack_judges_what_is_inside_with_the_same_setting() -> None:
    code, found, said = plan("airgap", HOSTNAME)
    assert code == 0, said
    (inner,) = [item for item in found["checks"] if item["id"] == "inner-half"]
    assert inner["status"] == "pass" and "airgap-hub" in inner["message"]
    ids = [item["id"] for item in found["checks"]]
    assert {"hub-values", "airgap-pods", "servers-fit"} <= set(ids), sorted(ids)
    assert sorted(map(str, found["checks"])) == sorted(set(map(str, found["checks"])))
    assert ids.count("secrets") == ids.count("encryption") == 1, "one check says one thing"
    code, found, _ = plan("airgap")
    assert [item["status"] for item in found["checks"] if item["id"] == "inner-half"] == ["skip"], (
        "without a question it is as it was"
    )


@pytest.mark.parametrize("stack", ["airgap", "airgap-hub"])
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (TOO_LARGE, "Pulumi.airgap.yaml: hubs.main.profiles.large"),
        (
            "hubs.main.profiles.large.pool=nowhere",
            "Pulumi.airgap.yaml: hubs.main.profiles.large.pool",
        ),
        ("hubs.main.entri.hostname=x", "Pulumi.airgap.yaml: hubs.main.entri"),
        (
            "hubs.main.profiles[0]=x",
            "Pulumi.airgap.yaml: --set hubs.main.profiles[0]: does not exist at",
        ),
        ("nothing.at.all=1", "Pulumi.airgap.yaml: nothing: is not an option"),
    ],
)
def test_both_refuse_the_same(stack: str, setting: str, said: str) -> None:
    code, _, errors = plan(stack, setting)
    assert code == 2 and said in errors, errors


def test_what_makes_the_outer_file_another_kind_is_refused() -> None:
    code, _, errors = plan("airgap-hub", "parts=all")
    assert code == 2 and "write `parts: cloud` in Pulumi.airgap.yaml" in errors
    code, _, errors = plan("airgap-hub", "hub-main-client-secret=abc")
    assert code == 2 and "hub-main-client-secret" in errors and "abc" not in errors


def test_a_question_leaves_nothing_behind() -> None:
    asked = read(ROOT / "Pulumi.airgap-hub.yaml", [HOSTNAME, 'imports={"a:b:C::d": e}'])
    assert asked.outer_settings == (HOSTNAME,) and asked.data["jupyterhub-aws:imports"] == {
        "a:b:C::d": "e"
    }
    with what_if(asked):
        assert "other.corp.example" in whole(given_by(asked), ROOT).values["jupyterhub-aws:hubs"]
    with pytest.raises(KeyError), what_if(asked):
        raise KeyError
    plain = whole(given_by(asked), ROOT)
    assert "other.corp.example" not in plain.values["jupyterhub-aws:hubs"]
    assert load(plain.values, secret=plain.secret, source="x").parts == "cluster"


def test_a_stack_of_its_own_keeps_its_settings(tmp_path: Path) -> None:
    file = read(ROOT / "Pulumi.dev.yaml", ["pools.core.size=3"])
    assert file.outer_settings == () and file.data["jupyterhub-aws:pools"]["core"]["size"] == 3
