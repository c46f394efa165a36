"""The lines that daily commands show, for the real kubectl and helm: their options exist, and
what kubectl prints is what is read.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hub_stub import answers
from tests.support.in_process import in_process
from tests.support.kubernetes_objects import node, server_pod
from tests.support.stack_files import ROOT

pytestmark = pytest.mark.real


@pytest.mark.skipif(
    shutil.which("helm") is None, reason="no helm on PATH: its options were not looked up"
)
@pytest.mark.parametrize(
    "arguments", [("history", "dev", "main"), ("rollback", "dev", "main", "3")], ids=" ".join
)
def test_helm_knows_the_options(arguments: tuple[str, ...]) -> None:
    line = shlex.split(in_process([*arguments, "--show"], ROOT).stdout)
    assert line[0] == "helm"
    known = subprocess.run(
        ["helm", line[1], "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = {word.partition("=")[0] for word in line if word.startswith("--")}
    assert options and [option for option in options if f"{option} " not in known] == []
    refused = subprocess.run(
        line,
        capture_output=True,
        text=True,
        env={"KUBECONFIG": "/dev/null"},
        executable=shutil.which("helm"),
    ).stderr
    assert "unknown" not in refused and "context" in refused, refused


@pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="no kubectl on PATH: nothing was asked of it"
)
@pytest.mark.parametrize(
    "arguments",
    [
        ("restart", "dev", "main", "proxy"),
        ("logs", "dev", "main", "hub", "-f", "--previous"),
        ("nodes", "dev"),
    ],
    ids=" ".join,
)
def test_kubectl_knows_the_options(arguments: tuple[str, ...]) -> None:
    for text in in_process([*arguments, "--show"], ROOT).stdout.splitlines():
        line = [str(shutil.which("kubectl")), *shlex.split(text)[1:], "--request-timeout=1s"]
        done = subprocess.run(line, capture_output=True, text=True, env={"KUBECONFIG": "/dev/null"})
        assert (
            done.returncode != 0
            and re.search(r"context.*(does not exist|not found).*", done.stderr)
            and "flag" not in done.stderr
        ), done.stderr


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Path]:
    """The kubeadm example whose cluster answers on this machine: nodes and pods, as kubectl
    discovers and lists them.
    """
    kinds = (("nodes", "Node"), ("pods", "Pod"))
    resources = [
        {
            "name": name,
            "singularName": "",
            "namespaced": name == "pods",
            "kind": kind,
            "verbs": ["get", "list"],
        }
        for name, kind in kinds
    ]
    pods = [{"apiVersion": "v1", "kind": "Pod", **server_pod("ada", "ip-10-0-1-2")}]
    nodes = [{"apiVersion": "v1", "kind": "Node", **node("ip-10-0-1-2", "memory")}]
    api = {
        "/readyz": "ok",
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": resources},
        "/api/v1/nodes": {"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": nodes},
        "/api/v1/pods": {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods},
    }
    with answers(api) as port:
        config = tmp_path / "kubeconfig"
        cluster = {"name": "here", "cluster": {"server": f"http://127.0.0.1:{port}"}}
        context = {"name": "admin@here", "context": {"cluster": "here", "user": "me"}}
        lists = {
            "clusters": [cluster],
            "contexts": [context],
            "users": [{"name": "me", "user": {}}],
        }
        config.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **lists}))
        text = (ROOT / "examples/kubeadm/Pulumi.kubeadm.yaml").read_text()
        reached = f"    kind: existing\n    kubeconfig: {config}\n    context: admin@here\n"
        (tmp_path / "Pulumi.kubeadm.yaml").write_text(text.replace("    kind: existing\n", reached))
        yield tmp_path


@pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="no kubectl on PATH: nothing was asked of it"
)
def test_nodes_as_kubectl_lists_them(stack: Path) -> None:
    done = in_process(["nodes", "kubeadm", "--json"], stack, {"HOME": str(stack)})
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["nodes"]
    assert (found["pool"], found["market"], found["state"], found["servers"]) == (
        "memory",
        "spot",
        "ready",
        1,
    )


@pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="no kubectl on PATH: nothing was asked of it"
)
def test_a_cluster_that_does_not_answer(stack: Path) -> None:
    config = stack / "kubeconfig"
    config.write_text(
        json.dumps(
            {
                **json.loads(config.read_text()),
                "clusters": [{"name": "here", "cluster": {"server": "http://127.0.0.1:9"}}],
            }
        )
    )
    done = in_process(["who", "kubeadm"], stack, {"HOME": str(stack)})
    assert done.returncode == 2 and "cluster: its API does not answer from here" in done.stderr, (
        done.stderr
    )
