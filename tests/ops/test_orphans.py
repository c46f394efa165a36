"""What a destroyed stack left in an account of moto's: four shapes of leftovers, what is kept
apart from what is not, and nothing but questions asked.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from jupyterhub_aws.cli.arguments import validated_stack
from jupyterhub_aws.config.backups import AwsBackup, CopyTo, Snapshots
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.operate.live.account import Account
from jupyterhub_aws.operate.teardown.kinds import UnmanagedResource, kind_of
from jupyterhub_aws.operate.teardown.orphans import OrphanVerdict, show
from jupyterhub_aws.operate.teardown.scan import _by_tags, _found, _vault, looked_at, records
from tests.support.cloud import ACCOUNT, REGION, Cloud, autoscaling_group, cloud, counted
from tests.support.data_examples import described
from tests.support.data_keys import faults
from tests.support.in_process import Done, in_process
from tests.support.live import environment
from tests.support.pause_shapes import SHAPES
from tests.support.stack_files import ROOT


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    with cloud() as found:
        yield found


@pytest.fixture
def place(account: Cloud, tmp_path: Path) -> Path:
    """An empty account, and a folder with the stacks dev, airgap and airgap-hub."""
    account.reset()
    for name in ("dev", "airgap", "airgap-hub"):
        shutil.copy(ROOT / f"Pulumi.{name}.yaml", tmp_path)
    return tmp_path


def orphans(account: Cloud, folder: Path, *arguments: str) -> Done:
    """The command; every call that it made only asked."""
    with counted(account) as url:
        account.calls.clear()
        known = environment(url) | {"COLUMNS": "80"}
        known.pop("AWS_PROFILE")
        done = in_process(["orphans", *arguments], folder, known)
    asked = [
        call for call in account.calls if not re.match(r"(Describe|List|Get)[A-Z]|GET /", call)
    ]
    assert asked == [] and account.calls, (asked, done.stderr)
    return done


def listed(
    account: Cloud, folder: Path, stack: str
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Orphans and kept ones by what they are called."""
    done = orphans(account, folder, stack, "--json")
    assert done.returncode in (0, 1), done.stderr
    found = described("orphans", done.stdout)
    assert done.returncode == bool(found["orphans"])
    return {item["id"]: item for item in found["orphans"]}, {
        item["id"]: item for item in found["kept"]
    }


