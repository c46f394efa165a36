"""The workflow to copy that builds users' images: pinned, without more rights than it needs, and its
scripts run with stand-ins for docker and aws.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from jupyterhub_aws.components.ci import ResourceScope, pushing
from tests.support.policies import findings
from tests.support.stack_files import ROOT

FOLDER = ROOT / "examples" / "images"
WORKFLOW = FOLDER / "workflows" / "images.yml"
SCRIPTS = sorted(FOLDER.glob("*.sh"))
REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/jhub-dev/images/physics"
DIGEST = f"sha256:{'ab' * 32}"


def jobs():
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]


def test_actions_are_pinned_and_each_job_has_its_own_rights():
    text = WORKFLOW.read_text(encoding="utf-8")
    used = re.findall(r"- uses: (\S+)(.*)", text)
    known = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "examples" / "github" / "workflows").glob("*.yml")
    )
    assert used and all(re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", name) for name, _ in used)
    assert all(f"{name}{note}".strip() in known for name, note in used), "as the other workflows"
    assert yaml.safe_load(text)["permissions"] == {}
    assert "secrets." not in text and "pull_request" not in str(yaml.safe_load(text)[True])
    rights = {name: set(job["permissions"]) for name, job in jobs().items()}
    assert rights == {
        "changed": {"contents"},
        "build": {"contents", "id-token"},
        "propose": {"contents", "pull-requests"},
    }, "what has a role in AWS writes nothing on GitHub, and the other way round"
    assert jobs()["build"]["permissions"]["contents"] == "read"
    assert not any(
        "${{" in step["run"] for job in jobs().values() for step in job["steps"] if "run" in step
    )


@pytest.mark.real
def test_the_linters_find_nothing():
    zizmor = Path(sys.prefix) / "bin" / "zizmor"
    command = [zizmor, "--offline", "--no-progress", "--persona=auditor", WORKFLOW]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, what in (("actionlint", [WORKFLOW]), ("shellcheck", SCRIPTS)):
        if (tool := shutil.which(name)) is None:
            pytest.skip(f"no {name} on PATH: it judged nothing")
        done = subprocess.run(
            [tool, *what], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout


def test_the_role_may_push_to_the_named_repositories_and_do_nothing_else():
    place = ResourceScope(region="us-east-1", account="123456789012", prefix="jhub-dev")
    sign_in, push = pushing(["physics", "course"], place)
    assert sign_in["Action"] == "ecr:GetAuthorizationToken"
    base = "arn:aws:ecr:us-east-1:123456789012:repository/jhub-dev/images"
    assert push["Resource"] == [f"{base}/course", f"{base}/physics"]
    assert not any("Delete" in action or "*" in action for action in push["Action"])
    rows = json.loads((FOLDER / "images.json").read_text(encoding="utf-8"))
    for row in rows:
        host, _, path = row["repository"].partition("/")
        assert f"arn:aws:ecr:us-east-1:{host[:12]}:repository/{path}" in push["Resource"]
        assert row["role"].endswith(":role/jhub-dev-ci-images")
        assert (FOLDER / row["folder"]).is_dir()


@pytest.mark.real
def test_the_policy_linter_finds_nothing_but_the_token_of_the_registry():
    place = ResourceScope(region="us-east-1", account="123456789012", prefix="jhub-dev")
    document = {"Version": "2012-10-17", "Statement": list(pushing(["physics"], place))}
    # a token of the registry, which opens what the role may push to
    assert findings(document) == {("SignIn", "CREDENTIALS_EXPOSURE")}


@pytest.fixture
def checkout(tmp_path):
    """A project with the workflow's files, and stand-ins on PATH that write down their calls."""
    shutil.copytree(FOLDER / "images", tmp_path / "images")
    (tmp_path / ".github").mkdir()
    for path in (*SCRIPTS, FOLDER / "images.json"):
        shutil.copy(path, tmp_path / ".github")
    fake = tmp_path / "bin"
    fake.mkdir()
    programs = {
        "aws": 'case "$2" in describe-images) test -n "$PUSHED" && echo "$PUSHED" ;;'
        " *) echo password ;; esac",
        "docker": 'if [ "$1" = buildx ]; then while [ "$1" != --file ]; do shift; done;'
        ' cp "$2" "$CALLS.recipe"; while [ "$1" != --metadata-file ]; do shift; done;'
        f' echo \'{{"containerimage.digest": "{DIGEST}"}}\' > "$2"; else cat > /dev/null; fi',
    }
    for name, body in programs.items():
        text = f'#!/bin/bash\necho "{name} $*" >> "$CALLS"\n{body}\n'
        (fake / name).write_text(text, encoding="utf-8")
        (fake / name).chmod(0o755)
    return tmp_path


