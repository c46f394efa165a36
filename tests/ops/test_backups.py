"""`jhub backup` and `jhub restore` against an account of moto's with AWS Backup before it, a
cluster that is a file, and a file system that is a folder.
"""

from __future__ import annotations

import datetime
import json
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyterhub_aws.config.backups import TAG, Snapshots
from jupyterhub_aws.operate.backups.now import backup_runs
from jupyterhub_aws.operate.backups.points import EFS_VAULT, Stateful, _of_snapshot
from tests.support.backup_api import BackupApi, backup_api
from tests.support.backup_shapes import (
    FILES,
    STACK,
    Hub,
    aged,
    built,
    days_ago,
    everything,
    volume_arn,
)
from tests.support.cloud import Cloud, cloud
from tests.support.data_examples import described
from tests.support.data_keys import faults
from tests.support.in_process import Done, in_process

pytestmark = pytest.mark.real

OWNER = (1000, 100)


@pytest.fixture(scope="module")
def moto() -> Iterator[Cloud]:
    with cloud() as found:
        yield found


@pytest.fixture
def make(
    moto: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Hub]]:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    moto.reset()
    (tmp_path / "stack").mkdir()
    api = BackupApi(folder=tmp_path / "account")
    with backup_api(moto, api) as front:
        yield lambda shape: built(shape, tmp_path / "stack", api, moto, front)


def jhub(hub: Hub, *arguments: str) -> Done:
    return in_process(arguments, hub.folder, hub.environment)


def stamp(hub: Hub, days: int) -> str:
    return f"{days_ago(hub.api, days):%Y-%m-%dt%H%Mz}"


def edited(hub: Hub, line: str) -> None:
    """The stack file with one more section."""
    file = hub.folder / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("config:\n", f"config:\n  jupyterhub-aws:{line}\n", 1))


def nothing_is_left_open(hub: Hub) -> None:
    """No role, no driver with one, no object of ours."""
    cluster = hub.cluster()
    assert hub.api.associations == {} and cluster["objects"] == []
    assert not [
        pod
        for pod in cluster["pods"]
        for container in pod["spec"]["containers"]
        if container["env"]
    ]


# --- list


def test_backups_are_listed_by_what_they_are_of(make) -> None:
    hub = make("efs")
    done = jhub(hub, "backup", "list", "dev")
    assert done.returncode == 0, done.stderr
    assert (
        f"EFS {STACK}-homes" in done.stdout
        and f"EBS {STACK}-main-database" in done.stdout
        and "117.7 MiB" in done.stdout
    )
    assert done.stdout.count("completed") == 4 and max(map(len, done.stdout.splitlines())) <= 80
    data = described("backup list", jhub(hub, "backup", "list", "dev", "--json").stdout)
    assert len(data["recovery_points"]) == 4 and {
        item["covered"] for item in data["resources"]
    } == {True}
    assert [item["made"] for item in data["recovery_points"]] == sorted(
        (item["made"] for item in data["recovery_points"]), reverse=True
    )


def test_a_volume_that_is_older_than_the_tag_is_named_with_the_command_that_covers_it(
    make, moto: Cloud
) -> None:
    hub = make("ebs")
    moto.client("ec2").delete_tags(Resources=[hub.ids["bob"]], Tags=[{"Key": TAG}])
    done = jhub(hub, "backup", "list", "dev")
    assert done.returncode == 1 and f"✗ EBS claim-bob ({hub.ids['bob']})" in done.stdout
    assert (
        f"aws ec2 create-tags --tags Key={TAG},Value={STACK} --resources {hub.ids['bob']}"
        in done.stdout
    )
    assert hub.ids["node"] not in done.stdout and hub.ids["other"] not in done.stdout, (
        "neither a node's disk nor another stack's volume"
    )


def test_snapshots_are_listed_too_and_without_any_vault(make) -> None:
    hub = make("snapshots")
    hub.api.vaults.clear()
    done = jhub(hub, "backup", "list", "dev")
    assert done.returncode == 0, done.stderr
    assert "EBS claim-ada" in done.stdout and "10.0 GiB" in done.stdout


def test_what_is_only_the_newest_five_says_how_many_more_there_are(make) -> None:
    hub = make("efs")
    for days in range(10, 20):
        hub.api.point(f"{STACK}-backups", hub.ids["homes"], "EFS", days_ago(hub.api, days))
    assert "and 7 more: --all" in jhub(hub, "backup", "list", "dev").stdout
    assert jhub(hub, "backup", "list", "dev", "--all").stdout.count("completed") == 14


# --- now


