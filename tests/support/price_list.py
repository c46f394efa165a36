"""Small files in the form of AWS's public price list (AWS Billing user guide, "Reading the price
list files"): the five lines before the table and the columns are those of files published on
2025-09-12 (AmazonEC2) and 2026-04-28 (AmazonRDS); other services have the columns that all have.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable
from pathlib import Path

#: Before each product's own columns.
_FIRST = (
    "SKU,OfferTermCode,RateCode,TermType,PriceDescription,EffectiveDate,StartingRange,EndingRange,Unit,PricePerUnit,"
    "Currency,RelatedTo,LeaseContractLength,PurchaseOption,OfferingClass,Product Family,serviceCode,Location,"
    "Location Type"
).split(",")
_LAST = ["usageType", "operation", "Region Code", "serviceName"]
_OWN = {
    "AmazonEC2": [
        "Instance Type",
        "Tenancy",
        "Operating System",
        "License Model",
        "Group",
        "CapacityStatus",
        "Pre Installed S/W",
    ],
    "AmazonRDS": ["Instance Type", "Engine Code", "Database Engine", "Deployment Option"],
}
LINUX = {
    "Operating System": "Linux",
    "Tenancy": "Shared",
    "Pre Installed S/W": "NA",
    "CapacityStatus": "Used",
}
POSTGRESQL = {"Database Engine": "PostgreSQL", "Deployment Option": "Single-AZ"}
VERSION, PUBLISHED = "20261101100000", "2026-11-01T10:00:00Z"

#: A row: usage type, unit, price, and cells that differ from the usual.
Row = tuple[str, str, str, dict[str, str]]


def columns(offer: str) -> list[str]:
    """The columns of a service's table."""
    return [*_FIRST, *_OWN.get(offer, []), *_LAST]


