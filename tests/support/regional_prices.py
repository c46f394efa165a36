"""Tables of regions as `scripts/refresh_prices.py` writes them, with made-up prices: a tenth
above us-east-1's, and a fifth for EC2.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from unittest import mock

from jupyterhub_aws.config import prices as prices_by_region
from jupyterhub_aws.config.instance_types import instance_type, instance_types
from jupyterhub_aws.config.prices import rows

#: Prices that a table of the tests lacks, as AWS's pricing pages do: then us-east-1's stands there,
#: and the bill says so.
LACKING = {"network_load_balancer_hour", "spot_share"} | {
    name for name in rows() if name.startswith("rds_")
}
DATE = "2026-01-15"
#: The regions that have a table, and the families of types that it lacks.
REGIONS = {"eu-central-1": (), "ap-northeast-1": (), "ap-southeast-4": ("r5n.",)}


def of_row(name: str) -> Decimal:
    """The made-up price of a row."""
    return rows()[name].usd * Decimal("1.1")


def of_type(kind: str) -> Decimal:
    """The made-up price of a type, per hour on demand."""
    return Decimal(str(instance_type(kind).usd_per_hour)) * Decimal("1.2")


def table(region: str) -> str:
    """The file of a region."""
    kinds = [
        kind
        for kind in instance_types()
        if instance_type(kind).usd_per_hour is not None and not kind.startswith(REGIONS[region])
    ]
    document = {
        "region": region,
        "sources": [["made up for tests", DATE]],
        "rows": {name: [str(of_row(name)), 0] for name in sorted(set(rows()) - LACKING)},
        "ec2": {kind: [str(of_type(kind)), 0] for kind in sorted(kinds)},
    }
    return json.dumps(document)


@contextlib.contextmanager
def regional_prices(folder: Path, tables: Mapping[str, str] | None = None) -> Iterator[None]:
    """Inside it, the regions above (or those given) have tables, and no other region has one."""
    for region, text in (
        {name: table(name) for name in REGIONS} if tables is None else tables
    ).items():
        (folder / f"{region}.json").write_text(text, encoding="utf-8")

    def forget() -> None:
        prices_by_region.regions_with_prices.cache_clear()
        prices_by_region.prices_in.cache_clear()

    with mock.patch.object(prices_by_region, "FOLDER", folder):
        forget()
        try:
            yield
        finally:
            forget()
