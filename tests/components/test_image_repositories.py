"""Repositories for a stack's own images: what is registered, what nodes may pull, and what a wrong
argument says.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from jupyterhub_aws.checks.airgap.all import proof
from jupyterhub_aws.checks.cost import cost
from jupyterhub_aws.checks.identities.all import identity_findings
from jupyterhub_aws.components.base import ArgumentError
from jupyterhub_aws.components.image_repositories import ImageRepositoriesArgs
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.config.unlisted_image import image_pattern
from tests.support.stack_files import ROOT
from tests.support.stacks import record
from tests.support.user_images import hub_with

SETTING = 'image_repositories={"physics": {"keep": 7}, "r": {}}'
REPOSITORY = "aws:ecr/repository:Repository"
POLICY = "aws:ecr/lifecyclePolicy:LifecyclePolicy"


def test_each_is_a_private_repository_that_loses_nothing() -> None:
    recording = record(SETTING)
    found = {item.name: item for item in recording.resources.of(REPOSITORY)}
    assert sorted(found) == ["images-physics", "images-r"]
    one = found["images-physics"]
    assert one.inputs["name"] == "jhub-dev/images/physics"
    assert one.inputs["imageTagMutability"] == "IMMUTABLE"
    assert one.inputs["imageScanningConfiguration"] == {"scanOnPush": True}
    assert one.inputs["encryptionConfigurations"] == [{"encryptionType": "KMS"}]
    assert one.inputs["forceDelete"] is False and one.protect and one.retain_on_delete
    assert one.inputs["tags"]["stack"] == "jhub-dev"
    kept = {
        item.name: json.loads(item.inputs["policy"])["rules"][1]["selection"]["countNumber"]
        for item in recording.resources.of(POLICY)
    }
    assert kept == {"images-physics": 7, "images-r": 20}


def test_a_stack_without_them_has_none() -> None:
    assert not record().resources.of(REPOSITORY)


def test_the_bill_says_that_their_storage_is_unknown_before_use() -> None:
    for settings, said in (((SETTING,), True), ((), False)):
        file = read(ROOT / "Pulumi.dev.yaml", settings)
        loaded = load(file.values, secret=file.secret, source=file.source)
        bill = cost(loaded, record(*settings).resources).as_json()
        assert any("in ECR" in item for item in bill["left_out"]) is said


@pytest.mark.parametrize("stack", ["dev", "airgap"])
def test_nodes_may_pull_from_them_and_the_proof_of_an_isolated_network_holds(stack: str) -> None:
    settings = (SETTING, *(("parts=all",) if stack == "airgap" else ()))
    file = read(ROOT / f"Pulumi.{stack}.yaml", settings)
    loaded = load(file.values, secret=file.secret, source=file.source)
    resources = record(*settings, stack=stack).resources
    assert (
        len([item for item in resources.of(REPOSITORY) if "/images/" in item.inputs["name"]]) == 2
    )
    for judged in (identity_findings, proof):
        assert not [item for item in judged(loaded, resources) if item.status in ("fail", "warn")]


OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/jhub-airgap"


@pytest.mark.parametrize(
    ("prefix", "faults"),
    [(f"{OWN}/images", 0), (OWN, 0), (f"{OWN}-evil/images", 1), ("quay.io/jupyter", 1)],
)
def test_in_an_isolated_network_users_write_images_of_these_repositories_alone(
    prefix: str, faults: int
) -> None:
    """What the rules of stack files refuse before is put into what was recorded."""
    hub = hub_with(
        "airgap",
        image_choices={"own": {"image": f"{OWN}/images/physics:1"}},
        unlisted_image={"allowed": [f"{OWN}/images"]},
    )
    settings = (hub, "parts=all", SETTING)
    file = read(ROOT / "Pulumi.airgap.yaml", settings)
    loaded = load(file.values, secret=file.secret, source=file.source)
    resources = record(*settings, stack="airgap").resources

    def other(inputs: dict[str, Any]) -> None:
        for profile in inputs["values"]["singleuser"]["profileList"]:
            option = (profile.get("profile_options") or {}).get("image") or {}
            if "unlisted_choice" in option:
                option["unlisted_choice"]["validation_regex"] = image_pattern((prefix,))

    release = next(item for item in resources if item.name == "hub-main-release")
    inputs = copy.deepcopy(dict(release.inputs))
    other(inputs)
    spoilt = replace(release, inputs=inputs)
    everything = type(resources)(spoilt if item is release else item for item in resources)
    found = [item for item in proof(loaded, everything) if item.status == "fail"]
    assert bool(found) is bool(faults)
    assert all("lets users type the name of an image" in item.message for item in found)
    repositories = [item.inputs["name"] for item in everything.of(REPOSITORY)]
    assert repositories.count("jhub-airgap/images/physics") == 1, "none of the bundle's"


def test_without_the_right_to_pull_the_identities_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same judgement sees a node role that may pull from no repository."""
    file = read(ROOT / "Pulumi.dev.yaml", (SETTING,))
    loaded = load(file.values, secret=file.secret, source=file.source)
    resources = record(SETTING).resources
    kept = [
        item
        for item in resources
        if "ContainerRegistryPullOnly" not in str(item.inputs.get("policyArn"))
    ]
    assert len(kept) < len(list(resources))
    found = identity_findings(loaded, type(resources)(kept))
    assert any("images-physics" in item.message for item in found if item.status == "fail")


@pytest.mark.parametrize(
    ("arguments", "problems"),
    [
        ({"repositories": {}}, ["repositories"]),
        ({"repositories": {"Physics": {}}}, ["repositories.Physics"]),
        ({"repositories": {"physics": {"keep": 0}}}, ["repositories.physics.keep"]),
        ({"repositories": {"physics": {}}, "physical_name": "X"}, ["physical_name"]),
        ({"repositories": {"physics": {}}, "tags": ["x"]}, ["tags"]),
        ({"repositories": ["physics"]}, ["repositories"]),
    ],
)
def test_a_wrong_argument_is_said_before_anything_is_registered(
    arguments: dict[str, Any], problems: list[str]
) -> None:
    with pytest.raises(ArgumentError) as caught:
        ImageRepositoriesArgs(**arguments).resolved("images")
    assert [problem.path for problem in caught.value.problems] == problems