def offer_file(offer: str, rows: Iterable[Row], region: str = "eu-central-1") -> str:
    """The file of a service in a region; the SKU of a row is SKU and its number."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["FormatVersion", "v1.0"])
    writer.writerow(["Disclaimer", 'For information only, "as is", in US dollars'])
    writer.writerow(["Publication Date", PUBLISHED])
    writer.writerow(["Version", VERSION])
    writer.writerow(["OfferCode", offer])
    writer.writerow(columns(offer))
    for number, (usage, unit, usd, other) in enumerate(rows):
        cells = {
            "SKU": f"SKU{number}",
            "OfferTermCode": "JRTCKXETXF",
            "RateCode": f"SKU{number}.JRTCKXETXF.6YS6EN2CT7",
            "TermType": "OnDemand",
            "PriceDescription": f"${usd} per {unit}, in a sentence with a comma",
            "EffectiveDate": "2026-11-01",
            "StartingRange": "0",
            "EndingRange": "Inf",
            "Unit": unit,
            "PricePerUnit": usd,
            "Currency": "USD",
            "serviceCode": offer,
            "Location": "Europe (Frankfurt)",
            "Location Type": "AWS Region",
            "usageType": usage,
            "Region Code": region,
            "serviceName": offer,
            **other,
        }
        writer.writerow([cells.get(name, "") for name in columns(offer)])
    return out.getvalue()


#: Each price that a bill has, once, in Frankfurt's usage types. The amounts are made up, each other
#: than its neighbours', so that a confusion shows.
WHOLE: dict[str, list[Row]] = {
    "AWSELB": [
        (
            "EUC1-LoadBalancerUsage",
            "Hrs",
            "0.0201000000",
            {"Product Family": "Load Balancer-Network"},
        ),
        (
            "EUC1-LoadBalancerUsage",
            "Hrs",
            "0.0202000000",
            {"Product Family": "Load Balancer-Application"},
        ),
        ("EUC1-LoadBalancerUsage", "Hrs", "0.0300000000", {"Product Family": "Load Balancer"}),
        ("EUC1-LCUUsage", "LCU-Hrs", "0.0060000000", {"Product Family": "Load Balancer-Network"}),
    ],
    "AmazonCloudWatch": [
        ("EUC1-CW:AlarmMonitorUsage", "Alarms", "0.1010000000", {}),
        ("EUC1-CW:HighResAlarmMonitorUsage", "Alarms", "0.9", {}),
        ("EUC1-CW:MetricMonitorUsage", "Metrics", "0.3010000000", {"EndingRange": "10000"}),
        ("EUC1-CW:MetricMonitorUsage", "Metrics", "0.1", {"StartingRange": "10000"}),
    ],
    "AmazonEC2": [
        (
            "EUC1-BoxUsage:m7i.large",
            "Hrs",
            "0.1207500000",
            {"Instance Type": "m7i.large", **LINUX},
        ),
        ("EUC1-BoxUsage:r5n.2xlarge", "Hrs", "0.7200000000", LINUX),
        ("EUC1-BoxUsage:x9z.large", "Hrs", "0.5", LINUX),
        ("EUC1-NatGateway-Hours", "Hrs", "0.0520000000", {}),
        ("EUC1-NatGateway-Bytes", "GB", "0.9", {}),
        ("EUC1-EBS:VolumeUsage.gp3", "GB-Mo", "0.0952000000", {}),
        ("EUC1-EBS:VolumeUsage.gp2", "GB-Mo", "0.9", {}),
        ("EUC1-EBS:VolumeP-IOPS.gp3", "IOPS-Mo", "0.0060000000", {}),
        ("EUC1-EBS:VolumeP-Throughput.gp3", "GiBps-mo", "48.7424000000", {}),
    ],
    "AmazonECR": [("EUC1-TimedStorage-ByteHrs", "GB-Mo", "0.1100000000", {})],
    "AmazonEFS": [
        ("EUC1-TimedStorage-ByteHrs", "GB-Mo", "0.3600000000", {}),
        ("EUC1-IATimedStorage-ByteHrs", "GB-Mo", "0.9", {}),
        ("EUC1-TimedStorage-Z-ByteHrs", "GB-Mo", "0.9", {}),
    ],
    "AmazonEKS": [
        ("EUC1-AmazonEKS-Hours:perCluster", "hours", "0.1200000000", {}),
        ("EUC1-AmazonEKS-Hours:extendedSupport", "hours", "0.5000000000", {}),
    ],
    "AmazonRDS": [
        ("EUC1-InstanceUsage:db.t4g.small", "Hrs", "0.0370000000", POSTGRESQL),
        (
            "EUC1-InstanceUsage:db.t4g.small",
            "Hrs",
            "0.9",
            {**POSTGRESQL, "Database Engine": "Oracle"},
        ),
        (
            "EUC1-Multi-AZUsage:db.t4g.small",
            "Hrs",
            "0.9",
            {**POSTGRESQL, "Deployment Option": "Multi-AZ"},
        ),
        ("EUC1-RDS:GP3-Storage", "GB-Mo", "0.1370000000", POSTGRESQL),
        (
            "EUC1-RDS:Multi-AZ-GP3-Storage",
            "GB-Mo",
            "0.2740000000",
            {**POSTGRESQL, "Deployment Option": "Multi-AZ"},
        ),
    ],
    "AmazonS3": [
        ("EUC1-TimedStorage-ByteHrs", "GB-Mo", "0.0245000000", {"EndingRange": "51200"}),
        ("EUC1-TimedStorage-ByteHrs", "GB-Mo", "0.0235", {"StartingRange": "51200"}),
        ("EUC1-TimedStorage-SIA-ByteHrs", "GB-Mo", "0.0135", {}),
    ],
    "AmazonVPC": [
        ("EUC1-PublicIPv4:InUseAddress", "Hrs", "0.0050000000", {}),
        ("EUC1-PublicIPv4:IdleAddress", "Hrs", "0.9", {}),
        ("EUC1-VpcEndpoint-Hours", "Hrs", "0.0120000000", {}),
        ("EUC1-TransitGateway-Hours", "hour", "0.0600000000", {"operation": "TransitGatewayVPC"}),
        ("EUC1-TransitGateway-Hours", "hour", "0.9", {"operation": "TransitGatewayVPN"}),
    ],
    "awskms": [("eu-central-1-KMS-Keys", "Keys", "1.0000000000", {})],
}
#: What they are in the table.
EXPECTED = {
    "ec2": {"m7i.large": "0.12075", "r5n.2xlarge": "0.72"},
    "alarm_metric_month": "0.101",
    "application_load_balancer_hour": "0.0202",
    "control_plane_hour": "0.12",
    "ecr_gib_month": "0.11",
    "efs_gib_month": "0.36",
    "extended_support_hour": "0.62",
    "gp3_gib_month": "0.0952",
    "gp3_iops_month": "0.006",
    "gp3_throughput_month": "0.0476",
    "kms_key_month": "1",
    "nat_gateway_hour": "0.052",
    "network_load_balancer_hour": "0.0201",
    "own_metric_month": "0.301",
    "private_endpoint_hour": "0.012",
    "public_ipv4_hour": "0.005",
    "rds_gp3_gib_month": "0.137",
    "rds_hour:db.t4g.small": "0.037",
    "s3_gib_month": "0.0245",
    "transit_gateway_attachment_hour": "0.06",
}


def files(region: str = "eu-central-1") -> dict[str, str]:
    """The file of each service in a region."""
    return {offer: offer_file(offer, rows, region) for offer, rows in WHOLE.items()}


def write_folder(folder: Path, *regions: str, packed: bool = False) -> Path:
    """Files as they may be brought to a machine without a way out."""
    for region in regions:
        for offer, text in files(region).items():
            (folder / offer).mkdir(parents=True, exist_ok=True)
            path = folder / offer / f"{region}.csv"
            if packed:
                path.with_suffix(".csv.gz").write_bytes(gzip.compress(text.encode()))
            else:
                path.write_text(text, encoding="utf-8")
    return folder


def write_site(folder: Path, *regions: str) -> Path:
    """The tree that AWS's host has: the index of services, an index of regions for each, files."""
    base = folder / "offers" / "v1.0" / "aws"
    about = {"formatVersion": "v1.0", "disclaimer": "x", "publicationDate": PUBLISHED}
    offers = {}
    for offer in WHOLE:
        places = {}
        for region in regions:
            path = base / offer / VERSION / region / "index.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files(region)[offer], encoding="utf-8")
            places[region] = {
                "regionCode": region,
                "currentVersionUrl": f"/offers/v1.0/aws/{offer}/{VERSION}/{region}/index.json",
            }
        index = base / offer / "current" / "region_index.json"
        index.parent.mkdir(parents=True)
        index.write_text(json.dumps({**about, "regions": places}))
        offers[offer] = {
            "offerCode": offer,
            "versionIndexUrl": f"/offers/v1.0/aws/{offer}/index.json",
            "currentVersionUrl": f"/offers/v1.0/aws/{offer}/current/index.json",
            "currentRegionIndexUrl": f"/offers/v1.0/aws/{offer}/current/region_index.json",
        }
    (base / "index.json").write_text(json.dumps({**about, "offers": offers}))
    return folder
