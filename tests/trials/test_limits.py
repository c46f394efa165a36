"""Limits of servers against the nodes of their pools, shared memory against limits, and what the
page shows of both.
"""

from __future__ import annotations

import datetime
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_aws.checks.limits import limits, overcommitment
from jupyterhub_aws.config.node_size import quantity
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.plan.page.page import page
from tests.support.stack_files import ROOT
from tests.support.stacks import ALL_STACKS, plan_once

BASE = ROOT / "tests" / "trials" / "cases" / "plan-base.yaml"
DAY = datetime.date(2026, 11, 29)


def found(*settings: str) -> list:
    return [
        item for item in plan_once(read(BASE, settings), DAY).findings if item.id == "limits-fit"
    ]


@pytest.mark.real
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (("hubs.main.profiles.small.memory=100G",), "its memory limit is 100 GiB, and the largest node of pool user has 57.88 GiB"),
        (("hubs.main.profiles.small.cpu=9",), "its limit is 9 cores, and the largest node of pool user has 7.63"),
        (("hubs.main.profiles.small.memory=58G",), "its memory limit is 58 GiB"),
        (("hubs.main.shared_memory=16G",), "its volumes in memory (/dev/shm) may grow to 16 GiB"),
        ((f"hubs.main.profiles.small={json.dumps({'pool': 'user', 'sizes': {'s': {'cpu': 2, 'memory': '8G'}, 'l': {'cpu': 2, 'memory': '80G'}}})}",),
         "profile small/l of hub main: its memory limit is 80 GiB"),
        (("hubs.main.helm_values={singleuser: {profileList: [{display_name: X, kubespawner_override: {mem_limit: 200G, mem_guarantee: 1G, "
          "node_selector: {jupyterhub-aws/pool: user}}}]}}",), "its memory limit is 200 GiB"),
    ],
)  # fmt: skip
def test_a_limit_that_no_node_has_is_a_warning(settings: tuple[str, ...], says: str) -> None:
    warned = found(*settings)
    assert {item.status for item in warned} == {"warn"} and any(
        says in item.message for item in warned
    ), warned
    assert all(item.path == "hubs.main.profiles" and item.fix for item in warned)


@pytest.mark.real
@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("hubs.main.profiles.small.memory=57G",),
        ("hubs.main.shared_memory=8G",),
        ("hubs.main.profiles={}",),
    ],
)
def test_a_limit_that_a_node_has_passes_and_says_how_far_limits_add_up(
    settings: tuple[str, ...],
) -> None:
    (item,) = found(*settings)
    assert item.status == "pass" and re.search(
        r"add up to at most [0-9.]+ times its memory", item.message
    )


@pytest.mark.real
@pytest.mark.parametrize("stack", ALL_STACKS)
def test_what_the_program_makes_by_itself_never_has_a_limit_that_no_node_has(stack: str) -> None:
    given = ALL_STACKS[stack]
    name, given = (
        (given[0].removeprefix("stack="), given[1:])
        if given and given[0].startswith("stack=")
        else ("dev", given)
    )
    made = plan_once(
        read(ROOT / name if name.endswith(".yaml") else ROOT / f"Pulumi.{name}.yaml", given), DAY
    )
    assert [
        item for item in limits(made.stack, made.recording.everything) if item.status != "pass"
    ] == []


def test_the_page_shows_limits_beside_guarantees() -> None:
    text = page(plan_once(read(BASE, ("hubs.main.profiles.small.memory=100G",)), DAY))
    offer = re.search(r'<tr><th scope="row">Small</th>.*?</tr>', text, re.S)
    assert offer is not None
    assert 'data-label="Guaranteed">1 core, 50 GiB</td>' in offer[0]
    assert 'data-label="At most">2 cores, 100 GiB</td>' in offer[0]
    fit = re.search(r'<tr><th scope="row">Small \(main\)</th>.*?</tr>', text, re.S)
    assert fit is not None and 'data-label="All limits">1.7 ×' in fit[0]


def test_two_to_one_is_two() -> None:
    from jupyterhub_aws.checks.placement import user_nodes
    from jupyterhub_aws.checks.user_pods import hub_releases, user_pods

    made = plan_once(
        read(BASE, ("hubs.main.profiles.small.memory=4G", "hubs.main.profiles.small.cpu=0.5")), DAY
    )
    node = next(iter(user_nodes(made.stack, made.recording.everything)))
    (pod,) = user_pods(hub_releases(made.recording.everything)[0])
    assert 1.9 < overcommitment(pod, node) <= 2.0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", 0.5),
        ("2", 2),
        (2, 2),
        ("2Gi", 2 * 2**30),
        ("1.5Gi", 1.5 * 2**30),
        ("100M", 1e8),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1k", 1000),
        ("250u", 25e-5),
    ],
)
def test_quantities_are_the_apis(text: object, number: float) -> None:
    assert quantity(text) == pytest.approx(number)


@given(st.text(max_size=6))
def test_what_is_no_quantity_is_a_value_error(text: str) -> None:
    try:
        assert isinstance(quantity(text), float)
    except ValueError:
        return


@pytest.mark.parametrize("text", ["", "2GB", "two", "1 Gi", "Gi", None, True, [], "1ei"])
def test_wrong_quantities_are_refused(text: object) -> None:
    with pytest.raises(ValueError):
        quantity(text)
