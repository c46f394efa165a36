"""Homes in EFS by themselves: beside a cluster that something else made, with and without
backups, and with wrong arguments.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.components.backups import Backups, BackupsArgs, BackupsOutputs
from jupyterhub_aws.components.homes.efs import EfsHomes, EfsHomesArgs
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.config.backups import TAG, AwsBackup
from jupyterhub_aws.config.egress import NoEgress
from jupyterhub_aws.config.homes import AdoptedHomes
from jupyterhub_aws.config.homes import EfsHomesSection as EfsOptions
from jupyterhub_aws.config.specs.backups import BackupSpec
from jupyterhub_aws.config.specs.homes import EfsSpec, hub_directory
from tests.support.programs import cluster_by_hand, problems_of_program, record_program

SYSTEM, POINT, TARGET, EFS_PLAN = (
    f"aws:efs/{kind}"
    for kind in (
        "fileSystem:FileSystem",
        "accessPoint:AccessPoint",
        "mountTarget:MountTarget",
        "backupPolicy:BackupPolicy",
    )
)
INGRESS, EGRESS = (
    f"aws:vpc/securityGroup{way}Rule:SecurityGroup{way}Rule" for way in ("Ingress", "Egress")
)


@pytest.mark.real
def test_homes_stand_alone_in_three_lines():
    recording = record_program(
        lambda: EfsHomes("homes", EfsHomesArgs(cluster=cluster_by_hand(), hubs=["main"]))
    )
    system, point = recording.one(SYSTEM), recording.one(POINT, "homes-access-point-main")
    assert (
        system.inputs["creationToken"] == "homes-homes"
        and system.inputs["encrypted"] is True
        and system.protect
    )
    assert TAG not in system.inputs["tags"] and recording.one(EFS_PLAN).inputs["backupPolicy"] == {
        "status": "ENABLED"
    }, "else nothing backs it up"
    assert point.inputs["rootDirectory"]["path"] == "/hubs/main" and point.inputs["posixUser"] == {
        "uid": 1000,
        "gid": 100,
    }
    assert {item.inputs["subnetId"] for item in recording.resources.of(TARGET)} == {
        "subnet-0aaaaaaaaaaaaaaaa",
        "subnet-0bbbbbbbbbbbbbbbb",
    }
    rule = recording.one(INGRESS)
    assert (rule.inputs["referencedSecurityGroupId"], rule.inputs["fromPort"]) == (
        "sg-of-theirs",
        2049,
    ) and recording.resources.of(EGRESS) == []
    (made,) = recording.resources.of("jupyterhub-aws:index:EfsHomes")
    handle = f"${{{system.name}.id}}::${{{point.name}.id}}"
    assert recording.component_outputs[made.urn] == {
        "file_system_id": f"${{{system.name}.id}}",
        "volume_handles": {"main": handle},
    }


def test_in_a_network_without_egress_the_nodes_own_group_gets_the_way_to_the_mount_targets():
    network = NetworkOutputs(
        vpc_id="vpc-0123456789abcdef0",
        cidrs=["10.0.0.0/16"],
        private_subnets={"us-east-1a": "subnet-a"},
        egress=NoEgress(kind="none"),
    )
    cluster = cluster_by_hand(network=network, node_security_group_id="sg-nodes")
    recording = record_program(
        lambda: EfsHomes("homes", EfsHomesArgs(cluster=cluster, hubs=["main"]))
    )
    assert (
        recording.one(EGRESS).inputs["securityGroupId"]
        == recording.one(INGRESS).inputs["referencedSecurityGroupId"]
        == "sg-nodes"
    )


def test_two_of_them_in_one_program_do_not_meet():
    def program():
        cluster, backups = (
            cluster_by_hand(),
            Backups("backups", BackupsArgs(region="us-east-1", physical_name="mine")),
        )
        first = EfsHomes(
            "first",
            EfsHomesArgs(
                cluster=cluster, hubs=["b", "a"], backups=backups.outputs, infrequent_access_days=0
            ),
        )
        adopted = AdoptedHomes(path="/home", owner="root")
        second = EfsHomes(
            "second",
            EfsHomesArgs(
                cluster=cluster, hubs=["a"], adopted=adopted, backup=False, physical_name="other"
            ),
        )
        pulumi.export("first", sorted(first.outputs.volume_handles))
        pulumi.export("second", second.outputs.ownership_handle)

    recording = record_program(program)
    first, second = (
        recording.one(SYSTEM, "first-file-system"),
        recording.one(SYSTEM, "second-file-system"),
    )
    assert first.inputs["tags"][TAG] == "mine" and TAG not in second.inputs["tags"]
    assert (
        first.inputs["creationToken"] == "first-homes"
        and second.inputs["creationToken"] == "other-homes"
    )
    assert not first.inputs.get("lifecyclePolicies") and second.inputs["lifecyclePolicies"][0] == {
        "transitionToIa": "AFTER_30_DAYS"
    }
    assert {item.inputs["backupPolicy"]["status"] for item in recording.resources.of(EFS_PLAN)} == {
        "DISABLED"
    }
    assert recording.outputs == {
        "first": ["a", "b"],
        "second": "${second-file-system.id}::${second-handing-over-access-point.id}",
    }


_AWS_BACKUP = BackupsOutputs(spec=BackupSpec(name="x", options=AwsBackup(kind="aws_backup")))


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ({"cluster": 5}, ["cluster"]),
        ({"cluster": cluster_by_hand(security_group_id=None)}, ["cluster.node_security_group_id"]),
        (
            {
                "cluster": cluster_by_hand(
                    network=NetworkOutputs(
                        vpc_id="vpc-1", cidrs=["10.0.0.0/16"], private_subnets={}
                    )
                )
            },
            ["cluster.network.private_subnets"],
        ),
        ({"hubs": "main"}, ["hubs"]),
        ({"hubs": 5}, ["hubs"]),
        ({"hubs": ["a", "a", "B"]}, ["hubs", "hubs[2]"]),
        ({"infrequent_access_days": 3, "backup": "no"}, ["backup", "infrequent_access_days"]),
        ({"adopted": {"path": "home", "owner": "root"}, "hubs": ["a", "b"]}, ["adopted.path"]),
        ({"adopted": AdoptedHomes(path="/home", owner="root"), "hubs": ["a", "b"]}, ["adopted"]),
        ({"backups": Backups, "tags": ["x"]}, ["backups", "tags"]),
        ({"backups": _AWS_BACKUP, "backup": True}, ["backup"]),
        ({"physical_name": "-"}, ["physical_name"]),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_are_told_with_their_paths_all_at_once(
    arguments: dict[str, Any], paths: list[str]
):
    lines = problems_of_program(
        lambda: EfsHomes(
            "homes", EfsHomesArgs(**{"cluster": cluster_by_hand(), "hubs": ["main"], **arguments})
        )
    )
    assert [line.split(": ")[1] for line in lines] == paths, lines


@settings(max_examples=50, deadline=None)
@given(
    days=st.sampled_from([0, 1, 7, 365]),
    backup=st.sampled_from([None, True, False]),
    tagged=st.booleans(),
)
def test_whatever_is_said_homes_are_backed_up_once_or_not_at_all_on_purpose(
    days: Any, backup: bool | None, tagged: bool
):
    """EFS's own plan beside AWS Backup would keep each file twice; neither of them only where
    somebody said so.
    """
    backups = BackupSpec(name="x", options=AwsBackup(kind="aws_backup")) if tagged else None
    spec = EfsSpec(
        name="x",
        options=EfsOptions(kind="efs", infrequent_access_days=days, backup=backup),
        hubs=("main",),
        backups=backups,
    )
    assert (TAG in spec.backup_tags) + spec.own_plan == (0 if backup is False and not tagged else 1)
    assert [rule.get("transition_to_ia", "") for rule in spec.lifecycle_policies][:1] == (
        [f"AFTER_{days}_DAY{'S' if days > 1 else ''}"] if days else []
    )
    assert hub_directory(spec.options, "main") == spec.root_directory("main") == "/hubs/main"
