"""The recoveries that docs/troubleshooting.md and docs/operations.md describe, on the real engine;
and what `up` says of a cluster that is away, or not ready.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.harness import ROOT, Engine
from tests.engine.runs import Run
from tests.support.in_process import in_process
from tests.support.kubernetes_objects import waiting_pod

pytestmark = pytest.mark.real

RELEASE = "kubernetes:helm.sh/v3:Release"
MAIN = f"{RELEASE}::hub-main-release"
SECRET = "planted-client-secret-41ce"
SECOND = {
    "sign_in": {"kind": "shared_password"},
    "entry": {"kind": "port_forward"},
    "database": {"kind": "sqlite"},
}


def stack(new_engine: Callable[..., Engine], **options: object) -> Engine:
    engine = new_engine(**options)
    engine.run("config", "set", "--secret", "hub-main-client-secret", SECRET)
    return engine


# --- a killed first installation (docs/troubleshooting.md, "An `up` was killed", "Helm is stuck") ---


@pytest.fixture(scope="module")
def killed(new_engine: Callable[..., Engine]) -> Engine:
    """`up` killed while Helm was installing the hub for the first time; Helm was killed with it."""
    engine = stack(new_engine)
    begun = f"{RELEASE}=8000=hub-main-release"
    engine.up_killed(
        lambda calls: any(
            call.subject == MAIN and call.phase == "begin" and call.method == "Create"
            for call in calls
        ),
        FAKE_AWS_SLOW=begun,
    )
    engine.account.helm_left("hub-main-release", "pending-install")
    engine.run("cancel", "--yes")
    return engine


def test_helm_refuses_the_name_and_then_the_entry_is_refused(killed: Engine) -> None:
    assert MAIN in killed.interrupted()
    assert "cannot re-use a name that is still in use" in killed.up(check=False).errors
    killed.edit({"imports": {MAIN: "hub-main/hub-main"}})
    refusal = killed.refused("preview")
    killed.edit(remove=["imports"])
    assert f"imports.{MAIN}: is a hub's Helm release, which cannot be imported" in refusal
    assert "helm uninstall hub-main --namespace hub-main" in refusal and SECRET not in refusal


def test_the_documented_steps_finish_the_installation(killed: Engine) -> None:
    killed.account.helm_uninstall("hub-main-release")
    killed.refresh("--clear-pending-creates")
    assert killed.interrupted() == []
    killed.up()
    assert killed.strays() == [] and killed.account.doubles() == {}
    assert killed.preview("--expect-no-changes").changes == {}


def test_an_update_that_helm_did_not_finish_says_so_and_a_release_that_is_gone_is_made_anew(
    killed: Engine,
) -> None:
    killed.account.helm_left("hub-main-release", "pending-upgrade")
    killed.put(hubs__main__image="quay.io/jupyter/scipy-notebook:2026-03-31")
    assert (
        "another operation (install/upgrade/rollback) is in progress"
        in killed.up(check=False).errors
    )
    killed.account.helm_uninstall("hub-main-release")
    assert '"hub-main" has no deployed releases' in killed.up(check=False).errors, (
        "the state still has what Helm has not"
    )
    killed.refresh("--clear-pending-creates")
    killed.up()
    assert killed.preview("--expect-no-changes").changes == {}


# --- imports that are left (docs/troubleshooting.md, "An `up` was killed") ---


def test_import_entries_that_are_left_protect_and_go_without_a_change(killed: Engine) -> None:
    (vpc,) = killed.account.made_as("aws:ec2/vpc:Vpc::network-vpc")
    killed.edit({"imports": {"aws:ec2/vpc:Vpc::network-vpc": vpc}})
    killed.up()
    kept = [item["urn"] for item in killed.resources() if item.get("protect")]
    assert any(urn.endswith("::network-vpc") for urn in kept), (
        "left, it would outlive a `destroy --exclude-protected`"
    )
    killed.edit(remove=["imports"])
    killed.up()
    assert not [
        item
        for item in killed.resources()
        if item.get("protect") and item["urn"].endswith("::network-vpc")
    ]
    assert killed.preview("--expect-no-changes").changes == {}


# --- a hub is taken out, and comes back (docs/operations.md, "Remove a hub, and bring it back") ---


@pytest.fixture(scope="module")
def two_hubs(new_engine: Callable[..., Engine]) -> Engine:
    engine = stack(new_engine)
    engine.put(hubs__second=SECOND, cluster__protected=True)
    engine.up()
    return engine


@pytest.fixture(scope="module")
def removed(two_hubs: Engine) -> dict[str, str]:
    """The hub taken out as `jhub destroy hub` says; the entries that it gave."""
    with pytest.MonkeyPatch.context() as patch:
        for key, value in two_hubs._environment({}).items():
            patch.setenv(key, value)
        done = in_process(["destroy", "hub", "dev", "second", "--json"], two_hubs.project)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    two_hubs.edit(remove=["hubs.second"])
    refusal = two_hubs.run("preview", check=False)
    assert refusal.code != 0 and "protect" in refusal.errors
    for line in said["unprotect"]:
        urn = re.fullmatch(r"pulumi state unprotect '?(\S+?)'? -s dev --yes", line)[1]
        two_hubs.run("state", "unprotect", urn, "--yes")
    two_hubs.up()
    assert two_hubs.preview("--expect-no-changes").changes == {}
    return dict(said["imports"])


def test_one_look_names_everything_that_stays(removed: dict[str, str], two_hubs: Engine) -> None:
    assert {entry.rpartition("::")[2] for entry in removed} == {
        "homes-access-point-second", "hub-second-cloud-database-a", "hub-second-database-volume-a",
        "hub-second-homes-claim", "hub-second-homes-volume", "hub-second-namespace",
    }  # fmt: skip
    assert all(two_hubs.account.made_as(entry) == [identity] for entry, identity in removed.items())


def test_with_its_entries_it_comes_back_as_the_same_hub(
    removed: dict[str, str], two_hubs: Engine
) -> None:
    two_hubs.put(hubs__second=SECOND)
    two_hubs.edit({"imports": {**removed}})
    two_hubs.up()
    for entry, identity in removed.items():
        assert identity in [
            item["id"]
            for item in two_hubs.resources()
            if item["urn"].endswith(f"::{entry.rpartition('::')[2]}")
        ], entry
    assert two_hubs.account.doubles() == {}
    assert two_hubs.preview("--expect-no-changes").changes == {}
    two_hubs.edit(remove=["imports"])
    assert [op for op in two_hubs.preview().changes.values() if op != "update"] == []


# --- a stack that was made before its file (E5) ---


def test_a_file_that_stack_init_wrote_is_completed_as_the_message_says(
    new_engine: Callable[..., Engine],
) -> None:
    engine = new_engine(stack="unused")
    engine.stack = "first-try"
    folder = engine.project / "examples" / "first-try"
    folder.mkdir(parents=True)
    (folder / "Pulumi.first-try.yaml").write_bytes(
        (ROOT / "examples" / "first-try" / "Pulumi.first-try.yaml").read_bytes()
    )
    engine.run("stack", "init", "first-try")
    assert engine.stack_file.exists(), "the engine writes a file of its own"
    done = in_process(["plan", "first-try"], engine.project)
    assert done.returncode == 2 and "holds only what `pulumi stack init` wrote" in done.stderr
    ((source, target),) = re.findall(
        r"put the configuration into it: cat (\S+) >> (\S+);", done.stderr
    )
    with (engine.project / target).open("ab") as written:
        written.write((engine.project / source).read_bytes())
    assert in_process(["plan", "first-try"], engine.project).returncode == 0
    engine.preview()


# --- an API that does not answer, a hub that does not get ready ---


def test_an_api_that_does_not_answer_is_one_line_in_seconds(
    new_engine: Callable[..., Engine],
) -> None:
    engine = stack(new_engine)
    engine.up()
    engine.api.close()
    for arguments in (("preview",), ("up", "--yes", "--skip-preview")):
        run = engine.run(*arguments, check=False)
        assert run.code != 0
        lines = [
            line.strip()
            for line in run.errors.splitlines()
            if "does not answer from here" in line and line.strip().startswith("error:")
        ]
        (line,) = lines
        assert (
            "the Kubernetes API at 127.0.0.1 does not answer from here (connection refused):"
            " cluster.api.public_access_cidrs allows 203.0.113.0/24" in line
        )
        assert "Traceback" not in run.text and "Waiting up to" not in run.text
        assert run.seconds < 60, (
            "the look takes four seconds, a run on a busy machine half a minute; before it was six"
            " minutes"
        )
    engine.put(cluster__api__public_access_cidrs=["198.51.100.0/24"])
    preview = engine.run("preview")
    assert (
        "This update changes which networks may reach it (cluster.api.public_access_cidrs: 203.0.113.0/24"
        " becomes 198.51.100.0/24)" in preview.text
    )


def test_a_hub_that_does_not_get_ready_says_its_pods_reason(
    new_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    pods = {"items": [waiting_pod("hub-5f9", reason="ImagePullBackOff")]}
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        '#!/bin/sh\ncase "$*" in *events*) echo \'{"items": []}\' ;; *) echo'
        f" '{json.dumps(pods)}' ;; esac\n"
    )
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    engine = stack(new_engine)
    run: Run = engine.up(
        check=False,
        FAKE_AWS_FAIL=f"after-create:{RELEASE}=hub-main-release",
        PATH=os.pathsep.join([str(tmp_path), *map(str, engine.plugins), os.environ["PATH"]]),
    )
    assert run.code != 0
    assert "hub main did not get ready: pod hub-5f9: ImagePullBackOff, 7 restarts" in run.text
    assert "jhub doctor dev" in run.text and SECRET not in run.text
