"""`jhub adopt scan` against accounts of moto's: what is taken over, what is used in place, and that nothing but reads is ever asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.stack_file import read
from ops.plan.plan import recorded
from tests.support.adopt_accounts import Lacking, own, watched
from tests.support.adopt_foreign import eksctl, merged, nebari
from tests.support.cloud import Cloud, cloud
from tests.support.in_process import Done, in_process
from tests.support.live import environment

#: What no provider can import: it is no thing of its own.
NOT_THERE = {"aws:autoscaling/attachment:Attachment::hub-main-cloud-entry-balancer-attachment"}


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    with cloud() as found:
        yield found


def _environment(url: str) -> dict[str, str]:
    return {key: value for key, value in environment(url).items() if value} | {"COLUMNS": "80"}


def _scan(account: Cloud, lacking: Lacking, folder: Path, *options: str) -> tuple[Done, dict[str, Any]]:
    with watched(account, lacking) as url:
        done = in_process(["adopt", "scan", "--region", "us-east-1", "--name", "taken", "--json", "found.json", *options], folder, _environment(url))
    path = folder / "found.json"
    return done, json.loads(path.read_text()) if path.exists() else {}


@pytest.fixture(scope="module")
def taken(account: Cloud, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done, dict[str, Any]]:
    """The stack dev, built by its own names, and scanned."""
    folder = tmp_path_factory.mktemp("own")
    account.reset()
    lacking, _ = own(account)
    done, found = _scan(account, lacking, folder)
    return folder, done, found


def test_what_the_program_made_is_taken_over_whole_under_its_own_names(taken: tuple[Path, Done, dict[str, Any]]) -> None:
    _, done, found = taken
    assert found["kind"] == "eks" and found["refused"] == [] and found["unseen"] == [] and found["problems"] == []
    assert {item["subject"] for item in found["missing"]} == NOT_THERE
    assert len(found["imports"]) > 85
    assert done.returncode == 1, "who may sign in is not in AWS: lines are left to fill in"
    assert {item["path"] for item in found["to_fill_in"]} == {f"hubs.main.{end}" for end in ("sign_in.kind", "sign_in.administrators", "entry.hostname")}


def test_its_stack_file_passes_the_plan_and_uses_every_entry(taken: tuple[Path, Done, dict[str, Any]]) -> None:
    folder, _, found = taken
    file = read(folder / "Pulumi.taken.yaml")
    stack, recording = recorded(file)
    used = {f"{item.type}::{item.name}": item.import_id for item in recording.resources if item.import_id}
    assert used == found["imports"] and stack.imports == found["imports"]
    assert all(item.protect for item in recording.resources if item.import_id), "protected while the entry is there"
    assert stack.network.zones == ("us-east-1a", "us-east-1b", "us-east-1c") and stack.vpc.mode == "open"
    assert (stack.pools.user["memory"].max_price, stack.pools.core.size) == ("0.40", 2)


def test_differences_are_said_with_what_they_do(taken: tuple[Path, Done, dict[str, Any]]) -> None:
    _, done, found = taken
    versions = [item for item in found["differences"] if item["path"] == "addonVersion"]
    assert len(versions) == 7 and {item["how"] for item in versions} == {"in place"}
    assert all(item["how"] != "replacement" for item in found["differences"])
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_again_keeps_the_file_and_finds_the_same_map(account: Cloud, tmp_path: Path) -> None:
    account.reset()
    lacking, _ = own(account)
    _scan(account, lacking, tmp_path)
    path = tmp_path / "Pulumi.taken.yaml"
    before = path.read_text()
    filled = before.replace("kind: native", "kind: native # ours").replace("hub.example.org", "hub.corp.example")
    path.write_text(filled.replace("jupyterhub-aws:imports:", "jupyterhub-aws:imports:\n    aws:ec2/vpc:Vpc::gone: vpc-1"))
    refused, _ = _scan(account, lacking, tmp_path)
    assert refused.returncode == 2 and "--again" in refused.stderr
    done, found = _scan(account, lacking, tmp_path, "--again")
    assert done.returncode == 0, done.stdout + done.stderr
    assert read(path).data["jupyterhub-aws:imports"] == found["imports"] == json.loads((tmp_path / "found.json").read_text())["imports"]
    assert "# ours" in path.read_text() and "hub.corp.example" in path.read_text()


def test_another_role_or_range_is_not_imported_and_what_hangs_on_it_is_new(account: Cloud, tmp_path: Path) -> None:
    account.reset()
    lacking, recorded_ = own(account)
    name = next(iter(lacking.clusters))
    lacking.clusters[name] = {**lacking.clusters[name], "roleArn": "arn:aws:iam::123456789012:role/somebody-made"}
    done, found = _scan(account, lacking, tmp_path)
    assert found["kind"] == "existing" and found["imports"] == {}
    assert any("roleArn" in reason for reason in found["reasons"]), found["reasons"]
    assert "is used in place" in done.stdout and len(recorded_) > 100


@pytest.mark.parametrize("gone", ["aws:efs/mountTarget:MountTarget", "aws:ec2/natGateway:NatGateway", "aws:kms/alias:Alias"])
def test_what_is_not_there_is_made_and_said(account: Cloud, tmp_path: Path, gone: str) -> None:
    account.reset()
    lacking, _ = own(account, skip=lambda kind, name: kind == gone or (gone.endswith("NatGateway") and kind == "aws:ec2/route:Route" and name.endswith("-nat")))
    _, found = _scan(account, lacking, tmp_path)
    assert [key for key in found["imports"] if key.startswith(f"{gone}::")] == []
    assert any(item["subject"].startswith(f"{gone}::") for item in found["missing"])


def test_eksctl_is_used_in_place_with_its_nodes_and_its_homes(account: Cloud, tmp_path: Path) -> None:
    account.reset()
    made = eksctl(account)
    done, found = _scan(account, made.lacking, tmp_path)
    stack, _ = recorded(read(tmp_path / "Pulumi.taken.yaml"))
    assert found["kind"] == "existing" and found["imports"] == {} and found["problems"] == []
    assert any("roleArn" in reason for reason in found["reasons"]), found["reasons"]
    assert stack.cluster.kind == "existing" and stack.cluster.service_cidr == "10.100.0.0/16" and stack.network.ranges == ("192.168.0.0/16",)
    assert (stack.homes.kind, stack.homes.file_system, stack.homes.access_point) == ("efs_access_point", made.file_system, made.access_point)
    users = stack.pools.user["users-r5"]
    assert (users.cores, users.memory_gib, users.nodes, users.node_selector) == (8, 64, 20, {"eks.amazonaws.com/nodegroup": "Users-r5"})
    assert {item["path"] for item in found["to_fill_in"]} == {"tags.owner", "tags.environment"}
    assert done.returncode == 1 and "docs/adopting.md" in (tmp_path / "Pulumi.taken.yaml").read_text()


def test_nebari_with_aws_auth_is_used_in_place_and_the_missing_access_point_is_said(account: Cloud, tmp_path: Path) -> None:
    account.reset()
    made = nebari(account)
    done, found = _scan(account, made.lacking, tmp_path)
    assert found["reasons"] == ["its authentication mode is CONFIG_MAP (aws-auth): EKS does not go to API, which the program needs, in one step"]
    assert "homes.access_point" in {item["path"] for item in found["to_fill_in"]}
    assert f"create-access-point --file-system-id {made.file_system}" in "".join(done.stdout.split("\n")).replace("      ", " ")
    stack, _ = recorded(read(tmp_path / "Pulumi.taken.yaml"))
    assert stack.pools.user["worker"].gpus == 1 and stack.tags.owner == "terraform" and stack.tags.environment == "prod"


def test_of_two_clusters_the_named_one_is_looked_at_and_nothing_of_the_other(account: Cloud, tmp_path: Path) -> None:
    account.reset()
    lacking, _ = own(account)
    other = eksctl(account, "somebody-elses")
    both = merged(lacking, other)
    done, _ = _scan(account, both, tmp_path)
    assert done.returncode == 2 and "2 EKS clusters" in done.stderr and "jhub-dev, somebody-elses" in done.stderr
    done, found = _scan(account, both, tmp_path, "--cluster", "jhub-dev")
    assert found["kind"] == "eks" and {item["subject"] for item in found["missing"]} == NOT_THERE
    text = (tmp_path / "Pulumi.taken.yaml").read_text() + json.dumps(found) + done.stdout
    for theirs in ("somebody-elses", "eksctl", other.vpc, other.file_system, *other.subnets.values()):
        assert theirs not in text


def test_a_cluster_that_is_not_there_and_a_region_that_is_empty(account: Cloud, tmp_path: Path) -> None:
    account.reset()
    done, _ = _scan(account, Lacking(), tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and "no EKS cluster in 123456789012, us-east-1" in done.stderr
    made = eksctl(account)
    done, _ = _scan(account, made.lacking, tmp_path, "--cluster", "pangea")
    assert done.returncode == 2 and "did you mean pangeo?" in done.stderr
    done, _ = _scan(account, made.lacking, tmp_path, "--account", "999999999999")
    assert done.returncode == 2 and "account 999999999999" in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is written"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--region", "nowhere"), "is not a region"),
        (("--name", "../x"), "is not the name of a stack"),
        (("--out", "/nonexistent"), "there is no folder"),
        (("--again",), "there is no"),
    ],
)
def test_wrong_options_are_said_before_anybody_is_asked(account: Cloud, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    done, _ = _scan(account, Lacking(), tmp_path, *options)
    assert done.returncode == 2 and said in done.stderr and account.calls == []
