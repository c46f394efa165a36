"""The stack's cluster by `kubectl`: what is said when it refuses can be typed as it stands."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.operate.live.cluster import KubectlCluster
from tests.support.cluster_tools import Tools

pytestmark = pytest.mark.real


def test_a_tunnel_that_does_not_open_is_shown_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = Tools(tmp_path / "bin")
    for key, value in tools.environment.items():
        monkeypatch.setenv(key, value)
    cluster = KubectlCluster(command="jhub health", kubeconfig="", context="jhub-dev")
    with pytest.raises(ConfigError) as refused, cluster.forwarded("hub-main", "service/hub", 8081):
        pass
    (problem,) = refused.value.problems
    assert problem.id == "cluster.refused"
    assert problem.path == "kubectl port-forward --namespace hub-main service/hub"
    run = [
        "kubectl",
        "--context",
        "jhub-dev",
        "port-forward",
        "--namespace",
        "hub-main",
        "service/hub",
        ":8081",
        "--address",
        "127.0.0.1",
    ]
    assert problem.fix == f"try it yourself: {' '.join(run)}" and tools.asked == [run]


def test_a_tunnel_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = tmp_path / "kubectl"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("jupyterhub_aws.operate.live.cluster._FORWARD_SECONDS", 0.2)
    cluster = KubectlCluster(command="jhub health", kubeconfig="", context="jhub-dev")
    began = time.monotonic()
    with pytest.raises(ConfigError, match="kubectl gave no reason"):
        with cluster.forwarded("hub-main", "service/hub", 8081):
            pass
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("said", "path", "which"),
    [
        (
            "error: You must be logged in to the server (Unauthorized)",
            "cluster",
            "cluster.not-allowed",
        ),
        (
            "Unable to connect to the server: dial tcp: i/o timeout",
            "cluster",
            "cluster.unreachable",
        ),
        ("error: the server is not ready", "kubectl get --raw /readyz", "cluster.refused"),
    ],
)
def test_what_kubectl_says_is_one_of_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, path: str, which: str
) -> None:
    tools = Tools(tmp_path / "bin")
    tools.answer("kubectl", "get", "--raw", "/readyz", stderr=f"{said}\n", code=1)
    for key, value in tools.environment.items():
        monkeypatch.setenv(key, value)
    cluster = KubectlCluster(command="jhub health", kubeconfig="", context="")
    with pytest.raises(ConfigError) as refused:
        cluster.reached()
    (problem,) = refused.value.problems
    assert (problem.path, problem.id) == (path, which) and said[:20] in problem.what


def test_a_hub_that_refuses_and_one_that_does_not_answer() -> None:
    from jupyterhub_aws.operate.live.hub_api import HubApi
    from tests.support.hub_stub import answers

    with answers({}, token="its own") as port:
        url = f"http://127.0.0.1:{port}"
        with pytest.raises(ConfigError) as refused:
            HubApi("main", url, "another").get_notice()
    with pytest.raises(ConfigError) as silent:
        HubApi("main", url, "its own").get_notice()
    found = [(item.path, item.id) for item in (*refused.value.problems, *silent.value.problems)]
    assert found == [("hub main", "hub.refused"), ("hub main", "hub.no-answer")]
    assert "with 403 (no)" in refused.value.problems[0].what
