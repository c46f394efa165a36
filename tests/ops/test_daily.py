"""Day-to-day commands: what they run, what they show, and what they refuse before anything is
run.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ruamel.yaml import YAML

from jupyterhub_aws.components.hub.values.hub import OPERATOR
from tests.support.cloud import Cloud, built, cloud
from tests.support.cluster_tools import Tools
from tests.support.data_examples import described
from tests.support.data_keys import faults
from tests.support.hub_stub import answers
from tests.support.in_process import Done, in_process
from tests.support.kubernetes_objects import (
    claim,
    hub_server,
    node,
    person,
    release,
    server_pod,
    waiting_pod,
)
from tests.support.live import environment
from tests.support.pause_shapes import SHAPES
from tests.support.stack_files import ROOT

TOKEN = "t" * 64


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    """The kubeadm example, and the tools of its cluster."""
    text = (ROOT / "examples/kubeadm/Pulumi.kubeadm.yaml").read_text()
    (tmp_path / "Pulumi.kubeadm.yaml").write_text(
        text.replace("    kind: existing\n", "    kind: existing\n    context: admin@closed\n")
    )
    return Tools(tmp_path / "bin")


def jhub(tools: Tools, *arguments: str) -> Done:
    return in_process(arguments, tools.folder.parent, {**tools.environment, "COLUMNS": "80"})


def fits(text: str) -> bool:
    return max(map(len, text.splitlines())) <= 80


@pytest.fixture
def hub(tools: Tools) -> Iterator[Tools]:
    """A hub with three servers on two nodes."""
    people = [
        person("ada", hub_server("large")),
        person(
            "bob@example.org",
            hub_server("small"),
            hub_server("small", name="second", pending="spawn"),
        ),
        person("cleo"),
    ]
    token = base64.b64encode(TOKEN.encode()).decode()
    tools.answer(
        "kubectl",
        "get",
        "secret",
        "hub",
        stdout=json.dumps({"data": {f"hub.services.{OPERATOR}.apiToken": token}}),
    )
    tools.items(
        "get",
        "nodes",
        items=[
            node("ip-10-0-1-2", "memory"),
            node("ip-10-0-1-9", "core", spot=False, cordoned=True),
        ],
    )
    bob = [
        server_pod("bob@example.org", "ip-10-0-1-2"),
        server_pod("bob@example.org", "", server="second"),
    ]
    tools.items("get", "pods", items=[server_pod("ada", "ip-10-0-1-2"), *bob])
    with answers({"/hub/api/users": people}, token=TOKEN) as port:
        tools.leads("service/hub", port)
        yield tools


@pytest.mark.real
def test_who_runs_what(hub: Tools) -> None:
    done = jhub(hub, "who", "kubeadm")
    assert done.returncode == 0 and fits(done.stdout), done.stderr
    rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert any(row.startswith("main ada large ip-10-0-1-2 memory ") for row in rows), done.stdout
    assert (
        "3 servers of 2 users" in done.stdout
        and "starts" in done.stdout
        and TOKEN not in done.stdout + done.stderr
    )
    found = described("who", jhub(hub, "who", "kubeadm", "--json").stdout)
    assert [
        (item["user"], item["server"], item["state"], item["node"], item["pool"])
        for item in found["servers"]
    ] == [
        ("ada", "", "runs", "ip-10-0-1-2.ec2.internal", "memory"),
        ("bob@example.org", "", "runs", "ip-10-0-1-2.ec2.internal", "memory"),
        ("bob@example.org", "second", "starts", "", ""),
    ]
    assert found["servers"][0]["last_activity"] == "2026-11-28T11:30:00.000000Z"


@pytest.mark.real
def test_nodes_by_pool(hub: Tools) -> None:
    done = jhub(hub, "nodes", "kubeadm")
    assert fits(done.stdout)
    rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert rows[1].startswith("core ip-10-0-1-9 r5n.2xlarge 1a on demand v1.35.2 ") and rows[
        1
    ].endswith(" 0 cordoned"), done.stdout
    found = described("nodes", jhub(hub, "nodes", "kubeadm", "--json").stdout)["nodes"]
    rows = [(item["pool"], item["market"], item["state"], item["servers"]) for item in found]
    assert rows == [("core", "on demand", "cordoned", 0), ("memory", "spot", "ready", 2)]


@pytest.mark.real
def test_a_pool_without_a_node_is_named(tools: Tools) -> None:
    tools.items("get", "nodes", items=[])
    tools.items("get", "pods", items=[])
    assert "no node: memory" in jhub(tools, "nodes", "kubeadm").stdout


def ran(tools: Tools, program: str) -> list[str]:
    """The lines of a program that were run, without those that only look."""
    looks = {"get"}
    return [
        " ".join(words) for words in tools.asked if words[0] == program and not looks & set(words)
    ]


@pytest.mark.real
def test_a_restart_says_whom_it_interrupts_and_shows_what_it_runs(hub: Tools) -> None:
    hub.answer("kubectl", "rollout")
    done = jhub(hub, "restart", "kubeadm", "main", "proxy", "--yes")
    assert done.returncode == 0 and "2 work there now: ada, bob@example.org." in done.stderr, (
        done.stderr
    )
    called = "kubectl --context admin@closed --namespace hub-main rollout"
    lines = [f"{called} restart deployment/proxy", f"{called} status deployment/proxy --timeout=5m"]
    assert [line for line in ran(hub, "kubectl") if "rollout" in line] == lines
    assert all(f"  $ {line}" in done.stderr for line in lines)


@pytest.mark.real
def test_a_script_reads_whom_a_restart_interrupted(
    hub: Tools, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.answer("kubectl", "rollout", stdout="deployment.apps/proxy restarted\n")
    line = ("restart", "kubeadm", "main", "proxy", "--json")
    (problem,) = described("problems", jhub(hub, *line).stdout)["problems"]
    assert problem["id"] == "command.needs-yes"
    capfd.readouterr()
    done = jhub(hub, *line, "--yes")
    found = described("restart", done.stdout)
    assert done.returncode == 0 and found["users"] == ["ada", "bob@example.org"], done.stderr
    assert [line for line in ran(hub, "kubectl") if "rollout" in line] == [
        line.strip().removeprefix("$ ") for line in done.stderr.splitlines() if "$ kubectl" in line
    ]
    printed = capfd.readouterr()
    assert printed.out == "" and "restarted" in printed.err, "standard output is for data"
    hub.answer("kubectl", "rollout", stderr="error: timed out\n", code=1)
    done = jhub(hub, *line, "--yes")
    (problem,) = described("problems", done.stdout)["problems"]
    assert (done.returncode, problem["id"], problem["path"]) == (2, "tool.failed", "kubectl")
    assert "timed out" in capfd.readouterr().err


@pytest.mark.real
def test_a_script_reads_from_which_revision_to_which(
    tools: Tools, capfd: pytest.CaptureFixture[str]
) -> None:
    kept = [release(1, "superseded"), release(2, "superseded"), release(3, "failed")]
    tools.answer("helm", "history", stdout=json.dumps(kept))
    tools.answer("helm", "rollback", stdout="Rollback was a success! Happy Helming!\n")
    done = jhub(tools, "rollback", "kubeadm", "main", "--yes", "--json")
    found = described("rollback", done.stdout)
    assert (done.returncode, found["from"]["revision"], found["to"]["revision"]) == (0, 3, 2)
    assert "git revert" in found["says"] and capfd.readouterr().out == ""
    tools.answer("helm", "rollback", stderr="Error: timed out\n", code=1)
    done = jhub(tools, "rollback", "kubeadm", "main", "--yes", "--json")
    (problem,) = described("problems", done.stdout)["problems"]
    assert (done.returncode, problem["id"], problem["path"]) == (2, "tool.failed", "helm")


@pytest.mark.parametrize(
    "words", [("nodes",), ("history", "main"), ("restart", "main", "hub"), ("rollback", "main")]
)
def test_lines_and_data_are_not_both_on_standard_output(
    tools: Tools, words: tuple[str, ...]
) -> None:
    name, *rest = words
    done = jhub(tools, name, "kubeadm", *rest, "--show", "--json")
    (problem,) = described("problems", done.stdout)["problems"]
    assert done.returncode == 2 and problem["id"] == "command.exclusive" and tools.asked == []


@pytest.mark.real
def test_a_hub_that_hangs_is_restarted_all_the_same(tools: Tools) -> None:
    tools.answer("kubectl", "rollout")
    token = base64.b64encode(TOKEN.encode()).decode()
    tools.answer(
        "kubectl",
        "get",
        "secret",
        "hub",
        stdout=json.dumps({"data": {f"hub.services.{OPERATOR}.apiToken": token}}),
    )
    done = jhub(tools, "restart", "kubeadm", "main", "hub", "--yes")
    assert (
        done.returncode == 0
        and "Who works there now is not known, because the hub was not reached (" in done.stderr
    )
    data = json.loads(jhub(tools, "restart", "kubeadm", "main", "hub", "--yes", "--json").stdout)
    assert faults("restart", data) == [] and data["users"] is None
    assert "does not say: it" not in done.stderr and "it Error" not in done.stderr, (
        "what kubectl says is no half of a sentence"
    )


@pytest.mark.real
def test_no_user_is_interrupted_without_confirmation(hub: Tools) -> None:
    hub.answer(
        "helm", "history", stdout=json.dumps([release(1, "superseded"), release(2, "deployed")])
    )
    for arguments in (("restart", "kubeadm", "main", "hub"), ("rollback", "kubeadm", "main")):
        done = jhub(hub, *arguments)
        assert done.returncode == 2 and "[command.needs-yes]" in done.stderr, done.stderr
    assert not [
        line
        for line in ran(hub, "kubectl") + ran(hub, "helm")
        if "rollout" in line or "rollback" in line
    ]


@pytest.mark.real
@pytest.mark.parametrize(
    ("wanted", "kept", "result"),
    [
        ((), [release(1, "superseded"), release(2, "superseded"), release(3, "deployed")], "2"),
        (("1",), [release(1, "superseded"), release(2, "superseded"), release(3, "deployed")], "1"),
        (
            (),
            [
                release(4, "superseded"),
                release(5, "deployed"),
                release(6, "failed"),
                release(7, "pending-upgrade"),
            ],
            "5",
        ),
        (
            ("6",),
            [release(5, "superseded"), release(6, "failed"), release(7, "deployed")],
            "choose from 5",
        ),
        (("9",), [release(1, "superseded"), release(2, "deployed")], "got 9: not kept"),
        (("2",), [release(1, "superseded"), release(2, "deployed")], "got 2: the newest"),
        ((), [release(1, "deployed")], "release: has no older revision"),
    ],
)
def test_back_to_a_release_that_ran(
    tools: Tools, wanted: tuple[str, ...], kept: list[dict[str, Any]], result: str
) -> None:
    tools.answer("helm", "history", stdout=json.dumps(kept))
    tools.answer("helm", "rollback", stdout="Rollback was a success! Happy Helming!\n")
    done = jhub(tools, "rollback", "kubeadm", "main", *wanted, "--yes")
    lines = [line for line in ran(tools, "helm") if "rollback" in line]
    if result.isdigit():
        assert done.returncode == 0 and lines == [
            f"helm rollback hub-main {result} --namespace hub-main --wait --timeout 10m"
            " --kube-context admin@closed"
        ]
        assert "git revert" in done.stderr and "pulumi up" in done.stderr
    else:
        assert done.returncode == 2 and result in done.stderr and lines == []
        assert "[release.no-older]" in done.stderr


@pytest.mark.real
def test_a_tool_that_fails_is_named_with_its_words(tools: Tools) -> None:
    tools.answer("helm", "history", stderr="Error: release: not found\n", code=1)
    done = jhub(tools, "rollback", "kubeadm", "main", "--yes")
    assert done.returncode == 2 and "helm: Error: release: not found" in done.stderr
    assert "[tool.failed]" in done.stderr


def test_a_profile_that_no_hub_has_is_said_before_anything_is_tried() -> None:
    from jupyterhub_aws.config.errors import ConfigError
    from jupyterhub_aws.operate.health.report import known
    from tests.support.stack_cases import load_case

    with pytest.raises(ConfigError) as caught:
        known("jhub health", load_case({}), ["main"], ["smal", "small"])
    (problem,) = caught.value.problems
    assert (problem.path, problem.id) == ("--profile", "profile.unknown")
    assert problem.fix == "did you mean small?"


@pytest.mark.real
def test_history_as_data(tools: Tools) -> None:
    """Helm's own line stays out of it, and a hub without a release is a problem as data."""
    kept = [release(1, "superseded"), release(2, "deployed")]
    tools.answer("helm", "history", stdout=json.dumps(kept), stderr="a warning of helm\n")
    done = jhub(tools, "history", "kubeadm", "main", "--json")
    found = described("history", done.stdout)
    assert done.returncode == 0 and found["hub"] == "main"
    assert [(item["revision"], item["status"]) for item in found["revisions"]] == [
        (1, "superseded"),
        (2, "deployed"),
    ]
    tools.answer("helm", "history", stderr="Error: release: not found\n", code=1)
    done = jhub(tools, "history", "kubeadm", "main", "--json")
    assert done.returncode == 2 and described("problems", done.stdout)["problems"]


