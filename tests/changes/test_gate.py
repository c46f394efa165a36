"""The gate: the base branch's policy, lines that name the resource, and digests that are worth
nothing for another change.
"""

from __future__ import annotations

import pytest

from jupyterhub_aws.changes.difference import difference
from jupyterhub_aws.changes.gate import DEFAULT, allowed_by, judged
from jupyterhub_aws.changes.side import side_of
from tests.support.differences import EDITED, found, plan, put


def test_changes_without_impact_pass():
    for name in ("nothing", "tags only", "hub restarts: idle servers", "nodes: maximum down"):
        verdict = judged(found(name))
        assert verdict.passes and verdict.missing == () and verdict.allowed == DEFAULT


def test_what_endangers_data_needs_a_line_that_names_the_resource_and_the_line_opens_it():
    difference_ = found("homes: file system goes")
    shut = judged(difference_)
    assert not shut.passes
    (needed,) = shut.missing
    assert (
        needed.subject == "aws:efs/fileSystem:FileSystem::homes-file-system"
        and needed.class_ == "endangers data"
    )
    assert needed.line.startswith(
        "acknowledge dev endangers-data aws:efs/fileSystem:FileSystem::homes-file-system "
    )
    assert len(needed.label) <= 50
    for words in (
        [needed.line],
        [f"> {needed.line}"],
        [f"- `{needed.line}`"],
        [needed.label],
        ["looks good", needed.line, "bye"],
    ):
        assert judged(difference_, words).passes, words


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda line: line[:-1] + ("0" if line[-1] != "0" else "1"),
        lambda line: line.replace("dev", "prod", 1),
        lambda line: line + " not",
        str.upper,
    ],
)
def test_a_line_that_is_another_opens_nothing(spoilt):
    difference_ = found("homes: file system goes")
    (needed,) = judged(difference_).missing
    assert not judged(difference_, [spoilt(needed.line)]).passes


def test_a_line_for_one_change_is_worth_nothing_for_another():
    (for_deletion,) = judged(found("homes: file system goes")).missing
    verdict = judged(found("homes: encryption"), [for_deletion.line])
    assert not verdict.passes and verdict.acknowledged == ()


def test_every_needed_line_opens_what_it_names_and_no_more():
    difference_ = found("homes: encryption")
    missing = judged(difference_).missing
    assert len(missing) >= 3
    verdict = judged(difference_, [missing[0].line])
    assert [item.line for item in verdict.acknowledged] == [missing[0].line] and len(
        verdict.missing
    ) == len(missing) - 1


def test_the_policy_is_the_older_sides():
    def pair(old_gate, new_gate):
        old, new = plan(), plan()
        EDITED["nodes: the group goes"](new)
        old["gate"], new["gate"] = old_gate, new_gate
        return difference(side_of(old, "old"), side_of(new, "new"))

    assert not judged(pair({"allow": ["routine"]}, {"allow": ["routine", "replaces"]})).passes
    assert judged(pair({"allow": ["routine", "replaces"]}, {"allow": []})).passes
    assert not judged(pair(None, {"allow": ["routine", "interrupts", "replaces"]})).passes


@pytest.mark.parametrize(
    ("gate", "classes"),
    [
        (None, DEFAULT),
        ({}, DEFAULT),
        ({"allow": "everything"}, DEFAULT),
        ({"allow": []}, ()),
        ({"allow": ["routine", "endangers data", "nonsense", 7]}, ("routine",)),
    ],
)
def test_no_policy_lets_through_what_endangers_data(gate, classes):
    assert allowed_by(gate) == classes


def test_a_check_that_fails_now_shuts_it_whatever_is_acknowledged():
    old, new = plan(), plan()
    new["checks"].append(
        {
            "id": "x",
            "status": "fail",
            "message": "something is wrong",
            "path": None,
            "fix": None,
            "subjects": [],
        }
    )
    verdict = judged(difference(side_of(old, "old"), side_of(new, "new")))
    assert not verdict.passes and verdict.failures == ("something is wrong",)
    old["checks"].append(new["checks"][-1])
    assert judged(difference(side_of(old, "old"), side_of(new, "new"))).passes, "it failed before"


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0"])
@pytest.mark.parametrize(
    "opens",
    [
        lambda cidr: put(
            "SecurityGroupIngressRule",
            "hub-main-cloud-entry-balancer-from-203.0.113.0-24",
            "cidrIpv4",
            value=cidr,
        ),
        lambda cidr: put(
            "eks/cluster:Cluster",
            "cluster-control-plane-eksCluster",
            "vpcConfig",
            "publicAccessCidrs",
            value=[cidr],
        ),
    ],
    ids=["people", "API"],
)
def test_the_internet_by_any_name_is_asked_about_in_a_stack_that_is_new_too(opens, cidr):
    old, new = plan(), plan()
    old["resources"] = []
    opens(cidr)(new)
    said = [
        effect.says
        for effect in difference(side_of(old, "old"), side_of(new, "new")).effects
        if effect.class_ == "widens access"
    ]
    assert any(
        says.startswith("opens") and ("the whole internet" in says or cidr in says) for says in said
    )
