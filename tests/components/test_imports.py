"""Adopting and repairing: `imports:` reaches every resource, inside remote components too, and a
typo there is an error.
"""

from __future__ import annotations

import pulumi
import pytest

from tests.support.stacks import record

CLUSTER = "aws:eks/cluster:Cluster::cluster-control-plane-eksCluster"
VPC = "aws:ec2/vpc:Vpc::network-vpc"


def _imported(recording):
    return {
        f"{item.type}::{item.name}": item.import_id
        for item in recording.resources
        if item.import_id
    }


def test_an_entry_imports_the_resource_of_that_type_and_name_and_nothing_else():
    recording = record(f'imports={{"{VPC}": vpc-0123456789abcdef0}}')
    assert _imported(recording) == {VPC: "vpc-0123456789abcdef0"}
    assert recording.outputs["imported"] == [VPC]


@pytest.mark.real
def test_an_entry_reaches_the_cluster_inside_the_remote_component():
    recording = record(f'imports={{"{CLUSTER}": jhub-dev}}', "cluster.protected=true")
    assert _imported(recording) == {CLUSTER: "jhub-dev"} and recording.outputs["imported"] == [
        CLUSTER
    ]
    (cluster,) = recording.resources.of("aws:eks/cluster:Cluster")
    assert cluster.protect and cluster.retain_on_delete, (
        "adopting must not take the protection away"
    )


@pytest.mark.real
@pytest.mark.parametrize("name", ["autoscaler-release", "node-agents-nvidia-device-plugin"])
def test_an_entry_reaches_what_is_registered_last(name):
    key = f"kubernetes:helm.sh/v3:Release::{name}"
    assert record(f'imports={{"{key}": kube-system/x}}').outputs["imported"] == [key]


def test_what_an_entry_names_is_protected_while_the_entry_is_there():
    protected = {
        item.name
        for item in record(f'imports={{"{VPC}": vpc-0123456789abcdef0}}').resources
        if item.protect
    }
    assert protected - {item.name for item in record().resources if item.protect} == {"network-vpc"}


def test_without_entries_nothing_is_imported_and_nothing_protected_by_the_way():
    recording = record()
    assert _imported(recording) == {} and recording.outputs["imported"] == []
    assert sorted(item.name for item in recording.resources if item.protect) == [
        "backups-main-key",
        "backups-main-policy",
        "backups-main-vault",
        "cluster-key",
        "homes-access-point-main",
        "homes-file-system",
        "hub-main-cloud-database-a",
    ]


def test_an_entry_that_nothing_uses_is_an_error_that_names_the_nearest_resource():
    with pytest.raises(pulumi.RunError) as caught:
        record('imports={"aws:ec2/vpc:Vpc::network-vcp": vpc-0123456789abcdef0}')
    assert (
        str(caught.value)
        == "imports.aws:ec2/vpc:Vpc::network-vcp: no resource of this stack has this type and"
        f" name; did you mean {VPC}?"
    )


@pytest.mark.real
def test_every_unused_entry_is_named_and_one_like_nothing_gets_general_advice():
    with pytest.raises(pulumi.RunError) as caught:
        record(
            f'imports={{"{VPC}": vpc-1, "aws:sqs/queue:Queue::zzzzzzzzzz": fs-1,'
            ' "aws:ec2/vpc:Vpc::network-vcp": vpc-2}'
        )
    lines = str(caught.value).split("\n")
    assert len(lines) == 2 and all(line.startswith("imports.aws:") for line in lines)
    assert "copy the last two parts of the URN" in lines[1]
