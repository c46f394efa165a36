"""The workflows to copy: linted, pinned, without more rights than they need; and their commands
that need no account, run.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.stack_files import ROOT

FOLDER = ROOT / "examples" / "github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
CALLED = "./.github/workflows/up-stack.yml"


def workflow(name):
    return yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))


def steps(name):
    return [step for job in workflow(name)["jobs"].values() for step in job.get("steps", ())]


def rows():
    return json.loads((FOLDER.parent / "stacks.json").read_text(encoding="utf-8"))


@pytest.mark.real
def test_the_security_linter_finds_nothing():
    zizmor = Path(sys.prefix) / "bin" / "zizmor"
    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", "--persona=auditor", *FILES],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.real
def test_the_syntax_linter_finds_nothing():
    actionlint = shutil.which("actionlint", path=f"{os.environ['PATH']}:{ROOT / '.venv' / 'tools'}")
    if actionlint is None:
        pytest.skip("no actionlint on PATH: the workflows' syntax was not checked")
    done = subprocess.run(
        [actionlint, *FILES], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_action_is_pinned_by_commit_and_every_right_is_given_by_name(path):
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"- uses: (\S+)(.*)", text)
    assert used or path.stem == "up"
    assert all(
        re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action)
        and re.search(r"# v\d+\.\d+\.\d+", note)
        for action, note in used
    )
    data = yaml.safe_load(text)
    assert data["permissions"] == {}
    assert all(
        "permissions" in job and ("timeout-minutes" in job or job["uses"] == CALLED)
        for job in data["jobs"].values()
    )
    assert "secrets." not in text and "pull_request_target" not in text


def test_what_a_fork_can_run_has_no_credentials():
    (job,) = workflow("plan")["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    assert all(
        (step.get("with") or {}).get("persist-credentials") is False
        for step in job["steps"]
        if "checkout" in step.get("uses", "")
    )


def test_what_may_write_checks_out_the_default_branch_only_and_hands_hostile_text_over_as_data():
    (checkout,) = [step for step in steps("report") if "checkout" in step.get("uses", "")]
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    assert not any("${{" in step["run"] for step in steps("report") if "run" in step)
    assert not any(
        "${{" in step["run"] for path in FILES for step in steps(path.stem) if "run" in step
    )


def test_up_is_one_at_a_time_from_the_merged_commit_and_judged_before_it_has_a_role():
    job = workflow("up-stack")["jobs"]["up"]
    assert (
        job["concurrency"]["cancel-in-progress"] is False
        and "inputs.stack" in job["concurrency"]["group"]
    )
    names = [step.get("uses", step.get("run", "")) for step in job["steps"]]
    judged = next(index for index, name in enumerate(names) if "--merged" in name)
    role = next(index for index, name in enumerate(names) if "configure-aws-credentials" in name)
    up = next(index for index, name in enumerate(names) if "pulumi up" in name)
    assert judged < role < up
    assert job["steps"][0]["with"]["ref"] == "${{ github.sha }}"


def test_a_stack_goes_up_only_after_the_one_before_it_succeeded():
    jobs = list(workflow("up")["jobs"].items())
    assert [job["with"]["stack"] for _, job in jobs] == [row["stack"] for row in rows()] and len(
        jobs
    ) > 1
    for (before, _), (name, job) in itertools.pairwise(jobs):
        assert job["needs"] == before and "if" not in job, (
            f"{name} would go on after {before} failed"
        )
    assert all(job["uses"] == CALLED for _, job in jobs)


def test_each_stack_has_its_own_role_region_backend_and_runner_everywhere():
    assert (
        len({row["region"] for row in rows()}) > 1
        and len({row["up_role"].split(":")[4] for row in rows()}) > 1
    ), "several accounts and regions are shown"
    for row in rows():
        assert set(row) == {"stack", "region", "preview_role", "up_role", "backend", "runs_on"}
        assert row["preview_role"].endswith("-ci-preview") and row["up_role"].endswith("-ci-up")
    for name, role in (
        ("up-stack", "up_role"),
        ("preview", "preview_role"),
        ("drift", "preview_role"),
    ):
        (signs_in,) = [
            step for step in steps(name) if "configure-aws-credentials" in step.get("uses", "")
        ]
        (runs,) = [step for step in steps(name) if "pulumi " in step.get("run", "")]
        of_row = r"\$\{\{ (fromJSON\(needs\.row\.outputs\.row\)|matrix\.row)\.%s \}\}"
        assert re.fullmatch(of_row % role, signs_in["with"]["role-to-assume"]) and re.fullmatch(
            of_row % "region", signs_in["with"]["aws-region"]
        )
        assert re.fullmatch(of_row % "backend", runs["env"]["PULUMI_BACKEND_URL"])
        assert any(
            re.fullmatch(of_row % "runs_on", job["runs-on"])
            for job in workflow(name)["jobs"].values()
        )
    trigger = workflow("preview")[True]["workflow_dispatch"]  # YAML 1.1 reads `on` as true
    assert trigger["inputs"]["stack"]["options"] == [row["stack"] for row in rows()]


def test_what_a_fork_can_run_never_runs_inside():
    assert {
        job["runs-on"] for name in ("plan", "report") for job in workflow(name)["jobs"].values()
    } == {"ubuntu-24.04"}


def test_the_engine_is_the_one_that_is_locked():
    script = (FOLDER.parent / "install_pulumi.sh").read_text(encoding="utf-8")
    (locked,) = re.findall(
        r"(?m)^pulumi==(\S+)", (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    )
    assert re.findall(r'(?m)^version="\$\{1:-(.+)\}"$', script) == [locked]


@pytest.mark.real
@pytest.mark.parametrize(("stack", "code"), [("dev", 0), ("prod", 0), ("staging", 1), ('d"ev', 1)])
def test_the_row_of_a_stack_is_read(stack, code, tmp_path):
    if shutil.which("jq") is None:
        pytest.skip("no jq on PATH: reading the row was not tried")
    (tmp_path / ".github").mkdir()
    shutil.copy(FOLDER.parent / "stacks.json", tmp_path / ".github")
    for name in ("up-stack", "preview"):
        (script,) = [step["run"] for step in steps(name) if step.get("id") == "row"]
        output = tmp_path / name
        done = shell(script, tmp_path, STACK=stack, GITHUB_OUTPUT=str(output))
        assert done.returncode == code, done
        if code == 0:
            assert (
                json.loads(output.read_text(encoding="utf-8").removeprefix("row="))["stack"]
                == stack
            )
        else:
            assert "has no row for" in done.stdout and not output.exists()


@pytest.fixture
def clone(tmp_path):
    """A checkout in which `.venv` is this environment: what the workflow installs is tested by
    the fresh clone.
    """
    subprocess.run(["git", "clone", "--quiet", ROOT, tmp_path / "hub"], check=True)
    changed = subprocess.run(
        ["git", "ls-files", "--modified", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in changed.split():
        if (ROOT / name).is_file():
            (tmp_path / "hub" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / "hub" / name)
    (tmp_path / "hub" / ".venv" / "bin").mkdir(parents=True)
    jhub = tmp_path / "hub" / ".venv" / "bin" / "jhub"
    jhub.write_text(
        f"#!/bin/sh\nPYTHONPATH={tmp_path / 'hub'} exec {sys.executable} -m jupyterhub_aws.cli.main"
        ' "$@"\n',
        encoding="utf-8",
    )
    jhub.chmod(0o755)
    (tmp_path / "hub" / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "hub" / ".github").mkdir()
    shutil.copy(ROOT / "examples" / "github" / "install_library.sh", tmp_path / "hub" / ".github")
    return tmp_path / "hub"


def shell(script, cwd, **environment):
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.real
def test_the_commands_that_need_no_account_run(clone, tmp_path):
    (planning,) = [step["run"] for step in steps("plan") if step.get("name") == "Plan"]
    done = shell(planning, clone)
    assert done.returncode == 0 and {path.name for path in (clone / "plans").iterdir()} == {
        "dev.json",
        "airgap.json",
        "airgap-hub.json",
    }, done
    (base,) = [
        step["run"] for step in steps("report") if step.get("name") == "Plan the base branch"
    ]
    assert shell(base, clone).returncode == 0 and (clone / "base" / "dev.json").is_file()
    for name in ("preview", "drift"):
        (script,) = [step["run"] for step in steps(name) if "pulumi preview" in step.get("run", "")]
        fake = tmp_path / f"bin-{name}"
        fake.mkdir()
        (fake / "pulumi").write_text(
            f"#!/bin/sh\ncat {ROOT / 'tests' / 'fixtures' / 'previews' / 'update.json'}\n",
            encoding="utf-8",
        )
        (fake / "pulumi").chmod(0o755)
        summary = tmp_path / f"{name}.md"
        done = shell(
            script,
            clone,
            STACK="dev",
            GITHUB_STEP_SUMMARY=str(summary),
            PATH=f"{fake}:{os.environ['PATH']}",
        )
        assert done.returncode == (1 if name == "drift" else 0), done
        assert "the hub restarts" in summary.read_text(encoding="utf-8")


@pytest.mark.real
def test_up_judges_the_merged_commit_by_the_rules_of_the_one_before(clone, tmp_path):
    from tests.ops.test_report import MERGE, served

    (script,) = [step["run"] for step in steps("up-stack") if "--merged" in step.get("run", "")]
    for command in (
        ["add", "-A"],
        [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.org",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "before",
        ],
    ):
        subprocess.run(["git", *command], cwd=clone, check=True)
    before = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=clone, capture_output=True, text=True, check=True
    ).stdout.strip()
    fake = tmp_path / "fake"
    fake.mkdir()
    (fake / "make").write_text(f"#!/bin/sh\nln -sfn {clone}/.venv .venv\n", encoding="utf-8")
    (fake / "make").chmod(0o755)
    file = clone / "Pulumi.dev.yaml"
    own = {
        "PATH": f"{fake}:{os.environ['PATH']}",
        "STACK": "dev",
        "BEFORE": before,
        "GITHUB_TOKEN": "token",
        "GITHUB_REPOSITORY": "example-org/hub",
        "GITHUB_SHA": MERGE,
        "GITHUB_WORKSPACE": str(clone),
        "RUNNER_TEMP": str(tmp_path),
    }
    with served() as github:
        github.pull["merged_at"] = "2026-11-24T00:00:00Z"
        own["GITHUB_API_URL"] = github.url
        for (old, new), code in ((("max: 10 }", "max: 8 }"), 0), (("kind: efs", "kind: ebs"), 1)):
            file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
            done = shell(script, clone, **own)
            assert done.returncode == code, done
            shutil.rmtree(clone / "before")
            shutil.rmtree(clone / "after")
            subprocess.run(
                ["git", "worktree", "remove", "--force", tmp_path / "before"], cwd=clone, check=True
            )


@pytest.mark.real
def test_the_scripts_are_sound():
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("no shellcheck on PATH: the scripts of the workflows were not checked")
    scripts = sorted((ROOT / "examples" / "github").glob("*.sh"))
    done = subprocess.run(
        [shellcheck, *scripts], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout
