"""Write config/data/ec2_types.json anew from DescribeInstanceTypes (needs credentials; reads only).

    AWS_REGION=us-east-1 .venv/bin/python scripts/refresh_ec2_types.py [--keep-prices]

Prices come from the price list service (on demand, Linux, us-east-1); with --keep-prices, or for a
type that the price list does not know, the price in the table stays. boto3 is among the development
requirements (`make test` installs it).
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "config" / "data" / "ec2_types.json"


def row(described: Mapping[str, Any], price: float | None) -> dict[str, Any]:
    """One type as the table has it, from what DescribeInstanceTypes says of it."""
    network = described["NetworkInfo"]
    gpus = described.get("GpuInfo", {}).get("Gpus", [])
    first = gpus[0] if gpus else {}
    return {
        "vcpus": described["VCpuInfo"]["DefaultVCpus"],
        "memory_mib": described["MemoryInfo"]["SizeInMiB"],
        "arch": described["ProcessorInfo"]["SupportedArchitectures"],
        "enis": (
            network["NetworkCards"][0]["MaximumNetworkInterfaces"]
            if network.get("NetworkCards")
            else network["MaximumNetworkInterfaces"]
        ),
        "ipv4_per_eni": network["Ipv4AddressesPerInterface"],
        "hypervisor": described.get("Hypervisor", ""),
        "gpus": sum(gpu.get("Count", 0) for gpu in gpus),
        "gpu": f"{first['Manufacturer']} {first['Name']}" if first else None,
        "gpu_memory_mib": first.get("MemoryInfo", {}).get("SizeInMiB"),
        "local_disk_gb": described.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0),
        "spot": "spot" in described["SupportedUsageClasses"],
        "ebs_attachments": described.get("EbsInfo", {}).get("MaximumEbsAttachments"),
        "usd_per_hour_us_east_1": price,
    }


def table(
    described: Iterable[Mapping[str, Any]],
    prices: Mapping[str, float],
    old: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """All rows by type. What AWS does not say (a price, a volume limit) stays as the old table
    had it.
    """
    rows = {}
    for item in described:
        name = item["InstanceType"]
        before = old.get(name, {})
        found = row(item, prices.get(name, before.get("usd_per_hour_us_east_1")))
        if found["ebs_attachments"] is None:
            found["ebs_attachments"] = before.get("ebs_attachments")
        rows[name] = found
    return dict(sorted(rows.items()))


def rendered(rows: Mapping[str, Mapping[str, Any]], source: str) -> str:
    """The file's text: one line for each type, so that a change is a line in a diff."""
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(facts, separators=(',', ':'))}"
        for name, facts in rows.items()
    )
    return f'{{"source": {json.dumps(source)},\n"types": {{\n{lines}\n}}}}\n'


def price_of(product: str) -> tuple[str, float] | None:
    """Type and hourly price in a product of the price list, or None where it has no plain
    on-demand price.
    """
    found = json.loads(product)
    for term in found["terms"].get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            amount = float(dimension["pricePerUnit"].get("USD", 0))
            if dimension["unit"] == "Hrs" and amount > 0:
                return found["product"]["attributes"]["instanceType"], amount
    return None


def _prices() -> dict[str, float]:
    import boto3

    wanted = {
        "regionCode": "us-east-1",
        "operatingSystem": "Linux",
        "preInstalledSw": "NA",
        "tenancy": "Shared",
        "capacitystatus": "Used",
    }
    pages = (
        boto3.client("pricing", region_name="us-east-1")
        .get_paginator("get_products")
        .paginate(
            ServiceCode="AmazonEC2",
            Filters=[
                {"Type": "TERM_MATCH", "Field": field, "Value": value}
                for field, value in wanted.items()
            ],
        )
    )
    return dict(
        found
        for page in pages
        for product in page["PriceList"]
        if (found := price_of(str(product))) is not None
    )


def main() -> int:
    """Ask AWS and rewrite the table."""
    import boto3

    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--keep-prices", action="store_true", help="do not ask the price list service"
    )
    chosen = options.parse_args()
    old = json.loads(TABLE.read_bytes())["types"]
    described = [
        item
        for page in boto3.client("ec2").get_paginator("describe_instance_types").paginate()
        for item in page["InstanceTypes"]
    ]
    rows = table(described, {} if chosen.keep_prices else _prices(), old)
    today = datetime.datetime.now(tz=datetime.UTC).date()
    TABLE.write_text(
        rendered(rows, f"DescribeInstanceTypes and on-demand Linux prices of us-east-1, {today}"),
        encoding="utf-8",
    )
    print(
        f"{len(rows)} types; new: {', '.join(sorted(set(rows) - set(old))) or 'none'}; gone:"
        f" {', '.join(sorted(set(old) - set(rows))) or 'none'}",
        file=sys.stderr,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
