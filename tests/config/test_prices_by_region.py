"""Prices by region: whole tables, dated, read only when they are needed; what a region lacks is
us-east-1's, and said.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from jupyterhub_aws.config.instance_types import instance_type, instance_types
from jupyterhub_aws.config.prices import Prices, prices_in, regions_with_prices, rows
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
    there = Prices(
        fixed={"network_load_balancer_hour": Decimal("0.03")}, ec2={"r5n.2xlarge": Decimal(1)}
    ).in_region("ap-southeast-4")
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


def test_us_east_1_needs_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "jupyterhub_aws.config.prices.prices_in", lambda region: pytest.fail(f"{region} was read")
    )
    assert Prices().of("nat_gateway_hour") and Prices().node_hour("m7i.large")
