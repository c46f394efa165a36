"""Files that an option names: whole, or as they were."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from jupyterhub_aws.cli.output import to_file
from jupyterhub_aws.config.errors import ConfigError


def test_a_file_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, in the middle of it: what was there stays, and nothing lies beside it."""
    target = tmp_path / "Pulumi.dev.yaml"
    target.write_text("before")

    def full(path: Path, text: str, **options: object) -> int:
        with path.open("w") as handle:
            handle.write(text[:3])
        raise OSError(28, "No space left on device")

    with (
        monkeypatch.context() as broken,
        pytest.raises(ConfigError, match=r"No space left.* \[file.not-written\]"),
    ):
        broken.setattr(Path, "write_text", full)
        to_file("jhub plan", "--json", str(target), "afterwards")
    assert target.read_text() == "before" and list(tmp_path.iterdir()) == [target]


def test_it_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    target, link = tmp_path / "plan.json", tmp_path / "link"
    target.write_text("before")
    target.chmod(0o640)
    link.symlink_to(target)
    to_file("jhub plan", "--json", str(link), "after")
    assert (
        target.read_text() == "after"
        and target.stat().st_mode & 0o777 == 0o640
        and link.is_symlink()
    )
    assert sorted(tmp_path.iterdir()) == [link, target]


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    to_file("jhub plan", "--json", str(pipe), "through")
    reader.join(5)
    assert read == ["through"] and pipe.is_fifo()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--json: .* \[file.not-written\]"):
        to_file("jhub plan", "--json", str(tmp_path / "none" / "plan.json"), "x")
