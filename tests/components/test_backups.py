"""Backups: one plan, one vault that keeps, one tag, a role for each direction; or snapshots; or
nothing, never two of the same.
"""

from __future__ import annotations

import json

import pulumi
import pytest

from jupyterhub_aws.components.backups import Backups, BackupsArgs, vault_policy
from jupyterhub_aws.config.backups import (
    TAG,
    AwsBackup,
    CopyTo,
    Daily,
    Snapshots,
    VaultLock,
    Weekly,
    cron,
)
from jupyterhub_aws.config.specs.backups import plan_rules, snapshot_schedules
from tests.support.programs import problems_of_program, record_program
from tests.support.stacks import FULL, record

VAULT, PLAN, SELECTION, LOCK = (
    f"aws:backup/{kind}"
    for kind in (
        "vault:Vault",
        "plan:Plan",
        "selection:Selection",
        "vaultLockConfiguration:VaultLockConfiguration",
    )
)
EFS_PLAN, KEY, POLICY = (
    "aws:efs/backupPolicy:BackupPolicy",
    "aws:kms/key:Key",
    "aws:backup/vaultPolicy:VaultPolicy",
)
ATTACHMENT, LIFECYCLE = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:dlm/lifecyclePolicy:LifecyclePolicy",
)
OURS = {TAG: "jhub-dev"}


@pytest.mark.parametrize(
    ("at", "day", "written"),
    [
        ("03:00", None, "cron(0 3 * * ? *)"),
        ("23:05", None, "cron(5 23 * * ? *)"),
        ("05:30", "sunday", "cron(30 5 ? * SUN *)"),
        ("00:00", "wednesday", "cron(0 0 ? * WED *)"),
    ],
)
def test_a_time_of_day_as_aws_writes_it(at, day, written):
    assert cron(at, day) == written


def test_daily_for_35_days_and_weekly_for_twelve_weeks_unless_something_else_is_said():
    daily, weekly = plan_rules(AwsBackup(kind="aws_backup"), "vault", None)
    assert (
        daily["rule_name"],
        daily["schedule"],
        daily["lifecycle"],
        daily["target_vault_name"],
    ) == (
        "daily",
        "cron(0 3 * * ? *)",
        {"delete_after": 35},
        "vault",
    )
    assert (weekly["rule_name"], weekly["schedule"], weekly["lifecycle"]) == (
        "weekly",
        "cron(0 5 ? * SUN *)",
        {"delete_after": 84},
    )
    assert all("copy_actions" not in rule for rule in (daily, weekly))
    section = AwsBackup(
        kind="aws_backup",
        daily=Daily(at="22:00", keep_days=3),
        weekly=None,
        copy_to_region=CopyTo(region="us-west-2", keep_days=9),
    )
    (only,) = plan_rules(section, "vault", "arn:of:the:copies")
    assert only["lifecycle"] == {"delete_after": 3} and only["schedule"] == "cron(0 22 * * ? *)"
    assert only["copy_actions"] == [
        {"destination_vault_arn": "arn:of:the:copies", "lifecycle": {"delete_after": 9}}
    ]


def test_snapshots_carry_the_tags_of_their_volumes():
    daily, weekly = snapshot_schedules(
        Snapshots(kind="snapshots", daily=Daily(keep_days=3), weekly=Weekly(keep_weeks=2))
    )
    assert daily["retain_rule"] == {"interval": 3, "interval_unit": "DAYS"} and weekly[
        "retain_rule"
    ] == {"interval": 2, "interval_unit": "WEEKS"}
    assert daily["copy_tags"] and weekly["copy_tags"], "a person's volume is found by them"
    assert len(snapshot_schedules(Snapshots(kind="snapshots", weekly=None))) == 1


def test_the_vault_is_encrypted_by_its_own_key_and_no_principal_deletes_a_backup():
    recording = record()
    vault, key = recording.one(VAULT), recording.one(KEY, "backups-main-key")
    assert (
        vault.inputs["name"] == "jhub-dev-backups"
        and vault.inputs["kmsKeyArn"] == "${backups-main-key.arn}"
        and "region" not in vault.inputs
    )
    assert (
        all(item.protect and item.retain_on_delete for item in (vault, key))
        and key.inputs["enableKeyRotation"]
    )
    assert recording.one(POLICY).inputs["policy"] == vault_policy()
    (statement,) = json.loads(vault_policy())["Statement"]
    assert (
        statement["Effect"] == "Deny"
        and "backup:DeleteRecoveryPoint" in statement["Action"]
        and not [item for item in statement["Action"] if "*" in item]
    )
    assert recording.resources.of(LOCK) == [], "nothing is locked that nobody asked to lock"