def volume(account: Cloud, size: int, tags: dict[str, str]) -> str:
    specification = [
        {
            "ResourceType": "volume",
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
    ]
    return str(
        account.client("ec2").create_volume(
            AvailabilityZone=f"{REGION}a",
            Size=size,
            VolumeType="gp3",
            TagSpecifications=specification,
        )["VolumeId"]
    )


def claimed(cluster: str, name: str, namespace: str) -> dict[str, str]:
    """The tags of the EBS driver."""
    there = {
        "kubernetes.io/created-for/pvc/name": name,
        "kubernetes.io/created-for/pvc/namespace": namespace,
    }
    return {f"kubernetes.io/cluster/{cluster}": "owned", "ebs.csi.aws.com/cluster": "true", **there}


def kept_ones(account: Cloud, stack: str) -> dict[str, str]:
    """What a destroy leaves of any stack with EFS homes: by kind, the id."""
    mine = [{"Key": "stack", "Value": stack}]
    named = [*mine, {"Key": "Name", "Value": f"{stack}-homes"}]
    file_system = account.client("efs").create_file_system(CreationToken="x", Tags=named)[
        "FileSystemId"
    ]
    of_key = [
        {"TagKey": "stack", "TagValue": stack},
        {"TagKey": "Name", "TagValue": f"{stack}-secrets"},
    ]
    key = account.client("kms").create_key(Tags=of_key)["KeyMetadata"]["KeyId"]
    return {
        "file system": file_system,
        "key": key,
        "volume": volume(account, 2, {"stack": stack, "Name": f"{stack}-main-database"}),
    }


@pytest.mark.real
def test_an_open_stack_kept_what_it_should_and_left_what_others_made(
    account: Cloud, place: Path
) -> None:
    kept = kept_ones(account, "jhub-dev")
    ec2 = account.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    other = volume(account, 100, claimed("jhub-dev", "data-postgres-0", "somebody"))
    volume(account, 7, claimed("another-cluster", "theirs", "theirs"))
    cni = [
        {
            "ResourceType": "network-interface",
            "Tags": [{"Key": "cluster.k8s.amazonaws.com/name", "Value": "jhub-dev"}],
        }
    ]
    interface = ec2.create_network_interface(SubnetId=subnet, TagSpecifications=cni)[
        "NetworkInterface"
    ]["NetworkInterfaceId"]
    balancer = account.client("elbv2").create_load_balancer(
        Name="a1b2c3",
        Subnets=[subnet],
        Type="network",
        Tags=[{"Key": "kubernetes.io/cluster/jhub-dev", "Value": "owned"}],
    )["LoadBalancers"][0]["LoadBalancerArn"]
    logs = account.client("logs")
    logs.create_log_group(logGroupName="/aws/eks/jhub-dev/cluster")
    logs.create_log_group(logGroupName="/aws/eks/jhub-dev-2/cluster")
    autoscaling_group(
        account,
        "jhub-dev-memory-spot-1",
        subnet,
        sizes=(0, 3, 0),
        tags={"k8s.io/cluster-autoscaler/jhub-dev": "owned", "stack": "jhub-dev"},
    )
    done, before = orphans(account, place, "dev"), snapshot(account)
    assert done.returncode == 1, done.stderr
    left, stays = listed(account, place, "dev")
    assert snapshot(account) == before
    assert set(stays) == set(kept.values()) and all(item["kept"] for item in stays.values())
    assert set(left) == {
        other,
        interface,
        "a1b2c3",
        "/aws/eks/jhub-dev/cluster",
        "jhub-dev-memory-spot-1",
    }
    assert (left[other]["monthly"], left["a1b2c3"]["monthly"], left[interface]["monthly"]) == (
        8.0,
        16.43,
        0.0,
    )
    assert left[other]["delete"] == f"aws ec2 delete-volume --volume-id {other}"
    assert (
        left["a1b2c3"]["delete"] == f"aws elbv2 delete-load-balancer --load-balancer-arn {balancer}"
    )
    text = " ".join(done.stdout.split())
    assert (
        "5 orphans, 3 kept. Nothing was changed." in text
        and "Orphans cost at least $24.43 per month" in text
    ), done.stdout
    assert f"$ aws ec2 delete-volume --volume-id {other} --region us-east-1" in text
    assert not any(f"delete-{verb}" in text for verb in ("file-system", "key")), (
        "no command for what is kept is offered to copy"
    )


def test_what_watched_and_backed_up_has_commands_and_what_is_not_known_has_none() -> None:
    """ARNs as AWS writes them (service authorization reference)."""
    known = {
        f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:jhub-dev-hub-down-main": (
            "aws cloudwatch delete-alarms --alarm-names jhub-dev-hub-down-main"
        ),
        f"arn:aws:sns:{REGION}:{ACCOUNT}:jhub-dev-alarms": (
            f"aws sns delete-topic --topic-arn arn:aws:sns:{REGION}:{ACCOUNT}:jhub-dev-alarms"
        ),
        f"arn:aws:events:{REGION}:{ACCOUNT}:rule/jhub-dev-launches": (
            "aws events delete-rule --name jhub-dev-launches"
        ),
        f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-plan:0a1b-2c": (
            "aws backup delete-backup-plan --backup-plan-id 0a1b-2c"
        ),
        f"arn:aws:dlm:{REGION}:{ACCOUNT}:policy/policy-0123": (
            "aws dlm delete-lifecycle-policy --policy-id policy-0123"
        ),
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/jhub-dev/launches:*": (
            "aws logs delete-log-group --log-group-name /jhub-dev/launches"
        ),
        f"arn:aws:eks:{REGION}:{ACCOUNT}:something/new": "",
    }
    for arn, command in known.items():
        found = _found(arn, {})
        assert kind_of(found).delete(found) == command, found
        assert found.region == REGION


