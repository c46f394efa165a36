"""The audit of backups: each kind of gap is found in what was recorded, whatever the stack file
says; and a drill that is too long ago.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import replace

import pytest

from jupyterhub_aws.checks.backups import Drill, covered, drill_of, rehearsed
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.backups import TAG
from tests.checks.doctored import dev, doctored, stack_of
from tests.support.stacks import FULL, KUBEADM, record

EFS, EBS, RDS = (
    "aws:efs/fileSystem:FileSystem",
    "aws:ebs/volume:Volume",
    "aws:rds/instance:Instance",
)
CLASS, SELECTION, PLAN = (
    "kubernetes:storage.k8s.io/v1:StorageClass",
    "aws:backup/selection:Selection",
    "aws:backup/plan:Plan",
)
LIFECYCLE, EFS_PLAN = "aws:dlm/lifecyclePolicy:LifecyclePolicy", "aws:efs/backupPolicy:BackupPolicy"
VOLUMES, SNAPSHOTS, NONE = (
    "homes={kind: ebs}",
    "backups={kind: snapshots}",
    "backups={kind: none, reason: a course of two days}",
)


def statuses(findings):
    return [finding.status for finding in findings]


def named(findings):
    return [finding.message.partition(" ")[0] for finding in findings if finding.status == "fail"]


@pytest.mark.real
@pytest.mark.parametrize(
    "settings",
    [(), FULL, (VOLUMES,), (SNAPSHOTS,), (VOLUMES, SNAPSHOTS)],
    ids=["dev", "full", "volumes", "snapshots", "snapshots of volumes"],
)
def test_everything_is_covered(settings):
    assert statuses(covered(*dev(*settings))) == ["pass"]


GAPS = {
    "a file system without the tag": ((), EFS, lambda inputs: inputs["tags"].pop(TAG), ["homes-file-system"]),
    "a file system with another stack's tag": ((), EFS, lambda inputs: inputs["tags"].update({TAG: "jhub-other"}), ["homes-file-system"]),
    "a volume without the tag": ((), EBS, lambda inputs: inputs["tags"].pop(TAG), ["hub-main-cloud-database-a"]),
    "a volume without any tag": ((), EBS, lambda inputs: inputs.pop("tags"), ["hub-main-cloud-database-a"]),
    "a selection of something else": (
        (), SELECTION, lambda inputs: inputs["selectionTags"][0].update(key="other"), ["homes-file-system", "hub-main-cloud-database-a"],
    ),
    "a selection that excludes": (
        (), SELECTION, lambda inputs: inputs["selectionTags"][0].update(type="STRINGNOTEQUALS"), ["homes-file-system", "hub-main-cloud-database-a"],
    ),
    "a plan without rules": ((), PLAN, lambda inputs: inputs.update(rules=[]), ["homes-file-system", "hub-main-cloud-database-a"]),
    "a class whose volumes have no tag": (
        (VOLUMES,), CLASS, lambda inputs: [inputs["parameters"].pop(key) for key in list(inputs["parameters"]) if inputs["parameters"][key].startswith(TAG)],
        ["homes-class"],
    ),
    "a class without parameters": ((VOLUMES,), CLASS, lambda inputs: inputs.pop("parameters"), ["homes-class"]),
    "a policy that is switched off": (
        (VOLUMES, SNAPSHOTS), LIFECYCLE, lambda inputs: inputs.update(state="DISABLED"), ["hub-main-cloud-database-a", "homes-class"],
    ),
    "a policy for whole machines": (
        (SNAPSHOTS,), LIFECYCLE, lambda inputs: inputs["policyDetails"].update(resourceTypes=["INSTANCE"]), ["hub-main-cloud-database-a"],
    ),
    "snapshots, and EFS's own plan is off": ((SNAPSHOTS,), EFS_PLAN, lambda inputs: inputs["backupPolicy"].update(status="DISABLED"), ["homes-file-system"]),
    "a database that keeps nothing": (
        (*FULL, "backups.rds=false"), RDS, lambda inputs: inputs.update(backupRetentionPeriod=0), ["hub-ldap-cloud-database-instance"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "kind", "change", "names"), GAPS.values(), ids=GAPS)
def test_a_gap_is_found_and_named(settings, kind, change, names):
    stack, resources = dev(*settings)
    _, spoilt = doctored(resources, kind, change)
    findings = covered(stack, spoilt)
    assert sorted(named(findings)) == sorted(names) and set(statuses(findings)) == {"fail"}
    assert all(finding.fix and finding.subjects for finding in findings)


def test_homes_said_to_have_no_plan_beside_snapshots_are_a_gap():
    assert named(covered(*dev(SNAPSHOTS, "homes={kind: efs, backup: false}"))) == [
        "homes-file-system"
    ]


def test_a_resource_that_is_not_configured_is_found_too():
    """A file system of some component to come."""
    stack, resources = dev()
    (there,) = resources.of(EFS)
    another = replace(
        there,
        name="scratch",
        urn=f"{there.urn}-scratch",
        inputs={"encrypted": True, "tags": {"stack": "jhub-dev"}},
    )
    assert named(covered(stack, Resources([*resources, another]))) == ["scratch"]


def test_without_backups_every_plan_warns_with_the_reason_and_the_names():
    (finding,) = covered(*dev(NONE))
    assert (finding.status, finding.path) == ("warn", "backups.kind")
    assert (
        "a course of two days" in finding.message
        and "homes-file-system, hub-main-cloud-database-a" in finding.message
    )
    stack, resources = dev(NONE, "homes={kind: efs, backup: true}")
    assert "homes-file-system" not in covered(stack, resources)[0].message


def test_what_is_not_the_stacks_is_said_to_be_its_owners():
    homes = json.dumps({"kind": "nfs", "server": "nfs.uni.edu", "path": "/homes"})
    found = covered(*dev(f"homes={homes}"))
    assert statuses(found) == ["pass", "skip"] and "nfs.uni.edu" in found[1].message
    stack, resources = stack_of(), record(*KUBEADM).resources
    from jupyterhub_aws.cli.arguments import validated_stack
    from tests.support.stack_files import ROOT

    stack, _ = validated_stack(str(ROOT / "examples/kubeadm/Pulumi.kubeadm.yaml"))
    assert statuses(covered(stack, resources)) == ["skip"]


TODAY = datetime.date(2026, 11, 28)


def drill(**changed):
    return Drill(
        **{
            "day": TODAY - datetime.timedelta(days=10),
            "recovery_point": "arn",
            "files": 1234,
            "differences": 0,
            **changed,
        }
    )


@pytest.mark.parametrize(
    ("last", "status", "says"),
    [
        (None, "warn", "no restore of this stack has been rehearsed"),
        (drill(), "pass", "10 days ago (2026-11-18): 1,234 files"),
        (drill(day=TODAY - datetime.timedelta(days=90)), "pass", "90 days ago"),
        (
            drill(day=TODAY - datetime.timedelta(days=91)),
            "warn",
            "91 days ago (2026-08-29), and drill_days is 90",
        ),
        (drill(differences=2), "warn", "restored 2 of 1,234 files with differences"),
    ],
)
def test_a_rehearsal_grows_old(last, status, says):
    (finding,) = rehearsed(stack_of(), last, TODAY, "dev")
    assert finding.status == status and says in finding.message
    assert (finding.fix is None) == (status == "pass")


def test_how_old_it_may_grow_is_the_stacks_to_say():
    (finding,) = rehearsed(
        stack_of("backups={kind: aws_backup, drill_days: 5}"), drill(), TODAY, "dev"
    )
    assert finding.status == "warn" and "drill_days is 5" in finding.message


@pytest.mark.parametrize("settings", [(NONE,), (VOLUMES,), (SNAPSHOTS,), ("hubs={}",)])
def test_nothing_is_asked_where_nothing_can_be_rehearsed(settings):
    assert rehearsed(stack_of(*settings), None, TODAY, "dev") == []


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"date": "2026-11-28"},
        {
            "date": datetime.datetime(2026, 1, 1),
            "recovery_point": "x",
            "files": 1,
            "differences": 0,
        },
    ],
)
def test_half_a_record_is_none(data):
    with pytest.raises((KeyError, TypeError)):
        drill_of(data)
