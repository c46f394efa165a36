"""Two hubs on the real engine: quiet when nothing changed, changed one by one, and asked about
before one of them goes.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.account import plaintext_secrets
from tests.engine.harness import Engine
from tests.engine.runs import Run, Step
from tests.support.stack_files import CERTIFICATE

pytestmark = pytest.mark.real

SECRETS = {
    "hub-main-client-secret": "planted-github-secret-9d20",
    "hub-second-ldap-search-password": "planted-ldap-password-3f1a",
}
SECOND = {
    "sign_in": {
        "kind": "ldap",
        "server": "ldap.example.org",
        "ca_certificate": CERTIFICATE,
        "lookup": {
            "search_base": "ou=people,dc=example,dc=org",
            "search_user": "cn=search,dc=example,dc=org",
        },
        "allowed_groups": ["cn=hub,ou=groups,dc=example,dc=org"],
    },
    "entry": {
        "kind": "load_balancer",
        "hostname": "second.example.org",
        "allowed_cidrs": ["198.51.100.0/24"],
        "tls": {"kind": "acm"},
        "route53_zone": "Z0123456789ABCDEFGHIJ",
    },
    "database": {"kind": "postgres"},
    "image": "quay.io/jupyter/scipy-notebook:2025-12-31",
}


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine()
    for key, value in SECRETS.items():
        engine.run("config", "set", "--secret", key, value)
    engine.put(hubs__second=SECOND)
    return engine


@pytest.fixture(scope="module")
def built(engine: Engine) -> Run:
    return engine.up()


@pytest.fixture(scope="module")
def new_image(engine: Engine, built: Run) -> Step:
    engine.put(hubs__second__image="quay.io/jupyter/scipy-notebook:2026-03-31")
    return Step(preview=engine.preview(), up=engine.up())


@pytest.fixture(scope="module")
def without_second(engine: Engine, new_image: Step) -> Run:
    engine.edit(remove=["hubs.second"])
    engine.run("config", "rm", "hub-second-ldap-search-password")
    return engine.run("preview", check=False)


def test_a_missing_secret_stops_it_before_anything_is_made(
    new_engine: Callable[..., Engine],
) -> None:
    refusal = new_engine().refused("preview")
    assert (
        "hubs.main: the client secret of the OAuth application is missing; run: pulumi config set"
        " --secret hub-main-client-secret" in refusal
    )
    assert "Traceback" not in refusal.partition("hubs.main")[0]


def test_two_hubs_are_built_and_a_second_preview_is_quiet(built: Run, engine: Engine) -> None:
    releases = {call.name for call in built.finished("Create", "kubernetes:helm.sh/v3:Release")}
    assert {"hub-main-release", "hub-second-release"} <= releases
    assert engine.preview("--expect-no-changes").changes == {}


def test_the_release_comes_after_its_data_and_its_drivers(built: Run) -> None:
    release = next(call for call in built.begun("Create") if call.name == "hub-main-release")
    ended = {call.subject for call in built.finished("Create") if call.position < release.position}
    for needed in (
        "kubernetes:core/v1:PersistentVolumeClaim::hub-main-homes-claim",
        "kubernetes:core/v1:PersistentVolume::hub-main-database-volume-a",
        "kubernetes:core/v1:Secret::hub-main-secrets-secret",
        "aws:eks/addon:Addon::pools-addons-aws-efs-csi-driver",
        "aws:efs/mountTarget:MountTarget::homes-mount-target-c",
        "aws:efs/fileSystemPolicy:FileSystemPolicy::homes-policy",
    ):
        assert needed in ended, f"the hub starts before {needed}"


def test_no_secret_of_a_hub_is_readable_in_the_state(built: Run, engine: Engine) -> None:
    assert plaintext_secrets(engine.export(), [*SECRETS.values(), *engine.account.secrets()]) == []


def test_another_image_updates_the_release_and_nothing_else(new_image: Step) -> None:
    release = "kubernetes:helm.sh/v3:Release::hub-second-release"
    assert new_image.preview.changes == {release: "update"}
    assert new_image.up.changed() == {"Update": [release]}


def test_another_secret_changes_the_secret_and_tells_the_hub(
    engine: Engine, new_image: Step
) -> None:
    engine.run("config", "set", "--secret", "hub-main-client-secret", "planted-github-secret-new1")
    changes = engine.preview().changes
    engine.run(
        "config", "set", "--secret", "hub-main-client-secret", SECRETS["hub-main-client-secret"]
    )
    assert changes == {
        "kubernetes:core/v1:Secret::hub-main-secrets-secret": "update",
        "kubernetes:helm.sh/v3:Release::hub-main-release": "update",
    }


def test_removing_a_hub_asks_before_anything_of_value_goes(without_second: Run) -> None:
    assert without_second.code != 0
    assert (
        "hub-second" in without_second.errors
        or "homes-access-point-second" in without_second.errors
    )
    assert "protect" in without_second.errors


def test_a_removed_hub_leaves_its_homes_and_its_database(
    engine: Engine, without_second: Run
) -> None:
    kept = [
        resource["urn"]
        for resource in engine.resources()
        if resource.get("protect") and "second" in resource["urn"].rpartition("::")[2]
    ]
    assert kept
    for urn in kept:
        engine.run("state", "unprotect", urn, "--yes")
    up = engine.up()
    gone = {call.subject for call in up.finished("Delete")}
    assert "kubernetes:helm.sh/v3:Release::hub-second-release" in gone
    assert "aws:lb/loadBalancer:LoadBalancer::hub-second-cloud-entry-balancer-balancer" in gone
    for stays in (
        "aws:efs/accessPoint:AccessPoint",
        "aws:rds/instance:Instance",
        "kubernetes:core/v1:PersistentVolume",
        "kubernetes:core/v1:Namespace",
    ):
        assert [subject for subject in gone if subject.startswith(f"{stays}::")] == []
        assert [
            record
            for record in engine.account.records
            if record["type"] == stays and "second" in record.get("urn", "")
        ], f"{stays} is gone"
    assert {subject for subject in gone if "hub-main" in subject} == set()
    assert engine.preview("--expect-no-changes").changes == {}


def test_a_database_moves_to_another_zone_by_a_snapshot_and_never_loses_the_old_volume(
    engine: Engine, without_second: Run
) -> None:
    volume = "aws:ebs/volume:Volume"
    engine.put(
        pools__core__zones=["us-east-1b"],
        hubs__main__database={"kind": "sqlite", "snapshot": "snap-0123456789abcdef0"},
    )
    assert "protect" in engine.refused("preview")
    (old,) = [resource["urn"] for resource in engine.resources() if resource["type"] == volume]
    engine.run("state", "unprotect", old, "--yes")
    up = engine.up()
    assert [call.name for call in up.finished("Create", volume)] == [
        "hub-main-cloud-database-b-snap-0123456789abcdef0"
    ]
    places = {
        record["inputs"]["availabilityZone"]: record["inputs"].get("snapshotId")
        for record in engine.account.records
        if record["type"] == volume
    }
    assert places == {"us-east-1a": None, "us-east-1b": "snap-0123456789abcdef0"}
    (volume_b,) = [call for call in up.finished("Create", "kubernetes:core/v1:PersistentVolume")]
    assert volume_b.name == "hub-main-database-volume-b-snap-0123456789abcdef0"
    assert engine.preview("--expect-no-changes").changes == {}
