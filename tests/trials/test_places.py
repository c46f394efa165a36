"""Regions, zones, accounts, roles, prices and volumes as AWS knows them (G6)."""

from __future__ import annotations

import datetime
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.checks import places, storage
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.components.iam import partition_of
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import given_by, whole
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.instance_types import (
    instance_types,
    is_missing_in,
    region_source,
    regions_with,
)
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.config.zones import (
    PARTITIONS,
    WITHOUT_EKS,
    letters,
    partition_named,
    regions,
    zones,
)
from scripts.refresh_region_types import offerings
from scripts.refresh_region_types import rendered as region_file
from scripts.refresh_region_types import table as region_table
from scripts.refresh_zones import table, zones_of
from tests.support.in_process import in_process
from tests.support.stack_files import ROOT
from tests.support.stacks import recorded_once

CASES = Path(__file__).parent / "cases"
BASE = CASES / "plan-base.yaml"


def stack_of(*settings: str, path: Path = BASE) -> StackConfig:
    file = read(path, settings)
    return validated(whole(given_by(file), file.path.parent))


def refused(*settings: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        stack_of(*settings)
    return [problem.line("")[2:] for problem in caught.value.problems]


def faults(found: list[Finding]) -> list[tuple[str, str]]:
    return [(item.status, str(item.path)) for item in found if item.status != "pass"]


@pytest.mark.real
@pytest.mark.parametrize(
    ("case", "code", "check", "status"),
    [
        ("plan-ebs-rwx", 1, "storage", "fail"),
        ("plan-sqlite-on-efs-class", 1, "storage", "fail"),
        ("plan-zone-without-eks", 1, "zones", "fail"),
        ("plan-volume-key-new-account", 0, "service-roles", "warn"),
        ("ok-ebs-two-zones", 0, "storage", "pass"),
    ],
)
def test_a_case_of_the_trials(case: str, code: int, check: str, status: str) -> None:
    done = in_process(["plan", str(CASES / f"{case}.yaml"), "--json"], ROOT)
    found = [item for item in json.loads(done.stdout)["checks"] if item["id"] == check]
    assert [item["status"] for item in found] == [status] and done.returncode == code, found
    assert status == "pass" or found[0]["fix"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            ["region=eu-west-9"],
            (
                "aws:region: is not a region that AWS had on .* did you mean eu-west-1, eu-west-2 or"
                " eu-west-3?"
            ),
        ),
        (["region=us-est-1"], "aws:region: is not a region that AWS had on .* did you mean us-"),
        (["region=us-east-1a"], "aws:region: is a zone, not a region .* write us-east-1"),
        (["region=us-iso-east-1"], "aws:region: is in the partition aws-iso"),
        (["region=eusc-de-east-1"], "aws:region: is in the partition aws-eusc"),
        (
            ["region=eu-west-1", "network.zones=[eu-west-1a, eu-west-1f]"],
            r"network.zones\[1\]: is a zone that eu-west-1 does not have",
        ),
        (
            ["network.zones=[us-east-1a, us-east-1h]"],
            r"network.zones\[1\]: is a zone that us-east-1 does not have",
        ),
        (
            ["network.zones=[us-west-2a, us-west-2b]"],
            r"network.zones\[0\]: is not a zone of us-east-1 .* write us-east-1a",
        ),
        (["network.zones=[us-east-1a, us-west-2-lax-1a]"], r"network.zones\[1\]: is a Local Zone"),
        (
            ["network.zones=[us-east-1a, us-east-1-wl1-bos-wlz-1]"],
            r"network.zones\[1\]: is a Wavelength Zone",
        ),
        (["network.zones=[us-east-1a, use1-az1]"], r"network.zones\[1\]: is a zone's id"),
        (
            ["backups={kind: aws_backup, copy_to_region: {region: eu-west-9}}"],
            "backups.copy_to_region.region: is not a region",
        ),
        (
            ["region=cn-north-1", "network.zones=[cn-north-1a, cn-north-1b]"],
            "certificate_arn: is an ARN of the partition aws, and cn-north-1 is in aws-cn",
        ),
        (
            ["cluster.administrators=[arn:aws-cn:iam::123456789012:role/x]"],
            r"cluster.administrators\[0\]: is an ARN of the partition aws-cn",
        ),
        (
            [
                "cluster.volume_key=arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-4333-8444-555555555555"
            ],
            "cluster.volume_key: is a key in eu-west-1",
        ),
        (["aws:allowedAccountIds=['12345']"], "aws:allowedAccountIds"),
    ],
)
def test_what_aws_does_not_have_is_refused(settings: list[str], said: str) -> None:
    assert any(re.search(said, line) for line in refused(*settings)), refused(*settings)


