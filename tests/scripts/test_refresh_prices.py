"""The script that makes the tables of prices, on small files of the shapes that AWS publishes."""

from __future__ import annotations

import json
import runpy
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.regional_prices import REGIONS, table

ROOT = Path(__file__).resolve().parents[2]
script = runpy.run_path(str(ROOT / "scripts" / "refresh_prices.py"), run_name="refresh_prices")


def offer(
    code: str, *products: tuple[dict[str, str], str, str], date: str = "2026-11-01T10:00:00Z"
) -> dict:
    """A file of the price list: attributes, unit and price of each product."""
    found, terms = {}, {}
    for index, (attributes, unit, usd) in enumerate(products):
        sku = f"SKU{index}"
        family = attributes.pop("productFamily", "x")
        found[sku] = {"sku": sku, "productFamily": family, "attributes": attributes}
        dimension = {
            "rateCode": f"{sku}.A.B",
            "unit": unit,
            "beginRange": "0",
            "endRange": "Inf",
            "pricePerUnit": {"USD": usd},
        }
        dearer = {**dimension, "beginRange": "10240", "pricePerUnit": {"USD": "0.0000000001"}}
        terms[sku] = {f"{sku}.A": {"priceDimensions": {"2": dearer, "1": dimension}}}
    return {
        "formatVersion": "v1.0",
        "offerCode": code,
        "publicationDate": date,
        "products": found,
        "terms": {"OnDemand": terms, "Reserved": {}},
    }


def box(kind: str, **other: str) -> dict[str, str]:
    plain = {
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
    }
    return {
        "instanceType": kind,
        "usagetype": f"EUC1-BoxUsage:{kind}",
        "productFamily": "Compute Instance",
        "regionCode": "eu-central-1",
        **plain,
        **other,
    }


def rates(document: dict, region: str = "eu-central-1") -> dict[str, Decimal]:
    return {rate.name: rate.usd for rate in script["of_offer"](document, region)}


def test_ec2_is_plain_linux_on_demand_and_nothing_else():
    document = offer(
        "AmazonEC2",
        (box("m7i.large"), "Hrs", "0.1207500000"),
        (box("m7i.large", operatingSystem="Windows"), "Hrs", "0.2"),
        (box("m7i.large", tenancy="Dedicated"), "Hrs", "0.3"),
        (box("m7i.large", preInstalledSw="SQL Std"), "Hrs", "0.4"),
        (box("m7i.large", capacitystatus="AllocatedCapacityReservation"), "Hrs", "0.5"),
        (box("m7i.large", regionCode="eu-central-1-ham-1"), "Hrs", "0.6"),
        (box("c7i.large"), "Hrs", "0.0000000000"),
        ({"usagetype": "EUC1-EBS:VolumeUsage.gp3"}, "GB-Mo", "0.0952"),
        ({"usagetype": "EUC1-EBS:VolumeP-IOPS.gp3"}, "IOPS-Mo", "0.006"),
        ({"usagetype": "EUC1-EBS:VolumeP-Throughput.gp3"}, "GiBps-mo", "48.7424"),
        ({"usagetype": "EUC1-EBS:VolumeUsage.gp2"}, "GB-Mo", "0.119"),
        ({"usagetype": "EUC1-NatGateway-Hours", "productFamily": "NAT Gateway"}, "Hrs", "0.052"),
        ({"usagetype": "EUC1-NatGateway-Bytes", "productFamily": "NAT Gateway"}, "GB", "0.077"),
    )
    assert rates(document) == {
        "ec2:m7i.large": Decimal("0.12075"),
        "gp3_gib_month": Decimal("0.0952"),
        "gp3_iops_month": Decimal("0.006"),
        "gp3_throughput_month": Decimal("0.0476"),
        "nat_gateway_hour": Decimal("0.052"),
    }


