"""The pods that checks predict are those that the real chart and the real KubeSpawner made of
the same values.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from jupyterhub_aws.checks.cost_lines import user_hours
from jupyterhub_aws.checks.placement import user_nodes
from jupyterhub_aws.checks.user_pods import UserPod, user_pods
from jupyterhub_aws.config.chart import chart_version
from jupyterhub_aws.config.homes import EfsHomesSection, NfsHomes
from jupyterhub_aws.config.prices import Prices
from tests.checks.doctored import stack_of
from tests.support.hub_cases import (
    CASES,
    PEOPLE,
    RECORDED,
    REFRESH,
    choices_of,
    release,
    what_makes_pods,
)
from tests.support.pod_security import violations
from tests.support.stacks import record


@cache
def recording() -> dict[str, Any]:
    return json.loads(RECORDED.read_text(encoding="utf-8"))


def entries(case: str) -> list[dict[str, Any]]:
    return recording()["cases"][case]["pods"]


def chosen(case: str) -> Iterator[tuple[UserPod, dict[str, Any]]]:
    """Each predicted pod with the one that was made."""
    made = {entry["profile"]: entry["pod"] for entry in entries(case) if entry["profile"]}
    for pod in user_pods(release(case)):
        yield pod, made[pod.profile]


def amounts(found: Mapping[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in found.items()}


def test_the_recording_is_of_the_pinned_chart_and_of_every_case() -> None:
    assert recording()["chart"] == chart_version(), REFRESH
    assert set(recording()["cases"]) == set(CASES), REFRESH


@pytest.mark.real
@pytest.mark.parametrize("case", CASES)
def test_the_recording_is_of_the_values_that_are_rendered_now(case: str) -> None:
    values = release(case).inputs["values"]
    assert recording()["cases"][case]["values"] == json.loads(
        json.dumps(what_makes_pods(values))
    ), f"record again: {REFRESH}"
    assert [entry["profile"] for entry in entries(case) if entry["profile"]] == list(
        choices_of(values)
    )


@pytest.mark.parametrize("case", CASES)
def test_predicted_pods_are_those_that_were_made(case: str) -> None:
    for predicted, made in chosen(case):
        (container,) = made["spec"]["containers"]
        assert dict(predicted.node_selector) == made["spec"]["nodeSelector"]
        key = lambda item: sorted(item.items())  # noqa: E731 -- tolerations have no order
        assert sorted(predicted.tolerations, key=key) == sorted(
            made["spec"]["tolerations"], key=key
        )
        assert dict(predicted.limits) == amounts(container["resources"]["limits"])
        assert dict(predicted.requests) == amounts(container["resources"]["requests"])
        assert predicted.image == container["image"]


@pytest.mark.parametrize("case", CASES)
def test_a_person_who_chooses_nothing_gets_the_first_profile(case: str) -> None:
    first, *_ = entries(case)
    undecided = next(entry for entry in entries(case) if entry["profile"] is None)
    for key in ("nodeSelector", "tolerations", "affinity"):
        assert undecided["pod"]["spec"].get(key) == first["pod"]["spec"].get(key)
    assert (
        undecided["pod"]["spec"]["containers"][0]["resources"]
        == first["pod"]["spec"]["containers"][0]["resources"]
    )


@pytest.mark.parametrize("case", CASES)
def test_the_namespaces_admission_lets_every_pod_in(case: str) -> None:
    assert {entry["person"] for entry in entries(case)} == set(PEOPLE)
    for entry in entries(case):
        assert violations(entry["pod"]) == [], f"{entry['person']}: {entry['profile']}"


@pytest.mark.parametrize("case", CASES)
def test_pods_have_no_token_of_the_cluster_and_belong_to_the_owner_of_homes(case: str) -> None:
    for entry in entries(case):
        spec = entry["pod"]["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["fsGroup"] == 100
        assert spec["containers"][0]["securityContext"]["runAsUser"] == 1000
        assert "initContainers" not in spec or spec["initContainers"] == []


@pytest.mark.parametrize("case", CASES)
def test_each_person_has_a_home_of_ones_own(case: str) -> None:
    homes = stack_of(*CASES[case]).homes
    mounts = {}
    for entry in entries(case):
        spec = entry["pod"]["spec"]
        (container,) = spec["containers"]
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        (mounts[entry["person"]],) = [
            (volumes[mount["name"]], mount.get("subPath"))
            for mount in container["volumeMounts"]
            if mount["mountPath"] == "/home/jovyan"
        ] or [(None, None)]
    where = {person: json.dumps(mount) for person, mount in mounts.items()}
    if homes.kind == "ephemeral":
        assert set(mounts.values()) == {(None, None)}
        return
    assert len(set(where.values())) == len(PEOPLE), "two people share a home"
    if isinstance(homes, (EfsHomesSection, NfsHomes)):
        assert {mount[0]["persistentVolumeClaim"]["claimName"] for mount in mounts.values()} == {
            "homes"
        }
        assert all(mount[1] for mount in mounts.values())


def test_homes_of_2021_keep_their_names() -> None:
    (mount,) = [
        mount
        for entry in entries("nfs")
        if entry["person"] == "alice@corp.example"
        for mount in entry["pod"]["spec"]["containers"][0]["volumeMounts"]
        if mount["mountPath"] == "/home/jovyan"
    ]
    assert mount["subPath"] == "home/alice-40corp-2eexample"


def test_what_a_profile_sets_reaches_the_server() -> None:
    (plain,) = [entry["pod"] for entry in entries("own profiles") if entry["profile"] == "plain"]
    variables = {item["name"]: item.get("value") for item in plain["spec"]["containers"][0]["env"]}
    assert (variables["LANG"], variables["WHO"], variables["JSON"]) == ("C.UTF-8", "alice", "{}")
    assert variables["MEM_LIMIT"] == str(int(3.5 * 1024**3))


def test_the_recorded_release_is_the_programs_own() -> None:
    assert (
        release("as committed").inputs["values"]
        == record().one("kubernetes:helm.sh/v3:Release", "hub-main-release").inputs["values"]
    )


def test_a_protected_server_has_a_place_and_a_price_on_demand_only() -> None:
    settings = CASES["oidc, every choice"]
    (protected,) = [
        pod for pod in user_pods(release("oidc, every choice")) if pod.profile == "protected"
    ]
    stack, resources = stack_of(*settings), record(*settings).resources
    groups = {
        node.name: protected.may_run_on(node.labels)
        for node in user_nodes(stack, resources)
        if node.pool == "memory"
    }
    assert groups == {"pools-memory-on-demand-group": True, "pools-memory-spot-group": False}
    hours = {hour.profile: hour for hour in user_hours(stack, resources, Prices())}
    assert hours["protected"].spot is None and hours["protected"].on_demand is not None
    assert hours["sized"].spot is not None and hours["sized/small"].users_per_node == 7


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ({"key": "a", "operator": "In", "values": ["1", "2"]}, True),
        ({"key": "a", "operator": "NotIn", "values": ["1"]}, False),
        ({"key": "b", "operator": "NotIn", "values": ["1"]}, True),
        ({"key": "b", "operator": "Exists"}, False),
        ({"key": "b", "operator": "DoesNotExist"}, True),
    ],
)
def test_required_affinity_is_read_as_the_scheduler_reads_it(
    expression: dict[str, Any], runs: bool
) -> None:
    pod, *_ = user_pods(release("as committed"))
    pod = dataclasses.replace(pod, node_selector={}, required=({"matchExpressions": [expression]},))
    assert pod.may_run_on({"a": "1"}) is runs
    other = dataclasses.replace(
        pod,
        required=(
            {"matchExpressions": [expression]},
            {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
        ),
    )
    assert other.may_run_on({"a": "1"}), "one term is enough"
