"""The program that hands a restored directory over or compares it, as the job runs it, on real
folders: nothing that is alive is ever written over.
"""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import pytest

from tests.support.in_process import script

PROGRAM = Path(__file__).parents[2] / "components" / "hub" / "files" / "homes_restored.py"
SINCE = datetime.datetime(2026, 11, 28, 3, 0, tzinfo=datetime.UTC)
UNTIL = SINCE + datetime.timedelta(minutes=30)
ITEM, TARGET = "hubs/main/ada", "hubs/main/ada/restored-2026-11-27t0300z"


def side(root: Path, minute: int = 5, item: str = ITEM, **files: str) -> Path:
    """A directory as AWS Backup leaves it."""
    folder = (
        root
        / f"aws-backup-restore_2026-11-28T{3 + minute // 60:02}-{minute % 60:02}-00-123Z"
        / item
    )
    folder.mkdir(parents=True)
    for name, text in (files or {"notes": "old"}).items():
        (folder / name).write_text(text)
    return folder


def run(
    root: Path, what: str, *more: str, item: str = ITEM, target: str = TARGET
) -> tuple[int, dict]:
    times = [
        "--since",
        SINCE.isoformat(),
        "--until",
        UNTIL.isoformat(),
        "--uid",
        str(os.geteuid()),
        "--gid",
        str(os.getegid()),
    ]
    names = ["--item", item, *(["--target", target] if what == "hand-over" else [])]
    done = script(PROGRAM, root, what, *names, *times, *more)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def refused(found: tuple[int, dict]) -> str:
    assert found[0] == 1
    return found[1]["refused"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ITEM).mkdir(parents=True)
    (tmp_path / ITEM / "notes").write_text("alive")
    return tmp_path


def test_it_is_moved_once_and_said_to_be_there_afterwards(root: Path) -> None:
    side(root)
    code, found = run(root, "hand-over")
    assert (code, found["moved"], found["target"]) == (0, True, TARGET)
    assert (root / TARGET / "notes").read_text() == "old" and (
        root / ITEM / "notes"
    ).read_text() == "alive"
    assert run(root, "hand-over")[1]["moved"] is False


@pytest.mark.parametrize("minute", [-11, 41])
def test_what_another_job_restored_is_left_alone(root: Path, minute: int) -> None:
    there = side(root, 60 + minute)
    folder = there.parents[2]
    folder.rename(
        root
        / f"aws-backup-restore_{SINCE + datetime.timedelta(minutes=minute):%Y-%m-%dT%H-%M-%S}-000Z"
    )
    assert "no directory aws-backup-restore_* of that time holds" in refused(run(root, "hand-over"))


def test_of_two_restores_of_that_time_none_is_taken(root: Path) -> None:
    side(root, 5)
    side(root, 6)
    side(root, 7, item="hubs/main/bob")
    assert "several restores hold hubs/main/ada" in refused(run(root, "hand-over"))
    assert not (root / TARGET).exists()


def test_nothing_is_written_over(root: Path) -> None:
    (root / TARGET).mkdir()
    (root / TARGET / "mine").write_text("mine")
    side(root)
    assert "is there already, and nothing is written over" in refused(run(root, "hand-over"))
    assert [path.name for path in (root / TARGET).iterdir()] == ["mine"]


@pytest.mark.real
@pytest.mark.parametrize(
    "path", ["../outside", "hubs/../../outside", "hubs//main", "/hubs/main", "."]
)
def test_no_path_leads_out(root: Path, path: str) -> None:
    side(root)
    assert "is no path below the file system" in refused(run(root, "hand-over", target=path + "/x"))
    assert "is no path below the file system" in refused(
        run(root, "compare", "--taken", SINCE.isoformat(), item=path + "/x")
    )


def test_a_link_in_the_way_leads_nowhere(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    trap = tmp_path_factory.mktemp("trap")
    (root / ITEM / "notes").unlink()
    (root / ITEM).rmdir()
    (root / ITEM).symlink_to(trap)
    side(root)
    refused(run(root, "hand-over"))
    assert list(trap.iterdir()) == []


def test_what_is_inside_keeps_its_links_and_is_the_persons(root: Path) -> None:
    there = side(root)
    (there / "link").symlink_to("/etc/passwd")
    before = os.lstat("/etc/passwd")
    assert run(root, "hand-over")[0] == 0
    assert (
        os.readlink(root / TARGET / "link") == "/etc/passwd" and os.lstat("/etc/passwd") == before
    )


# --- compare


def later() -> str:
    return (datetime.datetime.now(tz=datetime.UTC) + datetime.timedelta(hours=1)).isoformat()


def compared(root: Path, taken: str) -> dict:
    code, found = run(root, "compare", "--taken", taken)
    assert code == 0, found
    return found


def test_the_same_is_the_same_and_another_content_is_a_difference(root: Path) -> None:
    side(root, notes="alive")
    assert compared(root, later()) == {
        "files": 1,
        "bytes": 5,
        "same": 1,
        "changed": 0,
        "differences": 0,
    }
    (root / ITEM / "notes").write_text("aliVe")
    assert compared(root, later())["differences"] == 1


def test_what_was_changed_since_the_backup_proves_nothing(root: Path) -> None:
    side(root, notes="before", gone="deleted since")
    (root / ITEM / "new").write_text("made since")
    found = compared(root, SINCE.isoformat())
    assert found == {"files": 2, "bytes": 19, "same": 0, "changed": 2, "differences": 0}


def test_what_should_be_in_the_backup_and_is_not_is_a_difference(root: Path) -> None:
    (root / ITEM / "deep").mkdir()
    (root / ITEM / "deep" / "file").write_text("x")
    side(root, notes="alive")
    assert compared(root, later())["differences"] == 1


def test_a_home_that_is_gone_cannot_be_compared(root: Path) -> None:
    side(root)
    (root / ITEM).rename(root / "elsewhere")
    assert "is not there any more" in refused(run(root, "compare", "--taken", later()))
