"""Prices by region: whole tables, dated, read only when they are needed; what a region lacks is
us-east-1's, and said.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from jupyterhub_aws.config.instance_types import instance_type, instance_types
from jupyterhub_aws.config.prices import (
    FOLDER,
    OwnPrices,
    Prices,
    prices_in,
    regions_with_prices,
    rows,
)
from tests.support.regional_prices import DATE, LACKING, REGIONS, of_row, of_type, regional_prices

SHIPPED = sorted(regions_with_prices())


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[None]:
    with regional_prices(tmp_path):
        yield


@pytest.mark.parametrize("region", SHIPPED)
def test_no_price_of_a_table_that_is_shipped_is_absurd(region: str) -> None:
    table = prices_in(region)
    assert table is not None and set(table.rows) <= set(rows())
    assert all(row.source and row.date >= datetime.date(2025, 8, 1) for row in table.rows.values())
    for (
        name,
        row,
    ) in (
        table.rows.items()
    ):  # no region costs less than a half or more than three times of us-east-1
        assert rows()[name].usd / 2 <= row.usd <= rows()[name].usd * 3, name
    assert set(table.ec2) <= set(instance_types())
    for kind, usd in table.ec2.items():
        home = instance_type(kind).usd_per_hour
        assert 0 < usd < 1500 and (
            home is None or Decimal(str(home)) / 3 <= usd <= Decimal(str(home)) * 3
        ), kind


@pytest.mark.usefixtures("tables")
def test_a_table_has_rows_and_types_with_source_and_date() -> None:
    assert regions_with_prices() == set(REGIONS)
    table = prices_in("eu-central-1")
    assert table is not None and set(table.rows) == set(rows()) - LACKING
    assert {(row.source, row.date.isoformat()) for row in table.rows.values()} == {
        ("made up for tests", DATE)
    }
    assert table.ec2["m7i.large"] == of_type("m7i.large")


@pytest.mark.usefixtures("tables")
def test_what_a_region_lacks_is_taken_from_us_east_1_and_said() -> None:
    there, home = Prices().in_region("eu-central-1"), Prices()
    assert there.of("network_load_balancer_hour") == home.of(
        "network_load_balancer_hour"
    ) and there.is_elsewhere("network_load_balancer_hour")
    assert there.of("nat_gateway_hour") == of_row("nat_gateway_hour") and not there.is_elsewhere(
        "nat_gateway_hour"
    )
    assert not there.is_elsewhere("spot_share")
    assert not any(home.is_elsewhere(name) for name in (*rows(), "ec2:m7i.large", "ec2:no.such"))


@pytest.mark.usefixtures("tables")
def test_a_price_of_ones_own_is_never_elsewheres() -> None:
    own = OwnPrices(
        fixed={"network_load_balancer_hour": Decimal("0.03")}, ec2={"r5n.2xlarge": Decimal(1)}
    )
    there = Prices(own=own).in_region("ap-southeast-4")
    assert not there.is_elsewhere("network_load_balancer_hour") and not there.is_elsewhere(
        "ec2:r5n.2xlarge"
    )
    assert there.is_elsewhere("ec2:r5n.4xlarge") and there.is_elsewhere("rds_gp3_gib_month")
    assert (there.of("network_load_balancer_hour"), there.node_hour("r5n.2xlarge")) == (
        Decimal("0.03"),
        Decimal(1),
    )


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("region", ["../prices/eu-central-1", "", "EU-CENTRAL-1", "us-east-1\n"])
def test_what_is_no_region_reads_no_file(region: str) -> None:
    assert prices_in(region) is None


def test_the_files_are_small_and_few() -> None:
    """What a plan reads is one region's: the wheel has 35 of them at most."""
    sizes = [path.stat().st_size for path in FOLDER.glob("*.json")]
    assert sum(sizes) < 2_000_000 and max(sizes, default=0) < 80_000


def test_us_east_1_needs_no_table_and_goes_by_one_where_there_is_one(tmp_path: Path) -> None:
    assert Prices().of("nat_gateway_hour") == rows()["nat_gateway_hour"].usd
    document = {
        "region": "us-east-1",
        "sources": [["AWS price list", "2026-11-29"]],
        "rows": {"nat_gateway_hour": ["0.046", 0]},
        "ec2": {"m7i.large": ["0.2", 0]},
    }
    with regional_prices(tmp_path, {"us-east-1": json.dumps(document)}):
        home, there = Prices(), Prices().in_region("eu-west-3")
        assert (str(home.of("nat_gateway_hour")), str(home.node_hour("m7i.large"))) == (
            "0.046",
            "0.2",
        )
        assert home.of("kms_key_month") == rows()["kms_key_month"].usd
        assert home.described == "us-east-1, 2026-11-29" == there.described
        assert home.ec2_source == "AWS price list, 2026-11-29"
        assert str(there.of("nat_gateway_hour")) == "0.046" and there.is_elsewhere(
            "nat_gateway_hour"
        )
        assert not there.is_elsewhere("public_ipv4_hour"), "the same everywhere"
        (told,) = [row for row in home.sources() if row.name == "nat_gateway_hour"]
        assert (told.region, str(told.usd)) == ("us-east-1", "0.046")


@pytest.mark.parametrize(
    ("region", "holds"),
    [("us-east-1", True), ("eu-west-3", True), ("cn-north-1", False), ("us-gov-west-1", False)],
)
def test_a_price_that_is_the_same_in_every_commercial_region(region: str, holds: bool) -> None:
    everywhere = {name for name, row in rows().items() if row.everywhere}
    assert everywhere == {"control_plane_hour", "extended_support_hour", "public_ipv4_hour"}
    for name in everywhere:
        assert Prices().in_region(region).is_elsewhere(name) is not holds
        assert Prices().in_region(region).region_of(name) == (region if holds else "us-east-1")


@pytest.mark.usefixtures("tables")
def test_a_price_of_ones_own_of_a_region_holds_there_alone() -> None:
    prices = Prices(
        own=OwnPrices(fixed={"kms_key_month": Decimal(2)}),
        by_region={
            "eu-central-1": OwnPrices(
                fixed={"kms_key_month": Decimal(3)}, ec2={"m7i.large": Decimal(4)}
            )
        },
    )
    here, other = prices.in_region("eu-central-1"), prices.in_region("ap-northeast-1")
    assert (here.of("kms_key_month"), other.of("kms_key_month")) == (3, 2)
    assert (here.node_hour("m7i.large"), other.node_hour("m7i.large")) == (4, of_type("m7i.large"))


def test_a_database_class_that_no_table_has() -> None:
    assert Prices().known("rds_hour:db.m9x.large") is None
    with pytest.raises(KeyError):
        Prices().of("rds_hour:db.m9x.large")