@pytest.mark.parametrize("shape", ["efs", "ebs", "nfs"])
def test_everything_that_holds_data_is_backed_up_now_and_once(make, shape: str) -> None:
    hub = make(shape)
    done = jhub(hub, "backup", "now", "dev")
    assert done.returncode == 0, done.stderr
    expected = {
        "efs": {hub.ids.get("homes")},
        "ebs": {volume_arn(hub.ids[who]) for who in ("ada", "bob") if who in hub.ids},
        "nfs": {hub.ids.get("database")},
    }
    assert {job["ResourceArn"] for job in hub.api.backup_jobs.values()} == expected[shape] | {
        volume_arn(hub.ids["memory"])
    }
    again = jhub(hub, "backup", "now", "dev")
    assert (
        again.returncode == 0
        and "already so" in again.stderr
        and len(hub.api.backup_jobs) == len(expected[shape]) + 1
    )


def test_a_nightly_job_reads_the_arn_of_each_backup(make) -> None:
    hub = make("efs")
    done = jhub(hub, "backup", "now", "dev", "--json")
    found = described("backup now", done.stdout)
    assert done.returncode == 0 and done.stderr.endswith(f"{found['says']}\n"), done.stderr
    jobs = hub.api.backup_jobs
    assert {(item["arn"], item["resource"], item["job"]) for item in found["backups"]} == {
        (job["RecoveryPointArn"], job["ResourceArn"], id_) for id_, job in jobs.items()
    }
    assert {item["kind"] for item in found["backups"]} == {"EFS", "EBS"}
    again = json.loads(jhub(hub, "backup", "now", "dev", "--json").stdout)
    assert again["backups"] == found["backups"], "what was begun within the last hour counts"
    assert {step["state"] for step in again["steps"]} == {"already so"}
    hub.api.refuse[hub.ids["homes"]] = "The file system is being deleted"
    jobs.clear()
    hub.api.tokens.clear()
    done = jhub(hub, "backup", "now", "dev", "--json")
    (problem,) = described("problems", done.stdout)["problems"]
    assert done.returncode == 2 and problem["id"] == "backup.failed"


def test_snapshots_as_data_are_those_of_the_list(make) -> None:
    hub = make("snapshots")
    found = json.loads(jhub(hub, "backup", "now", "dev", "--json").stdout)
    assert faults("backup now", found) == [] and {item["job"] for item in found["backups"]} == {
        None
    }
    listed = json.loads(jhub(hub, "backup", "list", "dev", "--json").stdout)["recovery_points"]
    pairs = {(item["arn"], item["resource"]) for item in listed}
    assert {(item["arn"], item["resource"]) for item in found["backups"]} <= pairs


def test_snapshots_are_made_now_with_the_tags_of_their_volumes(make, moto: Cloud) -> None:
    hub = make("snapshots")
    for _ in range(2):
        done = jhub(hub, "backup", "now", "dev")
        assert done.returncode == 0, done.stderr
    made = [
        item
        for item in moto.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
        if "jhub backup now" in item.get("Description", "")
    ]
    assert {item["VolumeId"] for item in made} == {
        hub.ids[who] for who in ("ada", "bob", "memory")
    } and len(made) == 3
    assert all({tag["Key"]: tag["Value"] for tag in item["Tags"]}[TAG] == STACK for item in made)


def test_a_snapshot_that_is_still_being_made_is_waited_for_and_not_made_twice() -> None:
    """As EC2 makes them: moto's are done at once."""
    now = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)
    made: list[dict] = []

    class Client:
        def create_snapshot(self, **asked) -> None:
            made.append(
                {
                    "VolumeId": asked["VolumeId"],
                    "State": "pending",
                    "StartTime": now,
                    "Tags": asked["TagSpecifications"][0]["Tags"],
                }
            )

    account = types.SimpleNamespace(client=lambda _: Client(), all=lambda *_, **__: list(made))
    context = types.SimpleNamespace(
        command="test",
        account=account,
        stack=types.SimpleNamespace(backups=Snapshots(kind="snapshots")),
    )
    volume = Stateful(
        arn="arn",
        kind="EBS",
        id="vol-1",
        name="claim-ada",
        covered=True,
        tags={"aws:x": "y", TAG: STACK},
    )
    (work,) = backup_runs(context, [volume], lambda: now)
    step = work.step()
    step.do()
    step.do()
    assert step.left() == ["claim-ada (vol-1) (pending)"] and len(made) == 1
    assert {tag["Key"] for tag in made[0]["Tags"]} == {
        TAG,
        "jupyterhub-aws/made-by",
    }, "a tag of AWS's own cannot be set"
    made[0]["State"] = "completed"
    assert step.left() == []


def test_a_job_that_fails_is_said_and_another_run_begins_another(make) -> None:
    hub = make("efs")
    hub.api.refuse[hub.ids["homes"]] = "The file system is being deleted"
    done = jhub(hub, "backup", "now", "dev")
    assert done.returncode == 2 and "failed: The file system is being deleted" in done.stderr
    assert "[backup.failed]" in done.stderr
    hub.api.refuse.clear()
    assert jhub(hub, "backup", "now", "dev").returncode == 0
    assert sorted(
        job["State"]
        for job in hub.api.backup_jobs.values()
        if job["ResourceArn"] == hub.ids["homes"]
    ) == ["COMPLETED", "FAILED"]


def test_settings_that_keep_aws_backup_out_are_said_before_anything_begins(make) -> None:
    hub = make("efs")
    hub.api.opted["EFS"] = False
    done = jhub(hub, "backup", "now", "dev")
    assert (
        done.returncode == 2 and "[backup.opted-out]" in done.stderr and hub.api.backup_jobs == {}
    )
    done = jhub(hub, "backup", "list", "dev")
    assert done.returncode == 2 and "keep AWS Backup from EFS" in done.stderr
    assert f"{STACK}-homes" in done.stdout
    done = jhub(hub, "backup", "list", "dev", "--json")
    assert done.returncode == 2 and "keep AWS Backup from EFS" in done.stderr
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["id"] == "backup.opted-out"


# --- restore


def test_a_plan_says_what_would_happen_and_asks_for_nothing(make) -> None:
    hub = make("efs")
    before = everything(hub.api.homes)
    done = jhub(hub, "restore", "plan", "dev", "--user", "Ada")
    assert done.returncode == 0, done.stderr
    assert (
        "/hubs/main/ada: the home of Ada on hub main" in done.stdout
        and f"/hubs/main/ada/restored-{stamp(hub, 1)}" in done.stdout
    )
    older = jhub(hub, "restore", "plan", "dev", "--user", "ada", "--at", "3d").stdout
    assert f"restored-{stamp(hub, 7)}" in older
    whole = jhub(hub, "restore", "plan", "dev").stdout
    assert f"/hubs/main/_restored/{stamp(hub, 1)}" in whole and "restore plan --database" in whole
    assert (
        hub.api.restore_jobs == {}
        and everything(hub.api.homes) == before
        and hub.api.associations == {}
    )
    assert max(len(line) for line in (done.stdout + whole).splitlines() if "arn:" not in line) <= 80


#: What a plan, a restore and a drill say in the same keys.
SAME = ("stack", "hub", "user", "kind", "source", "backup", "namespace")


def test_a_restore_as_data_is_what_its_plan_said(make) -> None:
    hub = make("efs")
    newest = hub.api.vaults[f"{STACK}-backups"][2]["RecoveryPointArn"]
    done = jhub(hub, "restore", "plan", "dev", "--user", "ada", "--json")
    planned = described("restore plan", done.stdout)
    assert (done.returncode, done.stderr, hub.api.restore_jobs) == (0, "", {})
    assert planned["backup"]["arn"] == newest and planned["change"] == {}
    assert planned["target"] == f"/hubs/main/ada/restored-{stamp(hub, 1)}"
    assert planned["commands"] == ["jhub restore run dev --user ada"]
    options = ("--user", "ada", "--at", "3d", "--attempt", "2")
    older = json.loads(jhub(hub, "restore", "plan", "dev", *options, "--json").stdout)
    assert older["commands"] == [f"jhub restore run dev {' '.join(options)}"]
    assert older["target"].endswith(f"restored-{stamp(hub, 7)}-2")
    done = jhub(hub, "restore", "run", "dev", "--user", "ada", "--json")
    restored = described("restore run", done.stdout)
    assert done.returncode == 0 and restored["restored"] and restored["entries"] > 0
    assert "they move back what they want" in done.stderr
    assert [restored[key] for key in (*SAME, "target")] == [
        planned[key] for key in (*SAME, "target")
    ]
    done = jhub(hub, "restore", "run", "dev", "--user", "ada", "--json")
    assert not json.loads(done.stdout)["restored"], "there already"


def test_a_drill_as_data_says_which_files_differ_and_where_its_record_is(make) -> None:
    hub = make("efs")
    aged(hub)
    newest = hub.api.vaults[f"{STACK}-backups"][2]["RecoveryPointArn"]
    (hub.api.kept[newest] / "hubs/main/ada/notes.txt").write_text("as it WAS\n")
    planned = json.loads(jhub(hub, "restore", "plan", "dev", "--user", "ada", "--json").stdout)
    done = jhub(hub, "restore", "drill", "dev", "--user", "ada", "--json")
    drilled = described("restore drill", done.stdout.replace(str(hub.folder), "/home/ops/hub"))
    assert (done.returncode, drilled["files"], drilled["differences"]) == (1, 3, 1)
    assert drilled["differing"] == ["'notes.txt'"] and "differs: 'notes.txt'" in done.stderr
    assert [drilled[key] for key in SAME] == [planned[key] for key in SAME]
    assert drilled["record"] == "/home/ops/hub/drills/dev.toml"
    assert "differences = 1" in (hub.folder / "drills/dev.toml").read_text()


def test_a_volume_as_data_is_a_claim_beside_the_live_one(make) -> None:
    hub = make("ebs")
    planned = json.loads(jhub(hub, "restore", "plan", "dev", "--user", "ada", "--json").stdout)
    assert faults("restore plan", planned) == [] and planned["source"] == hub.ids["ada"]
    for new in (True, False):
        found = json.loads(jhub(hub, "restore", "run", "dev", "--user", "ada", "--json").stdout)
        assert faults("restore run", found) == [] and found["restored"] is new
        assert (found["kind"], found["entries"]) == ("volume", None)
        claim = next(
            item
            for item in hub.cluster()["objects"]
            if "spec" in item and item["kind"] == "PersistentVolume"
        )
        assert claim["spec"]["csi"]["volumeHandle"] == found["volume"]
        assert claim["spec"]["claimRef"] == {
            "namespace": found["namespace"],
            "name": found["target"],
        }
    assert planned["target"] == found["target"]
    done = jhub(hub, "restore", "drill", "dev", "--user", "ada", "--json")
    (problem,) = described("problems", done.stdout)["problems"]
    assert done.returncode == 2 and problem["id"] == "restore.volumes"


@pytest.mark.parametrize("shape", ["efs", "ebs", "snapshots"])
def test_a_hubs_database_comes_back_by_hand_and_the_plan_says_how(
    make, moto: Cloud, shape: str
) -> None:
    hub = make(shape)
    mine = {
        item["SnapshotId"]
        for item in moto.client("ec2").describe_snapshots(
            Filters=[{"Name": "volume-id", "Values": [hub.ids["memory"]]}]
        )["Snapshots"]
    }
    said = jhub(hub, "restore", "plan", "dev", "--database")
    assert said.returncode == 0 and said.stdout.split()[1] in mine, said.stderr
    data = json.loads(jhub(hub, "restore", "plan", "dev", "--database", "--json").stdout)
    assert faults("restore plan", data) == [] and data["source"] == hub.ids["memory"]
    assert data["change"] == {"hubs.main.database.snapshot": said.stdout.split()[1]}
    if shape == "efs":
        assert (
            "30 days" not in said.stdout
            and "no backup of the database"
            in jhub(hub, "restore", "plan", "dev", "--database", "--at", "30d").stdout
        )
        none = jhub(hub, "restore", "plan", "dev", "--database", "--at", "30d", "--json")
        data = json.loads(none.stdout)
        assert faults("restore plan", data) == [] and data["backup"] is None
        assert data["change"] == {} and "no backup of the database" in data["says"]


def test_one_home_comes_back_beside_what_is_alive(make) -> None:
    hub = make("efs")
    home = hub.api.homes / "hubs" / "main" / "ada"
    (home / "notes.txt").write_text("spoilt\n")
    (home / "work" / "plan.md").unlink()
    before = everything(hub.api.homes)
    done = jhub(hub, "restore", "run", "dev", "--user", "ada")
    assert done.returncode == 0, done.stderr
    after = everything(hub.api.homes)
    assert {name: value for name, value in after.items() if name in before} == before, (
        "nothing that is alive was touched"
    )
    side = f"hubs/main/ada/restored-{stamp(hub, 1)}"
    assert {name: value for name, value in after.items() if name not in before} == {
        f"{side}/{name}": (*OWNER, text) for name, text in FILES.items()
    }
    nothing_is_left_open(hub)
    again = jhub(hub, "restore", "run", "dev", "--user", "ada")
    assert (
        again.returncode == 0
        and "there already" in again.stdout
        and everything(hub.api.homes) == after
        and len(hub.api.restore_jobs) == 1
    )
    nothing_is_left_open(hub)


def test_another_attempt_is_another_directory(make) -> None:
    hub = make("efs")
    for attempt in ("1", "2"):
        assert (
            jhub(hub, "restore", "run", "dev", "--user", "ada", "--attempt", attempt).returncode
            == 0
        )
    assert sorted(path.name for path in (hub.api.homes / "hubs/main/ada").glob("restored-*")) == [
        f"restored-{stamp(hub, 1)}",
        f"restored-{stamp(hub, 1)}-2",
    ]


def test_a_home_that_is_gone_comes_back_in_a_new_one(make) -> None:
    hub = make("efs")
    (hub.api.homes / "hubs/main/ada").rename(hub.folder / "gone")
    assert jhub(hub, "restore", "run", "dev", "--user", "ada").returncode == 0
    home = hub.api.homes / "hubs/main/ada"
    assert (home.stat().st_uid, home.stat().st_gid) == OWNER and [
        path.name for path in home.iterdir()
    ] == [f"restored-{stamp(hub, 1)}"]


def test_all_homes_are_restored_beside_the_live_ones(make) -> None:
    hub = make("efs")
    before = everything(hub.api.homes)
    done = jhub(hub, "restore", "run", "dev", "--at", "2d")
    assert done.returncode == 0, done.stderr
    side = f"hubs/main/_restored/{stamp(hub, 7)}"
    new = {name for name in everything(hub.api.homes) if name not in before}
    assert new == {f"{side}/{person}/{name}" for person in ("ada", "bob") for name in FILES}


def test_a_volume_comes_back_as_another_one_with_a_claim_of_another_name(make, moto: Cloud) -> None:
    hub = make("ebs")
    before = {item["VolumeId"] for item in moto.client("ec2").describe_volumes()["Volumes"]}
    for _ in range(2):
        done = jhub(hub, "restore", "run", "dev", "--user", "ada")
        assert done.returncode == 0, done.stderr
    (new,) = [
        item
        for item in moto.client("ec2").describe_volumes()["Volumes"]
        if item["VolumeId"] not in before
    ]
    tags = {tag["Key"]: tag["Value"] for tag in new["Tags"]}
    assert (
        new["AvailabilityZone"] == "us-east-1a"
        and tags["stack"] == STACK
        and TAG not in tags
        and tags["ebs.csi.aws.com/cluster"] == "true"
    )
    volume, claim = sorted(hub.cluster()["objects"], key=lambda item: item["kind"])
    assert (
        volume["spec"]["csi"]["volumeHandle"] == new["VolumeId"]
        and volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    )
    assert (
        claim["metadata"]["name"].startswith(f"restored-{stamp(hub, 1)}")
        and claim["metadata"]["namespace"] == "hub-main"
    )
    assert volume["spec"]["claimRef"] == {
        "namespace": "hub-main",
        "name": claim["metadata"]["name"],
    }


# --- bad days


BAD = {
    "a path": (("--user", "../bob"), "--user", "user.malformed"),
    "a deeper path": (("--user", "ada/../../bob"), "--user", "user.malformed"),
    "two dots": (("--user", ".."), "--user", "user.malformed"),
    "a line of its own": (("--user", "ada\nbob"), "--user", "user.malformed"),
    "no such hub": (("--hub", "other", "--user", "ada"), "dev", "hub.unknown"),
    "no moment": (("--user", "ada", "--at", "soonish"), "--at", "restore.time"),
    "the future": (("--user", "ada", "--at", "2999-01-01"), "--at", "restore.time-in-future"),
    "before the first": (("--user", "ada", "--at", "30d"), "--at", "restore.none-so-old"),
}


@pytest.mark.parametrize(("arguments", "path", "which"), BAD.values(), ids=BAD)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked_for(
    make, arguments: tuple[str, ...], path: str, which: str
) -> None:
    hub = make("efs")
    for command in ("plan", "run"):
        done = jhub(hub, "restore", command, "dev", *arguments)
        assert done.returncode == 2 and "Traceback" not in done.stderr
        assert f": {path}: " in done.stderr and f"[{which}]" in done.stderr, done.stderr
    assert (
        hub.api.restore_jobs == {} and hub.api.associations == {} and hub.cluster()["objects"] == []
    )


def test_a_person_who_was_not_in_the_backup_is_said_by_aws(make) -> None:
    hub = make("efs")
    done = jhub(hub, "restore", "run", "dev", "--user", "nobody")
    assert (
        done.returncode == 2
        and "/hubs/main/nobody: was not restored: The item /hubs/main/nobody does not exist"
        in done.stderr
        and "[restore.item]" in done.stderr
    )
    nothing_is_left_open(hub)


def test_a_person_without_a_volume_is_said_at_once(make) -> None:
    done = jhub(make("ebs"), "restore", "run", "dev", "--user", "nobody")
    assert done.returncode == 2 and "--user: has no volume claim-nobody in hub-main" in done.stderr
    assert "[restore.no-volume]" in done.stderr


def test_volumes_are_restored_one_by_one_and_nfs_not_at_all(make) -> None:
    said = jhub(make("ebs"), "restore", "plan", "dev").stderr
    assert "--user: " in said and "[restore.user-needed]" in said


