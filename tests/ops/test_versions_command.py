"""`jhub versions`: what is said of a stack on a day, and the table refreshed from what AWS
answers.
"""

from __future__ import annotations

import datetime
import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.versions import TABLE, inconsistencies
from jupyterhub_aws.operate.live.account import Account
from jupyterhub_aws.operate.versions import refresh
from tests.support.in_process import Done, in_process
from tests.support.stack_files import ROOT

ROWS = tomllib.loads(TABLE.read_text())
MINORS = list(ROWS["kubernetes"])
RELEASES = {"1.35": "1.35.9-20261120", "1.36": "1.36.5-20261120"}
END = datetime.datetime(2027, 9, 9, tzinfo=datetime.UTC)


def versions(folder: Path, *arguments: str) -> Done:
    return in_process(["versions", *arguments], folder, {"COLUMNS": "80"})


@pytest.mark.real
def test_a_stack_in_eighty_columns(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    done = versions(tmp_path, "dev", "--as-of", "2026-11-28")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert next(line for line in lines if line.startswith("Kubernetes")).split() == [
        "Kubernetes",
        "1.35",
        "1.36",
        "2027-03-27",
        "119d",
        "old",
    ]
    assert "jhub upgrade plan dev --to 1.36" in done.stdout


@pytest.mark.real
def test_past_its_end_fails_and_data_says_why(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    done = versions(tmp_path, "dev", "--as-of", "2027-03-28", "--json")
    assert done.returncode == 1
    data = json.loads(done.stdout)
    assert data["format"] == "jupyterhub-aws/versions/1" and data["as_of"] == "2027-03-28"
    first = data["parts"][0]
    assert (first["part"], first["status"], first["days_left"], first["supported_until"]) == (
        "Kubernetes",
        "ended",
        -1,
        "2027-03-27",
    )


@pytest.mark.real
def test_an_insecure_hub_fails(tmp_path: Path) -> None:
    text = (ROOT / "Pulumi.dev.yaml").read_text()
    shares = (
        "      helm_values: { hub: { loadRoles: { user: { scopes: [self, shares!user] } } } }\n    "
        "  database:\n"
    )
    (tmp_path / "Pulumi.dev.yaml").write_text(text.replace("      database:\n", shares))
    done = versions(tmp_path, "dev", "--as-of", "2026-11-28")
    assert (
        done.returncode == 1 and "insecure" in done.stdout and "GHSA-c4gm-pwx9-9w8j" in done.stdout
    ), done.stderr


def test_without_a_stack_the_table_is_shown(tmp_path: Path) -> None:
    done = versions(tmp_path, "--as-of", "2026-11-28")
    assert (
        done.returncode == 0
        and [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Kubernetes")][
            -1
        ]
        == "1.36"
    )


def test_a_day_that_is_none_is_refused(tmp_path: Path) -> None:
    assert versions(tmp_path, "dev", "--as-of", "soon").returncode == 2


class Aws:
    """An account whose answers are checked against AWS's own service models."""

    def __init__(self) -> None:
        session = botocore.session.get_session()
        self.clients = {
            name: session.create_client(
                name, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
            )
            for name in ("eks", "ssm")
        }
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        self.account = Account(
            id="1", region="us-east-1", caller="arn", session=None, clients=dict(self.clients)
        )

    def answers(
        self, addon: Callable[[str, str], list[str]], image: Callable[[str, str], str]
    ) -> None:
        listed = [
            {
                "clusterVersion": "1.36",
                "endOfStandardSupportDate": END,
                "endOfExtendedSupportDate": END + datetime.timedelta(days=365),
            }
        ]
        self.stubs["eks"].add_response(
            "describe_cluster_versions", {"clusterVersions": listed}, {"includeAll": True}
        )
        for row in ROWS["addon"]:
            name, minor = row["name"], row["kubernetes"]
            found = [
                {
                    "addonVersion": "v0.0.1-eksbuild.1",
                    "compatibilities": [{"clusterVersion": minor, "defaultVersion": False}],
                }
            ]
            found += [
                {
                    "addonVersion": version,
                    "compatibilities": [{"clusterVersion": minor, "defaultVersion": True}],
                }
                for version in addon(name, minor)
            ]
            answer = {"addons": [{"addonName": name, "addonVersions": found}]}
            self.stubs["eks"].add_response(
                "describe_addon_versions", answer, {"addonName": name, "kubernetesVersion": minor}
            )
        for row in ROWS["ami"]:
            _, architecture, variant = row["name"].split("-")
            path = f"/aws/service/eks/optimized-ami/{row['kubernetes']}/amazon-linux-2023/{architecture}/{variant}/recommended/release_version"
            self.stubs["ssm"].add_response(
                "get_parameter",
                {"Parameter": {"Name": path, "Value": image(row["name"], row["kubernetes"])}},
                {"Name": path},
            )
        for stub in self.stubs.values():
            stub.activate()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    found = Aws()
    monkeypatch.setattr(refresh, "connect", lambda *_, **__: found.account)
    return found


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return Path(shutil.copy(TABLE, tmp_path))


def as_it_is(name: str, minor: str) -> list[str]:
    return [
        next(
            row["version"]
            for row in ROWS["addon"]
            if (row["name"], row["kubernetes"]) == (name, minor)
        )
    ]


def newer(name: str, minor: str) -> list[str]:
    return (
        ["v1.36.9-eksbuild.9"] if (name, minor) == ("kube-proxy", "1.36") else as_it_is(name, minor)
    )


def test_rows_change_and_nothing_else_in_the_file_does(aws: Aws, table: Path) -> None:
    aws.answers(newer, lambda _, minor: RELEASES[minor])
    changes = refresh.refreshed("test", table, "us-east-1", write=True)
    assert "addon kube-proxy 1.36: v1.36.0-eksbuild.25 → v1.36.9-eksbuild.9" in changes
    assert any(line.startswith('kubernetes."1.36": 2027-08-02 → 2027-09-09') for line in changes)
    assert "addon aws-efs-csi-driver 1.35: seen: verified" in changes
    before, after = TABLE.read_text().splitlines(), table.read_text().splitlines()
    assert len(before) == len(after)
    keys = {
        line.partition(" = ")[0]
        for old, new in zip(before, after, strict=True)
        if old != new
        for line in (old,)
    }
    assert keys == {
        "version",
        "source",
        "date",
        "verified",
        "standard_support_until",
        "extended_support_until",
    }
    assert [line for line in before if line.startswith("#")] == [
        line for line in after if line.startswith("#")
    ]
    rows: dict[str, Any] = tomllib.loads("\n".join(after))
    assert list(inconsistencies(rows)) == [] and all(
        row["verified"] for kind in ("addon", "ami") for row in rows[kind]
    )
    assert (
        rows["chart"] == ROWS["chart"]
        and rows["release"] == ROWS["release"]
        and rows["kubernetes"]["1.35"] == ROWS["kubernetes"]["1.35"]
    )
    for stub in aws.stubs.values():
        stub.assert_no_pending_responses()


def test_a_dry_run_writes_nothing(aws: Aws, table: Path) -> None:
    aws.answers(newer, lambda _, minor: RELEASES[minor])
    assert refresh.refreshed("test", table, "us-east-1", write=False)
    assert table.read_text() == TABLE.read_text()


@pytest.mark.parametrize(
    ("addon", "image", "says", "which"),
    [
        (
            lambda name, minor: [],
            lambda _, minor: RELEASES[minor],
            "AWS names 0 default versions of vpc-cni for Kubernetes 1.35",
            "versions.several-defaults",
        ),
        (
            as_it_is,
            lambda name, minor: (
                RELEASES[minor].replace("20", "21") if "arm64" in name else RELEASES[minor]
            ),
            "would run several releases",
            "versions.contradiction",
        ),
        (as_it_is, lambda _, minor: "1.30.1-20261120", "Kubernetes 1.35", "versions.image"),
    ],
    ids=["an add-on without a default", "images of two days", "an image of another minor"],
)
def test_answers_that_do_not_fit_write_nothing(
    aws: Aws, table: Path, addon: Any, image: Any, says: str, which: str
) -> None:
    aws.answers(addon, image)
    with pytest.raises(ConfigError, match=says) as caught:
        refresh.refreshed("test", table, "us-east-1", write=True)
    assert {problem.id for problem in caught.value.problems} == {which}
    assert table.read_text() == TABLE.read_text()