@pytest.mark.real
def test_history_and_logs_run_the_tools_themselves(hub: Tools) -> None:
    hub.answer("helm", "history")
    hub.answer("kubectl", "logs")
    called = "kubectl --context admin@closed --namespace hub-main logs"
    for arguments, line in (
        (
            ("history", "kubeadm", "main"),
            "helm history hub-main --namespace hub-main --kube-context admin@closed",
        ),
        (("logs", "kubeadm", "main"), f"{called} deployment/hub --tail=200"),
        (
            ("logs", "kubeadm", "main", "proxy", "-f"),
            f"{called} deployment/proxy --tail=200 --follow",
        ),
        (
            ("logs", "kubeadm", "main", "ada", "--previous"),
            f"{called} pod/jupyter-ada---abcd --tail=200 --previous",
        ),
    ):
        hub.forget()
        done = jhub(hub, *arguments)
        assert done.returncode == 0 and f"  $ {line}" in done.stderr, done.stderr
        assert line in [*ran(hub, "helm"), *ran(hub, "kubectl")]
    done = jhub(hub, "logs", "kubeadm", "main", "adda")
    assert (
        done.returncode == 2
        and "no user called 'adda' has a server there; did you mean ada?" in done.stderr
        and "[user.no-server]" in done.stderr
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("history", "main"),
        ("rollback", "main"),
        ("rollback", "main", "3"),
        ("restart", "main", "proxy"),
        ("logs", "main", "proxy"),
        ("nodes",),
    ],
    ids=" ".join,
)
def test_show_runs_nothing(tools: Tools, arguments: tuple[str, ...]) -> None:
    done = jhub(tools, arguments[0], "kubeadm", *arguments[1:], "--show")
    assert done.returncode == 0 and tools.asked == [] and "admin@closed" in done.stdout


