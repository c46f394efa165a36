"""Write config/data/prices/REGION.json anew: what AWS charges in each region, in US dollars, each
price with its source and date.

    .venv/bin/python scripts/refresh_prices.py --offers FOLDER [--pages FOLDER] [--rates FILE] [--region eu-central-1 ...]

It reads files and opens no connection, so that it runs wherever the files can be brought to. A price in a
later input goes over one of an earlier:

--pages FOLDER   the data of AWS's own pricing pages: eks.json, natgateway.json, vpc.json, ebs.json,
efs.json, kms.json, cloudwatch.json
                 (https://b0.p.awsstatic.com/pricing/2.0/meteredUnitMaps/SERVICE/USD/current/NAME.json) and locations.json
                 (https://b0.p.awsstatic.com/locations/1.0/aws/current/locations.json).
--rates FILE     lines of CSV with the head region,name,usd,date,source; a name is a row of
prices.toml, or `ec2:TYPE`. --offers FOLDER  AWS's public price list, one file for each service and
region (some hundred MB for AmazonEC2), as FOLDER/SERVICE/REGION.json:
                 https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/SERVICE/current/REGION/index.json
                 for AmazonEC2, AmazonEKS, AmazonVPC, AWSELB, AmazonRDS, AmazonEFS, awskms and AmazonCloudWatch. They have all that a bill has.

What no input has is not written, and a bill then says which of its lines have the prices of
us-east-1 (prices.toml, ec2_types.json). A type that ec2_types.json lacks is left out. A file in
another currency than US dollars has no price for us.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "config" / "data" / "prices"
TYPES = ROOT / "config" / "data" / "ec2_types.json"
_REGION = re.compile(r"^[a-z]{2}(-[a-z]+)+-[0-9]$")
#: Its prices stand in prices.toml and ec2_types.json: what is not known of another region is taken
#: from there.
HOME = "us-east-1"
_GIB = 1024
#: On demand, shared hardware, Linux without other software, not a reservation.
_PLAIN = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
}
_POSTGRESQL = {"databaseEngine": "PostgreSQL", "deploymentOption": "Single-AZ"}


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One price in US dollars. `name` is a row of prices.toml or `ec2:TYPE`; `date` is the
    source's own.
    """

    region: str
    name: str
    usd: Decimal
    date: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which products of an offer are a row: the end of the usage type (which begins with the
    region's own code), and what attributes must be.
    """

    name: str
    offer: str
    usage: str
    attributes: Mapping[str, str]


_OFFERED = (
    Wanted(
        name="control_plane_hour",
        offer="AmazonEKS",
        usage="AmazonEKS-Hours:perCluster",
        attributes={},
    ),
    Wanted(
        name="extended_support_hour",
        offer="AmazonEKS",
        usage="AmazonEKS-Hours:extendedSupport",
        attributes={},
    ),
    Wanted(name="nat_gateway_hour", offer="AmazonEC2", usage="NatGateway-Hours", attributes={}),
    Wanted(name="gp3_gib_month", offer="AmazonEC2", usage="EBS:VolumeUsage.gp3", attributes={}),
    Wanted(name="gp3_iops_month", offer="AmazonEC2", usage="EBS:VolumeP-IOPS.gp3", attributes={}),
    Wanted(
        name="gp3_throughput_month",
        offer="AmazonEC2",
        usage="EBS:VolumeP-Throughput.gp3",
        attributes={},
    ),
    Wanted(
        name="public_ipv4_hour", offer="AmazonVPC", usage="PublicIPv4:InUseAddress", attributes={}
    ),
    Wanted(
        name="private_endpoint_hour", offer="AmazonVPC", usage="VpcEndpoint-Hours", attributes={}
    ),
    Wanted(
        name="transit_gateway_attachment_hour",
        offer="AmazonVPC",
        usage="TransitGateway-Hours",
        attributes={"operation": "TransitGatewayVPC"},
    ),
    Wanted(
        name="network_load_balancer_hour",
        offer="AWSELB",
        usage="LoadBalancerUsage",
        attributes={"productFamily": "Load Balancer-Network"},
    ),
    Wanted(name="kms_key_month", offer="awskms", usage="KMS-Keys", attributes={}),
    Wanted(name="efs_gib_month", offer="AmazonEFS", usage="TimedStorage-ByteHrs", attributes={}),
    Wanted(
        name="alarm_metric_month",
        offer="AmazonCloudWatch",
        usage="CW:AlarmMonitorUsage",
        attributes={},
    ),
    Wanted(
        name="own_metric_month",
        offer="AmazonCloudWatch",
        usage="CW:MetricMonitorUsage",
        attributes={},
    ),
    Wanted(
        name="rds_gp3_gib_month", offer="AmazonRDS", usage="RDS:GP3-Storage", attributes=_POSTGRESQL
    ),
)
#: Rows of the pricing pages: the file, and the words by which it calls the price.
_PAGES = (
    ("control_plane_hour", "eks", "Compute per Hours", 1),
    ("extended_support_hour", "eks", "Compute ExtendedSupport per Hours", 1),
    ("nat_gateway_hour", "natgateway", "Hourly charge for NAT Gateways", 1),
    ("gp3_gib_month", "ebs", "Storage General Purpose gp3 GB Mo", 1),
    ("gp3_iops_month", "ebs", "Provisioned EBS IOPS gp3 Volumes per IOPS Mo", 1),
    ("gp3_throughput_month", "ebs", "Provisioned Throughput gp3 per GiBps mo", _GIB),
    ("public_ipv4_hour", "vpc", "Hourly charge for In use Public IPv4 Addresses per Hrs", 1),
    ("private_endpoint_hour", "vpc", "Hourly charge for VPC Endpoints per Hrs", 1),
    (
        "transit_gateway_attachment_hour",
        "vpc",
        "Hourly charge for Transit Gateway VPC Attachments per hour",
        1,
    ),
    ("kms_key_month", "kms", "Encryption Key", 1),
    ("efs_gib_month", "efs", "General Purpose Storage GB Mo", 1),
    ("alarm_metric_month", "cloudwatch", "Alarm Standard", 1),
    ("own_metric_month", "cloudwatch", "Metric for the first 10000", 1),
)


def of_offer(document: Mapping[str, Any], region: str) -> Iterator[Rate]:
    """What a file of the price list says of a region, one rate for each row and type."""
    offer, date = str(document["offerCode"]), str(document["publicationDate"])[:10]
    source = f"AWS price list, {offer}"
    on_demand = document["terms"].get("OnDemand", {})
    for sku, product in document["products"].items():
        attributes = {"productFamily": product.get("productFamily", ""), **product["attributes"]}
        usd = (
            _first_tier(on_demand.get(sku, {}))
            if attributes.get("regionCode", region) == region
            else None
        )
        if usd:
            for name in _names(offer, attributes):
                yield Rate(region=region, name=name, usd=usd, date=date, source=source)


def _names(offer: str, attributes: Mapping[str, str]) -> Iterator[str]:
    usage = attributes.get("usagetype", "")
    if offer == "AmazonEC2" and "BoxUsage:" in usage and _has(attributes, _PLAIN):
        yield f"ec2:{attributes['instanceType']}"
    if offer == "AmazonRDS" and "InstanceUsage:db." in usage and _has(attributes, _POSTGRESQL):
        yield f"rds_hour:{attributes['instanceType']}"
    for wanted in _OFFERED:
        if (
            wanted.offer == offer
            and re.search(rf"(^|-){re.escape(wanted.usage)}$", usage)
            and _has(attributes, wanted.attributes)
        ):
            yield wanted.name


def _has(attributes: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(attributes.get(key) == value for key, value in wanted.items())


def _first_tier(terms: Mapping[str, Any]) -> Decimal | None:
    """The price of the first unit: what is cheaper from some number on is not reckoned with.
    Throughput is sold by the GiB/s; a bill counts MiB/s.
    """
    for term in terms.values():
        for dimension in term["priceDimensions"].values():
            if "USD" in dimension["pricePerUnit"] and dimension.get("beginRange", "0") in ("0", ""):
                usd = Decimal(dimension["pricePerUnit"]["USD"])
                return usd / _GIB if dimension["unit"].lower().startswith("gibps") else usd
    return None


def of_pages(folder: Path) -> Iterator[Rate]:
    """What the data of AWS's pricing pages says of every region."""
    locations = json.loads((folder / "locations.json").read_bytes())
    codes = {
        name: str(about["code"])
        for name, about in locations.items()
        if about.get("type") == "AWS Region" and _REGION.fullmatch(str(about["code"]))
    }
    for name, file, words, parts in _PAGES:
        document = json.loads((folder / f"{file}.json").read_bytes())
        date = str(document["manifest"]["hawkFilePublicationDate"])[:10]
        for location, prices in document["regions"].items():
            if location in codes and words in prices:
                usd = Decimal(prices[words]["price"]) / parts
                yield Rate(
                    region=codes[location],
                    name=name,
                    usd=usd,
                    date=date,
                    source=f"data of AWS's pricing pages, {file}.json",
                )


def of_rates(path: Path) -> Iterator[Rate]:
    """Lines of CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Rate(
                region=row["region"],
                name=row["name"],
                usd=Decimal(row["usd"]),
                date=row["date"],
                source=row["source"],
            )


def tables(rates: Iterable[Rate], types: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The document of each region. A later rate of the same name goes over an earlier one;
    extended support is the whole price, not what comes on top.
    """
    known, found = set(types), dict[str, dict[str, Rate]]()
    for rate in rates:
        if (
            rate.region != HOME
            and rate.usd > 0
            and (not rate.name.startswith("ec2:") or rate.name[4:] in known)
        ):
            found.setdefault(rate.region, {})[rate.name] = rate
    return {region: _document(region, found[region]) for region in sorted(found)}


def _document(region: str, rates: Mapping[str, Rate]) -> dict[str, Any]:
    sources = sorted({(rate.source, rate.date) for rate in rates.values()})
    place = {source: index for index, source in enumerate(sources)}
    rows = {
        name: [_usd(_whole(rate, rates)), place[rate.source, rate.date]]
        for name, rate in sorted(rates.items())
    }
    return {
        "region": region,
        "sources": [list(source) for source in sources],
        "rows": {name: row for name, row in rows.items() if not name.startswith("ec2:")},
        "ec2": {name[4:]: row for name, row in rows.items() if name.startswith("ec2:")},
    }


def _whole(rate: Rate, rates: Mapping[str, Rate]) -> Decimal:
    return (
        rate.usd + rates["control_plane_hour"].usd
        if rate.name == "extended_support_hour" and "control_plane_hour" in rates
        else rate.usd
    )


def _usd(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rendered(document: Mapping[str, Any]) -> str:
    """The file's text: a line for each row, and for each family of types."""
    families: dict[str, list[str]] = {}
    for name, row in document["ec2"].items():
        families.setdefault(name.split(".")[0], []).append(
            f"{json.dumps(name)}:{json.dumps(row, separators=(',', ':'))}"
        )
    lines = [
        f'{{"region": {json.dumps(document["region"])},',
        '"sources": [',
        ",\n".join(json.dumps(source) for source in document["sources"]),
        '],\n"rows": {',
        ",\n".join(
            f"{json.dumps(name)}: {json.dumps(row)}" for name, row in document["rows"].items()
        ),
        '},\n"ec2": {',
        ",\n".join(",".join(types) for types in families.values()),
        "}}\n",
    ]
    return "\n".join(lines)


def main() -> int:
    """Read the inputs and write a file for each region."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("pages", "rates", "offers"):
        options.add_argument(f"--{name}", type=Path)
    options.add_argument("--region", action="append", help="only this region (may be repeated)")
    options.add_argument("--into", type=Path, default=FOLDER)
    chosen = options.parse_args()
    rates: list[Rate] = []
    if chosen.pages:
        rates += of_pages(chosen.pages)
    if chosen.rates:
        rates += of_rates(chosen.rates)
    for path in sorted(chosen.offers.glob("*/*.json")) if chosen.offers else ():
        rates += of_offer(json.loads(path.read_bytes()), path.stem)
    documents = tables(rates, json.loads(TYPES.read_bytes())["types"])
    chosen.into.mkdir(exist_ok=True)
    for region, document in documents.items():
        if not chosen.region or region in chosen.region:
            (chosen.into / f"{region}.json").write_text(rendered(document), encoding="utf-8")
            print(
                f"{region}: {len(document['rows'])} rows, {len(document['ec2'])} types",
                file=sys.stderr,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
