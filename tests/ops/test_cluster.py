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