def run(checkout, script, *arguments, given="", **environment):
    own = {
        **os.environ,
        "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(checkout / "calls"),
        "PUSHED": "",
        **environment,
    }
    return subprocess.run(
        [checkout / ".github" / script, *arguments],
        cwd=checkout,
        env=own,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "recipe"),
    [
        ("images/physics", "FROM quay.io/jupyter/scipy-notebook:2026-08-03\nCOPY environment.yml"),
        ("images/course", "FROM quay.io/jupyter/scipy-notebook:2026-08-03\nCOPY requirements.txt"),
    ],
)
def test_an_image_is_built_pushed_and_named_by_its_digest(folder, recipe, checkout):
    done = run(checkout, "build_image.sh", folder, REPOSITORY, "0123456789ab", "built")
    assert done.returncode == 0, done
    assert (checkout / "built").read_text(encoding="utf-8") == f"{REPOSITORY}@{DIGEST}\n"
    assert (checkout / "calls.recipe").read_text(encoding="utf-8").startswith(recipe)
    calls = (checkout / "calls").read_text(encoding="utf-8")
    assert f"--tag {REPOSITORY}:0123456789ab" in calls and calls.rstrip().endswith(
        f"--push {folder}"
    )


@pytest.mark.real
def test_what_an_earlier_run_pushed_is_not_built_again(checkout):
    done = run(
        checkout, "build_image.sh", "images/physics", REPOSITORY, "a" * 12, "built", PUSHED=DIGEST
    )
    assert done.returncode == 0 and "docker" not in (checkout / "calls").read_text(encoding="utf-8")
    assert (checkout / "built").read_text(encoding="utf-8") == f"{REPOSITORY}@{DIGEST}\n"


@pytest.mark.real
@pytest.mark.parametrize(
    ("repository", "base", "says"),
    [
        ("quay.io/evil/x", None, "is no repository in ECR"),
        (f"{REPOSITORY};id", None, "is no repository in ECR"),
        (REPOSITORY, "quay.io/jupyter/scipy-notebook:latest", "names no fixed version"),
        (REPOSITORY, "quay.io/jupyter/scipy-notebook", "names no fixed version"),
        (REPOSITORY, "", "has no Dockerfile"),
    ],
)
def test_what_would_build_something_else_is_refused(repository, base, says, checkout):
    if base == "":
        (checkout / "images" / "physics" / "base").unlink()
    elif base is not None:
        (checkout / "images" / "physics" / "base").write_text(base, encoding="utf-8")
    done = run(checkout, "build_image.sh", "images/physics", repository, "a" * 12, "built")
    assert done.returncode == 1 and says in done.stdout and not (checkout / "built").exists()
    assert not (checkout / "calls").exists()


@pytest.mark.real
def test_the_digest_is_put_where_the_repository_is_named_and_nowhere_else(checkout):
    other = REPOSITORY.replace("physics", "physics-2")
    old = f"sha256:{'cd' * 32}"
    file = checkout / "Pulumi.dev.yaml"
    lines = (
        f"a: {REPOSITORY}:none-yet # physics\nb: '{REPOSITORY}@{old}'\nc: {other}:1\nd: {REPOSITORY}"
        f":1@{old}\ne: [{REPOSITORY}:x]\nf: x{REPOSITORY.replace('.', 'x')}:1\n"
    )
    file.write_text(lines, encoding="utf-8")
    done = run(checkout, "set_images.sh", given=f"{REPOSITORY}@{DIGEST}\n")
    assert done.returncode == 0, done
    new = f"{REPOSITORY}@{DIGEST}"
    assert file.read_text(encoding="utf-8") == (
        f"a: {new} # physics\nb: '{new}'\nc: {other}:1\nd: {new}\ne: [{new}]\nf:"
        f" x{REPOSITORY.replace('.', 'x')}:1\n"
    )


@pytest.mark.real
@pytest.mark.parametrize(
    ("given", "says"),
    [
        (f"quay.io/evil/x@{DIGEST}\n", "this is no image in ECR"),
        (f"{REPOSITORY}:latest\n", "this is no image in ECR"),
        (f"{REPOSITORY}@{DIGEST}\n", "no stack file names"),
    ],
)
def test_a_list_of_another_kind_changes_nothing(given, says, checkout):
    (checkout / "Pulumi.dev.yaml").write_text("a: b\n", encoding="utf-8")
    done = run(checkout, "set_images.sh", given=given)
    assert done.returncode == 1 and says in done.stdout
    assert (checkout / "Pulumi.dev.yaml").read_text(encoding="utf-8") == "a: b\n"


@pytest.mark.real
def test_only_folders_that_a_merge_changed_are_built(checkout):
    def git(*arguments):
        own = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        command = ["git", *own, *arguments]
        return subprocess.run(
            command, cwd=checkout, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "--quiet")
    git("add", "images")
    git("commit", "--quiet", "--message", "before")
    before = git("rev-parse", "HEAD")
    (checkout / "images" / "physics" / "environment.yml").write_text("x", encoding="utf-8")
    git("commit", "--quiet", "--all", "--message", "after")

    def rows(commit):
        done = run(checkout, "changed_images.sh", commit)
        assert done.returncode == 0, done
        return [row["folder"] for row in json.loads(done.stdout.removeprefix("rows="))]

    assert rows(before) == ["images/physics"]
    assert rows("HEAD") == []
    assert rows("0" * 40) == ["images/physics", "images/course"], "the first push of a branch"