@pytest.mark.real
def test_the_doctor_finds_what_is_stuck(tools: Tools) -> None:
    tools.answer(
        "helm",
        "history",
        stdout=json.dumps(
            [release(3, "superseded"), release(4, "deployed"), release(5, "pending-upgrade")]
        ),
    )
    proxy = {
        "metadata": {"name": "proxy-7c"},
        "spec": {},
        "status": {
            "phase": "Pending",
            "containerStatuses": [{"ready": False, "state": {"waiting": {}}}],
        },
    }
    unschedulable = waiting_pod("jupyter-ada", unschedulable="0/3 nodes are available")
    tools.items(
        "get",
        "pods",
        items=[waiting_pod("hub-5f", reason="CrashLoopBackOff"), unschedulable, proxy],
    )
    mount = {
        "involvedObject": {"name": "proxy-7c"},
        "reason": "FailedMount",
        "message": 'secret "hub-tls" not found',
        "lastTimestamp": "2026-11-29T22:00:00Z",
    }
    tools.items("get", "events", items=[mount])
    tools.items("get", "pvc", items=[claim("hub-db-dir", "Pending"), claim("homes", "Bound")])
    tools.items("get", "nodes", items=[node("ip-1", "memory", ready=False), node("ip-2", "memory")])
    done = jhub(tools, "doctor", "kubeadm")
    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert (
        "release 5 is pending-upgrade" in text
        and "helm rollback hub-main 4 --namespace hub-main" in text
    )
    pods = (
        "pod hub-5f: CrashLoopBackOff, 7 restarts",
        "pod jupyter-ada finds no node: 0/3 nodes are available",
    )
    pods = (*pods, 'pod proxy-7c is not ready: FailedMount: secret "hub-tls" not found')
    for words in (
        *pods,
        "the claim hub-db-dir has no volume",
        "ip-1.ec2.internal (memory) is not ready",
    ):
        assert words in text, text
    found = described("doctor", jhub(tools, "doctor", "kubeadm", "--json").stdout)
    assert len(found["findings"]) == 6