def test_a_volume_is_not_rehearsed(make) -> None:
    done = jhub(make("ebs"), "restore", "drill", "dev", "--user", "ada")
    assert done.returncode == 2 and "homes: " in done.stderr
    assert "[restore.volumes]" in done.stderr


def test_an_account_without_what_up_made_is_said(make, moto: Cloud) -> None:
    hub = make("efs")
    moto.reset()
    for command, which in (
        (("restore", "plan", "dev", "--user", "ada"), "restore.no-file-system"),
        (("backup", "now", "dev"), "backup.nothing-there"),
    ):
        done = jhub(hub, *command)
        assert done.returncode == 2 and f"[{which}]" in done.stderr, done.stderr
    assert hub.api.backup_jobs == {}


def test_two_file_systems_of_one_name_are_asked_about(make, moto: Cloud) -> None:
    hub = make("efs")
    tags = [{"Key": "Name", "Value": f"{STACK}-homes"}, {"Key": "stack", "Value": STACK}]
    other = moto.client("efs").create_file_system(CreationToken="another", Tags=tags)
    done = jhub(hub, "restore", "plan", "dev", "--user", "ada")
    assert done.returncode == 2 and "[homes.several-file-systems]" in done.stderr
    assert other["FileSystemId"] in done.stderr


def test_no_restore_leads_out_of_the_hubs_directory(make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack file refuses such a scheme; a restore looks again before it names a path."""
    monkeypatch.setattr(
        "jupyterhub_aws.operate.backups.choose.directory", lambda scheme, name: f"../{name}"
    )
    done = jhub(make("efs"), "restore", "plan", "dev", "--user", "ada")
    assert done.returncode == 2 and "--user: " in done.stderr and "[user.outside]" in done.stderr


def test_a_job_that_refuses_is_said_with_its_words(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "jupyterhub_aws.operate.backups.inside._last", lambda lines: {"refused": "no room left"}
    )
    hub = make("efs")
    done = jhub(hub, "restore", "run", "dev", "--user", "ada")
    assert done.returncode == 2 and "/hubs/main/ada: no room left" in done.stderr, done.stderr
    assert "[restore.refused]" in done.stderr


def test_homes_on_nfs_are_not_the_stacks(make) -> None:
    done = jhub(make("nfs"), "restore", "run", "dev", "--user", "ada")
    assert done.returncode == 2 and "homes.kind: homes are on nfs.example.org" in done.stderr
    assert "[restore.homes-kind]" in done.stderr


@pytest.mark.parametrize("shape", ["efs", "ebs"])
def test_without_any_backup_it_is_said(make, shape: str) -> None:
    hub = make(shape)
    hub.api.vaults[f"{STACK}-backups"] = []
    done = jhub(hub, "restore", "plan", "dev", "--user", "ada")
    assert (
        done.returncode == 2
        and "[restore.no-backup]" in done.stderr
        and "jhub backup now" in done.stderr
    )
    assert "There is no backup yet" in jhub(hub, "backup", "list", "dev").stdout


def test_a_backup_that_is_not_whole_is_not_taken(make) -> None:
    hub = make("efs")
    for point in hub.api.vaults[f"{STACK}-backups"]:
        point["Status"] = "PARTIAL"
    said = jhub(hub, "restore", "plan", "dev", "--user", "ada").stderr
    assert "(PARTIAL)" in said and "[restore.not-restorable]" in said


def test_a_vault_that_is_not_there_is_said(make) -> None:
    hub = make("efs")
    hub.api.vaults.clear()
    said = jhub(hub, "backup", "list", "dev").stderr
    assert f"there is no vault {STACK}-backups in 123456789012, us-east-1" in said
    assert "[restore.no-vault]" in said


@pytest.mark.parametrize(
    ("operation", "command"),
    [
        ("ListRecoveryPointsByBackupVault", ("backup", "list", "dev")),
        ("StartBackupJob", ("backup", "now", "dev")),
        ("StartRestoreJob", ("restore", "run", "dev", "--user", "ada")),
        ("CreatePodIdentityAssociation", ("restore", "run", "dev", "--user", "ada")),
    ],
)
def test_what_is_not_allowed_is_named(make, operation: str, command: tuple[str, ...]) -> None:
    hub = make("efs")
    before = everything(hub.api.homes)
    hub.api.refuse[operation] = "AccessDeniedException"
    done = jhub(hub, *command)
    assert (
        done.returncode == 2
        and f"{operation}: " in done.stderr
        and "[aws.not-allowed]" in done.stderr
    ), done.stderr
    assert {
        name: value for name, value in everything(hub.api.homes).items() if name in before
    } == before


def test_another_account_is_refused_by_its_number(make) -> None:
    hub = make("efs")
    file = hub.folder / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace('"123456789012"', '"210987654321"'))
    drill = ("restore", "drill", "dev", "--user", "a")
    for command in (
        ("backup", "list", "dev"),
        ("backup", "now", "dev"),
        ("restore", "plan", "dev"),
        ("restore", "run", "dev"),
        drill,
    ):
        done = jhub(hub, *command)
        assert done.returncode == 2 and "[account.other]" in done.stderr, command
    assert hub.api.backup_jobs == {} and hub.api.restore_jobs == {}


def test_a_stack_without_backups_has_nothing_to_show(make) -> None:
    hub = make("efs")
    edited(hub, "backups: { kind: none, reason: a course }")
    said = jhub(hub, "backup", "list", "dev").stderr
    assert "backups.kind: is none: nothing is backed up (a course)" in said
    assert "[backups.none]" in said


def test_a_role_that_the_driver_has_already_is_not_touched(make) -> None:
    hub = make("efs")
    hub.api.CreatePodIdentityAssociation(
        {
            "clusterName": STACK,
            "namespace": "kube-system",
            "serviceAccount": "efs-csi-node-sa",
            "roleArn": "arn:aws:iam::123456789012:role/theirs",
            "tags": {},
        }
    )
    done = jhub(hub, "restore", "run", "dev", "--user", "ada")
    assert (
        done.returncode == 2
        and "has another role already: arn:aws:iam::123456789012:role/theirs" in done.stderr
        and "[restore.driver-role]" in done.stderr
    )
    assert len(hub.api.associations) == 1 and hub.api.restore_jobs == {}


@pytest.mark.parametrize("command", ["run", "drill"])
def test_without_a_core_node_and_an_access_point_it_is_said_before_anything_is_made(
    make, moto: Cloud, command: str
) -> None:
    hub = make("efs")
    state = hub.cluster()
    state["nodes"] = []
    (hub.api.folder / "cluster.json").write_text(json.dumps(state))
    for point in moto.client("efs").describe_access_points()["AccessPoints"]:
        moto.client("efs").delete_access_point(AccessPointId=point["AccessPointId"])
    done = jhub(hub, "restore", command, "dev", "--user", "ada")
    assert (
        done.returncode == 2
        and "[restore.no-node]" in done.stderr
        and f"no access point {STACK}-homes-restore" in done.stderr
        and "[restore.no-access-point]" in done.stderr
    )
    assert hub.api.restore_jobs == {} and hub.api.associations == {} and hub.cluster() == state


def test_another_restore_that_is_under_way_is_said_before_anything_is_made(make) -> None:
    hub = make("efs")
    state = hub.cluster()
    state["objects"] = [
        {"kind": "Job", "metadata": {"name": "restore-theirs", "namespace": "homes-restore"}}
    ]
    (hub.api.folder / "cluster.json").write_text(json.dumps(state))
    done = jhub(hub, "restore", "run", "dev", "--user", "ada")
    assert done.returncode == 2 and "another restore: is under way: restore-theirs" in done.stderr
    assert "[restore.under-way]" in done.stderr
    assert hub.api.restore_jobs == {} and hub.api.associations == {} and hub.cluster() == state


@pytest.mark.parametrize("command", ["run", "drill"])
def test_a_paused_stack_is_refused_and_its_plan_says_so(make, command: str) -> None:
    hub = make("efs")
    edited(hub, "paused: true")
    done = jhub(hub, "restore", command, "dev", "--user", "ada")
    assert (
        done.returncode == 2
        and "[stack.paused]" in done.stderr
        and "jhub resume dev" in done.stderr
    )
    assert (
        hub.api.restore_jobs == {}
        and hub.api.associations == {}
        and not (hub.api.folder / "kubectl.log").exists()
    )
    plan = jhub(hub, "restore", "plan", "dev", "--user", "ada")
    assert plan.returncode == 0 and "jhub resume dev" in plan.stdout
    plan = jhub(hub, "restore", "plan", "dev", "--user", "ada", "--json")
    assert json.loads(plan.stdout)["commands"] == [
        "jhub resume dev",
        "jhub restore run dev --user ada",
    ]


def test_a_volume_comes_back_to_a_paused_stack(make) -> None:
    hub = make("ebs")
    edited(hub, "paused: true")
    done = jhub(hub, "restore", "run", "dev", "--user", "ada")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["plan", "run", "drill"])
def test_homes_in_efs_own_vault_are_promised_by_no_command(make, command: str) -> None:
    hub = make("efs")
    edited(hub, "backups: { kind: snapshots }")
    hub.api.point(EFS_VAULT, hub.ids["homes"], "EFS", days_ago(hub.api, 1))
    assert jhub(hub, "backup", "list", "dev").stdout.count("completed") >= 1
    done = jhub(hub, "restore", command, "dev", "--user", "ada")
    assert (
        done.returncode == 2
        and "backups.kind: " in done.stderr
        and "[restore.no-role]" in done.stderr
        and done.stdout == ""
    )


# --- drill


def test_a_rehearsal_restores_compares_and_writes_a_record_that_the_plan_reads(make) -> None:
    hub = make("efs")
    aged(hub)
    before = everything(hub.api.homes)
    done = jhub(hub, "restore", "drill", "dev", "--user", "ada")
    assert done.returncode == 0, done.stderr
    assert "3 files came back" in done.stdout and "3 as they were" in done.stdout
    text = (hub.folder / "drills" / "dev.toml").read_text()
    assert "files = 3" in text and "differences = 0" in text and "ada" not in text, (
        "no person's name is committed"
    )
    assert {
        name: value for name, value in everything(hub.api.homes).items() if name in before
    } == before
    nothing_is_left_open(hub)
    plan = jhub(hub, "plan", "dev", "--resources").stdout
    assert "a restore was rehearsed 0 days ago" in plan
    later = (hub.api.now + datetime.timedelta(days=120)).date().isoformat()
    assert "and drill_days is 90" in " ".join(
        jhub(hub, "plan", "dev", "--as-of", later).stdout.split()
    )


def test_a_file_that_came_back_otherwise_is_a_difference(make) -> None:
    hub = make("efs")
    aged(hub)
    newest = hub.api.vaults[f"{STACK}-backups"][2]["RecoveryPointArn"]
    (hub.api.kept[newest] / "hubs/main/ada/notes.txt").write_text("as it WAS\n")
    (hub.api.kept[newest] / "hubs/main/ada/work/plan.md").unlink()
    done = jhub(hub, "restore", "drill", "dev", "--user", "ada")
    assert (
        done.returncode == 1
        and "differs: 'notes.txt'" in done.stdout
        and "differs: 'work/plan.md'" in done.stdout
    )
    assert "differences = 2" in (hub.folder / "drills" / "dev.toml").read_text()
    assert "files with differences" in " ".join(jhub(hub, "plan", "dev").stdout.split())


def test_a_rehearsal_that_goes_on_after_midnight_restores_once(
    make, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = make("efs")
    aged(hub)

    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.now(tz) + datetime.timedelta(days=1)

    assert jhub(hub, "restore", "drill", "dev", "--user", "ada").returncode == 0
    clock = types.ModuleType("datetime")
    vars(clock).update({**vars(datetime), "datetime": Later})
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "datetime", clock)
        done = jhub(hub, "restore", "drill", "dev", "--user", "ada")
    tomorrow = (hub.api.now + datetime.timedelta(days=1)).date().isoformat()
    assert done.returncode == 0 and tomorrow in (hub.folder / "drills" / "dev.toml").read_text(), (
        "it was another day"
    )
    assert len(hub.api.restore_jobs) == 1
    jhub(hub, "restore", "drill", "dev", "--user", "ada", "--attempt", "2")
    assert len(hub.api.restore_jobs) == 2, "another number is another restore"


def test_what_was_changed_since_proves_nothing(make) -> None:
    hub = make("efs")  # its files are younger than every backup
    done = jhub(hub, "restore", "drill", "dev", "--user", "ada")
    assert (
        done.returncode == 2
        and "proves nothing: 3 files came back" in done.stderr
        and "[restore.proves-nothing]" in done.stderr
        and not (hub.folder / "drills").exists()
    )


def test_a_record_that_is_none_is_said(make) -> None:
    hub = make("efs")
    (hub.folder / "drills").mkdir()
    (hub.folder / "drills" / "dev.toml").write_text("date = soon\n")
    done = jhub(hub, "plan", "dev")
    assert (
        done.returncode == 2
        and "drills/dev.toml" in done.stderr
        and "[restore.record]" in done.stderr
    )


def test_snapshots_have_the_arns_of_their_partition() -> None:
    account: Any = SimpleNamespace(region="us-gov-west-1", id="123456789012")
    made = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
    seen = {"SnapshotId": "snap-1", "VolumeId": "vol-1", "StartTime": made}
    point = _of_snapshot(account, {**seen, "State": "completed", "VolumeSize": 8})
    assert point.arn == "arn:aws-us-gov:ec2:us-gov-west-1::snapshot/snap-1"
    assert point.resource == "arn:aws-us-gov:ec2:us-gov-west-1:123456789012:volume/vol-1"