def test_an_existing_network_is_asked_about_all_its_zones() -> None:
    subnets = {
        zone: {"id": f"subnet-0123456789abcde{index}", "cidr": f"10.0.{64 * index}.0/18"}
        for index, zone in enumerate(("us-east-1a", "us-east-1e"))
    }
    public = {"us-east-1h": {"id": "subnet-0fedcba9876543210", "cidr": "10.0.192.0/20"}}
    network = {
        "mode": "existing",
        "vpc_id": "vpc-0123456789abcdef0",
        "cidr": "10.0.0.0/16",
        "private_subnets": subnets,
        "egress": {"kind": "internet"},
    }
    said = refused(f"network={json.dumps({**network, 'public_subnets': public})}")
    assert any(
        "network.public_subnets.us-east-1h: is a zone that us-east-1 does not have" in line
        for line in said
    ), said
    (found,) = places.zones(stack_of(f"network={json.dumps(network)}", "hubs={}"), Resources([]))
    assert found.status == "warn" and "use1-az3" in str(found.fix), (
        "their subnets are there, and only their account knows which zone it is"
    )


def test_zones_without_eks() -> None:
    east = stack_of("network.zones=[us-east-1e, us-east-1a]")
    assert faults(places.zones(east, Resources([]))) == [("fail", "network.zones")]
    assert faults(places.zones(stack_of(), Resources([]))) == []
    canada = stack_of(
        "region=ca-central-1", "network.zones=[ca-central-1a, ca-central-1c]", "hubs={}"
    )
    assert faults(places.zones(canada, Resources([]))) == [("fail", "network.zones")]
    assert set(WITHOUT_EKS) <= set(regions())
    for region, (_, letter) in WITHOUT_EKS.items():
        assert letter in letters(region)


def test_every_region_of_the_table_can_be_a_stacks() -> None:
    assert partition_named("eu-west-9") is None
    for region in regions():
        assert partition_of(region) == partition_named(region) in PARTITIONS
        known = letters(region) or "ab"
        stack = stack_of(
            f"region={region}", f"network.zones=[{region}{known[0]}, {region}{known[1]}]", "hubs={}"
        )
        assert stack.region == region
    assert (
        letters("us-east-1").startswith("abcdef")
        and letters("eu-west-1") == "abc"
        and letters("ca-central-1") == "abcd"
    )
    assert letters("cn-north-1") == "" and letters("nowhere") == "", (
        "not judged where there is no data"
    )


@pytest.mark.real
def test_the_table_is_the_makers() -> None:
    """Zones that moto's maintainers saw described are in it, and its regions are botocore's."""
    import botocore
    from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

    for region, seen in RegionsAndZonesBackend.zones.items():
        known: Any = zones().partitions["aws"].get(region)
        if known:
            assert {zone.name[-1] for zone in seen} <= set(letters(region)), region
            assert {
                zone.zone_id for zone in seen if region.startswith(("us-", "eu-", "ca-", "ap-"))
            } <= {*known, "use1-az3", "usw1-az2", "cac1-az3"}, region
    endpoints = json.loads(
        (Path(botocore.__file__).parent / "data" / "endpoints.json").read_bytes()
    )
    assert {item["partition"]: sorted(item["regions"]) for item in endpoints["partitions"]} == {
        name: sorted(found) for name, found in zones().partitions.items()
    }


