"""The bill, against sums done by hand."""

from __future__ import annotations

from checks.cost import cost
from tests.checks.doctored import dev, doctored


def bill(*settings: str) -> dict:
    return cost(*dev(*settings)).as_json()


def line(data: dict, what: str) -> dict:
    return next(found for found in data["lines"] if found["what"] == what)


def test_dev_at_rest_is_the_sum_of_its_parts() -> None:
    data = bill()
    # control plane 0.10 x 730, NAT 0.045 x 730, address 0.005 x 730, key 1, two m7i.large at 0.1008 x 730 + 50 GiB x 0.08
    by_hand = 73.00 + 32.85 + 3.65 + 1.00 + 2 * (0.1008 * 730 + 4.00)
    assert data["idle_monthly"] == round(by_hand, 2) == 265.67
    assert data["paused_monthly"] == 110.50
    assert (data["currency"], data["prices_of"]) == ("USD", "us-east-1, 2026-10-07")


def test_nat_in_each_zone_costs_three_times() -> None:
    single, each = line(bill(), "NAT gateway"), line(bill("network.nat=per_zone"), "NAT gateway")
    assert (single["quantity"], each["quantity"]) == (1, 3)
    assert each["idle_monthly"] == 98.55


def test_the_maximum_price_bounds_a_spot_node() -> None:
    spot = line(bill(), "memory-spot nodes")
    assert spot["unit_price"] == round(0.40 * 730 + 100 * 0.08, 2)
    assert spot["maximum_monthly"] == 3000.00
    assert (spot["idle_monthly"], spot["paused_monthly"]) == (0.0, 0.0)


def test_nodes_that_are_always_there_are_paid_for_at_rest() -> None:
    assert line(bill("pools.memory.size.min=2"), "memory-on-demand nodes")["quantity"] == 2


def test_throughput_beyond_the_included_is_paid_for() -> None:
    # 200 GiB x 0.08 + (250 - 125) MiB/s x 0.04
    assert line(bill(), "gpu-on-demand nodes")["unit_price"] == round(3.912 * 730 + 16.00 + 5.00, 2)


def test_a_type_without_a_price_is_unknown_and_not_free() -> None:
    stack, resources = dev()


    from config.instance_types import instance_type, instance_types

    unknown = next(name for name in instance_types() if instance_type(name).usd_per_hour is None)
    data = cost(stack, doctored(resources, "aws:eks/nodeGroup:NodeGroup", lambda i: i.update(instanceTypes=[unknown]))[1]).as_json()
    assert line(data, "core nodes")["idle_monthly"] is None
    assert data["idle_monthly"] is None
    assert "no price known" in line(data, "core nodes")["note"]
    assert data["paused_monthly"] == 110.50, "paused, the nodes are not there"


def test_other_regions_are_told_that_they_differ() -> None:
    stack, resources = dev("aws:region=eu-west-1", 'network.zones=["eu-west-1a","eu-west-1b"]')
    assert cost(stack, resources).as_json()["note"] == "prices of us-east-1; eu-west-1 differs"