def test_what_carries_the_tag_is_selected_and_nothing_else():
    recording = record()
    selection = recording.one(SELECTION).inputs
    assert selection["selectionTags"] == [{"type": "STRINGEQUALS", "key": TAG, "value": "jhub-dev"}]
    assert not {"resources", "notResources", "conditions"} & set(selection)
    assert (
        selection["iamRoleArn"] == "${backups-role.arn}"
        and selection["planId"] == "${backups-plan.id}"
    )
    tagged = {item.name for item in recording.resources if TAG in (item.inputs.get("tags") or {})}
    assert tagged == {"homes-file-system", "hub-main-cloud-database-a"}
    assert all(
        recording.one(kind).inputs["tags"].items() >= OURS.items()
        for kind in ("aws:efs/fileSystem:FileSystem", "aws:ebs/volume:Volume")
    )


def test_databases_of_rds_are_tagged_where_that_is_wanted_and_only_they():
    tagged = {
        item.name for item in record(*FULL).resources if TAG in (item.inputs.get("tags") or {})
    }
    assert "hub-ldap-cloud-database-instance" in tagged and not [
        name for name in tagged if "security" in name or "subnets" in name
    ]
    without = record(*FULL, "backups.rds=false").one("aws:rds/instance:Instance").inputs
    assert TAG not in without["tags"] and without["backupRetentionPeriod"] == 7


@pytest.mark.real
def test_every_home_volume_is_made_with_the_tag():
    parameters = (
        record("homes={kind: ebs}")
        .one("kubernetes:storage.k8s.io/v1:StorageClass")
        .inputs["parameters"]
    )
    specifications = [
        value for key, value in parameters.items() if key.startswith("tagSpecification_")
    ]
    assert f"{TAG}=jhub-dev" in specifications
    none = (
        record("homes={kind: ebs}", "backups={kind: none, reason: a test}")
        .one("kubernetes:storage.k8s.io/v1:StorageClass")
        .inputs["parameters"]
    )
    assert not [value for value in none.values() if value.startswith(TAG)]


def test_the_role_that_backs_up_cannot_restore():
    policies = {
        item.inputs["role"]: item.inputs["policyArn"].rpartition("/")[2]
        for item in record().resources.of(ATTACHMENT)
        if "ackup" in item.inputs["policyArn"]
    }
    assert policies == {
        "jhub-dev-backup": "AWSBackupServiceRolePolicyForBackup",
        "jhub-dev-backup-restore": "AWSBackupServiceRolePolicyForRestores",
    }


def test_copies_lie_in_another_region_under_another_key_and_a_lock_is_on_both_vaults():
    recording = record(*FULL)
    copies, key = recording.one(VAULT, "backups-copy-vault"), recording.one(KEY, "backups-copy-key")
    assert (
        copies.inputs["region"] == key.inputs["region"] == "us-west-2"
        and copies.inputs["kmsKeyArn"] == "${backups-copy-key.arn}"
    )
    assert recording.one(POLICY, "backups-copy-policy").inputs["region"] == "us-west-2"
    daily, weekly = recording.one(PLAN).inputs["rules"]
    assert (
        daily["copyActions"]
        == [{"destinationVaultArn": "${backups-copy-vault.arn}", "lifecycle": {"deleteAfter": 35}}]
        and "copyActions" not in weekly
    )
    locks = recording.resources.of(LOCK)
    bounds = {
        (
            lock.inputs.get("region"),
            lock.inputs["minRetentionDays"],
            lock.inputs["maxRetentionDays"],
            lock.inputs["changeableForDays"],
        )
        for lock in locks
    }
    assert bounds == {(None, 7, 365, 7), ("us-west-2", 7, 365, 7)}


@pytest.mark.real
def test_a_lock_without_days_of_grace_can_be_taken_off():
    assert (
        "changeableForDays"
        not in record("backups={kind: aws_backup, vault_lock: {}}").one(LOCK).inputs
    )