@pytest.mark.parametrize(
    ("code", "attributes", "name"),
    [
        ("AmazonEKS", {"usagetype": "EUC1-AmazonEKS-Hours:perCluster"}, "control_plane_hour"),
        ("AmazonVPC", {"usagetype": "EUC1-PublicIPv4:InUseAddress"}, "public_ipv4_hour"),
        ("AmazonVPC", {"usagetype": "VpcEndpoint-Hours"}, "private_endpoint_hour"),
        (
            "AmazonVPC",
            {"usagetype": "EUC1-TransitGateway-Hours", "operation": "TransitGatewayVPC"},
            "transit_gateway_attachment_hour",
        ),
        (
            "AWSELB",
            {"usagetype": "EUC1-LoadBalancerUsage", "productFamily": "Load Balancer-Network"},
            "network_load_balancer_hour",
        ),
        ("awskms", {"usagetype": "eu-central-1-KMS-Keys"}, "kms_key_month"),
        ("AmazonEFS", {"usagetype": "EUC1-TimedStorage-ByteHrs"}, "efs_gib_month"),
        ("AmazonCloudWatch", {"usagetype": "EUC1-CW:AlarmMonitorUsage"}, "alarm_metric_month"),
        ("AmazonCloudWatch", {"usagetype": "EUC1-CW:MetricMonitorUsage"}, "own_metric_month"),
        (
            "AmazonRDS",
            {
                "usagetype": "EUC1-RDS:GP3-Storage",
                "databaseEngine": "PostgreSQL",
                "deploymentOption": "Single-AZ",
            },
            "rds_gp3_gib_month",
        ),
        (
            "AmazonRDS",
            {
                "usagetype": "EUC1-InstanceUsage:db.t4g.small",
                "instanceType": "db.t4g.small",
                "databaseEngine": "PostgreSQL",
                "deploymentOption": "Single-AZ",
            },
            "rds_hour:db.t4g.small",
        ),
    ],
)
def test_each_service_gives_its_row(code, attributes, name):
    others = [{**attributes, "usagetype": "EUC1-SomethingElse"}]
    others += [
        {**attributes, key: "Other"}
        for key in ("databaseEngine", "deploymentOption", "productFamily", "operation")
        if key in attributes
    ]
    assert rates(offer(code, (dict(attributes), "Hrs", "1.50"))) == {name: Decimal("1.50")}
    assert not rates(offer(code, *((other, "Hrs", "9") for other in others)))


def test_a_later_rate_goes_over_an_earlier_one_and_extended_support_is_the_whole_price(tmp_path):
    lines = [
        "region,name,usd,date,source",
        "eu-central-1,ec2:m7i.large,0.1,2025-01-01,old",
        "eu-central-1,ec2:no.such,1,2025-01-01,old",
    ]
    lines += [
        "eu-central-1,control_plane_hour,0.10,2025-01-01,old",
        "eu-central-1,extended_support_hour,0.50,2025-01-01,old",
        "us-east-1,kms_key_month,1,2025-01-01,old",
    ]
    (tmp_path / "rates.csv").write_text("\n".join(lines) + "\n")
    newer = offer("AmazonEC2", (box("m7i.large"), "Hrs", "0.1207500000"))
    found = script["tables"](
        [*script["of_rates"](tmp_path / "rates.csv"), *script["of_offer"](newer, "eu-central-1")],
        ["m7i.large"],
    )
    assert set(found) == {"eu-central-1"}, "us-east-1 has its own tables"
    document = found["eu-central-1"]
    assert document["sources"] == [
        ["AWS price list, AmazonEC2", "2026-11-01"],
        ["old", "2025-01-01"],
    ]
    assert document["ec2"] == {"m7i.large": ["0.12075", 0]}
    assert document["rows"] == {
        "control_plane_hour": ["0.1", 1],
        "extended_support_hour": ["0.6", 1],
    }
    assert json.loads(script["rendered"](document)) == document


def test_the_data_of_the_pricing_pages_is_read_by_the_places_names(tmp_path):
    (tmp_path / "locations.json").write_text(
        json.dumps(
            {
                "EU (Frankfurt)": {"code": "eu-central-1", "type": "AWS Region"},
                "Germany (Hamburg)": {"code": "eu-central-1-ham-1", "type": "AWS Local Zone"},
            }
        )
    )
    for name in {file for _, file, _, _ in script["_PAGES"]}:
        prices = {
            words: {"price": "1024.0000000000"}
            for _, file, words, _ in script["_PAGES"]
            if file == name
        }
        document = {
            "manifest": {"hawkFilePublicationDate": "2025-10-28T17:54:55Z"},
            "regions": {"EU (Frankfurt)": prices, "Germany (Hamburg)": prices},
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    found = list(script["of_pages"](tmp_path))
    assert {rate.region for rate in found} == {"eu-central-1"} and {
        rate.date for rate in found
    } == {"2025-10-28"}
    assert {rate.name: rate.usd for rate in found}["gp3_throughput_month"] == 1, "per MiB/s"
    assert {rate.name: rate.usd for rate in found}["gp3_gib_month"] == 1024


@pytest.mark.parametrize("region", REGIONS)
def test_what_is_written_is_read_as_it_was(region):
    document = json.loads(table(region))
    assert json.loads(script["rendered"](document)) == document


def test_a_run_writes_a_file_for_each_region_that_was_asked_for(tmp_path, monkeypatch):
    for region in ("eu-central-1", "eu-west-1"):
        path = tmp_path / "offers" / "AmazonEC2" / f"{region}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(offer("AmazonEC2", (box("m7i.large", regionCode=region), "Hrs", "0.2")))
        )
    monkeypatch.setattr(
        "sys.argv",
        [
            "x",
            "--offers",
            str(tmp_path / "offers"),
            "--into",
            str(tmp_path / "into"),
            "--region",
            "eu-west-1",
        ],
    )
    assert script["main"]() == 0
    assert [path.name for path in (tmp_path / "into").iterdir()] == ["eu-west-1.json"]
