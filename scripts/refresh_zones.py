"""Makes config/data/zones.json: the regions of every partition, and the ids of their availability
zones.

    curl -O https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.md
    python -m scripts.refresh_zones aws-availability-zones.md

Regions are those of botocore's endpoints.json (a development dependency), zone ids those of AWS's
page, which has the partition `aws` alone: zones of the others are not judged. A zone that the page
announces ("Coming in 2026") counts as one more. Where EKS makes no control plane stands in
config/zones.py with its source: it is a sentence in a page, not a table.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import re
import sys
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.zones import TABLE

_PAGE = "docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.md"
_ROW = re.compile(
    r"^\|\s*`?(?P<id>[a-z0-9]+-az[0-9]+|Coming in"
    r" [0-9]{4})`?\s*\|\s*`?(?P<region>[a-z]+(?:-[a-z]+)+-[0-9]+)`?[^|]*\|",
    re.MULTILINE,
)


def zones_of(page: str) -> dict[str, list[str]]:
    """Zone ids by region; an announced zone has an empty id."""
    found: dict[str, list[str]] = {}
    for row in _ROW.finditer(page):
        found.setdefault(row["region"], []).append(
            "" if row["id"].startswith("Coming") else row["id"]
        )
    return {
        region: sorted(ids, key=lambda name: (not name, name))
        for region, ids in sorted(found.items())
    }


def table(page: str, endpoints: dict[str, Any], version: str, day: datetime.date) -> dict[str, Any]:
    """The whole file."""
    zones = zones_of(page)
    partitions = {
        item["partition"]: {region: zones.get(region, []) for region in sorted(item["regions"])}
        for item in endpoints["partitions"]
    }
    unknown = zones.keys() - partitions["aws"].keys()
    if unknown or not zones:
        raise SystemExit(
            "the page has no table that this script reads, or names regions that botocore"
            f" {version} does not have: {sorted(unknown)}"
        )
    return {
        "read": day.isoformat(),
        "source": f"{_PAGE}; botocore {version}, endpoints.json",
        "partitions": partitions,
    }


def main() -> None:
    """Write the file."""
    import botocore

    endpoints = json.loads(
        (Path(botocore.__file__).parent / "data" / "endpoints.json").read_bytes()
    )
    page = Path(sys.argv[1]).read_text(encoding="utf-8")
    found = table(
        page,
        endpoints,
        importlib.metadata.version("botocore"),
        datetime.datetime.now(tz=datetime.UTC).date(),
    )
    lines = [
        f'"{partition}": {{\n'
        + ",\n".join(f'"{region}": {json.dumps(ids)}' for region, ids in regions.items())
        + "\n}"
        for partition, regions in found.pop("partitions").items()
    ]
    head = json.dumps(found)[1:-1]
    TABLE.write_text(
        f'{{{head},\n"partitions": {{\n' + ",\n".join(lines) + "\n}}\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
