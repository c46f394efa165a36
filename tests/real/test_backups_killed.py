"""`jhub restore run`, `jhub restore drill` and `jhub backup now`, ended by SIGKILL at each call in
turn, of AWS's and of kubectl's.

The next run ends as one that nobody ended. Each time what was asked is done, and nobody hears of
it: with that for every call, each state that there can be in between has been there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.backup_api import BackupApi, backup_api
from tests.support.backup_shapes import Hub, aged, built, everything
from tests.support.cloud import Cloud, cloud
from tests.support.in_process import in_process
from tests.support.live import killed_at, preload

pytestmark = pytest.mark.real
RESTORE, NOW = ("restore", "run", "dev", "--user", "ada"), ("backup", "now", "dev")
DRILL = ("restore", "drill", "dev", "--user", "ada")
_MOST = 80


@pytest.fixture(scope="module")
def moto() -> Iterator[Cloud]:
    preload()
    with cloud() as found:
        yield found


@pytest.fixture(autouse=True)
def no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@contextmanager
def hub_of(shape: str, moto: Cloud, folder: Path, *, old: bool = False) -> Iterator[Hub]:
    moto.reset()
    (folder / "stack").mkdir(parents=True)
    api = BackupApi(folder=folder / "account", slow=0)
    with backup_api(moto, api) as front:
        hub = built(shape, folder / "stack", api, moto, front)
        if old:
            aged(hub)
        yield hub


def state(hub: Hub, moto: Cloud) -> dict[str, Any]:
    """All that a restore or a backup may have touched, but the names that are new each time."""
    cluster = hub.cluster()
    volumes = moto.client("ec2").describe_volumes()["Volumes"]
    return {
        "files": {
            re.sub(r"^aws-backup-restore_[^/]+", "aws-backup-restore", name): found
            for name, found in everything(hub.api.homes).items()
        },
        "records": [path.name for path in hub.folder.glob("drills/*")],
        "restores": sorted(job["Status"] for job in hub.api.restore_jobs.values()),
        "backups": sorted(job["State"] for job in hub.api.backup_jobs.values()),
        "associations": list(hub.api.associations),
        "objects": sorted(
            (item["kind"], item["metadata"].get("namespace", "")) for item in cluster["objects"]
        ),
        "drivers": sorted(
            (pod["spec"]["nodeName"], len(pod["spec"]["containers"][0]["env"]))
            for pod in cluster["pods"]
        ),
        "volumes": sorted(volume["State"] for volume in volumes),
        "snapshots": len(
            [
                item
                for item in moto.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
                if "jhub" in item.get("Description", "")
            ]
        ),
    }


def finished(hub: Hub, moto: Cloud, arguments: tuple[str, ...]) -> dict[str, Any]:
    done = in_process(arguments, hub.folder, hub.environment)
    assert done.returncode == 0, done.stderr
    return state(hub, moto)


CASES = [
    ("efs", RESTORE),
    ("ebs", RESTORE),
    ("efs", NOW),
    ("snapshots", NOW),
    ("nfs", NOW),
    ("efs", DRILL),
]


@pytest.mark.parametrize(
    ("shape", "arguments"),
    CASES,
    ids=[f"{shape} {' '.join(arguments[:2])}" for shape, arguments in CASES],
)
def test_killed_at_any_call_of_aws_the_next_run_ends_the_same(
    moto: Cloud, tmp_path: Path, shape: str, arguments: tuple[str, ...]
) -> None:
    with hub_of(shape, moto, tmp_path / "whole", old=arguments == DRILL) as hub:
        wanted = finished(hub, moto, arguments)
    for number in range(1, _MOST):
        with hub_of(shape, moto, tmp_path / str(number), old=arguments == DRILL) as hub:
            more = {key: hub.environment[key] for key in ("STAND_IN", "PATH")}
            if not killed_at(hub.account, number, arguments, hub.folder, done=True, more=more):
                break
            assert finished(hub, moto, arguments) == wanted, (
                f"killed at call {number}: {hub.account.calls}"
            )
    assert 5 < number < _MOST


def test_killed_at_any_call_of_kubectl_the_next_run_ends_the_same(
    moto: Cloud, tmp_path: Path
) -> None:
    with hub_of("efs", moto, tmp_path / "whole") as hub:
        wanted = finished(hub, moto, RESTORE)
        calls = len((hub.api.folder / "kubectl.log").read_text().splitlines())
    assert calls > 10
    for number in range(1, calls + 1):
        with hub_of("efs", moto, tmp_path / str(number)) as hub:
            more = {
                **{key: hub.environment[key] for key in ("STAND_IN", "PATH")},
                "STAND_IN_KILL": str(number),
            }
            assert not killed_at(hub.account, 10_000, RESTORE, hub.folder, done=False, more=more), (
                "kubectl kills, not the door"
            )
            assert "STAND_IN_KILL" not in os.environ
            assert finished(hub, moto, RESTORE) == wanted, f"killed at call {number} of kubectl"