@pytest.mark.real
def test_the_doctor_of_a_first_installation_and_of_a_healthy_stack(tools: Tools) -> None:
    for what in ("pods", "events", "pvc", "nodes"):
        tools.items("get", what, items=[])
    tools.answer("helm", "history", stdout=json.dumps([release(1, "pending-install")]))
    said = " ".join(jhub(tools, "doctor", "kubeadm").stdout.split())
    assert "helm uninstall hub-main --namespace hub-main" in said
    assert (
        "then: pulumi refresh -s kubeadm --yes --clear-pending-creates, then: pulumi up -s kubeadm"
        in said
    ), "else: has no deployed releases"
    tools.answer("helm", "history", stdout=json.dumps([release(1, "deployed")]))
    done = jhub(tools, "doctor", "kubeadm")
    assert done.returncode == 0 and "nothing is stuck" in done.stdout


# --- a cluster that the stack made ---


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    with cloud() as found:
        yield found


@pytest.mark.real
def test_a_kubeconfig_holds_no_credential_and_leaves_others_alone(
    account: Cloud, tmp_path: Path
) -> None:
    shape = SHAPES["open"]
    shape.into(tmp_path)
    account.reset()
    known = environment(account.url)
    known.pop("AWS_PROFILE", None)
    none = in_process(["kubeconfig", "dev"], tmp_path, known)
    assert none.returncode == 2 and "[cluster.none]" in none.stderr, none.stderr
    built(account, shape.config(tmp_path))
    known["AWS_PROFILE"] = "nobody's"
    said = in_process(["kubeconfig", "dev"], tmp_path, known).stderr
    assert "AWS_PROFILE: The config profile (nobody's)" in said and "[credentials.profile]" in said
    known.pop("AWS_PROFILE")
    printed = in_process(["kubeconfig", "dev"], tmp_path, known)
    assert printed.returncode == 0, printed.stderr
    mine = YAML(typ="safe").load(printed.stdout)
    assert (
        mine["current-context"] == "jhub-dev"
        and list(mine["users"][0]["user"]) == ["exec"]
        and known["AWS_SECRET_ACCESS_KEY"] not in printed.stdout
    )
    target = tmp_path / "deep" / "config"
    other = {"name": "other", "cluster": {"server": "https://other.example"}}
    target.parent.mkdir()
    lists = {"clusters": [other, {"name": "jhub-dev", "cluster": {}}], "users": [], "contexts": []}
    old = {"apiVersion": "v1", "kind": "Config", **lists, "current-context": "other"}
    target.write_text(json.dumps(old))
    done = in_process(["kubeconfig", "dev", "--out", str(target)], tmp_path, known)
    assert done.returncode == 0 and "--context jhub-dev" in done.stdout, done.stderr
    merged = YAML(typ="safe").load(target.read_text())
    assert (
        merged["clusters"] == [other, *mine["clusters"]]
        and merged["current-context"] == "other"
        and target.stat().st_mode & 0o777 == 0o600
    )
    assert list(target.parent.iterdir()) == [target]
    link = tmp_path / "link"
    link.symlink_to(target)
    assert (
        in_process(["kubeconfig", "dev", "--out", str(link)], tmp_path, known).returncode == 0
        and link.is_symlink()
    )
    target.write_text("- no\n")
    refused = in_process(["kubeconfig", "dev", "--out", str(target)], tmp_path, known)
    assert (
        refused.returncode == 2
        and "[kubeconfig.malformed]" in refused.stderr
        and target.read_text() == "- no\n"
    )


