"""`jhub diff`, `jhub gate` and `jhub plan --against` as people and workflows run them: a
process, its exit code, what it prints.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jupyterhub_aws.diff.markdown import LIMIT, markdown, text
from tests.support.differences import found, plan
from tests.support.in_process import in_process
from tests.support.stack_files import ROOT

PREVIEWS = ROOT / "tests" / "fixtures" / "previews"


def jhub(*arguments, cwd=ROOT, **environment):
    return in_process(arguments, Path(cwd), environment)


def refused(*arguments, **more):
    done = jhub(*arguments, **more)
    assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr, done
    return done.stderr


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plans")
    for name, data in (
        ("old", plan()),
        ("new", plan("pools.memory.size.max=12", "hubs.main.culling={server_idle_minutes: 30}")),
    ):
        (folder / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")
    other = plan()
    other["stack"] = "prod"
    (folder / "other.json").write_text(json.dumps(other), encoding="utf-8")
    later = plan()
    later["format"] = "jupyterhub-aws/plan/2"
    (folder / "later.json").write_text(json.dumps(later), encoding="utf-8")
    (folder / "cut.json").write_text(json.dumps(plan())[:50_000], encoding="utf-8")
    (folder / "text.json").write_text("hello", encoding="utf-8")
    (folder / "list.json").write_text("[1, 2]", encoding="utf-8")
    (folder / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    wrong = plan()
    wrong["resources"][3]["urn"] = "nonsense"
    wrong["resources"][4]["inputs"] = "nonsense"
    (folder / "wrong.json").write_text(json.dumps(wrong), encoding="utf-8")
    return folder


def test_two_plans_on_eighty_columns(files):
    done = jhub("diff", files / "old.json", files / "new.json", COLUMNS="80")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[1:3] == [
        "It can cost 1,634.09 US dollars a month more; the hub main restarts.",
        "US dollars a month: at most 19,976.58 → 21,610.67",
    ]
    assert lines[4].strip() == "Costs more", "before every other effect"
    assert done.returncode == 0 and "at most 12 nodes instead of 10" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_every_form_is_written_and_says_the_same(files, tmp_path):
    targets = {kind: tmp_path / f"difference.{kind}" for kind in ("json", "html", "markdown")}
    done = jhub(
        "diff",
        files / "old.json",
        files / "new.json",
        *(part for kind, target in targets.items() for part in (f"--{kind}", target)),
    )
    assert done.returncode == 0 and done.stdout == ""
    data = json.loads(targets["json"].read_text(encoding="utf-8"))
    assert (
        data["format"] == "jupyterhub-aws/diff/1"
        and data["counts"] == {"update": 3}
        and data["worst"] == "costs more"
    )
    assert data["effects"][0]["class"] == "costs more"
    for kind in ("html", "markdown"):
        assert "the hub restarts" in targets[kind].read_text(encoding="utf-8")


def test_one_preview_alone(files):
    done = jhub("diff", PREVIEWS / "delete.json")
    assert done.returncode == 0 and "its nodes stop" in done.stdout
    assert (
        jhub(
            "diff", files / "old.json", files / "new.json", "--preview", PREVIEWS / "update.json"
        ).returncode
        == 0
    )


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "words", "which"),
    [
        (
            ("old.json", "other.json"),
            "is of the stack prod, and old.json of dev",
            "plan.other-stack",
        ),
        (
            ("old.json", "later.json"),
            "(got 'jupyterhub-aws/plan/2', this jhub reads jupyterhub-aws/plan/1)",
            "plan.format",
        ),
        (("old.json", "cut.json"), "cut.json: ", "plan.not-json"),
        (("old.json", "text.json"), "text.json: ", "plan.not-json"),
        (("old.json", "list.json"), "list.json: ", "plan.neither"),
        (("old.json", "deep.json"), "deep.json: ", "plan.too-deep"),
        (("old.json", "missing.json"), "(No such file or directory)", "file.unreadable"),
        (("old.json", "wrong.json"), "wrong.json: resources[3].urn: ", "plan.malformed"),
        (("old.json", "new.json", "--preview", "old.json"), "old.json: ", "preview.malformed"),
    ],
)
def test_bad_files_are_answered_in_a_line(files, arguments, words, which):
    said = refused("diff", *arguments, cwd=files)
    assert words in said and f"[{which}]" in said


def test_a_file_that_no_plan_is_as_large_as(files, monkeypatch):
    monkeypatch.setattr("jupyterhub_aws.changes.side.LARGEST", 1000)
    assert "[plan.too-large]" in refused("diff", "old.json", "new.json", cwd=files)


def test_every_problem_of_a_file_at_once(files):
    assert len(refused("diff", "old.json", "wrong.json", cwd=files).splitlines()) == 2


@pytest.mark.parametrize("name", ["failure", "encrypted"])
def test_a_preview_that_failed_half_way(name):
    assert "[preview.failed]" in refused("diff", PREVIEWS / f"{name}.json")


def test_the_gate_says_which_line_opens_it_and_the_line_does(files, tmp_path):
    new = plan()
    new["resources"] = [item for item in new["resources"] if item["name"] != "homes-file-system"]
    (files / "without.json").write_text(json.dumps(new), encoding="utf-8")
    done = jhub("gate", files / "old.json", files / "without.json")
    assert done.returncode == 1 and "The gate is shut" in done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("acknowledge ")]
    assert any("aws:efs/fileSystem:FileSystem::homes-file-system" in line for line in lines)
    words = tmp_path / "review.txt"
    words.write_text("I have seen it.\n" + "\n".join(lines), encoding="utf-8")
    assert (
        jhub("gate", files / "old.json", files / "without.json", "--acknowledged", words).returncode
        == 0
    )
    shut = jhub("gate", files / "old.json", files / "new.json")
    (line,) = [
        line
        for line in shut.stdout.splitlines()
        if line.startswith("acknowledge dev costs-more stack::cost ")
    ]
    words.write_text(line, encoding="utf-8")
    assert (
        shut.returncode == 1
        and jhub("gate", files / "old.json", files / "new.json", "--acknowledged", words).returncode
        == 0
    )
    assert "[file.unreadable]" in refused(
        "gate", files / "old.json", files / "new.json", "--acknowledged", tmp_path / "nothing"
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The program in a repository of its own, with the work tree's state as its only commit."""
    folder = tmp_path_factory.mktemp("clone") / "program"
    wanted = (
        "config",
        "components",
        "jupyterhub_aws",
        "policy",
        "requirements",
        "__main__.py",
        "Pulumi.yaml",
        "pyproject.toml",
    )
    folder.mkdir()
    for name in (*wanted, *(path.name for path in ROOT.glob("Pulumi.*.yaml"))):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(source, folder / name)
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "one"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def run(clone, *arguments, **environment):
    """`jhub` of the clone itself."""
    return subprocess.run(
        [sys.executable, "-m", "jupyterhub_aws.cli.main", *arguments],
        cwd=clone,
        env={
            **os.environ,
            "PYTHONPATH": str(clone),
            "XDG_CACHE_HOME": str(clone.parent / "cache"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.real
def test_against_a_ref_evaluates_the_older_program_in_a_process_of_its_own(clone):
    done = run(clone, "plan", "dev", "--against", "HEAD")
    assert done.returncode == 0 and "Nothing changes." in done.stdout, done
    source = clone / "components" / "homes" / "efs.py"
    before = source.read_text(encoding="utf-8")
    try:
        source.write_text(
            before.replace('performance_mode="generalPurpose"', 'performance_mode="maxIO"'),
            encoding="utf-8",
        )
        assert source.read_text(encoding="utf-8") != before
        done = run(clone, "plan", "dev", "--against", "HEAD", "--set", "pools.memory.size.max=12")
    finally:
        source.write_text(before, encoding="utf-8")
    assert (
        done.returncode == 0
        and "homes-file-system (FileSystem) is replaced" in done.stdout
        and "12 nodes instead of 10" in done.stdout
    )
    assert not (clone.parent / "cache" / "jupyterhub-aws" / "environments").exists()


@pytest.mark.real
def test_against_a_ref_that_is_none_or_where_the_stack_was_not(clone):
    done = run(clone, "plan", "dev", "--against", "no-such-ref")
    assert (
        done.returncode == 2
        and "(got 'no-such-ref')" in done.stderr
        and "[against.unknown-ref]" in done.stderr
    )
    new = clone / "Pulumi.another.yaml"
    new.write_text(
        (clone / "Pulumi.dev.yaml").read_text(encoding="utf-8").replace("jhub-dev", "jhub-two"),
        encoding="utf-8",
    )
    done = run(clone, "plan", "another", "--against", "HEAD", "--json", "-")
    new.unlink()
    data = json.loads(done.stdout)
    assert data["old"]["source"].endswith("where it is not yet") and set(data["counts"]) == {
        "create"
    }


@pytest.mark.real
def test_the_gate_refuses_uncommitted_changes(clone):
    file = clone / "Pulumi.dev.yaml"
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(before + "\n# changed\n", encoding="utf-8")
        done = run(clone, "gate", "dev", "--against", "HEAD")
    finally:
        file.write_text(before, encoding="utf-8")
    assert (
        done.returncode == 2
        and "uncommitted changes (Pulumi.dev.yaml)" in done.stderr
        and "[gate.uncommitted]" in done.stderr
    )
    assert run(clone, "gate", "dev", "--against", "HEAD").returncode == 0


@pytest.mark.real
def test_other_libraries_that_cannot_be_installed_leave_the_configuration(clone):
    locked = clone / "requirements" / "runtime.txt"
    before = locked.read_text(encoding="utf-8")
    try:
        locked.write_text(
            "# another set of libraries\n", encoding="utf-8"
        )  # the work tree's; HEAD has the old ones, which this process cannot install
        done = run(
            clone,
            "plan",
            "dev",
            "--against",
            "HEAD",
            "--set",
            "pools.memory.size.max=12",
            PIP_INDEX_URL="http://127.0.0.1:9/",
            PIP_NO_INDEX="1",
            UV_OFFLINE="1",
        )
    finally:
        locked.write_text(before, encoding="utf-8")
    assert done.returncode == 0 and "only the configuration was compared" in " ".join(
        done.stdout.split()
    ), done
    assert "unknown effect" in done.stdout and "Nothing changes" not in done.stdout


@pytest.mark.real
def test_other_libraries_are_installed_once_in_an_environment_of_their_own(clone):
    locked = clone / "requirements" / "runtime.txt"
    before = locked.read_text(encoding="utf-8")
    try:
        locked.write_text(f"{before}# another set of libraries\n", encoding="utf-8")
        first, second = (
            run(clone, "plan", "dev", "--against", "HEAD", "--set", "pools.memory.size.max=12")
            for _ in range(2)
        )
    finally:
        locked.write_text(before, encoding="utf-8")
        shutil.rmtree(
            clone.parent / "cache" / "jupyterhub-aws" / "environments", ignore_errors=True
        )
    assert "installing what" in first.stderr and second.stderr == "", first
    assert (
        first.stdout == second.stdout
        and "12 nodes instead of 10" in first.stdout
        and "only the configuration" not in first.stdout
    )


@pytest.mark.real
def test_a_plan_of_another_machine_is_the_same(clone):
    done = run(clone, "plan", "dev", "--json", "-", "--as-of", "2026-11-24")
    assert json.loads(done.stdout) == plan()


@pytest.mark.real
def test_the_comment_of_the_largest_change_fits_and_says_what_it_left_out():
    large = markdown(found("settings: options taken away"))
    assert len(large) <= LIMIT < 65_536 and large.count("<details>") == large.count("</details>")
    small = markdown(found("settings: options taken away"), limit=9_000)
    assert len(small) <= 9_000 and "Left out, because a comment has no room for it" in small
    assert small.index("Endangers data") < small.index("Left out")
    assert small.count("<details>") == small.count("</details>")


@pytest.mark.parametrize(
    "hostile",
    [
        "@everyone look",
        "<script>alert(1)</script>",
        "![x](https://evil.example/x.png)",
        "[click](https://evil.example)",
        "https://evil.example/x",
        "`code` **bold** | cell",
        "a\n\n# heading\n- [ ] task",
        "\u202eright to left\u200b",
        "#1234 fixes",
        "</details>",
    ],
)
def test_words_of_a_stranger_stay_words(hostile):
    shown = text(hostile)
    assert (
        "\n" not in shown and "<" not in shown and "\u202e" not in shown and "https://" not in shown
    )
    assert (
        "@everyone" not in shown and "![" not in shown and "](" not in shown and "**" not in shown
    )


def test_nothing_of_a_stranger_closes_a_fence_or_a_fold():
    old, new = plan(), plan()
    (group,) = [item for item in new["resources"] if item["name"] == "pools-memory-spot-group"]
    group["inputs"]["healthCheckType"] = "```\n</details>\n@everyone <img src=x>"
    from jupyterhub_aws.changes.difference import difference
    from jupyterhub_aws.changes.side import side_of

    comment = markdown(difference(side_of(old, "old"), side_of(new, "new")))
    assert comment.count("```") % 2 == 0
    outside = "".join(comment.split("```")[::2])
    assert outside.count("</details>") == outside.count("<details>")
    assert "@everyone" not in outside and "<img" not in outside
