"""The tables of prices by region: whole, dated, near to each other, and read only when they are needed."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from config.instance_types import instance_type, instance_types
from config.prices import REGION, Prices, rows
from config.prices_by_region import FOLDER, prices_in, regions_with_prices

REGIONS = sorted(regions_with_prices())
#: What AWS's pricing pages say; the balancer, RDS and the share of spot nodes stand in no file that could be had.
SOLD = set(rows()) - {"network_load_balancer_hour", "spot_share"} - {name for name in rows() if name.startswith("rds_")}


def test_every_region_of_the_public_clouds_that_has_a_price_list_is_there() -> None:
    assert len(REGIONS) == 35 and REGION not in REGIONS
    assert {"eu-central-1", "eu-west-1", "ap-southeast-2", "sa-east-1", "us-west-2", "us-gov-west-1", "mx-central-1"} <= set(REGIONS)


@pytest.mark.parametrize("region", REGIONS)
def test_a_table_has_every_row_with_source_and_date_and_no_price_is_absurd(region: str) -> None:
    table = prices_in(region)
    assert set(table.rows) == SOLD
    assert all(row.source and datetime.date(2025, 8, 1) <= row.date <= datetime.date(2027, 1, 1) for row in table.rows.values())
    for name, row in table.rows.items():  # no region costs less than a half or more than three times of us-east-1
        assert rows()[name].usd / 2 <= row.usd <= rows()[name].usd * 3, name
    assert len(table.ec2) >= 190 and set(table.ec2) <= set(instance_types())
    for kind, usd in table.ec2.items():
        home = instance_type(kind).usd_per_hour
        assert 0 < usd < 1500 and (home is None or Decimal(str(home)) / 3 <= usd <= Decimal(str(home)) * 3), kind


def test_what_a_region_lacks_is_taken_from_us_east_1_and_said() -> None:
    there, home = Prices().in_region("eu-central-1"), Prices()
    assert there.of("network_load_balancer_hour") == home.of("network_load_balancer_hour") and there.is_elsewhere("network_load_balancer_hour")
    assert there.of("nat_gateway_hour") == Decimal("0.052") and not there.is_elsewhere("nat_gateway_hour")
    assert not there.is_elsewhere("spot_share")
    assert not any(home.is_elsewhere(name) for name in (*rows(), "ec2:m7i.large", "ec2:no.such"))


def test_a_price_of_ones_own_is_never_elsewheres() -> None:
    there = Prices(fixed={"network_load_balancer_hour": Decimal("0.03")}, ec2={"r5n.2xlarge": Decimal(1)}).in_region("ap-southeast-4")
    assert not there.is_elsewhere("network_load_balancer_hour") and not there.is_elsewhere("ec2:r5n.2xlarge")
    assert there.is_elsewhere("ec2:r5n.4xlarge") and there.is_elsewhere("rds_gp3_gib_month")
    assert (there.of("network_load_balancer_hour"), there.node_hour("r5n.2xlarge")) == (Decimal("0.03"), Decimal(1))


@pytest.mark.parametrize("region", ["../prices/eu-central-1", "", "EU-CENTRAL-1", "us-east-1\n"])
def test_what_is_no_region_reads_no_file(region: str) -> None:
    assert prices_in(region) is None


def test_a_table_is_read_when_somebody_asks_and_small(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all((FOLDER / f"{region}.json").stat().st_size < 25_000 for region in REGIONS)
    monkeypatch.setattr("config.prices.prices_in", lambda region: pytest.fail(f"{region} was read"))
    assert Prices().of("nat_gateway_hour") and Prices().node_hour("m7i.large")