@pytest.mark.real
def test_bad_days(account: Cloud, tmp_path: Path) -> None:
    shape = SHAPES["open"]
    file = shape.file(shape.into(tmp_path))
    account.reset()
    built(account, shape.config(tmp_path))
    tools = Tools(tmp_path / "bin")
    known = {**environment(account.url), **tools.environment}
    looks = [("health",), ("who",), ("nodes",), ("doctor",), ("history", "main"), ("logs", "main")]
    every = [*looks, ("restart", "main", "hub", "--yes"), ("rollback", "main", "--yes")]

    def all_say(words: str, env: dict[str, str], commands: list[tuple[str, ...]] = every) -> None:
        for command in commands:
            done = in_process([command[0], "dev", *command[1:]], tmp_path, env)
            assert done.returncode == 2 and words in done.stderr, (
                command,
                done.stdout,
                done.stderr,
            )
            assert not [
                line
                for line in ran(tools, "kubectl") + ran(tools, "helm")
                if "rollout" in line or "rollback" in line
            ]

    with mock.patch.dict("os.environ", clear=False) as env:
        for key in [key for key in env if key.startswith("AWS_")]:
            del env[key]
        nobody = {
            key: value
            for key, value in known.items()
            if key not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE")
        }
        all_say("[credentials.missing]", nobody)
        known.pop("AWS_PROFILE")
        tools.answer(
            "kubectl",
            "get",
            "--raw",
            "/readyz",
            stderr="Unable to connect to the server: dial tcp: i/o timeout\n",
            code=1,
        )
        all_say("[cluster.unreachable]", known)
        tools.answer("kubectl", "get", "--raw", "/readyz", stdout="ok")
        tools.answer(
            "kubectl",
            "get",
            "deployment/cluster-autoscaler",
            stdout=json.dumps({"spec": {"replicas": 0}, "status": {}}),
        )
        all_say(
            "[stack.half-paused]",
            known,
            [item for item in every if item[0] in ("health", "doctor", "restart", "rollback")],
        )
        text = file.read_text()
        file.write_text(text.replace("  name:", "  paused: true\n  name:"))
        all_say(
            "is paused, so no user can work now; bring it back: jhub resume dev",
            known,
            [item for item in every if item[0] in ("health", "restart")],
        )
        text = re.sub(r"  aws:allowedAccountIds:.*\n", "", text)
        file.write_text(text)
        all_say(
            "[account.unknown]",
            known,
            [item for item in every if item[0] in ("health", "restart", "rollback")],
        )
        file.write_text(
            text.replace("config:\n", "config:\n  aws:allowedAccountIds: ['999999999999']\n", 1)
        )
        all_say("[account.other]", known)
    shutil.rmtree(tools.folder)
