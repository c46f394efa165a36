"""The chart's continuous image puller as the real Helm renders it: which images, on which nodes,
waited for by nothing, and let in at Pod Security `restricted`; and images that users write, in the
pods that the real KubeSpawner makes under the chart's configuration.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.checks.user_pods import UserPod, user_pods
from tests.support.chart import missing_for_the_chart, rendered
from tests.support.pod_security import violations
from tests.support.spawner import SpawnError, spawned_pods
from tests.support.stacks import record
from tests.support.user_images import CUDA, SCIPY, R, hub_with

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_the_chart()), reason=missing_for_the_chart()),
]


def release_of(*settings: str) -> Any:
    (found,) = [
        item
        for item in record(*settings).resources.of("kubernetes:helm.sh/v3:Release")
        if item.name == "hub-main-release"
    ]
    return found


def values_of(*settings: str) -> dict[str, Any]:
    text = json.dumps(release_of(*settings).inputs["values"])
    return dict(json.loads(text.replace('"[secret]"', json.dumps("0" * 64))))


def pullers(*settings: str) -> list[dict[str, Any]]:
    objects = rendered(values_of(*settings), release="hub-main")
    return [item for item in objects if item["kind"] in ("DaemonSet", "Job")]


def test_without_a_pool_there_is_no_puller() -> None:
    assert pullers(hub_with()) == []


def test_it_pulls_each_image_of_the_pool_once_and_waits_for_nothing() -> None:
    (daemons,) = pullers(hub_with(pre_pull_pools=["memory"]))
    assert daemons["metadata"]["name"] == "continuous-image-puller"
    # Helm 3.20.2, pkg/kube/ready.go: what it waits for is zero pods then.
    strategy = daemons["spec"]["updateStrategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}}
    assert not (daemons["metadata"].get("annotations") or {}), "no hook of Helm's"
    spec = daemons["spec"]["template"]["spec"]
    images = [container["image"] for container in spec["initContainers"]]
    assert sorted(images) == sorted([SCIPY, R])
    (pause,) = spec["containers"]
    assert pause["image"].startswith("registry.k8s.io/pause:")


def test_it_is_let_in_at_pod_security_restricted() -> None:
    for pools in (["memory"], ["gpu"], ["memory", "gpu"]):
        (daemons,) = pullers(hub_with(pre_pull_pools=pools))
        assert violations(daemons["spec"]["template"]) == []
        assert daemons["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def as_pod(template: dict[str, Any]) -> UserPod:
    spec = template["spec"]
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return UserPod(
        hub="main",
        profile="",
        display_name="",
        node_selector=spec.get("nodeSelector") or {},
        tolerations=tuple(spec["tolerations"]),
        requests={},
        limits={},
        image="",
        required=tuple(terms["nodeSelectorTerms"]),
    )


@pytest.mark.parametrize("pools", [["memory"], ["gpu"], ["gpu", "memory"]])
def test_it_runs_on_the_nodes_of_these_pools_and_nowhere_else(pools: list[str]) -> None:
    settings = (hub_with(pre_pull_pools=pools),)
    (daemons,) = pullers(*settings)
    puller = as_pod(daemons["spec"]["template"])
    servers = {pod.profile: pod for pod in user_pods(release_of(*settings))}
    labels = {
        "memory": dict(servers["small"].node_selector),
        "gpu": dict(servers["gpu"].node_selector),
    }
    for pool, its in labels.items():
        assert puller.may_run_on(its) is (pool in pools)
    assert not puller.may_run_on({"hub.jupyter.org/node-purpose": "core"})
    assert not puller.may_run_on({})
    for pool, profile in (("memory", "small"), ("gpu", "gpu")):
        if pool in pools:
            for item in servers[profile].tolerations:
                if item["effect"] == "NoSchedule":
                    assert puller.tolerates(item), item


def test_servers_run_where_they_ran_without_it(tmp_path: Path) -> None:
    cases = [("ada", "small"), ("ada", "gpu"), ("ada", None)]

    def places(folder: Path, *settings: str) -> list[tuple[Any, Any, Any]]:
        folder.mkdir()
        return [
            (pod["spec"].get("nodeSelector"), pod["spec"]["tolerations"], pod["spec"]["affinity"])
            for pod in spawned_pods(values_of(*settings), cases, folder)
        ]

    with_it = places(tmp_path / "with", hub_with(pre_pull_pools=["memory", "gpu"]))
    assert with_it == places(tmp_path / "without", hub_with())


FREE = {"allowed": ["quay.io/jupyter"], "groups": ["example-org:staff"]}
FIELD = "image--unlisted-choice"


def spawned(folder: Path, options: dict[str, str], *groups: str) -> str:
    case = {"user": "ada", "options": options, "groups": list(groups), "admin": False}
    (pod,) = spawned_pods(values_of(hub_with(unlisted_image=FREE)), [case], folder)
    return str(pod["spec"]["containers"][0]["image"])


def test_a_member_of_the_groups_gets_the_image_that_they_wrote(tmp_path: Path) -> None:
    options = {"profile": "small", FIELD: "quay.io/jupyter/julia-notebook:2026-08-03"}
    image = spawned(tmp_path, options, "example-org:staff")
    assert image == "quay.io/jupyter/julia-notebook:2026-08-03"


@pytest.mark.parametrize(
    ("options", "groups"),
    [
        ({"profile": "small", FIELD: "quay.io/jupyter/julia-notebook:1"}, ()),
        ({"profile": "small", FIELD: "evil.org/x:1"}, ("example-org:staff",)),
        ({"profile": "small", FIELD: "quay.io/jupyter/x:latest"}, ("example-org:staff",)),
    ],
)
def test_what_is_not_allowed_starts_no_server(
    options: dict[str, str], groups: tuple[str, ...], tmp_path: Path
) -> None:
    with pytest.raises(SpawnError, match="unlisted_choice"):
        spawned(tmp_path, options, *groups)


def test_without_a_profile_the_text_is_dropped(tmp_path: Path) -> None:
    assert spawned(tmp_path, {FIELD: "evil.org/x:1"}, "example-org:staff") == SCIPY


def test_images_of_a_profile_of_another_pool_are_not_pulled() -> None:
    (daemons,) = pullers(hub_with(pre_pull_pools=["gpu"]))
    images = [item["image"] for item in daemons["spec"]["template"]["spec"]["initContainers"]]
    assert sorted(images) == sorted([SCIPY, CUDA]), "the chart pulls singleuser.image always"
