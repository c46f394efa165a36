"""The script that refreshes the table of EC2 types, against moto's DescribeInstanceTypes (from
which the table came).
"""

import json
import runpy
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[2]
script = runpy.run_path(
    str(ROOT / "scripts" / "refresh_ec2_types.py"), run_name="refresh_ec2_types"
)
committed = json.loads((ROOT / "config" / "data" / "ec2_types.json").read_bytes())


@pytest.fixture(scope="module")
def described():
    from moto import mock_aws

    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(key, "testing")
        client = boto3.client("ec2", region_name="us-east-1")
        names = ["r5n.2xlarge", "g4dn.12xlarge", "m7i.large", "t4g.micro"]
        yield client.describe_instance_types(InstanceTypes=names)["InstanceTypes"]


@pytest.mark.real
def test_what_aws_says_becomes_the_rows_that_are_committed(described):
    rows = script["table"](described, {}, committed["types"])
    for name in ("r5n.2xlarge", "g4dn.12xlarge", "m7i.large"):
        for fact in (
            "vcpus",
            "memory_mib",
            "arch",
            "gpus",
            "gpu",
            "spot",
            "hypervisor",
            "local_disk_gb",
            "usd_per_hour_us_east_1",
        ):
            assert rows[name][fact] == committed["types"][name][fact], (name, fact)


@pytest.mark.real
def test_a_new_price_replaces_the_old_one_and_a_missing_one_keeps_it(described):
    rows = script["table"](described, {"m7i.large": 9.5}, committed["types"])
    assert rows["m7i.large"]["usd_per_hour_us_east_1"] == 9.5
    assert rows["r5n.2xlarge"]["usd_per_hour_us_east_1"] == 0.596


def test_rendering_the_committed_table_gives_the_committed_file():
    text = (ROOT / "config" / "data" / "ec2_types.json").read_text()
    assert script["rendered"](committed["types"], committed["source"]) == text


def test_the_price_list_gives_the_hourly_on_demand_price_only():
    product = {
        "product": {"attributes": {"instanceType": "m7i.large"}},
        "terms": {
            "OnDemand": {
                "x": {"priceDimensions": {"y": {"unit": "Hrs", "pricePerUnit": {"USD": "0.1008"}}}}
            }
        },
    }
    assert script["price_of"](json.dumps(product)) == ("m7i.large", 0.1008)
    assert script["price_of"](json.dumps({**product, "terms": {}})) is None