def test_a_recovery_point_is_in_a_vault_with_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Of AWS's own answers: moto's index knows no recovery points."""
    stack, backups = (
        validated_stack(str(ROOT / "Pulumi.dev.yaml"))[0],
        AwsBackup(kind="aws_backup", copy_to_region=CopyTo(region="us-west-2")),
    )
    arns = {
        region: f"arn:aws:backup:{region}:{ACCOUNT}:recovery-point:1-2-3"
        for region in (REGION, "us-west-2")
    }
    for made, region, vault in (
        (backups, REGION, "jhub-dev-backups"),
        (Snapshots(kind="snapshots"), REGION, "aws/efs/automatic-backup-vault"),
        (backups, "us-west-2", "jhub-dev-backups-copy"),
    ):
        mine = stack.model_copy(update={"backups": made})
        client = boto3.client(
            "resourcegroupstaggingapi",
            region_name=region,
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        with Stubber(client) as stub:
            for number in range(5):
                item = {
                    "ResourceARN": arns[region],
                    "Tags": [{"Key": "stack", "Value": "jhub-dev"}],
                }
                stub.add_response(
                    "get_resources", {"ResourceTagMappingList": [item] if number == 0 else []}
                )
            there = Account(
                id=ACCOUNT,
                region=region,
                caller="x",
                session=None,
                clients={"resourcegroupstaggingapi": client},
            )
            (found,) = _by_tags(
                there,
                mine,
                resolve(mine).backups.copy_vault_name if region != REGION else _vault(mine),
            )
        line = kind_of(found).delete(found)
        assert (
            line
            == f"aws backup delete-recovery-point --backup-vault-name {vault} --recovery-point-arn"
            f" {arns[region]}"
        )
        assert "its vault's policy first" in kind_of(found).note
    strange = _found(f"arn:aws:new:us-west-2:{ACCOUNT}:thing/one", {})
    alarm = _found(f"arn:aws:cloudwatch:us-west-2:{ACCOUNT}:alarm:x", {})
    show(
        "dev",
        there,
        [OrphanVerdict(found=item, kept="", monthly=None) for item in (strange, alarm)],
    )
    text = capsys.readouterr().out
    assert [line.strip() for line in text.splitlines() if "$ " in line] == [
        "$ aws cloudwatch delete-alarms --alarm-names x --region us-west-2"
    ]
    assert f"look at it, no command is known here: {strange.arn}" in text


@pytest.mark.real
def test_copies_elsewhere_are_looked_for(account: Cloud, place: Path) -> None:
    file = place / "Pulumi.dev.yaml"
    file.write_text(
        f"{file.read_text()}  jupyterhub-aws:backups: {{ kind: aws_backup, copy_to_region: {{"
        " region: us-west-2 } }\n"
    )
    west = {
        "endpoint_url": account.url,
        "region_name": "us-west-2",
        "aws_access_key_id": "a",
        "aws_secret_access_key": "b",
    }
    kms, ec2 = boto3.client("kms", **west), boto3.client("ec2", **west)
    keys = {
        name: kms.create_key(
            Tags=[{"TagKey": "stack", "TagValue": "jhub-dev"}, {"TagKey": "Name", "TagValue": name}]
        )["KeyMetadata"]["KeyId"]
        for name in ("jhub-dev-backups-copy", "jhub-dev-somebodys")
    }
    gone = ec2.create_volume(AvailabilityZone="us-west-2a", Size=1)["VolumeId"]
    ec2.create_tags(Resources=[gone], Tags=[{"Key": "stack", "Value": "jhub-dev"}])
    left, stays = listed(account, place, "dev")
    assert set(stays) == {keys["jhub-dev-backups-copy"]} and set(left) == {
        keys["jhub-dev-somebodys"],
        gone,
    }
    assert {item["region"] for item in (*left.values(), *stays.values())} == {"us-west-2"}
    text = orphans(account, place, "dev").stdout
    assert (
        f"$ aws ec2 delete-volume --volume-id {gone} --region us-west-2" in text
        and "us-east-1 and us-west-2: 2 orphans" in text
    )


def snapshot(account: Cloud) -> list[str]:
    found = account.client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"]
    groups = account.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return sorted(
        [item["ResourceARN"] for item in found]
        + [group["AutoScalingGroupName"] for group in groups]
    )


@pytest.mark.real
def test_homes_on_volumes_are_kept_and_named(account: Cloud, place: Path) -> None:
    file = place / "Pulumi.dev.yaml"
    text = file.read_text()
    file.write_text(
        re.sub(r"  homes:\n(    .*\n|\n(?=    ))*", "  homes: { kind: ebs, size_gib: 10 }\n", text)
    )
    home = volume(
        account, 10, {"stack": "jhub-dev", **claimed("jhub-dev", "claim-ada", "hub-main")}
    )
    stray = volume(account, 5, claimed("jhub-dev", "scratch", "hub-main"))
    gone = volume(account, 5, {"stack": "jhub-dev"})
    account.client("ec2").delete_volume(VolumeId=gone)
    left, stays = listed(account, place, "dev")
    assert (
        set(stays) == {home}
        and "a user's home (claim-ada, hub-main)" in stays[home]["kept"]
        and set(left) == {stray}
    )


@pytest.mark.real
def test_a_database_stays_with_its_snapshots(account: Cloud, tmp_path: Path) -> None:
    folder = SHAPES["open"].into(tmp_path)
    account.reset()
    rds, mine = account.client("rds"), [{"Key": "stack", "Value": "jhub-dev"}]
    for name in ("jhub-dev-second-database", "jhub-dev-old-database"):
        size = {"DBInstanceClass": "db.t4g.small", "AllocatedStorage": 20}
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            Engine="postgres",
            MasterUsername="u",
            MasterUserPassword="p" * 12,
            Tags=mine,
            **size,
        )
    rds.create_db_snapshot(
        DBInstanceIdentifier="jhub-dev-second-database", DBSnapshotIdentifier="before"
    )
    left, stays = listed(account, folder, "dev")
    assert set(left) == {"jhub-dev-old-database"}, "of a hub that the file no longer names"
    assert (
        left["jhub-dev-old-database"]["monthly"]
        and "--final-db-snapshot-identifier" in left["jhub-dev-old-database"]["delete"]
    )
    assert {"jhub-dev-second-database", "before"} <= set(stays) and stays["before"][
        "kept"
    ] == "a backup"
    assert {item["kind"] for item in stays.values()} == {"PostgreSQL", "snapshot of PostgreSQL"}


@pytest.mark.real
def test_a_closed_stack_keeps_its_cluster_and_network(account: Cloud, place: Path) -> None:
    name, ec2 = "jhub-airgap", account.client("ec2")
    kept = kept_ones(account, name)

    def tags(kind: str, called: str) -> list[dict[str, Any]]:
        return [
            {
                "ResourceType": kind,
                "Tags": [{"Key": "stack", "Value": name}, {"Key": "Name", "Value": called}],
            }
        ]

    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags("vpc", name))["Vpc"][
        "VpcId"
    ]
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.0.1.0/24", TagSpecifications=tags("subnet", f"{name}-forgotten")
    )["Subnet"]["SubnetId"]
    account.client("eks").create_cluster(
        name=name,
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/some",
        resourcesVpcConfig={"subnetIds": [subnet]},
        tags={"stack": name},
    )
    for stack in ("airgap", "airgap-hub"):
        left, stays = listed(account, place, stack)
        assert set(kept.values()) | {vpc, name} == set(stays), stays
        assert set(left) == {subnet}, "another name than any that the program has"


def test_a_record_that_leads_nowhere_is_found() -> None:
    """By botocore's own model: moto's zones have ids that no zone of AWS has."""
    client = boto3.client(
        "route53", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )
    sets = [
        {"Name": f"{name}.example.org.", "Type": kind}
        for name, kind in (("hub", "A"), ("hub", "TXT"), ("www", "A"))
    ]
    answer = {"ResourceRecordSets": sets, "IsTruncated": False, "MaxItems": "5"}
    with Stubber(client) as stub:
        stub.add_response(
            "list_resource_record_sets",
            answer,
            {"HostedZoneId": "Z1", "StartRecordName": "hub.example.org", "MaxItems": "5"},
        )
        found = list(
            records(
                Account(
                    id=ACCOUNT, region=REGION, caller="x", session=None, clients={"route53": client}
                ),
                "Z1",
                "hub.example.org",
            )
        )
        stub.assert_no_pending_responses()
    assert [item.id for item in found] == [
        "hub.example.org A"
    ] and "--hosted-zone-id Z1" in kind_of(found[0]).delete(found[0])


@pytest.mark.real
def test_what_the_tag_index_still_names_is_looked_at(account: Cloud, place: Path) -> None:
    """AWS's index names things for hours after they went; moto's does not."""
    del place
    ec2, gone = account.client("ec2"), volume(account, 5, {"stack": "jhub-dev"})
    ec2.delete_volume(VolumeId=gone)
    machine = ec2.run_instances(
        ImageId=ec2.describe_images()["Images"][0]["ImageId"], MinCount=1, MaxCount=1
    )["Instances"][0]["InstanceId"]
    ec2.terminate_instances(InstanceIds=[machine])
    key = account.client("kms").create_key()["KeyMetadata"]["KeyId"]
    account.client("kms").schedule_key_deletion(KeyId=key)
    there = Account(
        id=ACCOUNT,
        region=REGION,
        caller="x",
        session=None,
        clients={name: account.client(name) for name in ("ec2", "efs", "rds", "kms", "elbv2")},
    )
    balancer = (
        f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/x/0123456789abcdef"
    )
    for kind, identity in (
        ("ec2:volume", gone),
        ("ec2:instance", machine),
        ("ec2:instance", "i-0123456789abcdef0"),
        ("ec2:network-interface", "eni-0123456789abcdef0"),
        ("ec2:natgateway", "nat-0123456789abcdef0"),
        ("ec2:vpc", "vpc-0123456789abcdef0"),
        ("kms:key", key),
        ("elasticfilesystem:file-system", "fs-0123456789abcdef0"),
        ("elasticfilesystem:access-point", "fsap-0123456789abcdef0"),
        ("rds:db", "never-there"),
        ("elasticloadbalancing:loadbalancer", "x"),
    ):
        arn = (
            balancer
            if kind.startswith("elastic") and kind.endswith("loadbalancer")
            else f"arn:x:{identity}"
        )
        assert (
            looked_at(
                there,
                [UnmanagedResource(arn=arn, kind=kind, id=identity, tags={})],
                lambda text: None,
            )
            == []
        ), (kind, identity)
    here = volume(account, 5, {"Name": "here"})
    many = [
        UnmanagedResource(
            arn=f"arn:x:{number}", kind="ec2:volume", id=f"vol-{number:017x}", tags={}
        )
        for number in range(450)
    ]
    (found,) = looked_at(
        there,
        [*many, UnmanagedResource(arn="arn:x", kind="ec2:volume", id=here, tags={})],
        lambda text: None,
    )
    assert (found.id, found.name, found.about["Size"]) == (here, "here", 5)


@pytest.mark.real
def test_a_stack_that_exists_is_no_orphan(account: Cloud, place: Path) -> None:
    subnet = account.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    roles, eks = f"arn:aws:iam::{ACCOUNT}:role/some", account.client("eks")
    for name in ("jhub-dev", "jhub-airgap"):
        eks.create_cluster(name=name, roleArn=roles, resourcesVpcConfig={"subnetIds": [subnet]})
    eks.create_nodegroup(
        clusterName="jhub-airgap", nodegroupName="core", nodeRole=roles, subnets=[subnet]
    )
    done = orphans(account, place, "dev")
    assert (
        done.returncode == 2
        and "dev: still exists: its cluster jhub-dev is active" in done.stderr
        and "[teardown.stack-exists]" in done.stderr
    ), done.stderr
    done = orphans(account, place, "airgap")
    assert done.returncode == 2 and "with nodes (core)" in done.stderr


@pytest.mark.real
def test_an_account_without_anything(account: Cloud, place: Path) -> None:
    done = orphans(account, place, "dev")
    assert done.returncode == 0 and "0 orphans, 0 kept" in done.stdout, done.stderr


@pytest.mark.real
def test_bad_days(account: Cloud, place: Path) -> None:
    file = place / "Pulumi.dev.yaml"
    text = re.sub(r"  aws:allowedAccountIds:.*\n", "", file.read_text())
    file.write_text(
        text.replace("config:\n", 'config:\n  aws:allowedAccountIds: ["999999999999"]\n', 1)
    )
    done = orphans(account, place, "dev")
    assert (
        done.returncode == 2
        and "999999999999, and your credentials are of 123456789012" in done.stderr
        and "[account.other]" in done.stderr
    )
    nobody = {
        key: ""
        for key in environment(account.url)
        if key.startswith("AWS_") and key not in ("AWS_ENDPOINT_URL",)
    }
    nobody |= {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }
    nobody.pop("AWS_PROFILE")
    done = in_process(["orphans", "dev"], place, nobody)
    assert done.returncode == 2 and "credentials" in done.stderr, done.stderr


def test_nothing_is_in_aws_of_a_cluster_that_was_there() -> None:
    done = in_process(["orphans", str(ROOT / "examples/kubeadm/Pulumi.kubeadm.yaml")], ROOT)
    assert done.returncode == 0 and "makes nothing in AWS" in done.stdout
    line = ["orphans", str(ROOT / "examples/kubeadm/Pulumi.kubeadm.yaml"), "--json"]
    done = in_process(line, ROOT)
    found = json.loads(done.stdout)
    assert faults("orphans", found) == [] and found["orphans"] == found["kept"] == []
    assert found["account"] == "" and "makes nothing in AWS" in done.stderr
