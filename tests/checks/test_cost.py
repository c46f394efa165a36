"""The bill, against sums done by hand."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from jupyterhub_aws.checks.cost import cost
from jupyterhub_aws.checks.cost_lines import OF_BUCKETS, money
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.instance_types import instance_type, instance_types
from jupyterhub_aws.config.prices import OwnPrices, Prices, price, prices_in, read_prices, rows
from tests.checks.doctored import dev, doctored
from tests.support.regional_prices import of_row, of_type, regional_prices, table

#: us-east-1, on demand: r6in.2xlarge is the dearest of the pool `memory`, r5n.2xlarge its first.
R6IN, R5N = 0.69732, 0.596
#: The hub: a balancer at 0.0225 x 730, its address in each of three zones at 0.005 x 730, and a
#: database of 2 GiB at 0.08.
HUB = 0.0225 * 730 + 3 * 0.005 * 730 + 2 * 0.08
#: Watching: the key of alarms, 21 metrics that 14 alarms look at (four groups with two each, a
#: volume with four), and six made of log lines.
WATCHING = 1.00 + 21 * 0.10 + 6 * 0.30


def bill(*settings: str) -> dict:
    return cost(*dev(*settings)).as_json()


def line(data: dict, what: str) -> dict:
    return next(found for found in data["lines"] if found["what"] == what)


def test_dev_at_rest_is_the_sum_of_its_parts() -> None:
    data = bill()
    # control plane 0.10 x 730, NAT 0.045 x 730, address 0.005 x 730, two keys at 1, two m7i.large
    # at 0.1008 x 730 + 50 GiB x 0.08
    by_hand = 73.00 + 32.85 + 3.65 + 2.00 + 2 * (0.1008 * 730 + 4.00) + HUB + WATCHING
    assert data["idle_monthly"] == round(by_hand, 2) == 299.10
    assert data["paused_monthly"] == 142.14
    assert (data["currency"], data["prices_of"], data["note"]) == (
        "USD",
        "us-east-1, 2026-07-20",
        None,
    )


def test_dev_at_most_is_every_group_at_its_maximum() -> None:
    memory = 10 * (R6IN * 730 + 8.00) + 10 * (
        0.40 * 730 + 8.00
    )  # on demand, and spot at its max_price
    gpu = 2 * 2 * (3.912 * 730 + 16.00 + 5.00)
    assert (
        bill()["maximum_monthly"] == round(266.668 + HUB + WATCHING + memory + gpu, 2) == 19976.58
    )


def test_each_line_says_what_the_contract_promises() -> None:
    keys = {
        "what",
        "quantity",
        "unit",
        "unit_price",
        "idle_monthly",
        "paused_monthly",
        "maximum_monthly",
        "note",
        "node_hourly",
        "priced_in",
    }
    assert all(set(found) == keys for found in bill()["lines"])


def test_nat_in_each_zone_costs_three_times() -> None:
    data = bill("network.nat=per_zone")
    assert (line(bill(), "NAT gateway")["quantity"], line(data, "NAT gateway")["quantity"]) == (
        1,
        3,
    )
    assert line(data, "NAT gateway")["idle_monthly"] == 98.55
    assert line(data, "public IPv4 address")["idle_monthly"] == 10.95
    assert data["idle_monthly"] == round(266.668 + HUB + WATCHING + 2 * (32.85 + 3.65), 2) == 372.10
    assert data["paused_monthly"] == 215.14


def test_another_maximum_changes_the_maximum_alone() -> None:
    before, after = bill(), bill("pools.memory.size.max=4")
    assert (before["idle_monthly"], before["paused_monthly"]) == (
        after["idle_monthly"],
        after["paused_monthly"],
    )
    assert line(after, "memory-spot nodes")["maximum_monthly"] == 4 * 300.00
    assert line(after, "memory-on-demand nodes")["maximum_monthly"] == round(
        4 * (R6IN * 730 + 8.00), 2
    )
    assert before["maximum_monthly"] - after["maximum_monthly"] == pytest.approx(
        6 * (300.00 + R6IN * 730 + 8.00), abs=0.01
    )


def test_the_maximum_price_bounds_a_spot_node() -> None:
    spot = line(bill(), "memory-spot nodes")
    assert spot["unit_price"] == round(0.40 * 730 + 100 * 0.08, 2)
    assert spot["maximum_monthly"] == 3000.00
    assert (spot["idle_monthly"], spot["paused_monthly"]) == (0.0, 0.0)
    assert spot["note"] == "at most, by max_price $0.40 per hour; spot is cheaper"


def test_a_maximum_price_above_the_on_demand_price_bounds_nothing() -> None:
    spot = line(bill('pools.memory.max_price="5.00"'), "memory-spot nodes")
    assert spot["unit_price"] == round(R6IN * 730 + 8.00, 2)
    assert spot["note"] == "at most, the on-demand price; spot is cheaper"


def test_the_dearest_type_is_reckoned_with_and_named() -> None:
    found = line(bill(), "memory-on-demand nodes")
    assert found["unit_price"] == round(R6IN * 730 + 8.00, 2)
    assert found["note"] == "at r6in.2xlarge, the most expensive of its types"


def test_what_one_more_node_costs_per_hour_is_said_of_user_groups() -> None:
    data = bill()
    assert line(data, "memory-spot nodes")["node_hourly"] == {
        "type": "r5n.2xlarge",
        "on_demand": R5N,
        "max_price": 0.4,
    }
    assert line(data, "memory-on-demand nodes")["node_hourly"] == {
        "type": "r5n.2xlarge",
        "on_demand": R5N,
        "max_price": None,
    }
    assert line(data, "gpu-spot nodes")["node_hourly"] == {
        "type": "g4dn.12xlarge",
        "on_demand": 3.912,
        "max_price": None,
    }
    assert line(data, "core nodes")["node_hourly"] is None


def test_nodes_that_are_always_there_are_paid_for_at_rest() -> None:
    assert line(bill("pools.memory.size.min=2"), "memory-on-demand nodes")["quantity"] == 2


def test_iops_and_throughput_beyond_the_included_are_paid_for() -> None:
    # 200 GiB x 0.08 + (250 - 125) MiB/s x 0.04
    assert line(bill(), "gpu-on-demand nodes")["unit_price"] == round(3.912 * 730 + 16.00 + 5.00, 2)
    # … + (5000 - 3000) IOPS x 0.005
    assert line(bill("pools.gpu.disk.iops=5000"), "gpu-on-demand nodes")["unit_price"] == round(
        3.912 * 730 + 16.00 + 5.00 + 10.00, 2
    )


@pytest.mark.parametrize(
    "unknown",
    [
        next(name for name in instance_types() if instance_type(name).usd_per_hour is None),
        "z99.large",
    ],
)
def test_a_type_without_a_price_is_unknown_and_not_free(unknown: str) -> None:
    stack, resources = dev()
    _, spoilt = doctored(
        resources,
        "aws:eks/nodeGroup:NodeGroup",
        lambda inputs: inputs.update(instanceTypes=["m7i.large", unknown]),
    )
    data = cost(stack, spoilt).as_json()
    core = line(data, "core nodes")
    assert (core["unit_price"], core["idle_monthly"], core["maximum_monthly"]) == (None, None, None)
    assert core["note"] == f"no price known for {unknown}"
    assert (data["idle_monthly"], data["maximum_monthly"]) == (None, None)
    assert data["paused_monthly"] == 142.14, "paused, the nodes are not there"


def test_extended_support_is_mentioned_where_the_cluster_would_get_it() -> None:
    stack, resources = dev()
    _, extended = doctored(
        resources,
        "aws:eks/cluster:Cluster",
        lambda inputs: inputs.update(upgradePolicy={"supportType": "EXTENDED"}),
    )
    assert line(bill(), "EKS control plane")["note"] is None
    assert "$0.60 per hour" in line(cost(stack, extended).as_json(), "EKS control plane")["note"]


def bill_in(region: str, *settings: str, prices: Prices | None = None) -> dict:
    """The bill of the sample's resources at another region's prices."""
    stack, resources = dev(*settings)
    return cost(stack.model_copy(update={"region": region}), resources, prices).as_json()


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[None]:
    with regional_prices(tmp_path):
        yield


def by_month(amount: Decimal, times: int = 730) -> float:
    return money(amount * times) or 0.0


@pytest.mark.usefixtures("tables")
def test_a_region_is_priced_as_itself_and_the_first_line_names_what_is_not() -> None:
    data = bill_in("eu-central-1")
    assert data["prices_of"] == "eu-central-1, 2026-01-15"
    assert line(data, "NAT gateway")["idle_monthly"] == by_month(of_row("nat_gateway_hour"))
    assert (
        line(data, "EKS control plane")["idle_monthly"]
        == by_month(of_row("control_plane_hour"))
        == 80.30
    )
    node = of_type("m7i.large") * 730 + 50 * of_row("gp3_gib_month")
    assert line(data, "core nodes")["idle_monthly"] == by_month(node, 2)
    assert line(data, "GiB of hub databases on volumes")["idle_monthly"] == by_month(
        of_row("gp3_gib_month"), 2
    )
    assert line(data, "network load balancer")["idle_monthly"] == round(0.0225 * 730, 2), (
        "us-east-1's, and said so"
    )
    assert (
        data["note"]
        == "At the prices of us-east-1 (≈), because those of eu-central-1 are not known here: network"
        " load balancer. scripts/refresh_prices.py brings them from AWS's public list, --prices FILE"
        " has yours."
    )
    assert data["elsewhere"] == ["network load balancer"] and data["is_elsewhere"]
    places = {row["what"]: row["priced_in"] for row in data["lines"]}
    assert places.pop("network load balancer") == "us-east-1"
    assert set(places.values()) == {"eu-central-1"} == {data["region"]}
    assert {hour["priced_in"] for hour in data["user_hours"]} == {"eu-central-1"}


@pytest.mark.usefixtures("tables")
def test_a_type_that_the_region_has_no_price_of_is_named() -> None:
    assert "r5n.2xlarge" not in prices_in("ap-southeast-4").ec2
    data = bill_in("ap-southeast-4")
    assert (
        "memory-on-demand nodes" in data["elsewhere"]
        and "hours on r5n.2xlarge" in data["elsewhere"]
    )
    assert "memory-spot nodes" not in data["elsewhere"], (
        "bounded by max_price, whatever the type costs"
    )
    assert "NAT gateway" not in data["elsewhere"] and "NAT gateway" not in data["note"]
    assert "are not known here: network load balancer, r5n.2xlarge. scripts" in data["note"]


def test_the_note_names_prices_not_each_line_that_they_are_in(tmp_path: Path) -> None:
    whole = json.loads(table("eu-central-1"))
    rows = {name: row for name, row in whole["rows"].items() if not name.startswith("gp3_")}
    text = json.dumps({**whole, "region": "eu-west-1", "rows": rows})
    with regional_prices(tmp_path, {"eu-west-1": text}):
        data = bill_in("eu-west-1")
    assert "are not known here: network load balancer, EBS disks. scripts" in data["note"]
    assert {"core nodes", "memory-spot nodes"} <= set(data["elsewhere"])


@pytest.mark.parametrize("region", ["cn-north-1", "eu-west-9"])
def test_a_region_without_data_says_so(region: str) -> None:
    data = bill_in(region)
    assert data["note"] == (
        f"No table of prices of {region} is here: what is marked ≈ has the prices of us-east-1."
        " scripts/refresh_prices.py brings them from AWS's public list, --prices FILE has yours."
    )
    assert {row["priced_in"] for row in data["lines"]} == {"us-east-1"}
    assert data["is_elsewhere"] and data["region"] == region
    assert data["prices_of"] == "us-east-1, 2026-07-20"
    assert data["idle_monthly"] == bill()["idle_monthly"]


@pytest.mark.usefixtures("tables")
def test_prices_of_ones_own_stand_over_the_region_too(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('network_load_balancer_hour = "0.027"\n[ec2]\n"m7i.large" = "0.2"\n')
    data = bill_in("eu-central-1", prices=read_prices(own))
    assert data["note"] is None and data["elsewhere"] == []
    assert line(data, "network load balancer")["idle_monthly"] == round(0.027 * 730, 2)
    assert line(data, "core nodes")["idle_monthly"] == by_month(
        Decimal("0.2") * 730 + 50 * of_row("gp3_gib_month"), 2
    )


@pytest.mark.real
@pytest.mark.parametrize("stack", ["dev", "airgap"])
def test_each_line_is_made_of_the_prices_that_it_names_and_of_no_other(stack: str) -> None:
    """What `rows` say is what the first line of a bill believes."""
    from tests.checks.test_airgap import evaluated

    known, resources = (
        dev('hubs.main.database={"kind": "postgres"}', "pools.gpu.disk.iops=5000")
        if stack == "dev"
        else evaluated("stack=airgap")
    )
    before = cost(known, resources).lines
    names = sorted({row for found in before for row in found.rows})
    assert all(found.rows or (found.note and "max_price" in found.note) for found in before)
    for name in names:
        if name.startswith("ec2:"):
            kind = name[4:]
            dearer = Prices(own=OwnPrices(ec2={kind: Prices().node_hour(kind) * 10}))
        else:
            dearer = Prices(own=OwnPrices(fixed={name: Prices().of(name) * 10}))
        for old, new in zip(before, cost(known, resources, dearer).lines, strict=True):
            bounded = bool(old.note and "max_price" in old.note)
            unused = name in (
                "gp3_iops_month",
                "gp3_throughput_month",
            )  # only what is beyond the included
            if name in old.rows and not bounded and not unused:
                assert new.unit_price > old.unit_price, (name, old.what)
            elif name not in old.rows and not bounded:
                assert new.unit_price == old.unit_price, (name, old.what)


def test_every_price_has_a_source_and_a_date() -> None:
    assert len(rows()) == 23
    assert all(
        row.source and isinstance(row.date, datetime.date) and row.usd > 0
        for row in rows().values()
    )
    assert price("gp3_throughput_month") == Decimal("0.04")
    with pytest.raises(KeyError):
        price("no such thing")


@pytest.mark.real
def test_a_database_on_rds_counts_twice_with_a_standby_and_an_unknown_class_is_unknown() -> None:
    data = bill('hubs.main.database={"kind": "postgres"}')
    instance, storage = 0.032 * 730, 20 * 0.115
    assert line(data, "PostgreSQL jhub-dev-main-database")["idle_monthly"] == round(instance, 2)
    assert line(data, "GiB of PostgreSQL jhub-dev-main-database")["idle_monthly"] == round(
        storage, 2
    )
    assert data["idle_monthly"] == round(
        266.668 + HUB + WATCHING - 0.20 - 0.16 + instance + storage, 2
    )
    standby = bill('hubs.main.database={"kind": "postgres", "multi_az": true}')
    twice = line(standby, "PostgreSQL jhub-dev-main-database")
    assert (twice["idle_monthly"], twice["note"]) == (round(2 * instance, 2), "with a standby")
    assert line(standby, "GiB of PostgreSQL jhub-dev-main-database")["idle_monthly"] == round(
        2 * storage, 2
    )
    unknown = bill('hubs.main.database={"kind": "postgres", "instance_class": "db.r9z.large"}')
    assert (
        line(unknown, "PostgreSQL jhub-dev-main-database")["note"]
        == "no price known for db.r9z.large"
    )
    assert unknown["idle_monthly"] is None


def test_a_balancer_inside_the_vpc_has_no_public_address() -> None:
    lines = [found["what"] for found in bill("hubs.main.entry.internal=true")["lines"]]
    assert "network load balancer" in lines
    assert "public IPv4 address of a load balancer" not in lines


def test_a_persons_hour_is_the_nodes_price_by_those_who_fit() -> None:
    hours = {hour["profile"]: hour for hour in bill()["user_hours"]}
    # 64 GiB less 7.5 %, 40 pods x 11 MiB, 355 MiB and 406 MiB of daemons leave 58 GiB: seven with 8
    # GiB, three with 16 GiB.
    assert {name: hour["users_per_node"] for name, hour in hours.items()} == {
        "small": 7,
        "large": 3,
        "gpu": 4,
    }
    assert hours["small"]["on_demand"] == round(R5N / 7, 3)
    assert hours["large"]["spot"] == round(R5N / 3 * 0.40, 3)
    assert hours["gpu"]["on_demand"] == round(3.912 / 4, 3)


def test_prices_of_ones_own_stand_over_the_table(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(
        'spot_share = "0.25"\nnat_gateway_hour = "0.05"\n[ec2]\n"m7i.large" = "0.2"\n"m6i.large" ='
        ' "0.1"\n'
    )
    data = cost(*dev(), read_prices(own)).as_json()
    assert line(data, "NAT gateway")["idle_monthly"] == 36.50
    assert line(data, "core nodes")["idle_monthly"] == round(2 * (0.2 * 730 + 4.00), 2)
    assert data["prices_of"] == "us-east-1, 2026-07-20, 4 of them from prices.toml"
    assert data["spot_share"] == 0.25
    told = {row["name"]: row["source"] for row in data["sources"]}
    assert (told["nat_gateway_hour"], told["m7i.large"]) == ("prices.toml", "prices.toml")
    assert "eks" in told["control_plane_hour"].lower()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "nat_gateway_hours = '0.05'",
            "nat_gateway_hours: is not a price that a bill has; did you mean nat_gateway_hour?",
        ),
        (
            "nat_gateway_hour = 0.05",
            "nat_gateway_hour: is not a price (got 0.05); write US dollars in quotes",
        ),
        ("nat_gateway_hour = 'NaN'", "nat_gateway_hour: is not a price"),
        (
            "[ec2]\n'r5n.2xlarg' = '1'",
            "ec2.r5n.2xlarg: is not a price that a bill has; did you mean r5n.2xlarge?",
        ),
        (
            "[regions.eu-central-1.ec2]\n'm7i.larg' = '1'",
            "regions.eu-central-1.ec2.m7i.larg: is not a price that a bill has; did you mean",
        ),
        ("'rds_hour:db.m9.' = '1'", "is not a price that a bill has"),
        ("x", "is not TOML"),
    ],
)
def test_wrong_prices_are_told(tmp_path: Path, text: str, says: str) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_prices(own)
    assert says in str(caught.value)


@pytest.mark.real
def test_an_isolated_network_pays_for_endpoints_and_runner_and_for_no_nat():
    from jupyterhub_aws.checks.cost import cost
    from tests.checks.test_airgap import evaluated

    lines = {line.what: line for line in cost(*evaluated("stack=airgap")).lines}
    assert (
        lines["private endpoint in one zone"].idle,
        str(lines["private endpoint in one zone"].unit_price),
    ) == (36, "7.30")
    assert str(lines["transit gateway attachment"].unit_price) == "36.50"
    assert (
        lines["runner (t3.medium)"].idle == 1 and 30 < lines["runner (t3.medium)"].unit_price < 40
    )
    assert "NAT gateway" not in lines and "public IPv4 address" not in lines
    assert {
        line.what
        for line in cost(*evaluated("stack=airgap", "network.endpoint_zones=one")).lines
        if line.idle == 12
    } == {"private endpoint in one zone"}


@pytest.mark.parametrize(
    ("text", "path", "which"),
    [
        ("spot_share = \n", "", "prices.not-toml"),
        ('spot_shar = "0.3"\n', "spot_shar", "prices.unknown"),
        ("network_load_balancer_hour = 0.027\n", "network_load_balancer_hour", "prices.malformed"),
        ('[ec2]\n"m7i.large" = "-1"\n', "ec2.m7i.large", "prices.malformed"),
        ('ec2 = "0.1"\n', "ec2", "prices.not-section"),
        ("regions = 1\n", "regions", "prices.not-section"),
        ('[regions]\neu-west-1 = "0.1"\n', "regions.eu-west-1", "prices.not-section"),
        ('[regions.eu-west-1]\nec2 = "1"\n', "regions.eu-west-1.ec2", "prices.not-section"),
        ('[regions.eu-west-9]\nkms_key_month = "1"\n', "regions.eu-west-9", "prices.region"),
        (
            '[regions.eu-west-1]\nkms_key_mont = "1"\n',
            "regions.eu-west-1.kms_key_mont",
            "prices.unknown",
        ),
        ('[regions.eu-west-1.regions]\nx = "1"\n', "regions.eu-west-1.regions", "prices.unknown"),
        (None, "", "file.unreadable"),
    ],
)
def test_prices_that_are_none_are_refused(
    tmp_path: Path, text: str | None, path: str, which: str
) -> None:
    from jupyterhub_aws.config.errors import ConfigError

    file = tmp_path / "prices.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_prices(file)
    assert [(item.path, item.id) for item in caught.value.problems] == [(path, which)]


def test_storage_of_buckets_is_named_as_left_out_where_there_are_some() -> None:
    """Nothing tells how much users write, so the bill says what it does not count, and what each
    GiB of it costs.
    """
    said = 'buckets={"tmp": {"kind": "scratch"}}'
    without, there = bill(), bill(said)
    assert there["left_out"] == [
        *without["left_out"],
        f"{OF_BUCKETS}, $0.023 a month for each GiB of what users write, and its requests",
    ]
    assert there["idle_monthly"] == without["idle_monthly"]
    only = 'buckets={"goes": {"kind": "public", "bucket_name": "noaa-goes16"}}'
    assert bill(only)["left_out"] == without["left_out"], "its owner pays for the storage"


def test_a_commercial_region_without_a_table_has_what_is_the_same_everywhere(
    tmp_path: Path,
) -> None:
    with regional_prices(tmp_path, {}):
        data = bill_in("eu-west-3")
    places = {row["what"]: row["priced_in"] for row in data["lines"]}
    assert places["EKS control plane"] == places["public IPv4 address"] == "eu-west-3"
    assert places["NAT gateway"] == places["core nodes"] == "us-east-1"
    assert "EKS control plane" not in data["elsewhere"] and data["is_elsewhere"]
    assert not bill()["is_elsewhere"] and bill()["note"] is None


def test_the_command_that_lists_what_spot_costs_now() -> None:
    """One command, with the types of all spot groups of the stack, each once."""
    told = bill_in("eu-west-3")["spot_now"]
    assert told.startswith("aws ec2 describe-spot-price-history --region eu-west-3 ")
    named = told.split("--instance-types ")[1].split(" --")[0].split()
    assert "r5n.2xlarge" in named and "g4dn.12xlarge" in named and "m7i.large" not in named
    assert len(named) == len(set(named))
    stack, resources = dev()
    bought = [item for item in resources.all if not item.type.startswith("aws:autoscaling/group")]
    nothing = cost(stack, Resources(bought)).as_json()
    assert nothing["spot_now"] is None and "Savings Plans" in nothing["only_account"]


def test_what_a_gib_costs_is_said_where_the_sum_is_unknown(tmp_path: Path) -> None:
    asked = 'image_repositories={"images": {}}'
    assert (
        "storage of image_repositories in ECR, $0.10 a month for each GiB of what is pushed"
        in bill(asked)["left_out"]
    )
    (told,) = [left for left in bill_in("eu-west-3", asked)["left_out"] if "ECR" in left]
    assert "$0.10 in us-east-1 a month" in told
    own = tmp_path / "prices.toml"
    own.write_text('[regions.eu-west-3]\necr_gib_month = "0.11"\n')
    stack, resources = dev(asked)
    there = stack.model_copy(update={"region": "eu-west-3"})
    told = cost(there, resources, read_prices(own)).as_json()["left_out"]
    assert any("ECR, $0.11 a month" in left for left in told)


def test_a_database_class_may_have_a_price_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('"rds_hour:db.m9x.large" = "0.5"\n')
    assert read_prices(own).of("rds_hour:db.m9x.large") == Decimal("0.5")