def test_snapshots_are_of_volumes_with_the_tag_and_need_no_vault():
    recording = record("backups={kind: snapshots}")
    policy = recording.one(LIFECYCLE).inputs
    assert (
        policy["policyDetails"]["targetTags"] == OURS
        and policy["policyDetails"]["resourceTypes"] == ["VOLUME"]
        and policy["state"] == "ENABLED"
    )
    assert [item["name"] for item in policy["policyDetails"]["schedules"]] == ["daily", "weekly"]
    assert policy["description"].replace(" ", "").replace("-", "").isalnum(), (
        "its API takes nothing else"
    )
    assert recording.resources.of(VAULT, PLAN, SELECTION) == []


@pytest.mark.real
@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ((), "DISABLED"),
        (("backups={kind: snapshots}",), "ENABLED"),
        (("backups={kind: none, reason: a test}",), "DISABLED"),
        (("backups={kind: snapshots}", "homes={kind: efs, backup: false}"), "DISABLED"),
        (("backups={kind: none, reason: a test}", "homes={kind: efs, backup: true}"), "ENABLED"),
    ],
)
def test_efs_has_its_own_backup_plan_where_no_other_one_covers_homes_and_never_two(
    settings, status
):
    assert record(*settings).one(EFS_PLAN).inputs["backupPolicy"] == {"status": status}


def test_backups_stand_alone_with_one_argument():
    recording = record_program(lambda: Backups("b", BackupsArgs(region="us-east-1")))
    assert (
        recording.one(VAULT).inputs["name"] == "b-backups"
        and len(recording.one(PLAN).inputs["rules"]) == 2
    )
    assert recording.one(SELECTION).inputs["selectionTags"] == [
        {"type": "STRINGEQUALS", "key": TAG, "value": "b"}
    ]
    (made,) = recording.resources.of("jupyterhub-aws:index:Backups")
    assert recording.component_outputs[made.urn] == {
        "kind": "aws_backup",
        "vault_name": "b-backups",
    }
    key = recording.one(KEY)
    assert "arn:aws:iam::${aws.account}:root" in key.inputs["policy"], "the account is looked up"


def test_two_of_them_in_one_program_do_not_meet():
    def program():
        yes = Backups("yes", BackupsArgs(region="us-east-1", physical_name="first", weekly=None))
        no = Backups(
            "no", BackupsArgs(region="us-east-1", kind="none", reason="nothing is kept here")
        )
        volumes = Backups("volumes", BackupsArgs(region="us-east-1", kind="snapshots"))
        for kind, made in {"yes": yes, "no": no, "volumes": volumes}.items():
            pulumi.export(kind, dict(made.outputs.spec.tags))

    recording = record_program(program)
    assert recording.outputs == {"yes": {TAG: "first"}, "no": {}, "volumes": {TAG: "volumes"}}
    assert [rule["ruleName"] for rule in recording.one(PLAN).inputs["rules"]] == ["daily"], (
        "weekly=None: none"
    )
    assert recording.one(LIFECYCLE).inputs["policyDetails"]["targetTags"] == {TAG: "volumes"}
    assert len({item.inputs["name"] for item in recording.resources.of("aws:iam/role:Role")}) == 3


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ({"region": "mars"}, ["region"]),
        ({"region": 7, "kind": "sometimes"}, ["kind", "region"]),
        ({"kind": "snapshots", "rds": True, "vault_lock": VaultLock()}, ["rds", "vault_lock"]),
        ({"kind": "none"}, ["reason"]),
        ({"daily": {"at": "25:00", "keep_days": 0}}, ["daily.at", "daily.keep_days"]),
        ({"daily": Daily(at="05:00")}, ["weekly.at"]),
        ({"weekly": "sometimes", "rds": "yes"}, ["rds", "weekly"]),
        ({"copy_to_region": {"region": "us-east-1"}}, ["copy_to_region.region"]),
        ({"vault_lock": {"min_days": 40}}, ["daily.keep_days"]),
        (
            {"physical_name": "Far_Too_Long" * 3, "tags": {"Name": "x", "a": 5}},
            ["physical_name", "tags.Name", "tags.a"],
        ),
        ({"tags": "owner"}, ["tags"]),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_are_told_with_their_paths_all_at_once(arguments, paths):
    lines = problems_of_program(
        lambda: Backups("b", BackupsArgs(**{"region": "us-east-1", **arguments}))
    )
    assert [line.split(": ")[1] for line in lines] == paths, lines
    assert all(line.startswith("Backups 'b': ") for line in lines)