def test_the_script_reads_the_page_of_aws() -> None:
    page = (
        "| AZ ID | Region | G |\n| --- | --- | --- |\n| use1-az1 | us-east-1 | x |\n| `usw1-az2` |"
        " `us-west-1`  † | x |\n| Coming in 2026 | us-east-1 | x |\n"
    )
    assert zones_of(page) == {"us-east-1": ["use1-az1", ""], "us-west-1": ["usw1-az2"]}
    endpoints = {
        "partitions": [
            {"partition": "aws", "regions": {"us-east-1": {}, "us-west-1": {}, "x-y-1": {}}}
        ]
    }
    found = table(page, endpoints, "1", datetime.date(2026, 11, 29))
    assert found["partitions"] == {
        "aws": {"us-east-1": ["use1-az1", ""], "us-west-1": ["usw1-az2"], "x-y-1": []}
    }
    with pytest.raises(SystemExit):
        table("nothing", endpoints, "1", datetime.date(2026, 11, 29))


@pytest.mark.parametrize(
    ("price", "status"), [("0.029", "warn"), ("0.05", "warn"), ("0.10", None), ("0.40", None)]
)
def test_a_price_that_spot_never_has(price: str, status: str | None) -> None:
    """r6i.2xlarge and r5.2xlarge are 0.504 on demand: 5 % and 10 % of it never start a node."""
    found = faults(places.spot_price(stack_of(f"pools.user.max_price='{price}'"), Resources([])))
    assert found == ([] if status is None else [(status, "pools.user.max_price")])


def test_the_account_of_documentation_is_a_warning() -> None:
    assert [item.status for item in places.documentation_accounts(stack_of())] == ["warn"]
    assert (
        list(places.documentation_accounts(stack_of("aws:allowedAccountIds=['210987654321']")))
        == []
    )


def test_a_key_names_a_role_that_may_not_be_there() -> None:
    key = "cluster.volume_key=arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
    assert faults(places.service_roles(stack_of(key), Resources([]))) == [
        ("warn", "cluster.volume_key")
    ]
    assert faults(places.service_roles(stack_of(), Resources([]))) == []


_DYNAMIC = "hubs.main.helm_values.singleuser.storage.dynamic"
_TRAIT = "hubs.main.helm_values.hub.config.KubeSpawner"
_POSTGRES = "hubs.main.database={kind: postgres}"


@pytest.mark.real
@pytest.mark.parametrize(
    ("settings", "status"),
    [
        (["homes={kind: ebs}"], None),
        (["homes={kind: ebs}", f"{_DYNAMIC}.storageAccessModes=[ReadWriteMany]"], "fail"),
        (["homes={kind: ebs}", f"{_DYNAMIC}.storageAccessModes=[ReadOnlyMany]"], "fail"),
        (["homes={kind: ebs}", f"{_DYNAMIC}.storageAccessModes=[ReadWriteOncePod]"], None),
        (["homes={kind: ebs}", f"{_DYNAMIC}.storageClass=efs-sc"], "fail"),
        (["homes={kind: ebs}", f"{_DYNAMIC}.storageClass=gp2"], None),
        (
            [
                "homes={kind: ebs}",
                f"{_DYNAMIC}.storageClass=gp2",
                f"{_DYNAMIC}.storageAccessModes=[ReadWriteMany]",
            ],
            "fail",
        ),
        (["homes={kind: ebs}", f"{_TRAIT}.storage_class=gp3"], "fail"),
        (["homes={kind: ebs}", f"{_TRAIT}.storage_access_modes=[ReadWriteMany]"], "fail"),
        (["hubs.main.database={kind: sqlite_on_class, storage_class: efs-sc}"], "fail"),
        (["hubs.main.database={kind: sqlite_on_class, storage_class: gp3}"], "fail"),
    ],
)
def test_volumes_can_be_made(settings: list[str], status: str | None) -> None:
    stack, recording = recorded_once(read(BASE, settings))
    found = [
        item.status
        for item in storage.volumes(stack, recording.everything)
        if item.status != "pass"
    ]
    assert found == ([] if status is None else [status])


