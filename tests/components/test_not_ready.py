"""A hub that does not get ready: `up` says its pod's reason, and where more of it is."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import pytest

from jupyterhub_aws.components.hub import not_ready
from jupyterhub_aws.components.hub.not_ready import HubAccess, Stuck, reasons, stuck, without_a_pod
from tests.support.kubernetes_objects import waiting_pod
from tests.support.stacks import record


def warning(
    pod: str, reason: str, message: str, at: str = "2026-11-29T22:00:00Z", kind: str = "Pod"
) -> dict[str, Any]:
    return {
        "involvedObject": {"kind": kind, "name": pod},
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
    }


def pod(name: str, phase: str, *, ready: bool = False, owner: str = "") -> dict[str, Any]:
    owners = {"ownerReferences": [{"name": owner}]} if owner else {}
    states = [
        {
            "name": "hub",
            "ready": ready,
            "state": (
                {"running": {}}
                if phase == "Running"
                else {"waiting": {"reason": "ContainerCreating"}}
            ),
        }
    ]
    return {
        "metadata": {"name": name, **owners},
        "status": {"phase": phase, "containerStatuses": states},
    }


@pytest.mark.parametrize(
    ("item", "what"),
    [
        (waiting_pod("hub-1", reason="CrashLoopBackOff"), "CrashLoopBackOff, 7 restarts"),
        (waiting_pod("hub-1", reason="ErrImageNeverPull"), "ErrImageNeverPull, 7 restarts"),
        (
            waiting_pod("hub-1", unschedulable="0/3 nodes are available"),
            "finds no node: 0/3 nodes are available",
        ),
        (pod("hub-1", "Pending"), "is not ready: FailedMount: mount failed: exit status 32"),
        (pod("hub-1", "Running"), "is not ready: FailedMount: mount failed: exit status 32"),
    ],
)
def test_the_reason_is_the_pods_own_or_the_last_warning_about_it(
    item: dict[str, Any], what: str
) -> None:
    warnings = [
        warning("hub-1", "FailedMount", "mount failed:\n  exit status 32", "2026-11-29T22:05:00Z"),
        warning("hub-1", "Unhealthy", "earlier", "2026-11-29T22:01:00Z"),
        warning("other", "FailedMount", "not this one", "2026-11-29T23:00:00Z"),
    ]
    assert [found.what for found in stuck([item], warnings)] == [what]


def test_what_is_ready_or_has_ended_is_not_stuck() -> None:
    warnings = [warning("hub-1", "Unhealthy", "was slow once")]
    assert (
        list(
            stuck(
                [
                    pod("hub-1", "Running", ready=True),
                    {"metadata": {"name": "hub-1"}, "status": {"phase": "Succeeded"}},
                ],
                warnings,
            )
        )
        == []
    )


def test_only_what_crashed_has_last_words() -> None:
    assert [item.crashed for item in stuck([waiting_pod("a", reason="ErrImagePull")])] == [None]
    crashed = waiting_pod("a", reason="CrashLoopBackOff")
    crashed["status"]["containerStatuses"][0]["name"] = "hub"
    assert list(stuck([crashed])) == [
        Stuck(pod="a", what="CrashLoopBackOff, 7 restarts", crashed="hub")
    ]


def test_a_pod_that_is_never_made_is_said_by_its_owner() -> None:
    denied = warning(
        "hub-5f",
        "FailedCreate",
        'pods "hub-5f-" is forbidden: violates PodSecurity "restricted:latest"',
        kind="ReplicaSet",
    )
    assert list(without_a_pod([denied], [])) == [
        'hub-5f makes no pod: pods "hub-5f-" is forbidden: violates PodSecurity "restricted:latest"'
    ]
    assert list(without_a_pod([denied], [pod("hub-5f-x", "Running", owner="hub-5f")])) == [], (
        "it did in the end"
    )


# --- as `up` says it ---

WHERE = HubAccess(hub="main", namespace="hub-main", kubeconfig=None)


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What answers in kubectl's place from files, and notes its lines; the program on PATH is
    never started.
    """

    def answer(line: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        said = " ".join(line[1:])
        with (tmp_path / "lines").open("a") as lines:
            lines.write(f"{said}\n")
        told = {
            "get pods": lambda: (tmp_path / "pods").read_text(),
            "get events": lambda: (tmp_path / "events").read_text(),
            "logs": lambda: "Traceback\nNameError: name 'myclass' is not defined\n",
        }
        (of,) = [key for key in told if f" {key} " in f" {said} "]
        return subprocess.CompletedProcess(line, 0, told[of](), "")

    program = tmp_path / "kubectl"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(not_ready.subprocess, "run", answer)
    (tmp_path / "events").write_text('{"items": []}')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    return tmp_path


def test_a_crash_is_reported_with_its_last_lines_and_without_users(kubectl: Path) -> None:
    crashed = waiting_pod("hub-5f", reason="CrashLoopBackOff")
    crashed["status"]["containerStatuses"][0]["name"] = "hub"
    person = waiting_pod("jupyter-ada", unschedulable="0/3 nodes")
    person["metadata"]["labels"] = {"component": "singleuser-server"}
    (kubectl / "pods").write_text(json.dumps({"items": [crashed, person]}))
    assert list(reasons(WHERE, '{"clusters": []}')) == [
        (
            "hub main did not get ready: pod hub-5f: CrashLoopBackOff, 7 restarts; its last words:"
            " NameError: name 'myclass' is not defined"
        ),
        "hub main: all that is stuck, and what to run: jhub doctor dev",
    ]
    lines = (kubectl / "lines").read_text().splitlines()
    assert all(
        "--kubeconfig" in line
        and "--namespace hub-main" in line
        and "--request-timeout=20s" in line
        for line in lines
    )


def test_the_callers_own_cluster_is_asked_by_file_and_context(kubectl: Path) -> None:
    (kubectl / "pods").write_text('{"items": []}')
    where = HubAccess(
        hub="main", namespace="hub-main", kubeconfig=None, file="my.kubeconfig", context="lab"
    )
    assert list(reasons(where, None)) == [
        "hub main: no pod of it waits in vain now; all that is stuck, and what to run: jhub"
        " doctor dev"
    ]
    assert "--kubeconfig my.kubeconfig --context lab" in (kubectl / "lines").read_text()


def test_whatever_goes_wrong_is_one_line_and_the_true_error_follows(
    kubectl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kubectl / "pods").write_text("no json")
    (line,) = reasons(WHERE, None)
    assert line.startswith(
        "hub main did not get ready; why, could not be asked (JSONDecodeError"
    ) and line.endswith("jhub doctor dev")
    monkeypatch.setenv("PATH", "/nonexistent")
    (line,) = reasons(WHERE, None)
    assert "kubectl is not on PATH" in line


def test_a_plan_has_no_hooks_and_an_engine_that_knows_them_gets_one() -> None:
    record()  # ends with the recorder in the monitor's place
    assert not_ready.says_why(WHERE) is None
    with (
        mock.patch.object(not_ready, "under_an_engine", lambda: True),
        mock.patch.object(not_ready, "monitor_supports_feature", lambda _: True),
        mock.patch.object(pulumi, "ErrorHook") as hook,
    ):
        binding = not_ready.says_why(WHERE)
    assert (
        binding is not None
        and binding.on_error == [hook.return_value]
        and hook.call_args.args[0] == "why-hub-main"
    )
    with (
        mock.patch.object(not_ready, "under_an_engine", lambda: True),
        mock.patch.object(not_ready, "monitor_supports_feature", lambda _: False),
    ):
        assert not_ready.says_why(WHERE) is None, "an older engine refuses a program with hooks"
