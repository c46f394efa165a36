"""The programs that run over homes, on real trees: usage is counted, and what root wrote is
handed over, once, whatever stops it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.components.hub.values.hub_files import FOLDER
from tests.support.in_process import Done, script
from tests.support.pod_security import violations
from tests.support.stacks import FULL, HANDED_OVER, HANDING_OVER, StackRecording, record

USAGE, OWNERSHIP = FOLDER / "homes_usage.py", FOLDER / "homes_ownership.py"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="changing owners takes root")
UID, GID = 4100, 4101


def ran(program: Path, *arguments: str, check: bool = True) -> Done:
    done = script(program, *arguments)
    assert done.returncode == 0 or not check, done.stderr
    return done


# --- usage ---


def test_usage_is_what_files_occupy_and_nothing_twice(tmp_path: Path) -> None:
    root, outside = tmp_path / "homes", tmp_path / "outside"
    (outside).mkdir()
    (outside / "big").write_bytes(b"x" * 4_000_000)
    for person, size in (("ada", 2_000_000), ("bob", 10_000), ("eve", 0)):
        (root / person / "deep" / "er").mkdir(parents=True)
        (root / person / "deep" / "er" / "file").write_bytes(b"x" * size)
    os.link(root / "ada" / "deep" / "er" / "file", root / "ada" / "again")
    (root / "bob" / "link").symlink_to(outside)
    (root / "bob" / "loop").symlink_to(".")
    (root / "eve" / os.fsdecode(b"\xff\xfe\n")).write_bytes(b"x")
    with (root / "eve" / "sparse").open("wb") as file:
        file.truncate(1_000_000_000)
    report = tmp_path / "reports" / "usage.json"
    done = ran(USAGE, str(root), "--report", str(report))
    found = json.loads(report.read_text())
    assert [row["home"] for row in found["homes"]] == ["ada", "bob", "eve"], "large to small"
    sizes = {row["home"]: row["bytes"] for row in found["homes"]}
    assert (
        2_000_000 <= sizes["ada"] < 2_200_000
        and 10_000 <= sizes["bob"] < 100_000
        and sizes["eve"] < 100_000
    )
    assert {row["home"]: row["files"] for row in found["homes"]} == {"ada": 2, "bob": 3, "eve": 3}
    assert found["total"]["bytes"] == sum(sizes.values()) and found["unread"] == []
    assert (
        "ada" in done.stdout and "in all" in done.stdout and not list(report.parent.glob("*.new"))
    )


def test_homes_further_down_are_counted_each(tmp_path: Path) -> None:
    for person in ("ada", "bob"):
        (tmp_path / "home" / person).mkdir(parents=True)
    ran(USAGE, str(tmp_path), "--depth", "2", "--report", str(tmp_path / "r.json"))
    assert [row["home"] for row in json.loads((tmp_path / "r.json").read_text())["homes"]] == [
        "home/ada",
        "home/bob",
    ]


@pytest.mark.real
@as_root
def test_a_directory_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "homes" / "ada" / "secret").mkdir(parents=True)
    (tmp_path / "homes" / "ada" / "secret").chmod(0)
    os.chown(tmp_path / "homes" / "ada" / "secret", 0, 0)
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if str(parent).startswith("/tmp/") and parent.stat().st_uid == 0:
            parent.chmod(0o755)
    program = tmp_path / "usage.py"
    program.write_text(USAGE.read_text())
    done = subprocess.run(
        [
            "setpriv",
            "--reuid",
            "65534",
            "--clear-groups",
            "/usr/bin/python3",
            str(program),
            str(tmp_path / "homes"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "not read: " in done.stderr and "ada/secret: Permission denied" in done.stderr


# --- ownership ---


def tree(root: Path) -> None:
    """Homes as root wrote them, with everything that may be in the way."""
    for person in ("ada", "bob", "eve", "a\nb", os.fsdecode(b"\xff")):
        (root / person / "work" / "deep").mkdir(parents=True)
        for number in range(30):
            (root / person / "work" / "deep" / f"{number}.txt").write_text("x")
    (root / "ada" / "link").symlink_to("/etc/passwd")
    (root / "ada" / "out").symlink_to(root.parent / "outside")
    (root / "bob" / "tool").write_text("#!/bin/sh\n")
    (root / "bob" / "tool").chmod(0o4755)
    (root / "eve" / "locked").mkdir(mode=0o055)
    (root / "eve" / "mine").write_text("x")
    os.chown(root / "eve" / "mine", UID, GID)
    os.mkfifo(root / "eve" / "pipe")


def owners(root: Path) -> set[tuple[int, int]]:
    found = {
        (item.lstat().st_uid, item.lstat().st_gid)
        for item in root.rglob("*")
        if item.name != "marker"
    }
    return found | {
        (item.lstat().st_uid, item.lstat().st_gid)
        for item in root.iterdir()
        if item.name != "marker"
    }


def handed(root: Path, *more: str, check: bool = True) -> Done:
    return ran(
        OWNERSHIP,
        str(root),
        "--marker",
        str(root / "marker"),
        "--uid",
        str(UID),
        "--gid",
        str(GID),
        *more,
        check=check,
    )


@as_root
def test_everything_below_is_handed_over_once_and_nothing_outside(tmp_path: Path) -> None:
    root, outside = tmp_path / "homes", tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    tree(root)
    before = (
        os.stat("/etc/passwd").st_uid,
        (outside / "file").stat().st_uid,
        outside.stat().st_uid,
    )
    counted = handed(root, "--dry-run").stdout
    assert (
        "would be handed over" in counted
        and owners(root) == {(0, 0), (UID, GID)}
        and not (root / "marker").exists()
    )
    done = handed(root)
    assert owners(root) == {(UID, GID)}
    assert before == (
        os.stat("/etc/passwd").st_uid,
        (outside / "file").stat().st_uid,
        outside.stat().st_uid,
    )
    assert (
        stat.S_IMODE((root / "bob" / "tool").stat().st_mode) == 0o755 and "bob/tool" in done.stdout
    )
    assert stat.S_IMODE((root / "eve" / "locked").stat().st_mode) == 0o755
    lines = (root / "marker").read_text().splitlines()
    assert lines[-1] == "complete" and len(lines) == 6 and "done a\\nb" in lines
    assert counted.replace("would be ", "") == done.stdout.splitlines()[0] + "\n" + "".join(
        f"{line}\n" for line in done.stdout.splitlines()[1:]
    )
    (root / "ada" / "later").write_text("by root")
    assert "complete already" in handed(root).stdout
    assert (root / "ada" / "later").stat().st_uid == 0, "once is once"


@pytest.mark.real
@as_root
@pytest.mark.parametrize("point", range(12))
def test_killed_at_any_point_the_next_run_finishes(tmp_path: Path, point: int) -> None:
    root = tmp_path / "homes"
    tree(root)
    command = [
        sys.executable,
        str(OWNERSHIP),
        str(root),
        "--marker",
        str(root / "marker"),
        "--uid",
        str(UID),
        "--gid",
        str(GID),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if point < 6:  # so many homes are finished
        while (
            len((root / "marker").read_text().splitlines() if (root / "marker").exists() else [])
            < point
            and process.poll() is None
        ):
            pass
    else:  # so many files are handed over
        wanted = list(root.rglob("*.txt"))[(point - 6) * 25]
        while wanted.lstat().st_uid == 0 and process.poll() is None:
            pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    handed(root)
    assert owners(root) == {(UID, GID)}
    assert (root / "marker").read_text().splitlines()[-1] == "complete"


@as_root
def test_a_line_that_was_cut_off_counts_as_not_done(tmp_path: Path) -> None:
    root = tmp_path / "homes"
    tree(root)
    (root / "marker").write_text("done ada\ndone bo")
    handed(root)
    assert (root / "ada" / "work").stat().st_uid == 0, "the marker says that it is done"
    assert (root / "bob" / "work").stat().st_uid == UID
    assert (root / "marker").read_text().splitlines()[-1] == "complete"


@pytest.mark.real
@as_root
def test_a_link_that_takes_the_place_of_a_directory_leads_nowhere(tmp_path: Path) -> None:
    """Somebody swaps a directory for a link to /etc while the program is at work: again and
    again, it never goes there.
    """
    root, trap = tmp_path / "homes", tmp_path / "trap"
    (trap / "deep").mkdir(parents=True)
    (trap / "deep" / "file").write_text("x")
    tree(root)
    command = [
        sys.executable,
        str(OWNERSHIP),
        str(root),
        "--marker",
        str(root / "marker"),
        "--uid",
        str(UID),
        "--gid",
        str(GID),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < end:
        (root / "ada" / "work").rename(root / "ada" / "away")
        (root / "ada" / "work").symlink_to(trap)
        (root / "ada" / "work").unlink()
        (root / "ada" / "away").rename(root / "ada" / "work")
    process.wait()
    assert {item.lstat().st_uid for item in (trap, trap / "deep", trap / "deep" / "file")} == {0}


def test_what_became_a_link_since_it_was_looked_at_is_not_entered(tmp_path: Path) -> None:
    """The moment between looking and opening, which the test above may not meet."""
    spec = importlib.util.spec_from_file_location("homes_ownership", OWNERSHIP)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / "file").write_text("x")
    (tmp_path / "link").symlink_to("trap")
    owner, parent = module.Owner(os.geteuid(), os.getegid(), True), os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(OSError):
            owner._below(parent, "link", "link", tmp_path.stat().st_dev)
        with pytest.raises(OSError):
            owner._chmod(parent, "link", 0o777)
    finally:
        os.close(parent)
    assert owner.seen == 0


@pytest.mark.real
@as_root
def test_what_fails_is_named_and_not_complete(tmp_path: Path) -> None:
    root = tmp_path / "homes"
    tree(root)
    if (
        subprocess.run(
            ["chattr", "+i", str(root / "ada" / "work")], check=False, capture_output=True
        ).returncode
        != 0
    ):
        pytest.skip("this file system has no immutable files")
    try:
        done = handed(root, check=False)
        assert done.returncode == 1 and "failed: ada/work" in done.stderr
        assert (
            "complete" not in (root / "marker").read_text()
            and "done ada" not in (root / "marker").read_text()
        )
    finally:
        subprocess.run(["chattr", "-i", str(root / "ada" / "work")], check=True)
    assert handed(root).returncode == 0 and owners(root) == {(UID, GID)}


# --- as the program makes them ---


def pod_of(recording: StackRecording, kind: str, *way: str) -> dict[str, Any]:
    found: Any = recording.resources.of(kind)[0].inputs["spec"]
    for key in way:
        found = found[key]
    return {"metadata": {}, "spec": found}


def test_the_report_runs_as_the_owner_of_homes_and_the_namespace_lets_it_in() -> None:
    recording = record(*FULL)
    jobs = recording.resources.of("kubernetes:batch/v1:CronJob")
    assert [job.inputs["spec"]["schedule"] for job in jobs] == ["0 4 * * 0"] * 3, "one for each hub"
    pod = pod_of(
        recording, "kubernetes:batch/v1:CronJob", "jobTemplate", "spec", "template", "spec"
    )
    assert violations(pod) == []
    (container,) = pod["spec"]["containers"]
    assert container["command"][:3] == ["python3", "/program/homes_usage.py", "/homes"]
    assert (
        container["securityContext"]["runAsUser"],
        container["securityContext"]["runAsGroup"],
    ) == (1000, 100)
    assert pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == "homes"


def test_no_hub_is_there_before_homes_are_handed_over() -> None:
    recording = record(*HANDING_OVER)
    assert not [
        found
        for found in recording.resources.of("kubernetes:helm.sh/v3:Release")
        if found.name.startswith("hub-")
    ]
    pod = pod_of(recording, "kubernetes:batch/v1:Job", "template", "spec")
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"]["capabilities"] == {
        "drop": ["ALL"],
        "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER"],
    }
    assert container["command"] == [
        "python3",
        "/program/homes_ownership.py",
        "/homes",
        "--marker",
        "/homes/.jupyterhub-aws-ownership",
    ]
    (namespace,) = recording.resources.of("kubernetes:core/v1:Namespace")
    assert (
        namespace.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"
    )
    points = {
        found.name: found.inputs
        for found in recording.resources.of("aws:efs/accessPoint:AccessPoint")
    }
    assert points["homes-handing-over-access-point"]["rootDirectory"] == {"path": "/home"}
    assert points["homes-access-point-main"]["rootDirectory"]["path"] == "/home"
    policy = json.dumps(recording.one("aws:efs/fileSystemPolicy:FileSystemPolicy").inputs["policy"])
    assert "OwnershipThroughItsAccessPoint" in policy


def test_afterwards_the_hub_is_there_and_the_way_of_root_is_gone() -> None:
    recording = record(*HANDED_OVER)
    assert [
        found
        for found in recording.resources.of("kubernetes:helm.sh/v3:Release")
        if found.name == "hub-main-release"
    ]
    assert not recording.resources.of("kubernetes:batch/v1:Job")
    assert "homes-handing-over-access-point" not in {found.name for found in recording.resources}
    assert "Ownership" not in json.dumps(
        recording.one("aws:efs/fileSystemPolicy:FileSystemPolicy").inputs["policy"]
    )
