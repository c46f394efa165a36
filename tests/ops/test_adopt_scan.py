"""`jhub adopt scan` against accounts of moto's: what is taken over, what is used in place, and
that nothing but reads is ever asked.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from jupyterhub_aws.adopt.adopt import adopted
from jupyterhub_aws.adopt.queries import AccessGap, Live
from jupyterhub_aws.adopt.scan import scan
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.operate.live.account import connect
from jupyterhub_aws.plan.plan import recorded
from tests.support.adopt_accounts import own
from tests.support.adopt_foreign import Foreign, eksctl, merged, nebari
from tests.support.adopt_lacking import Lacking, RefusingLacking, watched
from tests.support.cloud import Cloud, cloud
from tests.support.data_examples import described
from tests.support.data_keys import faults
from tests.support.in_process import Done, in_process
from tests.support.live import NOBODY, environment

pytestmark = pytest.mark.real

#: Where the file would be written.
FILE = Path("Pulumi.taken.yaml")

#: What no provider can import: it is no thing of its own.
NOT_THERE = {"aws:autoscaling/attachment:Attachment::hub-main-cloud-entry-balancer-attachment"}


@dataclass(frozen=True)
class World:
    """One account with three clusters in it: the program's own, one of eksctl's, one of
    Nebari's. What the first one's stack registers is `recorded`.
    """

    account: Cloud
    lacking: Lacking
    eksctl: Foreign
    nebari: Foreign


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with cloud() as account:
        account.reset()
        lacking, _ = own(account)
        others = eksctl(account), nebari(account)
        yield World(account, merged(lacking, *others), *others)


def _environment(url: str) -> dict[str, str]:
    return {key: value for key, value in environment(url).items() if value} | {"COLUMNS": "80"}


def _scan(
    world: World,
    folder: Path,
    *options: str,
    lacking: Lacking | None = None,
    data: tuple[str, ...] = ("--json", "found.json"),
) -> tuple[Done, dict[str, Any]]:
    with watched(world.account, lacking or world.lacking) as url:
        done = in_process(
            [
                "adopt",
                "scan",
                "--region",
                "us-east-1",
                "--name",
                "taken",
                *options,
                *data,
            ],
            folder,
            _environment(url),
        )
    path = folder / "found.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    assert not found or faults("adopt scan", found) == []
    return done, found


Taken = tuple[Path, Done, dict[str, Any]]


@pytest.fixture(scope="module")
def taken(world: World, tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """The stack dev, built by its own names, and scanned."""
    folder = tmp_path_factory.mktemp("own")
    return folder, *_scan(world, folder, "--cluster", "jhub-dev")


@pytest.fixture(scope="module")
def live(world: World) -> Live:
    """What such a scan saw."""
    with (
        watched(world.account, world.lacking) as url,
        mock.patch.dict(os.environ, _environment(url)),
    ):
        return scan(connect("test", "us-east-1", expected=None, changes=False), "jhub-dev")


def test_what_the_program_made_is_taken_over_whole_under_its_own_names(taken: Taken) -> None:
    _, done, found = taken
    assert (
        found["kind"] == "eks"
        and found["refused"] == []
        and found["unreadable"] == []
        and found["problems"] == []
    )
    assert {item["subject"] for item in found["missing"]} == NOT_THERE
    assert len(found["imports"]) > 130
    assert done.returncode == 1, "who may sign in is not in AWS: lines are left to fill in"
    assert {item["path"] for item in found["to_fill_in"]} == {
        f"hubs.main.{end}" for end in ("sign_in.kind", "sign_in.administrators", "entry.hostname")
    }


def test_its_stack_file_passes_the_plan_and_uses_every_entry(taken: Taken) -> None:
    folder, _, found = taken
    file = read(folder / "Pulumi.taken.yaml")
    stack, recording = recorded(file)
    used = {
        f"{item.type}::{item.name}": item.import_id
        for item in recording.resources
        if item.import_id
    }
    assert used == found["imports"] and stack.imports == found["imports"]
    assert all(item.protect for item in recording.resources if item.import_id), (
        "protected while the entry is there"
    )
    assert (
        stack.network.zones == ("us-east-1a", "us-east-1b", "us-east-1c")
        and stack.vpc.mode == "open"
    )
    assert (stack.pools.user["memory"].max_price, stack.pools.core.size) == ("0.40", 2)


def test_differences_are_said_with_what_they_do(taken: Taken) -> None:
    _, done, found = taken
    versions = [item for item in found["differences"] if item["path"] == "addonVersion"]
    assert len(versions) == 8 and {item["how"] for item in versions} == {"in place"}
    assert all(item["how"] != "replacement" for item in found["differences"])
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_again_keeps_the_file_and_finds_the_same_map(
    world: World, taken: Taken, tmp_path: Path
) -> None:
    path = tmp_path / "Pulumi.taken.yaml"
    text = (taken[0] / "Pulumi.taken.yaml").read_text()
    filled = text.replace("kind: native", "kind: native # ours").replace(
        "hub.example.org", "hub.corp.example"
    )
    path.write_text(filled.replace("imports:", "imports:\n    aws:ec2/vpc:Vpc::gone: vpc-1"))
    refused, _ = _scan(world, tmp_path, "--cluster", "jhub-dev")
    assert refused.returncode == 2 and "--again" in refused.stderr
    done, found = _scan(world, tmp_path, "--cluster", "jhub-dev", "--again")
    assert done.returncode == 0, done.stdout + done.stderr
    assert read(path).data["jupyterhub-aws:imports"] == found["imports"] == taken[2]["imports"]
    assert "# ours" in path.read_text() and "hub.corp.example" in path.read_text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"roleArn": "arn:aws:iam::123456789012:role/somebody-made"}, "roleArn"),
        (
            {
                "encryptionConfig": [
                    {"provider": {"keyArn": "arn:aws:kms:us-east-1:999999999999:key/not-ours"}}
                ]
            },
            "encryptionConfig",
        ),
        ({"kubernetesNetworkConfig": {"ipFamily": "ipv6"}}, "IPv6"),
        ({"accessConfig": {"authenticationMode": "CONFIG_MAP"}}, "aws-auth"),
        ({"computeConfig": {"enabled": True}}, "Auto Mode"),
        ({"name": "A_cluster"}, "names begin"),
        ({"version": "1.19"}, "1.19 is not in the table"),
    ],
)
def test_a_cluster_that_would_be_replaced_is_used_in_place_and_the_reason_is_said(
    live: Live, change: dict[str, Any], said: str
) -> None:
    other = replace(
        live,
        cluster={**live.cluster, **change},
        found={**live.found, **({"keys": []} if "encryptionConfig" in change else {})},
    )
    found = adopted(other, FILE)
    assert found.kind == "existing" and found.outcome.imports == {}
    assert any(said in reason for reason in found.reasons), found.reasons


def test_a_cluster_without_a_key_gets_one_in_place(live: Live) -> None:
    bare = replace(
        live,
        cluster={key: value for key, value in live.cluster.items() if key != "encryptionConfig"},
        found={**live.found, "keys": [], "aliases": []},
    )
    found = adopted(bare, FILE)
    (difference,) = [
        item for item in found.outcome.differences if item.where.startswith("encryptionConfig")
    ]
    assert (found.kind, difference.how) == (
        "eks",
        "in place",
    ) and "never takes that back" in difference.effect


@pytest.mark.parametrize("topic", ["mount_targets", "nats", "roles", "access_points"])
def test_what_is_not_there_would_be_made_and_what_was_not_seen_is_said_apart(
    live: Live, topic: str
) -> None:
    whole = adopted(live, FILE).outcome
    gone = adopted(replace(live, found={**live.found, topic: []}), FILE)
    new = {item.subject for item in gone.outcome.missing} - {item.subject for item in whole.missing}
    assert (new or gone.kind == "existing" or topic in ("groups", "access_points")) and not any(
        item.is_unreadable for item in gone.outcome.missing
    )
    unseen = replace(
        live,
        found={**live.found, topic: []},
        access_gaps=[AccessGap(topic=topic, operation="x:Y", why="is not allowed for you")],
    )
    incomplete = adopted(unseen, FILE)
    assert not incomplete.finished
    if gone.kind == "eks" and new:
        assert any(item.is_unreadable for item in incomplete.outcome.missing), (
            "nobody is told that it would be made: it may be there"
        )


def test_a_vpc_that_is_divided_otherwise_stays_an_existing_one(live: Live) -> None:
    subnets = [
        {**item, "CidrBlock": item["CidrBlock"].replace("10.0.0.0/18", "10.0.0.0/19")}
        for item in live.of("subnets")
    ]
    found = adopted(replace(live, found={**live.found, "subnets": subnets}), FILE)
    assert (
        found.kind == "eks"
        and "mode: existing" in found.text
        and not any("Subnet::" in key for key in found.outcome.imports)
    )
    assert (
        "aws:eks/cluster:Cluster::cluster-control-plane-eksCluster" in found.outcome.imports
        and found.problems == ()
    )


def test_an_unencrypted_file_system_is_not_imported_for_it_would_be_replaced(live: Live) -> None:
    plain = [
        (
            {**item, "Encrypted": False, "CreationToken": "console"}
            if item["FileSystemId"] == live.file_system_id
            else item
        )
        for item in live.of("file_systems")
    ]
    outcome = adopted(replace(live, found={**live.found, "file_systems": plain}), FILE).outcome
    assert [item.id for item in outcome.refused if "FileSystem::" in item.subject] == [
        live.file_system_id
    ]
    assert not any(key.startswith("aws:efs/") for key in outcome.imports), (
        "neither it nor what hangs on it"
    )
    encrypted = [{**item, "CreationToken": "console"} for item in live.of("file_systems")]
    assert (
        "aws:efs/fileSystem:FileSystem::homes-file-system"
        in adopted(
            replace(live, found={**live.found, "file_systems": encrypted}), FILE
        ).outcome.imports
    )


def test_data_alone_are_on_standard_output(world: World, tmp_path: Path) -> None:
    done, _ = _scan(world, tmp_path, "--cluster", "pangeo", data=("--json",))
    found = json.loads(done.stdout)
    assert faults("adopt scan", found) == []
    assert (done.returncode, found["kind"], found["finished"]) == (1, "existing", False)
    assert (tmp_path / found["file"]).is_file() and "queries" in done.stderr
    done, _ = _scan(world, tmp_path, "--cluster", "none", "--again", data=("--json",))
    (problem,) = described("problems", done.stdout)["problems"]
    assert done.returncode == 2 and problem["id"] == "adopt.cluster"


def test_data_are_not_written_over_a_stack_file(world: World, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("mine")
    done, _ = _scan(world, tmp_path, data=("--json", "Pulumi.dev.yaml"))
    assert done.returncode == 2 and "[file.not-data]" in done.stderr
    assert world.account.calls == [] and (tmp_path / "Pulumi.dev.yaml").read_text() == "mine"


def test_eksctl_is_used_in_place_with_its_nodes_and_its_homes(world: World, tmp_path: Path) -> None:
    done, found = _scan(world, tmp_path, "--cluster", "pangeo")
    stack, _ = recorded(read(tmp_path / "Pulumi.taken.yaml"))
    assert found["kind"] == "existing" and found["imports"] == {} and found["problems"] == []
    assert any("roleArn" in reason for reason in found["reasons"]), found["reasons"]
    assert (
        stack.cluster.kind == "existing"
        and stack.cluster.service_cidr == "10.100.0.0/16"
        and stack.network.ranges == ("192.168.0.0/16",)
    )
    assert (stack.homes.kind, stack.homes.file_system, stack.homes.access_point) == (
        "efs_access_point",
        world.eksctl.file_system,
        world.eksctl.access_point,
    )
    users = stack.pools.user["users-r5"]
    assert (users.cores, users.memory_gib, users.nodes, users.node_selector) == (
        8,
        64,
        20,
        {"eks.amazonaws.com/nodegroup": "Users-r5"},
    )
    assert {item["path"] for item in found["to_fill_in"]} == {"tags.owner", "tags.environment"}
    assert (
        done.returncode == 1 and "docs/adopting.md" in (tmp_path / "Pulumi.taken.yaml").read_text()
    )


def test_nebari_with_aws_auth_is_used_in_place_and_the_missing_access_point_is_said(
    world: World, tmp_path: Path
) -> None:
    _, found = _scan(world, tmp_path, "--cluster", "nebari-prod")
    assert found["reasons"] == [
        "its authentication mode is CONFIG_MAP (aws-auth): EKS does not go to API, which the"
        " program needs, in one step"
    ]
    (note,) = [item["what"] for item in found["to_fill_in"] if item["path"] == "homes.access_point"]
    assert f"create-access-point --file-system-id {world.nebari.file_system}" in note
    stack, _ = recorded(read(tmp_path / "Pulumi.taken.yaml"))
    assert (
        stack.pools.user["worker"].gpus == 1
        and stack.tags.owner == "terraform"
        and stack.tags.environment == "prod"
    )


def test_of_several_clusters_the_named_one_is_looked_at_and_nothing_of_the_others(
    world: World, taken: Taken, tmp_path: Path
) -> None:
    done, _ = _scan(world, tmp_path)
    assert (
        done.returncode == 2
        and "3 EKS clusters" in done.stderr
        and "jhub-dev, nebari-prod, pangeo" in done.stderr
    )
    text = (taken[0] / "Pulumi.taken.yaml").read_text() + json.dumps(taken[2]) + taken[1].stdout
    for other in (world.eksctl, world.nebari):
        for theirs in (
            "pangeo",
            "eksctl",
            "nebari",
            other.vpc,
            other.file_system,
            *other.subnets.values(),
        ):
            assert theirs not in text


def test_what_aws_can_filter_it_filters(world: World, live: Live) -> None:
    seen = str(
        {
            topic: things
            for topic, things in live.found.items()
            if topic not in ("file_systems", "access_points")
        }
    )
    for other in (world.eksctl, world.nebari):
        assert [
            theirs
            for theirs in ("pangeo", "nebari", other.vpc, *other.subnets.values())
            if theirs in seen
        ] == []


def test_a_cluster_an_account_or_a_region_that_is_not_there(world: World, tmp_path: Path) -> None:
    for which, options, said in (
        ("adopt.cluster", ("--cluster", "pangea"), "did you mean pangeo?"),
        ("account.other", ("--account", "999999999999"), "account 999999999999"),
        (
            "adopt.cluster",
            ("--region", "eu-west-1"),
            "there is no EKS cluster in 123456789012, eu-west-1",
        ),
        (
            "adopt.file-system",
            ("--cluster", "pangeo", "--file-system", "fs-00000000"),
            "fs-00000000",
        ),
    ):
        done, _ = _scan(world, tmp_path, *options)
        assert done.returncode == 2 and said in done.stderr and done.stderr.count("Traceback") == 0
        assert f"[{which}]" in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is written"


@pytest.mark.parametrize(
    ("options", "which"),
    [
        (("--region", "nowhere"), "region.malformed"),
        (("--name", "../x"), "adopt.stack-name"),
        (("--out", "/nonexistent"), "adopt.no-folder"),
        (("--again",), "adopt.no-file"),
    ],
)
def test_wrong_options_are_reported_before_any_question(
    world: World, tmp_path: Path, options: tuple[str, ...], which: str
) -> None:
    done, _ = _scan(world, tmp_path, *options)
    assert done.returncode == 2 and f": {options[0]}: " in done.stderr
    assert f"[{which}]" in done.stderr and world.account.calls == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDenied", "is not allowed for you"),
        ("ThrottlingException", "too many calls"),
        ("InternalFailure", "InternalFailure"),
    ],
)
def test_one_service_that_refuses_leaves_a_gap_that_is_said(
    world: World, tmp_path: Path, code: str, said: str
) -> None:
    refused = RefusingLacking(world.lacking, "/2015-02-01/", code)
    done, found = _scan(world, tmp_path, "--cluster", "jhub-dev", lacking=refused)
    described("adopt scan", json.dumps(found))
    assert {item["topic"] for item in found["unreadable"]} >= {
        "file_systems",
        "access_points",
    } and all(said in item["why"] for item in found["unreadable"])
    assert done.returncode == 1 and "Could not be seen" in done.stdout
    assert all(
        item["unreadable"]
        for item in found["missing"]
        if "aws:efs/fileSystem" in item["subject"] or "aws:efs/accessPoint" in item["subject"]
    )
    assert "aws:ec2/vpc:Vpc::network-vpc" in found["imports"], "the rest is seen"


def test_a_token_that_expires_in_the_middle_ends_the_scan_in_one_line(
    world: World, tmp_path: Path
) -> None:
    done, _ = _scan(
        world,
        tmp_path,
        "--cluster",
        "jhub-dev",
        lacking=RefusingLacking(world.lacking, "/2015-02-01/", "ExpiredTokenException"),
    )
    assert (
        done.returncode == 2
        and "[credentials.refused]" in done.stderr
        and "Traceback" not in done.stderr
    )
    assert list(tmp_path.iterdir()) == []


def test_without_credentials_there_is_no_call(world: World, tmp_path: Path) -> None:
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", **NOBODY}
    with mock.patch.dict(os.environ), contextlib.suppress(KeyError):
        for key in [key for key in os.environ if key.startswith("AWS_")]:
            del os.environ[key]
        done = in_process(
            ["adopt", "scan", "--region", "us-east-1", "--name", "taken"],
            tmp_path,
            {key: value for key, value in nobody.items() if value},
        )
    assert done.returncode == 2 and "[credentials.missing]" in done.stderr


def test_a_cluster_that_went_away_while_it_was_looked_for() -> None:
    from types import SimpleNamespace

    from botocore.exceptions import ClientError

    from jupyterhub_aws.adopt.scan import _cluster
    from jupyterhub_aws.config.errors import ConfigError

    def gone(**_: str) -> None:
        raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeCluster")

    account: Any = SimpleNamespace(
        id="123456789012",
        region="us-east-1",
        all=lambda *_: ["jhub-dev"],
        client=lambda _: SimpleNamespace(describe_cluster=gone),
    )
    with pytest.raises(ConfigError) as caught:
        _cluster(account, "jhub-dev")
    assert [(item.path, item.id) for item in caught.value.problems] == [
        ("--cluster", "adopt.cluster-gone")
    ]


def test_an_import_that_no_resource_uses_is_a_mistake_of_the_scan(tmp_path: Path) -> None:
    from jupyterhub_aws.adopt.adopt import Adoption, _confirm
    from jupyterhub_aws.adopt.match import Outcome
    from jupyterhub_aws.config.errors import ConfigError
    from tests.support.stack_files import ROOT

    text = (ROOT / "Pulumi.dev.yaml").read_text()
    subject = "aws:ec2/vpc:Vpc::nothing-of-it"
    found = Adoption(text=text, kind="eks", outcome=Outcome(), to_fill_in=[])
    found.outcome.imports[subject] = "vpc-0123456789abcdef0"
    with pytest.raises(ConfigError) as caught:
        _confirm(found, tmp_path / "Pulumi.dev.yaml")
    assert [(item.path, item.id) for item in caught.value.problems] == [
        (f"imports.{subject}", "imports.unused")
    ]