def test_the_class_of_eks_needs_the_driver() -> None:
    """With homes on EFS and the database in RDS there is no EBS driver: a claim of gp2 would
    wait for ever.
    """
    dynamic = (
        "hubs.main.helm_values.singleuser.storage={type: dynamic, dynamic: {storageClass: gp2}}"
    )
    stack, recording = recorded_once(read(BASE, [_POSTGRES, dynamic]))
    installed = any(
        item.inputs.get("addonName") == "aws-ebs-csi-driver" for item in recording.everything
    )
    assert ("fail" in [item.status for item in storage.volumes(stack, recording.everything)]) == (
        not installed
    )


def test_beside_a_cluster_that_is_there_a_class_is_its_own_matter() -> None:
    path = ROOT / "examples/kubeadm/Pulumi.kubeadm.yaml"
    for name, status in (("fast", "pass"), ("nfs-client", "warn"), ("efs-sc", "warn")):
        stack, recording = recorded_once(
            read(path, [f"hubs.main.database={{kind: sqlite_on_class, storage_class: {name}}}"])
        )
        assert [item.status for item in storage.volumes(stack, recording.everything)] == [status], (
            name
        )


@pytest.mark.parametrize(
    ("region", "types", "status", "says"),
    [
        ("us-east-1", "r6i.2xlarge", None, ""),
        ("eu-central-2", "r5n.2xlarge", "warn", "no node would start"),
        ("eu-central-2", "r6i.2xlarge,r5n.2xlarge", "warn", "only nodes of the other types would"),
        ("mx-central-1", "r5n.2xlarge", None, ""),
    ],
    ids=["there", "none of them", "one of them", "a region that the table lacks"],
)
def test_a_type_that_the_region_did_not_have_when_the_table_was_made(
    region: str, types: str, status: str | None, says: str
) -> None:
    """Zurich has no r5n (moto 5.2.5, DescribeInstanceTypeOfferings of eu-central-2)."""
    stack = stack_of(f"pools.user.instance_types={json.dumps(types.split(','))}")
    pools = stack.pools.model_copy(update={"core": None})
    found = places.region_types(
        stack.model_copy(update={"region": region, "pools": pools}), Resources([])
    )
    assert faults(found) == ([] if status is None else [(status, "pools.user.instance_types")])
    if status:
        assert says in found[0].message and "moto" in found[0].message
        assert f"--region {region}" in found[0].fix and "Values=r5n.2xlarge" in found[0].fix


def test_core_nodes_are_judged_by_the_region_too() -> None:
    stack = stack_of('pools.core.instance_types=["a1.large"]').model_copy(
        update={"region": "eu-west-3"}
    )
    assert ("warn", "pools.core.instance_types") in faults(
        places.region_types(stack, Resources([]))
    )


def test_the_table_of_regions_is_that_of_its_source() -> None:
    """Made from moto's data, and wrong about no type of it."""
    found = importlib.util.find_spec("moto")  # its files, not its code
    assert found is not None and found.origin is not None
    folder = Path(found.origin).parent / "ec2" / "resources" / "instance_type_offerings" / "region"
    offered = offerings(folder)
    assert set(offered) <= set(zones().partitions["aws"]) and len(offered) >= 30
    for region, kinds in offered.items():
        for kind in instance_types():
            assert is_missing_in(kind, region) is (kind not in kinds), (kind, region)
    assert not is_missing_in("m7i.large", "eu-west-9") and not is_missing_in(
        "x9.large", "us-east-1"
    )
    assert regions_with("x9.large") is None
    assert "moto" in region_source()


def test_the_script_of_the_regions_table() -> None:
    offered = {"b": {"m7i.large"}, "a": {"m7i.large", "c7i.large"}}
    found = region_table(offered, ["c7i.large", "m7i.large", "x.large"], "there")
    assert found == {
        "source": "there",
        "regions": ["a", "b"],
        "types": {"c7i.large": "1", "m7i.large": "3"},
    }
    assert json.loads(region_file(found)) == found
